//! What a plot is asked for and the capture does not have is said, not left out in silence.

use std::path::Path;

use crate::support::program::{Home, examples};

/// `-o -` is standard output, as for every other result, and an empty figure is said to be one.
#[test]
fn standard_output_takes_a_figure_and_an_empty_one_is_said() {
    let home = Home::new();
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.pcapng");
    let run = |words: &[&str]| home.run(&[&["-l", capture.to_str().unwrap(), "plot"], words].concat(), "");
    let piped = run(&["tcp_tput", "0", "--format", "csv", "-o", "-"]);
    assert_eq!((piped.code, &piped.results), (Some(0), &run(&["tcp_tput", "0", "--format", "csv"]).results));
    assert!(piped.results.starts_with("panel,series"), "{}", piped.results);
    assert!(!piped.messages.contains("wrote"), "{}", piped.messages);
    let unsaid = run(&["tcp_tput", "0", "-o", "-"]);
    assert_eq!(unsaid.code, Some(2), "{}", unsaid.messages);
    assert!(unsaid.messages.contains("say in which form, as in `--format svg`"), "{}", unsaid.messages);
    // The connection begins with the first frame that this prints: tshark -r examples/client.pcapng -Y mptcp -T fields
    // -e frame.number
    let ladder = run(&["ladder", "0", "--format", "csv", "-o", "-"]).results;
    let mut rows = csv::Reader::from_reader(ladder.as_bytes());
    let headers = rows.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let first = rows.records().next().unwrap().unwrap();
    assert_eq!((&first[column("packetid")], first[column("y_name")].split(' ').next()), ("11", Some("0.0000")));
}

#[test]
fn subflows_and_times_that_are_not_there_are_refused() {
    let home = Home::new();
    let capture = examples().unwrap().join("client.pcapng");
    let other = examples().unwrap().join("server.pcapng");
    for (line, says) in [
        ("plot dsn 0 --subflow 7", "MPTCP connection 0 has no subflow 7; the only ones are 0, 1"),
        ("plot dsn 0 --skip-subflow 7", "MPTCP connection 0 has no subflow 7; the only ones are 0, 1"),
        ("plot aggr_benefit 0 --capacity 7=5M", "MPTCP connection 0 has no subflow 7; the only ones are 0, 1"),
        (
            "plot dsn 0 --origin first --start 900",
            "no packet in this time: the capture's packets are from 0.536581 to 7.4",
        ),
        ("plot dsn 0 --origin first --end 0.1", "no packet in this time: "),
        ("plot dsn 0 --label 7=Wi-Fi", "MPTCP connection 0 has no subflow 7; the only ones are 0, 1"),
        ("plot tcp_tput 0 --subflow 1", "the plot is of TCP stream 0 alone, and 1 is not a part of it; leave 1 out"),
        ("plot interarrival tcp 0 --skip-subflow 7", "the plot is of TCP stream 0 alone"),
        ("plot owd mptcp {1} 0 {2} --skip-subflow 7", "MPTCP connection 0 has no subflow 7; the only ones are 0, 1"),
        ("plot owd tcp {1} 0 {2} --subflow 7", "the plot is of TCP stream 0 alone"),
        ("plot owd tcp {1} 0 {2} --start 900", "no packet in both captures in this time"),
        ("plot rtt 3", "no MPTCP connection 3 in "),
        (
            "plot dss_len 0 --origin first",
            "--origin means nothing to this plot of `dss_len`, because no axis of it shows when something happened",
        ),
        ("plot acksize 0 --distribution --origin absolute", "--origin means nothing to this plot of `acksize`"),
        ("plot rtt 0 --level data --over dsn --origin connection", "--origin means nothing to this plot of `rtt`"),
        ("plot owd tcp {1} 0 {2} --origin connection", "because plots of two captures count from the first frame"),
        ("plot dss_len 0 --start 1", "`dss_len` is of the whole capture; leave --start and --end out"),
        ("plot dsn 0 --label 0=a,0=b", "--label names subflow 0 twice, `a` and `b`; give one name"),
        ("plot dsn 0 --size 1inx1in", "cannot draw a plot of 1inx1in; use 1.67inx1.25in to 104.16inx104.16in"),
        ("plot dsn 0 --size 3x3", "cannot draw a plot of 3x3 pixels; use 160x120 to 10000x10000"),
        ("plot ladder 0 --size 6cmx4cm", "6cmx4cm is too small for 1 panel with titles, names and numbers; use 6"),
    ] {
        let line = line.replace("{1}", capture.to_str().unwrap()).replace("{2}", other.to_str().unwrap());
        let done = home.run(&["-l", capture.to_str().unwrap()], &format!("{line} -o x.svg\n"));
        // A line that is wrong for any capture, or this one lacks something.
        let wrong = says.starts_with("--") || says.contains("leave --start") || says.contains("because plots of two");
        assert_eq!(done.code, Some(if wrong { 2 } else { 1 }), "{line}: {}", done.messages);
        assert!(done.messages.contains(says), "{line}: {}", done.messages);
        assert!(!home.path("x.svg").exists(), "{line}");
    }
}
