//! Handshakes that asked for MPTCP and their answers (`failed_conns`, and what adoption papers count).

use clap::ArgMatches;

use std::collections::{BTreeMap, BTreeSet};

use super::member::Member;
use super::numbers::StudyNumbers;
use super::numbers::float;
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::Values;
use crate::drawing::distributions::deviations::bars;
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// What the SYN asked for, as printed.
const KINDS: [&str; 2] = ["connections asked for", "joins asked for"];

/// Handshakes that asked for MPTCP, and what came of them.
pub struct Adoption;

impl Described for Adoption {
    fn name(&self) -> &'static str {
        "adoption"
    }

    fn summary(&self) -> &'static str {
        "Handshakes that asked for MPTCP, and what came of them"
    }

    fn details(&self) -> &'static str {
        "One SYN (with its repetitions) that has MP_CAPABLE or MP_JOIN is one attempt. Share = attempts with an \
         outcome / attempts of the same kind. Connections: granted (MPTCP), declined (plain TCP), blackholed \
         (answered only after the option was left out), refused (RST), unanswered, mirrored (the own key came \
         back), unknown. Joins: established, refused, option_missing, unanswered, unfinished. --by server_port \
         counts by port. What never asked is not counted: `traffic_share` has the share of MPTCP in all TCP."
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "analyze ./examples --out ./ds; study adoption ./ds", purpose: "all attempts" },
            Example {
                line: "analyze ./examples --out ./ds; study adoption ./ds --by version -o adoption.svg",
                purpose: "by version asked for",
            },
        ]
    }
}

impl Study for Adoption {
    fn subject(&self) -> Member {
        Member::Handshakes
    }

    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("handshakes", &["tcpstream", "asked", "outcome", "version", "answered_version", "syns", "syn_ack_after_s"])]
    }

    fn study(&self, _: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let mut outcomes: BTreeMap<(usize, &'static str), BTreeMap<String, usize>> = BTreeMap::new();
        let mut lower = population.grouped();
        let mut times = population.grouped();
        let mut again = population.grouped();
        let columns = ["version", "answered_version", "syns", "syn_ack_after_s"];
        population.each(
            "handshakes",
            columns,
            ["asked", "outcome"],
            |member, [asked_for, answered, syns, after], [asked, outcome]| {
                let kind = if asked == Some("capable") { KINDS[0] } else { KINDS[1] };
                let of = outcomes.entry((population.group(member), kind)).or_default();
                let count = of.entry(outcome.unwrap_or("unknown").to_string()).or_default();
                *count = count.saturating_add(1);
                if let (Some(asked_for), Some(answered)) = (asked_for, answered) {
                    lower.push(member, if answered < asked_for { 1.0 } else { 0.0 });
                }
                again.push(member, syns.unwrap_or(1.0));
                after.into_iter().for_each(|after| times.push(member, after));
            },
        )?;
        let mut numbers = StudyNumbers::default();
        let mut figure = Figure::new("What came of handshakes that asked for MPTCP");
        for kind in KINDS {
            let of_kind = || outcomes.iter().filter(|((_, other), _)| *other == kind);
            let names: BTreeSet<&String> = of_kind().flat_map(|(_, counts)| counts.keys()).collect();
            let mut heights = Vec::new();
            for (place, group) in population.groups().iter().enumerate() {
                let counts = of_kind().find(|((of, _), _)| *of == place).map(|(_, counts)| counts);
                let all: usize = counts.iter().flat_map(|counts| counts.values()).sum();
                numbers.count(group, kind, all);
                let mut shares = Vec::new();
                for name in &names {
                    let count = counts.and_then(|counts| counts.get(*name)).copied().unwrap_or_default();
                    numbers.share(group, &format!("{kind}: {name}"), count, all);
                    shares.push(if all > 0 { float(count) / float(all) } else { 0.0 });
                }
                heights.push(Values::new(group.as_str(), shares));
            }
            let names: Vec<String> = names.into_iter().cloned().collect();
            let y = Axis::new(format!("share of {kind}"), Unit::Share);
            figure = figure.with_panel(bars(&heights, &names, kind, y));
        }
        for group in lower.values() {
            let count = group.values.iter().filter(|lower| **lower > 0.0).count();
            numbers.share(&group.name, "answered with a lower version", count, group.values.len());
        }
        for group in &again.values() {
            numbers.at_least(group, "SYNs of an attempt", &[(2.0, "2")]);
        }
        times.values().iter().for_each(|group| numbers.distribution(group, "SYN to SYN/ACK", Unit::Seconds));
        Ok(Studied { figure, numbers })
    }
}
