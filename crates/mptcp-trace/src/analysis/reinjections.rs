//! Which packets carried data that another subflow had carried before?
//!
//! Seen from the sender these are the reinjections. Seen from the receiver they are the copies that came late: the
//! reinjection may have come first and the original after it, so that the capture does not say which was sent first.

mod need;
mod since;

use std::collections::HashMap;

use serde::Serialize;

use super::acknowledged::{Acknowledged, acknowledged};
use super::capture_point::{CapturePoint, SeenFrom, of_connection};
use super::hexadecimal_u64;
use super::mptcp_summary::{ReinjectionPair, pairs};
use crate::interrupt::interruptible;
use crate::packets::segment::Segment;
use crate::tracking::data::{Direction, Repeat, RepeatKind, directions};
use crate::tracking::{ByRole, Capture, Connection, Role};
use crate::{ConnectionId, Instant, PacketRow, Span, StreamId};
pub use need::{Need, need};
use since::Since;

/// A packet with data that another subflow had carried before, as seen at the place of capture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reinjection {
    /// The packet.
    pub packetid: u64,
    /// Seconds since the first frame of the file.
    pub reltime: f64,
    /// Its TCP stream.
    pub tcpstream: StreamId,
    /// The end of the connection that it travels towards.
    pub towards: Role,
    /// First such byte, from the sender's IDSN; `None` without the sender's key.
    pub dsn: Option<u64>,
    /// First such byte, all 64 bits; `None` where the high half is not known.
    #[serde(serialize_with = "hexadecimal_u64")]
    pub dsnraw64: Option<u64>,
    /// Such bytes in this packet.
    pub length: u64,
    /// The packets that carried them first, on other subflows.
    pub of: Vec<Original>,
    /// It repeats more pieces of earlier data than are told apart: `of` names the packet of the first of them alone, and all
    /// of `length` counts as that piece does.
    pub merged: bool,
    /// How long before this packet the first of the data had been seen first.
    pub age: Span,
    /// Seconds since the first of the data was last sent, by whichever subflow; `None` where the packet was recorded on another
    /// interface alone.
    pub since_last: Option<f64>,
    /// Seconds since any packet of that end, on any subflow: how long it had been idle.
    pub since_activity: Option<f64>,
    /// Where the capture was taken, as this direction sees it; `None` where the capture does not tell.
    pub seen_from: Option<SeenFrom>,
    /// Seen from the receiver, how long after the first copy this one came, seconds.
    pub late_by: Option<f64>,
    /// Seen from the sender, whether the DATA_ACK passed the data only thanks to this packet; `None` where the capture
    /// does not tell.
    pub needed: Option<bool>,
    /// When the packet was recorded.
    #[serde(skip)]
    pub time: Instant,
}

impl Reinjection {
    /// [`Reinjection::age`] in seconds.
    #[must_use]
    pub fn age_seconds(&self) -> f64 {
        self.age.seconds()
    }
}

/// A packet whose data came again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Original {
    /// The packet.
    pub packetid: u64,
    /// Its TCP stream.
    pub tcpstream: StreamId,
}

/// Totals of one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReinjectionSummary {
    /// Wireshark's `mptcp.stream`.
    pub mptcpstream: ConnectionId,
    /// Towards the server, then towards the client.
    pub directions: Vec<DirectionTotals>,
}

/// Totals of one direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DirectionTotals {
    /// Which.
    pub towards: Role,
    /// Where the capture was taken, as this direction sees it; `None` where the capture does not tell.
    pub seen_from: Option<SeenFrom>,
    /// Bytes that another subflow had carried before at the place of capture: at the sender those reinjected, at the
    /// receiver those of the copy that came late.
    pub reinjected_bytes: u64,
    /// Packets that carried such bytes.
    pub reinjected_packets: u64,
    /// The same by the subflow that carried the data first and the one that carried it again. A packet that repeats
    /// several subflows counts for each.
    pub reinjections: Vec<ReinjectionPair>,
    /// Data sent again on the subflow that had sent it before, under new sequence numbers: no reinjection.
    pub resent_same_subflow: Vec<Resent>,
    /// Ranges of all these that span more pieces of earlier data than are told apart: each counts whole as its first piece
    /// does.
    pub merged_repeats: u64,
}

