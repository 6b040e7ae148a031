//! Sizes, lengths, times and columns in figures against what tshark reads.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::process::Command;

use mptcp_trace::analysis::ack_sizes::ack_sizes;
use mptcp_trace::analysis::interarrival::{Counted, interarrival};
use mptcp_trace::analysis::mapping_lengths::mapping_lengths;
use mptcp_trace::tracking::Role;
use mptcp_trace::tracking::data::data_sequence;
use mptcp_trace::{ConnectionId, Span, StreamId};
use mptcpanalyzer::drawing::figure::{Marks, Scale, Unit};

use crate::support::drawn::{draw, names, points, scenario, try_draw};
use crate::support::scenarios;

/// The fields of the packets that pass a filter, by tshark.
fn fields(path: &Path, filter: &str, names: &[&str]) -> Vec<Vec<String>> {
    let mut tshark = Command::new("tshark");
    tshark.arg("-n").arg("-r").arg(path).args(["-Y", filter, "-T", "fields"]);
    for name in names {
        tshark.args(["-e", name]);
    }
    let text = String::from_utf8(tshark.output().unwrap().stdout).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_string).collect()).collect()
}

/// Nanoseconds of a time that tshark printed in seconds.
fn nanoseconds(text: &str) -> i64 {
    let (seconds, rest) = text.split_once('.').unwrap();
    seconds.parse::<i64>().unwrap() * 1_000_000_000 + format!("{rest:0<9}")[..9].parse::<i64>().unwrap()
}

/// The first number of the data that travel to or from port 5001: that of the first mapping on the initial subflow, less
/// the bytes before it there.
fn first_number(path: &Path, port: &str) -> u64 {
    let names = ["tcp.options.mptcp.rawdataseqno", "tcp.options.mptcp.subflowseqno"];
    let rows = fields(path, &format!("tcp.stream==0 && tcp.{port}port==5001 && {}", names[1]), &names);
    let pairs = rows.iter().map(|row| (row[1].parse::<u64>().unwrap(), row[0].parse::<u64>().unwrap()));
    let (ssn, dsn) = pairs.filter(|(ssn, _)| *ssn > 0).min().unwrap();
    dsn - (ssn - 1)
}

/// By packet, the growth of the highest raw DATA_ACK that tshark reads, of data to or from port 5001. All are 64 bits wide
/// here, and none wraps. The last byte is the DATA_FIN's.
fn growth(path: &Path, port: &str) -> Vec<(u64, u64)> {
    let back = if port == "dst" { "src" } else { "dst" };
    let filter = format!("tcp.{back}port==5001 && tcp.options.mptcp.rawdataack");
    let rows = fields(path, &filter, &["frame.number", "frame.time_epoch", "tcp.options.mptcp.rawdataack"]);
    let parsed = rows.iter().map(|row| (nanoseconds(&row[1]), row[0].parse().unwrap(), row[2].parse().unwrap()));
    let mut acks: Vec<(i64, u64, u64)> = parsed.collect();
    acks.sort_unstable();
    let mut highest = first_number(path, port);
    let mut grown = Vec::new();
    for (_, packetid, ack) in acks {
        if ack > highest {
            grown.push((packetid, ack - highest));
            highest = ack;
        }
    }
    grown.last_mut().unwrap().1 -= 1;
    grown.retain(|(_, bytes)| *bytes > 0);
    grown
}

#[test]
fn data_acks_grow_as_tshark_reads_them() {
    for file in ["02_fullmesh/client.pcap", "06c_lossy_blackouts/client.pcapng", "06b_reorder_dup/server.pcapng"] {
        let Some((path, capture)) = scenario(file) else { return };
        let truth = scenarios::json(&path, "truth.json").unwrap();
        let connection = capture.mptcp_connection(ConnectionId(0)).unwrap();
        let sequence = data_sequence(&capture.segments, &capture.tracking, connection);
        for (towards, port, writer) in [(Role::Server, "dst", "client"), (Role::Client, "src", "server")] {
            let found = ack_sizes(sequence.get(towards));
            let ids: Vec<(u64, u64)> =
                found.sizes.iter().map(|size| (capture.segments[size.row.index()].packetid(), size.new)).collect();
            assert_eq!(ids, growth(&path, port), "{file} towards the {}", towards.name());
            let written = truth[format!("app_{writer}")]["connections"][0]["sent"].as_u64().unwrap();
            assert_eq!(found.sizes.iter().map(|size| size.new).sum::<u64>(), written, "{file}");
        }
    }
}

