//! The sequence diagram, against the options that tshark reads, and plots with many panels in a small terminal.

use mptcp_trace::ConnectionId;
use mptcpanalyzer::drawing::figure::{Arrow, Figure, Marks};
use mptcpanalyzer::drawing::{DrawError, PictureFormat, Target, render};
use mptcpanalyzer::plots::ladder::ladder;
use mptcpanalyzer::plots::request::PlotRequest;

use crate::analysis::merge::end_of;
use crate::plots::delays::printed;
use crate::support::program::{Home, examples};
use crate::support::scenarios;

/// An arrow in words: row of the diagram, who told whom, what.
type Told = (usize, String, String, String);

/// The arrows from the top.
fn told(figure: &Figure) -> Vec<Told> {
    let names = &figure.panels[0].x.categories;
    let arrows = figure.panels[0].series.iter().flat_map(|series| match &series.marks {
        Marks::Arrows(arrows) => arrows.iter(),
        other => panic!("{}", other.name()),
    });
    let words = |arrow: &Arrow| {
        assert_eq!(arrow.from.y, arrow.to.y);
        let name = |place: f64| names[place as usize].clone();
        (arrow.from.y as usize, name(arrow.from.x), name(arrow.to.x), arrow.text.clone())
    };
    let mut told: Vec<Told> = arrows.map(words).collect();
    told.sort();
    told
}

/// A packet as tshark reads it: time, source, destination, subtypes of its MPTCP options, FIN, RST, DATA_FIN.
struct Packet {
    time: i64,
    ends: (String, String),
    subtypes: Vec<u8>,
    data_fin: bool,
}

fn control_packets(path: &std::path::Path) -> Vec<Packet> {
    let fields = ["frame.time_epoch", "ip.src", "ip.dst", "tcp.options.mptcp.subtype"];
    let flags = ["tcp.options.mptcp.datafin.flag"];
    let lines = scenarios::tshark(path, &[&fields[..], &flags].concat());
    let packet = |line: &String| {
        let cells: Vec<&str> = line.split('\t').collect();
        let set = |cell: &str| cell.split(',').any(|value| matches!(value, "1" | "True"));
        Packet {
            time: printed(cells[0]),
            ends: (cells[1].to_string(), cells[2].to_string()),
            subtypes: cells[3].split(',').filter_map(|subtype| subtype.parse().ok()).collect(),
            data_fin: set(cells[4]),
        }
    };
    lines.iter().map(packet).collect()
}

#[test]
fn arrows_are_the_packets_with_these_options() {
    let Some(folder) = scenarios::folder() else { return };
    for name in ["02_fullmesh", "04_rm_addr_prio", "07b_fastclose_server"] {
        let path = end_of(&folder.join(name), "client").unwrap();
        let capture = scenarios::load(&path).unwrap();
        let figure =
            ladder(&capture, capture.tracking.connection(ConnectionId(0)).unwrap(), &PlotRequest::default(), 200);
        let told = told(&figure);
        let packets = control_packets(&path);
        // Subtypes of RFC 8684: MP_JOIN 1, ADD_ADDR 3, REMOVE_ADDR 4, MP_PRIO 5, MP_FASTCLOSE 7.
        for (subtype, word) in
            [(1, "MP_JOIN"), (3, "ADD_ADDR"), (4, "REMOVE_ADDR"), (5, "MP_PRIO"), (7, "MP_FASTCLOSE")]
        {
            let expected: Vec<(String, String, String)> = packets
                .iter()
                .filter(|packet| packet.subtypes.contains(&subtype))
                .map(|packet| {
                    let (source, destination) = &packet.ends;
                    (time_text(packet.time - capture.origin().nanoseconds()), source.clone(), destination.clone())
                })
                .collect();
            let address = |lifeline: &str| lifeline.split_once(' ').unwrap().1.to_string();
            let drawn: Vec<(String, String, String)> = told
                .iter()
                .filter(|(.., text)| text.starts_with(word))
                .map(|(row, from, to, _)| {
                    let place = figure.panels[0].y.categories[*row].split(" (").next().unwrap().to_string();
                    (place, address(from), address(to))
                })
                .collect();
            assert_eq!(drawn, expected, "{name}: {word}");
        }
        let fins = packets.iter().filter(|packet| packet.data_fin).count();
        let drawn = told.iter().filter(|(.., text)| text == "DATA_FIN").count();
        // Retransmissions of a DATA_FIN are one message.
        assert!(drawn <= 2 && drawn <= fins && (drawn > 0) == (fins > 0), "{name}: {drawn} of {fins}");
    }
}

