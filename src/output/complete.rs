//! CSV with every field that JSON has.
//!
//! A command names the columns that people like to read first ([`Rows::columns`]); their cells are the fields of its
//! JSON. Where a column is no field, the command makes these rows itself. What the JSON has beyond them follows in further
//! columns, by these rules:
//!
//! - A row stands for an item of the innermost list that a report is about ([`Rows::levels`]), or for a record.
//! - A field of the item itself keeps its key. One of an object around it is repeated in each row, with the name of that
//!   object before it: `direction_rate`.
//! - A field of an object has both keys: `setup_handshake_rtt`.
//! - Any other list is one cell, its items separated by `;`. A list of objects has a column for each of their keys:
//!   `reinjections_from`. Lists within its items are separated by blanks.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{Cell, Table};
use mptcp_trace::interrupt::interruptible;

/// Which parts of a report's JSON are the rows of its CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rows {
    /// The first columns, which are fields of the row or of an object around it, named as below.
    pub columns: &'static [&'static str],
    /// Those of them that are time spans, which have nine digits after the point.
    pub seconds: &'static [&'static str],
    /// What a record is called before its fields in rows of something within it; nothing: they keep their keys.
    pub record: &'static str,
    /// Lists within each other that lead from a record to the items that are rows: key, and name of an item, as above.
    /// Of several lists one after the other the keys are separated by `|`.
    pub levels: &'static [(&'static str, &'static str)],
    /// Columns of the records that are not a field of the JSON, though something around the rows may have that key.
    pub derived: &'static [&'static str],
    /// Keys of the objects in other lists, by the way to the list (`setup.joins`): these columns are there also where the
    /// list is empty.
    pub lists: &'static [(&'static str, &'static [&'static str])],
}

impl Rows {
    /// A row a record, whose lists are none of objects.
    pub const FLAT: Rows = Rows { columns: &[], seconds: &[], record: "", levels: &[], derived: &[], lists: &[] };
}

/// An object with its place: names and objects from a record down to it.
type Around<'a> = Vec<&'a Map<String, Value>>;

/// The rows of `data`, or `records` where the command made them, with what `data` has beyond them. Where `data` has
/// another number of rows they stay as they are.
pub(super) fn complete(records: Option<&Table>, data: &Value, rows: &Rows) -> Table {
    let mut found = Vec::new();
    let mut above = Vec::new();
    for record in data.as_array().map_or(std::slice::from_ref(data), Vec::as_slice) {
        gather(record, rows.levels, &mut Vec::new(), &mut found, &mut above);
    }
    let mut table = records.cloned().unwrap_or_else(|| first_columns(&found, rows));
    if found.len() != table.rows.len() {
        return table;
    }
    let names: HashSet<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let width = table.columns.len();
    let mut added = Added::default();
    for (index, around) in found.iter().enumerate() {
        for (name, cell) in fields(around, &names, rows) {
            added.set(index, name, cell);
        }
    }
    // Objects without rows still have columns.
    for around in above.iter().filter(|_| found.is_empty()) {
        for (name, _) in fields(around, &names, rows) {
            added.column(name);
        }
    }
    table.columns.extend(added.names.iter().map(|name| super::Column::from(name.as_str())));
    for (index, row) in table.rows.iter_mut().enumerate() {
        row.resize(width, Cell::Null);
        let mut cells = added.cells.remove(&index).unwrap_or_default();
        row.extend((0..added.names.len()).map(|column| cells.remove(&column).unwrap_or(Cell::Null)));
    }
    table
}

/// Rows of the fields of these names, one for each record.
pub(super) fn listed(records: &Value, names: &[&str]) -> Vec<Vec<Cell>> {
    let row = |record: &Value| {
        let around: Around<'_> = record.as_object().into_iter().collect();
        names.iter().map(|name| field(&around, name)).collect()
    };
    records.as_array().map_or(std::slice::from_ref(records), Vec::as_slice).iter().map(row).collect()
}

