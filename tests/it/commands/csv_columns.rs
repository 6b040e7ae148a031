//! CSV has every field that JSON has: for each command that reports facts the keys of its JSON are held against the
//! columns of its CSV, by the rules that README states.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use mptcpanalyzer::commands::{grammar, registry};
use serde_json::Value;

use crate::support::program::Home;
use crate::support::scenarios;

/// How the rows of a command's CSV lie in its JSON.
#[derive(Default, Clone, Copy)]
struct Nested {
    /// Lists within each other that lead to the rows.
    lists: &'static [&'static str],
    /// What a record and the items of each list are called before a field; nothing: not at all.
    names: &'static [&'static str],
}

/// Rows are the items of one list, and what is around them keeps its keys.
const fn items(lists: &'static [&'static str]) -> Nested {
    Nested { lists, names: &["", ""] }
}

const FLAT: Nested = Nested { lists: &[], names: &[""] };
const SUBFLOWS: Nested = Nested { lists: &["directions", "subflows"], names: &["", "direction", ""] };

/// Every command with `--format`, its arguments, and where its rows lie. `{1}` and `{2}` are captures of both ends, of
/// which the first is loaded.
const LINES: [(&str, &str, Nested); 52] = [
    ("list_interfaces", "", FLAT),
    ("captures", "", FLAT),
    ("list_tcp_connections", "", FLAT),
    ("tcp_summary", "", items(&["directions"])),
    ("tcp_summary", "0 --towards server", items(&["directions"])),
    ("map_tcp_connection", "{1} {2} 0", FLAT),
    ("map_tcp_connection", "{1} {2}", FLAT),
    ("map_mptcp_connection", "{1} {2}", FLAT),
    ("list_mptcp_connections", "", FLAT),
    ("list_subflows", "0", FLAT),
    ("list_subflows", "--all", FLAT),
    ("mptcp_summary", "", SUBFLOWS),
    ("mptcp_summary", "0", SUBFLOWS),
    ("map_mptcp_connection", "{1} {2} 0", Nested { lists: &["subflows"], names: &["", "tcpstream"] }),
    ("load_topo", concat!(env!("CARGO_MANIFEST_DIR"), "/examples/topology.json"), items(&["paths"])),
    ("mptcp_required_buffer", "0", items(&["paths"])),
    ("handshakes", "", FLAT),
    ("addresses", "0", FLAT),
    ("traffic", "0", FLAT),
    ("bursts", "0", FLAT),
    ("handovers", "0", FLAT),
    ("events", "0", FLAT),
    ("diagnose", "", FLAT),
    ("diagnose", "--all", FLAT),
    ("clock", "{1} {2}", FLAT),
    ("print_owds", "mptcp {1} 0 {2}", FLAT),
    ("print_owds", "mptcp {1} 0 {2} --samples", FLAT),
    ("loss", "mptcp {1} 0 {2}", FLAT),
    ("loss", "mptcp {1} 0 {2} --packets", FLAT),
    ("summary_extended", "{1} 0 {2}", Nested { lists: &["subflows"], names: &["direction", ""] }),
    ("qualify_reinjections", "{1} 0 {2}", items(&["reinjections"])),
    ("merge", "mptcp {1} 0 {2}", FLAT),
    ("plot", "dsn 0", FLAT),
    ("list_available_plots", "", FLAT),
    ("list_studies", "", FLAT),
    ("retransmissions", "0", FLAT),
    ("dump", "", FLAT),
    ("sql", "SELECT * FROM connections", FLAT),
    ("columns", "", FLAT),
    ("list_reinjections", "0", FLAT),
    (
        "list_reinjections",
        "0 --summary",
        Nested { lists: &["directions", "reinjections|resent_same_subflow"], names: &["", "direction", ""] },
    ),
    ("rtt", "0", FLAT),
    ("rtt", "0 --samples", FLAT),
    ("ooo", "0", SUBFLOWS),
    ("ooo", "0 --over-time", FLAT),
    ("live", "{1}", FLAT),
    ("plugin", "list", FLAT),
    ("checkhealth", "", FLAT),
    ("clean_cache", "", FLAT),
    ("history", "", FLAT),
    ("set", "", FLAT),
    ("alias", "", FLAT),
];

/// The commands and arguments of [`LINES`].
pub fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    LINES.into_iter().map(|(command, arguments, _)| (command, arguments))
}

/// Commands of which `export` writes files only, `macro` is as `alias`, `analyze` never says the same twice, and
/// `dataset` and `study` need what that wrote.
const LEFT_OUT: [&str; 5] = ["export", "macro", "analyze", "dataset", "study"];

#[test]
fn every_command_that_reports_is_looked_at() {
    for command in registry::COMMANDS.own() {
        let definition = grammar::definition(command);
        let reports = definition.get_arguments().any(|argument| {
            let forms = argument.get_possible_values();
            argument.get_id() == "format"
                && ["json", "csv"].iter().all(|form| forms.iter().any(|one| one.matches(form, false)))
        });
        let listed = LINES.iter().any(|(name, ..)| *name == command.name());
        assert!(listed || !reports || LEFT_OUT.contains(&command.name()), "{} is not looked at", command.name());
    }
}

