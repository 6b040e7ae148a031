//! Share of the data on a path (`percentage_cell_by_app_with_conditions`, `box_plot_cellular_percentage`, `hist_cellular_percentage`, `fog_plot_cellular_percentage_all`).

use clap::ArgMatches;

use super::axes::bytes;
use super::numbers::StudyNumbers;
use super::options::{min_bytes, towards, value, wants};
use super::paths::Paths;
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::histogram::even;
use crate::drawing::distributions::{Pairs, boxes, histogram, scatter};
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// Share of the data that a path carried, such as cellular, by group.
pub struct PathShares;

impl Described for PathShares {
    fn name(&self) -> &'static str {
        "path_shares"
    }

    fn summary(&self) -> &'static str {
        "Share of the data that a path carried, such as cellular, by group"
    }

    fn details(&self) -> &'static str {
        "Share of a connection = goodput that subflows on the path were the first to carry / goodput of all its \
         subflows. A path is a value of a column of subflows: path_client, the label of the client's address from \
         `analyze --labels`, or what --path-column names (interface, kind, …). Connections count with at least \
         --min-bytes goodput. The panels: box plot by group (--by), histogram in 50 bins (10 with groups), share against the \
         goodput of the connection."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        Paths::with_arguments(command, &["path"]).arg(min_bytes("connections", "1")).arg(towards())
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "analyze ./examples --out ./ds; study path_shares ./ds --path-column kind --path join",
            purpose: "data on joined subflows",
        }]
    }
}

impl Study for PathShares {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[
            ("subflows", &["mptcpstream", "tcpstream"]),
            ("subflow_directions", &["mptcpstream", "tcpstream", "towards", "goodput_bytes"]),
        ]
    }

    fn study(&self, arguments: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let paths = Paths::read(arguments, population)?;
        let wanted = paths.named(arguments, "path")?;
        let least = value(arguments, "min_bytes");
        let mut carried = vec![(0.0_f64, 0.0_f64); population.len()];
        population.each(
            "subflow_directions",
            ["tcpstream", "goodput_bytes"],
            ["towards"],
            |member, row, [towards]| {
                let ([Some(stream), Some(bytes)], Some(of)) = (row, carried.get_mut(member)) else { return };
                if wants(arguments, towards) {
                    of.1 += bytes;
                    of.0 += if paths.of(member, stream) == wanted { bytes } else { 0.0 };
                }
            },
        )?;
        let mut shares = population.grouped();
        let mut pairs: Vec<Pairs> =
            population.groups().iter().map(|name| Pairs { name: name.clone(), pairs: Vec::new() }).collect();
        for (member, (own, all)) in carried.into_iter().enumerate().filter(|(_, (_, all))| *all > 0.0 && *all >= least)
        {
            shares.push(member, own / all);
            let of = pairs.get_mut(population.group(member));
            of.into_iter().for_each(|of| of.pairs.push((all, own / all)));
        }
        let shares = shares.values();
        let mut numbers = StudyNumbers::default();
        for group in &shares {
            numbers.at_most(group, "share", &[(0.0, "0 %")]);
            numbers.at_least(group, "share", &[(1.0, "100 %")]);
            numbers.distribution(group, "share", Unit::Share);
        }
        // Beside each other, bars of several groups need wide bins.
        let bins = if shares.len() > 1 { 10 } else { 50 };
        let label = format!("share on {}", paths.name(wanted));
        let axis = || Axis::new(label.as_str(), Unit::Share).with_range(-0.02, 1.02);
        let figure = Figure::new(format!("Share of the data on {}", paths.name(wanted)))
            .with_panel(boxes(&shares, "", axis()))
            .with_panel(histogram(&shares, &even(0.0, 1.0, bins), axis(), Axis::new("connections", Unit::Count)))
            .with_panel(scatter(&pairs, false, bytes("goodput of the connection"), axis()));
        Ok(Studied { figure, numbers })
    }
}
