//! Completion time and rate of transfers (`time_completion_big_connections*`).

use clap::ArgMatches;

use super::axes::seconds;
use super::numbers::StudyNumbers;
use super::options::{max_bytes, min_bytes, value};
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::boxes;
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// How long transfers of about one size took, and their rate, by group.
pub struct Completions;

impl Described for Completions {
    fn name(&self) -> &'static str {
        "completions"
    }

    fn summary(&self) -> &'static str {
        "How long transfers of about one size took, and their rate, by group"
    }

    fn details(&self) -> &'static str {
        "Of connections with --min-bytes to --max-bytes goodput in both directions: duration (first to last \
         packet of any subflow), and rate = goodput / duration. One box per group has the quartiles."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(min_bytes("connections", "2000000")).arg(max_bytes("connections", "80000000"))
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "analyze ./examples --out ./ds; study completions ./ds --by version --min-bytes 1000",
            purpose: "by version of MPTCP",
        }]
    }
}

impl Study for Completions {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("connections", &["duration_s"]), ("directions", &["mptcpstream", "goodput_bytes"])]
    }

    fn study(&self, arguments: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let (least, most) = (value(arguments, "min_bytes"), value(arguments, "max_bytes"));
        let sizes = population.sums("directions", "goodput_bytes")?;
        let (mut durations, mut rates) = (population.grouped(), population.grouped());
        population.each("connections", ["duration_s"], [], |member, [duration], []| {
            let size = sizes.get(member).copied().unwrap_or_default();
            if let Some(duration) = duration.filter(|duration| *duration > 0.0 && (least..=most).contains(&size)) {
                durations.push(member, duration);
                rates.push(member, size / duration);
            }
        })?;
        let (durations, rates) = (durations.values(), rates.values());
        let mut numbers = StudyNumbers::default();
        durations.iter().for_each(|group| numbers.distribution(group, "duration", Unit::Seconds));
        rates.iter().for_each(|group| numbers.distribution(group, "rate", Unit::BytesPerSecond));
        let figure = Figure::new("Transfers of one size")
            .with_panel(boxes(&durations, "", seconds("duration")))
            .with_panel(boxes(&rates, "", Axis::new("goodput / duration", Unit::BytesPerSecond)));
        Ok(Studied { figure, numbers })
    }
}
