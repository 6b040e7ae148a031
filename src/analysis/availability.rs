//! When could each subflow carry data, and was it only a backup?

use super::joins::{Outcome, joins};
use crate::packets::segment::flag;
use crate::tracking::connections::JoinHandshake;
use crate::tracking::travelling::Travelling;
use crate::tracking::{Capture, Connection, Role, Subflow, SubflowKind, Tracking};

/// One subflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// Wireshark's `tcp.stream`.
    pub tcpstream: u32,
    /// When it was established, nanoseconds since 1970; `None` where it was not.
    pub from: Option<i64>,
    /// When it was closed, reset or withdrawn, or the connection was aborted; `None` where none of it was captured.
    pub until: Option<i64>,
    /// From when on it was a backup, or not: by the handshake, then by MP_PRIO (RFC 8684 §3.3.8).
    backup: Vec<(i64, bool)>,
}

impl Availability {
    /// Whether it could carry data in all that time.
    #[must_use]
    pub fn covers(&self, from: i64, until: i64) -> bool {
        self.from.is_some_and(|since| since <= from) && self.until.is_none_or(|end| end >= until)
    }

    /// Whether either end wanted it as a backup at that time.
    #[must_use]
    pub fn is_backup(&self, now: i64) -> bool {
        self.backup.iter().rev().find(|(since, _)| *since <= now).is_some_and(|(_, backup)| *backup)
    }
}

/// The subflows of `connection`, in the order of [`Connection::subflows`]; `packets` are those of the connection.
#[must_use]
pub fn availability(capture: &Capture, connection: &Connection, packets: &[Travelling<'_>]) -> Vec<Availability> {
    let time = |row: u32| capture.segments.get(row as usize).map(|segment| segment.abstime);
    let joined: Vec<(u32, u32)> = joins(capture, connection)
        .iter()
        .filter(|join| join.outcome == Outcome::Established)
        .map(|join| (join.tcpstream, join.decided_by))
        .collect();
    let begin = |id: u32| -> Option<i64> {
        let (stream, subflow) = (capture.tracking.stream(id)?, capture.tracking.subflow(id)?);
        match subflow.kind {
            SubflowKind::Initial => time(stream.third_ack?),
            SubflowKind::Join(_) => {
                let place = joined.binary_search_by_key(&id, |(stream, _)| *stream).ok()?;
                time(joined.get(place)?.1)
            }
            // The handshake came before the capture.
            SubflowKind::Unknown => time(*stream.packets.first()?),
        }
    };
    let of = |id: &u32| Availability { tcpstream: *id, from: begin(*id), until: None, backup: Vec::new() };
    let mut found: Vec<Availability> = connection.subflows.iter().map(of).collect();
    for (own, id) in found.iter_mut().zip(&connection.subflows) {
        let handshake = capture.tracking.subflow(*id).and_then(handshake);
        own.backup
            .extend(handshake.map(|join| (i64::MIN, [join.backup.client, join.backup.server].contains(&Some(true)))));
    }
    for packet in packets {
        note(capture, connection, packet, &mut found);
    }
    found
}

/// Notes what a packet ends or changes.
fn note(capture: &Capture, connection: &Connection, packet: &Travelling<'_>, found: &mut [Availability]) {
    let now = packet.segment.abstime;
    if packet.segment.flags & (flag::FIN | flag::RST) != 0
        && let Some(own) = found.get_mut(packet.subflow)
    {
        own.until.get_or_insert(now);
    }
    let Some(control) = &packet.segment.control else { return };
    if control.fastclose.is_some() {
        found.iter_mut().for_each(|own| own.until = own.until.or(Some(now)));
    }
    let sender = packet.towards.other();
    let of = |id: u32| capture.tracking.subflow(id).and_then(|subflow| address_id(subflow, sender));
    if let Some(ids) = &control.remove_addr {
        for (own, id) in found.iter_mut().zip(&connection.subflows) {
            if of(*id).is_some_and(|address| ids.contains(&address)) {
                own.until.get_or_insert(now);
            }
        }
    }
    if let Some(prio) = control.prio {
        for (index, (own, id)) in found.iter_mut().zip(&connection.subflows).enumerate() {
            // Version 0 may name another subflow by its address id (RFC 6824 §3.3.8).
            let meant = prio.address_id.map_or(index == packet.subflow, |address| of(*id) == Some(address));
            if meant {
                own.backup.push((now, prio.backup));
            }
        }
    }
}

fn handshake(subflow: &Subflow) -> Option<&JoinHandshake> {
    if let SubflowKind::Join(join) = &subflow.kind { Some(join) } else { None }
}

/// The address id that an end of the connection has on a subflow.
fn address_id(subflow: &Subflow, end: Role) -> Option<u8> {
    match &subflow.kind {
        SubflowKind::Initial => Some(0),
        SubflowKind::Join(join) => *join.address_ids.get(Tracking::mptcp_towards(subflow, end)),
        SubflowKind::Unknown => None,
    }
}
