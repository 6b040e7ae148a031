//! The numbers that a study finds, beside what it draws.

use serde::Serialize;

use crate::drawing::distributions::{Values, deviation, mean, quantile};
use crate::drawing::figure::Unit;

/// One number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Number {
    /// The group that it is of; `None` for all together.
    pub group: Option<String>,
    /// What it is.
    pub quantity: String,
    /// The number; `None` where there is nothing to take it from.
    pub value: Option<f64>,
    /// Its unit: seconds, bytes, bytes_per_second, share (parts of one), count or plain.
    pub unit: &'static str,
    /// Of shares: how many there are.
    pub count: Option<u64>,
    /// Of shares: of so many.
    pub of: Option<u64>,
}

/// StudyNumbers in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StudyNumbers(pub Vec<Number>);

/// Percentiles of a distribution: the name, and the share of values that are smaller.
const PERCENTILES: [(&str, f64); 7] =
    [("p25", 0.25), ("median", 0.5), ("p75", 0.75), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)];

impl StudyNumbers {
    fn add(&mut self, group: &str, quantity: &str, value: Option<f64>, unit: Unit, part: Option<(u64, u64)>) {
        let group = Some(group.to_string()).filter(|group| !group.is_empty());
        let (count, of) = part.unzip();
        let value = value.filter(|value| value.is_finite());
        self.0.push(Number { group, quantity: quantity.to_string(), value, unit: unit.name(), count, of });
    }

    /// A measured value.
    pub fn value(&mut self, group: &str, quantity: &str, value: Option<f64>, unit: Unit) {
        self.add(group, quantity, value, unit, None);
    }

    /// How many there are.
    pub fn count(&mut self, group: &str, quantity: &str, count: usize) {
        self.add(group, quantity, Some(float(count)), Unit::Count, None);
    }

    /// So many of so many.
    pub fn share(&mut self, group: &str, quantity: &str, count: usize, of: usize) {
        let share = (of > 0).then(|| float(count) / float(of));
        self.add(group, quantity, share, Unit::Share, Some((count as u64, of as u64)));
    }

    /// The distribution of values: their number, mean, standard deviation, least and percentiles. `what` is the quantity.
    pub fn distribution(&mut self, values: &Values, what: &str, unit: Unit) {
        let (sorted, group) = (values.sorted(), values.name.as_str());
        self.count(group, &format!("{what}: values"), sorted.len());
        let mut add = |name: &str, value| self.value(group, &format!("{what}: {name}"), value, unit);
        add("mean", mean(&sorted));
        add("standard deviation", deviation(&sorted));
        add("min", sorted.first().copied());
        for (name, share) in PERCENTILES {
            add(name, quantile(&sorted, share));
        }
    }

    /// How many of the values are at most so large.
    pub fn at_most(&mut self, values: &Values, what: &str, limits: &[(f64, &str)]) {
        let sorted = values.sorted();
        for (limit, shown) in limits {
            let count = sorted.partition_point(|value| value <= limit);
            self.share(&values.name, &format!("{what} at most {shown}"), count, sorted.len());
        }
    }

    /// How many of the values are at least so large.
    pub fn at_least(&mut self, values: &Values, what: &str, limits: &[(f64, &str)]) {
        let sorted = values.sorted();
        for (limit, shown) in limits {
            let count = sorted.len().saturating_sub(sorted.partition_point(|value| value < limit));
            self.share(&values.name, &format!("{what} at least {shown}"), count, sorted.len());
        }
    }
}

/// A count as a number: exact up to 2^53.
#[must_use]
pub fn float(count: usize) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let value = count as f64;
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_say_of_how_many() {
        let mut numbers = StudyNumbers::default();
        numbers.at_most(&Values::new("a", vec![1.0, 2.0, 3.0, f64::NAN]), "duration", &[(2.0, "2 s")]);
        numbers.at_least(&Values::new("", vec![1.0, 2.0, 3.0]), "duration", &[(2.0, "2 s")]);
        numbers.share("", "nothing", 0, 0);
        let shown: Vec<_> = numbers.0.iter().map(|one| (one.group.as_deref(), one.count, one.of, one.value)).collect();
        let share = |count: u32| Some(f64::from(count) / 3.0);
        assert_eq!(
            shown,
            [
                (Some("a"), Some(2), Some(3), share(2)),
                (None, Some(2), Some(3), share(2)),
                (None, Some(0), Some(0), None)
            ]
        );
        assert_eq!(numbers.0[0].quantity, "duration at most 2 s");
    }
}