/// Own data that one subflow re-sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Resent {
    /// The subflow's TCP stream.
    pub tcpstream: StreamId,
    /// Bytes.
    pub bytes: u64,
    /// Packets that carried such bytes.
    pub packets: u64,
}

/// The reinjections of a connection in the order of the file; only those towards `towards`, if given.
#[must_use]
pub fn reinjections(capture: &Capture, connection: &Connection, towards: Option<Role>) -> Vec<Reinjection> {
    Reinjected::of(capture, connection, towards).list()
}

/// The data that a connection sent again, worked out once for those who ask for its list and its totals.
pub struct Reinjected<'a> {
    capture: &'a Capture,
    connection: &'a Connection,
    /// The directions that are asked about.
    roles: Vec<Role>,
    directions: ByRole<Direction>,
    point: Option<CapturePoint>,
}

impl<'a> Reinjected<'a> {
    /// Looks for it; only for that towards `towards`, if given.
    #[must_use]
    pub fn of(capture: &'a Capture, connection: &'a Connection, towards: Option<Role>) -> Self {
        Reinjected {
            capture,
            connection,
            roles: Role::BOTH.into_iter().filter(|role| towards.is_none_or(|wanted| wanted == *role)).collect(),
            directions: directions(&capture.segments, &capture.tracking, connection),
            point: of_connection(capture, connection),
        }
    }

    fn seen_from(&self, role: Role) -> Option<SeenFrom> {
        self.point.map(|point| point.seen(role))
    }

    /// The reinjections in the order of the file.
    #[must_use]
    pub fn list(&self) -> Vec<Reinjection> {
        let (capture, connection) = (self.capture, self.connection);
        let mut acknowledgements: Option<ByRole<Acknowledged>> = None;
        let mut found: Vec<(PacketRow, Reinjection)> = Vec::new();
        let mut delays: Option<HashMap<PacketRow, Since>> = None;
        for role in self.roles.iter().copied() {
            let direction = self.directions.get(role);
            let repeats: Vec<&Repeat> =
                direction.repeats.iter().filter(|r| r.kind == RepeatKind::Reinjection).collect();
            let seen_from = self.seen_from(role);
            let judge = (seen_from == Some(SeenFrom::Sender) && !repeats.is_empty())
                .then(|| acknowledgements.get_or_insert_with(|| acknowledged(capture, connection)).get(role));
            if repeats.is_empty() {
                continue;
            }
            let since = delays.get_or_insert_with(|| since::of(capture, connection));
            let seen = Seen { since, capture, connection, towards: role, direction, seen_from, judge };
            for of_packet in interruptible(repeats.chunk_by(|one, other| one.row == other.row)) {
                found.extend(seen.record(of_packet));
            }
        }
        found.sort_by_key(|(row, _)| *row);
        found.into_iter().map(|(_, reinjection)| reinjection).collect()
    }

    /// The totals.
    #[must_use]
    pub fn summary(&self) -> ReinjectionSummary {
        let directions = self
            .roles
            .iter()
            .map(|role| totals(self.connection, *role, self.seen_from(*role), self.directions.get(*role)));
        ReinjectionSummary { mptcpstream: self.connection.id, directions: directions.collect() }
    }
}

/// One direction, and what is known of it.
struct Seen<'a> {
    since: &'a HashMap<PacketRow, Since>,
    capture: &'a Capture,
    connection: &'a Connection,
    towards: Role,
    direction: &'a Direction,
    seen_from: Option<SeenFrom>,
    judge: Option<&'a Acknowledged>,
}

