//! Plots of delays, against tshark's times of the packets and what the emulated path wrote down.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::clock::{Correction, clock};
use mptcp_trace::analysis::merge::merge;
use mptcp_trace::analysis::qualify_reinjections::qualify_reinjections;
use mptcp_trace::analysis::rtt::RttLevel;
use mptcp_trace::tracking::Role;
use mptcpanalyzer::arguments::two_captures::TwoCaptures;
use mptcpanalyzer::drawing::figure::{Figure, Marks, Panel, Point};
use mptcpanalyzer::plots::ooo::ooo;
use mptcpanalyzer::plots::owd::owd;
use mptcpanalyzer::plots::reinject::gains;
use mptcpanalyzer::plots::request::PlotRequest;
use mptcpanalyzer::plots::rtt::{Over, round_trips};
use serde_json::Value;

use crate::analysis::merge::{DROPS, both_ends, end_of};
use crate::analysis::out_of_order::{naive, packets};
use crate::support::scenarios;

/// The panel of that title.
pub fn panel<'a>(figure: &'a Figure, title: &str) -> &'a Panel {
    let titles: Vec<_> = figure.panels.iter().map(|panel| panel.title.as_deref()).collect();
    figure.panels.iter().find(|panel| panel.title.as_deref() == Some(title)).unwrap_or_else(|| panic!("{titles:?}"))
}

/// The points of a series, joined or not.
pub fn points<'a>(panel: &'a Panel, name: &str) -> &'a [Point] {
    let names: Vec<&str> = panel.series.iter().map(|series| series.name.as_str()).collect();
    let series = panel.series.iter().find(|series| series.name == name).unwrap_or_else(|| panic!("{names:?}"));
    let (Marks::Points(points) | Marks::Steps(points) | Marks::Lines(points)) = &series.marks else {
        panic!("{name} has {}", series.marks.name())
    };
    points
}

/// Seconds to nanoseconds.
pub fn nanoseconds(seconds: f64) -> i64 {
    (seconds * 1e9).round() as i64
}

/// A time as tshark prints it, in nanoseconds.
pub fn printed(seconds: &str) -> i64 {
    let (whole, rest) = seconds.split_once('.').unwrap();
    whole.parse::<i64>().unwrap() * 1_000_000_000 + format!("{rest:0<9}")[..9].parse::<i64>().unwrap()
}

fn two_captures(scenario: &Path) -> TwoCaptures {
    let (client, server) = both_ends(scenario).unwrap();
    TwoCaptures::of_connection_in(client, server, ConnectionId(0), None).unwrap()
}

fn delays(captures: &TwoCaptures, correction: Correction) -> Figure {
    let merged = merge(&captures.first, &captures.second, &captures.pairs).unwrap();
    let clock = clock(&captures.first, &merged);
    owd(captures, &merged, &clock, correction, &PlotRequest::default())
}

/// Time in nanoseconds since 1970 of the packets towards `port` (`true`) or from it that nothing in the file repeats, by
/// what no path changes.
fn unique(path: &Path, towards: bool) -> HashMap<String, i64> {
    let fields =
        ["tcp.dstport", "frame.time_epoch", "tcp.srcport", "tcp.seq_raw", "tcp.ack_raw", "tcp.len", "tcp.flags"];
    let stamps = ["tcp.options.timestamp.tsval", "tcp.options.timestamp.tsecr"];
    let fields: Vec<&str> = fields.into_iter().chain(stamps).collect();
    let mut found: HashMap<String, Vec<i64>> = HashMap::new();
    for line in scenarios::tshark(path, &fields) {
        let cells: Vec<&str> = line.split('\t').collect();
        if !cells[0].is_empty() && (cells[0] == "5001") == towards {
            found.entry([&[cells[0]], &cells[2..]].concat().join(" ")).or_default().push(printed(cells[1]));
        }
    }
    found.into_iter().filter_map(|(key, times)| (times.len() == 1).then(|| (key, times[0]))).collect()
}

