//! Which packets did a TCP stream send again, how long after the first time, and, by estimate, why?

mod class;

use serde::Serialize;

use super::retransmissions::handshake;
use super::sent_times::SentTimes;
use crate::interrupt::interruptible;
use crate::packets::segment::flag;
use crate::tracking::sequence::{Positions, RangeSet};
use crate::tracking::travelling::{StreamPacket, in_time_order as sorted, of_stream};
use crate::tracking::{ByRole, Capture, Connection, Nature, Role, Stream, Tracking};
use crate::{Instant, Span, StreamId};
pub use class::Class;
use class::{Repeated, Told};

/// A packet with bytes that its sender had sent before under the same sequence numbers, as seen at the place of capture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Retransmission {
    /// Wireshark's `tcp.stream`.
    pub tcpstream: StreamId,
    /// The end that it travels towards: of the stream, or of the connection whose subflow it is.
    pub towards: Role,
    /// The packet.
    pub packetid: u64,
    /// Seconds since the first frame of the file.
    pub reltime: f64,
    /// Bytes sent before.
    pub bytes: u64,
    /// Seconds since the first of them was first sent.
    pub since_first: f64,
    /// Seconds since the first of them was last sent.
    pub since_last: f64,
    /// Seconds since any packet of that end.
    pub since_activity: f64,
    /// How often the first of them is now sent again: 1 for the first time.
    pub count: u64,
    /// Estimate of the cause.
    pub class: Class,
}

/// The retransmissions of a stream in the order of time; `towards` is an end of the stream. Those of a SYN or FIN without
/// data are left out, and so are copies made by the path.
#[must_use]
pub fn of_tcp(capture: &Capture, stream: &Stream) -> Vec<Retransmission> {
    of_stream_in(capture, stream, false)
}

/// The same; `in_time_order` says that no packet stands in the file behind one recorded later, otherwise it is looked at.
fn of_stream_in(capture: &Capture, stream: &Stream, in_time_order: bool) -> Vec<Retransmission> {
    let (segments, tracking) = (&capture.segments, &capture.tracking);
    let packets = || of_stream(segments, tracking, stream);
    if !repeats(packets()) {
        return Vec::new();
    }
    let patience = Flow::patience(handshake(capture, stream));
    let mut watch = Watch::new(stream.id, capture.origin(), patience);
    if in_time_order || packets().map(|packet| packet.segment.abstime).is_sorted() {
        packets().for_each(|packet| watch.push(&packet));
    } else {
        interruptible(sorted(segments, tracking, stream)).for_each(|packet| watch.push(&packet));
    }
    watch.found
}

/// The retransmissions of the subflows of a connection, one subflow after the other; `towards` is an end of the connection.
/// `in_time_order` says that no packet stands in the file behind one recorded later, otherwise it is looked at.
#[must_use]
pub fn of_subflows(capture: &Capture, connection: &Connection, in_time_order: bool) -> Vec<Retransmission> {
    let mut found = Vec::new();
    for id in interruptible(&connection.subflows) {
        let (Some(stream), Some(subflow)) = (capture.tracking.stream(*id), capture.tracking.subflow(*id)) else {
            continue;
        };
        let mut own = of_stream_in(capture, stream, in_time_order);
        own.iter_mut().for_each(|one| one.towards = Tracking::mptcp_towards(subflow, one.towards));
        found.append(&mut own);
    }
    found
}

/// Whether there is any: most streams have none, and this is told faster than all about them.
fn repeats<'a>(packets: impl Iterator<Item = StreamPacket<'a>>) -> bool {
    let mut sent: ByRole<(Positions, RangeSet)> = ByRole::default();
    interruptible(packets).any(|packet| {
        let (positions, sent) = sent.get_mut(packet.towards);
        carries(&packet, positions).is_some_and(|(start, end)| sent.insert(start, end) < end.saturating_sub(start))
    })
}

