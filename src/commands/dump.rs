//! `dump`: rows of the packet table.

use clap::{Arg, ArgMatches};
use polars::prelude::DataFrame;

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::analysis::filter::Filter;
use crate::analysis::selection;
use crate::error::Result;
use crate::output::Report;
use mptcp_trace::units;

/// The columns that are shown when none is named: what happens on which stream, within 80 characters.
const USUAL: [&str; 8] = ["packetid", "reltime", "tcpstream", "tcpdest", "tcpseq", "tcpack", "tcplen", "subtype"];

/// Prints the packet table.
#[derive(Debug)]
pub struct Dump;

impl Described for Dump {
    fn name(&self) -> &'static str {
        "dump"
    }

    fn summary(&self) -> &'static str {
        "Print rows of the packet table"
    }

    fn details(&self) -> &'static str {
        "One row per TCP packet; `columns` lists the columns. By default: the packet's number, time, stream, \
         direction, sequence and acknowledgement numbers, length and MPTCP subtypes.\n\n\
         The first 20 rows are printed in every --format; -n 0 prints all. The number of omitted rows is shown below \
         the table; with other formats, on standard error.\n\n\
         --where keeps rows that match a condition: comparisons (== != < <= > >=) between columns and values, `COLUMN \
         in (1, 2)`, `COLUMN is null`, `COLUMN is not null`, `COLUMN contains VALUE` for lists and text, a boolean \
         column by itself, `COLUMN & 0x12` for bits, joined by and, or, not and parentheses. Wireshark's names of \
         fields (tcp.len) stand for columns; ip.addr and tcp.port are either end's, tcp.flags.syn and others are bits \
         of `tcpflags`. Values are whole numbers (12, \
         0x1f), seconds for times (0.25), text, true and false. Text needs quotes unless it is an address or one word. \
         Null never matches: neither a comparison nor its `not` keeps the row. Quote the condition: an unquoted `>` \
         writes to a file."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command
            .arg(
                Arg::new("column")
                    .value_name("COLUMN")
                    .num_args(0..)
                    .value_delimiter(',')
                    .help("Columns to print, in this order"),
            )
            .arg(
                Arg::new("rows")
                    .short('n')
                    .long("rows")
                    .value_name("N")
                    .value_parser(clap::value_parser!(u64))
                    .default_value("20")
                    .help("Print at most N rows; 0 prints all"),
            )
            .arg(condition_argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "dump -n 5", purpose: "the first five packets" },
            Example {
                line: "dump packetid tcpstream tcplen --where 'tcplen > 0 and tcpstream == 0'",
                purpose: "packets with data on one stream",
            },
            Example { line: "dump packetid sendkey --where 'sendkey is not null'", purpose: "packets with a key" },
            Example { line: "dump packetid reltime --where 'subtype contains 1' -n 0", purpose: "every MP_JOIN" },
        ]
    }
}

impl Command for Dump {
    fn category(&self) -> Category {
        Category::Packets
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let condition = condition(arguments)?;
        let capture = session.capture()?;
        let names: Vec<&String> = arguments.get_many("column").into_iter().flatten().collect();
        let limit = arguments.get_one::<u64>("rows").copied().unwrap_or(0);
        let asked = condition.iter().flat_map(Filter::columns);
        let mut wanted: Vec<&str> = names.iter().map(|name| name.as_str()).chain(asked).collect();
        if names.is_empty() {
            wanted.extend(USUAL);
        }
        let first = usize::try_from(limit).ok().filter(|first| *first > 0 && condition.is_none());
        let (table, all) = match first {
            // What is not printed need not be made.
            Some(first) if wanted.iter().all(|name| capture.has_column(name)) => {
                let parts = capture.parts(|name| wanted.contains(&name))?;
                (parts.of(0..first.min(parts.height()))?, Some(parts.height()))
            }
            _ => (capture.columns_of(&wanted)?, None),
        };
        let shown = if names.is_empty() { usual(&table)? } else { selection::columns(&table, &names)? };
        let rows = match condition {
            // The condition may name other columns than are printed.
            Some(condition) => filtered(&shown, &condition.mask(&table)?)?,
            None => shown,
        };
        let all = all.unwrap_or(rows.height());
        Ok(Outcome::Report(report(rows, all, limit)?))
    }
}

/// The argument `--where`.
pub(super) fn condition_argument() -> Arg {
    Arg::new("where").long("where").value_name("EXPR").help("Keep packets that match EXPR, in quotes: 'tcplen > 0'")
}

/// The condition of `--where`, if given.
pub(super) fn condition(arguments: &ArgMatches) -> Result<Option<Filter>> {
    arguments.get_one::<String>("where").map(|text| Filter::parse(text)).transpose()
}

/// The usual columns that the table has.
fn usual(table: &DataFrame) -> Result<DataFrame> {
    let there: Vec<&str> = USUAL.into_iter().filter(|name| table.column(name).is_ok()).collect();
    selection::columns(table, &there)
}

fn filtered(table: &DataFrame, mask: &polars::prelude::BooleanChunked) -> Result<DataFrame> {
    table.filter(mask).map_err(|source| crate::error::Error::Table { action: "filter the packet table", source })
}

/// The first of the rows, of which there are so many in `all`.
fn report(rows: DataFrame, all: usize, limit: u64) -> Result<Report> {
    let shown = match usize::try_from(limit) {
        Ok(limit) if limit > 0 && limit < all => rows.head(Some(limit)),
        _ => rows,
    };
    let left = u64::try_from(all.saturating_sub(shown.height())).unwrap_or(u64::MAX);
    let left_out = (left > 0).then(|| format!("… {} more; -n 0 for all", units::grouped(left)));
    Ok(Report::of_frame(shown)?.with_left_out(left_out))
}

#[cfg(test)]
mod tests {
    use polars::prelude::Column;

    use super::*;

    fn table() -> DataFrame {
        let ids: Vec<u64> = (1..=1500).collect();
        DataFrame::new(1500, vec![Column::new("packetid".into(), &ids), Column::new("other".into(), &ids)]).unwrap()
    }

    #[test]
    fn what_is_left_out_is_said() {
        let report = |limit| report(table(), table().height(), limit).unwrap();
        assert_eq!(report(20).left_out.as_deref(), Some("… 1,480 more; -n 0 for all"));
        assert_eq!(report(20).frame.unwrap().height(), 20);
        for limit in [0, 1500, u64::MAX] {
            assert_eq!(report(limit).left_out, None);
            assert_eq!(report(limit).frame.unwrap().height(), 1500);
        }
    }

    #[test]
    fn usual_columns_are_those_that_are_there() {
        assert_eq!(usual(&table()).unwrap().get_column_names(), ["packetid"]);
    }

    #[test]
    fn usual_columns_exist() {
        for name in USUAL {
            assert!(crate::packets::schema::find(name).is_some(), "{name}");
        }
    }
}
