//! Data by path (`fog_plot_with_bytes_wifi_cell`, `bar_chart_bytes_*_interface`).

use clap::ArgMatches;

use super::axes::bytes;
use super::numbers::StudyNumbers;
use super::options::{towards, wants};
use super::paths::Paths;
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::{Pairs, deviations, scatter};
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// Data by path: one path against another, and the mean of each.
pub struct PathBytes;

impl Described for PathBytes {
    fn name(&self) -> &'static str {
        "path_bytes"
    }

    fn summary(&self) -> &'static str {
        "Data by path: one path against another, and the mean of each"
    }

    fn details(&self) -> &'static str {
        "Bytes of a connection on a path = goodput that its subflows on the path were the first to carry, so that \
         nothing is counted twice. A path is a value of a column of subflows: path_client, the label of the \
         client's address from `analyze --labels`, or what --path-column names (interface, kind, …). The first \
         panel has one point per connection with data on both paths; what is on the line is equal. The second one \
         has the mean per connection, and the standard deviation, by path and group."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        Paths::with_arguments(command, &["path", "other"]).arg(towards())
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "analyze ./examples --out ./ds; study path_bytes ./ds --path-column kind --path initial --other join",
            purpose: "initial subflows and joins",
        }]
    }
}

impl Study for PathBytes {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[
            ("subflows", &["mptcpstream", "tcpstream"]),
            ("subflow_directions", &["mptcpstream", "tcpstream", "towards", "goodput_bytes"]),
        ]
    }

    fn study(&self, arguments: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let paths = Paths::read(arguments, population)?;
        let (one, other) = (paths.named(arguments, "path")?, paths.named(arguments, "other")?);
        let count = paths.names().len();
        let mut carried = vec![vec![0.0_f64; count]; population.len()];
        population.each(
            "subflow_directions",
            ["tcpstream", "goodput_bytes"],
            ["towards"],
            |member, row, [towards]| {
                let ([Some(stream), Some(bytes)], true) = (row, wants(arguments, towards)) else { return };
                let place = paths.of(member, stream);
                let of = carried.get_mut(member).and_then(|paths| paths.get_mut(place));
                of.into_iter().for_each(|of| *of += bytes);
            },
        )?;
        let names: Vec<&str> = paths.names().iter().map(String::as_str).collect();
        let mut means = population.grouped_by(&names);
        let mut kinds = population.grouped();
        let mut pairs: Vec<Pairs> =
            population.groups().iter().map(|name| Pairs { name: name.clone(), pairs: Vec::new() }).collect();
        for (member, carried) in carried.into_iter().enumerate() {
            for (path, bytes) in carried.iter().enumerate() {
                means.push_in(member, path, *bytes);
            }
            let on = |path: usize| carried.get(path).copied().unwrap_or_default();
            let (one, other) = (on(one), on(other));
            let of = pairs.get_mut(population.group(member));
            of.into_iter().for_each(|of| of.pairs.push((one, other)));
            kinds.push(member, if one > 0.0 { 1.0 } else { 0.0 } + if other > 0.0 { 2.0 } else { 0.0 });
        }
        let means = means.values();
        let mut numbers = StudyNumbers::default();
        let names = [
            "data on neither".to_string(),
            format!("data on {} alone", paths.name(one)),
            format!("data on {} alone", paths.name(other)),
            "data on both".to_string(),
        ];
        for group in kinds.values() {
            for (kind, name) in (0_u32..).zip(&names) {
                let count = group.values.iter().filter(|value| **value == f64::from(kind)).count();
                numbers.share(&group.name, name, count, group.values.len());
            }
        }
        for group in &means {
            numbers.distribution(group, "bytes", Unit::Bytes);
            numbers.value(&group.name, "bytes: total", Some(group.values.iter().sum()), Unit::Bytes);
        }
        let mean = Axis::new("bytes per connection", Unit::Bytes);
        let figure = Figure::new("Data by path")
            .with_panel(scatter(&pairs, true, bytes(paths.name(one)), bytes(paths.name(other))))
            .with_panel(deviations(&means, "", mean));
        Ok(Studied { figure, numbers })
    }
}
