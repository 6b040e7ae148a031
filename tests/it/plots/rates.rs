//! Rates over time against tshark's, the kernels' counters and the summaries, which the kernels have proven.

use std::path::Path;
use std::process::Command;

use mptcp_trace::analysis::mptcp_summary::mptcp_summary;
use mptcp_trace::analysis::rates::{Covered, Parcel, RateWindow, WindowType, first_sent, stream_payload};
use mptcp_trace::analysis::tcp_summary::tcp_summary;
use mptcp_trace::tracking::{Role, Tracking};
use mptcp_trace::{ConnectionId, Instant, Span};
use mptcpanalyzer::drawing::figure::{Marks, Panel, Unit};

use crate::plots::delays::printed;
use crate::support::drawn::{draw, names, points, scenario, try_draw};
use crate::support::program::Home;
use crate::support::scenarios;

/// Bytes of payload in each tenth of a second from the first frame on, by tshark.
fn tenths(path: &Path, filter: &str) -> Vec<u64> {
    let mut tshark = Command::new("tshark");
    tshark.arg("-q").arg("-r").arg(path).args(["-z", &format!("io,stat,0.1,SUM(tcp.len)tcp.len && {filter}")]);
    let text = String::from_utf8(tshark.output().unwrap().stdout).unwrap();
    let rows = text.lines().filter(|line| line.contains("<>"));
    rows.map(|row| row.split('|').nth(2).unwrap().trim().parse().unwrap()).collect()
}

#[test]
fn tumbling_windows_are_those_of_tshark() {
    for (file, streams, port) in [("02_fullmesh/client.pcap", 4, 5001), ("06c_lossy_blackouts/server.pcapng", 2, 5001)]
    {
        let Some((path, capture)) = scenario(file) else { return };
        let figure = draw(&capture, "mptcp_tput 0 --towards server --window 0.1");
        let panel = &figure.panels[0];
        assert_eq!((panel.x.unit, panel.y.unit), (Unit::Seconds, Unit::BytesPerSecond));
        for stream in 0..streams {
            let wanted = tenths(&path, &format!("tcp.stream=={stream} && tcp.dstport=={port}"));
            let steps = points(panel, &format!("subflow {stream}"));
            let mut filled = 0;
            for (index, bytes) in wanted.iter().enumerate() {
                let middle = index as f64 / 10.0 + 0.05;
                let found = steps.iter().take_while(|point| point.x <= middle).last().map_or(0.0, |point| point.y);
                assert_eq!((found / 10.0).round() as u64, *bytes, "{file} stream {stream} window {index}");
                filled += usize::from(*bytes > 0);
            }
            assert!(filled > 5, "{file} stream {stream}");
        }
    }
}

fn windows_sum(parcels: &[Parcel], window: RateWindow, origin: Instant) -> u64 {
    let end = parcels.last().map_or(origin, |parcel| parcel.time);
    window.fill(parcels, Covered { origin, end }).iter().map(|level| level.bytes).sum()
}

/// Each byte counts in one tumbling window, whatever its length; and what is under a sliding window's curve is the same.
#[test]
fn windows_add_up_to_the_summaries() {
    let mut compared = 0;
    for path in scenarios::captures() {
        let label = scenarios::label(&path);
        // 14*: the packets of 02 and 06 under other clocks.
        if label.starts_with("14") {
            continue;
        }
        let Some(capture) = scenarios::load(&path) else { continue };
        for connection in capture.tracking.connections.iter().take(5) {
            let goodput = first_sent(&capture, connection).parcels;
            for direction in mptcp_summary(&capture, connection).directions {
                for (index, share) in direction.subflows.iter().enumerate() {
                    let stream = capture.tcp_stream(share.tcpstream).unwrap();
                    let subflow = capture.tracking.subflow(share.tcpstream).unwrap();
                    let role = Tracking::mptcp_towards(subflow, direction.towards);
                    let carried = stream_payload(&capture, stream);
                    let own = &tcp_summary(&capture, stream).directions[usize::from(role == Role::Client)];
                    for (parcels, bytes) in [
                        (&carried.get(role).payload, share.throughput_bytes),
                        (&carried.get(role).retransmitted, own.retransmitted_bytes),
                        (&goodput.get(direction.towards)[index], share.goodput_bytes),
                    ] {
                        for length in [100_000_000, 3_333_333, 7_000_000_000].map(Span::from_nanoseconds) {
                            let window = RateWindow::new(WindowType::Tumbling, length).unwrap();
                            assert_eq!(windows_sum(parcels, window, capture.origin()), bytes, "{label}: {share:?}");
                        }
                        assert_eq!(area(parcels, 50_000_000), i128::from(bytes) * 50_000_000, "{label}: {share:?}");
                        compared += usize::from(bytes > 0);
                    }
                }
            }
        }
    }
    assert!(compared > 500 || scenarios::folder().is_none(), "only {compared}");
}

