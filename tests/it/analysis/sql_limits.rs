//! Queries that would take all memory, all time or all of the stack.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::program::{Finished, Home, examples};

fn capture() -> String {
    examples().expect("the examples are shipped").join("client.pcapng").display().to_string()
}

fn ask(home: &Home, flags: &[&str], query: &str) -> Finished {
    let capture = capture();
    home.run(&[flags, &["--load", &capture, "sql", query, "--format", "csv"]].concat(), "")
}

#[test]
fn hundreds_of_terms_are_answered() {
    let terms: Vec<String> = (0..400).map(|n| format!("tcplen = {n}")).collect();
    let done = ask(&Home::new(), &[], &format!("SELECT COUNT(*) AS n FROM packets WHERE {}", terms.join(" OR ")));
    assert_eq!(done.code, Some(0), "{done:?}");
    // tshark: packets with payloads of less than 400 bytes.
    let shown = ["-n", "-r", &capture(), "-Y", "tcp.len < 400", "-T", "fields", "-e", "frame.number"];
    let Ok(shark) = Command::new("tshark").args(shown).stderr(Stdio::null()).output() else { return };
    let count = String::from_utf8(shark.stdout).unwrap().lines().count();
    assert_eq!(done.results, format!("n\n{count}\n"));
}

#[test]
fn what_is_too_much_is_one_sentence() {
    let home = Home::new();
    let cross = "SELECT a.tcplen FROM packets a CROSS JOIN packets b CROSS JOIN packets c ORDER BY a.tcplen";
    let nested = format!("SELECT {}1{} AS n", "(".repeat(20_000), ")".repeat(20_000));
    let long = format!("SELECT {} AS n", vec!["1"; 20_000].join(" + "));
    let branches: Vec<String> = (0..1000).map(|n| format!("WHEN tcplen = {n} THEN {n}")).collect();
    let cases = format!("SELECT SUM(CASE {} ELSE 0 END) FROM packets", branches.join(" "));
    for (query, says) in [
        (cross.to_string(), "simplify it"),
        (
            "SELECT COUNT(DISTINCT a.packetid * 100000 + b.packetid) AS n FROM packets a CROSS JOIN packets b"
                .to_string(),
            "memory",
        ),
        ("SELECT a.packetid FROM packets a CROSS JOIN packets b".to_string(), "more than 1000000 rows; add LIMIT"),
        (nested, ""),
        (long, "longer than 64 KiB"),
        (cases, "200 branches"),
    ] {
        let started = Instant::now();
        let done = ask(&home, &["--memory-limit", "128MiB"], &query);
        let short: String = query.chars().take(60).collect();
        assert!(matches!(done.code, Some(1 | 2)), "{short}: {done:?}");
        assert_eq!(done.messages.lines().count(), 1, "{short}: {done:?}");
        assert!(done.messages.contains(says), "{short}: {done:?}");
        assert!(started.elapsed() < Duration::from_secs(60), "{short}: {:?}", started.elapsed());
    }
}

/// A backtrace, which some people ask for everywhere, speaks of a stack, too.
#[test]
fn a_cross_join_beyond_all_memory_is_not_called_nested() {
    let home = Home::new();
    let mut program = home.program();
    let query = "SELECT COUNT(*) AS n FROM packets a CROSS JOIN packets b CROSS JOIN packets c";
    program.env("RUST_BACKTRACE", "1").args(["--memory-limit", "128MiB", "--load", &capture(), "sql", query]);
    let done = Finished::from(program.output().unwrap());
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(!done.messages.contains("nested"), "{done:?}");
}

#[test]
fn values_are_answered_and_the_limit_can_be_set() {
    let home = Home::new();
    let done = home.run(
        &["--load", &capture(), "-b", "-"],
        "sql \"VALUES (1)\" --format csv\nset sql_limit 5\nsql \"SELECT packetid FROM packets\"\n",
    );
    assert!(done.results.contains('1'), "{done:?}");
    assert!(
        done.messages.ends_with("the answer has more than 5 rows; add LIMIT, or raise `set sql_limit`\n"),
        "{done:?}"
    );
}