#[test]
fn acknowledged_sizes_are_drawn_by_subflow() {
    let Some((path, capture)) = scenario("02_fullmesh/client.pcap") else { return };
    let figure = draw(&capture, "acksize 0");
    let wanted = growth(&path, "dst");
    let panel = &figure.panels[0];
    assert_eq!((panel.y.unit, panel.y.scale), (Unit::Bytes, Scale::Logarithmic));
    let drawn: usize = names(panel).iter().map(|name| points(panel, name).len()).sum();
    assert_eq!(drawn, wanted.len());
    let packets = panel.series.iter().flat_map(|series| &series.packets);
    let mut packets: Vec<u64> = packets.map(|packet| packet.unwrap().into()).collect();
    packets.sort_unstable();
    let mut carriers: Vec<u64> = wanted.iter().map(|(packetid, _)| *packetid).collect();
    carriers.sort_unstable();
    assert_eq!(packets, carriers);
    let figure = draw(&capture, "acksize 0 --distribution --towards server");
    let panel = &figure.panels[0];
    assert_eq!((panel.y.unit, panel.x.unit), (Unit::Share, Unit::Bytes));
    // The share of DATA_ACKs up to two full packets, counted among tshark's.
    let small = wanted.iter().filter(|(_, bytes)| *bytes <= 2840).count();
    let share = points(panel, "all").iter().take_while(|point| point.x <= 2840.0).last().unwrap().y;
    assert!((share - small as f64 / wanted.len() as f64).abs() < 1e-12, "{share}");
    assert_eq!(points(panel, "all").last().unwrap().y, 1.0);
}

#[test]
fn a_missing_key_and_an_unknown_window_scale_are_named() {
    let Some((_, capture)) = scenario("13a_midstream/client.pcap") else { return };
    let caption = draw(&capture, "acksize 0").caption.join("\n");
    assert!(caption.contains("key was not captured"), "{caption}");
    let caption = draw(&capture, "flight 0").caption.join("\n");
    assert!(caption.contains("because their scale was not captured"), "{caption}");
}

#[test]
fn times_between_packets_are_tsharks() {
    for (file, stream) in [("11_nat/server.pcap", 1), ("06c_lossy_blackouts/client.pcapng", 0)] {
        let Some((path, capture)) = scenario(file) else { return };
        let found = interarrival(&capture, capture.tcp_stream(StreamId(stream)).unwrap(), Counted::Data);
        let all = interarrival(&capture, capture.tcp_stream(StreamId(stream)).unwrap(), Counted::All);
        for (filter, gaps, all) in [("dst", &found.server, &all.server), ("src", &found.client, &all.client)] {
            for (gaps, length) in [(gaps, "tcp.len>0"), (all, "tcp")] {
                let filter = format!("tcp.stream=={stream} && tcp.{filter}port==5001 && {length}");
                let rows = fields(&path, &filter, &["frame.time_epoch"]);
                let mut times: Vec<i64> = rows.iter().map(|row| nanoseconds(&row[0])).collect();
                times.sort_unstable();
                let wanted: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
                let found: Vec<i64> = gaps.iter().map(|gap| gap.span.nanoseconds()).collect();
                assert_eq!(found, wanted, "{file} {filter}");
                assert!(wanted.len() > 10, "{file} {filter}");
            }
        }
    }
}