impl Seen<'_> {
    fn segment(&self, row: PacketRow) -> Option<&Segment> {
        self.capture.segments.get(row.index())
    }

    /// The record of one packet, from its ranges, after its row.
    fn record(&self, ranges: &[&Repeat]) -> Option<(PacketRow, Reinjection)> {
        let first = ranges.first()?;
        let packet = self.segment(first.row)?;
        let dsn = ranges.iter().map(|range| range.dsn).min()?;
        let mut of: Vec<Original> = Vec::new();
        for range in interruptible(ranges) {
            let original = Original {
                packetid: self.segment(range.original_row)?.packetid(),
                tcpstream: *self.connection.subflows.get(range.original_subflow)?,
            };
            // Neighbouring ranges of one original come one after the other.
            if of.last() != Some(&original) {
                of.push(original);
            }
        }
        of.sort_by_key(|original| original.packetid);
        of.dedup();
        let seen_first = ranges.iter().filter_map(|range| Some(self.segment(range.original_row)?.abstime)).min()?;
        let age = packet.abstime - seen_first;
        let verdicts: Option<Vec<Option<bool>>> =
            self.judge.map(|judge| ranges.iter().map(|range| need(judge, range, packet.abstime).needed()).collect());
        let since = self.since.get(&first.row).copied().unwrap_or_default();
        let reinjection = Reinjection {
            packetid: packet.packetid(),
            reltime: (packet.abstime - self.capture.origin()).seconds(),
            tcpstream: *self.connection.subflows.get(first.subflow)?,
            towards: self.towards,
            dsn: self.direction.numbers.relative(dsn),
            dsnraw64: self.direction.numbers.real(dsn),
            length: ranges.iter().map(|range| range.length).sum(),
            of,
            merged: ranges.iter().any(|range| range.merged),
            age,
            since_last: since.last.map(Span::seconds),
            since_activity: since.activity.map(Span::seconds),
            seen_from: self.seen_from,
            late_by: (self.seen_from == Some(SeenFrom::Receiver)).then(|| age.seconds()),
            needed: verdicts.and_then(|verdicts| of_all(&verdicts)),
            time: packet.abstime,
        };
        Some((first.row, reinjection))
    }
}

/// Needed where some of it was, not needed where nothing was.
fn of_all(verdicts: &[Option<bool>]) -> Option<bool> {
    if verdicts.contains(&Some(true)) {
        Some(true)
    } else {
        verdicts.iter().all(|verdict| *verdict == Some(false)).then_some(false)
    }
}

fn totals(
    connection: &Connection,
    towards: Role,
    seen_from: Option<SeenFrom>,
    direction: &Direction,
) -> DirectionTotals {
    DirectionTotals {
        towards,
        seen_from,
        reinjected_bytes: direction.subflows.iter().map(|volume| volume.reinjected).sum(),
        reinjected_packets: direction.subflows.iter().map(|volume| volume.reinjected_packets).sum(),
        reinjections: pairs(connection, direction),
        resent_same_subflow: resent(connection, direction),
        merged_repeats: direction.merged_repeats,
    }
}

/// Same-subflow re-sends by subflow, those without any left out.
fn resent(connection: &Connection, direction: &Direction) -> Vec<Resent> {
    let mut by_subflow: Vec<Resent> =
        connection.subflows.iter().map(|stream| Resent { tcpstream: *stream, bytes: 0, packets: 0 }).collect();
    let repeats: Vec<&Repeat> = direction.repeats.iter().filter(|r| r.kind == RepeatKind::SameSubflow).collect();
    for of_packet in interruptible(repeats.chunk_by(|one, other| one.row == other.row)) {
        if let Some(resent) = of_packet.first().and_then(|repeat| by_subflow.get_mut(repeat.subflow)) {
            resent.packets += 1;
            resent.bytes += of_packet.iter().map(|repeat| repeat.length).sum::<u64>();
        }
    }
    by_subflow.retain(|resent| resent.packets > 0);
    by_subflow
}
