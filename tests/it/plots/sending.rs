//! Plots of what was sent over which subflow, against tshark's fields, the kernels' counters and the paths as they were
//! set up.

use std::collections::{BTreeMap, HashMap};

use mptcp_trace::analysis::aggregation_benefit::{aggregation_benefit, delivered};
use mptcp_trace::tracking::Role;
use mptcp_trace::tracking::data::data_sequence;
use mptcp_trace::{ConnectionId, StreamId};
use mptcpanalyzer::drawing::figure::{Figure, Marks};
use mptcpanalyzer::plots::aggr_benefit::aggr_benefit;
use mptcpanalyzer::plots::dsn::dsn;
use mptcpanalyzer::plots::reinject::over_time;
use mptcpanalyzer::plots::request::PlotRequest;
use mptcpanalyzer::plots::scheduler::scheduler;

use crate::analysis::merge::end_of;
use crate::analysis::out_of_order::packets;
use crate::plots::delays::{nanoseconds, panel, points, printed};
use crate::support::scenarios;

/// For each byte of data towards the server the stream of the packet that was the first to carry it.
fn owners(path: &std::path::Path) -> Vec<StreamId> {
    let mut owners: Vec<Option<StreamId>> = Vec::new();
    for packet in packets(path) {
        let end = (packet.dsn + packet.length) as usize;
        if owners.len() < end {
            owners.resize(end, None);
        }
        for owner in &mut owners[packet.dsn as usize..end] {
            owner.get_or_insert(packet.stream);
        }
    }
    owners.into_iter().map(|owner| owner.expect("every byte was sent")).collect()
}

#[test]
fn stretches_are_the_bytes_that_each_subflow_sent_first() {
    let Some(folder) = scenarios::folder() else { return };
    for (name, end) in [("02_fullmesh", "client"), ("02_fullmesh", "server"), ("06b_reorder_dup", "server")] {
        let path = end_of(&folder.join(name), end).unwrap();
        let owners = owners(&path);
        let capture = scenarios::load(&path).unwrap();
        let figure =
            scheduler(&capture, capture.tracking.connection(ConnectionId(0)).unwrap(), &PlotRequest::default());
        let lanes = panel(&figure, "towards the server");
        let mut drawn: BTreeMap<StreamId, Vec<(u64, u64)>> = BTreeMap::new();
        for (lane, series) in lanes.series.iter().enumerate() {
            let stream: StreamId = series.name.strip_prefix("subflow ").unwrap().parse().unwrap();
            assert_eq!(lanes.y.categories[lane], series.name);
            let Marks::HorizontalStrokes(strokes) = &series.marks else { panic!("{}", series.marks.name()) };
            assert!(strokes.iter().all(|stroke| stroke.y == lane as f64));
            drawn.insert(stream, strokes.iter().map(|stroke| (stroke.x_low as u64, stroke.x_high as u64)).collect());
        }
        let mut expected: BTreeMap<StreamId, Vec<(u64, u64)>> = BTreeMap::new();
        let mut start = 0;
        for piece in owners.chunk_by(|one, other| one == other) {
            // The first byte is 1.
            expected.entry(piece[0]).or_default().push((start + 1, start + 1 + piece.len() as u64));
            start += piece.len() as u64;
        }
        assert_eq!(drawn, expected, "{name}/{end}");
        // The last shares are those of all data.
        let shares = panel(&figure, "towards the server, shares");
        for stream in drawn.keys() {
            let own = owners.iter().filter(|owner| *owner == stream).count() as f64 / owners.len() as f64;
            let last = points(shares, &format!("subflow {stream}")).last().unwrap();
            assert!((last.y - own).abs() < 1e-9, "{name}/{end} stream {stream}: {last:?}, not {own}");
        }
    }
}