#[test]
fn times_between_packets_are_drawn_as_shares() {
    let Some((_, capture)) = scenario("02_fullmesh/client.pcap") else { return };
    let figure = draw(&capture, "interarrival mptcp 0");
    assert_eq!(figure.panels.len(), 2);
    let panel = &figure.panels[0];
    assert_eq!((panel.x.unit, panel.x.scale, panel.y.unit), (Unit::Seconds, Scale::Logarithmic, Unit::Share));
    assert_eq!(names(panel), ["subflow 0", "subflow 1", "subflow 2", "subflow 3"]);
    let gaps = interarrival(&capture, capture.tcp_stream(StreamId(0)).unwrap(), Counted::Data).server;
    let fast = gaps.iter().filter(|gap| gap.span <= Span::from_milliseconds(1)).count();
    let share = points(panel, "subflow 0").iter().take_while(|point| point.x <= 0.001).last().unwrap().y;
    assert!((share - fast as f64 / gaps.len() as f64).abs() < 1e-12, "{share}");
    // This capture counts in microseconds: some times are zero.
    let zero = gaps.iter().filter(|gap| gap.span == Span::ZERO).count();
    assert!(zero > 0 && figure.caption.iter().any(|line| line.contains("are zero")), "{zero} {:?}", figure.caption);
    let alone = draw(&capture, "interarrival tcp 0 --towards server");
    assert_eq!(points(&alone.panels[0], "TCP stream 0"), points(panel, "subflow 0"));
}

/// By stream, the lengths of distinct mappings that tshark reads in packets to or from port 5001, sorted.
fn mappings(path: &Path, port: &str) -> BTreeMap<StreamId, Vec<u64>> {
    let names =
        ["rawdataseqno", "subflowseqno", "datalvllen", "datafin.flag"].map(|name| format!("tcp.options.mptcp.{name}"));
    let names: Vec<&str> = std::iter::once("tcp.stream").chain(names.iter().map(String::as_str)).collect();
    let filter = format!("tcp.{port}port==5001 && tcp.options.mptcp.datalvllen");
    let mut seen = HashSet::new();
    let mut lengths: BTreeMap<StreamId, Vec<u64>> = BTreeMap::new();
    for row in fields(path, &filter, &names) {
        let stream: StreamId = row[0].parse().unwrap();
        let fin = ["1", "True"].contains(&row[4].as_str());
        // MP_CAPABLE has a length, and neither number: those of its data are the first ones.
        let length = row[3].parse::<u64>().unwrap() - u64::from(fin);
        if length > 0 && seen.insert((stream, row[1].clone(), row[2].clone(), length)) {
            lengths.entry(stream).or_default().push(length);
        }
    }
    for own in lengths.values_mut() {
        own.sort_unstable();
    }
    lengths
}

#[test]
fn mappings_are_those_that_tshark_reads() {
    for file in
        ["02_fullmesh/client.pcap", "06c_lossy_blackouts/client.pcapng", "11_nat/server.pcap", "15_bulk/client.pcapng"]
    {
        let Some((path, capture)) = scenario(file) else { return };
        let connection = capture.mptcp_connection(ConnectionId(0)).unwrap();
        let found = mapping_lengths(&capture, connection);
        for (towards, port) in [(Role::Server, "dst"), (Role::Client, "src")] {
            let wanted = mappings(&path, port);
            for (stream, own) in connection.subflows.iter().zip(found.get(towards)) {
                let mut lengths = own.lengths.clone();
                lengths.sort_unstable();
                let wanted = wanted.get(stream).cloned().unwrap_or_default();
                assert_eq!(lengths, wanted, "{file} stream {stream} towards the {}", towards.name());
                assert_eq!(own.infinite, 0);
            }
        }
    }
}

#[test]
fn lengths_of_mappings_are_counted_in_bins() {
    let Some((path, capture)) = scenario("02_fullmesh/client.pcap") else { return };
    let figure = draw(&capture, "dss_len 0 --histogram");
    for (panel, port) in figure.panels.iter().zip(["dst", "src"]) {
        assert_eq!((panel.x.unit, panel.y.unit), (Unit::Bytes, Unit::Count));
        let wanted = mappings(&path, port);
        for (series, (stream, lengths)) in panel.series.iter().zip(&wanted) {
            assert_eq!(series.name, format!("subflow {stream}"));
            let Marks::Bars(bars) = &series.marks else { panic!("{series:?}") };
            assert_eq!(bars.iter().map(|bar| bar.y).sum::<f64>(), lengths.len() as f64, "{series:?}");
            for bar in bars {
                let counted = lengths.iter().filter(|length| (bar.x_low..bar.x_high).contains(&(**length as f64)));
                assert_eq!(counted.count() as f64, bar.y, "{series:?}");
            }
            // The same bins for all, so that the table of values is a histogram.
            assert!(bars.iter().all(|bar| bar.x_high - bar.x_low == 5000.0 && bar.x_low % 5000.0 == 0.0), "{bars:?}");
        }
    }
}

