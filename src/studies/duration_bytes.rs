//! Duration against data (`fog_duration_bytes`).

use clap::ArgMatches;

use super::axes::{bytes, seconds};
use super::numbers::StudyNumbers;
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::{Pairs, scatter};
use crate::drawing::figure::Figure;
use crate::error::Result;

/// Duration of connections against their data, by group.
pub struct DurationBytes;

impl Described for DurationBytes {
    fn name(&self) -> &'static str {
        "duration_bytes"
    }

    fn summary(&self) -> &'static str {
        "Duration of connections against their data, by group"
    }

    fn details(&self) -> &'static str {
        "One point per connection: duration (first to last packet of any subflow) against goodput in both \
         directions. Neither axis has a place for 0."
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "analyze ./examples --out ./ds; study duration_bytes ./ds", purpose: "all connections" }]
    }
}

impl Study for DurationBytes {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("connections", &["duration_s"]), ("directions", &["mptcpstream", "goodput_bytes"])]
    }

    fn study(&self, _: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let sizes = population.sums("directions", "goodput_bytes")?;
        let mut pairs: Vec<Pairs> =
            population.groups().iter().map(|name| Pairs { name: name.clone(), pairs: Vec::new() }).collect();
        population.each("connections", ["duration_s"], [], |member, [duration], []| {
            let (Some(duration), Some(size)) = (duration, sizes.get(member)) else { return };
            let of = pairs.get_mut(population.group(member));
            of.into_iter().for_each(|of| of.pairs.push((duration, *size)));
        })?;
        let mut numbers = StudyNumbers::default();
        for group in &pairs {
            let count = |wanted: &dyn Fn(&(f64, f64)) -> bool| group.pairs.iter().filter(|pair| wanted(pair)).count();
            let all = group.pairs.len();
            numbers.count(&group.name, "connections", all);
            numbers.share(&group.name, "duration of 0 s", count(&|(duration, _)| *duration <= 0.0), all);
            numbers.share(&group.name, "goodput of 0 B", count(&|(_, bytes)| *bytes <= 0.0), all);
        }
        let figure = Figure::new("Duration and data of connections").with_panel(scatter(
            &pairs,
            false,
            seconds("duration"),
            bytes("goodput"),
        ));
        Ok(Studied { figure, numbers })
    }
}