#[test]
fn reinjections_add_up_to_the_kernels_count_and_are_as_old_as_their_originals() {
    let Some(folder) = scenarios::folder() else { return };
    let path = end_of(&folder.join("06c_lossy_blackouts"), "client").unwrap();
    let capture = scenarios::load(&path).unwrap();
    let figure = over_time(&capture, capture.tracking.connection(ConnectionId(0)).unwrap(), &PlotRequest::default());
    let frames = scenarios::tshark(&path, &["tcp.stream", "frame.time_epoch"]);
    let own = frames.iter().filter_map(|line| line.split_once('\t')).filter(|(stream, _)| ["0", "1"].contains(stream));
    let times: Vec<i64> = own.map(|(_, time)| printed(time) - capture.origin().nanoseconds()).collect();
    let (begin, end) = (*times.iter().min().unwrap(), *times.iter().max().unwrap());
    // Two panels a direction: bytes, and how late. bytes_retrans of MPTCP_INFO at the client and at the server.
    for (panels, kernel) in figure.panels.chunks(2).zip([76_760.0, 88_924.0]) {
        let [bytes, ages] = panels else { panic!("two panels a direction") };
        let total: f64 = bytes.series.iter().map(|series| points(bytes, &series.name).last().unwrap().y).sum();
        assert_eq!(total, kernel, "{:?}", bytes.title);
        for (total, age) in bytes.series.iter().zip(&ages.series) {
            // A step for each packet, from zero at the connection's first packet to its last one.
            let steps = points(bytes, &total.name);
            assert_eq!(steps.len(), points(ages, &age.name).len() + 2);
            let ends = steps.first().zip(steps.last()).map(|(first, last)| (nanoseconds(first.x), nanoseconds(last.x)));
            assert_eq!((ends, steps[0].y), (Some((begin, end)), 0.0));
            assert_eq!(total.packets[1..steps.len() - 1], age.packets);
        }
    }
    // How old the upload's are: raw data sequence numbers that tshark reads were seen earlier on the other stream.
    let data = packets(&path);
    let mut first: HashMap<u64, (StreamId, i64)> = HashMap::new();
    let mut expected = Vec::new();
    for packet in &data {
        let bytes = packet.dsn..packet.dsn + packet.length;
        let known: Vec<(StreamId, i64)> = bytes.clone().filter_map(|byte| first.get(&byte).copied()).collect();
        if !known.is_empty() && known.iter().all(|(stream, _)| *stream != packet.stream) {
            let oldest = known.iter().map(|(_, time)| *time).min().unwrap();
            expected.push((packet.time - capture.origin().nanoseconds(), packet.time - oldest));
        }
        for byte in bytes {
            first.entry(byte).or_insert((packet.stream, packet.time));
        }
    }
    let ages = &figure.panels[1];
    let drawn: Vec<(i64, i64)> =
        points(ages, "subflow 0").iter().map(|point| (nanoseconds(point.x), nanoseconds(point.y))).collect();
    // A retransmission of reinjected data looks the same to this simple test, so it finds more.
    assert!(drawn.len() > 30 && drawn.iter().all(|sample| expected.contains(sample)), "{drawn:?} {expected:?}");
}