#[test]
fn ctrl_c_ends_the_work() {
    let home = Home::new();
    let mut program = home.program();
    let query = "SELECT COUNT(DISTINCT a.packetid * 100000 + b.packetid) AS n FROM packets a CROSS JOIN packets b";
    program.args(["--load", &capture(), "sql", query]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = program.spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    let sent = Instant::now();
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let done = Finished::from(child.wait_with_output().unwrap());
    assert_eq!(done.code, Some(130), "{done:?}");
    assert!(sent.elapsed() < Duration::from_secs(1), "{:?}", sent.elapsed());
}

#[test]
fn a_capture_of_more_packets_than_fit_stops_with_one_sentence() {
    let home = Home::new();
    // One header and the same packet again and again: small when compressed, not in memory.
    let frame = crate::support::made::mptcp_syn();
    let mut one = crate::support::made::pcap(&[&frame]);
    let record = one.split_off(24);
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    std::io::Write::write_all(&mut encoder, &one).unwrap();
    for _ in 0..600_000 {
        std::io::Write::write_all(&mut encoder, &record).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 200_000);
    home.write("bomb.pcap.zst", bomb);
    let done = home.run(&["--memory-limit", "100MB", "--load", "bomb.pcap.zst", "lt"], "");
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(
        done.messages.contains("bomb.pcap.zst has too many packets for 100.0 MB of memory: reading stopped after "),
        "{done:?}"
    );
    assert_eq!(done.messages.lines().count(), 1, "{done:?}");
    let done = home.run(&["--memory-limit", "4GiB", "--load", "bomb.pcap.zst", "lt", "--format", "csv"], "");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(home.run(&["--memory-limit", "lots", "help"], "").messages.contains(
        "not a valid amount of memory; give a \
        number"
    ));
    assert!(home.run(&["--memory-limit", "99999999999TiB", "help"], "").messages.contains("give less"));
}

/// Killed, the program cannot end what it started; the process that works on the query ends all the same.
#[cfg(target_os = "linux")]
#[test]
fn the_work_ends_with_a_program_that_is_killed() {
    let home = Home::new();
    let mut program = home.program();
    let query = "SELECT COUNT(DISTINCT a.packetid * 100000 + b.packetid) AS n FROM packets a CROSS JOIN packets b";
    program.args(["--load", &capture(), "sql", query]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = program.spawn().unwrap();
    let worker = within(Duration::from_secs(20), || {
        let path = format!("/proc/{0}/task/{0}/children", child.id());
        let children = std::fs::read_to_string(path).unwrap_or_default();
        children.split_whitespace().find(|id| serves(id)).map(str::to_string)
    });
    let worker = worker.expect("a process works on the query");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(within(Duration::from_secs(10), || (!serves(&worker)).then_some(())).is_some(), "{worker} lives on");
}

/// Whether the process is one that works on a query.
#[cfg(target_os = "linux")]
fn serves(process: &str) -> bool {
    let words = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    words.split(|byte| *byte == 0).any(|word| word == b"__answer_query")
}

#[cfg(target_os = "linux")]
fn within<T>(limit: Duration, mut wanted: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(found) = wanted() {
            return Some(found);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

#[test]
fn three_way_joins_beyond_the_memory_name_it() {
    let home = Home::new();
    let joins = "packets a JOIN packets b ON a.tcpdest = b.tcpdest JOIN packets c ON a.tcpdest = c.tcpdest";
    for query in [
        format!("SELECT COUNT(DISTINCT a.packetid + b.packetid * 7 + c.packetid * 11) AS n FROM {joins}"),
        format!(
            "SELECT a.packetid AS x, b.tcplen AS y, c.reltime AS z FROM {joins} ORDER BY a.reltime, b.reltime, c.reltime"
        ),
    ] {
        let done = ask(&home, &["--memory-limit", "500MiB"], &query);
        assert_eq!(done.code, Some(1), "{done:?}");
        // Which of the two comes first is polars' choice; that the query was nested or cannot be run is not so.
        let sentences = [
            "error: the query needs more than 524.3 MB of memory; simplify it, or raise `--memory-limit`\n",
            "error: the query makes more than 2^32 intermediate rows; simplify it\n",
        ];
        assert!(sentences.contains(&done.messages.as_str()), "{query}: {done:?}");
    }
}
