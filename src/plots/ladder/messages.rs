//! Events as messages: one per packet, with a text for its arrow.

use std::collections::{BTreeMap, HashSet};

use mptcp_trace::analysis::events::{Event, Kind};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::packets::segment::{Join, Segment};
use mptcp_trace::tracking::Role;
use mptcp_trace::{PacketRow, StreamId};

/// A packet that tells the other end something.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Row of the packet.
    pub row: PacketRow,
    /// Seconds from the first frame of the file.
    pub reltime: f64,
    /// Its TCP stream.
    pub tcpstream: StreamId,
    /// The end of the connection that it travels towards.
    pub towards: Role,
    /// The first of its events.
    pub kind: Kind,
    /// Text at its arrow.
    pub text: String,
}

/// The messages in `events`, which come in the order of the file: all events of a packet are one.
pub fn messages(segments: &[Segment], events: &[Event]) -> Vec<Message> {
    let mut found: Vec<Message> = Vec::new();
    for event in interruptible(events) {
        let Some(text) = text(event, segments.get(event.row.index())) else { continue };
        match found.last_mut() {
            Some(message) if message.row == event.row => {
                message.text.push_str(", ");
                message.text.push_str(&text);
            }
            _ => found.push(Message {
                row: event.row,
                reltime: event.reltime,
                tcpstream: event.tcpstream,
                towards: event.towards,
                kind: event.event,
                text,
            }),
        }
    }
    found
}

/// Text at the arrow of an event in this packet; `None` for those that are not messages. Arrows are short: fewer
/// words than in the event's particulars.
fn text(event: &Event, packet: Option<&Segment>) -> Option<String> {
    let name = name(event.event)?;
    let detail = event.detail.as_str();
    Some(match event.event {
        Kind::MpJoin => packet.and_then(Segment::join).map_or_else(|| name.to_string(), join),
        Kind::MpPrio => {
            let prio = packet.and_then(|packet| packet.control.as_ref()?.prio);
            let backup = prio.map_or("", |prio| if prio.backup { " backup" } else { " no backup" });
            format!("{name}{backup}")
        }
        Kind::Reset => {
            let reason = detail.split_once(": ").map(|(_, reason)| reason);
            reason.map_or_else(|| name.to_string(), |reason| format!("{name}: {reason}"))
        }
        Kind::Established => format!("{name} ACK, {detail}"),
        Kind::JoinEstablished | Kind::JoinUnanswered => detail.to_string(),
        Kind::MpFail | Kind::InfiniteMapping => format!("{name}: {detail}"),
        Kind::DataFin
        | Kind::Fin
        | Kind::MpFastclose
        | Kind::MptcpDeclined
        | Kind::OptionMalformed
        | Kind::SubflowOptionsRemoved
        | Kind::KeysChanged
        | Kind::FastcloseKeyInvalid
        | Kind::ChecksumMissing
        | Kind::AddressIdReused
        | Kind::MpPrioInvalid
        | Kind::ResetTtlDiffers
        | Kind::MptcpMirrored
        | Kind::JoinRefused
        | Kind::JoinOptionMissing
        | Kind::JoinHmacInvalid
        | Kind::ZeroWindow
        | Kind::WindowOpen
        | Kind::ResetIgnored
        | Kind::FinIgnored
        | Kind::ChallengeAck
        | Kind::TcpFastOpen
        | Kind::Fallback => name.to_string(),
        _ => format!("{name} {detail}"),
    })
}

fn join(join: &Join) -> String {
    let backup = |backup: bool| if backup { ", backup" } else { "" };
    match join {
        Join::Syn { address_id, backup: b, .. } => format!("MP_JOIN SYN, id {address_id}{}", backup(*b)),
        Join::SynAck { address_id, backup: b, .. } => format!("MP_JOIN SYN/ACK, id {address_id}{}", backup(*b)),
        Join::Ack { .. } => "MP_JOIN ACK".to_string(),
    }
}

/// Name of an event; `None` for those that are not messages.
fn name(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::MpCapable | Kind::Established => "MP_CAPABLE",
        Kind::MptcpDeclined => "no MP_CAPABLE",
        Kind::MptcpMirrored => "MP_CAPABLE mirrored",
        Kind::MpJoin | Kind::JoinEstablished | Kind::JoinUnanswered => "MP_JOIN",
        Kind::JoinRefused => "join refused",
        Kind::JoinOptionMissing => "no MP_JOIN",
        Kind::JoinHmacInvalid => "HMAC invalid",
        Kind::AddAddr => "ADD_ADDR",
        Kind::AddAddrEcho => "ADD_ADDR echo",
        Kind::RemoveAddr => "REMOVE_ADDR",
        Kind::MpPrio => "MP_PRIO",
        Kind::MpFail => "MP_FAIL",
        Kind::OptionMalformed => "option malformed",
        Kind::SubflowOptionsRemoved => "options removed",
        Kind::KeysChanged => "keys changed",
        Kind::FastcloseKeyInvalid => "MP_FASTCLOSE, wrong key",
        Kind::ChecksumMissing => "checksum missing",
        Kind::AddressIdReused => "address id reused",
        Kind::MpPrioInvalid => "MP_PRIO invalid",
        Kind::InfiniteMapping => "infinite mapping",
        Kind::Fallback => "fallback",
        Kind::DataFin => "DATA_FIN",
        Kind::Fin => "FIN",
        Kind::MpFastclose => "MP_FASTCLOSE",
        Kind::Reset => "RST",
        Kind::ResetTtlDiffers => "RST, other TTL",
        Kind::ZeroWindow => "window shut",
        Kind::WindowOpen => "window open",
        Kind::ResetIgnored => "RST ignored",
        Kind::FinIgnored => "FIN ignored",
        Kind::ChallengeAck => "challenge ACK",
        Kind::TcpFastOpen => "Fast Open",
        Kind::SubflowStale | Kind::ChecksumFailure | Kind::EmptyMapping | Kind::Duplicate => return None,
    })
}

