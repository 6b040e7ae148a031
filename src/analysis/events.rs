//! What happened to a connection, in the order of the file?

use serde::Serialize;

use super::addresses::{Advertisement, advertisements};
use super::checksum::{self, ChecksumResult};
use super::fallback::{Reason, fallback};
use super::joins::{JoinAttempt, Outcome, joins, reason_name};
use super::standstill::{Standstill, standstills};
use super::volume::seconds;
use crate::packets::segment::{Capable, Control, Dss, Join, flag};
use crate::tracking::authentication::Verdict;
use crate::tracking::travelling::{Travelling, in_file_order, of_subflow};
use crate::tracking::{ByRole, Capture, Connection, Role};

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// MP_CAPABLE in a SYN, a SYN/ACK or the ACK after them.
    MpCapable,
    /// The connection is established: the client's ACK with both keys.
    Established,
    /// MP_JOIN in a SYN, a SYN/ACK or the ACK after them.
    MpJoin,
    /// A join succeeded.
    JoinEstablished,
    /// A join was refused by a RST.
    JoinRefused,
    /// A join's SYN/ACK came without MP_JOIN.
    JoinOptionMissing,
    /// A join's SYN was never answered.
    JoinUnanswered,
    /// The HMAC of a join is not the one that the keys give.
    JoinHmacInvalid,
    /// ADD_ADDR.
    AddAddr,
    /// The echo of an ADD_ADDR.
    AddAddrEcho,
    /// REMOVE_ADDR.
    RemoveAddr,
    /// MP_PRIO.
    MpPrio,
    /// MP_FAIL.
    MpFail,
    /// An infinite mapping.
    InfiniteMapping,
    /// The connection goes on as plain TCP.
    Fallback,
    /// The first DATA_FIN of a direction.
    DataFin,
    /// The first FIN of a subflow's direction.
    Fin,
    /// MP_FASTCLOSE.
    MpFastclose,
    /// The first RST of a subflow's direction.
    Reset,
    /// A subflow makes no progress although data waits for an acknowledgement.
    SubflowStale,
    /// A mapping whose checksum does not fit its data.
    ChecksumFailure,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// The packet that shows it.
    pub packetid: u64,
    /// Seconds since the first frame of the file.
    pub reltime: f64,
    /// Its TCP stream.
    pub tcpstream: u32,
    /// The end of the connection that it travels towards.
    pub towards: Role,
    /// What happened.
    pub event: Kind,
    /// The particulars, a phrase.
    pub detail: String,
    /// Row in the packet table.
    #[serde(skip)]
    pub row: u32,
}

/// What happened to `connection`, in the order of the file. `checksums` are the verdicts on its mappings, where the
/// payload was at hand.
#[must_use]
pub fn events(capture: &Capture, connection: &Connection, checksums: Option<&[ChecksumResult]>) -> Vec<Event> {
    let mut timeline = Timeline { capture, events: Vec::new() };
    let packets = in_file_order(&capture.segments, &capture.tracking, connection);
    let mut closings = Closings::new(connection);
    for packet in &packets {
        if let Some(control) = &packet.segment.control {
            options(&mut timeline, packet, control);
        }
        closings.push(&mut timeline, packet);
    }
    let find = |row: u32| packets.binary_search_by_key(&row, |packet| packet.row).ok().and_then(|at| packets.get(at));
    for join in joins(capture, connection) {
        if let Some(packet) = find(join.decided_by) {
            join_outcome(&mut timeline, packet, &join);
        }
    }
    for index in 0..connection.subflows.len() {
        for towards in Role::BOTH {
            let own = of_subflow(&capture.segments, &capture.tracking, connection, index);
            for standstill in standstills(own, towards) {
                if let Some(packet) = find(standstill.row) {
                    timeline.add(packet, Kind::SubflowStale, stale(capture, &standstill));
                }
            }
        }
    }
    for advertisement in advertisements(capture, connection) {
        for row in &advertisement.rows {
            if let Some(packet) = find(*row) {
                timeline.add(packet, Kind::AddAddr, advertised(&advertisement));
            }
        }
    }
    for wrong in checksums.unwrap_or(&[]).iter().filter(|result| result.verdict == checksum::Verdict::Wrong) {
        if let Some(packet) = find(wrong.row) {
            let detail = "the data of this packet's mapping does not fit its checksum".to_string();
            timeline.add(packet, Kind::ChecksumFailure, detail);
        }
    }
    if let Some(fallback) = fallback(capture, connection)
        && let Some(packet) = find(fallback.row)
    {
        timeline.add(packet, Kind::Fallback, explain(fallback.reason).to_string());
    }
    timeline.events.sort_by_key(|event| (event.row, event.event));
    timeline.events
}

