//! docs/attributes.md names columns and commands that there are.

use std::path::Path;

use mptcpanalyzer::commands::registry::COMMANDS;
use mptcpanalyzer::dataset::tables::find;

/// The words of a cell that are code.
fn code(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn every_column_and_command_of_the_attributes_is_there() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/attributes.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| attribute"));
    let (mut columns, mut commands, mut missing) = (0, 0, 0);
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        assert!(cells.len() >= 3, "{row}");
        if row.starts_with("| **") {
            continue;
        }
        // The second cell has columns alone; elsewhere they are known by their dot.
        let elsewhere = cells.iter().enumerate().filter(|(place, _)| *place != 1);
        let elsewhere = elsewhere.flat_map(|(_, cell)| code(cell)).filter(|name| name.contains('.'));
        for name in code(cells[1]).chain(elsewhere) {
            let (table, column) = name.split_once('.').unwrap_or_else(|| panic!("{name}: {row}"));
            let table = find(table).unwrap_or_else(|| panic!("unknown table {table}: {row}"));
            assert!(table.columns().iter().any(|spec| spec.name == column), "unknown column {name}: {row}");
            columns += 1;
        }
        let named: Vec<&str> = code(cells[2]).collect();
        for name in &named {
            assert!(COMMANDS.find(name).is_some(), "unknown command {name}: {row}");
            commands += 1;
        }
        // Where it is not, a reason is.
        if cells[1].trim() == "no" {
            assert!(cells.last().unwrap().trim().len() > 10 && named.is_empty(), "{row}");
            missing += 1;
        } else {
            assert!(!named.is_empty() && code(cells[1]).next().is_some(), "{row}");
        }
    }
    assert!(
        columns > 100 && commands > 50 && missing > 3,
        "{columns} columns, {commands} commands, {missing} not there"
    );
}
