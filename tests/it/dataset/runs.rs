//! Runs: the same bytes however they are split, nothing done twice, labels, options.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{analyze, content, differing, parts, rows, small, tables};
use crate::support::program::Home;

/// A folder with copies of small captures.
fn folder(home: &Home) -> PathBuf {
    let folder = home.path("captures");
    for path in small() {
        let name = path.parent().unwrap().file_name().unwrap();
        fs::create_dir_all(folder.join(name)).unwrap();
        fs::copy(&path, folder.join(name).join(path.file_name().unwrap())).unwrap();
    }
    folder
}

#[test]
fn one_job_two_jobs_and_shards_in_any_order_write_the_same_bytes() {
    let home = Home::new();
    let folder = folder(&home);
    let run = |name: &str, options: &[&str]| {
        let done = analyze(&home, &[&folder], &home.path(name), options);
        assert_eq!(done.code, Some(0), "{}", done.messages);
        content(&home.path(name))
    };
    let one = run("one", &["--jobs", "1"]);
    assert!(one.len() > 5 * small().len(), "{:?}", one.keys());
    let two = run("two", &["--jobs", "2"]);
    assert_eq!(differing(&one, &two), [] as [String; 0]);
    for shard in ["3/3", "1/3", "2/3"] {
        run("shards", &["--shard", shard]);
    }
    assert_eq!(differing(&one, &content(&home.path("shards"))), [] as [String; 0]);
    let again = run("two", &["--force"]);
    assert_eq!(differing(&one, &again), [] as [String; 0]);
    assert!(!one.keys().any(|name| name.starts_with("_work")), "files under way were left");
}

/// The status of each capture of a run.
fn states(results: &str) -> Vec<String> {
    let lines = results.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut states: Vec<String> = lines.map(|line| line["status"].as_str().unwrap().to_string()).collect();
    states.sort();
    states
}

#[test]
fn what_is_done_and_unchanged_is_skipped() {
    let home = Home::new();
    let folder = folder(&home);
    let out = home.path("dataset");
    let run = |options: &[&str]| {
        let done = analyze(&home, &[&folder], &out, &[&["--report", "ndjson"], options].concat());
        assert_eq!(done.code, Some(0), "{}", done.messages);
        states(&done.results)
    };
    let all = small().len();
    assert_eq!(run(&[]), vec!["ok"; all]);
    assert_eq!(run(&[]), vec!["skipped"; all]);
    // Another label, other tables: other rows.
    assert_eq!(run(&["--label", "place=lab"]), vec!["ok"; all]);
    assert!(rows(&out, "connections").iter().all(|row| row["label_place"] == "lab"));
    assert_eq!(run(&["--label", "place=lab", "--tables", "connections"]), vec!["ok"; all]);
    assert!(rows(&out, "events").is_empty() && !rows(&out, "connections").is_empty());
    assert_eq!(run(&["--label", "place=lab", "--tables", "connections"]), vec!["skipped"; all]);
    assert_eq!(run(&[]), vec!["ok"; all]);
    // One file becomes another: its rows alone change.
    let mut files = crate::docs::documents::files_below(&folder);
    files.sort_by_key(|path| fs::metadata(path).unwrap().len());
    let before = content(&out);
    fs::copy(&files[files.len() - 1], &files[0]).unwrap();
    let mut expected = vec!["ok"];
    expected.extend(vec!["skipped"; all - 1]);
    assert_eq!(run(&[]), expected);
    let key = rows(&out, "captures").into_iter().find(|row| row["path"] == files[0].to_str().unwrap()).unwrap();
    let key = key["capture"].as_str().unwrap().to_string();
    let changed = differing(&before, &content(&out));
    assert!(!changed.is_empty() && changed.iter().all(|name| name.contains(&key)), "{changed:?}");
    // Rows that it has no more are gone.
    fs::write(&files[0], b"nothing").unwrap();
    let done = analyze(&home, &[&folder], &out, &[]);
    assert_eq!(done.code, Some(3), "{}", done.messages);
    for table in tables().into_iter().filter(|table| *table != "captures") {
        assert!(!parts(&out, table).iter().any(|path| path.to_string_lossy().contains(&key)), "{table}");
    }
    // What failed is tried again when that is wanted.
    let again = analyze(&home, &[&folder], &out, &[]);
    assert_eq!(again.code, Some(3), "{}", again.messages);
    assert!(again.results.contains("error before: "), "{}", again.results);
    assert_eq!(analyze(&home, &[&folder], &out, &["--retry-errors"]).code, Some(3));
}