struct Timeline<'a> {
    capture: &'a Capture,
    events: Vec<Event>,
}

impl Timeline<'_> {
    fn add(&mut self, packet: &Travelling<'_>, event: Kind, detail: String) {
        self.events.push(Event {
            packetid: packet.segment.packetid,
            reltime: seconds(Some((self.capture.origin(), packet.segment.abstime))),
            tcpstream: packet.stream,
            towards: packet.towards,
            event,
            detail,
            row: packet.row,
        });
    }
}

fn options(timeline: &mut Timeline<'_>, packet: &Travelling<'_>, control: &Control) {
    if let Some(capable) = &control.capable {
        capability(timeline, packet, capable);
    }
    if let Some(join) = &control.join {
        timeline.add(packet, Kind::MpJoin, join_step(join));
    }
    if let Some(echo) = control.add_addr.as_ref().filter(|option| option.echo) {
        let address = echo.address.map_or_else(|| "an address that was cut".to_string(), |address| address.to_string());
        timeline.add(packet, Kind::AddAddrEcho, format!("id {}, {address}", echo.address_id));
    }
    if let Some(ids) = &control.remove_addr {
        let ids: Vec<String> = ids.iter().map(u8::to_string).collect();
        timeline.add(packet, Kind::RemoveAddr, format!("id {}", ids.join(", ")));
    }
    if let Some(prio) = control.prio {
        let becomes = if prio.backup { "the subflow becomes a backup" } else { "the subflow is no backup any more" };
        timeline.add(packet, Kind::MpPrio, becomes.to_string());
    }
    if let Some(dsn) = control.fail {
        timeline.add(packet, Kind::MpFail, format!("checksum failed at DSN {dsn:016x}"));
    }
    if control.fastclose.is_some() {
        timeline.add(packet, Kind::MpFastclose, format!("the {} aborts the connection", packet.towards.other().name()));
    }
}

fn capability(timeline: &mut Timeline<'_>, packet: &Travelling<'_>, capable: &Capable) {
    let mut detail = format!("version {}", capable.version);
    if capable.flags & Capable::CHECKSUM_REQUIRED != 0 {
        detail.push_str(", checksums required");
    }
    if capable.flags & Capable::NO_JOIN_HERE != 0 {
        detail.push_str(", no joins to this address");
    }
    let is_ack = !packet.segment.has(flag::SYN);
    // Data may repeat the option of the third ACK until it is acknowledged; one line is enough.
    let known = timeline.events.iter().any(|event| event.event == Kind::Established);
    if is_ack && !known {
        timeline.add(packet, Kind::Established, detail);
    } else if !is_ack {
        let step = if packet.segment.is_syn_ack() { "SYN/ACK" } else { "SYN" };
        timeline.add(packet, Kind::MpCapable, format!("{step}, {detail}"));
    }
}

fn join_step(join: &Join) -> String {
    let backup = |backup: bool| if backup { ", as a backup" } else { "" };
    match join {
        Join::Syn { address_id, backup: b, .. } => format!("SYN from address id {address_id}{}", backup(*b)),
        Join::SynAck { address_id, backup: b, .. } => format!("SYN/ACK from address id {address_id}{}", backup(*b)),
        Join::Ack { .. } => "ACK".to_string(),
    }
}

fn join_outcome(timeline: &mut Timeline<'_>, packet: &Travelling<'_>, join: &JoinAttempt) {
    if join.hmac_is_wrong() {
        let step = if join.verdict.syn_ack == Verdict::Invalid { "SYN/ACK" } else { "ACK" };
        timeline.add(
            packet,
            Kind::JoinHmacInvalid,
            format!("the HMAC in the {step} is not the one that the keys give"),
        );
    }
    match join.outcome {
        Outcome::Established => {
            let verdict = match join.verdict.overall() {
                Verdict::Valid => "HMAC valid",
                Verdict::Invalid => "HMAC invalid",
                Verdict::Unverifiable => "HMAC not checked: keys not captured",
            };
            timeline.add(packet, Kind::JoinEstablished, verdict.to_string());
        }
        Outcome::Refused => {
            let by = join.refused_by.map_or("peer", Role::name);
            let reason = join.reason.map_or_else(String::new, |code| format!(": {}", reason_name(code)));
            timeline.add(packet, Kind::JoinRefused, format!("by the subflow's {by}{reason}"));
        }
        Outcome::OptionMissing => timeline.add(
            packet,
            Kind::JoinOptionMissing,
            "the SYN/ACK has no MP_JOIN: removed on the path, or not understood".to_string(),
        ),
        Outcome::Unanswered => {
            timeline.add(packet, Kind::JoinUnanswered, format!("no answer to {} SYNs", join.syns));
        }
        Outcome::Unfinished => {}
    }
}

