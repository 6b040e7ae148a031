//! What a figure does not draw it says, and the events that explain a figure are in it: against tshark's fields and the
//! kernels' counters.

use std::collections::BTreeMap;
use std::path::Path;

use mptcp_trace::ConnectionId;
use mptcp_trace::tracking::Role;
use mptcp_trace::tracking::data::data_sequence;
use mptcp_trace::units;
use mptcpanalyzer::drawing::figure::{Figure, Marks};

use crate::support::drawn::{draw, scenario};
use crate::support::program::Home;
use crate::support::scenarios;

const UNKNOWN: &str = "because its data sequence numbers are not known";

/// Payload towards port 5001, as tshark sums it up.
fn payload(path: &Path) -> u64 {
    let lines = scenarios::tshark(path, &["tcp.dstport", "tcp.len"]);
    let cells = lines.iter().filter_map(|line| line.split_once('\t'));
    cells.filter(|(port, _)| *port == "5001").filter_map(|(_, length)| length.parse::<u64>().ok()).sum()
}

/// The length of all strokes of a panel: each packet is drawn with what it sent again, too.
fn drawn(figure: &Figure) -> u64 {
    let strokes = figure.panels.iter().flat_map(|panel| &panel.series).filter_map(|series| match &series.marks {
        Marks::VerticalStrokes(strokes) => Some(strokes),
        _ => None,
    });
    strokes.flatten().map(|stroke| (stroke.y_high - stroke.y_low) as u64).sum()
}

/// Each byte of payload is drawn, or said to be missing: by tshark's sum of all of them.
#[test]
fn payload_without_data_sequence_numbers_is_said() {
    for (file, how) in [
        ("02_fullmesh/client.pcap", None),
        ("08b_mpfail_two/client.pcapng", None),
        ("06_lossy/client.pcapng", None),
        ("09f_fb_dss_stripped_later/client.pcapng", Some("sent as plain TCP after a fallback")),
        ("13e_options_truncated/client.pcapng", Some("without a mapping")),
    ] {
        let Some((path, capture)) = scenario(file) else { return };
        let connection = capture.mptcp_connection(ConnectionId(0)).unwrap();
        let figure = draw(&capture, "dsn 0 --towards server");
        let missing = payload(&path) - drawn(&figure);
        let sequence = data_sequence(&capture.segments, &capture.tracking, connection);
        let sequence = sequence.get(Role::Server);
        let known: u64 =
            sequence.sent.iter().filter(|range| !range.numbered).map(|range| range.end - range.start).sum();
        let unmapped: u64 = sequence.unmapped.iter().map(|part| part.bytes).sum();
        assert_eq!(known + unmapped, missing, "{file}");
        assert_eq!(missing > 0, how.is_some(), "{file}: {missing}");
        for line in ["dsn 0 --towards server", "scheduler 0 --towards server", "flight 0 --towards server"] {
            let figure = draw(&capture, line);
            let said: Vec<&String> = figure.left_out.iter().filter(|sentence| sentence.contains(UNKNOWN)).collect();
            match how {
                None => assert!(said.is_empty(), "{file} {line}: {said:?}"),
                Some(how) => {
                    let part = format!("{} {how}, retransmissions included", units::bytes(missing));
                    assert!(said.len() == 1 && said[0].contains(&part), "{file} {line}: {said:?}");
                    assert!(figure.caption.contains(said[0]), "{file} {line}");
                }
            }
        }
    }
    // The kernel's counters: 589,816 bytes sent, 89,776 of them again; a mapping has 149,388 (`mptcp_summary`).
    let Some((path, capture)) = scenario("09f_fb_dss_stripped_later/client.pcapng") else { return };
    assert_eq!(payload(&path), 589_816);
    let figure = draw(&capture, "dsn 0 --towards server");
    assert!(figure.caption[0].contains("440.4 kB sent as plain TCP"), "{:?}", figure.caption);
    // Of a part of the time before the fallback nothing is missing.
    assert!(draw(&capture, "dsn 0 --towards server --end 0.05").left_out.is_empty());
}

/// The events in the values of a plot: label, packet, and the direction of their panel.
fn events(home: &Home, path: &Path, words: &[&str]) -> Vec<(String, u64, String)> {
    let line = [&["-l", path.to_str().unwrap(), "plot"], words, &["--format", "ndjson"]].concat();
    let done = home.run(&line, "");
    assert_eq!(done.code, Some(0), "{done:?}");
    let rows = done.results.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    rows.filter(|row| row["series"] == "annotation")
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap().to_string();
            (text("label"), row["packetid"].as_u64().unwrap(), text("towards"))
        })
        .collect()
}

