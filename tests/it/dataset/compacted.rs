//! Compacted datasets have the same rows, in fewer files; `dataset` and `sql` tell of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Rows, analyze, content, differing, folder_of_small, parts, rows, small, tables};
use crate::support::program::Home;

fn captures(home: &Home) -> PathBuf {
    let folder = folder_of_small(home);
    fs::write(folder.join("bad.pcap"), b"bad").unwrap();
    folder
}

fn all(dataset: &Path) -> BTreeMap<&'static str, Rows> {
    tables().into_iter().map(|table| (table, rows(dataset, table))).collect()
}

fn json_of(home: &Home, words: &[&str]) -> Value {
    let done = home.run(&[words, &["--format", "json"]].concat(), "");
    assert_eq!(done.code, Some(0), "{words:?}: {}", done.messages);
    serde_json::from_str(&done.results).unwrap()
}

#[test]
fn rows_stay_when_files_become_few_and_a_changed_capture_is_taken_out() {
    let home = Home::new();
    let folder = captures(&home);
    let out = home.path("dataset");
    let run = || analyze(&home, &[&folder], &out, &["--label", "place=lab"]);
    assert_eq!(run().code, Some(3));
    let before = all(&out);
    let text = out.to_str().unwrap();
    json_of(&home, &["dataset", "compact", text]);
    assert_eq!(all(&out), before);
    assert_eq!(parts(&out, "connections").len(), 2, "one large file, and the one without rows");
    let compacted = content(&out);
    json_of(&home, &["dataset", "compact", text]);
    assert_eq!(differing(&compacted, &content(&out)), [] as [String; 0], "nothing is left to do");
    assert_eq!(json_of(&home, &["dataset", "verify", text]), json!([]));
    // All are known from the large file.
    let again = run();
    assert_eq!(again.code, Some(3), "the bad one still is: {}", again.messages);
    assert_eq!(differing(&compacted, &content(&out)), [] as [String; 0]);
    // One of them changes: its rows alone are replaced.
    let changed = folder.join("5.pcap");
    fs::copy(folder.join("12.pcap"), &changed).unwrap();
    assert_eq!(run().code, Some(3));
    let key = |path: &Path| {
        let row = rows(&out, "captures").into_iter().find(|row| row["path"] == path.to_str().unwrap()).unwrap();
        row["capture"].clone()
    };
    let (of_changed, of_other) = (key(&changed), key(&folder.join("12.pcap")));
    for (table, rows) in all(&out) {
        let of = |rows: &Rows, key: &Value| -> Rows {
            let mut own: Rows = rows.iter().filter(|row| row["capture"] == *key).cloned().collect();
            for row in &mut own {
                for name in ["capture", "name", "path", "mtime", "options"] {
                    row.remove(name);
                }
            }
            own
        };
        assert_eq!(of(&rows, &of_changed), of(&rows, &of_other), "{table}");
        let others = |rows: &Rows| rows.iter().filter(|row| row["capture"] != of_changed).cloned().collect::<Rows>();
        assert_eq!(others(&rows), others(&before[table]), "{table}");
    }
    json_of(&home, &["dataset", "compact", text]);
    assert_eq!(json_of(&home, &["dataset", "verify", text]), json!([]));
}

#[test]
fn a_compaction_that_was_killed_is_finished_by_who_comes_next() {
    let home = Home::new();
    let folder = captures(&home);
    let out = home.path("dataset");
    assert_eq!(analyze(&home, &[&folder], &out, &[]).code, Some(3));
    let before = all(&out);
    let text = out.to_str().unwrap();
    for moment in 0..12_u64 {
        // Some are taken out of the large files again.
        if moment % 3 == 2 {
            analyze(&home, &[&folder.join("3.pcap")], &out, &["--force"]);
        }
        let mut child = home.program().args(["dataset", "compact", text]).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(moment * 3));
        let _ = child.kill();
        child.wait().unwrap();
        json_of(&home, &["dataset", "status", text]);
        assert_eq!(all(&out), before, "moment {moment}");
    }
}

