//! THE list of studies: help, completion, `list_studies` and the tests of examples all come from it.

use clap::ArgMatches;

use super::member::Member;
use super::numbers::StudyNumbers;
use super::population::Population;
use crate::described::{Described, Registry};
use crate::drawing::figure::Figure;
use crate::error::Result;

/// One study; its examples begin with `study`.
pub trait Study: Described {
    /// What it counts: the table whose columns `--where` and `--by` mean.
    fn subject(&self) -> Member {
        Member::Connections
    }

    /// The tables that it reads, each with the columns.
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])];

    /// Answers the question.
    ///
    /// # Errors
    /// One sentence that says what to do next.
    fn study(&self, arguments: &ArgMatches, population: &Population<'_>) -> Result<Studied>;
}

/// What a study found.
#[derive(Debug, Clone, PartialEq)]
pub struct Studied {
    /// The picture.
    pub figure: Figure,
    /// The numbers.
    pub numbers: StudyNumbers,
}

/// Every study, in the order in which they are listed. A new study is one line here.
pub static STUDIES: Registry<dyn Study> = Registry::new(&[
    &super::subflow_counts::SubflowCounts,
    &super::durations::Durations,
    &super::sizes::Sizes,
    &super::join_delay::JoinDelay,
    &super::rtt_differences::RttDifferences,
    &super::rtts::Rtts,
    &super::initial_share::InitialShare,
    &super::unused_subflows::UnusedSubflows,
    &super::overheads::Overheads,
    &super::overhead_boxes::OverheadBoxes,
    &super::switching::Switching,
    &super::burst_counts::BurstCounts,
    &super::burst_sizes::BurstSizes,
    &super::burst_positions::BurstPositions,
    &super::adoption::Adoption,
    &super::traffic_share::TrafficShare,
    &super::totals::Totals,
    &super::path_shares::PathShares,
    &super::path_bytes::PathBytes,
    &super::path_rtts::PathRtts,
    &super::duration_bytes::DurationBytes,
    &super::rtt_bytes::RttBytes,
    &super::completions::Completions,
    &super::averages::Averages,
    &super::ranks::Ranks,
    &super::class_counts::ClassCounts,
    &super::frequencies::Frequencies,
    &super::bytes_over_time::BytesOverTime,
    &super::handovers::Handovers,
    &super::repeat_positions::RepeatPositions,
    &super::resends::Resends,
    &super::ack_sizes::AckSizeShares,
]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::tables;

    #[test]
    fn names_are_unique_and_every_study_has_an_example_and_says_how_it_counts() {
        let mut seen = std::collections::HashSet::new();
        for name in STUDIES.names() {
            assert!(seen.insert(name), "{name} is registered twice");
        }
        for study in STUDIES.own() {
            assert!(!study.summary().is_empty() && !study.summary().ends_with('.'), "{}", study.name());
            assert!(!study.examples().is_empty() && !study.details().is_empty(), "{}", study.name());
        }
    }

    #[test]
    fn the_columns_that_studies_read_are_declared() {
        for study in STUDIES.own() {
            for (table, columns) in study.needs() {
                let table = tables::find(table).unwrap_or_else(|| panic!("{}: no table {table}", study.name()));
                let declared = table.columns();
                for column in *columns {
                    let there = declared.iter().any(|spec| spec.name == *column);
                    assert!(there, "{}: {} has no column {column}", study.name(), table.name);
                }
            }
        }
    }
}
