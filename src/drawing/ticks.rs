//! Where the numbers of an axis stand and what they say: steps of 1, 2 or 5, with one unit prefix for the axis.

mod labels;

use super::extent::Range;
use super::figure::{Axis, Scale, Unit};
use crate::terminal_text::escape;
use labels::{Prefix, number, with_unit};

/// The ticks of an axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ticks {
    /// The unit that all labels are in, for the axis' own label; empty where there is none, or each label has its own.
    pub unit: String,
    /// From the least value to the greatest.
    pub ticks: Vec<Tick>,
}

/// One tick.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where it stands, in the unit of the data.
    pub value: f64,
    /// Its content.
    pub label: String,
}

impl Ticks {
    /// At most `most` ticks (but never fewer than one) for what an axis shows.
    #[must_use]
    pub fn new(axis: &Axis, range: Range, most: usize) -> Ticks {
        Self::prefixed(axis, range, most, range.greatest())
    }

    /// The same in the unit that suits `greatest`, which may be of another panel.
    #[must_use]
    pub fn prefixed(axis: &Axis, range: Range, most: usize, greatest: f64) -> Ticks {
        let most = most.max(1);
        if !axis.categories.is_empty() {
            return of_categories(&axis.categories, range, most);
        }
        match axis.scale {
            Scale::Linear => linear(axis.unit, range, most, greatest),
            Scale::Logarithmic => logarithmic(axis.unit, range, most),
        }
    }

    /// The axis' label with its unit, then with fewer and fewer of its words, and the unit alone.
    pub fn shorter_labels(&self, axis: &Axis) -> Vec<String> {
        let unit = if self.unit.is_empty() { String::new() } else { format!(" ({})", self.unit) };
        let label = escape(&axis.label);
        let words: Vec<&str> = label.split(' ').filter(|word| !word.is_empty()).collect();
        let fewer =
            (1..words.len()).rev().filter_map(|count| Some(format!("{}…{unit}", words.get(..count)?.join(" "))));
        let whole = std::iter::once(escape(&self.label(axis)).into_owned());
        whole.chain(fewer).chain((!unit.is_empty()).then(|| unit.trim_start().to_string())).collect()
    }

    /// The axis' label with its unit: `data sequence number (MB)`.
    #[must_use]
    pub fn label(&self, axis: &Axis) -> String {
        match (axis.label.is_empty(), self.unit.is_empty()) {
            (_, true) => axis.label.clone(),
            (true, false) => self.unit.clone(),
            (false, false) => format!("{} ({})", axis.label, self.unit),
        }
    }
}

fn of_categories(names: &[String], range: Range, most: usize) -> Ticks {
    let every = names.len().div_ceil(most).max(1);
    let ticks = names.iter().enumerate().step_by(every).map(|(place, name)| Tick {
        // Names are few; the conversion is exact.
        value: place as f64,
        label: name.clone(),
    });
    let inside = |tick: &Tick| range.low <= tick.value && tick.value <= range.high;
    Ticks { unit: String::new(), ticks: ticks.filter(inside).collect() }
}

/// An axis over less than this part of a unit has numbers of more than two decimals.
const LEAST_SHOWN: f64 = 0.05;
/// From here on, numbers have five digits.
const MOST_SHOWN: f64 = 10_000.0;

/// The value whose unit suits axes of all these ranges: that of the greatest, or that of the least, whichever keeps
/// the numbers of all short. `None` where neither does.
#[must_use]
pub fn common_prefix(unit: Unit, ranges: impl Iterator<Item = Range> + Clone) -> Option<f64> {
    let greatest = || ranges.clone().map(Range::greatest);
    let shortest = ranges.clone().map(|range| range.high - range.low).reduce(f64::min)?;
    let (least, most) = (greatest().reduce(f64::min)?, greatest().reduce(f64::max)?);
    let is_short = |chosen: &f64| {
        let Prefix { factor, .. } = Prefix::of(unit, *chosen);
        shortest * factor >= LEAST_SHOWN && most * factor < MOST_SHOWN
    };
    [most, least].into_iter().find(is_short)
}

fn linear(unit: Unit, range: Range, most: usize, greatest: f64) -> Ticks {
    let prefix = Prefix::of(unit, greatest);
    let (low, high) = (range.low * prefix.factor, range.high * prefix.factor);
    let whole = prefix.whole;
    let Some(step) = Step::of(low, high, most, whole) else { return Ticks::default() };
    let ticks = step
        .values(low, high)
        .map(|shown| Tick { value: shown / prefix.factor, label: number(shown, step.decimals()) });
    Ticks { unit: prefix.name.to_string(), ticks: ticks.collect() }
}

