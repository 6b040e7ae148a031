//! What people get wrong, in all three run modes: one sentence, the right exit code, and a shell that goes on.
#![cfg(unix)]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::Stdio;

use crate::support::made;
use crate::support::program::{Home, examples, finish};
use crate::support::scenarios;
use crate::support::three_modes::Refusal;

/// The bytes of the client's example capture.
fn example() -> Vec<u8> {
    std::fs::read(examples().expect("the example is shipped").join("client.pcapng")).unwrap()
}

fn fails(home: &Home, line: &str, says: &str) {
    Refusal { flags: &[], line, says, code: 1 }.check(home);
}

const NO_CAPTURE: &str = "use a pcap or pcapng file, or a table from `export`";

#[test]
fn a_missing_file() {
    fails(&Home::new(), "load_pcap absent.pcap", "absent.pcap: no such file; check the path");
}

#[test]
fn a_directory() {
    let home = Home::new();
    std::fs::create_dir(home.path("folder.pcap")).unwrap();
    fails(&home, "load_pcap folder.pcap", "folder.pcap is a directory; name a capture file in it");
}

#[test]
fn an_empty_file() {
    let home = Home::new();
    home.write("empty.pcap", "");
    fails(&home, "load_pcap empty.pcap", "empty.pcap is empty (0 bytes), not a capture; record it again");
}

#[test]
fn text() {
    let home = Home::new();
    home.write("notes.pcap", "these are no packets\n");
    fails(&home, "load_pcap notes.pcap", &format!("notes.pcap is not a readable capture; {NO_CAPTURE}"));
}

#[test]
fn random_bytes() {
    let home = Home::new();
    // A linear congruential generator: the same bytes each time, without any structure.
    let bytes = std::iter::successors(Some(1_u32), |n| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)));
    home.write("noise.pcap", bytes.map(|n| (n >> 24) as u8).take(4096).collect::<Vec<_>>());
    fails(&home, "load_pcap noise.pcap", &format!("noise.pcap is not a readable capture; {NO_CAPTURE}"));
}