#[test]
fn a_panel_marks_the_events_of_a_direction_that_is_not_drawn() {
    let home = Home::new();
    let Some((path, _)) = scenario("08b_mpfail_two/client.pcapng") else { return };
    let fields = ["frame.number", "tcp.options.mptcp.subtype", "tcp.flags.reset", "tcp.srcport"];
    let mut expected = Vec::new();
    for line in scenarios::tshark(&path, &fields) {
        let cells: Vec<&str> = line.split('\t').collect();
        let against = if cells[3] == "5001" { "← " } else { "" };
        let has = |wanted: &str| cells[1].split(',').any(|subtype| subtype == wanted);
        let number: u64 = cells[0].parse().unwrap();
        if has("6") {
            expected.push((format!("{against}MP_FAIL"), number));
        }
        if matches!(cells[2], "1" | "True") {
            expected.push((format!("{against}RST"), number));
        }
    }
    assert_eq!(expected.len(), 2, "{expected:?}");
    for words in [&["dsn", "0"][..], &["dsn", "0", "--towards", "server"], &["dsn", "0", "--towards", "both"]] {
        let found = events(&home, &path, words);
        for (label, packet) in &expected {
            let marked = found
                .iter()
                .any(|(text, number, towards)| (text, *number, towards.as_str()) == (label, *packet, "server"));
            assert!(marked, "{words:?}: {label} of {packet} in {found:?}");
        }
    }
    // Where the other direction has no panel, its joins are here, too: the SYN/ACK of the second subflow.
    assert!(events(&home, &path, &["dsn", "0"]).iter().any(|(label, ..)| label == "← MP_JOIN"));
}

#[test]
fn a_fallback_is_marked_in_both_directions() {
    let home = Home::new();
    let Some((path, _)) = scenario("09f_fb_dss_stripped_later/client.pcapng") else { return };
    let found = events(&home, &path, &["dsn", "0"]);
    let fallbacks: BTreeMap<&str, &str> = found
        .iter()
        .filter(|(label, ..)| label.ends_with("fallback"))
        .map(|(label, _, towards)| (towards.as_str(), label.as_str()))
        .collect();
    assert_eq!(fallbacks.keys().collect::<Vec<_>>(), [&"client", &"server"], "{found:?}");
    assert_eq!(fallbacks.values().filter(|label| label.starts_with('←')).count(), 1, "{fallbacks:?}");
}

/// Titles say which subflows are shown, and totals what they are of.
#[test]
fn subflows_that_are_left_out_are_said() {
    let home = Home::new();
    let Some((path, capture)) = scenario("02_fullmesh/client.pcap") else { return };
    let svg = |line: &str| {
        let done = home.run(&["-l", path.to_str().unwrap()], &format!("plot {line} -o x.svg --size 1600x900\n"));
        assert_eq!(done.code, Some(0), "{done:?}");
        std::fs::read_to_string(home.path("x.svg")).unwrap()
    };
    for (line, says) in [
        ("mptcp_tput 0 --subflow 1", &["client.pcap, subflow 1 alone", "The total is that of the subflows shown."][..]),
        ("flight 0 --skip-subflow 1", &["subflows 0, 2, 3 alone", "The data level and the MPTCP window are those of"]),
        ("scheduler 0 --subflow 1", &["subflow 1 alone", "Shares are of the data of all subflows."]),
        ("ladder 0 --subflow 1", &["subflow 1 alone"]),
    ] {
        let drawn = svg(line);
        assert!(says.iter().all(|part| drawn.contains(part)), "{line}: {drawn}");
    }
    assert!(!svg("mptcp_tput 0").contains(" alone"));
    let figure = draw(&capture, "aggr_benefit 0 --subflow 1 --towards server");
    let said = "Towards the server: fewer than two of the subflows shown carried data";
    assert!(figure.caption.iter().any(|line| line.starts_with(said)), "{:?}", figure.caption);
}

#[test]
fn letters_that_the_font_lacks_are_named() {
    let home = Home::new();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.pcapng");
    let said = |form: &str| {
        let line = ["-l", path.to_str().unwrap(), "plot", "dsn", "0", "--label", "1=日本語", "-o", form];
        home.run(&line, "").messages
    };
    for form in ["j.pdf", "j.png"] {
        let said = said(form);
        assert!(said.contains("the font of plots does not have 日 本 語, so the picture lacks them"), "{said}");
    }
    assert!(!said("j.svg").contains("the font of plots"), "a viewer of SVG has other fonts");
}

#[test]
fn help_has_no_option_that_is_always_refused() {
    let home = Home::new();
    for (plot, listed) in [("dsn", true), ("reinject", true), ("owd", false), ("dss_len", false)] {
        let help = home.run(&["plot", plot, "--help"], "").results;
        assert_eq!(help.contains("--origin <"), listed, "{plot}: {help}");
    }
}

