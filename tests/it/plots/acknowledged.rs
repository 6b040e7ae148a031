//! What `--acks` marks, against what tshark reads: SACK blocks, duplicate ACKs, windows of zero.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use mptcpanalyzer::drawing::figure::{Marks, Panel};

use crate::support::drawn::{draw, try_draw};
use crate::support::scenarios;

/// Captures with losses or with readers that stop, at either end, of both kinds of addresses.
fn captures() -> Vec<PathBuf> {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures/recorded");
    let own = [
        "reader_stops_2s/client.pcap",
        "reader_stops_for_good/server.pcap",
        "lossy_upload/client.pcap",
        "lossy_upload/server.pcap",
        "lossy_download/client.pcap",
        "lossy_download_ipv6/server.pcap",
    ];
    own.iter().map(|name| recorded.join(name)).collect()
}

/// A packet as tshark reads it; numbers are relative.
struct Packet {
    id: u64,
    stream: u32,
    /// It travels towards the server, which has port 5001.
    to_server: bool,
    ack: u32,
    blocks: Vec<(u32, u32)>,
    duplicate: bool,
    zero_window: bool,
    /// Raw numbers: DSN, subflow sequence number, length.
    mapping: Option<(u64, u32, u32)>,
    data_ack: Option<u64>,
    /// Bytes of data that MP_CAPABLE maps.
    first_data: Option<u32>,
}

fn packets(path: &Path) -> Vec<Packet> {
    let names = [
        "frame.number",
        "tcp.stream",
        "tcp.dstport",
        "tcp.ack",
        "tcp.options.sack_le",
        "tcp.options.sack_re",
        "tcp.analysis.duplicate_ack",
        "tcp.analysis.zero_window",
        "tcp.options.mptcp.subtype",
        "tcp.options.mptcp.rawdataseqno",
        "tcp.options.mptcp.subflowseqno",
        "tcp.options.mptcp.datalvllen",
        "tcp.options.mptcp.rawdataack",
        "tcp.options.mptcp.datafin.flag",
        "tcp.len",
    ];
    let read = |line: String| {
        let cells: Vec<&str> = line.split('\t').collect();
        let numbers = |text: &str| text.split(',').filter_map(|number| number.parse().ok()).collect::<Vec<u32>>();
        let number = |at: usize| cells[at].parse::<u64>().ok();
        let fin = u32::from(cells[13] == "1");
        let mapping = number(9).zip(number(10)).zip(number(11));
        Some(Packet {
            id: cells[0].parse().unwrap(),
            stream: cells[1].parse().ok()?,
            to_server: cells[2] == "5001",
            ack: cells[3].parse().unwrap_or(0),
            blocks: numbers(cells[4]).into_iter().zip(numbers(cells[5])).collect(),
            // One that carries a signal of MPTCP is none (RFC 8684 §3.3.6), whatever tshark says.
            duplicate: !cells[6].is_empty() && matches!(cells[8], "" | "2"),
            zero_window: !cells[7].is_empty(),
            mapping: mapping.map(|((dsn, ssn), length)| (dsn, ssn as u32, length as u32 - fin)),
            data_ack: number(12),
            first_data: cells[14].parse().ok().filter(|length| cells[8] == "0" && *length > 0),
        })
    };
    scenarios::tshark(path, &names).into_iter().filter_map(read).collect()
}

/// By packet, the bytes that SACK blocks report for the first time, and those of blocks about what came twice.
fn reported<'a>(packets: impl Iterator<Item = &'a Packet>) -> BTreeMap<u64, BTreeSet<u32>> {
    let (mut known, mut highest, mut last_twice) = (BTreeSet::new(), 0, None);
    let mut found = BTreeMap::<u64, BTreeSet<u32>>::new();
    for packet in packets {
        highest = highest.max(packet.ack);
        let Some(&first) = packet.blocks.first() else { continue };
        let within = packet.blocks.get(1).is_some_and(|second| second.0 <= first.0 && first.1 <= second.1);
        let twice = (first.1 <= highest || within).then_some(first);
        let mut bytes: BTreeSet<u32> = BTreeSet::new();
        if let Some((left, right)) = twice.filter(|_| twice != last_twice) {
            bytes.extend(left..right);
        }
        last_twice = twice;
        let beyond = packet.blocks.iter().flat_map(|(left, right)| (*left).max(highest)..*right);
        bytes.extend(beyond.filter(|byte| known.insert(*byte)));
        if !bytes.is_empty() {
            found.insert(packet.id, bytes);
        }
    }
    found
}

