//! The time-sequence plot, its values and its pictures, against tshark's fields and what the applications wrote.

use std::collections::HashMap;

use mptcpanalyzer::analysis::reinjections::reinjections;
use mptcpanalyzer::plots::dsn::dsn;
use mptcpanalyzer::plots::figure::{Figure, Marks, Panel, Point};
use mptcpanalyzer::plots::request::Request;
use mptcpanalyzer::plots::{Kind, Target, render};
use mptcpanalyzer::tracking::Role;

use crate::merge::end_of;
use crate::program::examples;
use crate::scenarios;

fn figure(path: &std::path::Path) -> Figure {
    let capture = scenarios::load(path).unwrap();
    dsn(&capture, &capture.tracking.connections[0], &Request::default())
}

fn series<'a>(panel: &'a Panel, name: &str) -> Option<&'a Marks> {
    panel.series.iter().find(|series| series.name == name).map(|series| &series.marks)
}

fn last(marks: &Marks) -> Point {
    let (Marks::Steps(points) | Marks::Points(points)) = marks else { panic!("{}", marks.name()) };
    *points.last().unwrap()
}

#[test]
fn strokes_are_the_payload_and_acknowledgements_end_with_all_data() {
    let Some(folder) = scenarios::folder() else { return };
    for name in ["02_fullmesh", "05b_failover_permanent", "06c_lossy_blackouts"] {
        let scenario = folder.join(name);
        let path = end_of(&scenario, "client").unwrap();
        let truth = scenarios::json(&path, "truth.json").unwrap();
        let figure = figure(&path);
        let mut payload: HashMap<(u32, bool), f64> = HashMap::new();
        for line in scenarios::tshark(&path, &["tcp.stream", "tcp.dstport", "tcp.len"]) {
            let cells: Vec<&str> = line.split('\t').collect();
            if let [stream, port, length] = cells[..]
                && !stream.is_empty()
            {
                *payload.entry((stream.parse().unwrap(), port == "5001")).or_default() +=
                    length.parse::<f64>().unwrap();
            }
        }
        for (panel, to_server) in figure.panels.iter().zip([true, false]) {
            for ((stream, _), octets) in payload.iter().filter(|((_, towards), _)| *towards == to_server) {
                let drawn = match series(panel, &format!("subflow {stream}")) {
                    Some(Marks::VerticalStrokes(strokes)) => strokes.iter().map(|s| s.y_high - s.y_low).sum(),
                    _ => 0.0,
                };
                assert_eq!(drawn, *octets, "{name}, subflow {stream}, to the server: {to_server}");
            }
            // Octets are counted from 1, and DATA_FIN takes a number of its own.
            let sender = if to_server { "app_client" } else { "app_server" };
            let written = truth[sender]["connections"][0]["sent"].as_f64().unwrap();
            assert_eq!(last(series(panel, "DATA_ACK").unwrap()).y, written + 2.0, "{name}, to the server: {to_server}");
        }
    }
}

#[test]
fn marks_are_the_packets_that_sent_again() {
    let Some(folder) = scenarios::folder() else { return };
    let path = end_of(&folder.join("06c_lossy_blackouts"), "client").unwrap();
    let capture = scenarios::load(&path).unwrap();
    let connection = &capture.tracking.connections[0];
    let figure = figure(&path);
    for (panel, (towards, octets)) in figure.panels.iter().zip([(Role::Server, 76_760), (Role::Client, 88_924)]) {
        // As much as the kernels counted (bytes_retrans of MPTCP_INFO).
        let listed = reinjections(&capture, connection, Some(towards));
        assert_eq!(listed.iter().map(|one| one.length).sum::<u64>(), octets);
        let Some(Marks::Points(points)) = series(panel, "reinjection") else { panic!("no reinjections") };
        let mut drawn: Vec<(u64, u64)> = points.iter().map(|point| (nanoseconds(point.x), point.y as u64)).collect();
        let time = |id: u64| capture.segments.iter().find(|segment| segment.packetid == id).unwrap().abstime;
        let since = |id: u64| u64::try_from(time(id) - capture.origin()).unwrap();
        let mut expected: Vec<(u64, u64)> = listed.iter().map(|one| (since(one.packetid), one.dsn.unwrap())).collect();
        drawn.sort_unstable();
        drawn.dedup();
        expected.sort_unstable();
        assert_eq!(drawn.len(), expected.len());
        for (one, other) in drawn.iter().zip(&expected) {
            assert!(one.0.abs_diff(other.0) < 1000 && one.1 == other.1, "{one:?} {other:?}");
        }
    }
}

fn nanoseconds(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}

#[test]
fn pictures_of_the_example_are_whole() {
    let Some(examples) = examples() else { return };
    let figure = figure(&examples.join("client.pcapng"));
    let svg = String::from_utf8(render(&figure, &Target::new(Kind::Svg)).unwrap()).unwrap();
    for text in ["MPTCP connection 0", "towards the server", "data sequence number (MB)", "time (s)", "MP_JOIN", "RST"]
    {
        assert!(svg.contains(&format!(">{text}")), "{text} is not in the picture");
    }
    assert!(svg.len() < 2_000_000);
    let png = render(&figure, &Target::new(Kind::Png).sized(640, 400)).unwrap();
    // Width and height stand behind the signature and the head of the first chunk (PNG, third edition, 11.2.1).
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!((&png[1..4], number(16), number(20)), (b"PNG".as_slice(), 640, 400));
    let text =
        String::from_utf8(render(&figure, &Target::new(Kind::Text { colour: false }).sized(80, 24)).unwrap()).unwrap();
    assert!(text.lines().count() <= 24 && text.lines().all(|line| line.chars().count() <= 80), "{text}");
}
