//! What is missing from a dataset is noticed, and comes back as `dataset verify` says.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{analyze, content, differing, folder_of_small, parts, small};
use crate::support::program::Home;

fn problems(home: &Home, dataset: &Path) -> Vec<Value> {
    let done = home.run(&["dataset", "verify", dataset.to_str().unwrap(), "--format", "json"], "");
    let problems: Vec<Value> = serde_json::from_str(&done.results).unwrap();
    assert_eq!(done.code, Some(i32::from(!problems.is_empty())), "{}", done.messages);
    problems
}

/// The parts of a table with rows.
fn of(dataset: &Path, table: &str) -> Vec<PathBuf> {
    parts(dataset, table).into_iter().filter(|path| !path.ends_with("schema.parquet")).collect()
}

#[test]
fn a_part_that_is_gone_or_damaged_is_named_and_analyzed_again() {
    let home = Home::new();
    let (folder, out) = (folder_of_small(&home), home.path("dataset"));
    assert_eq!(analyze(&home, &[&folder], &out, &[]).code, Some(0));
    let before = content(&out);
    assert_eq!(problems(&home, &out), [] as [Value; 0]);
    // As many parts of several tables are removed, emptied, cut.
    let gone = of(&out, "directions").remove(0);
    fs::remove_file(&gone).unwrap();
    let emptied = of(&out, "events").remove(1);
    fs::write(&emptied, b"").unwrap();
    let cut = of(&out, "subflows").remove(2);
    let bytes = fs::read(&cut).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let found = problems(&home, &out);
    for (path, says) in [(&gone, "analyze it again"), (&emptied, "remove it"), (&cut, "remove it")] {
        let file = path.strip_prefix(&out).unwrap().to_str().unwrap();
        let named = |problem: &&Value| problem["file"] == file && problem["problem"].as_str().unwrap().contains(says);
        assert_eq!(found.iter().filter(named).count(), 1, "{file}: {found:?}");
    }
    // The advice: what cannot be read is removed, and the same line is run again.
    fs::remove_file(&emptied).unwrap();
    fs::remove_file(&cut).unwrap();
    assert_eq!(problems(&home, &out).len(), 3);
    // Nobody knows how much the one without its rows transferred.
    let said = home.run(&["study", "sizes", out.to_str().unwrap(), "--numbers"], "").results;
    assert!(said.contains("Left out: 1 capture whose files are missing; `dataset verify` names them."), "{said}");
    let again = analyze(&home, &[&folder], &out, &[]);
    assert_eq!(again.code, Some(0), "{}", again.messages);
    assert_eq!(differing(&before, &content(&out)), [] as [String; 0]);
    assert_eq!(problems(&home, &out), [] as [Value; 0]);
}

#[test]
fn rows_of_a_large_file_that_is_gone_come_back_with_force() {
    let home = Home::new();
    let (folder, out) = (folder_of_small(&home), home.path("dataset"));
    assert_eq!(analyze(&home, &[&folder], &out, &[]).code, Some(0));
    let compact = || home.run(&["dataset", "compact", out.to_str().unwrap()], "").code;
    assert_eq!(compact(), Some(0));
    let before = content(&out);
    fs::remove_file(of(&out, "handshakes").remove(0)).unwrap();
    let found = problems(&home, &out);
    assert!(!found.is_empty());
    assert!(found.iter().all(|problem| problem["problem"].as_str().unwrap().contains("--force")), "{found:?}");
    assert_eq!(analyze(&home, &[&folder], &out, &["--force"]).code, Some(0));
    assert_eq!(compact(), Some(0));
    assert_eq!(differing(&before, &content(&out)), [] as [String; 0]);
}

#[test]
fn a_study_leaves_out_what_was_not_analyzed_for_it() {
    let home = Home::new();
    let (folder, out) = (folder_of_small(&home), home.path("dataset"));
    let more = home.path("more");
    fs::create_dir(&more).unwrap();
    for (number, path) in small().iter().rev().take(3).enumerate() {
        fs::copy(path, more.join(format!("more{number}.pcap"))).unwrap();
    }
    assert_eq!(analyze(&home, &[&folder], &out, &["--tables", "all"]).code, Some(0));
    let numbers = |study: &str| {
        let words = ["study", study, out.to_str().unwrap(), "--numbers"];
        let done = home.run(&[&words[..], &["--format", "json"]].concat(), "");
        assert_eq!(done.code, Some(0), "{}", done.messages);
        (serde_json::from_str::<Value>(&done.results).unwrap(), home.run(&words, "").results)
    };
    let studies = ["ack_sizes", "burst_sizes", "subflow_counts"];
    let whole = studies.map(&numbers);
    // Three more without the tables of bursts and of sizes of ACKs: nobody knows how many they have.
    assert_eq!(analyze(&home, &[&more], &out, &[]).code, Some(0));
    let [acks, bursts, subflows] = studies.map(&numbers);
    assert_eq!((&acks.0, &bursts.0), (&whole[0].0, &whole[1].0));
    assert_ne!(subflows.0, whole[2].0, "this study reads a table that they have");
    for (said, table) in [(&acks.1, "ack_sizes"), (&bursts.1, "bursts")] {
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(&format!("Left out: 3 captures, analyzed without the table `{table}`")), "{said}");
    }
    assert!(!subflows.1.contains("Left out"), "{}", subflows.1);
    // The advice.
    assert_eq!(analyze(&home, &[&more], &out, &["--tables", "all"]).code, Some(0));
    let (after, said) = numbers("ack_sizes");
    assert_ne!(after, acks.0);
    assert!(!said.contains("Left out"), "{said}");
}