#[test]
fn one_way_delays_are_the_packets_times_at_both_ends() {
    let Some(folder) = scenarios::folder() else { return };
    for name in ["01_basic", "06c_lossy_blackouts"] {
        let scenario = folder.join(name);
        let captures = two_captures(&scenario);
        let figure = delays(&captures, Correction::None);
        let ends = [end_of(&scenario, "client").unwrap(), end_of(&scenario, "server").unwrap()];
        for (title, towards) in [("towards the server", true), ("towards the client", false)] {
            let (sender, receiver) = if towards { (&ends[0], &ends[1]) } else { (&ends[1], &ends[0]) };
            let drawn: Vec<&Point> =
                ["subflow 0", "subflow 1"].iter().flat_map(|one| points(panel(&figure, title), one)).collect();
            // Times of sending, as far as the client's clock saw them, with their delays.
            let values: HashSet<(i64, i64)> = drawn.iter().map(|p| (nanoseconds(p.x), nanoseconds(p.y))).collect();
            let delays: HashSet<i64> = drawn.iter().map(|point| nanoseconds(point.y)).collect();
            let arrived = unique(receiver, towards);
            let mut compared = 0;
            for (key, sent) in unique(sender, towards) {
                let Some(received) = arrived.get(&key) else { continue };
                compared += 1;
                let delay = received - sent;
                if towards {
                    let since = sent - captures.first.origin().nanoseconds();
                    assert!(values.contains(&(since, delay)), "{name}: {key} took {delay} ns");
                } else {
                    assert!(delays.contains(&delay), "{name}: {key} took {delay} ns");
                }
            }
            assert!(compared > 300, "{name}: only {compared} of {}", drawn.len());
            // What the path did not drop has a delay.
            let events = std::fs::read_to_string(scenario.join("relay_events.jsonl")).unwrap();
            let dropped = events.lines().filter(|line| {
                let event: Value = serde_json::from_str(line).unwrap();
                event["ev"].as_str().is_some_and(|kind| DROPS.contains(&kind))
                    && event.get("seq").is_some()
                    && (event["dport"] == 5001) == towards
            });
            let sent = scenarios::tshark(sender, &["tcp.dstport"]);
            let sent = sent.iter().filter(|port| !port.is_empty() && (*port == "5001") == towards).count();
            assert_eq!(drawn.len(), sent - dropped.count(), "{name}, {title}");
        }
    }
}

/// 14a_offset_02 has the packets of 02_fullmesh by a server's clock that is 350 ms ahead.
#[test]
fn delays_are_corrected_by_the_clocks_error_and_the_caption_says_so() {
    let Some(folder) = scenarios::folder() else { return };
    let (true_ones, shifted) = (two_captures(&folder.join("02_fullmesh")), two_captures(&folder.join("14a_offset_02")));
    let expected = delays(&true_ones, Correction::None);
    let corrected = delays(&shifted, Correction::Offset);
    let raw = delays(&shifted, Correction::None);
    for title in ["towards the server", "towards the client"] {
        let ahead = if title == "towards the server" { 0.35 } else { -0.35 };
        for stream in ["subflow 0", "subflow 1", "subflow 2", "subflow 3"] {
            let of = |figure| points(panel(figure, title), stream);
            assert_eq!(of(&expected).len(), of(&corrected).len(), "{title} {stream}");
            for ((one, other), raw) in of(&expected).iter().zip(of(&corrected)).zip(of(&raw)) {
                // The estimate is off by half of the difference between the two shortest delays.
                assert!((one.y - other.y).abs() < 0.000_5, "{title} {stream}: {one:?} {other:?}");
                assert!((raw.y - one.y - ahead).abs() < 0.000_001, "{title} {stream}: {one:?} {raw:?}");
            }
        }
    }
    let says = |figure: &Figure, text: &str| figure.caption.iter().any(|line| line.contains(text));
    assert!(says(&corrected, "corrected by the offset"), "{:?}", corrected.caption);
    assert!(says(&raw, "not corrected"), "{:?}", raw.caption);
    assert!(says(&raw, "350.0 ms ahead") || says(&raw, "349.9 ms ahead"), "{:?}", raw.caption);
}

/// TCP's round trips are those that Wireshark measures for the same packets.
#[test]
fn round_trips_over_time_are_wiresharks() {
    let Some(folder) = scenarios::folder() else { return };
    let path = end_of(&folder.join("02_fullmesh"), "client").unwrap();
    let capture = scenarios::load(&path).unwrap();
    let connection = capture.tracking.connection(ConnectionId(0)).unwrap();
    let figure = round_trips(&capture, connection, &PlotRequest::default(), &[RttLevel::Tcp], Over::Ack);
    let over_sent = round_trips(&capture, connection, &PlotRequest::default(), &[RttLevel::Tcp], Over::Sent);
    let mut measured: HashMap<(u32, i64), i64> = HashMap::new();
    for line in scenarios::tshark(&path, &["tcp.stream", "frame.time_epoch", "tcp.analysis.ack_rtt"]) {
        let cells: Vec<&str> = line.split('\t').collect();
        if let [stream, time, rtt] = cells[..]
            && !rtt.is_empty()
        {
            measured.insert((stream.parse().unwrap(), printed(time) - capture.origin().nanoseconds()), printed(rtt));
        }
    }
    let (mut same, mut samples) = (0, 0);
    for title in ["towards the server, TCP", "towards the client, TCP"] {
        for stream in 0..4 {
            let name = format!("subflow {stream}");
            let drawn = points(panel(&figure, title), &name);
            for (point, sent) in drawn.iter().zip(points(panel(&over_sent, title), &name)) {
                let rtt = measured.get(&(stream, nanoseconds(point.x)));
                samples += 1;
                same += usize::from(rtt == Some(&nanoseconds(point.y)));
                assert_eq!(
                    nanoseconds(point.x - sent.x),
                    nanoseconds(point.y),
                    "sent, and acknowledged a round trip later"
                );
            }
        }
    }
    // Two acknowledgements of one stream in one nanosecond would hide each other: there are none.
    assert!(samples > 1000 && same == samples, "{same} of {samples}");
}

