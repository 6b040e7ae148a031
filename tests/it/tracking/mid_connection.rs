//! Captures begun in mid-connection: which subflows are put together, against the keys and tokens of the whole capture,
//! and what they carried, against tshark's raw fields.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mptcp_trace::analysis::mptcp_connections::mptcp_connections;
use mptcp_trace::analysis::mptcp_summary::mptcp_summary;
use mptcp_trace::analysis::subflows::SubflowRecord;
use mptcp_trace::tracking::{JoinedBy, Role, Subflow, Tracking, track};
use mptcp_trace::{ConnectionId, StreamId};

use crate::support::program::Home;
use crate::support::scenarios;

const DERIVED: [&str; 4] = [
    "13a_midstream/client.pcap",
    "13a_midstream/server.pcap",
    "13a2_join_without_capable/client.pcap",
    "13a2_join_without_capable/server.pcap",
];

/// Both were cut from `02_fullmesh` (truth.json), which has one connection of four subflows.
#[test]
fn subflows_without_handshakes_are_one_connection() {
    let Some(folder) = scenarios::folder() else { return };
    for name in DERIVED {
        let capture = scenarios::load(&folder.join(name)).unwrap();
        let found = mptcp_connections(&capture);
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(found[0].joined_by, Some(JoinedBy::DataSequence), "{name}");
        let servers: BTreeSet<String> = found[0].subflows.iter().map(|one| one.server_ip.to_string()).collect();
        assert_eq!((found[0].subflows.len(), servers.len()), (4, 2), "{name}");
        assert!(found[0].subflows.iter().all(|one| one.server_port == 5001 && one.mptcpdest == Role::Server), "{name}");
        // Wireshark's numbers: tshark has four connections in the one, two in the other.
        let numbers: BTreeSet<ConnectionId> = found[0].subflows.iter().map(|one| one.mptcpstream_wireshark).collect();
        let by_tshark = scenarios::tshark(&folder.join(name), &["mptcp.stream"]);
        let by_tshark: BTreeSet<ConnectionId> = by_tshark.iter().filter_map(|number| number.parse().ok()).collect();
        assert_eq!(numbers, by_tshark, "{name}");
        for part in by_tshark.into_iter().filter(|number| *number != found[0].mptcpstream) {
            let error = capture.mptcp_connection(part).unwrap_err().to_string();
            assert!(error.contains(&format!("connection {part} is part of connection 0")), "{error}");
        }
    }
}

/// A stream by its endpoints, which are the same in both captures.
fn ends(subflow: &SubflowRecord) -> String {
    format!("{}:{}-{}:{}", subflow.client_ip, subflow.client_port, subflow.server_ip, subflow.server_port)
}

/// `13a_midstream` lacks the first 2000 packets of `02_fullmesh` (truth.json): what the rest carried follows from
/// mappings and initial sequence numbers of the whole capture, by tshark's raw fields.
#[test]
fn volumes_are_those_of_the_same_packets_of_the_whole_capture() {
    const CUT: usize = 2000;
    let Some(folder) = scenarios::folder() else { return };
    for end in ["client.pcap", "server.pcap"] {
        let fields = [
            "tcp.flags.syn",
            "tcp.seq_raw",
            "tcp.len",
            "ip.src",
            "tcp.srcport",
            "ip.dst",
            "tcp.dstport",
            "tcp.options.mptcp.rawdataseqno",
            "tcp.options.mptcp.subflowseqno",
        ];
        let mut isn: HashMap<String, u32> = HashMap::new();
        let mut bytes: HashMap<bool, BTreeSet<u64>> = HashMap::new();
        let mut payload: BTreeMap<(bool, String), u64> = BTreeMap::new();
        for (index, line) in scenarios::tshark(&folder.join("02_fullmesh").join(end), &fields).iter().enumerate() {
            let cells: Vec<&str> = line.split('\t').collect();
            let (from, to) = (format!("{}:{}", cells[3], cells[4]), format!("{}:{}", cells[5], cells[6]));
            let Ok(sequence) = cells[1].parse::<u32>() else { continue };
            let way = format!("{from}-{to}");
            if matches!(cells[0], "1" | "True") {
                isn.insert(way.clone(), sequence);
            }
            let length: u64 = cells[2].parse().unwrap();
            if index < CUT || length == 0 {
                continue;
            }
            let to_server = cells[6] == "5001";
            let stream = if to_server { way.clone() } else { format!("{to}-{from}") };
            *payload.entry((to_server, stream)).or_default() += length;
            let dsn: u64 = cells[7].parse().unwrap_or_else(|_| panic!("data without a mapping: {line}"));
            let ssn: u32 = cells[8].parse().unwrap();
            let start = dsn + u64::from(sequence.wrapping_sub(isn[&way]).wrapping_sub(ssn));
            bytes.entry(to_server).or_default().extend(start..start + length);
        }
        let capture = scenarios::load(&folder.join("13a_midstream").join(end)).unwrap();
        let found = &mptcp_connections(&capture)[0];
        let summary = mptcp_summary(&capture, capture.mptcp_connection(found.mptcpstream).unwrap());
        for direction in &summary.directions {
            let to_server = direction.towards == Role::Server;
            assert_eq!(direction.goodput_bytes, bytes[&to_server].len() as u64, "{end} {:?}", direction.towards);
            for (share, subflow) in direction.subflows.iter().zip(&found.subflows) {
                let wanted = payload.get(&(to_server, ends(subflow))).copied().unwrap_or(0);
                assert_eq!(share.throughput_bytes, wanted, "{end} {:?} {}", direction.towards, ends(subflow));
            }
        }
    }
}