/// The strokes of a series by packet: the numbers that they reach over.
fn strokes(panel: &Panel, name: &str) -> BTreeMap<u64, BTreeSet<u32>> {
    let mut found = BTreeMap::<u64, BTreeSet<u32>>::new();
    for series in panel.series.iter().filter(|series| series.name == name) {
        let Marks::VerticalStrokes(strokes) = &series.marks else { panic!("{}", series.marks.name()) };
        for (stroke, packet) in strokes.iter().zip(&series.packets) {
            found.entry(u64::from(packet.unwrap())).or_default().extend(stroke.y_low as u32..stroke.y_high as u32);
        }
    }
    found
}

/// The points of a series, by packet.
fn points(panel: &Panel, name: &str) -> BTreeMap<u64, u64> {
    let mut found = BTreeMap::new();
    for series in panel.series.iter().filter(|series| series.name == name) {
        let Marks::Points(points) = &series.marks else { panic!("{}", series.marks.name()) };
        assert_eq!(points.len(), series.packets.len());
        found.extend(
            series
                .packets
                .iter()
                .map(|packet| u64::from(packet.unwrap()))
                .zip(points.iter().map(|point| point.y as u64)),
        );
    }
    found
}

#[test]
fn marks_at_sequence_numbers_are_tsharks() {
    let (mut sacks, mut duplicates, mut zeros) = (0, 0, 0);
    for path in captures() {
        let capture = scenarios::load(&path).unwrap();
        let read = packets(&path);
        let streams: BTreeSet<u32> = read.iter().map(|packet| packet.stream).collect();
        for stream in streams {
            let figure = draw(&capture, &format!("tcp_attr {stream} tcpseq --acks"));
            for (panel, to_server) in figure.panels.iter().zip([true, false]) {
                let what = format!("{}, stream {stream}, towards the server: {to_server}", path.display());
                let own = || read.iter().filter(|one| one.stream == stream && one.to_server != to_server);
                let of = |chosen: fn(&Packet) -> bool| -> BTreeMap<u64, u64> {
                    own().filter(|one| chosen(one)).map(|one| (one.id, one.ack.into())).collect()
                };
                assert_eq!(points(panel, "duplicate ACK"), of(|one| one.duplicate), "{what}");
                assert_eq!(points(panel, "zero window"), of(|one| one.zero_window), "{what}");
                assert_eq!(strokes(panel, "SACK"), reported(own()), "{what}");
                sacks += strokes(panel, "SACK").len();
                duplicates += points(panel, "duplicate ACK").len();
                zeros += points(panel, "zero window").len();
                let highest = own().map(|one| one.ack).max().unwrap();
                // Of a join that nobody answered, nothing is acknowledged.
                let acks = panel.series.iter().find(|series| series.name == "ACK").map(|series| &series.marks);
                let last = acks.map(|marks| marks.boxes().last().unwrap().1);
                assert_eq!(last, (highest > 0).then_some(f64::from(highest)), "{what}");
            }
        }
    }
    assert!(sacks > 50 && duplicates > 100 && zeros > 10, "{sacks} {duplicates} {zeros}");
}

/// Where tshark's mappings put the bytes of subflows in the data; the first byte of data is number 1.
struct Data {
    first: u64,
    /// By stream: first byte, length, number of the first byte in the data.
    mappings: HashMap<u32, Vec<(u32, u32, u64)>>,
}

