//! The time-sequence plot, its values and its pictures, against tshark's fields and what the applications wrote.

use std::collections::HashMap;

use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::reinjections::reinjections;
use mptcp_trace::tracking::Role;
use mptcpanalyzer::drawing::figure::{Figure, Marks, Panel, Point};
use mptcpanalyzer::drawing::{PictureFormat, Target, render};
use mptcpanalyzer::plots::dsn::dsn;
use mptcpanalyzer::plots::request::PlotRequest;

use crate::analysis::merge::end_of;
use crate::support::program::examples;
use crate::support::scenarios;

fn figure(path: &std::path::Path) -> Figure {
    let capture = scenarios::load(path).unwrap();
    dsn(&capture, capture.tracking.connection(ConnectionId(0)).unwrap(), &PlotRequest::default())
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
            for ((stream, _), bytes) in payload.iter().filter(|((_, towards), _)| *towards == to_server) {
                let drawn = match series(panel, &format!("subflow {stream}")) {
                    Some(Marks::VerticalStrokes(strokes)) => strokes.iter().map(|s| s.y_high - s.y_low).sum(),
                    _ => 0.0,
                };
                assert_eq!(drawn, *bytes, "{name}, subflow {stream}, to the server: {to_server}");
            }
            // Bytes are counted from 1, and DATA_FIN takes a number of its own.
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
    let connection = capture.tracking.connection(ConnectionId(0)).unwrap();
    let figure = figure(&path);
    for (panel, (towards, bytes)) in figure.panels.iter().zip([(Role::Server, 76_760), (Role::Client, 88_924)]) {
        // As much as the kernels counted (bytes_retrans of MPTCP_INFO).
        let listed = reinjections(&capture, connection, Some(towards));
        assert_eq!(listed.iter().map(|one| one.length).sum::<u64>(), bytes);
        let own = panel.series.iter().filter(|series| series.name == "reinjection");
        let points = own.flat_map(|series| {
            let Marks::Points(points) = &series.marks else { panic!("{series:?}") };
            let subflow = series.role.subflow.expect("marks have the colour of their subflow");
            points.iter().map(move |point| (subflow, point))
        });
        let mut drawn: Vec<(u64, u64)> = Vec::new();
        for (subflow, point) in points {
            drawn.push((nanoseconds(point.x), point.y as u64));
            let Some(Marks::VerticalStrokes(strokes)) = series(panel, &format!("subflow {subflow}")) else { panic!() };
            assert!(strokes.iter().any(|stroke| (stroke.x, stroke.y_low) == (point.x, point.y)), "{subflow} {point:?}");
        }
        let time =
            |id: u64| capture.segments.iter().find(|segment| segment.packetid() == id).unwrap().abstime.nanoseconds();
        let since = |id: u64| u64::try_from(time(id) - capture.origin().nanoseconds()).unwrap();
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
    let svg = String::from_utf8(render(&figure, &Target::new(PictureFormat::Svg)).unwrap()).unwrap();
    for text in ["MPTCP connection 0", "towards the server", "data sequence number (MB)", "time (s)", "MP_JOIN", "RST"]
    {
        assert!(svg.contains(&format!(">{text}")), "{text} is not in the picture");
    }
    assert!(svg.len() < 2_000_000);
    let png = render(&figure, &Target::new(PictureFormat::Png).sized(640, 400)).unwrap();
    // Width and height stand behind the signature and the head of the first chunk (PNG, third edition, 11.2.1).
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!((&png[1..4], number(16), number(20)), (b"PNG".as_slice(), 640, 400));
    let text =
        String::from_utf8(render(&figure, &Target::new(PictureFormat::Text { colour: false }).sized(80, 24)).unwrap())
            .unwrap();
    assert!(text.lines().count() <= 24 && text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

/// Numbers of a field that tshark prints, with the time of their frame, for frames towards a port.
fn numbers(path: &std::path::Path, port: &str, field: &str) -> Vec<(f64, u64)> {
    let lines = scenarios::tshark(path, &["tcp.dstport", "frame.time_relative", field]);
    let cells = lines.iter().map(|line| line.split('\t').collect::<Vec<_>>());
    let number = |cells: Vec<&str>| match cells[..] {
        [to, time, number] if to == port => Some((time.parse().unwrap(), number.parse().ok()?)),
        _ => None,
    };
    cells.filter_map(number).collect()
}

#[test]
fn acknowledgements_alone_count_from_the_lowest_one() {
    let Some(path) = scenarios::field("10_mid_only_acks.pcap") else { return };
    let figure = figure(&path);
    let acknowledged = numbers(&path, "40000", "tcp.options.mptcp.rawdataack");
    assert_eq!(acknowledged.len(), 6);
    let Some(Marks::Steps(points)) = series(&figure.panels[0], "DATA_ACK") else { panic!("no DATA_ACKs") };
    let expected: Vec<(u64, u64)> =
        acknowledged.iter().map(|(time, number)| (nanoseconds(*time), number - acknowledged[0].1 + 1)).collect();
    assert_eq!(points.iter().map(|point| (nanoseconds(point.x), point.y as u64)).collect::<Vec<_>>(), expected);
}

/// Begun while data were under way: their DATA_ACKs lie below all data that were captured.
#[test]
fn acknowledgements_of_earlier_data_are_drawn_where_they_are() {
    let Some(folder) = scenarios::folder() else { return };
    let mut below = 0;
    for end in ["client", "server"] {
        let path = end_of(&folder.join("13a_midstream"), end).unwrap();
        let figure = figure(&path);
        for (panel, to_server) in figure.panels.iter().zip([true, false]) {
            // They have 64 bits here, so that raw ones compare.
            let lines = scenarios::tshark(&path, &["tcp.dstport", "tcp.options.mptcp.rawdataack"]);
            let travelling_back = lines.iter().filter(|line| line.starts_with("5001\t") != to_server);
            let acknowledged = travelling_back.filter_map(|line| line.split('\t').nth(1)?.parse().ok());
            let acknowledged: Vec<u64> = acknowledged.collect();
            let Some(Marks::Steps(points)) = series(panel, "DATA_ACK") else { panic!("no DATA_ACKs") };
            let highest = acknowledged.iter().max().unwrap();
            assert_eq!((last(&Marks::Steps(points.clone())).y - points[0].y) as u64, highest - acknowledged[0]);
            let strokes = panel.series.iter().filter(|one| matches!(one.marks, Marks::VerticalStrokes(_)));
            let data = strokes.flat_map(|one| one.marks.boxes()).map(|(_, low, ..)| low).fold(f64::MAX, f64::min);
            // An old DATA_ACK may come behind a newer one.
            let before = acknowledged[0] - acknowledged.iter().min().unwrap();
            assert_eq!(data.min(points[0].y - before as f64), 1.0, "{end}, to the server: {to_server}");
            below += usize::from(points[0].y < data);
        }
    }
    assert!(below >= 2, "{below}");
}

#[test]
fn the_window_is_drawn_as_long_as_it_holds() {
    let Some(path) = scenarios::field("04_zero_window_to_the_end.pcap") else { return };
    let figure = figure(&path);
    let lines = scenarios::tshark(&path, &["frame.time_relative"]);
    let end: f64 = lines.last().unwrap().parse().unwrap();
    for (panel, port) in figure.panels.iter().zip(["40000", "5001"]) {
        let window = last(series(panel, "window").unwrap());
        assert_eq!(nanoseconds(window.x), nanoseconds(end));
        let data_acks = numbers(&path, port, "tcp.options.mptcp.rawdataack");
        assert!(!data_acks.is_empty() && data_acks.last().unwrap().0 <= end);
    }
    // The window towards the server shut with all data acknowledged, and stayed so.
    let panel = &figure.panels[0];
    assert_eq!(last(series(panel, "window").unwrap()), last(series(panel, "DATA_ACK").unwrap()));
}

/// The program's own times and frame numbers, against what tshark says of the frames.
#[test]
fn values_lead_to_frames_and_count_from_the_chosen_origin() {
    use crate::support::program::{Home, finish};
    let Some(folder) = scenarios::folder() else { return };
    let path = end_of(&folder.join("02_fullmesh"), "client").unwrap();
    let fields = ["frame.number", "frame.time_relative", "frame.time_epoch", "tcp.stream", "tcp.dstport", "tcp.len"];
    let frames: Vec<Vec<String>> = scenarios::tshark(&path, &fields)
        .iter()
        .map(|line| line.split('\t').map(str::to_string).collect::<Vec<_>>())
        .filter(|frame: &Vec<String>| !frame[3].is_empty())
        .collect();
    let start: f64 = frames[0][1].parse().unwrap();
    let sent: HashMap<u64, &Vec<String>> =
        frames.iter().filter(|frame| frame[4] == "5001").map(|frame| (frame[0].parse().unwrap(), frame)).collect();
    let home = Home::new();
    for (origin, axis, zero) in
        [("first", "time since first frame", 0.0), ("connection", "time since connection start", start)]
    {
        let mut program = home.program();
        program.arg("-l").arg(&path).args(["plot", "dsn", "0", "--towards", "server", "--format", "ndjson"]);
        if origin != "connection" {
            program.args(["--origin", origin]);
        }
        let done = finish(program, "");
        let rows: Vec<serde_json::Value> =
            done.results.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let strokes: Vec<_> = rows.iter().filter(|row| row["marks"] == "vertical_strokes").collect();
        assert!(strokes.len() > 1000, "{done:?}");
        for row in strokes {
            let frame = sent[&row["packetid"].as_u64().unwrap()];
            let time: f64 = frame[1].parse().unwrap();
            assert!((row["x"].as_f64().unwrap() - (time - zero)).abs() < 1e-8, "{origin}: {row} {frame:?}");
            assert_eq!(row["series"], format!("subflow {}", frame[3]));
            assert_eq!(
                (&row["x_axis"], &row["x_unit"], &row["y_unit"]),
                (&axis.into(), &"seconds".into(), &"bytes".into())
            );
            assert!(row["y_end"].as_f64().unwrap() - row["y"].as_f64().unwrap() <= frame[5].parse().unwrap());
        }
    }
}

/// Of round trips, reinjections and messages: the frame of each mark was recorded when the mark says, and is what it shows.
#[test]
fn marks_of_other_plots_lead_to_their_frames_too() {
    use crate::support::program::{Home, finish};
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.pcapng");
    let lines =
        scenarios::tshark(&path, &["frame.number", "frame.time_relative", "tcp.flags.ack", "tcp.len", "tcp.flags.syn"]);
    let frames: HashMap<u64, Vec<String>> = lines
        .iter()
        .map(|line| line.split('\t').map(str::to_string).collect::<Vec<_>>())
        .map(|frame| (frame[0].parse().unwrap(), frame))
        .collect();
    let home = Home::new();
    let drawn = |words: &[&str], kind: &str| {
        let mut program = home.program();
        program.arg("-l").arg(&path).arg("plot").args(words).args(["--format", "ndjson", "--origin", "first"]);
        let done = finish(program, "");
        let rows = done.results.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        rows.filter(|row| row["marks"] == kind).collect::<Vec<_>>()
    };
    let marks = |plot: &str, kind: &str| drawn(&[plot, "0"], kind);
    for (plot, least) in [("rtt", 1000), ("reinject", 1)] {
        let marks = marks(plot, "points");
        assert!(marks.len() >= least, "{plot}: {}", marks.len());
        for mark in marks {
            let frame = &frames[&mark["packetid"].as_u64().unwrap()];
            let time: f64 = frame[1].parse().unwrap();
            assert!((mark["x"].as_f64().unwrap() - time).abs() < 1e-8, "{plot}: {mark} {frame:?}");
            let fits = if plot == "rtt" { frame[2] == "1" || frame[2] == "True" } else { frame[3] != "0" };
            assert!(fits, "{plot}: {mark} {frame:?}");
        }
    }
    let recorded_then = |mark: &serde_json::Value| {
        let time: f64 = frames[&mark["packetid"].as_u64().unwrap()][1].parse().unwrap();
        (mark["x"].as_f64().unwrap() - time).abs() < 1e-8
    };
    for (plot, least) in [("flight", 1000), ("dsn", 100)] {
        let steps = marks(plot, "steps");
        let (of_packets, lasting): (Vec<_>, Vec<_>) = steps.iter().partition(|mark| !mark["packetid"].is_null());
        assert!(of_packets.len() > least && of_packets.into_iter().all(recorded_then), "{plot}");
        // The end of a line that only lasts is of no packet; several series may have one name.
        let key = |mark: &serde_json::Value| (mark["panel"].clone(), mark["series"].clone());
        for mark in lasting {
            let at = steps.iter().position(|one| one == mark).unwrap();
            let next = steps.get(at + 1).filter(|next| key(next) == key(mark));
            assert!(next.is_none_or(|next| next["x"].as_f64() < mark["x"].as_f64()), "{plot}: {mark} {next:?}");
        }
    }
    // Each event is in the frame in which tshark sees it.
    let mut program = home.program();
    program.arg("-l").arg(&path).args([
        "plot",
        "dsn",
        "0",
        "--towards",
        "both",
        "--format",
        "ndjson",
        "--origin",
        "first",
    ]);
    let rows = finish(program, "").results;
    let events: Vec<serde_json::Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<_> = events.iter().filter(|row| row["series"] == "annotation").collect();
    let fields = ["frame.number", "tcp.options.mptcp.subtype", "tcp.options.mptcp.datafin.flag", "tcp.flags.reset"];
    let options: HashMap<u64, Vec<String>> = scenarios::tshark(&path, &fields)
        .iter()
        .map(|line| line.split('\t').map(str::to_string).collect::<Vec<_>>())
        .map(|frame| (frame[0].parse().unwrap(), frame))
        .collect();
    assert!(events.len() > 3 && events.iter().all(|event| recorded_then(event)), "{events:?}");
    for event in events {
        let frame = &options[&event["packetid"].as_u64().unwrap()];
        let set = |cell: &str| cell.split(',').any(|value| matches!(value, "1" | "True"));
        let subtype = |wanted: &str| frame[1].split(',').any(|subtype| subtype == wanted);
        let fits = match event["label"].as_str().unwrap().trim_start_matches("← ") {
            "MP_JOIN" => subtype("1"),
            "ADD_ADDR" => subtype("3"),
            "REMOVE_ADDR" => subtype("4"),
            "MP_PRIO" => subtype("5"),
            "FASTCLOSE" => subtype("7"),
            "DATA_FIN" => set(&frame[2]),
            "RST" => set(&frame[3]),
            other => panic!("{other}"),
        };
        assert!(fits, "{event} {frame:?}");
    }
    let other = path.with_file_name("server.pcapng");
    let files = [&path, &other].map(|file| file.to_str().unwrap());
    let delays = drawn(&["owd", "mptcp", files[0], "0", files[1], "--towards", "server"], "points");
    assert!(delays.len() > 1000 && delays.iter().all(recorded_then), "sent where the first capture was recorded");
    let arrows = marks("ladder", "arrows");
    assert!(arrows.len() > 5 && arrows.iter().all(|arrow| frames.contains_key(&arrow["packetid"].as_u64().unwrap())));
    let syn = frames.iter().filter(|(_, frame)| frame[4] == "1" || frame[4] == "True").map(|(number, _)| *number).min();
    assert_eq!(
        arrows.iter().map(|arrow| arrow["packetid"].as_u64().unwrap()).min(),
        syn,
        "the first message is the SYN"
    );
}