/// The bytes of data that a packet carries: first, and one past the last.
fn carries(packet: &StreamPacket<'_>, positions: &mut Positions) -> Option<(u64, u64)> {
    if packet.data == 0 || packet.nature == Nature::Duplicate {
        return None;
    }
    // A SYN counts one byte of sequence space before any data it carries (TCP Fast Open).
    let syn = u64::from(packet.segment.has(flag::SYN));
    let start = positions.position(packet.segment.sequence).saturating_add(syn);
    Some((start, start.saturating_add(packet.data.into())))
}

struct Watch {
    stream: StreamId,
    /// What relative times count from.
    origin: Instant,
    /// By the end that the data travels towards.
    flows: ByRole<Flow>,
    found: Vec<Retransmission>,
}

impl Watch {
    fn new(stream: StreamId, origin: Instant, patience: (Option<Span>, Span)) -> Self {
        let flows = ByRole { server: Flow::new(patience), client: Flow::new(patience) };
        Watch { stream, origin, flows, found: Vec::new() }
    }

    fn push(&mut self, packet: &StreamPacket<'_>) {
        if packet.nature == Nature::Duplicate {
            return;
        }
        let acknowledged = self.flows.get_mut(packet.towards.other());
        let arrived = acknowledged.told.push(packet, &acknowledged.positions, |index| {
            if let Some(one) = self.found.get_mut(index) {
                one.class = Class::Spurious;
            }
        });
        acknowledged.arrived(arrived, packet.segment.abstime);
        let flow = self.flows.get_mut(packet.towards);
        let active = flow.active.replace(packet.segment.abstime);
        let Some((start, end)) = carries(packet, &mut flow.positions) else { return };
        let Some(again) = flow.times.sends(start, end, packet.segment.abstime) else { return };
        let now = packet.segment.abstime;
        let repeated = Repeated { start: again.start, end, now, last: again.last, top: again.top };
        let class = flow.told.class(&repeated, flow.patience);
        flow.told.watch(&repeated, packet.segment.timestamps().map(|(value, _)| value), self.found.len());
        self.found.push(Retransmission {
            tcpstream: self.stream,
            towards: packet.towards,
            packetid: packet.segment.packetid(),
            reltime: (now - self.origin).seconds(),
            bytes: again.bytes,
            since_first: (now - again.first).seconds(),
            since_last: (now - again.last).seconds(),
            since_activity: (now - active.unwrap_or(now)).seconds(),
            count: again.count,
            class,
        });
    }
}

/// One direction under way.
struct Flow {
    positions: Positions,
    times: SentTimes,
    /// The last packet of the end that sends.
    active: Option<Instant>,
    /// The round trip of the handshake.
    round_trip: Option<Span>,
    /// How long a sender waits at least before its timer expires.
    patience: Span,
    told: Told,
}

impl Flow {
    fn new((round_trip, patience): (Option<Span>, Span)) -> Self {
        Flow {
            round_trip,
            positions: Positions::default(),
            times: SentTimes::default(),
            active: None,
            patience,
            told: Told::default(),
        }
    }

    /// 0.2 s, the least of common systems (RFC 6298 asks for 1 s), or two round trips of the handshake.
    fn patience(round_trip: Option<Span>) -> (Option<Span>, Span) {
        let least = Span::from_milliseconds(200);
        (round_trip, round_trip.map_or(least, |span| (span + span).max(least)))
    }

    /// These bytes arrived, which is told now. What was sent less than a round trip ago had arrived when it was sent before
    /// (RFC 8985 §6.2, step 2).
    fn arrived(&mut self, bytes: [Option<u64>; 4], now: Instant) {
        let Some(round_trip) = self.round_trip else { return };
        for byte in bytes.into_iter().flatten() {
            let sent = self.times.last_sent(byte);
            if let Some(sent) = sent.filter(|sent| now - *sent >= round_trip - round_trip / 10) {
                self.told.arrives(byte, sent, now);
            }
        }
    }
}

#[cfg(test)]
mod tests;