fn logarithmic(unit: Unit, range: Range, most: usize) -> Ticks {
    // Bits, not bytes, are what a rate is read in.
    let factor = if unit == Unit::BytesPerSecond { 8.0 } else { 1.0 };
    let (low, high) = (range.low * factor, range.high * factor);
    let (first, last) = (low.log10().floor(), high.log10().ceil());
    let decades = last - first;
    if !decades.is_finite() {
        return Ticks::default();
    }
    let tick = |value: f64| Tick { value: value / factor, label: with_unit(value, unit) };
    let at = |multiples: &'static [f64], every: f64| {
        let start = (first / every).floor() * every;
        // At most a few hundred decades lie between the numbers that a double can hold.
        let powers =
            (0..=700).map(move |index| start + f64::from(index) * every).take_while(move |power| *power <= last);
        let values = powers.flat_map(move |power| multiples.iter().map(move |multiple| multiple * 10_f64.powf(power)));
        values.filter(|value| low <= *value && *value <= high).map(tick).collect::<Vec<Tick>>()
    };
    let fine: &[f64] = if decades * 3.0 <= most as f64 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let every = if fine.len() > 1 { 1.0 } else { ((decades + 1.0) / most as f64).ceil().max(1.0) };
    let ticks = at(fine, every);
    if ticks.len() >= 2 || most < 2 {
        return Ticks { unit: String::new(), ticks };
    }
    // One power alone tells nothing of the scale.
    let closer = [at(&[1.0], 1.0), at(&[1.0, 2.0, 5.0], 1.0)];
    if let Some(ticks) = closer.into_iter().find(|ticks| (2..=most).contains(&ticks.len())) {
        return Ticks { unit: String::new(), ticks };
    }
    // Less than a decade: even steps say more.
    let Some(step) = Step::of(low, high, most, false) else { return Ticks::default() };
    Ticks { unit: String::new(), ticks: step.values(low, high).filter(|value| *value > 0.0).map(tick).collect() }
}

/// One, two or five times a power of ten.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    multiple: f64,
    power: i32,
}

impl Step {
    /// The smallest step that leaves at most `most` ticks from `low` to `high`; not below one for `whole` numbers.
    fn of(low: f64, high: f64, most: usize, whole: bool) -> Option<Step> {
        let span = high - low;
        if !span.is_finite() || span <= 0.0 {
            return None;
        }
        let most = most as f64;
        // Starting a little below the answer, whatever the logarithm's last digit does.
        let power = (span / most).log10().floor() as i32;
        let candidates = (power.saturating_sub(1)..=power.saturating_add(2))
            .flat_map(|power| [1.0, 2.0, 5.0].map(|multiple| Step { multiple, power }));
        candidates
            .filter(|step| !whole || step.power >= 0)
            .chain(whole.then_some(Step { multiple: 1.0, power: 0 }))
            .filter(|step| step.count(low, high) <= most)
            .min_by(|one, other| one.size().total_cmp(&other.size()))
    }

    fn size(self) -> f64 {
        // 10^-3 is not a double, 10^3 is: dividing keeps 0.003 from becoming 0.0030000000000000001.
        match self.power {
            power if power < 0 => self.multiple / 10_f64.powi(power.saturating_neg()),
            power => self.multiple * 10_f64.powi(power),
        }
    }

    fn ends(self, low: f64, high: f64) -> (f64, f64) {
        // A tick that falls on the end of the range belongs to it, however the division rounds.
        let slack = 1e-9;
        ((low / self.size() - slack).ceil(), (high / self.size() + slack).floor())
    }

    fn count(self, low: f64, high: f64) -> f64 {
        let (first, last) = self.ends(low, high);
        last - first + 1.0
    }

    fn values(self, low: f64, high: f64) -> impl Iterator<Item = f64> {
        let (first, last) = self.ends(low, high);
        // Adding steps up would add their errors up.
        let value = move |index: f64| match self.power {
            power if power < 0 => index * self.multiple / 10_f64.powi(power.saturating_neg()),
            _ => index * self.size(),
        };
        // Beyond 2^53 neighbouring numbers are one double, and the count could go wrong.
        let count = (last - first).clamp(-1.0, 1000.0) as i32;
        (0..=count).map(move |offset| value(first + f64::from(offset)))
    }

    fn decimals(self) -> usize {
        usize::try_from(self.power.saturating_neg()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