/// Nanoseconds as they stand beside a message.
fn time_text(nanoseconds: i64) -> String {
    format!("{:.4} s", nanoseconds as f64 / 1e9)
}

#[test]
fn a_handshake_reads_as_the_rfc_draws_it() {
    let Some(folder) = scenarios::folder() else { return };
    let path = end_of(&folder.join("04_rm_addr_prio"), "client").unwrap();
    let capture = scenarios::load(&path).unwrap();
    let figure = ladder(&capture, capture.tracking.connection(ConnectionId(0)).unwrap(), &PlotRequest::default(), 200);
    let told = told(&figure);
    let line = |index: usize| {
        let (_, from, to, text) = &told[index];
        (from.as_str(), to.as_str(), text.as_str())
    };
    let (client, server) = ("client 10.0.1.1", "server 10.0.1.2");
    assert_eq!(line(0), (client, server, "MP_CAPABLE SYN, version 1"));
    assert_eq!(line(1), (server, client, "MP_CAPABLE SYN/ACK, version 1"));
    assert_eq!(line(2), (client, server, "MP_CAPABLE ACK, version 1"));
    assert_eq!(line(3), (server, client, "ADD_ADDR id 5, 10.0.3.2, HMAC valid"));
    assert_eq!(line(4), (client, server, "ADD_ADDR echo id 5, 10.0.3.2"));
    // What the path manager was told (truth.json) is what it told: id 2 becomes a backup, then none any more.
    let prio: Vec<&str> = told.iter().map(|(.., text)| text.as_str()).filter(|t| t.starts_with("MP_PRIO")).collect();
    assert_eq!(prio, ["MP_PRIO backup", "MP_PRIO no backup"]);
    assert!(figure.caption.iter().all(|line| !line.contains("Not shown")), "{:?}", figure.caption);
}

#[test]
fn too_many_messages_are_thinned_and_counted() {
    let Some(folder) = scenarios::folder() else { return };
    let path = end_of(&folder.join("04_rm_addr_prio"), "client").unwrap();
    let capture = scenarios::load(&path).unwrap();
    let connection = capture.tracking.connection(ConnectionId(0)).unwrap();
    let all = told(&ladder(&capture, connection, &PlotRequest::default(), 200)).len();
    let figure = ladder(&capture, connection, &PlotRequest::default(), 12);
    let told = told(&figure);
    assert_eq!((told.len(), figure.panels[0].y.categories.len()), (12, 12));
    assert_eq!(told.iter().map(|(row, ..)| *row).collect::<Vec<_>>(), (0..12).collect::<Vec<_>>());
    let note = figure.caption.iter().find(|line| line.starts_with("Not shown")).expect("a note");
    // The numbers in it, the first of which is that of all messages, add up.
    let numbers = |text: &str| -> Vec<usize> { text.split(' ').filter_map(|word| word.parse().ok()).collect() };
    let numbers = numbers(note);
    assert_eq!(numbers[0], all);
    assert_eq!(numbers[1..].iter().sum::<usize>(), all - 12, "{note}");
}