/// Over data sequence numbers: each packet of the upload, from its time to that of the first DATA_ACK that covers it.
#[test]
fn round_trips_of_data_are_from_sending_to_the_data_ack() {
    let Some(folder) = scenarios::folder() else { return };
    let path = end_of(&folder.join("01_basic"), "client").unwrap();
    let capture = scenarios::load(&path).unwrap();
    let figure = round_trips(
        &capture,
        capture.tracking.connection(ConnectionId(0)).unwrap(),
        &PlotRequest::default(),
        &[RttLevel::Data],
        Over::Dsn,
    );
    let data = packets(&path);
    let acknowledged = data_acks(&path);
    // When each byte was first sent.
    let mut sent: BTreeMap<u64, (u64, i64)> = BTreeMap::new();
    for packet in &data {
        sent.entry(packet.dsn).or_insert((packet.dsn + packet.length, packet.time));
    }
    let expected: HashSet<(i64, i64)> = sent
        .iter()
        .filter_map(|(start, (end, time))| {
            let (_, ack) = acknowledged.iter().find(|(next, _)| next >= end)?;
            // The first byte is 1.
            Some((i64::try_from(*start).unwrap() + 1, ack - time))
        })
        .collect();
    let panel = panel(&figure, "towards the server, DATA_ACK");
    let drawn: Vec<(i64, i64)> = ["subflow 0", "subflow 1"]
        .iter()
        .flat_map(|name| points(panel, name))
        .map(|point| (point.x as i64, nanoseconds(point.y)))
        .collect();
    let same = drawn.iter().filter(|sample| expected.contains(sample)).count();
    assert_eq!((same, drawn.len()), (expected.len(), expected.len()));
    assert!(same > 1000);
}

/// Highest DATA_ACK so far of the data towards the server, from 0 on, each time that it grew: number and time.
fn data_acks(path: &Path) -> Vec<(u64, i64)> {
    let fields = ["tcp.srcport", "frame.time_epoch", "tcp.options.mptcp.rawdataack"];
    let lines = scenarios::tshark(path, &fields);
    let acks = lines.iter().filter_map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        (cells[0] == "5001").then_some(())?;
        Some((cells[2].parse::<u64>().ok()?, printed(cells[1])))
    });
    let acks: Vec<(u64, i64)> = acks.collect();
    // The SYN/ACK's DATA_ACK does not exist: the lowest one is of the first data, whose length is that of the first packet.
    let first_length = packets(path)[0].length;
    let first = acks.iter().map(|(ack, _)| *ack).min().unwrap();
    let mut growing: Vec<(u64, i64)> = Vec::new();
    for (ack, time) in acks {
        let bytes = ack - first + first_length;
        if growing.last().is_none_or(|(highest, _)| bytes > *highest) {
            growing.push((bytes, time));
        }
    }
    growing
}

#[test]
fn gains_are_the_times_between_the_arrivals() {
    let Some(folder) = scenarios::folder() else { return };
    let scenario = folder.join("06c_lossy_blackouts");
    let captures = two_captures(&scenario);
    let figure = gains(&captures, &PlotRequest::default()).unwrap();
    let times = |end| -> HashMap<u64, i64> {
        let lines = scenarios::tshark(&end_of(&scenario, end).unwrap(), &["frame.number", "frame.time_epoch"]);
        let pairs = lines.iter().map(|line| line.split_once('\t').unwrap());
        pairs.map(|(frame, time)| (frame.parse().unwrap(), printed(time))).collect()
    };
    let (at_client, at_server) = (times("client"), times("server"));
    let pair = captures.connection().unwrap();
    let found = qualify_reinjections(&pair, &captures.merge().unwrap().0, Some(Role::Server));
    let mut expected: Vec<(i64, i64)> = Vec::new();
    for one in &found[0].reinjections {
        // All of the upload's reinjections arrived on both subflows (proven in qualify.rs).
        let sent = at_client[&one.packetid] - captures.first.origin().nanoseconds();
        let gain = at_server[&one.original_arrived_packetid.unwrap()] - at_server[&one.arrived_packetid.unwrap()];
        expected.push((sent, gain));
    }
    let upload = panel(&figure, "towards the server");
    let (useful, redundant) = (points(upload, "useful"), points(upload, "redundant"));
    assert!(useful.iter().all(|point| point.y > 0.0) && redundant.iter().all(|point| point.y <= 0.0));
    let both = useful.iter().chain(redundant);
    let mut drawn: Vec<(i64, i64)> = both.map(|point| (nanoseconds(point.x), nanoseconds(point.y))).collect();
    drawn.sort_unstable();
    expected.sort_unstable();
    assert_eq!(drawn, expected);
    assert!(drawn.len() > 50);
    // Each mark belongs to a subflow and to the packet in its sender's capture.
    let streams = scenarios::tshark(&end_of(&scenario, "client").unwrap(), &["frame.number", "tcp.stream"]);
    for series in upload.series.iter().filter(|series| !series.marks.is_empty()) {
        let subflow = series.role.subflow.unwrap();
        assert_eq!(series.packets.len(), series.marks.len());
        for ((x, ..), packet) in series.marks.boxes().zip(&series.packets) {
            let packet = packet.unwrap().get();
            assert_eq!(nanoseconds(x), at_client[&packet] - captures.first.origin().nanoseconds());
            assert!(streams.contains(&format!("{packet}\t{subflow}")), "{packet} {subflow}");
        }
    }
}

