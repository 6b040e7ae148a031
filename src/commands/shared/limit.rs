//! `--limit`: tables of very many rows, cut to those that matter most.
//!
//! Only tables for people are cut. JSON and CSV have every record.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use clap::{Arg, ArgMatches, value_parser};

use crate::output::{Cell, Table};
use mptcp_trace::units::grouped;

/// Rows that a table has at most when nobody asked.
const USUAL: usize = 100;

/// Maximum number of rows in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// `None` for all there are.
    rows: Option<usize>,
    /// The option that shows all.
    all: &'static str,
}

/// `--limit COUNT`.
pub fn argument() -> Arg {
    Arg::new("limit")
        .long("limit")
        .value_name("COUNT")
        .value_parser(value_parser!(u32))
        .default_value(USUAL.to_string())
        .help("Show at most this many rows, the most important ones; 0 shows all. Only tables are limited")
}

impl Limit {
    /// The value of `--limit`.
    pub fn of(arguments: &ArgMatches) -> Self {
        let count = arguments.get_one::<u32>("limit").copied().filter(|count| *count > 0);
        Limit { rows: count.and_then(|count| usize::try_from(count).ok()), all: "--limit 0" }
    }

    /// The usual one of a command whose `--verbose` shows all.
    pub fn unless_verbose(verbose: bool) -> Self {
        Limit { rows: (!verbose).then_some(USUAL), all: "--verbose" }
    }

    /// Whether so many rows are more than a table may have.
    pub fn is_below(self, rows: usize) -> bool {
        self.rows.is_some_and(|limit| rows > limit)
    }

    /// The table with a row for each of `things`, or for the weightiest of them, as [`Limit::cut`] leaves: rows that nobody
    /// sees are not made.
    pub fn rows_of<T, K: Ord>(
        self,
        mut table: Table,
        things: &[T],
        others: &str,
        weight: impl Fn(&T) -> K,
        row: impl Fn(&T) -> Vec<Cell>,
    ) -> Table {
        let Some(limit) = self.rows.filter(|limit| things.len() > *limit) else {
            table.rows.extend(things.iter().map(row));
            return table;
        };
        let mut kept: Vec<(Reverse<K>, usize)> =
            things.iter().enumerate().map(|(index, thing)| (Reverse(weight(thing)), index)).collect();
        // Of equal ones the first stay.
        kept.select_nth_unstable(limit);
        kept.truncate(limit);
        kept.sort_unstable_by_key(|(_, index)| *index);
        table.rows.extend(kept.into_iter().filter_map(|(_, index)| things.get(index)).map(row));
        table.more = Some(self.left_out(things.len().saturating_sub(limit), others));
        table
    }

    /// The line that says how many rows are missing.
    fn left_out(self, missing: usize, others: &str) -> String {
        let count = grouped(u64::try_from(missing).unwrap_or(u64::MAX));
        format!("… {count} more rows {others}; {} shows all", self.all)
    }

    /// The table with its weightiest rows, the first ones of equal weight, in their order. Where rows are missing, a line
    /// says how many; `others` tells which, as in "with the least data".
    pub fn cut<K: Ord>(self, table: Table, others: &str, weight: impl Fn(usize, &[Cell]) -> K) -> Table {
        self.cut_groups(table, others, |_| Some(()), weight)
    }

    /// The same for each group of rows by itself; what belongs to none stays.
    pub fn cut_groups<G: Hash + Eq, K: Ord>(
        self,
        mut table: Table,
        others: &str,
        group: impl Fn(&[Cell]) -> Option<G>,
        weight: impl Fn(usize, &[Cell]) -> K,
    ) -> Table {
        let Some(limit) = self.rows.filter(|limit| table.rows.len() > *limit) else { return table };
        let mut groups = HashMap::<G, Vec<usize>>::new();
        for (index, row) in table.rows.iter().enumerate() {
            if let Some(group) = group(row) {
                groups.entry(group).or_default().push(index);
            }
        }
        let mut missing = HashSet::new();
        for mut rows in groups.into_values().filter(|rows| rows.len() > limit) {
            // Stable: of equal ones the first stay.
            rows.sort_by_cached_key(|index| Reverse(table.rows.get(*index).map(|row| weight(*index, row))));
            missing.extend(rows.into_iter().skip(limit));
        }
        if missing.is_empty() {
            return table;
        }
        let mut index = 0_usize..;
        table.rows.retain(|_| index.next().is_none_or(|index| !missing.contains(&index)));
        table.more = Some(self.left_out(missing.len(), others));
        table
    }
}

/// The number in the cell of that column; -1 where there is none.
pub fn amount(row: &[Cell], column: usize) -> i128 {
    match row.get(column) {
        Some(Cell::Integer(number)) => *number,
        Some(Cell::Bytes(bytes)) => (*bytes).into(),
        Some(Cell::Span(span)) => span.nanoseconds().into(),
        _ => -1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(i128, i128)]) -> Table {
        let mut table = Table::new(&["group", "bytes"]);
        table.rows.extend(rows.iter().map(|(group, bytes)| vec![Cell::Integer(*group), Cell::Integer(*bytes)]));
        table
    }

    fn limit(rows: usize) -> Limit {
        Limit { rows: Some(rows), all: "--limit 0" }
    }

    fn bytes(_: usize, row: &[Cell]) -> i128 {
        amount(row, 1)
    }

    #[test]
    fn the_weightiest_rows_stay_in_their_order() {
        let all = table(&[(0, 5), (0, 9), (0, 5), (0, 1), (0, 7)]);
        let cut = limit(3).cut(all.clone(), "with the fewest bytes", bytes);
        assert_eq!(cut.rows, table(&[(0, 5), (0, 9), (0, 7)]).rows);
        assert_eq!(cut.more.as_deref(), Some("… 2 more rows with the fewest bytes; --limit 0 shows all"));
        let values = [5, 9, 5, 1, 7];
        let row = |bytes: &i128| vec![Cell::Integer(0), Cell::Integer(*bytes)];
        for rows in [1, 2, 3, 4, 5, 6] {
            let made = limit(rows).rows_of(table(&[]), &values, "with the fewest bytes", |bytes| *bytes, row);
            assert_eq!(made, limit(rows).cut(all.clone(), "with the fewest bytes", bytes), "{rows}");
        }
        for wide in [limit(5), Limit::unless_verbose(true)] {
            assert_eq!(wide.cut(all.clone(), "with the fewest bytes", bytes), all);
        }
    }

    #[test]
    fn groups_are_cut_by_themselves() {
        let all = table(&[(0, 1), (1, 2), (1, 4), (1, 3), (2, 0), (-1, 0), (-1, 0), (-1, 0)]);
        let group = |row: &[Cell]| Some(amount(row, 0)).filter(|group| *group >= 0);
        let cut = limit(2).cut_groups(all, "with the fewest bytes", group, bytes);
        assert_eq!(cut.rows, table(&[(0, 1), (1, 4), (1, 3), (2, 0), (-1, 0), (-1, 0), (-1, 0)]).rows);
        assert_eq!(cut.more.as_deref(), Some("… 1 more rows with the fewest bytes; --limit 0 shows all"));
    }
}
