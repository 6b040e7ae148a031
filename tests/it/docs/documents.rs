//! The documents name files that exist, and the commands that they give test what they say.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Files that a person has, not the repository.
const FILES_OF_A_PERSON: &[&str] = &["config.toml", "shell.toml"];

/// Endings of sources and documents: a word in backticks with one of them is the name of a file in the repository.
const ENDINGS: &[&str] = &["rs", "md", "toml", "mptcp", "transcript", "py", "sh", "svg"];

/// Folders at the top: a word in backticks that begins with one of them is a path from the root.
const TOPS: &[&str] =
    &["src", "crates", "tests", "docs", "examples", "plugins", "benches", "fuzz", "assets", "integrations", ".ci"];

/// All files below a folder, in order.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true if path.ends_with("target") => {}
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    files
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<PathBuf> {
    let mut documents = vec![root().join("README.md"), root().join("CONTRIBUTING.md")];
    documents.extend(["crates/mptcp-trace", "integrations/dask"].map(|folder| root().join(folder).join("README.md")));
    let pages = files_below(&root().join("docs")).into_iter();
    documents.extend(pages.filter(|path| path.extension().is_some_and(|ending| ending == "md")));
    documents
}

/// Every file of the repository, as a path from the root.
fn tree() -> Vec<String> {
    let mut files = Vec::new();
    for top in TOPS {
        files.extend(files_below(&root().join(top)));
    }
    let top = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.extend(top);
    files.iter().map(|path| path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()).collect()
}

/// The text outside of fenced blocks.
fn prose(text: &str) -> String {
    let mut inside = false;
    let mut kept = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if !inside {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Whether a word in backticks is meant as a path of the repository.
fn is_path(word: &str) -> bool {
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    let ending = Path::new(word).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let top = word.split('/').next().unwrap_or_default();
    let from_the_top = word.contains('/') && TOPS.contains(&top);
    plain
        && !FILES_OF_A_PERSON.contains(&word)
        && (from_the_top || (ENDINGS.contains(&ending) && !word.starts_with('.')))
}

/// Whether the tree has the path: from the root, as the end of a longer path, or as a folder.
fn exists(tree: &[String], word: &str) -> bool {
    let word = word.trim_end_matches('/');
    tree.iter().any(|file| file == word || file.ends_with(&format!("/{word}")) || file.starts_with(&format!("{word}/")))
}

#[test]
fn paths_in_backticks_exist() {
    let tree = tree();
    let quoted = Regex::new(r"`([^`\n]+)`").unwrap();
    let (mut seen, mut missing) = (0, Vec::new());
    for document in documents() {
        for word in quoted.captures_iter(&prose(&fs::read_to_string(&document).unwrap())) {
            if is_path(&word[1]) {
                seen += 1;
                if !exists(&tree, &word[1]) {
                    missing.push(format!("{}: {}", document.display(), &word[1]));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(seen > 40, "only {seen} paths were found");
}

#[test]
fn links_lead_somewhere() {
    let link = Regex::new(r"\]\(([^)#:]+)(#[^)]*)?\)").unwrap();
    for document in documents() {
        for target in link.captures_iter(&prose(&fs::read_to_string(&document).unwrap())) {
            let path = document.parent().unwrap().join(&target[1]);
            assert!(path.exists(), "{}: {}", document.display(), &target[1]);
        }
    }
}

#[test]
fn the_test_command_tests_both_crates() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("default-members = [\".\", \"crates/mptcp-trace\"]"), "`cargo test` leaves a crate out");
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.lines().any(|line| line == "tests/run"), "README's second command is another");
    let runs = [
        ("tests/run", "cargo test --workspace"),
        (".ci/run", "cargo clippy --workspace --all-targets"),
        (".ci/run", "tests/run"),
    ];
    for (script, command) in runs {
        let lines = fs::read_to_string(root().join(script)).unwrap();
        assert!(lines.lines().any(|line| line.starts_with(command)), "`{script}` does not run {command}");
    }
}

#[test]
fn what_is_a_path_is_told_from_what_is_not() {
    for path in ["src/cli.rs", "standing.rs", "exported/contain.rs", "docs/plugins.md", ".ci/run", "plugins/"] {
        assert!(is_path(path), "{path}");
    }
    for other in ["config.toml", "tcp or (vlan and tcp)", "drawing::figure", "-o dsn.svg", "x.pcap", ".svg", "live/"] {
        assert!(!is_path(other), "{other}");
    }
    let tree = ["src/packets/exported/contain.rs".to_string()];
    assert!(exists(&tree, "exported/contain.rs") && exists(&tree, "src/packets") && !exists(&tree, "tain.rs"));
}
