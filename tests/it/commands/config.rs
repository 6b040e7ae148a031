//! The configuration file as a person meets it.

use std::collections::BTreeSet;
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
    assert_eq!(Config::keys().count(), 15);
    for key in Config::keys() {
        let line = lines.iter().position(|line| line.starts_with(&format!("{key} = ")) || *line == format!("[{key}]"));
        let line = line.unwrap_or_else(|| panic!("{key}"));
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

/// The addresses of the lab: the client has 10.0.1.1 and 10.0.2.1, the server 10.0.1.2.
#[test]
fn names_of_interfaces_name_subflows_in_tables_json_and_plots() {
    let home = Home::new();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.pcapng");
    home.write("client.pcapng", fs::read(example).unwrap());
    home.write("mine.toml", "[interfaces]\n\"10.0.1.1\" = \"Wi-Fi\"\n\"10.0.2.0/24\" = \"LTE\"\n");
    let run = |words: &[&str]| {
        let finished = home.run(&[&["--config", "mine.toml", "-l", "client.pcapng"], words].concat(), "");
        assert_eq!(finished.code, Some(0), "{}", finished.messages);
        finished.results
    };
    let json = |words: &[&str]| serde_json::from_str::<serde_json::Value>(&run(words)).unwrap();
    let subflows = json(&["list_subflows", "0", "--format", "json"]);
    assert_eq!((&subflows[0]["path_client"], &subflows[1]["path_client"]), (&"Wi-Fi".into(), &"LTE".into()));
    assert_eq!(subflows[0].get("path_server"), None, "the server's address has no name");
    let shares = &json(&["mptcp_summary", "0", "--format", "json"])["directions"][0]["subflows"];
    assert_eq!((&shares[0]["path"], &shares[1]["path"]), (&"Wi-Fi".into(), &"LTE".into()));
    assert!(run(&["list_subflows", "0"]).contains("Wi-Fi"));
    assert!(run(&["mptcp_summary", "0"]).contains("Wi-Fi"));
    let values = run(&["plot", "dsn", "0", "--format", "csv"]);
    assert!(values.contains("Wi-Fi") && values.contains("LTE") && !values.contains("subflow 0"));
    let values = run(&["plot", "dsn", "0", "--label", "0=cable", "--format", "csv"]);
    assert!(values.contains("cable") && values.contains("LTE") && !values.contains("Wi-Fi"));
    // Every listing of streams has them, as a column and as a key.
    for line in [
        "tcp_summary",
        "list_tcp_connections",
        "rtt 0",
        "traffic 0",
        "bursts 0",
        "events 0",
        "retransmissions --mptcpstream 0",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let shown = run(&words);
        assert!(shown.contains("Wi-Fi") && shown.contains(" path "), "{line}\n{shown}");
        let csv = run(&[words.as_slice(), &["--format", "csv"]].concat());
        let header = csv.lines().next().unwrap();
        let place =
            |name: &str| header.split(',').position(|column| column == name).unwrap_or_else(|| panic!("{header}"));
        let (stream, path) = (place("tcpstream"), place("path"));
        let cells = csv.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        let named: BTreeSet<(&str, &str)> = cells.map(|cells| (cells[stream], cells[path])).collect();
        let expected = BTreeSet::from([("0", "Wi-Fi"), ("1", "LTE")]);
        assert!(
            named.iter().filter(|(stream, _)| !stream.is_empty() && *stream != "all").all(|one| expected.contains(one)),
            "{line}: {named:?}"
        );
    }
    assert!(run(&["diagnose"]).contains("mptcp 0, tcp 0 (Wi-Fi)"));
    let one = run(&["tcp_summary", "1"]);
    assert!(one.starts_with("TCP stream 1 (LTE): "), "{one}");
    assert_eq!(json(&["tcp_summary", "1", "--format", "json"])["path"], "LTE");
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/server.pcapng");
    home.write("server.pcapng", fs::read(server).unwrap());
    let two = ["mptcp", "client.pcapng", "0", "server.pcapng"];
    assert!(run(&[&["print_owds"], two.as_slice()].concat()).contains("Wi-Fi"));
    let values = run(&[&["plot", "owd"], two.as_slice(), &["--format", "csv"]].concat());
    assert!(values.contains("Wi-Fi") && values.contains("LTE") && !values.contains("subflow 0"));
    let values = run(&["plot", "tcp_attr", "1", "tcpseq", "--format", "csv"]);
    assert!(values.contains("LTE") && !values.contains("TCP stream 1,"));
    // Without the table nothing is added.
    let plain = home.run(&["-l", "client.pcapng", "list_subflows", "0", "--format", "json"], "").results;
    assert!(!plain.contains("path_client"));
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
