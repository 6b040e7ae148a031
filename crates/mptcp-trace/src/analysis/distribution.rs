//! Distribution of time spans: the one place where percentiles are defined.
//!
//! A percentile lies between the two nearest values in order, in proportion to its place between their ranks: of n
//! values the p-th percentile has rank (n - 1) · p / 100, counted from 0. This is "linear" in NumPy and pandas, type 7
//! in R. The result is rounded to the nanosecond.

use crate::Span;
use serde::Serialize;

/// Minimum, quartiles, 99th percentile, maximum and mean, in seconds; all `None` without samples.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Distribution {
    /// Number of values.
    pub samples: u64,
    /// The smallest.
    pub min: Option<f64>,
    /// A quarter of the values are smaller.
    pub p25: Option<f64>,
    /// Half of them are.
    pub median: Option<f64>,
    /// Three quarters of them are.
    pub p75: Option<f64>,
    /// All but ten in a hundred are.
    pub p90: Option<f64>,
    /// All but five in a hundred are.
    pub p95: Option<f64>,
    /// All but three in a hundred are.
    pub p97: Option<f64>,
    /// All but two in a hundred are.
    pub p98: Option<f64>,
    /// All but one in a hundred are.
    pub p99: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// The sum over the number.
    pub mean: Option<f64>,
    /// The standard deviation of the sample, with one less than their number in the divisor; `None` with fewer than two.
    pub stdev: Option<f64>,
}

/// The percentiles of a [`Distribution`], rising: only the values that these lie between are put in order.
const PERCENTS: [usize; 8] = [25, 50, 75, 90, 95, 97, 98, 99];

impl Distribution {
    /// The distribution of `values`, which are in any order.
    #[must_use]
    pub fn of(mut values: Vec<Span>) -> Self {
        put_in_place(&mut values, &PERCENTS);
        let sum: i128 = values.iter().map(|value| i128::from(value.nanoseconds())).sum();
        #[allow(clippy::cast_precision_loss)]
        let mean = (!values.is_empty()).then(|| sum as f64 / values.len() as f64 / 1e9);
        Distribution {
            samples: values.len() as u64,
            min: values.iter().min().map(|least| least.seconds()),
            p25: percentile(&values, 25),
            median: percentile(&values, 50),
            p75: percentile(&values, 75),
            p90: percentile(&values, 90),
            p95: percentile(&values, 95),
            p97: percentile(&values, 97),
            p98: percentile(&values, 98),
            p99: percentile(&values, 99),
            max: values.iter().max().map(|most| most.seconds()),
            mean,
            stdev: mean.and_then(|mean| stdev(&values, mean)),
        }
    }
}

/// The standard deviation of values with this mean, in seconds.
fn stdev(values: &[Span], mean: f64) -> Option<f64> {
    let divisor = values.len().checked_sub(1).filter(|divisor| *divisor > 0)?;
    let squares: f64 = values.iter().map(|value| (value.seconds() - mean).powi(2)).sum();
    #[allow(clippy::cast_precision_loss)]
    Some((squares / divisor as f64).sqrt())
}

/// Each distinct value with the share of all that are at most it, in order: the cumulative distribution.
#[must_use]
pub fn cumulative<T: Ord + Copy>(mut values: Vec<T>) -> Vec<(T, f64)> {
    values.sort_unstable();
    let count = values.len();
    let mut below = 0_usize;
    let mut steps = Vec::new();
    for equal in values.chunk_by(|one, next| one == next) {
        below = below.saturating_add(equal.len());
        #[allow(clippy::cast_precision_loss)]
        steps.extend(equal.first().map(|value| (*value, below as f64 / count as f64)));
    }
    steps
}

/// Puts the values that rising percentiles lie between where they are when all are in order. A list of thousands is not put
/// in order for a few of them.
fn put_in_place(values: &mut [Span], percents: &[usize]) {
    let Some(last) = values.len().checked_sub(1) else { return };
    // So many are in place; all others are not lower.
    let mut placed = 0_usize;
    for percent in percents {
        let rank = last.saturating_mul(*percent) / 100;
        if let Some(place) = rank.checked_sub(placed)
            && let Some(rest) = values.get_mut(placed..)
        {
            rest.select_nth_unstable(place);
            placed = rank.saturating_add(1);
        }
        if let Some(rest) = values.get_mut(placed..).filter(|_| placed <= rank.saturating_add(1))
            && let Some(next) = (0..rest.len()).min_by_key(|next| rest.get(*next))
        {
            rest.swap(0, next);
            placed = placed.saturating_add(1);
        }
    }
}

