//! Data over time by path (`seq_together`, `line_graph_aggl`).

use clap::ArgMatches;

use super::numbers::StudyNumbers;
use super::numbers::float;
use super::options::{DIRECTIONS, direction};
use super::paths::Paths;
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::figure::{Axis, Figure, Marks, Panel, Point, Role, Series, Unit};
use crate::error::Result;

/// Data that each path carried over the time of a connection.
pub struct BytesOverTime;

impl Described for BytesOverTime {
    fn name(&self) -> &'static str {
        "bytes_over_time"
    }

    fn summary(&self) -> &'static str {
        "Data that each path carried over the time of a connection"
    }

    fn details(&self) -> &'static str {
        "Of each burst (a run of packets with payload on one subflow), the bytes are added at its end, counted \
         from the first packet of its connection; the line is the sum over all connections of a group / \
         connections of the group. What was sent again counts each time. A path is a value of a column of \
         subflows: path_client, the label of the client's address from `analyze --labels`, or what --path-column \
         names (interface, kind, …). With --where \"capture = 'KEY' AND mptcpstream = 0\" it shows one \
         connection."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        Paths::with_arguments(command, &[])
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "analyze ./examples --out ./ds --tables all; study bytes_over_time ./ds --path-column kind",
            purpose: "initial subflows and joins",
        }]
    }
}

impl Study for BytesOverTime {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[
            ("subflows", &["mptcpstream", "tcpstream"]),
            ("subflow_directions", &["mptcpstream", "first_s"]),
            ("bursts", &["mptcpstream", "tcpstream", "towards", "reltime_s", "duration_s", "bytes"]),
        ]
    }

    fn study(&self, arguments: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let paths = Paths::read(arguments, population)?;
        let mut starts = vec![f64::INFINITY; population.len()];
        population.each("subflow_directions", ["first_s"], [], |member, [first], []| {
            let first = first.unwrap_or(f64::INFINITY);
            starts.get_mut(member).into_iter().for_each(|start| *start = start.min(first));
        })?;
        let count = paths.names().len();
        let mut found =
            DIRECTIONS.map(|_| vec![Vec::<(f64, f64)>::new(); count.saturating_mul(population.groups().len())]);
        let columns = ["tcpstream", "reltime_s", "duration_s", "bytes"];
        population.each("bursts", columns, ["towards"], |member, row, [towards]| {
            let ([Some(stream), Some(time), duration, Some(bytes)], Some(towards)) = (row, direction(towards)) else {
                return;
            };
            let Some(start) = starts.get(member) else { return };
            let place = population.group(member).saturating_mul(count).saturating_add(paths.of(member, stream));
            let of = found.get_mut(towards).and_then(|found| found.get_mut(place));
            of.into_iter().for_each(|of| of.push((time + duration.unwrap_or_default() - start, bytes)));
        })?;
        let mut numbers = StudyNumbers::default();
        let mut figure = Figure::new("Data over time by path");
        let sizes = population.sizes();
        for (name, found) in DIRECTIONS.into_iter().zip(found) {
            let x = Axis::new("time since the start of the connection", Unit::Seconds);
            let mut panel = Panel::new(x, Axis::new("bytes per connection", Unit::Bytes)).titled(name);
            let groups = population.groups().iter().zip(&sizes);
            let named = groups.flat_map(|(group, size)| paths.names().iter().map(move |path| (group, *size, path)));
            for (((group, size, path), mut events), index) in named.zip(found).zip(0_u32..) {
                events.sort_by(|one, other| one.0.total_cmp(&other.0));
                let total: f64 = events.iter().map(|(_, bytes)| bytes).sum();
                numbers.value(group, &format!("{name} on {path}: bytes"), Some(total), Unit::Bytes);
                let mean = (size > 0).then(|| total / float(size));
                numbers.value(group, &format!("{name} on {path}: bytes per connection"), mean, Unit::Bytes);
                let mut sum = 0.0;
                let points: Vec<Point> = events
                    .into_iter()
                    .map(|(time, bytes)| {
                        sum += bytes;
                        Point { x: time, y: sum / float(size.max(1)) }
                    })
                    .collect();
                let line = if group.is_empty() { path.clone() } else { format!("{group}, {path}") };
                if !points.is_empty() {
                    panel = panel.with_series(Series::new(line, Role::subflow(index), Marks::Steps(points)));
                }
            }
            figure = figure.with_panel(panel);
        }
        Ok(Studied { figure, numbers })
    }
}
