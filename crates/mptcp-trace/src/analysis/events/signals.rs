//! Events shown by single packets, and by the joins that they decide: the same for whole and growing captures.

use std::collections::BTreeSet;

use super::EventKind;
use crate::analysis::closing::fast_closes;
use crate::analysis::irregular::{Irregularity, Watch};
use crate::analysis::joins::{JoinAttempt, JoinOutcome, Proof, reason_name};
use crate::packets::segment::{AddAddr, Capable, Control, Dss, Join, Prio, Segment, flag};
use crate::tracking::authentication::{HmacVerdict, Lack, WrongPart};
use crate::tracking::connections::mirrors;
use crate::tracking::{ByRole, Connection, FastOpen, Nature, Role};
use crate::units::counted;

/// Ends of a subflow's directions that were seen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ends {
    /// Sequence number of a SYN with a key in its MP_CAPABLE, and that key: version 0 counts from there.
    asked: Option<(u32, u64)>,
    fins: ByRole<bool>,
    resets: ByRole<Reasons>,
    ignored_fins: ByRole<bool>,
    ignored_resets: ByRole<bool>,
    challenged: ByRole<bool>,
}

/// Reasons that RSTs gave, a bit each; the highest one stands for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Reasons(u64);

impl Reasons {
    /// True the first time that this reason comes, and the first time of all. A RST that gives no reason repeats one that
    /// did.
    fn is_new(&mut self, reason: Option<u8>) -> bool {
        let bit = 1_u64 << reason.map_or(63, |code| code.min(62));
        let new = if reason.is_some() { self.0 & bit == 0 } else { self.0 == 0 };
        self.0 |= bit;
        new
    }
}

/// A packet as its events are told.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The packet.
    pub segment: &'a Segment,
    /// Role beyond its flags.
    pub nature: Nature,
    /// Data in the SYN of its stream.
    pub fast_open: Option<FastOpen>,
    /// The end of the connection that it travels towards.
    pub towards: Role,
}

impl Ends {
    /// Tells of a SYN/ACK that does not grant what the SYN of version 0 asked for. With version 1 there is no connection
    /// that it could be told of.
    fn note_handshake(&mut self, segment: &Segment, add: &mut impl FnMut(EventKind, String)) {
        let key = segment.capable().and_then(|capable| capable.sender_key);
        if segment.is_syn() {
            self.asked = self.asked.or(key.map(|key| (segment.sequence, key)));
            return;
        }
        let Some((sequence, asked)) = self.asked else { return };
        // A late answer to an earlier SYN of the same ports tells nothing (as `PacketInStream::answers_the_syn`).
        let beyond = segment.acknowledgement.wrapping_sub(sequence);
        if !(1..=u32::from(u16::MAX)).contains(&beyond) {
            return;
        }
        match segment.capable() {
            None if !segment.options_cut() => {
                add(
                    EventKind::MptcpDeclined,
                    "the SYN/ACK has no MP_CAPABLE: the stream continues as plain TCP".to_string(),
                );
            }
            Some(capable) if mirrors(segment, capable, Some(asked)) => {
                let what = "the SYN/ACK only repeats the client's MP_CAPABLE: the stream continues as plain TCP";
                add(EventKind::MptcpMirrored, what.to_string());
            }
            _ => {}
        }
    }
}

/// What of a connection was seen, where only the first packet of a kind counts.
#[derive(Debug, Clone, Default)]
pub struct OncePerConnection {
    established: bool,
    data_fins: ByRole<bool>,
    infinite: bool,
    watch: Watch,
    /// Irregularities that were told, of those that may come with every packet.
    irregular: BTreeSet<(EventKind, Role)>,
}

