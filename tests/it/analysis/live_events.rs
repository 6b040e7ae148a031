//! What is seen of a capture while it grows against what is seen of it as a whole, and against tshark's fields.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use mptcp_trace::analysis::events::{EventKind, events};
use mptcp_trace::analysis::live::{Live, News, Rate};
use mptcp_trace::tracking::Capture;
use mptcp_trace::{ConnectionId, Span, StreamId};

use crate::support::scenarios;

const SECOND: Span = Span::from_seconds(1);

/// The news of a capture whose packets come one after the other.
fn watched(capture: &Capture, window: Span) -> Vec<News> {
    let mut live = Live::new(window);
    let mut news = Vec::new();
    for segment in &capture.segments {
        live.push(segment, capture.segments.ends(segment), capture.origin());
        news.extend(live.take_news());
    }
    live.finish();
    news.extend(live.take_news());
    news
}

/// Connection, packet, stream, event, and the particulars: those of a standstill depend on what comes after it.
type Told = (ConnectionId, u64, StreamId, String, String);

fn told(connection: ConnectionId, event: &mptcp_trace::analysis::events::Event) -> Told {
    let detail = if event.event == EventKind::SubflowStale { String::new() } else { event.detail.clone() };
    let what = format!("{:?} towards the {}", event.event, event.towards.name());
    (connection, event.packetid, event.tcpstream, what, detail)
}

#[test]
fn events_are_those_of_the_whole_capture() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for path in [scenarios::captures(), scenarios::recorded()].concat() {
        let Some(capture) = scenarios::load(&path) else { continue };
        let whole = capture.tracking.connections.iter().flat_map(|connection| {
            let events = events(&capture, connection, None);
            // What is seen of a capture that grows is counted as Wireshark does.
            let number =
                |stream: StreamId| capture.tracking.subflow(stream).map_or(connection.id, |subflow| subflow.wireshark);
            // Times to live are those of frames, which are not kept of a capture that grows, and what the path doubled is
            // told of whole captures alone.
            let seen = events
                .into_iter()
                .filter(|event| ![EventKind::ResetTtlDiffers, EventKind::Duplicate].contains(&event.event));
            seen.map(|event| told(number(event.tcpstream), &event)).collect::<Vec<_>>()
        });
        let mut whole: Vec<Told> = whole.collect();
        let news = watched(&capture, SECOND);
        let mut live: Vec<Told> = news
            .iter()
            .filter_map(|news| match news {
                News::Happening(happening) => Some(told(happening.mptcpstream, &happening.event)),
                News::Rates(_) => None,
            })
            .collect();
        // What happens once in a connection happens once in each of its parts to who does not know that they are one, and
        // a join of one lacks the keys of the other.
        let is_part = |told: &Told| {
            let subflow = capture.tracking.subflow(told.2);
            let whole = subflow.and_then(|subflow| capture.tracking.connection(subflow.connection));
            let of_another =
                |id: &StreamId| capture.tracking.subflow(*id).is_some_and(|one| one.wireshark != one.connection);
            let differs = told.3.starts_with("DataFin") || told.3.starts_with("JoinEstablished");
            differs && whole.is_some_and(|whole| whole.subflows.iter().any(of_another))
        };
        whole.retain(|told| !is_part(told));
        live.retain(|told| !is_part(told));
        whole.sort();
        live.sort();
        count += live.len();
        if whole != live {
            let (whole, live): (BTreeSet<_>, BTreeSet<_>) = (whole.into_iter().collect(), live.into_iter().collect());
            let missing: Vec<_> = whole.difference(&live).take(3).collect();
            let more: Vec<_> = live.difference(&whole).take(3).collect();
            wrong.push(format!("{}: missing {missing:?}, too many {more:?}", scenarios::label(&path)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 3000 || scenarios::folder().is_none(), "only {count} events were compared");
}

#[test]
fn events_come_with_the_packet_that_makes_them_certain() {
    let Some(folder) = scenarios::folder() else { return };
    let capture = scenarios::load(&folder.join("05_backup_failover/client.pcapng")).unwrap();
    let mut live = Live::new(SECOND);
    let mut delays: BTreeMap<String, f64> = BTreeMap::new();
    for segment in &capture.segments {
        live.push(segment, capture.segments.ends(segment), capture.origin());
        for news in live.take_news() {
            if let News::Happening(happening) = news {
                let delay = delays.entry(format!("{:?}", happening.event.event)).or_default();
                let now = (segment.abstime - capture.origin()).seconds();
                *delay = delay.max(now - happening.event.reltime);
            }
        }
    }
    // Nothing is left for the end, and what one packet shows is told with it.
    live.finish();
    assert!(live.take_news().iter().all(|news| matches!(news, News::Rates(_))));
    for kind in ["MpJoin", "Established", "DataFin", "Fin", "Reset"] {
        assert_eq!(delays.get(kind), Some(&0.0), "{kind}: {delays:?}");
    }
    // A join is certain once its server has answered the ACK, a round trip of 80 ms (truth.json: 40 ms each way).
    assert!(delays["JoinEstablished"] < 0.1, "{delays:?}");
}

/// Bytes of payload by window and stream, as tshark's fields add up.
fn by_tshark(path: &Path) -> BTreeMap<(u64, u64), u64> {
    let mut sums = BTreeMap::new();
    for line in scenarios::tshark(path, &["frame.time_relative", "tcp.stream", "tcp.len"]) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [time, stream, length] = cells[..] else { continue };
        let (Ok(stream), Ok(length)) = (stream.parse::<u64>(), length.parse::<u64>()) else { continue };
        let (second, _) = time.split_once('.').unwrap();
        if length > 0 {
            *sums.entry((second.parse().unwrap(), stream)).or_default() += length;
        }
    }
    sums
}

#[test]
fn rates_are_the_payload_that_tshark_counts() {
    let Some(folder) = scenarios::folder() else { return };
    for name in ["02_fullmesh/client.pcap", "06_lossy/server.pcapng", "12_many_short/client.pcapng"] {
        let path = folder.join(name);
        let capture = scenarios::load(&path).unwrap_or_else(|| panic!("{name}"));
        let mut found: BTreeMap<(u64, u64), u64> = BTreeMap::new();
        let mut connections = 0;
        let mut subflows = 0;
        for news in watched(&capture, SECOND) {
            let News::Rates(rates) = news else { continue };
            for Rate { reltime, mptcpstream, tcpstream, throughput_bytes, throughput, .. } in
                rates.records(capture.origin())
            {
                assert!((throughput - throughput_bytes as f64).abs() < 1e-6, "bytes in one second");
                match (mptcpstream, tcpstream) {
                    (Some(_), Some(stream)) => {
                        subflows += throughput_bytes;
                        if throughput_bytes > 0 {
                            *found.entry((reltime as u64 - 1, stream.into())).or_default() += throughput_bytes;
                        }
                    }
                    (Some(_), None) => connections += throughput_bytes,
                    // There is no other TCP in these captures but refused joins, which carry nothing.
                    _ => assert_eq!(throughput_bytes, 0, "{name}"),
                }
            }
        }
        assert_eq!(found, by_tshark(&path), "{name}");
        assert_eq!(connections, subflows, "{name}");
    }
}
