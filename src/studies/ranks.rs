//! Connections by size (`plot_total_bytes_reinj_bytes`, `list_bytes_all`).

use clap::ArgMatches;

use super::axes::bytes;
use super::numbers::StudyNumbers;
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::ranks;
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// Connections in order of their data, with what was reinjected.
pub struct Ranks;

impl Described for Ranks {
    fn name(&self) -> &'static str {
        "ranks"
    }

    fn summary(&self) -> &'static str {
        "Connections in order of their data, with what was reinjected"
    }

    fn details(&self) -> &'static str {
        "Connections in falling order of their goodput in both directions; the points have the bytes of the same \
         connection that another subflow had carried before."
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "analyze ./examples --out ./ds; study ranks ./ds", purpose: "all connections" }]
    }
}

impl Study for Ranks {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("directions", &["mptcpstream", "goodput_bytes", "reinjected_bytes"])]
    }

    fn study(&self, _: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let mut sums = vec![[0.0_f64; 2]; population.len()];
        population.each("directions", ["goodput_bytes", "reinjected_bytes"], [], |member, [bytes, again], []| {
            if let Some([all, reinjected]) = sums.get_mut(member) {
                *all += bytes.unwrap_or_default();
                *reinjected += again.unwrap_or_default();
            }
        })?;
        let mut numbers = StudyNumbers::default();
        for (place, name) in population.groups().iter().enumerate() {
            let own = || {
                sums.iter().enumerate().filter(|(member, _)| population.group(*member) == place).map(|(_, sums)| sums)
            };
            let mut sizes: Vec<f64> = own().map(|[all, _]| *all).collect();
            sizes.sort_unstable_by(|one, other| other.total_cmp(one));
            let total: f64 = sizes.iter().sum();
            numbers.count(name, "connections", sizes.len());
            numbers.value(name, "goodput", Some(total), Unit::Bytes);
            numbers.value(name, "reinjected", Some(own().map(|[_, again]| *again).sum()), Unit::Bytes);
            for (part, shown) in [(100, "1 %"), (10, "10 %")] {
                let largest: f64 = sizes.iter().take(sizes.len().div_ceil(part)).sum();
                let share = (total > 0.0).then(|| largest / total);
                numbers.value(name, &format!("share of the largest {shown} of connections"), share, Unit::Share);
            }
        }
        let rank = Axis::new("rank of the connection", Unit::Count).logarithmic();
        let names = ["goodput", "reinjected"];
        let figure = Figure::new("Connections by size").with_panel(ranks(sums, names, rank, bytes("bytes")));
        Ok(Studied { figure, numbers })
    }
}
