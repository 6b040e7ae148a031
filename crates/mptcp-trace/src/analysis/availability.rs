//! When could each subflow carry data, and was it only a backup?

use std::collections::{HashMap, VecDeque};

use super::closing::fast_closes;
use super::joins::{JoinAttempt, JoinOutcome};
use crate::interrupt::interruptible;
use crate::packets::segment::{Prio, flag};
use crate::tracking::connections::JoinHandshake;
use crate::tracking::travelling::Travelling;
use crate::tracking::{Capture, Connection, Role, Subflow, SubflowKind, Tracking};
use crate::{Instant, PacketRow, StreamId};

/// One subflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// Wireshark's `tcp.stream`.
    pub tcpstream: StreamId,
    /// When it was established; `None` where it was not.
    pub from: Option<Instant>,
    /// When it was closed, reset or withdrawn, or the connection was aborted; `None` where none of it was captured.
    pub until: Option<Instant>,
    /// REMOVE_ADDR that withdrew one of its addresses: when, and its row; only where nothing had closed it before.
    pub removed: Option<(Instant, PacketRow)>,
    /// From when on it was a backup, or not: by the handshake, then by MP_PRIO (RFC 8684 §3.3.8).
    backup: Vec<(Instant, bool)>,
}

impl Availability {
    /// Whether it could carry data in all that time.
    #[must_use]
    pub fn covers(&self, from: Instant, until: Instant) -> bool {
        self.from.is_some_and(|since| since <= from) && self.until.is_none_or(|end| end >= until)
    }

    /// From when on it was a backup or not; by its handshake from [`Instant::MIN`] on.
    #[must_use]
    pub fn changes(&self) -> &[(Instant, bool)] {
        &self.backup
    }

    /// Whether MP_PRIO had changed its priority by that time.
    #[must_use]
    pub fn is_changed(&self, now: Instant) -> bool {
        // Its first change is the earliest, and the second entry at the latest.
        self.backup.iter().find(|(since, _)| *since > Instant::MIN).is_some_and(|(since, _)| *since <= now)
    }

    /// When MP_PRIO made it a backup, where it was one at the end and had not been opened as one.
    #[must_use]
    pub fn made_backup(&self) -> Option<Instant> {
        let (since, backup) = self.backup.last()?;
        (*backup && *since != Instant::MIN).then_some(*since)
    }

    /// Whether either end wanted it as a backup at that time.
    #[must_use]
    pub fn is_backup(&self, now: Instant) -> bool {
        let changes = self.backup.partition_point(|(since, _)| *since <= now);
        changes.checked_sub(1).and_then(|last| self.backup.get(last)).is_some_and(|(_, backup)| *backup)
    }
}

/// MP_PRIOs that name another subflow of which the first are taken into account, so that the time stays linear in packets.
const NAMED: usize = 64;

/// The subflows of `connection`, in the order of [`Connection::subflows`]; `joins` are all of the connection, `packets` at
/// least the [signals](crate::Segment::is_signal) among its packets.
#[must_use]
pub fn availability(
    capture: &Capture,
    connection: &Connection,
    joins: &[JoinAttempt],
    packets: &[Travelling<'_>],
) -> Vec<Availability> {
    let time = |row: PacketRow| capture.segments.get(row.index()).map(|segment| segment.abstime);
    let joined: Vec<(StreamId, PacketRow)> = joins
        .iter()
        .filter(|join| join.outcome == JoinOutcome::Established)
        .map(|join| (join.tcpstream, join.decided_by))
        .collect();
    let begin = |id: StreamId| -> Option<Instant> {
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
    let of = |id: &StreamId| Availability {
        tcpstream: *id,
        from: begin(*id),
        until: None,
        removed: None,
        backup: Vec::new(),
    };
    let mut found: Vec<Availability> = connection.subflows.iter().map(of).collect();
    for (own, id) in interruptible(found.iter_mut().zip(&connection.subflows)) {
        let handshake = capture.tracking.subflow(*id).and_then(handshake);
        own.backup.extend(
            handshake.map(|join| (Instant::MIN, [join.backup.client, join.backup.server].contains(&Some(true)))),
        );
    }
    let mut changes = Changes { connection, found, of_id: HashMap::new(), named: 0, aborted: false };
    for (index, id) in interruptible(connection.subflows.iter().enumerate()) {
        for end in Role::BOTH {
            let address = capture.tracking.subflow(*id).and_then(|subflow| address_id(subflow, end));
            if let Some(address) = address {
                changes.of_id.entry((end, address)).or_default().push_back(index);
            }
        }
    }
    for packet in interruptible(packets) {
        changes.note(packet);
    }
    changes.found
}

/// Effect of packets.
struct Changes<'a> {
    connection: &'a Connection,
    found: Vec<Availability>,
    /// Subflows by end and address id; those that were withdrawn are not in it any more.
    of_id: HashMap<(Role, u8), VecDeque<usize>>,
    named: usize,
    aborted: bool,
}

impl Changes<'_> {
    fn note(&mut self, packet: &Travelling<'_>) {
        let now = packet.segment.abstime;
        if (packet.ends_with(flag::FIN) || packet.ends_with(flag::RST))
            && let Some(own) = self.found.get_mut(packet.subflow)
        {
            own.until.get_or_insert(now);
        }
        let Some(control) = packet.segment.control() else { return };
        if fast_closes(packet.segment, packet.towards, self.connection) && !std::mem::replace(&mut self.aborted, true) {
            self.found.iter_mut().for_each(|own| own.until = own.until.or(Some(now)));
        }
        let sender = packet.towards.other();
        for id in control.remove_addr.iter().flatten() {
            // Subflows that join later with the same id are not meant; streams come in the order in which they began.
            let Some(subflows) = self.of_id.get_mut(&(sender, *id)) else { continue };
            while let Some(own) = subflows.front().and_then(|index| self.found.get_mut(*index)) {
                if own.from.is_some_and(|from| from > now) {
                    break;
                }
                if own.until.is_none() {
                    own.removed = Some((now, packet.row));
                }
                own.until.get_or_insert(now);
                subflows.pop_front();
            }
        }
        // With an address id version 1 has no MP_PRIO: its receiver ignores it.
        let valid = |prio: &Prio| prio.address_id.is_none() || self.connection.version != Some(1);
        let Some(prio) = control.prio.filter(valid) else { return };
        // Version 0 may name another subflow by its address id (RFC 6824 §3.3.8).
        let meant = match prio.address_id {
            None => VecDeque::from([packet.subflow]),
            Some(_) if self.named >= NAMED => return,
            Some(id) => {
                self.named = self.named.saturating_add(1);
                self.of_id.get(&(sender, id)).cloned().unwrap_or_default()
            }
        };
        for index in interruptible(meant) {
            if let Some(own) = self.found.get_mut(index) {
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
