//! Panels of values in groups: cumulative distributions, histograms, box plots, means with deviations, scattered pairs and
//! ranks. One kind a file; each takes [`Values`] and makes a [`Panel`](super::figure::Panel).

pub mod boxes;
pub mod cumulative;
pub mod deviations;
pub mod histogram;
pub mod ranks;
pub mod scatter;

pub use boxes::boxes;
pub use cumulative::{Cumulative, cumulative};
pub use deviations::deviations;
pub use histogram::histogram;
pub use ranks::ranks;
pub use scatter::{Pairs, scatter};

/// The values of one group.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Values {
    /// The group's name, as in the legend.
    pub name: String,
    /// Its values, in any order; those that are not finite are left out.
    pub values: Vec<f64>,
}

impl Values {
    /// Values under a name.
    #[must_use]
    pub fn new(name: impl Into<String>, values: Vec<f64>) -> Self {
        Values { name: name.into(), values }
    }

    /// The finite values in order.
    #[must_use]
    pub fn sorted(&self) -> Vec<f64> {
        let mut sorted: Vec<f64> = self.values.iter().copied().filter(|value| value.is_finite()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    }
}

/// Half the width of a bar or box where so many stand beside each other, in places of the axis. Few are not as wide as
/// the panel.
fn half_width(count: usize) -> f64 {
    [0.08, 0.16, 0.24].get(count.saturating_sub(1)).copied().unwrap_or(0.32)
}

/// The names of groups as places of an axis.
fn categories(groups: &[Values]) -> Vec<String> {
    let name = |group: &Values| if group.name.is_empty() { "all".to_string() } else { group.name.clone() };
    groups.iter().map(name).collect()
}

/// A percentile of values in order, `share` of one: between the two nearest in proportion to its place, which is "linear"
/// in NumPy and type 7 in R. `None` without values.
#[must_use]
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    #[allow(clippy::cast_precision_loss)]
    let rank = last as f64 * share.clamp(0.0, 1.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let index = (rank.floor() as usize).min(last);
    let (low, high) = (sorted.get(index)?, sorted.get(index.saturating_add(1)).or_else(|| sorted.get(index))?);
    Some(low + (high - low) * rank.fract())
}

/// The mean; `None` without values.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    #[allow(clippy::cast_precision_loss)]
    let count = values.len() as f64;
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / count)
}

/// The standard deviation of a sample, with one less than its number in the divisor; `None` with fewer than two values.
#[must_use]
pub fn deviation(values: &[f64]) -> Option<f64> {
    let divisor = values.len().checked_sub(1).filter(|divisor| *divisor > 0)?;
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    #[allow(clippy::cast_precision_loss)]
    Some((squares / divisor as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_lie_between_neighbours() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        // numpy.percentile([1, 2, 4, 8], [0, 25, 50, 75, 100])
        let found = [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| quantile(&sorted, share).unwrap());
        assert_eq!(found, [1.0, 1.75, 3.0, 5.0, 8.0]);
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn deviation_is_that_of_a_sample() {
        assert_eq!(mean(&[2.0, 4.0, 6.0]), Some(4.0));
        assert_eq!(deviation(&[2.0, 4.0, 6.0]), Some(2.0));
        assert_eq!((mean(&[]), deviation(&[1.0])), (None, None));
    }
}