#[test]
fn lengths_of_mappings_are_a_distribution() {
    let Some((path, capture)) = scenario("02_fullmesh/client.pcap") else { return };
    let figure = draw(&capture, "dss_len 0 --label 1=LTE");
    for (panel, port) in figure.panels.iter().zip(["dst", "src"]) {
        let wanted = mappings(&path, port);
        for (series, (stream, lengths)) in panel.series.iter().zip(&wanted) {
            assert_eq!(series.name, if stream.0 == 1 { "LTE".to_string() } else { format!("subflow {stream}") });
            let Marks::Steps(steps) = &series.marks else { panic!("{series:?}") };
            for step in &steps[1..] {
                let at_most = lengths.iter().filter(|length| **length as f64 <= step.x).count();
                assert_eq!(step.y, at_most as f64 / lengths.len() as f64, "{step:?}");
            }
            assert_eq!((steps[0].y, steps.last().unwrap().y), (0.0, 1.0));
        }
    }
}

/// Times are told to the nanosecond.
const NANOSECOND: f64 = 1e-9;

#[test]
fn columns_over_time_are_what_tshark_prints() {
    let Some((path, capture)) = scenario("06c_lossy_blackouts/client.pcapng") else { return };
    for (line, field, unit) in [
        ("tcp_attr 0 rwnd --towards server", "tcp.window_size", Unit::Bytes),
        ("tcp_attr 0 tcpseq --towards server", "tcp.seq", Unit::Plain),
        ("tcp_attr 0 reltime --towards server", "frame.time_relative", Unit::Seconds),
        ("tcp_attr 0 ttl --towards server", "ip.ttl", Unit::Plain),
    ] {
        let figure = draw(&capture, line);
        assert_eq!(figure.panels[0].y.unit, unit, "{line}");
        let rows = fields(&path, "tcp.stream==0 && tcp.dstport==5001", &["frame.time_relative", field]);
        let found = points(&figure.panels[0], "TCP stream 0");
        assert_eq!(found.len(), rows.len(), "{line}");
        for (point, row) in found.iter().zip(&rows) {
            // Of a field asked for twice tshark prints only the second.
            let time: f64 = row.iter().find(|cell| !cell.is_empty()).unwrap().parse().unwrap();
            let value: f64 = row[1].parse().unwrap();
            assert!((point.x - time).abs() <= NANOSECOND, "{line}: {point:?} {row:?}");
            assert!((point.y - value).abs() <= NANOSECOND, "{line}: {point:?} {row:?}");
        }
    }
}

/// Raw numbers of 64 bits are drawn from the least one on, exact to the byte.
#[test]
fn numbers_beyond_doubles_are_drawn_exactly() {
    let Some((path, capture)) = scenario("02_fullmesh/client.pcap") else { return };
    let figure = draw(&capture, "mptcp_attr 0 dss_dsn");
    let rows = fields(&path, "tcp.dstport==5001", &["tcp.stream", "tcp.options.mptcp.rawdataseqno"]);
    let raw: Vec<(u32, u64)> =
        rows.iter().filter_map(|row| Some((row[0].parse().ok()?, row[1].parse().ok()?))).collect();
    let least = raw.iter().map(|(_, number)| *number).min().unwrap();
    assert!(least > 1 << 53);
    for stream in 0..4 {
        let found: Vec<u64> =
            points(&figure.panels[0], &format!("subflow {stream}")).iter().map(|point| point.y as u64).collect();
        let wanted: Vec<u64> = raw.iter().filter(|(of, _)| *of == stream).map(|(_, number)| number - least).collect();
        assert_eq!(found, wanted, "stream {stream}");
    }
    assert!(figure.caption.iter().any(|line| line.contains(&format!("{least:016x}"))), "{:?}", figure.caption);
}