#[test]
fn labels_are_columns_and_names_begin_at_the_root() {
    let home = Home::new();
    let folder = folder(&home);
    let out = home.path("dataset");
    let labels = home.write("labels.csv", "name,app\n*ipv6*,six\n");
    let paths = home.write("paths.csv", "prefix,label\n10.0.0.0/8,ten\n::/0,six\n");
    let options = [
        "--root",
        folder.to_str().unwrap(),
        "--labels",
        labels.to_str().unwrap(),
        "--labels",
        paths.to_str().unwrap(),
        "--label-from-path",
        "^(?P<scenario>[^/]+)/",
        "--label",
        "day=27",
    ];
    let done = analyze(&home, &[&folder], &out, &options);
    assert_eq!(done.code, Some(0), "{}", done.messages);
    let captures = rows(&out, "captures");
    assert_eq!(captures.len(), small().len());
    for row in &captures {
        let name = row["name"].as_str().unwrap();
        assert_eq!(row["label_scenario"], name.split('/').next().unwrap(), "{name}");
        assert_eq!(row["label_day"], "27");
        assert_eq!(row["label_app"], if name.contains("ipv6") { json!("six") } else { Value::Null }, "{name}");
    }
    let subflows = rows(&out, "subflows");
    assert!(!subflows.is_empty());
    for row in &subflows {
        let address = row["client_ip"].as_str().unwrap();
        let expected = if address.starts_with("10.") {
            json!("ten")
        } else if address.contains(':') {
            json!("six")
        } else {
            Value::Null
        };
        assert_eq!(row["path_client"], expected, "{address}");
    }
    // Elsewhere, the same names give the same keys.
    let moved = home.path("moved");
    fs::rename(&folder, &moved).unwrap();
    let there = home.path("there");
    assert_eq!(analyze(&home, &[&moved], &there, &["--root", moved.to_str().unwrap()]).code, Some(0));
    let keys = |out: &Path| rows(out, "captures").into_iter().map(|row| row["capture"].clone()).collect::<Vec<_>>();
    assert_eq!(keys(&out), keys(&there));
}

#[test]
fn wrong_wishes_are_said_before_anything_is_done() {
    let home = Home::new();
    let folder = folder(&home);
    let refused = |words: &[&str], code: i32, part: &str| {
        let done = home.run(&[&["analyze"], words].concat(), "");
        assert_eq!(done.code, Some(code), "{words:?}: {}", done.messages);
        assert!(done.messages.contains(part), "{words:?}: {}", done.messages);
    };
    let input = folder.to_str().unwrap();
    refused(&[input], 2, "--out");
    refused(&["--out", "d"], 2, "no captures named");
    refused(&[input, "--out", "d", "--shard", "3/2"], 2, "not a share");
    refused(&[input, "--out", "d", "--label", "x"], 2, "KEY=VALUE");
    refused(&[input, "--out", "d", "--tables", "conections"], 2, "did you mean `connections`?");
    refused(&[input, "--out", "d", "--include", "a["], 2, "not a pattern");
    refused(&[input, "--out", input], 1, "other files");
    refused(&["nothing", "--out", "d2", "--root", input], 2, "is not below");
    assert!(!home.path("d").exists());
}