impl OncePerConnection {
    /// Tells `add` what the next packet of the connection shows by itself; `ends` is its subflow's, `known` is what is known
    /// of the connection. Advertisements of addresses are left out ([`advertised`]).
    pub fn push(
        &mut self,
        ends: &mut Ends,
        shown: Shown<'_>,
        known: &Connection,
        mut add: impl FnMut(EventKind, String),
    ) {
        let Shown { segment, nature, fast_open, towards } = shown;
        let (watch, told) = (&mut self.watch, &mut self.irregular);
        watch.push(segment, towards, known, |irregularity| {
            let (kind, each) = kind_of(&irregularity);
            let of = if let Irregularity::KeyChanged { of, .. } = irregularity { of } else { towards };
            if each || told.insert((kind, of)) {
                add(kind, irregularity.detail());
            }
        });
        if segment.has(flag::SYN) {
            ends.note_handshake(segment, &mut add);
        }
        if let Some(control) = segment.control() {
            self.options(segment, control, towards, known, &mut add);
        }
        let sender = towards.other().name();
        if let Some(dss) = segment.dss() {
            if dss.has(Dss::DATA_FIN) && first(self.data_fins.get_mut(towards)) {
                add(EventKind::DataFin, format!("the {sender} has no more data"));
            }
            // The infinite mapping comes with data (RFC 8684 §3.7).
            let empty = dss.mapping.is_some_and(|mapping| mapping.length == 0);
            if empty && segment.payload().is_none_or(|length| length > 0) && first(&mut self.infinite) {
                add(EventKind::InfiniteMapping, "length 0".to_string());
            }
        }
        if nature.is_stray() {
            let (kind, seen) = if segment.has(flag::RST) {
                (EventKind::ResetIgnored, ends.ignored_resets.get_mut(towards))
            } else {
                (EventKind::FinIgnored, ends.ignored_fins.get_mut(towards))
            };
            if first(seen) {
                add(kind, ignored(segment, towards));
            }
            return;
        }
        if segment.has(flag::FIN) && first(ends.fins.get_mut(towards)) {
            add(EventKind::Fin, format!("the {sender} closes its side of the subflow"));
        }
        if segment.has(flag::RST) {
            let reset = segment.control().and_then(|control| control.reset);
            let reason = reset.and_then(|reset| reset.reason);
            if ends.resets.get_mut(towards).is_new(reason) {
                let reason = reason.map_or_else(String::new, |code| format!(": {}", reason_name(code)));
                add(EventKind::Reset, format!("the {sender} resets the subflow{reason}"));
            }
        }
        if nature == Nature::ChallengeAck && first(ends.challenged.get_mut(towards)) {
            add(EventKind::ChallengeAck, format!("the {sender} answers a RST that it ignores (RFC 5961)"));
        }
        if let Some(detail) = fast_open.and_then(|fast_open| of_fast_open(segment, fast_open)) {
            add(EventKind::TcpFastOpen, detail);
        }
    }

    fn options(
        &mut self,
        segment: &Segment,
        control: &Control,
        towards: Role,
        known: &Connection,
        add: &mut impl FnMut(EventKind, String),
    ) {
        if let Some(capable) = &control.capable {
            self.capability(segment, capable, add);
        }
        if let Some(join) = &control.join {
            add(EventKind::MpJoin, join_step(join));
        }
        if let Some(echo) = control.add_addr.as_ref().filter(|option| option.echo) {
            let address = echo.address.map_or_else(|| "a truncated address".to_string(), |address| address.to_string());
            add(EventKind::AddAddrEcho, format!("id {}, {address}", echo.address_id));
        }
        if let Some(ids) = &control.remove_addr {
            let ids: Vec<String> = ids.iter().map(u8::to_string).collect();
            add(EventKind::RemoveAddr, format!("id {}", ids.join(", ")));
        }
        // With an address id version 1 has no MP_PRIO: an irregularity.
        if let Some(prio) = control.prio.filter(|prio| prio.address_id.is_none() || known.version != Some(1)) {
            add(EventKind::MpPrio, priority(prio, towards.other()));
        }
        if let Some(dsn) = control.fail {
            add(EventKind::MpFail, format!("checksum failed at DSN 0x{dsn:016x}"));
        }
        // With another key it is an irregularity.
        if fast_closes(segment, towards, known) {
            add(EventKind::MpFastclose, format!("the {} aborts the connection", towards.other().name()));
        }
    }

    fn capability(&mut self, segment: &Segment, capable: &Capable, add: &mut impl FnMut(EventKind, String)) {
        let mut detail = format!("version {}", capable.version);
        if capable.flags & Capable::CHECKSUM_REQUIRED != 0 {
            detail.push_str(", checksums required");
        }
        if capable.flags & Capable::NO_JOIN_HERE != 0 {
            detail.push_str(", no joins to this address");
        }
        if segment.has(flag::SYN) {
            let step = if segment.is_syn_ack() { "SYN/ACK" } else { "SYN" };
            add(EventKind::MpCapable, format!("{step}, {detail}"));
        } else if first(&mut self.established) {
            // Data may repeat the option of the third ACK until it is acknowledged; one line is enough.
            add(EventKind::Established, detail);
        }
    }
}

/// The request of MP_PRIO. An address id names the affected subflows of the sender, instead of the one that carries the
/// option (RFC 6824 §3.3.8).
fn priority(prio: Prio, sender: Role) -> String {
    let becomes = |one: bool| match (prio.backup, one) {
        (true, true) => "becomes a backup",
        (true, false) => "become backups",
        (false, true) => "is no longer a backup",
        (false, false) => "are no longer backups",
    };
    match prio.address_id {
        None => format!("the subflow {}", becomes(true)),
        Some(id) => format!("the subflows of the {}'s address id {id} {}", sender.name(), becomes(false)),
    }
}

/// The event that an irregularity is, and whether each one is told or the first of its direction.
fn kind_of(irregularity: &Irregularity) -> (EventKind, bool) {
    match irregularity {
        Irregularity::Malformed(_) => (EventKind::OptionMalformed, false),
        Irregularity::KeyChanged { .. } => (EventKind::KeysChanged, false),
        Irregularity::FastcloseKey { .. } => (EventKind::FastcloseKeyInvalid, true),
        Irregularity::ChecksumMissing { .. } => (EventKind::ChecksumMissing, false),
        Irregularity::EmptyMapping => (EventKind::EmptyMapping, false),
        Irregularity::AddressIdReused { .. } => (EventKind::AddressIdReused, true),
        Irregularity::PriorityOfId { .. } => (EventKind::MpPrioInvalid, true),
    }
}

