//! What a plot is asked for and the capture does not have is said, not left out in silence.

use std::path::Path;

use mptcpanalyzer::plots::registry::PLOTS;

use crate::support::program::{Home, examples};
use crate::support::scenarios;

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
        ("plot dsn 0 --dpi 300", "--dpi is the pixels per inch of a png alone; write a png, or leave it out"),
        ("plot dsn 0 --dpi 300 --format csv", "--dpi changes nothing about csv, which holds the plotted values"),
        (
            "plot dsn 0 --size 900x600 --format json",
            "--size changes nothing about json, which holds the plotted values",
        ),
        ("plot dsn 0 --style print --format parquet", "--style changes nothing about parquet, which holds"),
        (
            "plot dsn 0 --title T --format ndjson",
            "--title changes nothing about ndjson, which holds the plotted values",
        ),
        ("plot dsn 0 --no-caption --format xpl", "--no-caption changes nothing about a file for xplot; leave it out"),
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

/// A script may name the subflows of many captures at once; a typo is to be noticed.
#[test]
fn labels_of_absent_subflows_are_said_and_the_figure_is_drawn() {
    let home = Home::new();
    let capture = examples().unwrap().join("client.pcapng");
    let other = examples().unwrap().join("server.pcapng");
    for (line, says) in [
        ("plot dsn 0 --label 0=Wi-Fi,7=LTE", "--label is not used for subflow 7: MPTCP connection 0 has 0, 1"),
        ("plot dsn 0 --label 9=a,0=Wi-Fi,7=b", "--label is not used for subflows 7, 9: MPTCP connection 0 has 0, 1"),
        (
            "plot tcp_tput 0 --label 0=Wi-Fi,1=LTE",
            "--label is not used for subflow 1: the plot is of TCP stream 0 alone",
        ),
        (
            "plot owd mptcp {1} 0 {2} --label 0=Wi-Fi,7=b",
            "--label is not used for subflow 7: MPTCP connection 0 has 0, 1",
        ),
    ] {
        let line = line.replace("{1}", capture.to_str().unwrap()).replace("{2}", other.to_str().unwrap());
        let done = home.run(&["-l", capture.to_str().unwrap()], &format!("{line} -o x.svg\n"));
        assert_eq!(done.code, Some(0), "{line}: {}", done.messages);
        assert!(done.messages.contains(&format!("warning: {says}\n")), "{line}: {}", done.messages);
        assert!(std::fs::read_to_string(home.path("x.svg")).unwrap().contains("Wi-Fi"), "{line}");
    }
    let done =
        home.run(&["-l", capture.to_str().unwrap(), "plot", "dsn", "0", "--label", "0=Wi-Fi", "-o", "x.svg"], "");
    assert!(!done.messages.contains("--label"), "{}", done.messages);
}

/// Captures without Multipath TCP, without packets, without TCP: each refusal leads to a command that tells more.
#[test]
fn captures_without_anything_to_plot_say_where_to_look() {
    let Some(folder) = scenarios::folder() else { return };
    let home = Home::new();
    for (file, streams) in
        [("09c_fb_plain_server/client.pcap", 1), ("13d_empty/client.pcap", 0), ("13d_empty/server.pcapng", 0)]
    {
        let path = folder.join(file);
        let counted: std::collections::BTreeSet<String> =
            scenarios::tshark(&path, &["tcp.stream"]).into_iter().filter(|stream| !stream.is_empty()).collect();
        assert_eq!(counted.len(), streams, "{file}");
        let run = |words: &str| {
            let line = ["-l", path.to_str().unwrap()].into_iter().chain(words.split(' '));
            home.run(&line.collect::<Vec<_>>(), "")
        };
        for plot in PLOTS.own().filter(|plot| plot.name() != "owd") {
            let words = match plot.name() {
                "tcp_attr" => "tcp_attr 0 rwnd",
                "mptcp_attr" => "mptcp_attr 0 dsn",
                "interarrival" => "interarrival mptcp 0",
                name => &format!("{name} 0"),
            };
            let done = run(&format!("plot {words} -o x.svg"));
            if streams > 0 && words.starts_with("tcp_") {
                assert_eq!(done.code, Some(0), "{file}, {words}: {}", done.messages);
                continue;
            }
            assert_eq!(done.code, Some(1), "{file}, {words}: {}", done.messages);
            assert!(done.messages.ends_with(": it has none; `diagnose` says why\n"), "{words}: {}", done.messages);
        }
        assert!(run("diagnose").results.starts_with("problem"), "{file}");
    }
}
