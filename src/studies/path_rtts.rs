//! Round trip times on one path against the share of another (`box_plot_cellular_percentage_rtt_wifi`).

use clap::ArgMatches;

use super::axes::seconds;
use super::numbers::StudyNumbers;
use super::options::{towards, wants};
use super::paths::Paths;
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::{Pairs, mean, scatter};
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// Largest round trip time on one path against the share of the data on another.
pub struct PathRtts;

impl Described for PathRtts {
    fn name(&self) -> &'static str {
        "path_rtts"
    }

    fn summary(&self) -> &'static str {
        "Largest round trip time on one path against the share of the data on another"
    }

    fn details(&self) -> &'static str {
        "One point per connection: the largest round trip time (data to ACK) of its subflows on --other, in the \
         direction or directions of --towards, against the goodput of its subflows on --path / goodput of all. A \
         path is a value of a column of subflows: path_client, the label of the client's address from `analyze \
         --labels`, or what --path-column names (interface, kind, …)."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        Paths::with_arguments(command, &["path", "other"]).arg(towards())
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "analyze ./examples --out ./ds; study path_rtts ./ds --path-column kind --path join --other initial",
            purpose: "joins against the initial subflow",
        }]
    }
}

impl Study for PathRtts {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[
            ("subflows", &["mptcpstream", "tcpstream"]),
            ("subflow_directions", &["mptcpstream", "tcpstream", "towards", "goodput_bytes", "rtt_tcp_max_s"]),
        ]
    }

    fn study(&self, arguments: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let paths = Paths::read(arguments, population)?;
        let (path, other) = (paths.named(arguments, "path")?, paths.named(arguments, "other")?);
        let mut found = vec![(f64::NEG_INFINITY, 0.0_f64, 0.0_f64); population.len()];
        let columns = ["tcpstream", "goodput_bytes", "rtt_tcp_max_s"];
        population.each("subflow_directions", columns, ["towards"], |member, [stream, bytes, rtt], [towards]| {
            let (Some(stream), Some(of), true) = (stream, found.get_mut(member), wants(arguments, towards)) else {
                return;
            };
            let on = paths.of(member, stream);
            let bytes = bytes.unwrap_or_default();
            of.2 += bytes;
            of.1 += if on == path { bytes } else { 0.0 };
            if let Some(rtt) = rtt.filter(|_| on == other) {
                of.0 = of.0.max(rtt);
            }
        })?;
        let mut pairs: Vec<Pairs> =
            population.groups().iter().map(|name| Pairs { name: name.clone(), pairs: Vec::new() }).collect();
        let (mut times, mut shares) = (population.grouped(), population.grouped());
        for (member, (rtt, own, all)) in found.into_iter().enumerate() {
            if rtt.is_finite() && all > 0.0 {
                let of = pairs.get_mut(population.group(member));
                of.into_iter().for_each(|of| of.pairs.push((rtt, own / all)));
                times.push(member, rtt);
                shares.push(member, own / all);
            }
        }
        let mut numbers = StudyNumbers::default();
        for (times, shares) in times.values().iter().zip(shares.values()) {
            numbers.distribution(times, "largest round trip time", Unit::Seconds);
            numbers.distribution(&shares, "share", Unit::Share);
            numbers.value(&times.name, "correlation", correlation(&times.values, &shares.values), Unit::Plain);
        }
        let x = seconds(&format!("largest round trip time on {}", paths.name(other)));
        let y = Axis::new(format!("share of the data on {}", paths.name(path)), Unit::Share).with_range(-0.02, 1.02);
        let figure =
            Figure::new("Round trip time on one path, data on another").with_panel(scatter(&pairs, false, x, y));
        Ok(Studied { figure, numbers })
    }
}

/// Pearson's correlation; `None` where either does not vary.
fn correlation(one: &[f64], other: &[f64]) -> Option<f64> {
    let (mean_one, mean_other) = (mean(one)?, mean(other)?);
    let (mut both, mut squares_one, mut squares_other) = (0.0, 0.0, 0.0);
    for (x, y) in one.iter().zip(other) {
        both += (x - mean_one) * (y - mean_other);
        squares_one += (x - mean_one).powi(2);
        squares_other += (y - mean_other).powi(2);
    }
    let product = f64::sqrt(squares_one * squares_other);
    (product > 0.0).then(|| both / product)
}
