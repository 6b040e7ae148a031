//! `live` with programs that stand in for those that capture.
#![cfg(unix)]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use expectrl::{ControlCode, Expect, Session};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::program::{Finished, Home, examples, finish};
use crate::support::{made, scenarios};

/// The example capture of 5,445 TCP packets.
fn example() -> PathBuf {
    examples().expect("the example captures are part of the project").join("client.pcapng")
}

/// A program that captures by doing what these lines of sh say.
fn captures_by(home: &Home, lines: &str) -> PathBuf {
    let path = home.write("fake-tcpdump", format!("#!/bin/sh\n{lines}\n"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn run(home: &Home, script: &str) -> Finished {
    finish(home.program(), script)
}

/// The objects of NDJSON.
fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// Waits until no process has one of the numbers in this file, one per line.
fn gone(pids: &Path) -> bool {
    let pids = fs::read_to_string(pids).unwrap();
    assert!(!pids.trim().is_empty(), "the program never ran");
    // A process that ended and was not waited for is left to init, which may take its time.
    let runs = |pid: &str| {
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).ok();
        state.is_some_and(|state| !state.rsplit(") ").next().unwrap_or("").starts_with('Z'))
    };
    let until = Instant::now() + Duration::from_secs(10);
    while pids.split_whitespace().any(runs) {
        if Instant::now() > until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

#[test]
fn what_is_left_is_what_loading_the_file_gives() {
    let home = Home::new();
    let program = captures_by(&home, &format!("cat {}", example().display()));
    let questions = "lt --format csv\nlc --format json\nmptcp_summary 0 --format json\nlist_subflows 0\nevents 0\n";
    let live = format!("live eth7 --with {} --output x.ndjson\nexport live.csv\n{questions}", program.display());
    let live = run(&home, &live);
    assert_eq!(live.code, Some(0), "{live:?}");
    let kept = "kept as live:eth7: 5445 TCP packets of 5462 frames, 2 TCP streams, 1 MPTCP connection";
    assert!(live.messages.contains(kept), "{}", live.messages);
    let loaded = run(&home, &format!("load_pcap {}\nexport file.csv\n{questions}", example().display()));
    assert_eq!(live.results, loaded.results);
    let (one, other) = (fs::read(home.path("live.csv")).unwrap(), fs::read(home.path("file.csv")).unwrap());
    assert!(one == other, "the packet tables differ");
}

#[test]
fn events_are_those_that_the_events_command_shows() {
    let home = Home::new();
    let file = example();
    let watched = run(&home, &format!("live {} --format ndjson\n", file.display()));
    let events = run(&home, &format!("load_pcap {}\nevents 0 --format ndjson\n", file.display()));
    let mut live: Vec<Value> = objects(&watched.results).into_iter().filter(|it| it["record"] == "event").collect();
    live.sort_by_key(|event| event["packetid"].as_u64());
    let events = objects(&events.results);
    assert!(events.len() > 10 && live.len() == events.len(), "{} of {}", live.len(), events.len());
    for (live, event) in live.iter().zip(&events) {
        for key in ["packetid", "reltime", "tcpstream", "towards", "event"] {
            assert_eq!(live[key], event[key], "{key} of {live}");
        }
        // How long a standstill lasts is known only later.
        assert!(live["detail"] == event["detail"] || event["event"] == "subflow_stale", "{live} {event}");
        assert_eq!(live["mptcpstream"], 0);
    }
    // truth.json of the recording and `ip` on its machine: the client's addresses are .1 on each path.
    assert_eq!(live[0]["client_ip"], "10.0.1.1");
    let forms = ["json", "csv", "table"].map(|form| run(&home, &format!("live {} --format {form}\n", file.display())));
    let document: Value = serde_json::from_str(&forms[0].results).unwrap();
    assert_eq!(document.as_array().unwrap().len(), objects(&watched.results).len());
    assert_eq!(forms[1].results.lines().count(), objects(&watched.results).len() + 1);
    assert!(forms[2].results.contains("\n   0.738864      0     1  server   join_established  HMAC valid\n"));
}

#[test]
fn ctrl_c_at_the_prompt_ends_it_and_leaves_the_result_and_no_process() {
    let home = Home::new();
    let pids = home.path("pids");
    // It ignores being asked, and so does what it started.
    let lines = format!(
        "trap '' INT\necho $$ > {pids}\nsleep 1000 &\necho $! >> {pids}\ncat {file}\nwhile :; do sleep 100; done",
        pids = pids.display(),
        file = example().display()
    );
    let fake = captures_by(&home, &lines);
    let mut program = home.program();
    program.env("NO_COLOR", "1");
    let mut session = Session::spawn(program).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(30)));
    session.expect("mptcpanalyzer> ").unwrap();
    session.send(format!("live eth7 --with {}\r", fake.display())).unwrap();
    session.expect("7.434215").unwrap();
    session.send(ControlCode::EndOfText).unwrap();
    session.expect("kept as live:eth7: 5445 TCP packets").unwrap();
    session.expect("mptcpanalyzer [live:eth7]> ").unwrap();
    assert!(gone(&pids));
    session.send("mptcp_summary 0\r").unwrap();
    session.expect("towards").unwrap();
    session.expect("mptcpanalyzer [live:eth7]> ").unwrap();
    session.send("quit\r").unwrap();
    session.expect(expectrl::Eof).unwrap();
}

#[test]
fn an_interrupt_ends_it_in_order_and_the_script_goes_on() {
    let home = Home::new();
    let pids = home.path("pids");
    // Like tcpdump: asked to end, it says what it dropped.
    let lines = format!(
        "echo $$ > {}\ntrap 'echo \"3 packets dropped by kernel\" >&2; exit 0' INT\ncat {}\nwhile :; do sleep 0.05; done",
        pids.display(),
        example().display()
    );
    let fake = captures_by(&home, &lines);
    let script = home.write("script", format!("live eth7 --with {} --as it\nlc --format csv\n", fake.display()));
    let mut program = home.program();
    program.arg("--batch").arg(script).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = program.spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while !pids.exists() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(1500));
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    let done: Finished = child.wait_with_output().unwrap().into();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.messages.contains("warning: fake-tcpdump: the kernel dropped 3 packets"), "{}", done.messages);
    assert!(done.messages.contains("kept as it: 5445 TCP packets of 5462 frames"), "{}", done.messages);
    assert!(done.results.contains("mptcpstream,"), "the next line ran: {}", done.results);
    assert!(gone(&pids));
}

