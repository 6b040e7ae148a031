//! Studies against an independent computation: `studies/compare.py` takes the same Parquet files, pandas and NumPy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mptcpanalyzer::studies::STUDIES;

use super::readers::python;
use super::{analyze, small};
use crate::support::program::Home;

/// What a study is run with in the test, beyond the dataset.
const OPTIONS: &[(&str, &[&str])] = &[
    ("rtt_differences", &["--min-bytes", "1000"]),
    ("initial_share", &["--min-subflows", "2"]),
    ("overheads", &["--min-subflows", "1"]),
    ("path_shares", &["--path-column", "kind", "--path", "join"]),
    ("path_bytes", &["--path-column", "kind", "--path", "initial", "--other", "join"]),
    ("path_rtts", &["--path-column", "kind", "--path", "join", "--other", "initial"]),
    ("bytes_over_time", &["--path-column", "kind"]),
    ("completions", &["--min-bytes", "1000"]),
    ("averages", &["--by", "app"]),
    ("switching", &["--min-bytes", "10000"]),
    ("overhead_boxes", &["--by", "capture_point", "--min-bytes", "1"]),
];

/// A dataset with all tables.
fn dataset(home: &Home) -> PathBuf {
    let folder = home.path("captures");
    fs::create_dir(&folder).unwrap();
    for (number, path) in small().iter().enumerate() {
        let app = ["video", "web"][number % 2];
        fs::copy(path, folder.join(format!("{app}_{number}.pcap"))).unwrap();
    }
    let out = home.path("dataset");
    let options = ["--tables", "all", "--label-from-path", "(?P<app>[a-z]+)_", "--root", folder.to_str().unwrap()];
    let done = analyze(home, &[&folder], &out, &options);
    assert_eq!(done.code, Some(0), "{}", done.messages);
    out
}

fn run(home: &Home, study: &str, dataset: &Path, options: &[&str]) -> String {
    let words = [&["study", study, dataset.to_str().unwrap()], options].concat();
    let done = home.run(&words, "");
    assert_eq!(done.code, Some(0), "{words:?}: {}", done.messages);
    done.results
}

#[test]
fn numbers_and_series_are_those_that_numpy_finds() {
    let Some(python) = python("pandas") else { return };
    let home = Home::new();
    let dataset = dataset(&home);
    let folder = home.path("studies");
    fs::create_dir(&folder).unwrap();
    for study in STUDIES.own() {
        let options = OPTIONS.iter().find(|(name, _)| *name == study.name()).map_or(&[][..], |(_, options)| options);
        let numbers = run(&home, study.name(), &dataset, &[options, &["--numbers", "--format", "json"]].concat());
        fs::write(folder.join(format!("{}.numbers.json", study.name())), numbers).unwrap();
        let values = run(&home, study.name(), &dataset, &[options, &["--format", "json"]].concat());
        fs::write(folder.join(format!("{}.values.json", study.name())), values).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/dataset/studies/compare.py");
    let output = Command::new(python)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(script)
        .arg(&dataset)
        .arg(&folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let checked = String::from_utf8_lossy(&output.stdout);
    assert_eq!(checked.lines().count(), STUDIES.own().count(), "{checked}");
}

#[test]
fn groups_and_conditions_select() {
    let home = Home::new();
    let dataset = dataset(&home);
    let numbers = |options: &[&str]| -> Vec<serde_json::Value> {
        let options = [options, &["--numbers", "--format", "json"]].concat();
        serde_json::from_str(&run(&home, "subflow_counts", &dataset, &options)).unwrap()
    };
    let count = |rows: &[serde_json::Value], group: Option<&str>| {
        let found = rows.iter().find(|row| row["quantity"] == "connections" && row["group"].as_str() == group);
        found.unwrap_or_else(|| panic!("{group:?}"))["value"].as_f64().unwrap()
    };
    let all = count(&numbers(&[]), None);
    let by_label = numbers(&["--by", "app"]);
    assert_eq!(count(&by_label, Some("video")) + count(&by_label, Some("web")), all);
    let of_label = count(&numbers(&["--where", "label_app = 'web'"]), None);
    assert_eq!(of_label, count(&by_label, Some("web")));
    assert_eq!(count(&numbers(&["--by", "label_app"]), Some("web")), of_label);
    assert_eq!(count(&numbers(&["--where", "subflows > 1 AND version = 7"]), None), 0.0);
    let refused = |options: &[&str], part: &str| {
        let words = [&["study", "subflow_counts", dataset.to_str().unwrap()], options].concat();
        let done = home.run(&words, "");
        assert!(done.code.is_some_and(|code| code > 0), "{words:?}: {}", done.messages);
        assert!(done.messages.contains(part), "{words:?}: {}", done.messages);
    };
    refused(&["--by", "ap"], "did you mean `app`?");
    refused(&["--where", "subflos > 1"], "--where: ");
    refused(&["--where", "subflows > "], "--where: ");
}

#[test]
fn copies_of_a_capture_count_once_if_asked() {
    let home = Home::new();
    let (one, other) = (home.path("one.pcap"), home.path("other.pcap"));
    let source = small().pop().unwrap();
    fs::copy(&source, &one).unwrap();
    fs::copy(&source, &other).unwrap();
    let out = home.path("dataset");
    assert_eq!(analyze(&home, &[&one, &other], &out, &[]).code, Some(0));
    let connections = |options: &[&str]| {
        let printed = run(&home, "subflow_counts", &out, &[options, &["--numbers", "--format", "json"]].concat());
        let rows: Vec<serde_json::Value> = serde_json::from_str(&printed).unwrap();
        rows[0]["value"].as_f64().unwrap()
    };
    let (twice, once) = (connections(&[]), connections(&["--distinct-content"]));
    assert!(once > 0.0 && twice == 2.0 * once, "{twice} {once}");
    let said = run(&home, "subflow_counts", &out, &["--numbers"]);
    assert!(said.contains("1 capture with the same content as another; --distinct-content"), "{said}");
}

#[test]
fn every_form_is_written_and_a_missing_table_is_said() {
    let home = Home::new();
    let dataset = dataset(&home);
    for form in ["svg", "png", "pdf", "txt", "csv", "json", "parquet"] {
        let file = home.path(&format!("sizes.{form}"));
        let printed = run(&home, "sizes", &dataset, &["-o", file.to_str().unwrap()]);
        assert!(printed.contains("size at most 1 kB"), "{printed}");
        assert!(fs::metadata(&file).unwrap().len() > 100, "{form}");
    }
    let file = home.path("numbers.csv");
    run(&home, "sizes", &dataset, &["--numbers", "-o", file.to_str().unwrap()]);
    let header = fs::read_to_string(&file).unwrap().lines().next().unwrap().to_string();
    assert_eq!(header, "group,quantity,value,unit,count,of");
    fs::remove_dir_all(dataset.join("directions")).unwrap();
    let done = home.run(&["study", "sizes", dataset.to_str().unwrap()], "");
    assert_eq!(done.code, Some(1));
    assert!(done.messages.contains("needs the table `directions`"), "{}", done.messages);
    assert!(done.messages.contains("--tables base"), "{}", done.messages);
    // All that are missing are named at once.
    let base = home.path("base");
    assert_eq!(analyze(&home, &[&small()[0]], &base, &[]).code, Some(0));
    let done = home.run(&["study", "repeat_positions", base.to_str().unwrap()], "");
    assert!(done.messages.contains("tables `retransmissions`, `reinjections`"), "{}", done.messages);
    assert!(done.messages.contains("--tables all"), "{}", done.messages);
}