fn stale(capture: &Capture, standstill: &Standstill) -> String {
    let time = |instant: i64| format!("{:.3} s", seconds(Some((capture.origin(), instant))));
    let from = time(standstill.from);
    if standstill.recovered {
        format!("nothing acknowledged from {from} until {}", time(standstill.until))
    } else {
        format!("nothing acknowledged from {from} to the end")
    }
}

fn advertised(advertisement: &Advertisement) -> String {
    let option = &advertisement.option;
    let mut text = format!("id {}", option.address_id);
    if let Some(address) = option.address {
        text.push_str(&format!(", {address}"));
    }
    if let Some(port) = option.port {
        text.push_str(&format!(", port {port}"));
    }
    text.push_str(match advertisement.verdict {
        Verdict::Valid => ", HMAC valid",
        Verdict::Invalid => ", HMAC invalid",
        Verdict::Unverifiable => "",
    });
    text
}

/// What a fallback's evidence means, a sentence without full stop.
#[must_use]
pub fn explain(reason: Reason) -> &'static str {
    match reason {
        Reason::ThirdAckWithoutOption => {
            "the client's packets after the SYN/ACK have no MPTCP option: it was removed from the SYN/ACK or from them"
        }
        Reason::NoOptionFromServer => {
            "the server's packets after its SYN/ACK have no MPTCP option: it was removed from them or from the client's"
        }
        Reason::DataWithoutMapping => {
            "data without MPTCP option that no mapping covers: the option was removed on the path"
        }
        Reason::ChecksumFailure => "data without MPTCP option after MP_FAIL: the only subflow goes on as plain TCP",
        Reason::InfiniteMapping => "an infinite mapping: the subflow goes on as plain TCP",
    }
}

/// Ends of directions: only the first packet of each kind counts.
struct Closings {
    data_fins: ByRole<bool>,
    infinite: bool,
    fins: Vec<ByRole<bool>>,
    resets: Vec<ByRole<bool>>,
}

impl Closings {
    fn new(connection: &Connection) -> Self {
        let none = ByRole { server: false, client: false };
        let count = connection.subflows.len();
        Closings { data_fins: none, infinite: false, fins: vec![none; count], resets: vec![none; count] }
    }

    fn push(&mut self, timeline: &mut Timeline<'_>, packet: &Travelling<'_>) {
        let segment = packet.segment;
        let sender = packet.towards.other().name();
        if let Some(dss) = segment.dss {
            if dss.has(Dss::DATA_FIN) && first(Some(self.data_fins.get_mut(packet.towards))) {
                timeline.add(packet, Kind::DataFin, format!("the {sender} has no more data"));
            }
            if dss.mapping.is_some_and(|mapping| mapping.length == 0) && first(Some(&mut self.infinite)) {
                timeline.add(packet, Kind::InfiniteMapping, "length 0".to_string());
            }
        }
        let fins = self.fins.get_mut(packet.subflow).map(|fins| fins.get_mut(packet.towards));
        if segment.has(flag::FIN) && first(fins) {
            timeline.add(packet, Kind::Fin, format!("the {sender} closes its side of the subflow"));
        }
        let resets = self.resets.get_mut(packet.subflow).map(|resets| resets.get_mut(packet.towards));
        if segment.has(flag::RST) && first(resets) {
            let reset = segment.control.as_ref().and_then(|control| control.reset);
            let reason = reset.and_then(|reset| reset.reason);
            let reason = reason.map_or_else(String::new, |code| format!(": {}", reason_name(code)));
            timeline.add(packet, Kind::Reset, format!("the {sender} resets the subflow{reason}"));
        }
    }
}

/// True the first time.
fn first(seen: Option<&mut bool>) -> bool {
    seen.is_some_and(|seen| !std::mem::replace(seen, true))
}
