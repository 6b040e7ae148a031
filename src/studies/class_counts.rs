//! Connections and bytes by class (`textual_summary`, `textual_summary_global`, `textual_summary_app`).

use clap::ArgMatches;

use super::classes::{DURATIONS, SIZES, class_of};
use super::numbers::StudyNumbers;
use super::numbers::float;
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::Values;
use crate::drawing::distributions::deviations::bars;
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// Connections and their bytes by classes of duration and size.
pub struct ClassCounts;

impl Described for ClassCounts {
    fn name(&self) -> &'static str {
        "class_counts"
    }

    fn summary(&self) -> &'static str {
        "Connections and their bytes by classes of duration and size"
    }

    fn details(&self) -> &'static str {
        "Share of connections of a class = connections in it / connections; share of bytes = their goodput in \
         both directions / goodput of all. The classes go from one limit to below the next; those of the scripts \
         overlapped."
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "analyze ./examples --out ./ds; study class_counts ./ds", purpose: "all connections" }]
    }
}

impl Study for ClassCounts {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("connections", &["duration_s"]), ("directions", &["mptcpstream", "goodput_bytes"])]
    }

    fn study(&self, _: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let sizes = population.sums("directions", "goodput_bytes")?;
        let mut durations = vec![f64::NAN; population.len()];
        population.each("connections", ["duration_s"], [], |member, [duration], []| {
            durations.get_mut(member).into_iter().for_each(|of| *of = duration.unwrap_or(f64::NAN));
        })?;
        let mut numbers = StudyNumbers::default();
        let mut figure = Figure::new("Connections and bytes by class");
        for (what, classes, values) in [("duration", DURATIONS, &durations), ("size", SIZES, &sizes)] {
            let names: Vec<&str> = classes.iter().map(|class| class.name).collect();
            let mut found = population.grouped_by(&names);
            for (member, (value, size)) in values.iter().zip(&sizes).enumerate() {
                if let Some(class) = class_of(&classes, *value) {
                    found.push_in(member, class, *size);
                }
            }
            let mut heights = Vec::new();
            for (group, found) in population.groups().iter().zip(found.values().chunks(names.len())) {
                let bytes = |values: &Values| values.values.iter().sum::<f64>();
                let count: usize = found.iter().map(|values| values.values.len()).sum();
                let all: f64 = found.iter().map(bytes).sum();
                for (name, values) in names.iter().zip(found) {
                    numbers.share(group, &format!("connections, {what} {name}"), values.values.len(), count);
                    let share = (all > 0.0).then(|| bytes(values) / all);
                    numbers.value(group, &format!("share of bytes, {what} {name}"), share, Unit::Share);
                }
                let named = |what: &str| if group.is_empty() { what.to_string() } else { format!("{group}, {what}") };
                let part = |value: f64, of: f64| if of > 0.0 { value / of } else { 0.0 };
                let counts = found.iter().map(|values| part(float(values.values.len()), float(count)));
                heights.push(Values::new(named("connections"), counts.collect()));
                heights
                    .push(Values::new(named("bytes"), found.iter().map(|values| part(bytes(values), all)).collect()));
            }
            let names: Vec<String> = names.into_iter().map(str::to_string).collect();
            figure = figure.with_panel(bars(&heights, &names, what, Axis::new("share", Unit::Share)));
        }
        Ok(Studied { figure, numbers })
    }
}
