//! Share of MPTCP in the TCP traffic (`count_packet`, and what adoption papers count).

use clap::ArgMatches;

use super::axes::share_of;
use super::member::Member;
use super::numbers::StudyNumbers;
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::{Cumulative, cumulative};
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// Share of MPTCP in the TCP packets of captures.
pub struct TrafficShare;

impl Described for TrafficShare {
    fn name(&self) -> &'static str {
        "traffic_share"
    }

    fn summary(&self) -> &'static str {
        "Share of MPTCP in the TCP packets of captures"
    }

    fn details(&self) -> &'static str {
        "Share of a capture = packets of MPTCP connections / TCP packets. Connections that fell back to TCP count \
         as MPTCP connections. The figure has the distribution over captures; the totals are sums over all \
         captures of a group."
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "analyze ./examples --out ./ds; study traffic_share ./ds", purpose: "all captures" }]
    }
}

impl Study for TrafficShare {
    fn subject(&self) -> Member {
        Member::Captures
    }

    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("captures", &["tcp_packets", "mptcp_packets", "tcp_streams", "mptcp_connections"])]
    }

    fn study(&self, _: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let columns = ["tcp_packets", "mptcp_packets", "tcp_streams", "mptcp_connections"];
        let mut shares = population.grouped();
        let mut sums = population.grouped_by(&columns);
        population.each("captures", columns, [], |member, row, []| {
            let [tcp, mptcp, _, _] = row.map(Option::unwrap_or_default);
            if tcp > 0.0 {
                shares.push(member, mptcp / tcp);
            }
            for (class, value) in row.into_iter().enumerate() {
                sums.push_in(member, class, value.unwrap_or_default());
            }
        })?;
        let shares = shares.values();
        let mut numbers = StudyNumbers::default();
        shares.iter().for_each(|group| numbers.distribution(group, "share of packets", Unit::Share));
        for (group, sums) in population.groups().iter().zip(sums.values().chunks(columns.len())) {
            let mut totals = [0.0; 4];
            for ((total, values), name) in totals.iter_mut().zip(sums).zip(columns) {
                *total = values.values.iter().sum();
                numbers.value(group, name, Some(*total), Unit::Count);
            }
            let [tcp, mptcp, ..] = totals;
            numbers.value(group, "mptcp_packets / tcp_packets", (tcp > 0.0).then(|| mptcp / tcp), Unit::Share);
        }
        let x = Axis::new("packets of MPTCP connections / TCP packets", Unit::Share).with_range(-0.02, 1.02);
        let figure = Figure::new("Share of MPTCP in TCP").with_panel(cumulative(
            &shares,
            Cumulative::AtMost,
            x,
            share_of("captures"),
        ));
        Ok(Studied { figure, numbers })
    }
}
