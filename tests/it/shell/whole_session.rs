//! A session as a person types it, from the first key to Ctrl-D.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::packets::bad_tshark::home_with;
use crate::support::program::examples;
use crate::support::three_modes::{Prompt, plain};

const CTRL_R: &str = "\x12";

#[test]
fn a_whole_session() {
    // A tshark that never ends on one capture, and is itself on all others.
    let home = home_with("case \"$*\" in *slow.pcap*) : > started; exec sleep 600 ;; esac\nexec tshark \"$@\"");
    fs::copy(examples().expect("the examples are shipped").join("client.pcapng"), home.path("client.pcapng")).unwrap();
    fs::copy(home.path("syn.pcap"), home.path("slow.pcap")).unwrap();
    home.write("a.txt", "");
    let plugin = home.path("data/mptcpanalyzer/plugins/ttl");
    fs::create_dir_all(&plugin).unwrap();
    for file in ["plugin.toml", "ttl.sh"] {
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/ttl").join(file), plugin.join(file)).unwrap();
    }
    let mut program = home.program();
    program.args(["--config", "fake.toml"]).env("NO_COLOR", "1");
    let mut prompt = Prompt::start_at_width(program, 80);

    // The command that is typed says what it wants, and files that are captures come first.
    prompt.type_keys("load_pcap ");
    prompt.until("load_pcap FILE");
    prompt.type_keys("\t");
    // The list goes down its columns; the captures fill the first.
    prompt.until("\n");
    let listed = plain(&prompt.until("load_pcap "));
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[0].starts_with("client.pcapng ") && lines[0].contains(" a.txt"), "{listed}");
    assert!(lines[1].starts_with("slow.pcap "), "{listed}");
    prompt.type_keys("cl\t");
    prompt.until("client.pcapng");
    prompt.type_keys("\r");
    prompt.until("loaded client.pcapng");
    prompt.until("> ");

    // Streams are listed with what they are, and only their number is put in.
    prompt.type_keys("tcp_summary \t");
    prompt.until("0  10.0.1.1:43958 → 10.0.1.2:5001, MPTCP connection 0, ");
    prompt.until("1  10.0.2.1:58597 → 10.0.1.2:5001, MPTCP connection 0, ");
    prompt.until("tcp_summary ");
    prompt.type_keys("1\t--tow\ts\t| grep -c server\r");
    assert_eq!(prompt.printed().trim(), "1");
    // Options with their help.
    prompt.type_keys("tcp_summary --\t");
    prompt.until("--towards");
    prompt.until("Only the direction towards this end");
    prompt.until("tcp_summary --");
    prompt.interrupt();
    prompt.until("> ");

    // Ctrl-R finds the line with the pipe by a word of it, and it runs again.
    prompt.type_keys(CTRL_R);
    prompt.type_keys("grep");
    prompt.until("| grep -c server");
    prompt.type_keys("\r");
    assert_eq!(prompt.printed().trim(), "1");
    // And so does the last line, into another program.
    assert_eq!(prompt.answer("!! | tr 1 !"), "tcp_summary 1 --towards server | grep -c server | tr 1 !\n!\n");

    // Pipes and redirections, several commands on a line.
    // (Short lines, because one that the terminal folds is echoed in two.)
    assert_eq!(prompt.answer("lt --format csv | cut -d, -f 3"), "client_port\n43958\n58597\n");
    assert_eq!(prompt.answer("lc --format csv > c.csv; help > h"), "");
    assert_eq!(prompt.answer("lc --format csv >> c.csv"), "");
    assert_eq!(prompt.answer("!wc -l < c.csv").trim(), "4");
    let lines = fs::read_to_string(home.path("c.csv")).unwrap();
    assert!(lines.lines().nth(1).unwrap().contains("7a7d09d7"), "{lines}");
    assert!(fs::read_to_string(home.path("h")).unwrap().starts_with("Captures\n"));

    // A macro, kept for the next session.
    prompt.answer("set format csv");
    prompt.answer("macro create sent 'tcp_summary {1} --towards {2}'");
    assert!(prompt.answer("sent 1 server").contains(",3333568,"));
    prompt.answer("set --reset format");

    // A plugin's command completes like any other. The packets and times to live are those that tshark counts.
    prompt.type_keys("ttl --\t");
    prompt.until("Only this TCP stream");
    prompt.until("ttl --");
    prompt.type_keys("tcps\t1\r");
    let shown = prompt.printed();
    let rows: Vec<Vec<&str>> = shown.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), 2, "{shown}");
    for (row, expected) in rows.iter().zip([["1", "10.0.1.2", "64", "1227"], ["1", "10.0.2.1", "64", "2372"]]) {
        assert_eq!(row[..4], expected, "{shown}");
    }

    // Ctrl-C ends a load that would go on for minutes, and the capture from before is still there.
    prompt.type_keys("load_pcap slow.pcap\r");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !home.path("started").exists() {
        assert!(Instant::now() < deadline, "the dissection was never started");
        std::thread::sleep(Duration::from_millis(10));
    }
    prompt.interrupt();
    prompt.until("interrupted");
    prompt.until("mptcpanalyzer [client.pcapng]> ");
    assert_eq!(prompt.answer("lt --format csv | cut -d, -f 3 | tail -n 1"), "58597\n");
    let history = prompt.answer("history -n 3 --format csv");
    assert!(history.contains(",load_pcap slow.pcap\n"), "{history}");
    prompt.leave();

    // The next day: vi keys, and the macro is still known.
    let mut program = home.program();
    program.args(["--config", "fake.toml", "--load", "client.pcapng"]).env("NO_COLOR", "1");
    let mut prompt = Prompt::start_at_width(program, 80);
    prompt.type_keys("sen\t");
    prompt.until("sent ");
    prompt.type_keys("1 client\r");
    assert!(prompt.printed().contains("client"));
    prompt.answer("set editing vi");
    // Escape, to the start of the line, delete a character.
    prompt.type_keys("xhelp quit\x1b");
    std::thread::sleep(Duration::from_millis(700));
    prompt.type_keys("0x\r");
    prompt.until("Usage: quit");
    prompt.until("> ");
    prompt.answer("set --reset editing");
    prompt.leave();
}
