//! How late data is sent on another subflow (`retrans_dss`).

use clap::ArgMatches;

use std::collections::HashMap;

use super::axes::{seconds, share_of};
use super::numbers::StudyNumbers;
use super::options::{DIRECTIONS, direction};
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::{Cumulative, cumulative};
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// How long after its first sending data is sent on another subflow.
pub struct Resends;

impl Described for Resends {
    fn name(&self) -> &'static str {
        "resends"
    }

    fn summary(&self) -> &'static str {
        "How long after its first sending data is sent on another subflow"
    }

    fn details(&self) -> &'static str {
        "Of each packet with data that another subflow had carried before (`list_reinjections`): its age, the \
         time since the first of that data was seen first; and age / mean round trip time of the data level in \
         the same direction, where that has at least two samples. Seen from the receiver, a row is the late copy. \
         The analysis scripts also had the delay since the last sending and since the last activity, and data \
         sent again on the same subflow: the dataset does not tell these."
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "analyze ./examples --out ./ds --tables all; study resends ./ds",
            purpose: "all connections",
        }]
    }
}

impl Study for Resends {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[
            ("connections", &["subflows_used"]),
            ("directions", &["mptcpstream", "towards", "rtt_data_samples", "rtt_data_mean_s"]),
            ("reinjections", &["mptcpstream", "towards", "age_s", "length", "needed"]),
        ]
    }

    fn study(&self, _: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let mut means: HashMap<(usize, usize), f64> = HashMap::new();
        let columns = ["rtt_data_samples", "rtt_data_mean_s"];
        population.each("directions", columns, ["towards"], |member, [samples, mean], [towards]| {
            if let (Some(place), Some(mean), true) = (direction(towards), mean, samples.unwrap_or_default() >= 2.0) {
                means.insert((member, place), mean);
            }
        })?;
        let (mut ages, mut shares) = (population.grouped_by(&DIRECTIONS), population.grouped_by(&DIRECTIONS));
        let mut needs = population.grouped();
        population.each("reinjections", ["age_s", "needed"], ["towards"], |member, [age, needed], [towards]| {
            let (Some(age), Some(place)) = (age, direction(towards)) else { return };
            ages.push_in(member, place, age);
            if let Some(mean) = means.get(&(member, place)).filter(|mean| **mean > 0.0) {
                shares.push_in(member, place, age / mean);
            }
            needed.into_iter().for_each(|needed| needs.push(member, needed));
        })?;
        let (ages, shares) = (ages.values(), shares.values());
        let mut numbers = StudyNumbers::default();
        ages.iter().for_each(|group| numbers.distribution(group, "age", Unit::Seconds));
        shares.iter().for_each(|group| numbers.distribution(group, "age / round trip time", Unit::Plain));
        for group in needs.values() {
            let count = group.values.iter().filter(|needed| **needed > 0.0).count();
            numbers.share(&group.name, "needed, where that is known", count, group.values.len());
        }
        let x = Axis::new("age / mean round trip time of the data", Unit::Plain).logarithmic();
        let figure = Figure::new("Data sent on another subflow")
            .with_panel(cumulative(&ages, Cumulative::AtMost, seconds("age"), share_of("reinjections")))
            .with_panel(cumulative(&shares, Cumulative::AtMost, x, share_of("reinjections")));
        Ok(Studied { figure, numbers })
    }
}
