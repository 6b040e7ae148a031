//! Verdicts on reinjections, against the order of arrival in the server's capture as tshark's raw fields tell it.

use std::collections::HashMap;
use std::path::Path;

use mptcp_trace::analysis::connection_pair::{AtOneEnd, ConnectionPair};
use mptcp_trace::analysis::mapping::{Mapper, StreamPair};
use mptcp_trace::analysis::merge::merge;
use mptcp_trace::analysis::qualify_reinjections::{ReinjectionVerdict, qualify_reinjections};
use mptcp_trace::analysis::summary_extended::summary_extended;
use mptcp_trace::tracking::{Capture, Role};
use mptcp_trace::{ConnectionId, StreamId};

use crate::analysis::cut_captures::cut;
use crate::analysis::merge::{both_ends, end_of};
use crate::support::scenarios;

/// One packet with data towards the server and a mapping of its own that covers it.
struct Data {
    stream: StreamId,
    /// As sent; `None` for the first data of all, which come with MP_CAPABLE instead of a mapping.
    dsn: Option<u64>,
    length: u64,
}

/// Packets with data from client to server: number of the frame, and what it carried, by the fields of its own options.
fn data(path: &Path) -> Vec<(u64, Data)> {
    let fields = [
        "frame.number",
        "tcp.stream",
        "tcp.dstport",
        "tcp.seq_raw",
        "tcp.len",
        "tcp.flags.syn",
        "tcp.options.mptcp.rawdataseqno",
        "tcp.options.mptcp.subflowseqno",
        "tcp.options.mptcp.datalvllen",
        "tcp.options.mptcp.subtype",
    ];
    let mut isn: HashMap<StreamId, u32> = HashMap::new();
    let mut found = Vec::new();
    for line in scenarios::tshark(path, &fields) {
        let cells: Vec<&str> = line.split('\t').collect();
        // The server listens on 5001.
        if cells[2] != "5001" {
            continue;
        }
        let stream: StreamId = cells[1].parse().unwrap();
        let sequence: u32 = cells[3].parse().unwrap();
        if matches!(cells[5], "1" | "True") {
            isn.insert(stream, sequence);
        }
        let length: u64 = cells[4].parse().unwrap();
        if length == 0 {
            continue;
        }
        let mapping = (cells[6].parse::<u64>(), cells[7].parse::<u32>(), cells[8].parse::<u64>());
        let dsn = match mapping {
            (Ok(dsn), Ok(ssn), Ok(mapped)) => {
                let into = u64::from(sequence.wrapping_sub(isn[&stream]).wrapping_sub(ssn));
                assert!(into + length <= mapped, "{line}");
                Some(dsn + into)
            }
            _ if cells[9] == "0" => None,
            _ => panic!("data without a mapping: {line}"),
        };
        found.push((cells[0].parse().unwrap(), Data { stream, dsn, length }));
    }
    found
}

/// The number of the first byte of data: those that came with MP_CAPABLE are before all that have a mapping.
fn first_byte(path: &Path) -> u64 {
    let data = data(path);
    let without = data.iter().filter(|(_, data)| data.dsn.is_none()).map(|(_, data)| data.length).max().unwrap_or(0);
    data.iter().filter_map(|(_, data)| data.dsn).min().unwrap() - without
}

/// For each byte of data the frame that first brought it, by stream.
fn first_arrivals(path: &Path, base: u64) -> HashMap<StreamId, Vec<u32>> {
    let mut arrivals: HashMap<StreamId, Vec<u32>> = HashMap::new();
    for (frame, data) in data(path) {
        let bytes = arrivals.entry(data.stream).or_default();
        let start = (data.dsn.unwrap_or(base) - base) as usize;
        let end = start + data.length as usize;
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        for byte in &mut bytes[start..end] {
            if *byte == 0 {
                *byte = u32::try_from(frame).unwrap();
            }
        }
    }
    arrivals
}

/// The only connection of both, whose two subflows have the same numbers in both: the initial one comes first.
fn connection<'a>(client: &'a Capture, server: &'a Capture) -> ConnectionPair<'a> {
    let end =
        |capture: &'a Capture| AtOneEnd { capture, connection: capture.tracking.connection(ConnectionId(0)).unwrap() };
    let pairs = [0, 1].map(|id| StreamPair { first: StreamId(id), second: StreamId(id), flipped: false });
    ConnectionPair::new(end(client), end(server), pairs.to_vec(), false).unwrap()
}