/// A RST or FIN without effect.
fn ignored(segment: &Segment, towards: Role) -> String {
    let (receiver, sender) = (towards.name(), towards.other().name());
    let flag = if segment.has(flag::RST) { "RST" } else { "FIN" };
    format!(
        "the {receiver} ignores this {flag} in the name of the {sender}: it is outside the window, or from an earlier \
         use of the ports"
    )
}

/// Data in the SYN, by a SYN or SYN/ACK.
fn of_fast_open(segment: &Segment, fast_open: FastOpen) -> Option<String> {
    if segment.is_syn() {
        let length = segment.payload().filter(|length| *length > 0)?;
        return Some(format!("the SYN carries {} of data", counted(length, "byte")));
    }
    let sent = fast_open.sent;
    let accepted = fast_open.accepted.filter(|_| segment.is_syn_ack())?;
    Some(match sent.saturating_sub(accepted) {
        0 => format!("the SYN/ACK acknowledges the {} of data in the SYN", counted(sent, "byte")),
        _ if accepted == 0 => {
            format!(
                "the SYN/ACK does not acknowledge the {} of data in the SYN: they are sent again",
                counted(sent, "byte")
            )
        }
        missing => format!(
            "the SYN/ACK acknowledges {} of data in the SYN: {} are sent again",
            counted(accepted, "byte"),
            counted(missing, "byte")
        ),
    })
}

fn join_step(join: &Join) -> String {
    let backup = |backup: bool| if backup { ", as a backup" } else { "" };
    match join {
        Join::Syn { address_id, backup: b, .. } => format!("SYN from address id {address_id}{}", backup(*b)),
        Join::SynAck { address_id, backup: b, .. } => format!("SYN/ACK from address id {address_id}{}", backup(*b)),
        Join::Ack { .. } => "ACK".to_string(),
    }
}

/// Tells `add` what is wrong with the HMACs of a join, and which packet carries it.
pub fn of_hmacs(join: &JoinAttempt, mut add: impl FnMut(Proof, EventKind, String)) {
    for proof in join.wrong_hmacs() {
        let detail = format!("the HMAC in the {} does not match the keys", proof.name());
        add(proof, EventKind::JoinHmacInvalid, detail);
    }
}

/// Tells `add` what became of a join: belongs to the packet that decided it.
pub fn of_join(join: &JoinAttempt, mut add: impl FnMut(EventKind, String)) {
    match join.outcome {
        JoinOutcome::Established => {
            let verdict = match join.verdict.overall() {
                HmacVerdict::Valid => "HMAC valid".to_string(),
                HmacVerdict::Invalid => "HMAC invalid".to_string(),
                HmacVerdict::Unverifiable => {
                    format!("HMAC not checked: {}", join.verdict.lacks.map_or("something not captured", Lack::phrase))
                }
            };
            add(EventKind::JoinEstablished, verdict);
        }
        JoinOutcome::Refused => {
            let by = join.refused_by.map_or("peer", Role::name);
            let reason = join.reason.map_or_else(String::new, |code| format!(": {}", reason_name(code)));
            add(EventKind::JoinRefused, format!("by the subflow's {by}{reason}"));
        }
        JoinOutcome::OptionMissing => add(
            EventKind::JoinOptionMissing,
            match join.handshake.rows[1] {
                None => "the SYN/ACK has no MP_JOIN: removed on the path, or not supported",
                Some(_) => "the ACK has no MP_JOIN: removed on the path",
            }
            .to_string(),
        ),
        JoinOutcome::Unanswered => add(EventKind::JoinUnanswered, format!("no answer to {} SYNs", join.syns)),
        JoinOutcome::Unfinished => {}
    }
}

/// The particulars of a loss of options: packets towards that end of the connection have none any more. `later`: they had
/// some after the handshake.
#[must_use]
pub fn of_loss(towards: Role, later: bool) -> String {
    let since = if later { "any more" } else { "after the handshake" };
    format!("the {}'s packets on this subflow have no MPTCP option {since}", towards.other().name())
}

/// The particulars of an advertised address.
#[must_use]
pub fn advertised(option: &AddAddr, verdict: HmacVerdict, part: Option<WrongPart>) -> String {
    let mut text = format!("id {}", option.address_id);
    if let Some(address) = option.address {
        text.push_str(&format!(", {address}"));
    }
    if let Some(port) = option.port {
        text.push_str(&format!(", port {port}"));
    }
    text.push_str(match verdict {
        HmacVerdict::Valid => ", HMAC valid",
        HmacVerdict::Invalid => ", HMAC invalid",
        HmacVerdict::Unverifiable => "",
    });
    if let Some(part) = part {
        text.push_str(&format!(": it is {}", part.name()));
    }
    text
}

/// True the first time.
fn first(seen: &mut bool) -> bool {
    !std::mem::replace(seen, true)
}