/// A row of [`Rows::columns`] for each of `found`.
fn first_columns(found: &[Around<'_>], rows: &Rows) -> Table {
    let mut table = Table::new(rows.columns);
    for around in interruptible(found) {
        let cell = |name: &&str| match (field(around, name), rows.seconds.contains(name)) {
            (Cell::Number(seconds), true) => Cell::seconds(seconds),
            (cell, _) => cell,
        };
        table.rows.push(rows.columns.iter().map(cell).collect());
    }
    table
}

/// What the row, or the nearest object around it, has under that name.
fn field(around: &Around<'_>, name: &str) -> Cell {
    let mut found = Vec::new();
    for object in around.iter().rev() {
        if let Some(value) = object.get(name) {
            expand(name.to_string(), value, "", &Rows::FLAT, &mut found);
        } else {
            // A field of an object, or a list of such fields.
            let within = |key: &str| name.strip_prefix(key).is_some_and(|rest| rest.starts_with('_'));
            for (key, value) in object.iter().filter(|(key, _)| within(key)) {
                expand(key.clone(), value, "", &Rows::FLAT, &mut found);
            }
        }
        if let Some(place) = found.iter().position(|(full, _)| full == name) {
            return found.swap_remove(place).1;
        }
    }
    Cell::Null
}

/// The objects on the way to each row, and to each object above that has no rows.
fn gather<'a>(
    value: &'a Value,
    levels: &[(&str, &str)],
    around: &mut Around<'a>,
    rows: &mut Vec<Around<'a>>,
    above: &mut Vec<Around<'a>>,
) {
    let Value::Object(object) = value else { return };
    around.push(object);
    match levels.split_first() {
        None => rows.push(around.clone()),
        Some(((key, _), inner)) => {
            above.push(around.clone());
            let lists = key.split('|').filter_map(|key| object.get(key)?.as_array());
            for item in lists.flatten() {
                gather(item, inner, around, rows, above);
            }
        }
    }
    around.pop();
}

/// What a row has beyond the columns called `names`.
fn fields(around: &Around<'_>, names: &HashSet<String>, rows: &Rows) -> Vec<(String, Cell)> {
    let mut found = Vec::new();
    for (depth, object) in around.iter().enumerate() {
        let name = match depth.checked_sub(1) {
            None => rows.record,
            Some(level) => rows.levels.get(level).map_or("", |(_, name)| *name),
        };
        // Without levels a record is the row itself.
        let name = if rows.levels.is_empty() { "" } else { name };
        let descended =
            |key: &str| rows.levels.get(depth).is_some_and(|(keys, _)| keys.split('|').any(|one| one == key));
        let way: Vec<&str> = rows.levels.iter().take(depth).map(|(key, _)| *key).collect();
        for (key, value) in object.iter().filter(|(key, _)| !descended(key)) {
            let elsewhere = around.iter().enumerate().any(|(other, object)| other != depth && object.contains_key(key));
            let way = way.iter().copied().chain([key.as_str()]).collect::<Vec<_>>().join(".");
            let declared = rows.lists.iter().any(|(list, _)| *list == way);
            let has_keys = matches!(value, Value::Object(_)) || declared || is_list_of_objects(value);
            let told = names.contains(key) && !rows.derived.contains(&key.as_str());
            if told && !has_keys && (name.is_empty() || !elsewhere) {
                continue;
            }
            let full = if name.is_empty() { key.clone() } else { format!("{name}_{key}") };
            expand(full, value, &way, rows, &mut found);
        }
    }
    found.retain(|(name, _)| !names.contains(name));
    found
}

fn is_list_of_objects(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().any(Value::is_object))
}

