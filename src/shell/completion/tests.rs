use clap::{Arg, ArgMatches, ValueHint};

use std::sync::Arc;

use super::snapshot::Known;
use super::*;
use crate::commands::Session;
use crate::commands::{Category, Example, Outcome};
use crate::config::Config;

fn names(text: &str) -> (usize, Vec<String>) {
    let snapshot = Snapshot::of(&Session::new(Config::default(), None), None);
    let (start, candidates) = complete(&snapshot, text, text.len(), 80);
    (start, candidates.into_iter().map(|candidate| candidate.replacement).collect())
}

#[test]
fn commands_complete_by_name_and_alias() {
    assert_eq!(names("hel"), (0, vec!["help ".to_string()]));
    assert_eq!(names("  exi"), (2, vec!["exit ".to_string()]));
    assert!(names("").1.contains(&"quit ".to_string()));
    assert!(!names("").1.contains(&"exit ".to_string()));
    assert_eq!(names("nope"), (0, vec![]));
    assert_eq!(names("nope x"), (5, vec![]));
    assert_eq!(names("# hel").1, Vec::<String>::new());
}

#[test]
fn the_text_after_the_cursor_is_not_read() {
    let (start, candidates) = complete(&Snapshot::default(), "hel quit", 3, 80);
    assert_eq!((start, candidates.len()), (0, 1));
    assert_eq!(candidates[0].display, "help  List the commands, or explain one");
}

#[test]
fn help_completes_commands_and_options() {
    assert_eq!(names("help qui"), (5, vec!["quit ".to_string()]));
    assert_eq!(names("? qui"), (2, vec!["quit ".to_string()]));
    assert_eq!(names("help --he"), (5, vec!["--help ".to_string()]));
    assert!(names("help ").1.contains(&"help ".to_string()));
}

struct Probe;

impl crate::described::Described for Probe {
    fn name(&self) -> &'static str {
        "probe"
    }
    fn summary(&self) -> &'static str {
        "Probe"
    }
    fn examples(&self) -> &'static [Example] {
        &[]
    }
    fn arguments(&self, command: clap::Command) -> clap::Command {
        command
            .arg(Arg::new("mptcpstream").required(true))
            .arg(Arg::new("file").value_hint(ValueHint::FilePath))
            .arg(Arg::new("column").long("by"))
            .arg(Arg::new("tcpstream").long("tcpstream"))
            .arg(crate::arguments::capture("first", "CAPTURE").long("first"))
            .arg(Arg::new("name").long("drop"))
    }
}

impl Command for Probe {
    fn category(&self) -> Category {
        Category::Shell
    }
    fn run(&self, _: &ArgMatches, _: &mut Session) -> crate::error::Result<Outcome> {
        Ok(Outcome::Quit)
    }
}

/// A session with streams of its own and what they are.
fn snapshot() -> Snapshot {
    let described = |values: &[&str]| -> Described {
        Arc::new(values.iter().map(|value| (value.to_string(), format!("about {value}"))).collect())
    };
    Snapshot {
        known: Arc::new(Known {
            capture: None,
            tcp_streams: described(&["1", "7", "10"]).into(),
            mptcp_streams: described(&["0", "2", "10"]).into(),
            columns: described(&["dsn", "dack", "tcplen"]).into(),
        }),
        held: Arc::default(),
        captures: described(&["client", "server"]),
        shortcuts: described(&["mine"]),
    }
}

fn values(arguments: &[&str], current: &str) -> Vec<Value> {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    argument_values(&snapshot(), &Probe, &arguments, current)
}

fn probe(arguments: &[&str], current: &str) -> Vec<String> {
    values(arguments, current).into_iter().map(|value| value.text).collect()
}