#[test]
fn every_column_is_drawn_or_refused_in_a_sentence() {
    let Some((_, capture)) = scenario("06c_lossy_blackouts/client.pcapng") else { return };
    let mut refused = Vec::new();
    let names: Vec<String> = capture.table().unwrap().get_column_names().iter().map(ToString::to_string).collect();
    for name in &names {
        if let Err(error) = try_draw(&capture, &format!("mptcp_attr 0 {name}")) {
            assert!(error.to_string().contains("which an axis cannot show"), "{error}");
            refused.push(name.as_str());
        }
    }
    let wanted = [
        "interface",
        "abstime",
        "ipsrc",
        "ipdst",
        "tcpoptions",
        "sack",
        "subtype",
        "sendhmac",
        "backup",
        "datafin",
        "addaddr_ip",
        "addaddr_echo",
        "rmaddr_ids",
        "options_cut",
        "tcpdest",
        "mptcpdest",
        "reinjection_of",
        "reinjected_in",
        "retransmission",
    ];
    assert_eq!(refused, wanted);
    let error = try_draw(&capture, "tcp_attr 0 rwdn").unwrap_err();
    assert_eq!(error.to_string(), "no column `rwdn`: did you mean `rwnd`? `columns` lists them all");
}

/// At the sender the drawn flight of a subflow is what the kernel had out when it was asked: 07a was closed at once by
/// its client, with 113 packets of at most 1428 bytes under way and a window of 113.
#[test]
fn flights_and_estimates_end_where_the_kernel_was_asked() {
    let Some((path, capture)) = scenario("07a_fastclose_client/client.pcap") else { return };
    let truth = scenarios::json(&path, "truth.json").unwrap();
    let counters: HashMap<String, serde_json::Value> =
        serde_json::from_value(truth["app_client"]["connections"][0]["subflows_last_seen"].clone()).unwrap();
    let initial = counters.values().find(|subflow| subflow["unacked"].as_u64() > Some(100)).unwrap();
    let number = |key: &str| initial[key].as_f64().unwrap();
    let asked = number("sampled_at") - capture.origin().nanoseconds() as f64 / 1e9;
    let figure = draw(&capture, "flight 0 --towards server");
    let flight = points(&figure.panels[0], "subflow 0");
    let then = flight.iter().take_while(|point| point.x <= asked).last().unwrap().y;
    assert!(then <= number("unacked") * 1428.0 && then > (number("unacked") - 2.0) * 1428.0, "{then}");
    assert!(names(&figure.panels[0]).contains(&"MPTCP window"));
    let figure = draw(&capture, "cwnd 0 --towards server");
    let Marks::HorizontalStrokes(estimates) = &figure.panels[0].series[0].marks else { panic!("{figure:?}") };
    let sent = fields(&path, "tcp.stream==0 && tcp.dstport==5001 && tcp.len>0", &["tcp.len"]);
    let ten: f64 = sent.iter().take(10).map(|row| row[0].parse::<f64>().unwrap()).sum();
    assert_eq!(estimates[0].y, ten, "a window of ten packets, before the first is acknowledged");
    assert!(figure.caption[0].starts_with("A lower bound, valid at"), "{:?}", figure.caption);
}

