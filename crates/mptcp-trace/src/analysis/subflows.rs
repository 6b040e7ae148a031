//! Which subflows does a connection have, and what became of each?

use std::net::IpAddr;

use serde::Serialize;

use super::availability::availability;
use super::joins::joins;
use super::joins::{JoinOutcome, attempt};
use crate::interrupt::interruptible;
use crate::packets::segment::{Segment, flag};
use crate::tracking::authentication::{HmacVerdict, Lack, verify_join};
use crate::tracking::travelling::signals;
use crate::tracking::{Capture, Connection, JoinedBy, Role, Stream, SubflowKind};
use crate::{ConnectionId, Instant, StreamId};

/// Origin of a subflow in its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OpenedWith {
    /// With MP_CAPABLE.
    Initial,
    /// With MP_JOIN.
    Join,
}

/// State that a subflow reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SubflowState {
    /// A SYN, no answer captured.
    SynSent,
    /// A SYN answered by SYN/ACK, no third packet captured.
    SynReceived,
    /// A RST ended its handshake: in answer to the SYN, and for a join in answer to the SYN/ACK or the ACK, too (RFC 8684
    /// §3.2).
    Refused,
    /// The handshake was completed, or data was seen where it was not captured.
    Established,
    /// Ended by a RST.
    Reset,
    /// Both ends sent a FIN.
    Closed,
}

/// One subflow.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SubflowRecord {
    /// Wireshark's `tcp.stream`.
    pub tcpstream: StreamId,
    /// `initial` or `join`; `None` when its handshake was not captured.
    pub kind: Option<OpenedWith>,
    /// Address of the end that opened it.
    pub client_ip: IpAddr,
    /// Its port.
    pub client_port: u16,
    /// Address of the end that accepted it.
    pub server_ip: IpAddr,
    /// Its port.
    pub server_port: u16,
    /// Label of the first address ([`crate::AddressLabels`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_client: Option<String>,
    /// Label of the other one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_server: Option<String>,
    /// End of the *connection* that the subflow was opened towards.
    pub mptcpdest: Role,
    /// Address id of the end that opened it; 0 for the initial subflow.
    pub addrid: Option<u8>,
    /// Whether it was opened as a backup by either end; `None` when its handshake was not captured.
    pub backup: Option<bool>,
    /// Whether it was one in the end, after all MP_PRIO; `None` where neither its handshake nor MP_PRIO was captured.
    pub backup_at_end: Option<bool>,
    /// Interface of its first packet.
    pub interface: Option<String>,
    /// State that it reached.
    pub state: SubflowState,
    /// Verdict on the HMACs of MP_JOIN; `None` for others.
    pub hmac: Option<HmacVerdict>,
    /// The missing value if that is `unverifiable`.
    pub hmac_lacks: Option<Lack>,
    /// Evidence that it belongs to the connection; `None` where the capture has its packets alone to tell by.
    pub joined_by: Option<JoinedBy>,
    /// Wireshark's `mptcp.stream`: another number than the connection's where data sequence numbers put it there.
    pub mptcpstream_wireshark: ConnectionId,
}

/// The subflows of a connection, in order of their streams.
#[must_use]
pub fn subflows(capture: &Capture, connection: &Connection) -> Vec<SubflowRecord> {
    let streams = connection.subflows.iter().filter_map(|id| capture.tracking.stream(*id));
    let mut records: Vec<SubflowRecord> = streams.filter_map(|stream| record(capture, connection, stream)).collect();
    let has_prio = |id: &StreamId| capture.tracking.subflow(*id).is_some_and(|subflow| subflow.has_prio);
    if connection.subflows.iter().any(has_prio) {
        let packets = signals(&capture.segments, &capture.tracking, connection);
        for own in interruptible(availability(capture, connection, &joins(capture, connection), &packets)) {
            let at = records.binary_search_by_key(&own.tcpstream, |record| record.tcpstream);
            if let Some(record) = at.ok().and_then(|at| records.get_mut(at)).filter(|_| own.is_changed(Instant::MAX)) {
                record.backup_at_end = Some(own.is_backup(Instant::MAX));
            }
        }
    }
    records
}

fn record(capture: &Capture, connection: &Connection, stream: &Stream) -> Option<SubflowRecord> {
    let subflow = capture.tracking.subflow(stream.id)?;
    let mut hmac_lacks = None;
    let (kind, addrid, backup, hmac) = match &subflow.kind {
        SubflowKind::Initial => (Some(OpenedWith::Initial), Some(0), Some(false), None),
        SubflowKind::Join(join) => {
            let backup = match (join.backup.client, join.backup.server) {
                (None, None) => None,
                (client, server) => Some(client.unwrap_or(false) || server.unwrap_or(false)),
            };
            let verdict = verify_join(connection, subflow, join);
            hmac_lacks = verdict.lacks;
            let verdict = verdict.overall();
            (Some(OpenedWith::Join), join.address_ids.client, backup, Some(verdict))
        }
        SubflowKind::Unknown => (None, None, None, None),
    };
    Some(SubflowRecord {
        tcpstream: stream.id,
        kind,
        client_ip: stream.client.address,
        client_port: stream.client.port,
        server_ip: stream.server.address,
        server_port: stream.server.port,
        path_client: capture.address_labels.of(stream.client.address).map(str::to_string),
        path_server: capture.address_labels.of(stream.server.address).map(str::to_string),
        mptcpdest: subflow.opened_towards,
        addrid,
        backup,
        backup_at_end: backup,
        interface: interface(capture, stream),
        state: state(capture, connection, stream),
        hmac,
        hmac_lacks,
        joined_by: subflow.joined_by,
        mptcpstream_wireshark: subflow.wireshark,
    })
}

fn interface(capture: &Capture, stream: &Stream) -> Option<String> {
    capture.frames.interface(*stream.packets.first()?).map(str::to_string)
}

fn state(capture: &Capture, connection: &Connection, stream: &Stream) -> SubflowState {
    let ends = &stream.ends;
    let segments = || stream.packets.iter().filter_map(|row| capture.segments.get(row.index()));
    let reset = ends.client.reset || ends.server.reset;
    if stream.syn.is_some() && stream.syn_ack.is_none() && !carries_data(segments()) {
        return if ends.server.reset { SubflowState::Refused } else { SubflowState::SynSent };
    }
    if reset {
        let join = attempt(capture, connection, stream);
        let refused =
            join.is_some_and(|join| matches!(join.outcome, JoinOutcome::Refused | JoinOutcome::OptionMissing));
        return if refused { SubflowState::Refused } else { SubflowState::Reset };
    }
    if ends.client.fin && ends.server.fin {
        return SubflowState::Closed;
    }
    if stream.syn_ack.is_some() && stream.third_ack.is_none() && !carries_data(segments()) {
        return SubflowState::SynReceived;
    }
    SubflowState::Established
}

fn carries_data<'a>(mut segments: impl Iterator<Item = &'a Segment>) -> bool {
    segments.any(|segment| !segment.has(flag::SYN) && segment.payload().is_some_and(|length| length > 0))
}