/// Bytes times nanoseconds under the curve of a sliding window.
fn area(parcels: &[Parcel], length: i64) -> i128 {
    let length = Span::from_nanoseconds(length);
    let levels = RateWindow::new(WindowType::Sliding, length)
        .unwrap()
        .fill(parcels, Covered { origin: Instant::EPOCH, end: Instant::EPOCH });
    levels
        .windows(2)
        .map(|pair| i128::from((pair[1].from - pair[0].from).nanoseconds()) * i128::from(pair[0].bytes))
        .sum()
}

/// Four times per second the programs asked their kernel how much each subflow had sent. Between asking and writing down
/// the time some milliseconds may pass.
#[test]
fn what_was_carried_until_a_time_is_what_the_kernel_had_sent() {
    const SLACK: Span = Span::from_milliseconds(5);
    let (mut compared, mut wrong) = (0, Vec::new());
    for file in ["01_basic/client.pcapng", "05b_failover_permanent/client.pcapng", "06c_lossy_blackouts/client.pcapng"]
    {
        let Some((path, capture)) = scenario(file) else { return };
        let truth = scenarios::json(&path, "truth.json").unwrap();
        for sample in truth["app_client"]["connections"][0]["series"].as_array().unwrap() {
            let asked = Instant::EPOCH + Span::rounded(sample["t"].as_f64().unwrap());
            for subflow in sample["per"].as_array().unwrap() {
                let local = subflow[0].as_str().unwrap();
                let streams = &capture.tracking.streams;
                let Some(stream) = streams.iter().find(|stream| stream.client.to_string() == local) else { continue };
                let payload = &stream_payload(&capture, stream).server.payload;
                let until = |time: Instant| -> u64 {
                    payload.iter().take_while(|parcel| parcel.time <= time).map(|parcel| parcel.bytes).sum()
                };
                let (least, most) = (until(asked - SLACK), until(asked + SLACK));
                let sent = subflow[2].as_u64().unwrap();
                if !(least..=most).contains(&sent) {
                    wrong.push(format!("{file} {local} at {asked:?}: {least} to {most}, the kernel had sent {sent}"));
                }
                compared += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {compared}\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 100, "only {compared}");
}

#[test]
fn goodput_leaves_out_what_was_sent_again() {
    let Some((path, capture)) = scenario("06c_lossy_blackouts/client.pcapng") else { return };
    let truth = scenarios::json(&path, "truth.json").unwrap();
    let figure = draw(&capture, "mptcp_gput 0 --window 0.01");
    for (panel, end) in figure.panels.iter().zip(["client", "server"]) {
        assert_eq!(names(panel), ["total", "subflow 0", "subflow 1"]);
        let bytes: f64 = points(panel, "total").iter().map(|point| point.y * 0.01).sum();
        let wanted = truth[format!("app_{end}")]["connections"][0]["sent"].as_u64().unwrap();
        assert_eq!(bytes.round() as u64, wanted, "the application at the {end} wrote as much");
    }
    // The total is the sum of its parts, window by window.
    let panel = &figure.panels[0];
    let at = |name: &str, time: f64| {
        let steps = points(panel, name);
        steps.iter().take_while(|point| point.x <= time).last().map_or(0.0, |point| point.y)
    };
    for tenth in 7..65 {
        let time = f64::from(tenth) / 10.0 + 0.005;
        assert_eq!(at("total", time), at("subflow 0", time) + at("subflow 1", time), "at {time}");
    }
}

/// What reads the values of several connections finds the total of each, also of one with a single subflow.
#[test]
fn one_subflow_has_a_total_too() {
    let Some((_, capture)) = scenario("08e_mpfail_single_slow/client.pcapng") else { return };
    assert_eq!(capture.tracking.connection(ConnectionId(0)).unwrap().subflows.len(), 1);
    for (line, total) in [("mptcp_tput 0", "total"), ("mptcp_gput 0", "total"), ("acksize 0 --distribution", "all")] {
        let figure = draw(&capture, line);
        let steps = |panel: &&Panel| {
            panel.series.iter().any(|one| one.name == "subflow 0" && matches!(one.marks, Marks::Steps(_)))
        };
        let mut compared = 0;
        for panel in figure.panels.iter().filter(steps) {
            assert_eq!(names(panel), [total, "subflow 0"], "{line}");
            assert_eq!(points(panel, total), points(panel, "subflow 0"), "{line}");
            compared += 1;
        }
        assert!(compared > 0, "{line}");
    }
}

#[test]
fn what_is_left_out_does_not_count() {
    let Some((_, capture)) = scenario("02_fullmesh/client.pcap") else { return };
    let figure = draw(&capture, "mptcp_tput 0 --towards client --skip-subflow 1 --start 7.5 --end 8 --window 0.05");
    assert_eq!(figure.panels.len(), 1);
    let panel = &figure.panels[0];
    assert_eq!(panel.title.as_deref(), Some("towards the client"));
    assert_eq!(names(panel), ["total", "subflow 0", "subflow 2", "subflow 3"]);
    for name in names(panel) {
        assert!(points(panel, name).iter().all(|point| (7.5..=8.0).contains(&point.x)), "{name}");
    }
    let time = 7.775;
    let at = |name: &str| points(panel, name).iter().take_while(|point| point.x <= time).last().unwrap().y;
    assert_eq!(at("total"), at("subflow 0") + at("subflow 2") + at("subflow 3"));
    for window in ["0", "-1", "NaN", "inf"] {
        let error = try_draw(&capture, &format!("tcp_tput 0 --window={window}")).unwrap_err();
        assert!(error.to_string().contains("give seconds above zero"), "{error}");
    }
}

/// What went on as plain TCP is part of the goodput: all that the application wrote (truth.json: 500,040 bytes).
#[test]
fn goodput_goes_on_after_a_fallback() {
    let Some((_, capture)) = scenario("09f_fb_dss_stripped_later/client.pcapng") else { return };
    let figure = draw(&capture, "mptcp_gput 0 --towards server");
    assert!(!figure.caption.iter().any(|line| line.contains("without a mapping omitted")), "{:?}", figure.caption);
    let connection = capture.mptcp_connection(ConnectionId(0)).unwrap();
    let parcels = first_sent(&capture, connection).parcels.server;
    assert_eq!(parcels.iter().flatten().map(|parcel| parcel.bytes).sum::<u64>(), 500_040);
}

/// Rates of consecutive windows, worked out of tshark's fields: from when to when, and bytes per second of each stream.
fn windows_by_tshark(
    lines: &[String],
    streams: &[u64],
    length: i64,
    from_connection: bool,
) -> Vec<(u64, i64, i64, f64)> {
    // Nanoseconds, stream, bytes towards the server; nothing of other connections and of what is not TCP.
    let all: Vec<(i64, Option<u64>, u64)> = lines
        .iter()
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let bytes = if cells[3] == "5001" { cells[2].parse().unwrap_or(0) } else { 0 };
            (printed(cells[0]), cells[1].parse().ok(), bytes)
        })
        .collect();
    let own: Vec<(i64, u64, u64)> = all
        .iter()
        .filter_map(|(time, stream, bytes)| Some((*time, stream.filter(|stream| streams.contains(stream))?, *bytes)))
        .collect();
    let times = || own.iter().map(|(time, ..)| *time);
    let first = all.first().map_or(0, |(time, ..)| *time);
    let (origin, end) = (if from_connection { times().min().unwrap() } else { first }, times().max().unwrap());
    // The last window ends with the last packet, and is at least half as long as the others unless it is the only one.
    let (whole, rest) = ((end - origin) / length, (end - origin) % length);
    let last = if rest * 2 >= length || whole == 0 { whole } else { whole - 1 };
    let last_length = (end - origin - last * length).max(length.min(1_000_000));
    let mut windows = Vec::new();
    for stream in streams {
        let mut bytes = vec![0; last as usize + 1];
        for (time, _, own) in own.iter().filter(|(_, own, _)| own == stream) {
            bytes[((time - origin) / length).min(last) as usize] += own;
        }
        for (index, bytes) in (0_i64..).zip(bytes).filter(|(_, bytes)| *bytes > 0) {
            let own = if index == last { last_length } else { length };
            let from = origin + index * length - if from_connection { origin } else { first };
            windows.push((*stream, from, from + own, bytes as f64 * 1e9 / own as f64));
        }
    }
    windows
}

