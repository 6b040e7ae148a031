//! Connections by a column (`count_ports`, `count_ip_type`, `address_stat`).

use clap::ArgMatches;

use std::collections::HashMap;

use clap::Arg;

use super::numbers::StudyNumbers;
use super::numbers::float;
use super::options::{most, value};
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::Values;
use crate::drawing::distributions::deviations::bars;
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// Columns of connections with few enough values.
const COLUMNS: [&str; 10] = [
    "server_port",
    "server_ip",
    "client_ip",
    "ip_version",
    "version",
    "state",
    "fallback_reason",
    "capture_point",
    "joined_by",
    "subflows",
];

/// Connections by server port, version of IP, address, state or another column.
pub struct Frequencies;

impl Described for Frequencies {
    fn name(&self) -> &'static str {
        "frequencies"
    }

    fn summary(&self) -> &'static str {
        "Connections by server port, version of IP, address, state or another column"
    }

    fn details(&self) -> &'static str {
        "Share of a value = connections with it / connections. The figure and the table have the --most values \
         with most connections; the others are together in one line."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let of = Arg::new("of").long("of").value_name("COLUMN").value_parser(COLUMNS).default_value("server_port");
        command.arg(of.help("Column of connections")).arg(most())
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "analyze ./examples --out ./ds; study frequencies ./ds --of server_port",
            purpose: "by server port",
        }]
    }
}

impl Study for Frequencies {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("connections", &["server_port"])]
    }

    fn study(&self, arguments: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let column = arguments.get_one::<String>("of").map_or("server_port", String::as_str);
        let most = value(arguments, "most");
        let mut counts: HashMap<String, Vec<usize>> = HashMap::new();
        let empty = || vec![0_usize; population.groups().len()];
        population.each("connections", [], [column], |member, [], [found]| {
            let of = counts.entry(found.unwrap_or("(none)").to_string()).or_insert_with(empty);
            let of = of.get_mut(population.group(member));
            of.into_iter().for_each(|count| *count = count.saturating_add(1));
        })?;
        let mut counts: Vec<(String, Vec<usize>)> = counts.into_iter().collect();
        let all = |counts: &[usize]| counts.iter().sum::<usize>();
        counts.sort_by(|one, other| all(&other.1).cmp(&all(&one.1)).then(one.0.cmp(&other.0)));
        let most = (1..=counts.len()).take_while(|place| float(*place) <= most).last().unwrap_or_default();
        let others = counts.split_off(most);
        if !others.is_empty() {
            let mut sum = empty();
            for (_, counts) in &others {
                sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum = sum.saturating_add(*count));
            }
            counts.push(("(others)".to_string(), sum));
        }
        let mut numbers = StudyNumbers::default();
        let mut heights = Vec::new();
        for ((place, group), size) in population.groups().iter().enumerate().zip(population.sizes()) {
            let mut shares = Vec::new();
            for (name, counts) in &counts {
                let count = counts.get(place).copied().unwrap_or_default();
                numbers.share(group, &format!("{column} {name}"), count, size);
                shares.push(if size > 0 { float(count) / float(size) } else { 0.0 });
            }
            heights.push(Values::new(group.as_str(), shares));
        }
        let names: Vec<String> = counts.into_iter().map(|(name, _)| name).collect();
        let y = Axis::new("share of connections", Unit::Share);
        let figure = Figure::new(format!("Connections by {column}")).with_panel(bars(&heights, &names, column, y));
        Ok(Studied { figure, numbers })
    }
}