/// How soon a message is left out when there are too many: the higher, the sooner.
fn dispensable(kind: Kind) -> u8 {
    match kind {
        Kind::Fin | Kind::AddAddrEcho | Kind::ZeroWindow | Kind::WindowOpen => 2,
        Kind::MpJoin | Kind::AddAddr | Kind::TcpFastOpen => 1,
        _ => 0,
    }
}

/// At most `most` of `messages`, the most telling ones, in their order; of equal ones the earliest.
pub fn most_telling(messages: &[Message], most: usize) -> Vec<&Message> {
    let mut chosen: Vec<&Message> = messages.iter().collect();
    // Stable: the order within a kind stays.
    chosen.sort_by_key(|message| dispensable(message.kind));
    chosen.truncate(most);
    chosen.sort_by_key(|message| message.row);
    chosen
}

/// Difference between `all` and `shown`, by name; `None` if there is none.
pub fn left_out(all: &[Message], shown: &[&Message]) -> Option<String> {
    let shown: HashSet<PacketRow> = shown.iter().map(|message| message.row).collect();
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for message in interruptible(all.iter().filter(|message| !shown.contains(&message.row))) {
        *counts.entry(name(message.kind).unwrap_or("others")).or_default() += 1;
    }
    let parts: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(row: PacketRow, event: Kind, detail: &str) -> Event {
        Event {
            packetid: u64::from(row) + 1,
            reltime: f64::from(row.0),
            tcpstream: StreamId(0),
            towards: Role::Server,
            event,
            detail: detail.to_string(),
            row,
        }
    }

    #[test]
    fn events_of_one_packet_are_one_message() {
        let events = [
            event(PacketRow(3), Kind::Established, "version 1"),
            event(PacketRow(3), Kind::JoinEstablished, "HMAC valid"),
            event(PacketRow(4), Kind::SubflowStale, "nothing acknowledged from 1.000 s to the end"),
            event(PacketRow(5), Kind::MpFastclose, "the server aborts the connection"),
            event(PacketRow(5), Kind::Reset, "the server resets the subflow: unspecified"),
            event(PacketRow(6), Kind::Reset, "the server resets the subflow"),
            event(PacketRow(7), Kind::DataFin, "the client has no more data"),
        ];
        let texts: Vec<String> = messages(&[], &events).into_iter().map(|message| message.text).collect();
        assert_eq!(
            texts,
            ["MP_CAPABLE ACK, version 1, HMAC valid", "MP_FASTCLOSE, RST: unspecified", "RST", "DATA_FIN"]
        );
    }

    #[test]
    fn joins_say_their_address_and_whether_they_are_backups() {
        let syn = Join::Syn { backup: true, address_id: 2, token: None, nonce: None };
        assert_eq!(join(&syn), "MP_JOIN SYN, id 2, backup");
        let answer = Join::SynAck { backup: false, address_id: 0, truncated_hmac: None, nonce: None };
        assert_eq!(join(&answer), "MP_JOIN SYN/ACK, id 0");
    }

    #[test]
    fn what_says_least_is_left_out_first() {
        let events = [
            event(PacketRow(0), Kind::MpCapable, "SYN, version 1"),
            event(PacketRow(1), Kind::MpJoin, "SYN from address id 1"),
            event(PacketRow(2), Kind::MpJoin, "SYN from address id 2"),
            event(PacketRow(3), Kind::Fin, "the client closes its side of the subflow"),
            event(PacketRow(4), Kind::Reset, "the client resets the subflow"),
        ];
        let all = messages(&[], &events);
        let rows = |most| most_telling(&all, most).iter().map(|message| message.row).collect::<Vec<_>>();
        assert_eq!(rows(9), [0, 1, 2, 3, 4].map(PacketRow));
        assert_eq!(rows(4), [0, 1, 2, 4].map(PacketRow));
        assert_eq!(rows(3), [0, 1, 4].map(PacketRow));
        assert_eq!(rows(1), [0].map(PacketRow));
        assert_eq!(left_out(&all, &most_telling(&all, 3)).as_deref(), Some("1 FIN, 1 MP_JOIN"));
        assert_eq!(left_out(&all, &most_telling(&all, 5)), None);
    }
}