/// The connection that each stream of `cut`, the rest of `whole` from row `from` on, belongs to there and here.
fn memberships(whole: &Tracking, cut: &Tracking, from: usize) -> Vec<(ConnectionId, ConnectionId, bool)> {
    let streams = cut.streams.iter().filter_map(|stream| {
        let here = cut.subflow(stream.id)?;
        let row = stream.packets.first()?.index() + from;
        let there = whole.subflow(whole.packets.as_slice().get(row)?.stream)?;
        // Its keys are known, so that the whole capture is a judge.
        whole.connection(there.connection)?.roles_known.then_some(())?;
        // Whichever end of the stream is taken for its client.
        let way = |tracking: &Tracking, subflow: &Subflow, row: usize| {
            let packet = &tracking.packets.as_slice()[row];
            Tracking::mptcp_towards(subflow, tracking.stream(packet.stream).unwrap().towards(packet))
        };
        let same = way(cut, here, row - from) == way(whole, there, row);
        Some((there.connection, here.connection, same || here.joined_by < Some(JoinedBy::DataSequence)))
    });
    streams.collect()
}

/// Every capture without its first packets: what is put together is one connection by the keys of the whole one, and the
/// subflows of no connection with numbers of 64 bits stay apart.
#[test]
fn what_is_put_together_is_one_by_keys() {
    let (mut wrong, mut together, mut apart) = (Vec::new(), 0, 0);
    for path in scenarios::captures() {
        let Some(capture) = scenarios::load(&path) else { continue };
        let segments = &capture.segments;
        for share in [20, 5, 2] {
            let from = segments.len() / share;
            let cut = track(&segments.fields().skip(from).collect());
            let mut by_connection: BTreeMap<ConnectionId, BTreeSet<ConnectionId>> = BTreeMap::new();
            for (there, here, same_way) in memberships(&capture.tracking, &cut, from) {
                by_connection.entry(here).or_default().insert(there);
                if !same_way {
                    wrong.push(format!("{} from {from}: {here} is turned round", scenarios::label(&path)));
                }
            }
            for (here, there) in by_connection {
                if there.len() > 1 {
                    wrong.push(format!("{} from {from}: {there:?} became {here}", scenarios::label(&path)));
                }
            }
            let parts = cut.connections.iter().filter(|connection| connection.part_of.is_some()).count();
            together += parts;
            let mut known: BTreeSet<ConnectionId> = BTreeSet::new();
            for (there, here, _) in memberships(&capture.tracking, &cut, from) {
                let carries = |id: &StreamId| {
                    cut.stream(*id)
                        .unwrap()
                        .packets
                        .iter()
                        .any(|row| segments[row.index() + from].dss().is_some_and(|dss| dss.mapping.is_some()))
                };
                if cut.connection(here).unwrap().subflows.iter().any(carries) && known.replace(there).is_some() {
                    // Another part of the same connection was seen before.
                    apart += usize::from(cut.connection(here).unwrap().subflows.len() == 1);
                }
            }
        }
    }
    println!("{together} put together, {apart} left apart");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(together > 200 || scenarios::folder().is_none(), "only {together} were put together");
    assert!(apart * 20 <= together, "{apart} left apart, {together} put together");
}

#[test]
fn the_listing_says_how_it_knows() {
    let Some(folder) = scenarios::folder() else { return };
    let home = Home::new();
    let file = folder.join("13a_midstream/client.pcap");
    let file = file.to_str().unwrap();
    let done = home.run(&["-l", file, "list_mptcp_connections"], "");
    let said =
        "1, 2, 3 of Wireshark's numbering are part of connection 0: their 64-bit data sequence numbers lie in one";
    assert!(done.results.contains(said), "{}", done.results);
    let done = home.run(&["-l", file, "list_subflows", "0", "--format", "csv"], "");
    let mut lines = done.results.lines();
    let place = lines.next().and_then(|names| names.split(',').position(|name| name == "joined_by")).unwrap();
    let shown: Vec<&str> = lines.map(|line| line.split(',').nth(place).unwrap()).collect();
    assert_eq!(shown, ["data_sequence"; 4], "{}", done.results);
    let done = home.run(&["-l", file, "mptcp_summary", "2"], "");
    assert_eq!(done.code, Some(1));
    assert!(done.messages.contains("MPTCP connection 2 is part of connection 0"), "{}", done.messages);
}