/// The line of each subflow goes on, at zero, to the connection's last packet: a RST some time after the data.
#[test]
fn rates_go_on_to_the_last_packet() {
    let Some((path, capture)) = scenario("05_backup_failover/client.pcapng") else { return };
    let times = scenarios::tshark(&path, &["frame.time_relative", "tcp.stream"]);
    let times = times.iter().filter_map(|line| line.split_once('\t')).filter(|(_, stream)| !stream.is_empty());
    let last = times.map(|(time, _)| time.parse::<f64>().unwrap()).fold(0.0, f64::max);
    for series in &draw(&capture, "mptcp_tput 0 --towards server").panels[0].series {
        let Marks::Steps(points) = &series.marks else { panic!("{}", series.name) };
        let end = points.last().unwrap();
        assert!((end.x - last).abs() < 1e-6 && end.y == 0.0, "{}: {end:?} {last}", series.name);
    }
}

/// Strokes and arrows lead to their frames: the subflow that carried them, the address that they reached.
#[test]
fn values_have_packets_and_both_ends_of_arrows() {
    let home = Home::new();
    let Some((path, _)) = scenario("02_fullmesh/client.pcap") else { return };
    let lines = scenarios::tshark(&path, &["frame.number", "tcp.stream", "tcp.len", "ip.src", "ip.dst"]);
    let frames: BTreeMap<u64, Vec<String>> = lines
        .iter()
        .map(|line| line.split('\t').map(str::to_string).collect::<Vec<_>>())
        .map(|cells| (cells[0].parse().unwrap(), cells))
        .collect();
    let rows = |plot: &str| -> Vec<serde_json::Value> {
        let done = home.run(&["-l", path.to_str().unwrap(), "plot", plot, "0", "--format", "ndjson"], "");
        done.results.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (mut strokes, mut arrows) = (0, 0);
    for row in rows("scheduler") {
        let frame = &frames[&row["packetid"].as_u64().unwrap()];
        assert!(frame[2] != "0", "{row} {frame:?}");
        if row["marks"] == "horizontal_strokes" {
            assert_eq!(row["series"], format!("subflow {}", frame[1]), "{row} {frame:?}");
            strokes += 1;
        }
    }
    for row in rows("ladder") {
        let frame = &frames[&row["packetid"].as_u64().unwrap()];
        let ends_in = |key: &str, address: &str| row[key].as_str().unwrap().ends_with(&format!(" {address}"));
        assert!(ends_in("x_name", &frame[3]) && ends_in("x_end_name", &frame[4]), "{row} {frame:?}");
        arrows += 1;
    }
    assert!(strokes > 20 && arrows > 10, "{strokes} {arrows}");
}

#[test]
fn a_size_is_refused_with_its_reason_and_equal_names_are_told_apart() {
    let home = Home::new();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.pcapng");
    let run = |words: &[&str]| home.run(&[&["-l", path.to_str().unwrap(), "plot"], words].concat(), "");
    let said = run(&["dsn", "0", "--size", "10000x10000", "--dpi", "1200", "-o", "x.png"]).messages;
    // 10,000 pixels at 1200 dots per inch are 800 of 96.
    let reason = "10000x10000 pixels at 1200 dots per inch; use 160x120 to 800x800, or a lower --dpi";
    assert!(said.contains(reason), "{said}");
    let rows = run(&["dsn", "0", "--label", "0=A,1=A", "--format", "csv"]).results;
    assert!(rows.contains(",A (subflow 0),") || rows.contains("A (subflow 0)"), "{}", &rows[..300]);
    assert!(rows.contains("A (subflow 1)"));
}

/// Each series is named in the legend or counted behind it.
#[test]
fn a_legend_counts_all_that_it_does_not_name() {
    let Some((_, capture)) = scenario("02_fullmesh/client.pcap") else { return };
    let figure = draw(&capture, "cwnd 0 --towards server");
    let names: std::collections::BTreeSet<&str> =
        figure.panels.iter().flat_map(|panel| &panel.series).map(|series| series.name.as_str()).collect();
    for width in [40, 44, 50, 57, 60, 72, 80] {
        let target = mptcpanalyzer::drawing::Target::new(mptcpanalyzer::drawing::PictureFormat::Text { colour: false });
        let Ok(text) = mptcpanalyzer::drawing::render(&figure, &target.sized(width, 12)) else { continue };
        let text = String::from_utf8(text).unwrap();
        let legend: String = text.lines().take_while(|line| !line.contains("towards the server")).collect();
        let named = names.iter().filter(|name| legend.contains(**name)).count();
        let more = legend.split_once("… and ").map_or(0, |(_, rest)| rest.split(' ').next().unwrap().parse().unwrap());
        assert_eq!(named + more, names.len(), "{width}: {text}");
    }
}