#[test]
fn status_errors_and_verify_say_what_there_is() {
    let home = Home::new();
    let folder = captures(&home);
    let out = home.path("dataset");
    assert_eq!(analyze(&home, &[&folder], &out, &[]).code, Some(3));
    let text = out.to_str().unwrap();
    let status = json_of(&home, &["dataset", "status", text]);
    let rows_of = |table: &str, status_of: Value| {
        let all = status.as_array().unwrap();
        all.iter().find(|row| row["table"] == table && row["status"] == status_of).map(|row| row["rows"].clone())
    };
    assert_eq!(rows_of("captures", json!("ok")), Some(json!(small().len())));
    assert_eq!(rows_of("captures", json!("error")), Some(json!(1)));
    for table in tables() {
        assert_eq!(rows_of(table, Value::Null), Some(json!(rows(&out, table).len())), "{table}");
    }
    let errors = json_of(&home, &["dataset", "errors", text]);
    assert_eq!(errors.as_array().unwrap().len(), 1);
    assert!(errors[0]["name"].as_str().unwrap().ends_with("bad.pcap"));
    // Damage, and rows without their capture.
    let of_connections =
        || parts(&out, "connections").into_iter().filter(|path| path.to_string_lossy().contains("part-"));
    let victim = of_connections().next().unwrap();
    fs::write(&victim, b"damaged").unwrap();
    let orphan = out.join("captures").join(of_connections().next_back().unwrap().file_name().unwrap());
    fs::remove_file(&orphan).unwrap();
    let done = home.run(&["dataset", "verify", text, "--format", "json"], "");
    assert_eq!(done.code, Some(1), "{}", done.messages);
    let problems: Vec<Value> = serde_json::from_str(&done.results).unwrap();
    let victim = victim.strip_prefix(&out).unwrap().to_str().unwrap();
    assert!(problems.iter().any(|problem| problem["file"] == victim), "{problems:?}");
    let key = orphan.file_stem().unwrap().to_string_lossy().trim_start_matches("part-").to_string();
    assert!(problems.iter().any(|problem| problem["problem"].as_str().unwrap().contains(&key)), "{problems:?}");
    // What is not a dataset.
    let done = home.run(&["dataset", "status", folder.to_str().unwrap()], "");
    assert_eq!(done.code, Some(1));
    assert!(done.messages.contains("is not a dataset"), "{}", done.messages);
}

#[test]
fn sql_asks_a_dataset() {
    let home = Home::new();
    let folder = captures(&home);
    let out = home.path("dataset");
    assert_eq!(analyze(&home, &[&folder], &out, &["--label", "place=lab"]).code, Some(3));
    let text = out.to_str().unwrap();
    let query = "SELECT c.label_place, SUM(d.goodput_bytes) AS bytes FROM directions d \
                 JOIN captures c ON d.capture = c.capture WHERE c.status = 'ok' GROUP BY c.label_place";
    let wanted: u64 = rows(&out, "directions").iter().map(|row| row["goodput_bytes"].as_u64().unwrap()).sum();
    for _ in 0..2 {
        let answer = json_of(&home, &["sql", "--dataset", text, query]);
        assert_eq!(answer, json!([{ "label_place": "lab", "bytes": wanted }]));
        json_of(&home, &["dataset", "compact", text]);
    }
    let columns = json_of(&home, &["sql", "--dataset", text]);
    let has = |table: &str, column: &str| {
        columns.as_array().unwrap().iter().any(|row| row["table"] == table && row["column"] == column)
    };
    assert!(has("subflows", "label_place") && has("events", "event"));
    let done = home.run(&["sql", "--dataset", text, "SELECT goodput_byts FROM directions"], "");
    assert_eq!(done.code, Some(1), "{}", done.messages);
    assert!(done.messages.contains("no column `goodput_byts`"), "{}", done.messages);
}
