//! Each ADD_ADDR, echo and REMOVE_ADDR of a connection, as values instead of sentences.

use std::collections::HashMap;
use std::net::IpAddr;

use serde::Serialize;

use super::addresses::advertisements;
use crate::interrupt::interruptible;
use crate::tracking::authentication::HmacVerdict;
use crate::tracking::travelling::{Travelling, signals};
use crate::tracking::{Capture, Connection, Role};
use crate::{PacketRow, StreamId};

/// What a signal does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// ADD_ADDR advertises an address (RFC 8684 §3.4.1).
    Add,
    /// ADD_ADDR with the echo flag confirms one.
    Echo,
    /// REMOVE_ADDR withdraws an address id (RFC 8684 §3.4.2).
    Remove,
}

/// One address id in one option of one packet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AddressSignal {
    /// The packet.
    pub packetid: u64,
    /// Seconds since the first frame of the file.
    pub reltime: f64,
    /// Its TCP stream.
    pub tcpstream: StreamId,
    /// The end of the connection that sent it.
    pub sender: Role,
    /// What it does.
    pub action: Action,
    /// Address id.
    pub addrid: u8,
    /// The address; `None` for REMOVE_ADDR, and where it was cut.
    pub ip: Option<IpAddr>,
    /// The port, where one is given.
    pub port: Option<u16>,
    /// Verdict on the HMAC of ADD_ADDR; `None` without an HMAC.
    pub hmac: Option<HmacVerdict>,
}

/// The signals of a connection, in the order of the file.
#[must_use]
pub fn address_signals(capture: &Capture, connection: &Connection) -> Vec<AddressSignal> {
    let mut found = Vec::new();
    let mut rows: Vec<(PacketRow, usize)> = Vec::new();
    for packet in interruptible(signals(&capture.segments, &capture.tracking, connection)) {
        let Some(control) = &packet.segment.control() else { continue };
        if let Some(option) = &control.add_addr {
            if option.hmac.is_some() {
                rows.push((packet.row, found.len()));
            }
            let action = if option.echo { Action::Echo } else { Action::Add };
            let signal = signal(capture, &packet, action, option.address_id);
            found.push(AddressSignal { ip: option.address, port: option.port, ..signal });
        }
        for id in control.remove_addr.iter().flatten() {
            found.push(signal(capture, &packet, Action::Remove, *id));
        }
    }
    if !rows.is_empty() {
        let advertised = advertisements(capture, connection);
        let rows_of = advertised.iter().flat_map(|one| one.rows.iter().map(|row| (*row, one.verdict)));
        let verdicts: HashMap<PacketRow, HmacVerdict> = rows_of.collect();
        for (row, index) in interruptible(rows) {
            if let Some(signal) = found.get_mut(index) {
                signal.hmac = verdicts.get(&row).copied();
            }
        }
    }
    found
}

fn signal(capture: &Capture, packet: &Travelling<'_>, action: Action, addrid: u8) -> AddressSignal {
    AddressSignal {
        packetid: packet.segment.packetid(),
        reltime: (packet.segment.abstime - capture.origin()).seconds(),
        tcpstream: packet.stream,
        sender: packet.towards.other(),
        action,
        addrid,
        ip: None,
        port: None,
        hmac: None,
    }
}
