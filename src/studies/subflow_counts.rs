//! Connections by their number of subflows (`subflows_stats`, `cdf_number_subflows` of the analysis scripts).

use clap::ArgMatches;

use super::numbers::{StudyNumbers, float};
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::Values;
use crate::drawing::distributions::deviations::bars;
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// Connections with more are in one class.
const LAST: usize = 10;

/// Share of connections with 1, 2, 3, … subflows.
pub struct SubflowCounts;

impl Described for SubflowCounts {
    fn name(&self) -> &'static str {
        "subflow_counts"
    }

    fn summary(&self) -> &'static str {
        "Share of connections with 1, 2, 3 and more subflows"
    }

    fn details(&self) -> &'static str {
        "Share of connections with n subflows = connections with n subflows / connections; the shares add up to 1. The \
         upper panel counts all subflows, including those that were refused. The lower one counts used ones: those \
         with goodput in either direction. The share with at least two used subflows is never more than that with at \
         least two."
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "analyze ./examples --out ./ds; study subflow_counts ./ds", purpose: "all connections" },
            Example {
                line: "analyze ./examples --out ./ds; study subflow_counts ./ds --by version -o subflows.svg",
                purpose: "by version of MPTCP",
            },
        ]
    }
}

impl Study for SubflowCounts {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("connections", &["subflows", "subflows_used"])]
    }

    fn study(&self, _: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let mut all = population.grouped();
        let mut used = population.grouped();
        population.each("connections", ["subflows", "subflows_used"], [], |member, [subflows, carrying], []| {
            all.push(member, subflows.unwrap_or_default());
            used.push(member, carrying.unwrap_or_default());
        })?;
        let mut numbers = StudyNumbers::default();
        let mut figure = Figure::new("Connections by number of subflows");
        for (groups, least, what) in [(all.values(), 1, "subflows"), (used.values(), 0, "used subflows")] {
            let names: Vec<String> = (least..=LAST).map(|n| n.to_string()).chain([format!("> {LAST}")]).collect();
            let shares: Vec<Values> = groups.iter().map(|group| shares(group, least, what, &mut numbers)).collect();
            let y = Axis::new("share of connections", Unit::Share);
            figure = figure.with_panel(bars(&shares, &names, what, y));
        }
        Ok(Studied { figure, numbers })
    }
}

/// The share of each number, from the least one on.
fn shares(group: &Values, least: usize, what: &str, numbers: &mut StudyNumbers) -> Values {
    let (sorted, name) = (group.sorted(), group.name.as_str());
    let all = sorted.len();
    numbers.count(name, "connections", all);
    let mut heights = Vec::new();
    for number in least..=LAST.saturating_add(1) {
        let wanted = float(number);
        let from = sorted.partition_point(|value| *value < wanted);
        let to = if number > LAST { all } else { sorted.partition_point(|value| *value <= wanted) };
        let count = to.saturating_sub(from);
        heights.push(if all > 0 { float(count) / float(all) } else { f64::NAN });
        match number {
            number if number > LAST => numbers.share(name, &format!("{what}: more than {LAST}"), count, all),
            _ => numbers.share(name, &format!("{what}: {number}"), count, all),
        }
    }
    let several = all.saturating_sub(sorted.partition_point(|value| *value < 2.0));
    numbers.share(name, &format!("{what}: at least 2"), several, all);
    numbers.value(name, &format!("{what}: most"), sorted.last().copied(), Unit::Count);
    heights.retain(|height| height.is_finite());
    Values::new(name, heights)
}
