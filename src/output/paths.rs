//! Names of paths, such as `Wi-Fi`, beside the numbers of TCP streams: in every table and record that has them.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::{Cell, Column, Data, Report, Table};

/// Names of paths by `tcpstream`.
pub type Paths = HashMap<u64, String>;

/// The column and the key of a stream's number.
const STREAM: &str = "tcpstream";
/// The column and the key of its path's name.
const PATH: &str = "path";
/// A record with one of these has its own names.
const NAMED: [&str; 3] = [PATH, "path_client", "path_server"];

impl Report {
    /// The same report with the names of the paths of its streams. For people, nothing is added where none has one.
    #[must_use]
    pub fn with_paths(mut self, paths: Paths) -> Self {
        self.has_paths = true;
        if paths.is_empty() {
            return self;
        }
        self.tables.iter_mut().chain(&mut self.records).for_each(|table| name_rows(table, &paths));
        let (plain, paths) = (self.data, Arc::new(paths));
        self.data = Data::made(move || {
            let mut value = plain.value()?;
            name_records(&mut value, &paths);
            Ok(value)
        });
        self
    }
}

/// Puts the names behind the streams' numbers.
fn name_rows(table: &mut Table, paths: &Paths) {
    let place = |name: &str| table.columns.iter().position(|column| column.name == name);
    let Some(stream) = place(STREAM).filter(|_| !NAMED.iter().any(|name| place(name).is_some())) else { return };
    let name = |row: &Vec<Cell>| match row.get(stream) {
        Some(Cell::Integer(id)) => u64::try_from(*id).ok().and_then(|id| paths.get(&id)),
        // Beside "all", or of two captures: `0:1`.
        Some(Cell::Text(text)) => text.split(':').next().and_then(|id| paths.get(&id.parse().ok()?)),
        _ => None,
    };
    let behind = stream.saturating_add(1);
    if table.rows.iter().all(|row| name(row).is_none()) || table.rows.iter().any(|row| row.len() < behind) {
        return;
    }
    for row in &mut table.rows {
        let cell = name(row).map_or(Cell::Null, |name| Cell::Text(name.clone()));
        row.insert(behind, cell);
    }
    table.columns.insert(behind, Column::from(PATH));
    // A block's first line has one cell more.
    table.blocks = table.blocks.map(|first| if first > stream { first.saturating_add(1) } else { first });
}

/// Gives the objects that have a stream's number the name of its path.
fn name_records(value: &mut Value, paths: &Paths) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| name_records(item, paths)),
        Value::Object(object) => {
            object.values_mut().for_each(|item| name_records(item, paths));
            let name = object.get(STREAM).and_then(Value::as_u64).and_then(|id| paths.get(&id));
            if let Some(name) = name.filter(|_| !NAMED.iter().any(|key| object.contains_key(*key))) {
                object.insert(PATH.to_string(), Value::String(name.clone()));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_stand_beside_the_numbers_of_streams() {
        let record = json!([{"tcpstream": 3, "bytes": 1, "parts": [{"tcpstream": 4}]}, {"tcpstream": 5}]);
        let mut table = Table::new(&["a", "tcpstream", "b"]);
        table.rows = [3, 5].map(|id| vec![Cell::Null, Cell::Integer(id), Cell::Null]).to_vec();
        let other = Table::new(&["bytes"]);
        let paths = Paths::from([(3, "Wi-Fi".to_string()), (4, "LTE".to_string())]);
        let report = Report::new(&record, vec![table, other.clone()]).with_paths(paths);
        let named = json!([
            {"tcpstream": 3, "bytes": 1, "parts": [{"tcpstream": 4, "path": "LTE"}], "path": "Wi-Fi"},
            {"tcpstream": 5}
        ]);
        assert_eq!(report.data.value().unwrap(), named);
        let names: Vec<&str> = report.tables[0].columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["a", "tcpstream", "path", "b"]);
        let cells: Vec<&Cell> = report.tables[0].rows.iter().map(|row| &row[2]).collect();
        assert_eq!(cells, [&Cell::Text("Wi-Fi".to_string()), &Cell::Null]);
        assert_eq!(report.tables[1], other);
        let mut table = Table::new(&["tcpstream"]);
        table.rows = ["all", "3", "4:0"].map(|text| vec![Cell::Text(text.to_string())]).to_vec();
        let paths = Paths::from([(3, "Wi-Fi".to_string()), (4, "LTE".to_string())]);
        let named = &Report::new(&Value::Null, vec![table]).with_paths(paths).tables[0];
        let cells: Vec<&Cell> = named.rows.iter().map(|row| &row[1]).collect();
        assert_eq!(cells, [&Cell::Null, &Cell::Text("Wi-Fi".to_string()), &Cell::Text("LTE".to_string())]);
    }

    #[test]
    fn records_with_names_of_their_own_keep_them() {
        let record = json!({"tcpstream": 3, "path_client": "cable"});
        let report = Report::new(&record, Vec::new()).with_paths(Paths::from([(3, "Wi-Fi".to_string())]));
        assert_eq!(report.data.value().unwrap(), record);
    }
}