#[test]
fn streams_and_columns_come_from_the_snapshot() {
    assert_eq!(probe(&[], "")[..3], ["0", "2", "10"]);
    assert_eq!(probe(&[], "1"), ["10"]);
    assert_eq!(probe(&["--tcpstream"], ""), ["1", "7", "10"]);
    assert_eq!(probe(&["--tcpstream", "7"], "2"), ["2"]);
    let mut columns = probe(&["0", "--by"], "d");
    columns.sort();
    assert_eq!(columns, ["dack", "dsn"]);
}

#[test]
fn captures_complete_by_name_before_files_and_captures_before_other_files() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["client.pcapng", "a.txt", "b.cap", "d.pcap.zst"] {
        std::fs::write(directory.path().join(name), "").unwrap();
    }
    std::fs::create_dir(directory.path().join("c")).unwrap();
    let names = snapshot().captures;
    let offered = |typed: &str| -> Vec<String> {
        let candidates = captures_and_files(&names, directory.path(), OsStr::new(typed));
        candidates.iter().map(|candidate| candidate.get_value().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(offered(""), ["client", "server", "b.cap", "client.pcapng", "d.pcap.zst", "c/", "a.txt"]);
    assert_eq!(offered("c"), ["client", "client.pcapng", "c/"]);
    assert_eq!(offered("./c"), ["./client.pcapng", "./c/"]);
    // Through the engine, which must not put them in another order.
    assert_eq!(probe(&["0", "x", "--first"], "")[..2], ["client", "server"]);
    assert_eq!(probe(&["0", "x", "--first"], "s")[..1], ["server"]);
    assert_eq!(probe(&["0", "x", "--drop"], ""), ["client", "server"]);
}

#[test]
fn what_a_value_is_stands_beside_it_and_is_never_put_in() {
    let (start, candidates) = complete(&snapshot(), "mptcp_summary ", 14, 80);
    assert_eq!(start, 14);
    let shown: Vec<(&str, &str)> =
        candidates.iter().map(|candidate| (candidate.display.as_str(), candidate.replacement.as_str())).collect();
    assert_eq!(shown, [("0   about 0", "0 "), ("2   about 2", "2 "), ("10  about 10", "10 ")]);
    let of = |line: &str| complete(&snapshot(), line, line.len(), 80).1;
    let has = |line: &str, display: &str| {
        let found = of(line);
        assert!(found.iter().any(|candidate| candidate.display.starts_with(display)), "{display} is not in {found:?}");
    };
    has("mptcp_summary --f", "--format  Output format");
    has("plot ", "dsn  ");
    has("set ", "human_readable  unit prefixes");
    has("hel", "help  List the commands, or explain one");
    has("mi", "mine  about mine");
    // What is longer than the terminal is cut, not folded.
    let narrow = complete(&snapshot(), "mptcp_summary --f", 17, 20).1;
    assert!(narrow.iter().all(|candidate| candidate.display.chars().count() <= 17), "{narrow:?}");
    assert_eq!(narrow[0].replacement, "--format ");
}

#[test]
fn every_statement_and_every_file_completes() {
    let of = |line: &str| -> Vec<String> {
        let (_, candidates) = complete(&snapshot(), line, line.len(), 80);
        candidates.into_iter().map(|candidate| candidate.replacement).collect()
    };
    assert_eq!(of("mptcp_summary 0; mptcp_summary 1"), ["10 "]);
    assert_eq!(of("help > Cargo.l"), ["Cargo.lock "]);
    assert_eq!(of("@Cargo.l"), ["Cargo.lock "]);
    assert_eq!(of("set format nd"), ["ndjson "]);
    assert_eq!(of("alias delete m"), ["mine "]);
    assert!(of("help | gre").is_empty());
}

#[test]
fn options_and_their_values_complete() {
    assert_eq!(probe(&["0"], "--form"), ["--format"]);
    assert_eq!(probe(&["--format"], "nd"), ["ndjson"]);
    assert_eq!(probe(&[], "--format=c"), ["--format=csv"]);
    assert!(probe(&["0", "x"], "").contains(&"--output".to_string()));
}

#[test]
#[cfg(target_os = "linux")]
fn interfaces_come_from_the_system() {
    if !std::path::Path::new("/sys/class/net/lo").exists() {
        println!("skipped: no /sys, as in a bare chroot");
        return;
    }
    let (_, candidates) = complete(&snapshot(), "live l", 6, 80);
    let loopback = candidates.iter().find(|candidate| candidate.replacement == "lo ").expect("every Linux has it");
    assert!(loopback.display.starts_with("lo  loopback"), "{}", loopback.display);
}

#[test]
fn files_complete() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("my file.pcapng"), "").unwrap();
    std::fs::create_dir(directory.path().join("more")).unwrap();
    let start = format!("{}/m", directory.path().display());
    let file = format!("{}/my file.pcapng", directory.path().display());
    assert_eq!(probe(&["0"], &start), [format!("{start}ore/"), file.clone()]);
    assert_eq!(probe(&["0", "--output"], &format!("{start}y")), [file]);
    assert_eq!(replacement("more/"), "more/");
    assert_eq!(replacement("my file"), "my\\ file ");
}