#[test]
fn csv_has_every_field_of_json() {
    let Some(folder) = scenarios::folder() else { return };
    let ends = |scenario: &str| {
        ["client", "server"].map(|end| crate::analysis::merge::end_of(&folder.join(scenario), end).unwrap())
    };
    let mut missing = BTreeSet::new();
    let mut compared = 0;
    for scenario in ["07d_join_bad_hmac_ack", "09e_fb_client_opts_stripped_after_syn", "13a_midstream", "11_nat"] {
        for (command, arguments, nested) in LINES {
            let (columns, rows, json) = both_forms(command, arguments, &ends(scenario));
            let fields = fields(&json, nested);
            let label = format!("{command} {arguments}");
            for (names, around) in &fields {
                let accepted = around.iter().any(|name| columns.contains(name));
                if !accepted {
                    missing.insert(format!("{label}: {names}, as one of {around:?}"));
                }
                compared += 1;
            }
            for problem in different_values(&columns, &rows, &json, nested) {
                missing.insert(format!("{label}, {scenario}: {problem}"));
            }
        }
    }
    let missing: Vec<String> = missing.into_iter().collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(compared > 1000, "{compared}");
}

/// The columns and rows of the CSV, and the JSON.
fn both_forms(command: &str, arguments: &str, ends: &[PathBuf; 2]) -> (Vec<String>, Vec<Vec<String>>, Value) {
    let home = Home::new();
    let [first, second] = ends.each_ref().map(|path| path.to_str().unwrap());
    let words: Vec<String> = match command {
        "sql" => vec![arguments.to_string()],
        _ => arguments.split_whitespace().map(|word| word.replace("{1}", first).replace("{2}", second)).collect(),
    };
    let output = |format: &str| {
        let mut line = vec!["--load", first, command];
        line.extend(words.iter().map(String::as_str));
        line.extend(["--format", format]);
        let finished = home.run(&line, "");
        assert!(finished.code == Some(0) || command == "checkhealth", "{command} {arguments}: {}", finished.messages);
        finished.results
    };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(std::io::Cursor::new(output("csv")));
    let columns = reader.headers().unwrap().iter().map(str::to_string).collect();
    let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_string).collect()).collect();
    (columns, rows, serde_json::from_str(&output("json")).unwrap())
}

/// Every field of the JSON, as the way to it, with the names that its column may have.
fn fields(json: &Value, nested: Nested) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for record in json.as_array().map_or(std::slice::from_ref(json), Vec::as_slice) {
        level(record, 0, nested, &mut found);
    }
    // A field around the rows keeps its key where the command tells it so itself and no other field has that key.
    let keys: Vec<String> = found.keys().cloned().collect();
    for (way, names) in &mut found {
        let key = way.rsplit(['.', ' ']).next().unwrap();
        let others = keys.iter().filter(|other| other.rsplit(['.', ' ']).next() == Some(key)).count();
        if others == 1 && !way.contains('.') {
            names.push(key.to_string());
        }
    }
    found
}

fn level(value: &Value, depth: usize, nested: Nested, found: &mut BTreeMap<String, Vec<String>>) {
    let Value::Object(object) = value else { return };
    for (key, value) in object {
        if nested.lists.get(depth).is_some_and(|lists| lists.split('|').any(|list| list == key)) {
            value.as_array().unwrap().iter().for_each(|item| level(item, depth + 1, nested, found));
            continue;
        }
        let name = nested.names[depth];
        let full = if name.is_empty() { key.clone() } else { format!("{name}_{key}") };
        leaves(value, &format!("{} {key}", nested.lists[..depth].join("/")), &full, found);
    }
}

/// The fields of a value: those of an object and of the objects of a list have both keys.
fn leaves(value: &Value, way: &str, name: &str, found: &mut BTreeMap<String, Vec<String>>) {
    match value {
        Value::Object(object) => {
            object
                .iter()
                .for_each(|(key, value)| leaves(value, &format!("{way}.{key}"), &format!("{name}_{key}"), found));
        }
        Value::Array(list) if list.iter().any(Value::is_object) => {
            list.iter().for_each(|item| leaves(item, way, name, found));
        }
        // Without items a list does not tell whether they are objects.
        Value::Array(list) if list.is_empty() => {}
        _ => {
            found.insert(way.to_string(), vec![name.to_string()]);
        }
    }
}

/// Row by row, what the item itself has: numbers within a billionth, as times are printed.
fn different_values(columns: &[String], rows: &[Vec<String>], json: &Value, nested: Nested) -> Vec<String> {
    let mut items: Vec<Value> = json.as_array().cloned().unwrap_or_else(|| vec![json.clone()]);
    for list in nested.lists {
        let of =
            |item: &Value| list.split('|').flat_map(|list| item[list].as_array().unwrap().clone()).collect::<Vec<_>>();
        items = items.iter().flat_map(of).collect();
    }
    if items.len() != rows.len() {
        return vec![format!("{} rows for {} items", rows.len(), items.len())];
    }
    let name = nested.names[nested.lists.len()];
    let mut problems = Vec::new();
    for (item, row) in items.iter().zip(rows).take(50) {
        for (key, value) in item.as_object().unwrap() {
            let column = if name.is_empty() || key == name { key.clone() } else { format!("{name}_{key}") };
            let Some(place) = columns.iter().position(|one| *one == column) else { continue };
            let cell = &row[place];
            let same = match value {
                Value::Null => cell.is_empty() || cell == "inf",
                Value::Number(number) => {
                    let told: f64 = cell.parse().unwrap_or(f64::NAN);
                    let number = number.as_f64().unwrap();
                    (told - number).abs() <= 1e-9 * number.abs().max(1.0)
                }
                Value::String(text) => cell == text || cell.strip_prefix('\'') == Some(text.as_str()),
                Value::Bool(truth) => *cell == truth.to_string(),
                Value::Array(_) | Value::Object(_) => true,
            };
            if !same {
                problems.push(format!("{column} is {cell:?}, not {value}"));
            }
        }
    }
    problems
}