#[test]
fn what_the_program_complains_of_is_the_error_and_the_capture_before_stays() {
    let home = Home::new();
    let fails = |lines: &str| {
        let program = captures_by(&home, lines);
        let load = format!("load_pcap {}\n", example().display());
        let done = finish(
            {
                let mut command = home.program();
                command.args(["--batch", "-", "--keep-going"]);
                command
            },
            &format!("{load}live eth7 --with {}\nlc --format csv\n", program.display()),
        );
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.results.starts_with("mptcpstream,"), "the capture before is still there: {done:?}");
        done.messages
    };
    let said = fails("echo 'tcpdump: eth7: You don'\\''t have permission to capture \u{1b}[31m' >&2; exit 1");
    let sentence = "fake-tcpdump captured nothing on eth7: \"tcpdump: eth7: You don't have permission to capture \
                    \\u{1b}[31m\"; run it as root";
    assert!(said.contains(sentence), "{said}");
    assert!(fails("exit 0").contains("captured nothing on eth7: it ended with exit status: 0"));
    assert!(fails("yes garbage").contains("eth7 is not a readable capture"));
    let absent = run(&home, "live eth7 --with /no/such/program\n");
    assert!(absent.messages.contains("cannot start /no/such/program: No such file"), "{}", absent.messages);
    let mut program = home.program();
    program.env("PATH", home.path("empty")).args(["live", "eth7"]);
    let none = finish(program, "");
    assert!(none.messages.contains("neither dumpcap nor tcpdump found; install one"), "{}", none.messages);
}