#[test]
fn many_panels_make_a_page_longer_and_no_line_wider() {
    let Some(examples) = examples() else { return };
    let home = Home::new();
    let (client, server) = (examples.join("client.pcapng"), examples.join("server.pcapng"));
    let (client, server) = (client.to_str().unwrap(), server.to_str().unwrap());
    let plots: [&[&str]; 8] = [
        &["owd", "mptcp", client, "0", server],
        &["rtt", "0"],
        &["reinject", "0"],
        &["reinject", "0", "--with", server],
        &["ooo", "0"],
        &["aggr_benefit", "0"],
        &["scheduler", "0"],
        &["ladder", "0"],
    ];
    for plot in plots {
        let done = home.run(&[&["--load", client, "plot"], plot].concat(), "");
        assert_eq!(done.code, Some(0), "{plot:?}: {done:?}");
        let widest = done.results.lines().map(|line| line.chars().count()).max();
        assert!(widest.is_some_and(|widest| widest <= 80), "{plot:?}:\n{}", done.results);
        assert!(!done.results.contains("Some labels omitted"), "{plot:?}:\n{}", done.results);
    }
}

/// Texts of a picture with the heights of their baselines.
fn written(svg: &str) -> Vec<(String, f64)> {
    let texts = svg.split("<text ").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let y = attributes.split_once(" y=\"")?.1.split('"').next()?.parse().ok()?;
        Some((rest.split('<').next()?.to_string(), y))
    });
    texts.collect()
}

/// Whatever the size: each text stands above its own arrow, below the message before; or the size is refused with one that
/// has room.
#[test]
fn each_text_stands_at_its_own_arrow() {
    let Some(folder) = scenarios::folder() else { return };
    let (mut drawn, mut refused) = (0, 0);
    for name in ["02_fullmesh", "03_add_addr", "07b_fastclose_server", "10_ipv6_mixed"] {
        let capture = scenarios::load(&end_of(&folder.join(name), "client").unwrap()).unwrap();
        let connection = capture.tracking.connection(ConnectionId(0)).unwrap();
        let figure = ladder(&capture, connection, &PlotRequest::default(), 200);
        let told = told(&figure);
        for (width, height) in
            [(336, 240), (336, 300), (336, 360), (450, 330), (640, 400), (500, 900), (900, 600), (1600, 500)]
        {
            let target = Target::new(PictureFormat::Svg).sized(width, height);
            let svg = match render(&figure, &target) {
                Ok(svg) => String::from_utf8(svg).unwrap(),
                Err(DrawError::TooSmall { enough: Some(enough), .. }) => {
                    assert!(render(&figure, &target.sized(enough.width, enough.height)).is_ok(), "{name} {enough:?}");
                    refused += 1;
                    continue;
                }
                Err(error) => panic!("{name}: {error}"),
            };
            let texts = written(&svg);
            assert!(!texts.iter().any(|(text, _)| text.contains("omitted")), "{name} {width}x{height}");
            let times = &figure.panels[0].y.categories;
            let rows: Vec<f64> = texts.iter().filter(|(text, _)| times.contains(text)).map(|(_, y)| *y).collect();
            assert_eq!(rows.len(), told.len(), "{name} {width}x{height}: a time for each message");
            for (index, (.., text)) in told.iter().enumerate() {
                let above = index.checked_sub(1).map_or(rows[0] - (rows[1] - rows[0]), |before| rows[before]);
                let between = texts.iter().filter(|(_, y)| above < *y && *y < rows[index]);
                let shown: Vec<&str> = between.map(|(shown, _)| shown.as_str()).collect();
                let kept = |shown: &str| text.starts_with(shown.trim_end_matches('…'));
                let own = shown.iter().filter(|shown| kept(shown)).count();
                assert!(own == 1, "{name} {width}x{height}: {text} of {shown:?}");
            }
            drawn += 1;
        }
    }
    assert!(drawn > 12 && refused > 3, "{drawn} drawn, {refused} refused");
}