/// Path 1 and path 2 of this scenario carry 10 Mbit/s each, one after the other: the second was a backup.
#[test]
fn the_aggregation_benefit_is_that_of_the_paths_as_they_were_set_up() {
    let Some(folder) = scenarios::folder() else { return };
    let path = end_of(&folder.join("05_backup_failover"), "server").unwrap();
    let capture = scenarios::load(&path).unwrap();
    let connection = capture.tracking.connection(ConnectionId(0)).unwrap();
    let truth = scenarios::json(&path, "truth.json").unwrap();
    let rate = |path: &str| truth["paths"][path]["rate_bps"].as_f64().unwrap() / 8.0;
    assert_eq!((rate("1"), rate("2")), (1_250_000.0, 1_250_000.0));
    let written = truth["app_client"]["connections"][0]["sent"].as_f64().unwrap();
    let times: Vec<i64> = packets(&path).iter().map(|packet| packet.time).collect();
    let duration = (times.iter().max().unwrap() - times.iter().min().unwrap()) as f64 / 1e9;
    // Less than one path carries: the part of the best path that was missing.
    let expected = written / duration / 1_250_000.0 - 1.0;
    assert!((-0.5..0.0).contains(&expected), "{expected}");

    let given = BTreeMap::from([(StreamId(0), rate("1")), (StreamId(1), rate("2"))]);
    let figure = aggr_benefit(&capture, connection, &PlotRequest::default(), Some(1.0), &given);
    let upload = panel(&figure, "towards the server");
    let whole = points(upload, "whole transfer");
    assert!((whole[0].y - expected).abs() < 1e-6 && whole[0].y == whole[1].y, "{whole:?}, not {expected}");
    assert!((whole[1].x - whole[0].x - duration).abs() < 1e-9);
    assert!(figure.caption.iter().any(|line| line.contains("10.0 Mbit/s (subflow 0, given)")), "{:?}", figure.caption);

    // Estimated from what was acknowledged: never more than the path carries, and most of it, because headers are not
    // payload.
    let sequence = data_sequence(&capture.segments, &capture.tracking, connection);
    let sent = sequence.get(Role::Server).sent.clone();
    let acknowledged = delivered(&capture, connection, |_| true);
    let estimate = |window| {
        let sent = sent.clone();
        aggregation_benefit(sent, &acknowledged.server, &connection.subflows, Role::Server, window, &BTreeMap::new())
    };
    let found = estimate(None).unwrap();
    for capacity in &found.capacities {
        assert!((0.8..=1.0).contains(&(capacity.rate / 1_250_000.0)), "{capacity:?}");
    }
    assert_eq!(found.goodput_bytes as f64, written);
}

/// Subflow 0 has path 1, subflow 1 path 2, whose rates truth.json has. Estimates are lower bounds of them, so the benefit is
/// an upper bound, at either end: paths that were never full, a receiver that was slow, loss, reordering, a way back that
/// delivers acknowledgements together. A transfer that is too short for an estimate has none, and says so.
#[test]
fn the_benefit_with_estimated_capacities_is_never_below_the_true_one() {
    let Some(folder) = scenarios::folder() else { return };
    let (mut told, mut untold) = (0, 0);
    for name in [
        "01_basic",
        "05_backup_failover",
        "06_lossy",
        "06b_reorder_dup",
        "06c_lossy_blackouts",
        "11_nat",
        "18a_application_limited",
        "18b_slow_reader",
        "18d_paths_limited",
        "18g_unequal_paths",
    ] {
        for end in ["client", "server"] {
            let Some(path) = end_of(&folder.join(name), end) else { continue };
            let capture = scenarios::load(&path).unwrap();
            let connection = capture.tracking.connection(ConnectionId(0)).unwrap();
            assert_eq!(connection.subflows, [StreamId(0), StreamId(1)], "{name}");
            let truth = scenarios::json(&path, "truth.json").unwrap();
            let rate = |path: &str| truth["paths"][path]["rate_bps"].as_f64().unwrap() / 8.0;
            let given = BTreeMap::from([(StreamId(0), rate("1")), (StreamId(1), rate("2"))]);
            let sequence = data_sequence(&capture.segments, &capture.tracking, connection);
            let acknowledged = delivered(&capture, connection, |_| true);
            for towards in Role::BOTH {
                let found = |given: &BTreeMap<StreamId, f64>, window| {
                    let (sent, own) = (sequence.get(towards).sent.clone(), acknowledged.get(towards));
                    aggregation_benefit(sent, own, &connection.subflows, towards, window, given)
                };
                let Some(true_one) = found(&given, None).filter(|found| found.carriers == 2) else { continue };
                for window in [None, Some(0.01), Some(0.1), Some(0.3)] {
                    let estimate = found(&BTreeMap::new(), window).unwrap();
                    for (capacity, real) in estimate.capacities.iter().zip(&true_one.capacities) {
                        assert!(
                            capacity.rate <= real.rate,
                            "{name}/{end} {towards:?} {window:?}: {capacity:?} {real:?}"
                        );
                    }
                    match (estimate.benefit, true_one.benefit) {
                        (Some(most), Some(real)) => {
                            assert!(most >= real, "{name}/{end} {towards:?} {window:?}: {most}, not {real}");
                            told += 1;
                        }
                        _ => untold += 1,
                    }
                    // One window as long as the transfer tells nothing.
                    let one = found(&BTreeMap::new(), Some(true_one.duration)).unwrap();
                    assert!(
                        one.benefit.is_none() && one.windows.iter().all(|window| window.benefit.is_none()),
                        "{name}"
                    );
                }
            }
        }
    }
    println!("{told} benefits, {untold} without one");
    assert!(told >= 60 && untold >= 8, "{told} {untold}");
}