#[test]
fn garbage_ends_it_and_leaves_what_came_before() {
    let home = Home::new();
    let pids = home.path("pids");
    let whole = fs::read(example()).unwrap();
    let file = home.write("start", &whole[..40_000]);
    let lines = format!("echo $$ > {}\ncat {}\nyes", pids.display(), file.display());
    let program = captures_by(&home, &lines);
    let done = run(&home, &format!("live eth7 --with {}\nlc --format csv\n", program.display()));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.messages.contains("is damaged from byte"), "{}", done.messages);
    assert!(done.messages.contains("kept as live:eth7: "), "{}", done.messages);
    assert!(gone(&pids));
}

#[test]
fn only_the_last_packets_are_kept() {
    let home = Home::new();
    let file = example();
    let mut script = String::new();
    for keep in [1, 7, 1000, 5445] {
        script.push_str(&format!("live {} --keep {keep} --output x.ndjson\nexport {keep}.csv\n", file.display()));
    }
    script.push_str(&format!("load_pcap {}\nexport all.csv --columns packetid,reltime,tcpseq_raw\n", file.display()));
    let done = run(&home, &script);
    assert_eq!(done.code, Some(0), "{done:?}");
    // 5,445 are 86 blocks of 63, of which 15 are kept, and 27.
    let left_out = "4473 older packets dropped: only the last 972 are loaded";
    assert!(done.messages.contains(left_out), "{}", done.messages);
    let all = fs::read_to_string(home.path("all.csv")).unwrap();
    let column = |name: &str, wanted: &str| -> Vec<String> {
        let text = fs::read_to_string(home.path(name)).unwrap();
        let place = text.lines().next().unwrap().split(',').position(|cell| cell == wanted).unwrap();
        text.lines().skip(1).map(|line| line.split(',').nth(place).unwrap().to_string()).collect()
    };
    for keep in [1, 7, 1000, 5445] {
        let rows = column(&format!("{keep}.csv"), "packetid").len();
        // The oldest go in blocks of a sixteenth.
        assert!(rows <= keep && rows + keep.div_ceil(16) > keep, "{rows} of {keep}");
        for name in ["packetid", "reltime", "tcpseq_raw"] {
            let whole = column("all.csv", name);
            assert_eq!(column(&format!("{keep}.csv"), name), whole[whole.len() - rows..], "{name} of {keep}");
        }
    }
    assert_eq!(all.lines().count(), 5446);
}

#[test]
fn it_ends_by_itself_after_packets_or_time() {
    let home = Home::new();
    let program = captures_by(&home, &format!("cat {}\nexec sleep 1000", example().display()));
    let line = |options: &str| {
        let started = Instant::now();
        let done = run(&home, &format!("live eth7 --with {} {options}\n", program.display()));
        assert_eq!(done.code, Some(0), "{done:?}");
        (done.messages, started.elapsed())
    };
    let (said, _) = line("--packets 100");
    assert!(said.contains("kept as live:eth7: 100 TCP packets"), "{said}");
    let (said, took) = line("--duration 1.5");
    assert!(said.contains("kept as live:eth7: 5445 TCP packets"), "{said}");
    assert!((1.5..10.0).contains(&took.as_secs_f64()), "{took:?}");
}