/// Windows begin where the time axis does, so none reaches before the connection; the last one ends with it.
#[test]
fn windows_begin_at_the_origin_and_end_with_the_connection() {
    let home = Home::new();
    let mut compared = 0;
    // Connections that begin some time after the capture, over IPv4 and IPv6, of one and of several subflows.
    for (file, connections) in [
        ("12_many_short/client.pcapng", &[1_u32, 7][..]),
        ("10_ipv6_mixed/client.pcap", &[0]),
        ("06c_lossy_blackouts/client.pcapng", &[0]),
    ] {
        let Some((path, capture)) = scenario(file) else { return };
        let lines = scenarios::tshark(&path, &["frame.time_epoch", "tcp.stream", "tcp.len", "tcp.dstport"]);
        for id in connections {
            let connection = capture.mptcp_connection(ConnectionId(*id)).unwrap();
            let streams: Vec<u64> = connection.subflows.iter().map(|stream| u64::from(*stream)).collect();
            for (origin, millis) in [("connection", 7), ("connection", 230), ("first", 50)] {
                let line = format!(
                    "plot mptcp_tput {id} --towards server --format csv --origin {origin} --window {}\n",
                    f64::from(millis) / 1e3
                );
                let done = home.run(&["-l", path.to_str().unwrap()], &line);
                let rows: Vec<Vec<&str>> = done.results.lines().map(|row| row.split(',').collect()).collect();
                let column = |name: &str| rows[0].iter().position(|column| *column == name).unwrap();
                let (series, x, y) = (column("series"), column("x"), column("y"));
                let number = |row: &[&str], column: usize| row[column].parse::<f64>().unwrap();
                for (stream, from, until, rate) in
                    windows_by_tshark(&lines, &streams, i64::from(millis) * 1_000_000, origin == "connection")
                {
                    let own: Vec<&Vec<&str>> =
                        rows.iter().filter(|row| row[series] == format!("subflow {stream}")).collect();
                    let is_at = |row: &[&str], time: i64| (number(row, x) - time as f64 / 1e9).abs() < 5e-9;
                    let at = own.iter().position(|row| is_at(row, from));
                    let at = at.unwrap_or_else(|| panic!("{file} {line} {stream}: no window at {from}"));
                    // Bits per second, as on the axis.
                    let wanted = rate * 8.0;
                    let found = number(own[at], y);
                    assert!((found - wanted).abs() <= wanted * 1e-9, "{file} {line} {stream} {from}: {found} {wanted}");
                    assert!(is_at(own[at + 1], until), "{file} {line} {stream} until {until}: {:?}", own[at + 1]);
                    assert!(number(own[at], x) >= 0.0, "{file} {line}: before the origin");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 300 || scenarios::folder().is_none(), "only {compared}");
}