#[test]
fn columns_are_known_before_a_capture_is_loaded() {
    let (_, candidates) = complete(&Snapshot::default(), "dump tcpst", 10, 80);
    assert_eq!(candidates[0].replacement, "tcpstream ");
    assert!(complete(&Snapshot::default(), "tcp_summary ", 12, 80).1.iter().all(|c| c.replacement.starts_with('-')));
}

/// The example's two captures hold the same streams in another order; only one of them is current.
#[test]
fn numbers_of_two_captures_are_those_of_the_capture_they_are_typed_for() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (client, server) = (path("client.pcapng"), path("server.pcapng"));
    let mut session = Session::new(Config::default(), None);
    session.load(Path::new(&client)).unwrap();
    let offered = |session: &Session, line: &str| -> Vec<String> {
        let (_, candidates) = complete(&Snapshot::of(session, None), line, line.len(), 200);
        candidates.into_iter().map(|candidate| candidate.display).filter(|shown| !shown.starts_with('-')).collect()
    };
    let all_start = |shown: &[String], starts: &[&str]| {
        let fits = shown.len() == starts.len() && shown.iter().zip(starts).all(|(one, start)| one.starts_with(start));
        assert!(fits, "{shown:?} instead of {starts:?}");
    };
    let of_client = ["0  10.0.1.1:43958 → ", "1  10.0.2.1:58597 → "];
    all_start(&offered(&session, &format!("print_owds tcp {client} ")), &of_client);
    all_start(&offered(&session, &format!("print_owds tcp {client} 1")), &of_client[1..]);
    all_start(&offered(&session, &format!("loss mptcp {client} ")), &["0  10.0.1.1:43958 → "]);
    all_start(&offered(&session, "plot interarrival tcp "), &of_client);
    // The other one is not read for a completion.
    let in_server = format!("loss mptcp {client} 0 {server} ");
    assert_eq!(offered(&session, &in_server), Vec::<String>::new());
    assert_eq!(offered(&session, &format!("map_tcp_connection {server} {client} ")), Vec::<String>::new());
    assert_eq!(session.remembered().count(), 0);

    session.resolve(Path::new(&server)).unwrap();
    all_start(&offered(&session, &in_server), &["0  10.0.1.1:43958 → "]);
    all_start(&offered(&session, &format!("qualify_reinjections {server} ")), &["0  10.0.1.1:43958 → "]);
    all_start(
        &offered(&session, &format!("plot reinject 0 --with {server} --with-stream ")),
        &["0  10.0.1.1:43958 → "],
    );
    all_start(&offered(&session, &format!("map_tcp_connection {server} {client} ")), &of_client);
    all_start(&offered(&session, &format!("merge tcp {client} 1 {server} ")), &of_client);
}
