//! Data sent again, against the data (`overhead_retrans_reinj`, `cdf_overhead_retrans_reinj*`).

use clap::ArgMatches;

use super::axes::share_of;
use super::numbers::StudyNumbers;
use super::options::{DIRECTIONS, direction, min_subflows, towards, value, wants};
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::{Cumulative, cumulative};
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// Data sent again by TCP and on other subflows, as shares of the data.
pub struct Overheads;

impl Described for Overheads {
    fn name(&self) -> &'static str {
        "overheads"
    }

    fn summary(&self) -> &'static str {
        "Data sent again by TCP and on other subflows, as shares of the data"
    }

    fn details(&self) -> &'static str {
        "Retransmitted = bytes that TCP sent again on the same subflow / goodput; reinjected = bytes that another \
         subflow had carried before / goodput. One panel per direction. A share of 0 has no place on the \
         logarithmic axis, but counts: the lines begin at the share of zeros. Directions count with goodput, of \
         connections with at least --min-subflows used subflows. A capture at the receiver has no packet that was \
         lost on the way: --where \"capture_point = 'client'\" and --towards choose what was recorded at the \
         sender."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(min_subflows("used subflows", "2")).arg(towards())
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "analyze ./examples --out ./ds; study overheads ./ds --min-subflows 1",
            purpose: "all connections with data",
        }]
    }
}

impl Study for Overheads {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[
            ("connections", &["subflows_used"]),
            ("directions", &["mptcpstream", "towards", "goodput_bytes", "retransmitted_bytes", "reinjected_bytes"]),
        ]
    }

    fn study(&self, arguments: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let least = value(arguments, "min_subflows");
        let used = population.sums("connections", "subflows_used")?;
        let classes = ["retransmitted", "reinjected"];
        let mut shares = DIRECTIONS.map(|_| population.grouped_by(&classes));
        let mut sums = DIRECTIONS.map(|_| population.grouped_by(&["retransmitted", "reinjected", "goodput"]));
        let columns = ["goodput_bytes", "retransmitted_bytes", "reinjected_bytes"];
        population.each(
            "directions",
            columns,
            ["towards"],
            |member, [bytes, retransmitted, reinjected], [towards]| {
                let (Some(bytes), Some(place)) = (bytes.filter(|bytes| *bytes > 0.0), direction(towards)) else {
                    return;
                };
                if !wants(arguments, towards) || used.get(member).is_none_or(|used| *used < least) {
                    return;
                }
                let again = [retransmitted.unwrap_or_default(), reinjected.unwrap_or_default()];
                for (class, extra) in again.into_iter().enumerate() {
                    shares.get_mut(place).into_iter().for_each(|shares| shares.push_in(member, class, extra / bytes));
                }
                for (class, sum) in again.into_iter().chain([bytes]).enumerate() {
                    sums.get_mut(place).into_iter().for_each(|sums| sums.push_in(member, class, sum));
                }
            },
        )?;
        let mut numbers = StudyNumbers::default();
        let mut figure = Figure::new("Data sent again");
        for ((name, shares), sums) in DIRECTIONS.into_iter().zip(shares).zip(sums) {
            let shares = shares.values();
            for group in &shares {
                let what = format!("{name}: share");
                numbers.at_most(group, &what, &[(0.0, "0 %"), (0.01, "1 %"), (0.1, "10 %")]);
                numbers.distribution(group, &what, Unit::Share);
            }
            for group in sums.values() {
                let total = Some(group.values.iter().sum());
                numbers.value(&group.name, &format!("{name}: total bytes"), total, Unit::Bytes);
            }
            let x = Axis::new("bytes sent again / goodput", Unit::Share).logarithmic();
            figure =
                figure.with_panel(cumulative(&shares, Cumulative::AtMost, x, share_of("connections")).titled(name));
        }
        Ok(Studied { figure, numbers })
    }
}
