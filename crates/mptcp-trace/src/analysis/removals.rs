//! Which addresses were withdrawn, and which subflows did that end?

use std::collections::HashMap;

use crate::interrupt::interruptible;
use crate::packets::segment::flag;
use crate::tracking::travelling::{Travelling, signals};
use crate::tracking::{Capture, Connection, Role, SubflowKind};
use crate::{Instant, PacketRow, Span, StreamId};

/// A RST may overtake the REMOVE_ADDR that it carries out, on another path, by so much.
const OVERTAKES: Span = Span::from_seconds(1);

/// One REMOVE_ADDR (RFC 8684 §3.4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Its row.
    pub row: PacketRow,
    /// Its TCP stream.
    pub tcpstream: StreamId,
    /// The sender.
    pub by: Role,
    /// The address ids.
    pub ids: Vec<u8>,
    /// The subflows of these ids that were reset for it: TCP stream, and row of the first RST.
    pub resets: Vec<(StreamId, PacketRow)>,
}

/// The removals of a connection in the order of the file, each with the subflows that a RST of either end closed
/// because of it: those that the withdrawing end has that address id on.
#[must_use]
pub fn removals(capture: &Capture, connection: &Connection) -> Vec<Removal> {
    removals_among(capture, connection, signals(&capture.segments, &capture.tracking, connection))
}

/// The same, where at least the [signals](crate::Segment::is_signal) among its packets are at hand.
#[must_use]
pub fn removals_among<'a>(
    capture: &Capture,
    connection: &Connection,
    packets: impl IntoIterator<Item = Travelling<'a>>,
) -> Vec<Removal> {
    let mut found: Vec<Removal> = Vec::new();
    let mut resets: HashMap<StreamId, (PacketRow, Instant)> = HashMap::new();
    for packet in interruptible(packets) {
        if packet.ends_with(flag::RST) {
            resets.entry(packet.stream).or_insert((packet.row, packet.segment.abstime));
        }
        let Some(ids) = packet.segment.control().and_then(|control| control.remove_addr.as_ref()) else {
            continue;
        };
        let (row, tcpstream, by) = (packet.row, packet.stream, packet.towards.other());
        found.push(Removal { row, tcpstream, by, ids: ids.clone(), resets: Vec::new() });
    }
    if found.is_empty() {
        return found;
    }
    // By end and address id: the removals in order, as indexes.
    let mut of_id: HashMap<(Role, u8), Vec<usize>> = HashMap::new();
    for (index, removal) in interruptible(found.iter().enumerate()) {
        for id in interruptible(&removal.ids) {
            of_id.entry((removal.by, *id)).or_default().push(index);
        }
    }
    for stream in interruptible(&connection.subflows) {
        let Some((reset, time)) = resets.get(stream) else { continue };
        let begun =
            capture.tracking.stream(*stream).and_then(|stream| stream.packets.first().copied()).unwrap_or_default();
        for key in interruptible(address_ids(capture, *stream)) {
            let Some(removals) = of_id.get(&key) else { continue };
            // The last one before the RST, or one that the RST overtook. An earlier subflow's is not this one's.
            let after = removals.partition_point(|index| found.get(*index).is_some_and(|removal| removal.row < *reset));
            let before = after.checked_sub(1).and_then(|at| removals.get(at)).copied();
            let cause = before.filter(|index| found.get(*index).is_some_and(|removal| removal.row > begun));
            let overtaken = removals.get(after).copied().filter(|index| {
                let removed = found.get(*index).and_then(|removal| capture.segments.get(removal.row.index()));
                removed.is_some_and(|packet| packet.abstime - *time < OVERTAKES)
            });
            if let Some(removal) = cause.or(overtaken).and_then(|index| found.get_mut(index)) {
                removal.resets.push((*stream, *reset));
                break;
            }
        }
    }
    found
}

/// The address ids of a subflow with the end of the connection that has them.
fn address_ids(capture: &Capture, stream: StreamId) -> Vec<(Role, u8)> {
    let Some(subflow) = capture.tracking.subflow(stream) else { return Vec::new() };
    match &subflow.kind {
        SubflowKind::Initial => Role::BOTH.iter().map(|role| (*role, 0)).collect(),
        SubflowKind::Join(join) => {
            let (host, opener) = (subflow.opened_towards, subflow.opened_towards.other());
            let of = |role: Role, id: Option<u8>| id.map(|id| (role, id));
            [of(opener, join.address_ids.client), of(host, join.address_ids.server)].into_iter().flatten().collect()
        }
        SubflowKind::Unknown => Vec::new(),
    }
}
