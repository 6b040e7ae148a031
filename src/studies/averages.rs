//! Means and deviations by group (`bar_chart_count_connections`, `_bytes_s2d`, `_duration`, `_packs_retrans`, `_rtt_average_*`).

use clap::ArgMatches;

use super::numbers::StudyNumbers;
use super::numbers::float;
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::deviations;
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// What the panels show.
const WHAT: [(&str, Unit); 6] = [
    ("connections per capture", Unit::Count),
    ("duration", Unit::Seconds),
    ("goodput to server", Unit::Bytes),
    ("goodput to client", Unit::Bytes),
    ("retransmitted packets", Unit::Count),
    ("round trip time", Unit::Seconds),
];

/// Means and standard deviations of connections by group.
pub struct Averages;

impl Described for Averages {
    fn name(&self) -> &'static str {
        "averages"
    }

    fn summary(&self) -> &'static str {
        "Means and standard deviations of connections by group"
    }

    fn details(&self) -> &'static str {
        "One bar per group has the mean over its connections, the line the standard deviation (n - 1): duration, \
         goodput in each direction, packets with retransmitted data, mean round trip time (mean over the subflows \
         and directions of the connection of their means, data to ACK). The first panel counts connections per \
         capture, of captures that have any."
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "analyze ./examples --out ./ds; study averages ./ds --by version",
            purpose: "by version of MPTCP",
        }]
    }
}

impl Study for Averages {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[
            ("connections", &["duration_s"]),
            ("directions", &["mptcpstream", "towards", "goodput_bytes"]),
            ("subflow_directions", &["mptcpstream", "retransmitted_packets", "rtt_tcp_mean_s"]),
        ]
    }

    fn study(&self, _: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let mut found = WHAT.map(|_| population.grouped());
        let [per_capture, durations, up, down, retransmitted, rtts] = &mut found;
        for (member, count) in population.members_per_capture() {
            per_capture.push(member, float(count));
        }
        population.each("connections", ["duration_s"], [], |member, [duration], []| {
            duration.into_iter().for_each(|duration| durations.push(member, duration));
        })?;
        population.each("directions", ["goodput_bytes"], ["towards"], |member, [bytes], [towards]| {
            let of = if towards == Some("server") { &mut *up } else { &mut *down };
            of.push(member, bytes.unwrap_or_default());
        })?;
        let mut sums = vec![(0.0_f64, 0.0_f64, 0.0_f64); population.len()];
        population.each(
            "subflow_directions",
            ["retransmitted_packets", "rtt_tcp_mean_s"],
            [],
            |member, [again, rtt], []| {
                let Some(of) = sums.get_mut(member) else { return };
                of.0 += again.unwrap_or_default();
                if let Some(rtt) = rtt {
                    (of.1, of.2) = (of.1 + rtt, of.2 + 1.0);
                }
            },
        )?;
        for (member, (again, sum, count)) in sums.into_iter().enumerate() {
            retransmitted.push(member, again);
            if count > 0.0 {
                rtts.push(member, sum / count);
            }
        }
        let mut numbers = StudyNumbers::default();
        let mut figure = Figure::new("Means by group");
        for ((what, unit), groups) in WHAT.into_iter().zip(found) {
            let groups = groups.values();
            groups.iter().for_each(|group| numbers.distribution(group, what, unit));
            figure = figure.with_panel(deviations(&groups, "", Axis::new(what, unit)));
        }
        Ok(Studied { figure, numbers })
    }
}
