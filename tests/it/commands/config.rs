//! The configuration file as a person meets it.

use std::fs;
use std::path::Path;

use mptcpanalyzer::config::Config;

use crate::support::program::Home;

#[test]
fn the_example_shows_every_key_with_its_default() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/config.toml");
    let read = Config::load(Some(&path)).unwrap();
    assert_eq!(read.file.as_deref(), Some(path.as_path()));
    assert_eq!(Config { file: None, ..read }, Config::default());

    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(Config::keys().count(), 14);
    for key in Config::keys() {
        let line =
            lines.iter().position(|line| line.starts_with(&format!("{key} = "))).unwrap_or_else(|| panic!("{key}"));
        assert!(lines[line - 1].starts_with("# "), "{key} has no comment above it");
    }
}

#[test]
fn a_file_that_was_named_must_exist_and_be_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("mine.toml");
    let said = Config::load(Some(&missing)).unwrap_err().to_string();
    assert_eq!(said, format!("{}: no such configuration file; check the path given to `--config`", missing.display()));
    let said = Config::load(Some(folder.path())).unwrap_err().to_string();
    assert!(said.starts_with("cannot read the configuration file"), "{said}");
}

#[test]
fn a_mistake_names_file_line_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    fs::write(&path, "# lab\nformat = \"csv\"\nhistory = 5\n").unwrap();
    let said = Config::load(Some(&path)).unwrap_err().to_string();
    assert_eq!(said, format!("{}:3: unknown key `history`; did you mean `history_size`?", path.display()));
}

#[test]
fn text_that_is_not_utf_8_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    fs::write(&path, b"tshark = \"\xff\"\n").unwrap();
    assert!(Config::load(Some(&path)).unwrap_err().to_string().starts_with("cannot read the configuration file"));
}

#[test]
fn a_delimiter_that_values_need_is_refused_with_its_line_and_others_part_csv() {
    let home = Home::new();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/two_paths.pcapng");
    home.write("two_paths.pcapng", fs::read(example).unwrap());
    let words = ["--config", "mine.toml", "-l", "two_paths.pcapng", "list_mptcp_connections", "--format"];
    for (refused, accepted) in [("_", ";"), ("a", " "), (".", "|"), ("-", "\\t"), ("\\n", "/")] {
        home.write("mine.toml", format!("# lab\ndelimiter = \"{refused}\"\n"));
        for format in ["csv", "table", "json"] {
            let done = home.run(&[&words[..], &[format]].concat(), "");
            assert_eq!((done.code, done.results.as_str()), (Some(1), ""));
            assert!(done.messages.starts_with("error: mine.toml:2: `delimiter` takes one ASCII "), "{}", done.messages);
        }
        home.write("mine.toml", format!("# lab\ndelimiter = \"{accepted}\"\n"));
        for format in ["csv", "table", "json"] {
            let done = home.run(&[&words[..], &[format]].concat(), "");
            assert_eq!((done.code, done.messages.as_str()), (Some(0), ""));
            let head = format!("mptcpstream{}", accepted.replace("\\t", "\t"));
            assert!(format != "csv" || done.results.starts_with(&head), "{}", done.results);
        }
    }
}