#[test]
fn verdicts_follow_the_order_of_arrival() {
    let Some(folder) = scenarios::folder() else { return };
    let mut verdicts: HashMap<ReinjectionVerdict, usize> = HashMap::new();
    for name in ["05_backup_failover", "06_lossy", "06c_lossy_blackouts", "11_nat"] {
        let scenario = folder.join(name);
        let (client, server) = both_ends(&scenario).unwrap();
        let base = first_byte(&end_of(&scenario, "client").unwrap());
        let arrivals = first_arrivals(&end_of(&scenario, "server").unwrap(), base);
        let at = |stream: StreamId, byte: u64| arrivals[&stream].get(byte as usize).copied().filter(|frame| *frame > 0);
        let pair = connection(&client, &server);
        let found = qualify_reinjections(&pair, &merge(&client, &server, pair.streams()).unwrap(), Some(Role::Server));
        for one in &found[0].reinjections {
            let label = format!("{name} packet {}", one.packetid);
            // The first byte of data is 1.
            let bytes = one.dsn.unwrap() - 1..one.dsn.unwrap() - 1 + one.length;
            let (mut useful, mut arrived, mut original, mut first) = (0, 0, 0, 0);
            for byte in bytes {
                let (again, before) = (at(one.tcpstream, byte), at(one.original_tcpstream, byte));
                arrived += u64::from(again.is_some());
                original += u64::from(before.is_some());
                let wins = again.is_some_and(|again| before.is_none_or(|before| again < before));
                useful += u64::from(wins);
                first += u64::from(wins);
            }
            assert_eq!(one.useful_bytes, useful, "{label}");
            assert_eq!(one.first_bytes, first, "{label}");
            let verdict = match (useful, arrived, original) {
                (1.., _, _) => ReinjectionVerdict::Useful,
                (0, 1.., _) => ReinjectionVerdict::Redundant,
                (0, 0, 1..) => ReinjectionVerdict::Lost,
                (0, 0, 0) => ReinjectionVerdict::NeverArrived,
            };
            assert_eq!(one.verdict, verdict, "{label}");
            assert_eq!(one.reinj_delta.is_some(), arrived == one.length && original == one.length, "{label}");
            if let Some(delta) = one.reinj_delta {
                assert_eq!(delta > 0.0, verdict == ReinjectionVerdict::Useful, "{label}");
            }
            *verdicts.entry(verdict).or_default() += 1;
        }
    }
    println!("{verdicts:?}");
    assert!(
        verdicts[&ReinjectionVerdict::Useful] > 20 && verdicts[&ReinjectionVerdict::Redundant] > 20,
        "{verdicts:?}"
    );
}

/// With the server's capture cut at both sides a verdict is the one that the whole capture gives, proven above, or none.
#[test]
fn what_a_cut_capture_does_not_show_is_not_judged() {
    let Some(folder) = scenarios::folder() else { return };
    let scenario = folder.join("06c_lossy_blackouts");
    let (client, server) = both_ends(&scenario).unwrap();
    let judge = |server: &Capture| {
        let mapped = Mapper::new(&client, server).unwrap().the_mptcp(ConnectionId(0)).unwrap();
        let pairs = mapped.subflows.iter().filter_map(|subflow| subflow.pair).collect();
        let end =
            |capture, number| AtOneEnd { capture, connection: Capture::mptcp_connection(capture, number).unwrap() };
        let pair =
            ConnectionPair::new(end(&client, ConnectionId(0)), end(server, mapped.mapped), pairs, mapped.flipped)
                .unwrap();
        let found = qualify_reinjections(&pair, &merge(&client, server, pair.streams()).unwrap(), Some(Role::Server));
        let outside: u64 = found[0].pairs.iter().map(|pair| pair.outside_capture).sum();
        let verdicts = found[0].reinjections.iter().map(|one| ((one.packetid, one.original_packetid), one.verdict));
        (verdicts.collect::<HashMap<_, _>>(), outside)
    };
    let (expected, none) = judge(&server);
    assert_eq!(none, 0);
    let packets = server.segments.last().unwrap().packetid();
    let (mut same, mut outside) = (0, 0);
    for (from, until) in [(0, 90), (0, 71), (0, 60), (0, 40), (10, 90), (20, 55), (45, 60)] {
        let directory = tempfile::tempdir().unwrap();
        let kept = packets * from / 100..packets * until / 100;
        let part = cut(&end_of(&scenario, "server").unwrap(), directory.path(), kept);
        let (found, count) = judge(&part);
        assert_eq!(found.len(), expected.len());
        for (packets, verdict) in &found {
            if *verdict == ReinjectionVerdict::OutsideCapture {
                outside += 1;
            } else {
                assert_eq!(*verdict, expected[packets], "{packets:?} from {from} to {until} %");
                same += 1;
            }
        }
        assert_eq!(
            found.values().filter(|verdict| **verdict == ReinjectionVerdict::OutsideCapture).count() as u64,
            count
        );
    }
    println!("{same} judged, {outside} not");
    assert!(same > 50 && outside > 50, "{same} {outside}");
}

#[test]
fn contributions_are_what_arrived_first() {
    let Some(folder) = scenarios::folder() else { return };
    for name in ["05_backup_failover", "06_lossy", "06c_lossy_blackouts", "11_nat"] {
        let scenario = folder.join(name);
        let (client, server) = both_ends(&scenario).unwrap();
        let base = first_byte(&end_of(&scenario, "client").unwrap());
        let arrivals = first_arrivals(&end_of(&scenario, "server").unwrap(), base);
        let length = arrivals.values().map(Vec::len).max().unwrap();
        let mut expected: HashMap<StreamId, u64> = HashMap::new();
        for byte in 0..length {
            let on = arrivals.iter().filter_map(|(id, bytes)| Some((*bytes.get(byte).filter(|f| **f > 0)?, *id)));
            *expected.entry(on.min().unwrap().1).or_default() += 1;
        }
        let found = summary_extended(&connection(&client, &server), Some(Role::Server));
        let subflows = &found[0].subflows;
        for subflow in subflows {
            let first = expected.get(&subflow.mapped.unwrap()).copied().unwrap_or(0);
            assert_eq!(subflow.goodput_bytes, first, "{name}");
        }
        let truth = scenarios::json(&scenario.join("client"), "truth.json").unwrap();
        assert_eq!(truth["app_server"]["connections"][0]["received"], found[0].goodput_bytes, "{name}");
        assert_eq!(found[0].missing_bytes, 0, "{name}");
        let sum = |share: &dyn Fn(usize) -> f64| (0..subflows.len()).map(share).sum::<f64>();
        assert!((sum(&|index| subflows[index].goodput_contribution.unwrap()) - 1.0).abs() < 1e-9, "{name}");
        assert!((sum(&|index| subflows[index].throughput_contribution.unwrap()) - 1.0).abs() < 1e-9, "{name}");
    }
}
