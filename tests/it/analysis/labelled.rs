//! `diagnose` against tests/findings.toml, the table of what must be found in each capture: precision and recall.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mptcpanalyzer::analysis::diagnose::{FindingKind, Severity};
use serde::Deserialize;

use crate::analysis::diagnose::said;
use crate::support::scenarios;

/// The whole table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Labels {
    capture: Vec<Label>,
}

/// One row; the table itself says what its fields mean.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Label {
    file: String,
    #[serde(default)]
    #[allow(dead_code)]
    why: String,
    #[serde(default)]
    expect: Vec<String>,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    never: Vec<String>,
    #[serde(default)]
    events: Vec<String>,
    #[serde(default)]
    pending: Vec<String>,
    #[serde(default)]
    pending_gone: Vec<String>,
}

/// What the comparison of all rows gave.
#[derive(Default)]
struct Tally {
    captures: usize,
    expected: usize,
    found: usize,
    missed: Vec<String>,
    wrong: Vec<String>,
    /// Missed and wrong, and known to be.
    pending: Vec<String>,
    pending_missed: usize,
    pending_wrong: usize,
    /// Other things that fail the test.
    broken: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn labels() -> Labels {
    let text = fs::read_to_string(root().join("tests/findings.toml")).unwrap();
    toml::from_str(&text).unwrap_or_else(|error| panic!("tests/findings.toml: {error}"))
}

fn path_of(file: &str) -> PathBuf {
    if file.starts_with("tests/") { root().join(file) } else { root().join("../shared").join(file) }
}

/// The name that JSON has for a kind.
fn name(kind: impl serde::Serialize) -> String {
    serde_json::to_value(kind).unwrap().as_str().unwrap().to_string()
}

fn is_known(kind: &str) -> bool {
    serde_json::from_value::<FindingKind>(kind.into()).is_ok()
}

fn compare(label: &Label, tally: &mut Tally) {
    let path = path_of(&label.file);
    if !path.is_file() {
        println!("skipped: {} is not here", label.file);
        return;
    }
    let Some(capture) = scenarios::load(&path) else { return };
    let file = &label.file;
    let said = said(&capture);
    let found: BTreeSet<String> = said.findings.iter().map(|finding| name(finding.finding)).collect();
    let is_found = |kinds: &String| kinds.split('|').any(|kind| found.contains(kind));
    tally.captures += 1;
    for kinds in &label.expect {
        tally.expected += 1;
        if is_found(kinds) {
            tally.found += 1;
        } else {
            tally.missed.push(format!("{file}: {kinds} is not found; found: {found:?}"));
        }
    }
    for kinds in &label.pending {
        tally.expected += 1;
        if is_found(kinds) {
            tally.found += 1;
            tally.pending.push(format!("{file}: {kinds} is found now: move it from `pending` to `expect`"));
        } else {
            tally.pending_missed += 1;
            tally.pending.push(format!("{file}: {kinds} is not found yet"));
        }
    }
    let named: BTreeSet<&str> = label.expect.iter().chain(&label.pending).flat_map(|kinds| kinds.split('|')).collect();
    let mut judged = BTreeSet::new();
    for finding in &said.findings {
        let kind = name(finding.finding);
        let problem = finding.severity == Severity::Problem;
        if !judged.insert((kind.clone(), problem)) {
            continue;
        }
        if label.pending_gone.contains(&kind) {
            tally.pending_wrong += usize::from(problem);
            tally.pending.push(format!("{file}: {kind} is said wrongly as yet"));
        } else if label.never.contains(&kind)
            || (problem && !named.contains(kind.as_str()) && !label.allow.contains(&kind))
        {
            let packets = &finding.packets;
            tally.wrong.push(format!("{file}: {kind} must not be said: {} (packets {packets:?})", finding.detail));
        }
    }
    for kind in label.pending_gone.iter().filter(|kind| !found.contains(*kind)) {
        tally.pending.push(format!("{file}: {kind} is gone: remove it from `pending_gone`"));
    }
    let told: BTreeSet<String> = said.events.iter().map(name).collect();
    for kind in label.events.iter().filter(|kind| !told.contains(*kind)) {
        tally.broken.push(format!("{file}: no event {kind}"));
    }
}

#[test]
fn diagnose_says_what_the_labels_say() {
    let mut tally = Tally::default();
    for label in &labels().capture {
        compare(label, &mut tally);
    }
    for line in &tally.pending {
        println!("pending: {line}");
    }
    #[allow(clippy::cast_precision_loss)]
    let share = |part: usize, whole: usize| if whole == 0 { 100.0 } else { 100.0 * part as f64 / whole as f64 };
    let wrong = tally.wrong.len() + tally.pending_wrong;
    println!(
        "{} captures: {} findings expected, {} found, {} missed, {wrong} false; precision {:.1} %, recall {:.1} %",
        tally.captures,
        tally.expected,
        tally.found,
        tally.missed.len() + tally.pending_missed,
        share(tally.found, tally.found + wrong),
        share(tally.found, tally.expected),
    );
    let failures: Vec<String> = [tally.missed, tally.wrong, tally.broken].concat();
    assert!(failures.is_empty(), "tests/findings.toml says otherwise:\n{}", failures.join("\n"));
}

#[test]
fn every_kind_in_the_table_exists_or_is_pending() {
    let labels = labels();
    let pending: BTreeSet<&str> =
        labels.capture.iter().flat_map(|label| &label.pending).flat_map(|kinds| kinds.split('|')).collect();
    for label in &labels.capture {
        let named = label.expect.iter().chain(&label.allow).chain(&label.never).chain(&label.pending_gone);
        for kind in named.flat_map(|kinds| kinds.split('|')) {
            assert!(is_known(kind) || pending.contains(kind), "{}: `{kind}` is not a kind of finding", label.file);
        }
    }
}

/// Captures in a folder of the project, at any depth.
fn captures_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(captures_below(&path));
        } else if path.extension().is_some_and(|ending| ending == "pcap" || ending == "pcapng") {
            found.push(path);
        }
    }
    found
}

#[test]
fn every_capture_has_its_row() {
    let labels = labels();
    let files: Vec<PathBuf> = labels.capture.iter().map(|label| path_of(&label.file)).collect();
    let mut named = BTreeSet::new();
    for file in &files {
        assert!(named.insert(file), "{} has two rows in tests/findings.toml", file.display());
    }
    let shared = root().join("../shared");
    let all =
        [scenarios::captures(), captures_below(&shared.join("field")), captures_below(&root().join("tests/captures"))];
    // An empty file is an error before anything is diagnosed.
    let all = all.concat().into_iter().filter(|path| fs::metadata(path).is_ok_and(|facts| facts.len() > 0));
    let missing: Vec<PathBuf> = all.filter(|path| !files.contains(path)).collect();
    assert!(missing.is_empty(), "without a row in tests/findings.toml: {missing:#?}");
}