/// The columns that a value is.
fn expand(name: String, value: &Value, way: &str, rows: &Rows, found: &mut Vec<(String, Cell)>) {
    let declared = rows.lists.iter().find(|(list, _)| *list == way).map(|(_, keys)| *keys);
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                expand(format!("{name}_{key}"), value, &format!("{way}.{key}"), rows, found);
            }
        }
        Value::Array(items) if declared.is_some() || is_list_of_objects(value) => {
            let mut keys: Vec<&str> = declared.unwrap_or_default().to_vec();
            for key in items.iter().filter_map(Value::as_object).flat_map(Map::keys) {
                if !keys.contains(&key.as_str()) {
                    keys.push(key);
                }
            }
            for key in keys {
                let values = items.iter().map(|item| item.get(key).map_or_else(String::new, text));
                let values: Vec<String> = values.collect();
                found.push((format!("{name}_{key}"), Cell::Text(values.join(";"))));
            }
        }
        Value::Array(items) => {
            found.push((name, Cell::Text(items.iter().map(text).collect::<Vec<_>>().join(";"))));
        }
        Value::Null => found.push((name, Cell::Null)),
        Value::Bool(truth) => found.push((name, Cell::Boolean(*truth))),
        Value::String(text) => found.push((name, Cell::Text(text.clone()))),
        Value::Number(number) => found.push((name, number_cell(number))),
    }
}

fn number_cell(number: &serde_json::Number) -> Cell {
    match (number.as_i128(), number.as_f64()) {
        (Some(whole), _) => Cell::Integer(whole),
        (None, Some(number)) => Cell::Number(number),
        (None, None) => Cell::Text(number.to_string()),
    }
}

/// An item of a list.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// Columns in the order in which they were found, and their cells by row.
#[derive(Default)]
struct Added {
    names: Vec<String>,
    places: HashMap<String, usize>,
    cells: HashMap<usize, HashMap<usize, Cell>>,
}

impl Added {
    fn column(&mut self, name: String) -> usize {
        if let Some(place) = self.places.get(&name) {
            return *place;
        }
        let place = self.names.len();
        self.places.insert(name.clone(), place);
        self.names.push(name);
        place
    }