impl Data {
    fn of<'a>(packets: impl Iterator<Item = &'a Packet> + Clone) -> Self {
        let mapped = packets.clone().filter_map(|packet| Some((packet.stream, packet.mapping?)));
        let mapped = mapped.filter(|(_, (_, ssn, _))| *ssn > 0);
        let mut initial = mapped.clone().filter(|(stream, _)| *stream == 0);
        // The first one: the mapping of a window probe lies one byte before the data.
        let first = initial.next().map(|(_, (dsn, ssn, _))| dsn - (u64::from(ssn) - 1)).unwrap_or(0);
        let mut mappings = HashMap::<u32, Vec<(u32, u32, u64)>>::new();
        for (stream, length) in packets.filter_map(|packet| Some((packet.stream, packet.first_data?))) {
            mappings.entry(stream).or_default().push((1, length, 1));
        }
        for (stream, (dsn, ssn, length)) in mapped {
            mappings.entry(stream).or_default().push((ssn, length, dsn - first + 1));
        }
        Data { first, mappings }
    }

    fn number(&self, stream: u32, byte: u32) -> Option<u64> {
        let holds = |(ssn, length, _): &&(u32, u32, u64)| *ssn <= byte && byte - ssn < *length;
        let (ssn, _, dsn) = self.mappings.get(&stream)?.iter().rfind(holds)?;
        Some(dsn + u64::from(byte - ssn))
    }

    /// The number of the byte that is expected next.
    fn expected(&self, stream: u32, byte: u32) -> Option<u64> {
        self.number(stream, byte).or_else(|| self.number(stream, byte.checked_sub(1)?).map(|number| number + 1))
    }
}

#[test]
fn marks_at_data_sequence_numbers_follow_the_mappings() {
    let (mut sacks, mut duplicates, mut zeros) = (0, 0, 0);
    for path in captures() {
        let capture = scenarios::load(&path).unwrap();
        let read = packets(&path);
        let figure = draw(&capture, "dsn 0 --acks");
        for (panel, to_server) in figure.panels.iter().zip([true, false]) {
            let what = format!("{}, towards the server: {to_server}", path.display());
            let data = Data::of(read.iter().filter(|one| one.to_server == to_server));
            let own = || read.iter().filter(|one| one.to_server != to_server);
            let duplicate = own().filter(|one| one.duplicate);
            let duplicate = duplicate.filter_map(|one| Some((one.id, data.expected(one.stream, one.ack)?)));
            assert_eq!(points(panel, "duplicate ACK"), duplicate.collect(), "{what}");
            let mut highest = None;
            let mut zero = BTreeMap::new();
            for one in own() {
                highest = highest.max(one.data_ack);
                let place = || highest.map(|ack| ack - data.first + 1).or_else(|| data.expected(one.stream, one.ack));
                zero.extend(one.zero_window.then(place).flatten().map(|place| (one.id, place)));
            }
            assert_eq!(points(panel, "zero window"), zero, "{what}");
            let mut sack = BTreeMap::<u64, BTreeSet<u32>>::new();
            for stream in data.mappings.keys() {
                for (packet, bytes) in reported(own().filter(|one| one.stream == *stream)) {
                    let numbers = bytes.iter().filter_map(|byte| data.number(*stream, *byte));
                    sack.entry(packet).or_default().extend(numbers.map(|number| number as u32));
                }
            }
            assert_eq!(strokes(panel, "SACK"), sack, "{what}");
            sacks += sack.len();
            duplicates += points(panel, "duplicate ACK").len();
            zeros += zero.len();
        }
    }
    assert!(sacks > 50 && duplicates > 100 && zeros > 10, "{sacks} {duplicates} {zeros}");
}

#[test]
fn acknowledgements_are_marked_on_request_and_at_sequence_numbers_alone() {
    let capture = scenarios::load(&captures()[2]).unwrap();
    let plain = draw(&capture, "dsn 0");
    let names = ["SACK", "duplicate ACK", "zero window"];
    assert!(plain.panels.iter().flat_map(|panel| &panel.series).all(|one| !names.contains(&one.name.as_str())));
    let refused = try_draw(&capture, "tcp_attr 0 rwnd --acks").unwrap_err().to_string();
    assert!(refused.starts_with("--acks marks sequence numbers: give the column tcpseq"), "{refused}");
}