/// The percentile of values that are in order there, in seconds.
fn percentile(sorted: &[Span], percent: usize) -> Option<f64> {
    let hundredths = sorted.len().checked_sub(1)?.checked_mul(percent)?;
    let (index, rest) = (hundredths / 100, hundredths % 100);
    let below = i128::from(sorted.get(index)?.nanoseconds());
    let above = sorted.get(index + 1).map_or(below, |value| i128::from(value.nanoseconds()));
    let hundredfold = below * 100 + (above - below) * rest as i128;
    #[allow(clippy::cast_precision_loss)]
    Some((hundredfold + 50).div_euclid(100) as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::short::{ms, ns};

    /// numpy.percentile(range(1001), p) is 10 p, in whatever order the numbers come.
    #[test]
    fn percentiles_do_not_depend_on_the_order() {
        let found = Distribution::of((0..1001_i64).map(|n| ms(n * 389 % 1001)).collect());
        let percentiles = [found.p25, found.median, found.p75, found.p90, found.p95, found.p97, found.p98, found.p99];
        assert_eq!(percentiles, [0.25, 0.5, 0.75, 0.9, 0.95, 0.97, 0.98, 0.99].map(Some));
        assert_eq!((found.min, found.max, found.mean), (Some(0.0), Some(1.0), Some(0.5)));
    }

    #[test]
    fn percentiles_are_those_of_numpy() {
        // numpy.percentile([1, 2, 3, 4], [25, 50, 75, 90, 95, 97, 98, 99]) is [1.75, 2.5, 3.25, 3.7, 3.85, 3.91, 3.94, 3.97],
        // numpy.std([1, 2, 3, 4], ddof=1) is 1.2909944487358056.
        let found = Distribution::of([4000, 1000, 3000, 2000].map(ms).to_vec());
        let expected = Distribution {
            samples: 4,
            min: Some(1.0),
            p25: Some(1.75),
            median: Some(2.5),
            p75: Some(3.25),
            p90: Some(3.7),
            p95: Some(3.85),
            p97: Some(3.91),
            p98: Some(3.94),
            p99: Some(3.97),
            max: Some(4.0),
            mean: Some(2.5),
            stdev: Some(1.290_994_448_735_805_6),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn one_value_is_every_percentile() {
        let found = Distribution::of(vec![ns(-7)]);
        let value = Some(-7e-9);
        assert_eq!([found.min, found.p25, found.median, found.p75, found.p99, found.max], [value; 6]);
    }

    #[test]
    fn no_values_have_none() {
        assert_eq!(Distribution::of(Vec::new()), Distribution::default());
    }

    #[test]
    fn shares_grow_to_one_and_equal_values_are_one_step() {
        let steps = cumulative(vec![30, 10, 20, 20, 20, -5, 40, 40]);
        assert_eq!(steps, [(-5, 0.125), (10, 0.25), (20, 0.625), (30, 0.75), (40, 1.0)]);
        assert_eq!(cumulative(Vec::<i64>::new()), []);
    }

    #[test]
    fn percentiles_are_those_of_the_values_in_order() {
        let numbers =
            std::iter::successors(Some(7_u32), |n| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)));
        let numbers: Vec<i64> = numbers.map(|n| i64::from(n >> 20)).take(400).collect();
        for count in 0..numbers.len() {
            let mut values: Vec<Span> = numbers[..count].iter().copied().map(Span::from_nanoseconds).collect();
            let found = Distribution::of(values.clone());
            values.sort_unstable();
            let wanted = [0, 25, 50, 75, 99, 100].map(|percent| percentile(&values, percent));
            assert_eq!([found.min, found.p25, found.median, found.p75, found.p99, found.max], wanted, "{count}");
        }
    }
}
