//! Events as messages: one per packet, with a text for its arrow.

use std::collections::{BTreeMap, HashSet};

use mptcp_trace::analysis::events::{Event, EventKind};
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
    pub kind: EventKind,
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
        EventKind::MpJoin => packet.and_then(Segment::join).map_or_else(|| name.to_string(), join),
        EventKind::MpPrio => {
            let prio = packet.and_then(|packet| packet.control()?.prio);
            let backup = prio.map_or("", |prio| if prio.backup { " backup" } else { " no backup" });
            format!("{name}{backup}")
        }
        EventKind::Reset => {
            let reason = detail.split_once(": ").map(|(_, reason)| reason);
            reason.map_or_else(|| name.to_string(), |reason| format!("{name}: {reason}"))
        }
        EventKind::Established => format!("{name} ACK, {detail}"),
        EventKind::JoinEstablished | EventKind::JoinUnanswered => detail.to_string(),
        EventKind::MpFail | EventKind::InfiniteMapping => format!("{name}: {detail}"),
        EventKind::DataFin
        | EventKind::Fin
        | EventKind::MpFastclose
        | EventKind::MptcpDeclined
        | EventKind::OptionMalformed
        | EventKind::SubflowOptionsRemoved
        | EventKind::KeysChanged
        | EventKind::FastcloseKeyInvalid
        | EventKind::ChecksumMissing
        | EventKind::AddressIdReused
        | EventKind::MpPrioInvalid
        | EventKind::ResetTtlDiffers
        | EventKind::MptcpMirrored
        | EventKind::JoinRefused
        | EventKind::JoinOptionMissing
        | EventKind::JoinHmacInvalid
        | EventKind::ZeroWindow
        | EventKind::WindowOpen
        | EventKind::ResetIgnored
        | EventKind::FinIgnored
        | EventKind::ChallengeAck
        | EventKind::TcpFastOpen
        | EventKind::Fallback => name.to_string(),
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
fn name(kind: EventKind) -> Option<&'static str> {
    Some(match kind {
        EventKind::MpCapable | EventKind::Established => "MP_CAPABLE",
        EventKind::MptcpDeclined => "no MP_CAPABLE",
        EventKind::MptcpMirrored => "MP_CAPABLE mirrored",
        EventKind::MpJoin | EventKind::JoinEstablished | EventKind::JoinUnanswered => "MP_JOIN",
        EventKind::JoinRefused => "join refused",
        EventKind::JoinOptionMissing => "no MP_JOIN",
        EventKind::JoinHmacInvalid => "HMAC invalid",
        EventKind::AddAddr => "ADD_ADDR",
        EventKind::AddAddrEcho => "ADD_ADDR echo",
        EventKind::RemoveAddr => "REMOVE_ADDR",
        EventKind::MpPrio => "MP_PRIO",
        EventKind::MpFail => "MP_FAIL",
        EventKind::OptionMalformed => "option malformed",
        EventKind::SubflowOptionsRemoved => "options removed",
        EventKind::KeysChanged => "keys changed",
        EventKind::FastcloseKeyInvalid => "MP_FASTCLOSE, wrong key",
        EventKind::ChecksumMissing => "checksum missing",
        EventKind::AddressIdReused => "address id reused",
        EventKind::MpPrioInvalid => "MP_PRIO invalid",
        EventKind::InfiniteMapping => "infinite mapping",
        EventKind::Fallback => "fallback",
        EventKind::DataFin => "DATA_FIN",
        EventKind::Fin => "FIN",
        EventKind::MpFastclose => "MP_FASTCLOSE",
        EventKind::Reset => "RST",
        EventKind::ResetTtlDiffers => "RST, other TTL",
        EventKind::ZeroWindow => "window shut",
        EventKind::WindowOpen => "window open",
        EventKind::ResetIgnored => "RST ignored",
        EventKind::FinIgnored => "FIN ignored",
        EventKind::ChallengeAck => "challenge ACK",
        EventKind::TcpFastOpen => "Fast Open",
        EventKind::SubflowStale | EventKind::ChecksumFailure | EventKind::EmptyMapping | EventKind::Duplicate => {
            return None;
        }
    })
}

/// How soon a message is left out when there are too many: the higher, the sooner.
fn dispensable(kind: EventKind) -> u8 {
    match kind {
        EventKind::Fin | EventKind::AddAddrEcho | EventKind::ZeroWindow | EventKind::WindowOpen => 2,
        EventKind::MpJoin | EventKind::AddAddr | EventKind::TcpFastOpen => 1,
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

    fn event(row: PacketRow, event: EventKind, detail: &str) -> Event {
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
            event(PacketRow(3), EventKind::Established, "version 1"),
            event(PacketRow(3), EventKind::JoinEstablished, "HMAC valid"),
            event(PacketRow(4), EventKind::SubflowStale, "nothing acknowledged from 1.000 s to the end"),
            event(PacketRow(5), EventKind::MpFastclose, "the server aborts the connection"),
            event(PacketRow(5), EventKind::Reset, "the server resets the subflow: unspecified"),
            event(PacketRow(6), EventKind::Reset, "the server resets the subflow"),
            event(PacketRow(7), EventKind::DataFin, "the client has no more data"),
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
            event(PacketRow(0), EventKind::MpCapable, "SYN, version 1"),
            event(PacketRow(1), EventKind::MpJoin, "SYN from address id 1"),
            event(PacketRow(2), EventKind::MpJoin, "SYN from address id 2"),
            event(PacketRow(3), EventKind::Fin, "the client closes its side of the subflow"),
            event(PacketRow(4), EventKind::Reset, "the client resets the subflow"),
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
