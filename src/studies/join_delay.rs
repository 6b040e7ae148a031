//! Time from the first subflow to further ones (`delay_mpcapable_mpjoin`).

use clap::ArgMatches;

use super::axes::{seconds, share_of};
use super::numbers::StudyNumbers;
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::{Cumulative, cumulative};
use crate::drawing::figure::{Figure, Unit};
use crate::error::Result;

/// Time from the first subflow to further ones.
pub struct JoinDelay;

impl Described for JoinDelay {
    fn name(&self) -> &'static str {
        "join_delay"
    }

    fn summary(&self) -> &'static str {
        "Time from the first subflow to further ones"
    }

    fn details(&self) -> &'static str {
        "Join delay = time of the first packet of a subflow that MP_JOIN opened - time of the first packet of the \
         subflow with MP_CAPABLE: SYN to SYN. Only joins that were established count, and only connections whose \
         MP_CAPABLE was captured. One line has all joins, the other the earliest one of each connection. The \
         analysis scripts took times that their tool never wrote, and drew nothing below 10 ms."
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "analyze ./examples --out ./ds; study join_delay ./ds", purpose: "all connections" }]
    }
}

impl Study for JoinDelay {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("subflows", &["mptcpstream", "kind", "start_after_s", "established_after_s"])]
    }

    fn study(&self, _: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let mut initial: Vec<Option<f64>> = vec![None; population.len()];
        let mut found: Vec<(usize, f64)> = Vec::new();
        let mut unfinished = population.grouped();
        let columns = ["start_after_s", "established_after_s"];
        population.each("subflows", columns, ["kind"], |member, [start, established], [kind]| match (kind, start) {
            (Some("initial"), Some(start)) => {
                if let Some(place) = initial.get_mut(member) {
                    *place = Some(start);
                }
            }
            (Some("join"), Some(start)) => {
                unfinished.push(member, if established.is_some() { 0.0 } else { 1.0 });
                if established.is_some() {
                    found.push((member, start));
                }
            }
            _ => {}
        })?;
        let mut delays = population.grouped_by(&["all joins", "first join"]);
        let mut earliest: Vec<Option<f64>> = vec![None; population.len()];
        for (member, start) in found {
            let Some(Some(begun)) = initial.get(member) else { continue };
            let delay = start - begun;
            delays.push_in(member, 0, delay);
            if let Some(least) = earliest.get_mut(member) {
                *least = Some(least.map_or(delay, |least| least.min(delay)));
            }
        }
        for (member, delay) in earliest.into_iter().enumerate() {
            delay.into_iter().for_each(|delay| delays.push_in(member, 1, delay));
        }
        let delays = delays.values();
        let mut numbers = StudyNumbers::default();
        for group in unfinished.values() {
            let count = group.values.iter().filter(|failed| **failed > 0.0).count();
            numbers.share(&group.name, "joins that were not established", count, group.values.len());
        }
        for group in &delays {
            numbers.at_most(group, "join delay", &[(0.2, "0.2 s"), (1.0, "1 s"), (5.0, "5 s"), (15.0, "15 s")]);
            numbers.at_least(group, "join delay", &[(60.0, "60 s"), (3600.0, "1 hour")]);
            numbers.distribution(group, "join delay", Unit::Seconds);
        }
        let x = seconds("time since the SYN of the first subflow");
        let figure = Figure::new("Time from the first subflow to further ones").with_panel(cumulative(
            &delays,
            Cumulative::AtMost,
            x,
            share_of("subflows"),
        ));
        Ok(Studied { figure, numbers })
    }
}
