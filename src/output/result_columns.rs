//! The columns of results, which do not depend on the rows: their names, order and types stand in `result_columns.txt`.
//!
//! A capture without any case of something, or a result without rows, has the same columns as every other, so that files
//! of several captures join. The table for people leaves out what is not needed; CSV, Parquet and Arrow do not.

use polars::prelude::DataType;

use super::{Cell, Column, Table};

/// What each result is called, then a line a column: its name and the type that it has in Parquet and Arrow.
const DECLARED: &str = include_str!("result_columns.txt");

/// The column of a path's name, which stands behind that of its stream where paths have names.
const PATH: &str = "path";
const STREAM: &str = "tcpstream";

/// One declared column.
pub(super) type Declared = (&'static str, DataType);

/// The columns of the result of that name; nothing where none are declared.
pub(super) fn of(result: &str) -> Vec<Declared> {
    let mut lines = DECLARED
        .lines()
        .skip_while(|line| line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) != Some(result));
    lines.next();
    lines.take_while(|line| !line.starts_with('[')).filter_map(column).collect()
}

fn column(line: &'static str) -> Option<Declared> {
    let (name, kind) = line.split_once(' ')?;
    let kind = match kind {
        "Boolean" => DataType::Boolean,
        "Int64" => DataType::Int64,
        "UInt64" => DataType::UInt64,
        "Float64" => DataType::Float64,
        _ => DataType::String,
    };
    Some((name, kind))
}

/// The declared columns, with that of the paths' names where these are `named`.
pub(super) fn with_paths(mut declared: Vec<Declared>, named: bool) -> Vec<Declared> {
    let has = |name: &str| declared.iter().position(|(column, _)| *column == name);
    if let (true, Some(stream), None) = (named, has(STREAM), has(PATH)) {
        declared.insert(stream.saturating_add(1), (PATH, DataType::String));
    }
    declared
}

/// The table with all declared columns, in their order; what is not declared follows.
pub(super) fn conform(table: &Table, declared: &[Declared]) -> Table {
    let place = |name: &str| table.columns.iter().position(|column| column.name == name);
    let is_declared = |column: &Column| declared.iter().any(|(name, _)| *name == column.name);
    let first = declared.iter().map(|(name, _)| (place(name), *name));
    let other = table.columns.iter().enumerate().filter(|(_, column)| !is_declared(column));
    let places: Vec<(Option<usize>, &str)> =
        first.chain(other.map(|(place, column)| (Some(place), column.name.as_str()))).collect();
    let cell =
        |row: &Vec<Cell>, place: &Option<usize>| place.and_then(|place| row.get(place)).cloned().unwrap_or(Cell::Null);
    Table {
        columns: places.iter().map(|(_, name)| Column::from(*name)).collect(),
        rows: table.rows.iter().map(|row| places.iter().map(|(place, _)| cell(row, place)).collect()).collect(),
        ..Table::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_the_declared_columns_in_their_order() {
        let declared = [("a", DataType::Int64), ("b", DataType::Float64), ("c", DataType::String)];
        let mut table = Table::new(&["c", "other", "a"]);
        table.rows.push(vec![Cell::Text("x".into()), Cell::Boolean(true), Cell::Integer(1)]);
        let conformed = conform(&table, &declared);
        let names: Vec<&str> = conformed.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c", "other"]);
        assert_eq!(conformed.rows, [vec![Cell::Integer(1), Cell::Null, Cell::Text("x".into()), Cell::Boolean(true)]]);
        assert_eq!(conform(&Table::new(&[]), &declared).columns.len(), 3);
    }

    #[test]
    fn results_are_found_by_their_name() {
        assert_eq!(of("ooo --over-time").len(), 3);
        assert_eq!(of("addresses").first(), Some(&("packetid", DataType::Int64)));
        assert!(of("no such result").is_empty());
        let named = with_paths(of("addresses"), true);
        assert_eq!(named.iter().map(|(name, _)| *name).skip(2).take(2).collect::<Vec<_>>(), ["tcpstream", "path"]);
        // Those of both captures are their own.
        assert_eq!(with_paths(of("load_topo"), true), of("load_topo"));
    }

    #[test]
    fn every_line_is_a_name_or_a_column_of_a_known_type() {
        for line in DECLARED.lines().filter(|line| !line.is_empty() && !line.starts_with('[')) {
            let kind = line.split_once(' ').map(|(_, kind)| kind);
            assert!(matches!(kind, Some("Boolean" | "Int64" | "UInt64" | "Float64" | "String")), "{line}");
        }
    }
}
