//! Which packets sent data that had gone over another subflow before?

use serde::Serialize;

use super::hexadecimal_u64;
use super::mptcp_summary::{ReinjectionPair, pairs};
use crate::packets::segment::Segment;
use crate::tracking::data::{Direction, Kind, Repeat, data_level};
use crate::tracking::{Capture, Connection, Role};

/// A packet that reinjected data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reinjection {
    /// The packet.
    pub packetid: u64,
    /// Its TCP stream.
    pub tcpstream: u32,
    /// The end of the connection that it travels towards.
    pub towards: Role,
    /// First reinjected octet, from the sender's IDSN; `None` without the sender's key.
    pub dsn: Option<u64>,
    /// First reinjected octet, all 64 bits; `None` where the high half is not known.
    #[serde(serialize_with = "hexadecimal_u64")]
    pub dsnraw64: Option<u64>,
    /// Reinjected octets in this packet.
    pub length: u64,
    /// The packets that sent them first, on other subflows.
    pub of: Vec<Original>,
    /// When the packet was recorded, nanoseconds since 1970.
    #[serde(skip)]
    pub time: i64,
    /// How long before that the first of the data had been sent first, nanoseconds.
    #[serde(skip)]
    pub age: i64,
}

/// A packet whose data was sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Original {
    /// The packet.
    pub packetid: u64,
    /// Its TCP stream.
    pub tcpstream: u32,
}

/// Totals of one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReinjectionSummary {
    /// Wireshark's `mptcp.stream`.
    pub mptcpstream: u32,
    /// Towards the server, then towards the client.
    pub directions: Vec<DirectionTotals>,
}

/// Totals of one direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DirectionTotals {
    /// Which.
    pub towards: Role,
    /// Reinjected octets.
    pub reinjected_bytes: u64,
    /// Packets that carried such octets.
    pub reinjected_packets: u64,
    /// The same by the subflow that sent the data first and the one that sent it again. A packet that repeats several
    /// subflows counts for each.
    pub reinjections: Vec<ReinjectionPair>,
    /// Data sent again on the subflow that had sent it before, under new sequence numbers: no reinjection.
    pub resent_same_subflow: Vec<Resent>,
}

/// What one subflow sent again of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Resent {
    /// The subflow's TCP stream.
    pub tcpstream: u32,
    /// Octets.
    pub bytes: u64,
    /// Packets that carried such octets.
    pub packets: u64,
}

/// The reinjections of a connection in the order of the file; only those towards `towards`, if given.
#[must_use]
pub fn reinjections(capture: &Capture, connection: &Connection, towards: Option<Role>) -> Vec<Reinjection> {
    let level = data_level(&capture.segments, &capture.tracking, connection);
    let mut found: Vec<(u32, Reinjection)> = Vec::new();
    for role in Role::BOTH.into_iter().filter(|role| towards.is_none_or(|wanted| wanted == *role)) {
        let direction = level.directions.get(role);
        let repeats: Vec<&Repeat> = direction.repeats.iter().filter(|r| r.kind == Kind::Reinjection).collect();
        for of_packet in repeats.chunk_by(|one, other| one.row == other.row) {
            found.extend(record(&capture.segments, connection, role, direction, of_packet));
        }
    }
    found.sort_by_key(|(row, _)| *row);
    found.into_iter().map(|(_, reinjection)| reinjection).collect()
}

/// The record of one packet, from its ranges, after its row.
fn record(
    segments: &[Segment],
    connection: &Connection,
    towards: Role,
    direction: &Direction,
    ranges: &[&Repeat],
) -> Option<(u32, Reinjection)> {
    let packetid = |row: u32| segments.get(row as usize).map(|segment| segment.packetid);
    let time = |row: u32| segments.get(row as usize).map(|segment| segment.abstime);
    let first = ranges.first()?;
    let dsn = ranges.iter().map(|range| range.dsn).min()?;
    let mut of: Vec<Original> = Vec::new();
    for range in ranges {
        let original = Original {
            packetid: packetid(range.original_row)?,
            tcpstream: *connection.subflows.get(range.original_subflow)?,
        };
        // Neighbouring ranges of one original come one after the other.
        if of.last() != Some(&original) {
            of.push(original);
        }
    }
    of.sort_by_key(|original| original.packetid);
    of.dedup();
    let sent = time(first.row)?;
    let sent_first = ranges.iter().filter_map(|range| time(range.original_row)).min()?;
    let reinjection = Reinjection {
        packetid: packetid(first.row)?,
        tcpstream: *connection.subflows.get(first.subflow)?,
        towards,
        dsn: direction.numbers.relative(dsn),
        dsnraw64: direction.numbers.real(dsn),
        length: ranges.iter().map(|range| range.length).sum(),
        of,
        time: sent,
        age: sent.saturating_sub(sent_first),
    };
    Some((first.row, reinjection))
}

/// Totals of a connection's reinjections; only those towards `towards`, if given.
#[must_use]
pub fn reinjection_summary(capture: &Capture, connection: &Connection, towards: Option<Role>) -> ReinjectionSummary {
    let level = data_level(&capture.segments, &capture.tracking, connection);
    let roles = Role::BOTH.into_iter().filter(|role| towards.is_none_or(|wanted| wanted == *role));
    let directions = roles.map(|role| totals(connection, role, level.directions.get(role)));
    ReinjectionSummary { mptcpstream: connection.id, directions: directions.collect() }
}

fn totals(connection: &Connection, towards: Role, direction: &Direction) -> DirectionTotals {
    DirectionTotals {
        towards,
        reinjected_bytes: direction.subflows.iter().map(|volume| volume.reinjected).sum(),
        reinjected_packets: direction.subflows.iter().map(|volume| volume.reinjected_packets).sum(),
        reinjections: pairs(connection, direction),
        resent_same_subflow: resent(connection, direction),
    }
}

/// Same-subflow re-sends by subflow, those without any left out.
fn resent(connection: &Connection, direction: &Direction) -> Vec<Resent> {
    let mut by_subflow: Vec<Resent> =
        connection.subflows.iter().map(|stream| Resent { tcpstream: *stream, bytes: 0, packets: 0 }).collect();
    let repeats: Vec<&Repeat> = direction.repeats.iter().filter(|r| r.kind == Kind::SameSubflow).collect();
    for of_packet in repeats.chunk_by(|one, other| one.row == other.row) {
        if let Some(resent) = of_packet.first().and_then(|repeat| by_subflow.get_mut(repeat.subflow)) {
            resent.packets += 1;
            resent.bytes += of_packet.iter().map(|repeat| repeat.length).sum::<u64>();
        }
    }
    by_subflow.retain(|resent| resent.packets > 0);
    by_subflow
}