#[test]
fn what_comes_is_written_as_it_came() {
    let home = Home::new();
    let program = captures_by(&home, &format!("cat {}", example().display()));
    let live = |options: &str| run(&home, &format!("live eth7 --with {} {options}\n", program.display()));
    assert_eq!(live("--write copy.pcapng").code, Some(0));
    assert!(fs::read(home.path("copy.pcapng")).unwrap() == fs::read(example()).unwrap());
    let refused = live("--write copy.pcapng");
    assert_eq!(refused.code, Some(1));
    assert!(refused.messages.contains("copy.pcapng exists; name another file, or add `--force`"), "{refused:?}");
    home.write("copy.pcapng", "something longer than nothing");
    assert_eq!(live("--write copy.pcapng --force").code, Some(0));
    assert!(fs::read(home.path("copy.pcapng")).unwrap() == fs::read(example()).unwrap());

    // What reads the file again finds there what was watched.
    let again = run(
        &home,
        &format!("live eth7 --with {} --write again.pcapng\nclean_pcap live:eth7 mptcp.pcapng\n", program.display()),
    );
    assert!(again.messages.contains("wrote 5445 of 5462 packets to mptcp.pcapng"), "{again:?}");

    // A program that fails costs no file.
    captures_by(&home, "exit 1");
    home.write("old.pcapng", "old");
    assert_eq!(live("--write old.pcapng --force").code, Some(1));
    assert_eq!(fs::read_to_string(home.path("old.pcapng")).unwrap(), "old");
    assert_eq!(live("--write new.pcapng").code, Some(1));
    assert!(!home.path("new.pcapng").exists());
    // A disk that is full costs the copy alone, and is told as a failure.
    captures_by(&home, &format!("cat {}", example().display()));
    let full = live("--write /dev/full --force");
    assert_eq!(full.code, Some(1), "{full:?}");
    assert!(full.messages.contains(": /dev/full is incomplete: No space left"), "{full:?}");
    assert!(full.messages.contains("kept as live:eth7: 5445 TCP packets"), "{full:?}");
}

#[test]
fn a_capture_comes_on_standard_input_in_pieces() {
    let home = Home::new();
    let mut program = home.program();
    program.args(["live", "-", "--format", "ndjson", "--interval", "0.5"]);
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let whole = fs::read(example()).unwrap();
    let writer = std::thread::spawn(move || {
        for part in whole.chunks(7001) {
            input.write_all(part).unwrap();
            std::thread::sleep(Duration::from_micros(500));
        }
    });
    let done: Finished = child.wait_with_output().unwrap().into();
    writer.join().unwrap();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.messages.contains("kept as live:-: 5445 TCP packets of 5462 frames"), "{}", done.messages);
    let sum: u64 = objects(&done.results)
        .iter()
        .filter(|it| it["record"] == "rate" && it["tcpstream"].is_null())
        .map(|it| it["throughput_bytes"].as_u64().unwrap())
        .sum();
    let lengths = scenarios::tshark(&example(), &["tcp.len"]);
    assert_eq!(sum, lengths.iter().filter_map(|length| length.parse::<u64>().ok()).sum::<u64>());

    let script = run(&home, "live -\n");
    assert!(script.messages.contains("standard input holds the commands"), "{}", script.messages);
}

#[test]
fn what_is_no_mptcp_is_plain_and_what_is_hostile_harmless() {
    let home = Home::new();
    let syn = made::mptcp_syn();
    let file = home.write("x.pcap", made::pcap(&[&made::udp(), &syn, &made::mptcp_syn_ack(), &syn]));
    let done = run(&home, &format!("live {} --format ndjson\n", file.display()));
    let found = objects(&done.results);
    let events: Vec<_> = found.iter().filter(|it| it["record"] == "event").map(|it| it["detail"].clone()).collect();
    assert_eq!(events, ["SYN, version 1", "SYN/ACK, version 1", "SYN, version 1"]);
    assert!(done.messages.contains("3 TCP packets of 4 frames"), "{}", done.messages);
    let empty = home.write("empty.pcap", made::pcap(&[&made::udp()]));
    let done = run(&home, &format!("live {}\n", empty.display()));
    assert!(done.messages.contains("no TCP packet among 1 frame; the earlier capture stays loaded"));
    assert!(run(&home, "live ./absent\n").messages.contains("./absent: no such file"));
}

#[test]
fn a_program_that_says_nothing_can_be_ended_too() {
    let home = Home::new();
    let program = captures_by(&home, "exec sleep 1000");
    let done = run(&home, &format!("live eth7 --with {} --duration 0.5\n", program.display()));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.messages.contains("no TCP packet among 0 frames"), "{}", done.messages);
}