    fn set(&mut self, row: usize, name: String, cell: Cell) {
        let place = self.column(name);
        self.cells.entry(row).or_default().insert(place, cell);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(table: &Table) -> (Vec<&str>, Vec<Vec<String>>) {
        let cell = |cell: &Cell| match cell {
            Cell::Null => "-".to_string(),
            Cell::Text(text) => text.clone(),
            Cell::Integer(number) => number.to_string(),
            Cell::Number(number) => number.to_string(),
            Cell::Boolean(truth) => truth.to_string(),
            other => format!("{other:?}"),
        };
        let rows = table.rows.iter().map(|row| row.iter().map(cell).collect());
        (table.columns.iter().map(|column| column.name.as_str()).collect(), rows.collect())
    }

    fn records(columns: &[&str], rows: &[&[i128]]) -> Table {
        let mut table = Table::new(columns);
        table.rows = rows.iter().map(|row| row.iter().map(|number| Cell::Integer(*number)).collect()).collect();
        table
    }

    #[test]
    fn what_stands_around_a_row_is_repeated_under_its_name() {
        let data = json!({
            "stream": 3,
            "setup": {"rtt": 0.5, "joins": []},
            "directions": [
                {"towards": 1, "bytes": 70, "rate": null, "subflows": [{"id": 7, "bytes": 30}, {"id": 8, "bytes": 40}]},
                {"towards": 2, "bytes": 0, "rate": 2.5, "subflows": []},
            ],
        });
        let rows = Rows {
            record: "",
            levels: &[("directions", "direction"), ("subflows", "")],
            lists: &[("setup.joins", &["id", "after"])],
            ..Rows::FLAT
        };
        let table = records(&["stream", "towards", "id", "bytes"], &[&[3, 1, 7, 30], &[3, 1, 8, 40]]);
        let completed = complete(Some(&table), &data, &rows);
        let names = [
            "stream",
            "towards",
            "id",
            "bytes",
            "setup_rtt",
            "setup_joins_id",
            "setup_joins_after",
            "direction_bytes",
            "direction_rate",
        ];
        let cells = vec![
            ["3", "1", "7", "30", "0.5", "", "", "70", "-"].map(str::to_string).to_vec(),
            ["3", "1", "8", "40", "0.5", "", "", "70", "-"].map(str::to_string).to_vec(),
        ];
        assert_eq!(shown(&completed), (names.to_vec(), cells));
    }

    #[test]
    fn the_first_columns_are_fields_of_the_row_or_of_what_is_around_it() {
        let data = json!({"stream": 3, "span": 9.0, "directions": [
            {"towards": "server", "span": 0.25, "of": [{"id": 1}, {"id": 2}], "rtt": {"min": 5}, "more": true},
            {"towards": "client", "span": null, "of": [], "rtt": {"min": null}, "more": false},
        ]});
        let rows = Rows {
            columns: &["stream", "towards", "of_id", "span", "rtt_min"],
            seconds: &["span"],
            record: "whole",
            levels: &[("directions", "")],
            lists: &[("directions.of", &["id"])],
            ..Rows::FLAT
        };
        let cells = [
            ["3", "server", "1;2", "Span(Span(250000000))", "5", "9", "true"],
            ["3", "client", "-", "-", "-", "9", "false"],
        ];
        assert_eq!(
            shown(&complete(None, &data, &rows)),
            (
                vec!["stream", "towards", "of_id", "span", "rtt_min", "whole_span", "more"],
                cells.map(|row| row.map(str::to_string).to_vec()).to_vec()
            )
        );
    }

    #[test]
    fn lists_are_cells() {
        let data = json!([
            {"id": 1, "names": ["a", "b"], "of": [{"p": 4, "q": null}, {"p": 5, "q": [1, 2]}], "more": true},
            {"id": 2, "names": [], "of": []},
        ]);
        let table = records(&["id"], &[&[1], &[2]]);
        let rows = Rows { lists: &[("of", &["p", "q"])], ..Rows::FLAT };
        let completed = complete(Some(&table), &data, &rows);
        let cells = [["1", "a;b", "4;5", ";1 2", "true"], ["2", "", "", "", "-"]];
        assert_eq!(
            shown(&completed),
            (vec!["id", "names", "of_p", "of_q", "more"], cells.map(|row| row.map(str::to_string).to_vec()).to_vec())
        );
    }

    #[test]
    fn several_lists_may_be_rows_one_after_the_other() {
        let data = json!({"all": 9, "a": [{"id": 1}], "b": [{"id": 2, "sum": 4}], "sum": 8});
        let rows = Rows { record: "whole", levels: &[("a|b", "")], derived: &["sum"], ..Rows::FLAT };
        let completed = complete(Some(&records(&["id", "sum"], &[&[1, 5], &[2, 6]])), &data, &rows);
        let cells = [["1", "5", "9", "8"], ["2", "6", "9", "8"]];
        assert_eq!(
            shown(&completed),
            (vec!["id", "sum", "whole_all", "whole_sum"], cells.map(|row| row.map(str::to_string).to_vec()).to_vec())
        );
    }

    #[test]
    fn rows_that_do_not_correspond_stay_as_they_are() {
        let table = records(&["id"], &[&[1], &[2]]);
        assert_eq!(complete(Some(&table), &json!([{"id": 1, "more": 2}]), &Rows::FLAT), table);
        // Without rows there are still the columns of what is around them.
        let rows = Rows { levels: &[("items", "")], ..Rows::FLAT };
        let completed = complete(Some(&records(&["id"], &[])), &json!({"all": 5, "items": []}), &rows);
        assert_eq!(shown(&completed), (vec!["id", "all"], Vec::new()));
    }
}