#[test]
fn a_picture_that_tshark_would_show_as_a_frame() {
    let home = Home::new();
    home.write("dot.pcap", b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;");
    let says = format!("dot.pcap is not a readable capture (its packets have no times); {NO_CAPTURE}");
    fails(&home, "load_pcap dot.pcap", &says);
}

#[test]
fn a_capture_cut_within_its_header() {
    let home = Home::new();
    let whole = example();
    // The section header of the example is 164 bytes long.
    for cut in [6, 27, 100, 163] {
        home.write("cut.pcapng", &whole[..cut]);
        let done = home.run(&["--load", "cut.pcapng", "lt"], "");
        assert_eq!((done.code, done.results.as_str()), (Some(1), ""), "{cut}: {done:?}");
        let says = "cut.pcapng is not a readable capture (the file ends within its header)";
        assert_eq!(done.messages, format!("error: {says}; {NO_CAPTURE}\n"), "{cut}");
    }
    home.write("cut.pcapng", &whole[..100]);
    let says = "cut.pcapng is not a readable capture (the file ends within its header)";
    fails(&home, "load_pcap cut.pcapng", &format!("{says}; {NO_CAPTURE}"));
    // Less than the magic number is nothing at all.
    home.write("cut.pcapng", &whole[..2]);
    let done = home.run(&["--load", "cut.pcapng", "lt"], "");
    assert_eq!((done.code, done.results.as_str(), done.messages.lines().count()), (Some(1), "", 1), "{done:?}");
    assert!(done.messages.starts_with("error: cut.pcapng is not a readable capture"), "{done:?}");
}

/// A capture that ends in the middle of a packet is used as far as it goes, with a warning that counts.
#[test]
fn a_capture_cut_later() {
    let home = Home::new();
    let whole = example();
    for cut in [310, 5000, 399_999, 400_002, whole.len() - 1] {
        let path = home.write("cut.pcapng", &whole[..cut]);
        let packets = scenarios::counted_by_capinfos(&path);
        let listed = scenarios::tshark(&path, &["tcp.stream"]);
        let streams = listed.iter().filter(|stream| !stream.is_empty()).collect::<std::collections::BTreeSet<_>>();
        for (arguments, input) in [
            (&["--load", "cut.pcapng", "lt", "--format", "ndjson"][..], ""),
            (&["-l", "cut.pcapng", "--format", "ndjson"], "lt\n"),
        ] {
            let done = home.run(arguments, input);
            assert_eq!((done.code, done.results.lines().count()), (Some(0), streams.len()), "{cut}: {done:?}");
            assert_eq!(done.messages.lines().count(), 1, "{cut}: {done:?}");
            assert!(done.messages.starts_with("warning: "), "{cut}: {done:?}");
            let counted =
                if packets == 1 { ": 1 whole packet ".to_string() } else { format!(": {packets} whole packets ") };
            assert!(done.messages.contains(&counted), "{cut}, {packets}: {done:?}");
        }
    }
}

#[test]
fn captures_without_tcp_and_without_packets() {
    let home = Home::new();
    home.write("udp.pcap", made::pcap(&[&made::udp(), &made::udp()]));
    home.write("header.pcap", made::pcap(&[]));
    home.write("header.pcapng", [made::section_header(), made::interface("eth0")].concat());
    for name in ["udp.pcap", "header.pcap", "header.pcapng"] {
        let done = home.run(&["--load", name, "lt", "--format", "json"], "");
        assert_eq!((done.code, done.results.as_str(), done.messages.as_str()), (Some(0), "[]\n", ""), "{name}");
        let flags = ["--load", name];
        let says = format!("no TCP stream 0 in {name}: it has none; `diagnose` says why");
        Refusal { flags: &flags, line: "tcp_summary 0", says: &says, code: 1 }.check(&home);
    }
}

#[test]
fn unknown_streams_and_columns() {
    let home = Home::new();
    home.write("client.pcapng", example());
    let flags = &["--load", "client.pcapng"][..];
    let says = "no MPTCP connection 7 in client.pcapng: the only one is 0";
    Refusal { flags, line: "mptcp_summary 7", says, code: 1 }.check(&home);
    Refusal { flags, line: "dump nosuch", says: "no column `nosuch`: `columns` lists them all", code: 1 }.check(&home);
    let says = "no column `tcpln`: did you mean `tcplen`? `columns` lists them all";
    Refusal { flags, line: "dump tcpln", says, code: 1 }.check(&home);
    let says = "no TCP stream 2 in client.pcapng: there are 0 to 1, see `list_tcp_connections`";
    Refusal { flags, line: "tcp_summary 2", says, code: 1 }.check(&home);
    let says = "no MPTCP connection 1 in client.pcapng: the only one is 0";
    for line in ["export out.csv --mptcpstream 1", "clean_pcap client.pcapng out.pcapng --mptcpstream 1"] {
        Refusal { flags, line, says, code: 1 }.check(&home);
    }
}

#[test]
fn words_that_do_not_fit() {
    let home = Home::new();
    for (line, says) in [
        ("mptcp_sumary 0", "unknown command `mptcp_sumary`; did you mean `mptcp_summary`?"),
        ("lt now", "unexpected argument 'now' found; see `help list_tcp_connections`"),
        (
            "tcp_summary 0 --toward server",
            "unexpected argument '--toward' found; a similar argument exists: '--towards'; see `help tcp_summary`",
        ),
        (
            "tcp_summary first",
            "invalid value 'first' for '[TCPSTREAM]': streams are numbered from 0; see `help tcp_summary`",
        ),
        ("load_pcap", "the following required arguments were not provided: <FILE>; see `help load_pcap`"),
    ] {
        Refusal { flags: &[], line, says, code: 2 }.check(&home);
    }
}

#[test]
fn nothing_loaded() {
    let says = "no capture is loaded; use `load_pcap FILE` first, or start with `--load FILE`";
    fails(&Home::new(), "list_mptcp_connections", says);
}

#[test]
fn a_configuration_with_a_typing_error_starts_nothing() {
    let home = Home::new();
    home.write("mine.toml", "# lab\nformat = \"csv\"\ntshrak = \"/usr/bin/tshark\"\n");
    home.write("lines.txt", "help quit\n");
    let says = "error: mine.toml:3: unknown key `tshrak`; did you mean `tshark`?\n";
    for words in [&["help", "quit"][..], &["lines.txt"], &["--batch", "lines.txt"], &[]] {
        let done = home.run(&[&["--config", "mine.toml"], words].concat(), "help quit\n");
        assert_eq!((done.code, done.results.as_str(), done.messages.as_str()), (Some(1), "", says), "{words:?}");
    }
    let mut program = home.program();
    program.args(["--config", "mine.toml"]).env("NO_COLOR", "1");
    let mut session = expectrl::Session::spawn(program).unwrap();
    expectrl::Expect::expect(&mut session, says.trim_end()).unwrap();
    expectrl::Expect::expect(&mut session, expectrl::Eof).unwrap();
    let status = session.get_process().wait().unwrap();
    assert!(matches!(status, expectrl::process::unix::WaitStatus::Exited(_, 1)), "{status:?}");
}

#[test]
fn paths_that_are_not_text() {
    let home = Home::new();
    let name = OsString::from_vec(b"odd\xff.pcapng".to_vec());
    std::fs::write(home.path("").join(&name), example()).unwrap();
    let mut program = home.program();
    program.arg("--load").arg(&name).args(["lt", "--format", "ndjson"]);
    let done = finish(program, "");
    assert_eq!((done.code, done.results.lines().count(), done.messages.as_str()), (Some(0), 2, ""), "{done:?}");

    // In a script the name is typed as it is.
    let mut line =
        b"load_pcap odd\xff.pcapng\nlt --format csv --output odd\xfe.csv\nexport odd\xfd.csv\nload_pcap odd\xfd.csv\n"
            .to_vec();
    std::fs::write(home.path("lines.txt"), &line).unwrap();
    let done = home.run(&["lines.txt"], "");
    assert_eq!((done.code, done.results.as_str()), (Some(0), ""), "{done:?}");
    assert!(done.messages.contains("loaded odd\u{fffd}.pcapng: 5445 TCP packets"), "{done:?}");
    let written = std::fs::read_to_string(home.path("").join(OsString::from_vec(b"odd\xfe.csv".to_vec()))).unwrap();
    assert_eq!(written.lines().count(), 3, "{written}");

    let table = std::fs::read_to_string(home.path("").join(OsString::from_vec(b"odd\xfd.csv".to_vec()))).unwrap();
    assert_eq!(table.lines().count(), 5446, "a header and each packet");
    assert!(done.messages.contains("loaded odd\u{fffd}.csv: 5445 TCP packets"), "{done:?}");

    line.splice(0.., *b"load_pcap no\xff.pcap\n");
    std::fs::write(home.path("lines.txt"), &line).unwrap();
    let done = home.run(&["lines.txt"], "");
    assert_eq!(done.messages, "lines.txt:1: no\u{fffd}.pcap: no such file; check the path\n");
}

#[test]
fn a_pipe_is_read_or_refused_but_never_waited_for() {
    let home = Home::new();
    assert!(std::process::Command::new("mkfifo").arg(home.path("pipe")).status().unwrap().success());
    let fed = home.path("pipe");
    // A writer that gives up when nobody reads.
    let writer = std::thread::spawn(move || std::fs::write(fed, made::pcap(&[&made::mptcp_syn()])));
    let done = home.run(&["--load", "pipe", "lt", "--format", "json"], "");
    assert!(!done.messages.contains("panicked"), "{done:?}");
    match done.code {
        Some(0) => assert!(done.results.contains("\"client_port\": 12345"), "{done:?}"),
        code => {
            assert_eq!((code, done.messages.lines().count(), done.results.as_str()), (Some(1), 1, ""), "{done:?}");
            // Lets the writer go.
            let _ = std::fs::read(home.path("pipe"));
        }
    }
    let _ = writer.join();
}

#[test]
fn two_processes_load_the_same_file_at_once() {
    let home = Home::new();
    home.write("client.pcapng", example());
    let start = || {
        let mut program = home.program();
        program.args(["--load", "client.pcapng", "mptcp_summary", "0", "--format", "json"]);
        program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let [first, second] = [start(), start()].map(|child| child.wait_with_output().unwrap());
    assert!(first.status.success() && second.status.success(), "{first:?} {second:?}");
    assert_eq!((first.stderr.as_slice(), second.stderr.as_slice()), (&[][..], &[][..]));
    assert_eq!(first.stdout, second.stdout);
    let third = home.run(&["--load", "client.pcapng", "mptcp_summary", "0", "--format", "json"], "");
    assert_eq!(third.results.as_bytes(), first.stdout, "what they left in the cache");
    assert!(third.results.contains("\"goodput_bytes\": 5000040"));
}

#[test]
fn a_cache_that_cannot_be_used_is_a_warning() {
    let home = Home::new();
    home.write("client.pcapng", example());
    home.write("file", "");
    let done = home.run(&["--cachedir", "file/cache", "--load", "client.pcapng", "lt", "--format", "ndjson"], "");
    assert_eq!((done.code, done.results.lines().count()), (Some(0), 2), "{done:?}");
    assert_eq!(done.messages.lines().count(), 1, "{done:?}");
    assert!(done.messages.starts_with("warning: cannot use the cache file/cache"), "{done:?}");
    assert!(Path::new(&home.path("file")).is_file());
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let home = Home::new();
    let many = scenarios::folder().map(|folder| folder.join("12_many_short/client.pcapng"));
    let arguments: Vec<OsString> = match &many {
        Some(capture) => vec!["--load".into(), capture.into(), "lt".into()],
        None => vec!["help".into()],
    };
    let mut program = home.program();
    program.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    // Nobody will read a single byte: closed before the first is written.
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}
