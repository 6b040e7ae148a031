//! The tracked columns of the packet table.

pub mod data;

use polars::prelude::*;

use mptcp_trace::interrupt::interruptible;
use mptcp_trace::packets::segment::Segment;
use mptcp_trace::tracking::Duplicates;
use mptcp_trace::tracking::expected_token;
use mptcp_trace::tracking::{Capture, PacketInStream, Role, Tracking, retransmitted};

/// The tracked column of that name; `None` when it is one of the data level, or there is none. After Ctrl-C it is not
/// whole.
pub fn column(name: &str, capture: &Capture) -> Option<Column> {
    let (tracking, packets) = (&capture.tracking, &capture.tracking.packets);
    let towards = |packet: &PacketInStream| Some(tracking.stream(packet.stream)?.towards(packet));
    let of_packets = || interruptible(packets).map(|packet| (packet, tracking.subflow(packet.stream)));
    let named = PlSmallStr::from_str(name);
    Some(match name {
        "tcpstream" => Column::new(named, interruptible(packets).map(|packet| packet.stream.0).collect::<Vec<u32>>()),
        "tcpdest" => roles(named, interruptible(packets).map(towards)),
        "tcpseq" => Column::new(named, interruptible(packets).map(|packet| packet.sequence).collect::<Vec<u32>>()),
        "tcpack" => Column::new(named, interruptible(packets).map(PacketInStream::acknowledgement).collect::<Vec<_>>()),
        "rwnd" => Column::new(named, interruptible(packets).map(PacketInStream::window).collect::<Vec<_>>()),
        "mptcpstream" => {
            let connections = of_packets().map(|(_, subflow)| subflow.map(|subflow| subflow.connection.0));
            Column::new(named, connections.collect::<Vec<_>>())
        }
        "mptcpstream_wireshark" => {
            let connections = of_packets().map(|(_, subflow)| subflow.map(|subflow| subflow.wireshark.0));
            Column::new(named, connections.collect::<Vec<_>>())
        }
        "mptcpdest" => {
            let roles_of = |(packet, subflow)| Some(Tracking::mptcp_towards(subflow?, towards(packet)?));
            roles(named, of_packets().map(roles_of))
        }
        "expected_token" => {
            Column::new(named, interruptible(capture.segments.iter()).map(expected_token).collect::<Vec<_>>())
        }
        "retransmission" => Column::new(named, retransmitted(&capture.segments, tracking)),
        "duplicate_of" => duplicate_of(&capture.segments, &capture.duplicates),
        _ => return None,
    })
}

/// The packet that each is a copy of.
fn duplicate_of(segments: &[Segment], duplicates: &Duplicates) -> Column {
    let mut originals = vec![None; segments.len()];
    for (row, original) in interruptible(&duplicates.rows) {
        if let Some(cell) = originals.get_mut(row.index()) {
            *cell = segments.get(original.index()).map(|segment| segment.packetid);
        }
    }
    Column::new("duplicate_of".into(), originals)
}

fn roles(name: PlSmallStr, roles: impl Iterator<Item = Option<Role>>) -> Column {
    StringChunked::from_iter_options(name, roles.map(|role| role.map(Role::name))).into_column()
}
