//! Which addresses did the ends advertise and withdraw, and what came of it?

use std::net::IpAddr;

use crate::packets::segment::AddAddr;
use crate::tracking::authentication::{Verdict, verify_add_addr};
use crate::tracking::travelling::{Travelling, in_file_order};
use crate::tracking::{Capture, Connection, Role, SubflowKind};

/// One advertisement, copies of it put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advertisement {
    /// What was advertised.
    pub option: AddAddr,
    /// Who advertised it.
    pub by: Role,
    /// Rows of the ADD_ADDR and its copies.
    pub rows: Vec<u32>,
    /// The TCP stream of the first.
    pub tcpstream: u32,
    /// Row of the first echo.
    pub echo: Option<u32>,
    /// Verdict on its HMAC (RFC 8684 §3.4.1); version 0 has none.
    pub verdict: Verdict,
    /// Streams that were opened to the address.
    pub joined: Vec<u32>,
    /// Row of the REMOVE_ADDR that withdrew it.
    pub removed: Option<u32>,
}

/// The advertisements of a connection, in the order of their first packet.
#[must_use]
pub fn advertisements(capture: &Capture, connection: &Connection) -> Vec<Advertisement> {
    let mut found: Vec<Advertisement> = Vec::new();
    for packet in in_file_order(&capture.segments, &capture.tracking, connection) {
        let Some(control) = &packet.segment.control else { continue };
        if let Some(option) = &control.add_addr {
            if option.echo {
                echo(&mut found, option, &packet)
            } else {
                advertise(&mut found, option, &packet, connection)
            }
        }
        for id in control.remove_addr.iter().flatten() {
            let by = packet.towards.other();
            let known =
                found.iter_mut().rev().find(|a| a.by == by && a.option.address_id == *id && a.removed.is_none());
            if let Some(advertisement) = known {
                advertisement.removed = Some(packet.row);
            }
        }
    }
    for advertisement in &mut found {
        advertisement.joined = joined(capture, connection, advertisement);
    }
    found
}

fn advertise(found: &mut Vec<Advertisement>, option: &AddAddr, packet: &Travelling<'_>, connection: &Connection) {
    let by = packet.towards.other();
    let copy = found.iter_mut().find(|a| a.by == by && same(&a.option, option) && a.removed.is_none());
    if let Some(first) = copy {
        first.rows.push(packet.row);
        return;
    }
    found.push(Advertisement {
        option: option.clone(),
        by,
        rows: vec![packet.row],
        tcpstream: packet.stream,
        echo: None,
        verdict: verify_add_addr(connection, by, option),
        joined: Vec::new(),
        removed: None,
    });
}

fn echo(found: &mut [Advertisement], option: &AddAddr, packet: &Travelling<'_>) {
    let by = packet.towards;
    let wanted = found.iter_mut().find(|a| a.by == by && same(&a.option, option) && a.echo.is_none());
    if let Some(advertisement) = wanted {
        advertisement.echo = Some(packet.row);
    }
}

/// The same address under the same id: an echo and a copy repeat these, not the HMAC.
fn same(one: &AddAddr, other: &AddAddr) -> bool {
    one.address_id == other.address_id && one.address == other.address && one.port == other.port
}

/// Streams of the connection that were opened to the advertised address after it was advertised.
fn joined(capture: &Capture, connection: &Connection, advertisement: &Advertisement) -> Vec<u32> {
    let Some(address) = advertisement.option.address else { return Vec::new() };
    let first = advertisement.rows.first().copied().unwrap_or(0);
    let is_to = |id: &&u32| {
        let (Some(subflow), Some(stream)) = (capture.tracking.subflow(**id), capture.tracking.stream(**id)) else {
            return false;
        };
        let to: (IpAddr, u16) = (stream.server.address, stream.server.port);
        let port = advertisement.option.port.is_none_or(|port| port == to.1);
        let later = stream.packets.first().is_some_and(|row| *row > first);
        let joins = matches!(subflow.kind, SubflowKind::Join(_)) && subflow.opened_towards == advertisement.by;
        joins && later && to.0 == address && port
    };
    connection.subflows.iter().filter(is_to).copied().collect()
}