/// In 05b the first path swallowed everything: none of the reinjected originals ever arrived.
#[test]
fn reinjections_of_what_was_lost_have_no_gain() {
    let Some(folder) = scenarios::folder() else { return };
    let figure = gains(&two_captures(&folder.join("05b_failover_permanent")), &PlotRequest::default()).unwrap();
    let panel = panel(&figure, "towards the server, without a gain");
    let useful = points(panel, "useful");
    assert!(useful.len() > 10 && useful.iter().all(|point| point.y == 0.0));
    assert_eq!(panel.y.categories[0], "original");
    // Beside the entry of the legend for the subflow's colour.
    assert_eq!(panel.series.iter().filter(|series| !series.marks.is_empty()).count(), 1);
    assert!(figure.caption.iter().any(|line| line.contains(" useful, 0 redundant, 0 lost.")));
}

#[test]
fn the_reorder_buffer_is_a_naive_receivers() {
    let Some(folder) = scenarios::folder() else { return };
    for file in ["06b_reorder_dup/server.pcapng", "02_fullmesh/server.pcap"] {
        let path = folder.join(file);
        let (by_subflow, _, peak) = naive(&packets(&path));
        let capture = scenarios::load(&path).unwrap();
        let figure = ooo(&capture, capture.tracking.connection(ConnectionId(0)).unwrap(), &PlotRequest::default());
        let waiting = points(panel(&figure, "towards the server"), "all subflows");
        assert_eq!(waiting.iter().map(|point| point.y as u64).max(), Some(peak), "{file}");
        assert_eq!(waiting.last().unwrap().y, 0.0, "{file}: in the end nothing waits");
        let delays = panel(&figure, "towards the server, delays");
        for (stream, (bytes, longest)) in by_subflow.iter().filter(|(_, (bytes, _))| *bytes > 0) {
            let shares = points(delays, &format!("subflow {stream}"));
            assert_eq!((shares[0].y, shares.last().unwrap().y), (0.0, 1.0), "{file} stream {stream}, {bytes} bytes");
            assert_eq!(nanoseconds(shares.last().unwrap().x), *longest, "{file} stream {stream}");
        }
        let longest = by_subflow.values().map(|(_, longest)| *longest).max().unwrap();
        assert_eq!(nanoseconds(points(delays, "all subflows").last().unwrap().x), longest, "{file}");
    }
}

#[test]
fn a_request_for_times_leaves_the_rest_out() {
    let Some(folder) = scenarios::folder() else { return };
    let path = end_of(&folder.join("02_fullmesh"), "client").unwrap();
    let capture = scenarios::load(&path).unwrap();
    let words = ["x", "--towards", "server", "--start", "7.5", "--end", "8", "--skip-subflow", "0"];
    let request =
        PlotRequest::of(&PlotRequest::with_arguments(clap::Command::new("x")).get_matches_from(words)).unwrap();
    let figure = round_trips(
        &capture,
        capture.tracking.connection(ConnectionId(0)).unwrap(),
        &request,
        &[RttLevel::Tcp],
        Over::Ack,
    );
    assert_eq!(figure.panels.len(), 1);
    let names: Vec<&str> = figure.panels[0].series.iter().map(|series| series.name.as_str()).collect();
    assert_eq!(names, ["subflow 1", "subflow 2", "subflow 3"]);
    for name in names {
        assert!(points(&figure.panels[0], name).iter().all(|point| (7.5..=8.0).contains(&point.x)));
    }
}