/// The path of subflow 0 died after 2 s: what was under way then is never acknowledged, and a reset ends the stream. No estimate
/// begins after the last acknowledgement of new data that tshark sees, and every mark belongs to a subflow and a packet.
#[test]
fn round_trips_without_an_end_are_not_estimates() {
    for file in ["05_backup_failover/client.pcapng", "02_fullmesh/client.pcap", "06_lossy/client.pcapng"] {
        let Some((path, capture)) = scenario(file) else { continue };
        let figure = draw(&capture, "cwnd 0 --towards server");
        let rows =
            fields(&path, "tcp.srcport==5001 && tcp.flags.reset==0", &["tcp.stream", "tcp.ack", "frame.time_epoch"]);
        let mut last: std::collections::BTreeMap<String, (u64, i64)> = Default::default();
        for row in rows {
            let (ack, time) = (row[1].parse::<u64>().unwrap(), nanoseconds(&row[2]) - capture.origin().nanoseconds());
            let own = last.entry(format!("subflow {}", row[0])).or_default();
            if ack > own.0 {
                *own = (ack, time);
            }
        }
        let (mut estimates, mut crosses) = (0, 0);
        for series in &figure.panels[0].series {
            assert!(series.role.subflow.is_some(), "{file}: {}", series.name);
            assert!(series.packets.iter().all(Option::is_some) && series.packets.len() == series.marks.len(), "{file}");
            match &series.marks {
                Marks::HorizontalStrokes(strokes) => {
                    let end = last[&series.name].1 as f64 / 1e9;
                    assert!(strokes.iter().all(|one| one.x_low < one.x_high && one.x_high <= end + 1e-9), "{file}");
                    estimates += strokes.len();
                }
                Marks::Points(points) => crosses += points.len(),
                other => panic!("{}", other.name()),
            }
        }
        assert!(estimates > 5 && crosses > 0, "{file}: {estimates} {crosses}");
    }
}

/// Marks are at the time of their packet, as tshark reads it; ends of lines that only last have none.
#[test]
fn marks_are_at_the_time_of_their_packet() {
    for (file, line, panel) in [
        ("06b_reorder_dup/server.pcapng", "ooo 0 --towards server", 0),
        ("06c_lossy_blackouts/client.pcapng", "reinject 0 --towards server", 0),
        ("06c_lossy_blackouts/client.pcapng", "reinject 0 --towards server", 1),
        ("06c_lossy_blackouts/client.pcapng", "cwnd 0 --towards server", 0),
    ] {
        let Some((path, capture)) = scenario(file) else { continue };
        let rows = fields(&path, "frame", &["frame.number", "frame.time_epoch"]);
        let times: HashMap<u64, i64> = rows.iter().map(|row| (row[0].parse().unwrap(), nanoseconds(&row[1]))).collect();
        let figure = draw(&capture, line);
        let mut compared = 0;
        for series in &figure.panels[panel].series {
            assert_eq!(series.packets.len(), series.marks.len(), "{line}");
            for ((x, ..), packet) in series.marks.boxes().zip(&series.packets) {
                let Some(packet) = packet else { continue };
                let time = times[&packet.get()] - capture.origin().nanoseconds();
                assert_eq!((x * 1e9).round() as i64, time, "{line}: {packet}");
                compared += 1;
            }
        }
        assert!(compared > 20, "{line}: {compared}");
    }
}

/// Each subflow sends a DATA_FIN without data once, and perhaps again: as many as tshark sees with a mapping of one byte.
#[test]
fn mappings_of_a_data_fin_alone_are_counted() {
    let mut counted = 0;
    for file in ["02_fullmesh/client.pcap", "06_lossy/server.pcapng", "15_bulk/client.pcapng"] {
        let Some((path, capture)) = scenario(file) else { continue };
        let names = ["tcp.stream", "tcp.dstport", "tcp.options.mptcp.rawdataseqno", "tcp.options.mptcp.datalvllen"];
        let fins = fields(&path, "tcp.options.mptcp.datafin.flag==1 && tcp.options.mptcp.datalvllen==1", &names);
        let distinct: BTreeSet<Vec<String>> = fins.into_iter().collect();
        let noun = if distinct.len() == 1 { "mapping" } else { "mappings" };
        let says = format!("Not shown: {} distinct {noun} of a DATA_FIN alone, which carry nothing.", distinct.len());
        let caption = draw(&capture, "dss_len 0").caption;
        assert_eq!(caption.contains(&says), !distinct.is_empty(), "{file}: {says} {caption:?}");
        counted += distinct.len();
    }
    assert!(counted > 4 || crate::support::scenarios::folder().is_none(), "{counted}");
}