/// Paths of 20 and 10 Mbit/s, and a benefit of -0.84 towards the client: with one window it seemed to be 1.
#[test]
fn a_short_lossy_transfer_is_not_credited_with_perfect_aggregation() {
    let Some(folder) = scenarios::folder() else { return };
    let path = end_of(&folder.join("06_lossy"), "client").unwrap();
    let capture = scenarios::load(&path).unwrap();
    let connection = capture.tracking.connection(ConnectionId(0)).unwrap();
    let draw = |window| aggr_benefit(&capture, connection, &PlotRequest::default(), window, &BTreeMap::new());
    let figure = draw(None);
    let whole = points(panel(&figure, "towards the client"), "whole transfer")[0].y;
    assert!((-0.84..-0.6).contains(&whole), "{whole}");
    let says = |figure: &Figure, text: &str| figure.caption.iter().any(|line| line.contains(text));
    assert!(says(&figure, &format!("benefit at most {whole:.2}; windows of 0.122 s")), "{:?}", figure.caption);
    assert!(says(&figure, "lower bounds"), "{:?}", figure.caption);
    let figure = draw(Some(1.0));
    assert!(figure.panels.iter().all(|panel| panel.series.is_empty()), "{figure:?}");
    let sentence = "Towards the client: cannot tell, because estimates of capacities take 5 windows of at least 0.2 s, and the \
                    data took 1.222 s in windows of 1.222 s; --capacity gives the capacities.";
    assert!(says(&figure, sentence), "{:?}", figure.caption);
}

/// 13a_midstream was begun late: without keys, numbers count from the lowest, and every plot says so or does without.
#[test]
fn without_keys_plots_say_what_is_missing() {
    let Some(folder) = scenarios::folder() else { return };
    let path = end_of(&folder.join("13a_midstream"), "client").unwrap();
    let capture = scenarios::load(&path).unwrap();
    let connection = capture.tracking.connection(ConnectionId(0)).unwrap();
    let figure = scheduler(&capture, connection, &PlotRequest::default());
    let says = |text: &str| figure.caption.iter().any(|line| line.contains(text));
    assert!(says("the sender's key was not captured") && says("MP_CAPABLE handshake not captured"));
    let lanes = panel(&figure, "towards the server");
    let lowest = lanes.series.iter().flat_map(|lane| lane.marks.boxes()).map(|(low, ..)| low).fold(f64::MAX, f64::min);
    // As in `dsn`, whose lowest number is 1, be it of data or of a DATA_ACK.
    let same = dsn(&capture, connection, &PlotRequest::default());
    let numbers = same.panels[0].series.iter().filter(|one| matches!(one.marks, Marks::VerticalStrokes(_)));
    let drawn = numbers.flat_map(|one| one.marks.boxes()).map(|(_, low, ..)| low).fold(f64::MAX, f64::min);
    assert!(lowest >= 1.0 && lowest == drawn, "{lowest} {drawn}");
    let times = scenarios::tshark(&path, &["frame.time_epoch"]);
    assert_eq!(printed(&times[0]), capture.origin().nanoseconds());
}
