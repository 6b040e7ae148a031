//! How did each subflow of a connection begin and end, and what did its ends agree on?

use serde::Serialize;

use super::availability::availability;
use super::joins::joins;
use crate::interrupt::interruptible;
use crate::packets::segment::flag;
use crate::tracking::travelling::{Travelling, one_by_one, signals};
use crate::tracking::{ByRole, Capture, Connection, Nature, Role, Stream, SubflowKind};
use crate::{Instant, PacketRow, StreamId};

/// What ended a subflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndKind {
    /// The FIN of both ends, before any RST.
    Fin,
    /// A RST, before both ends had sent a FIN.
    Reset,
    /// Nothing, but one end had sent a FIN.
    HalfClosed,
    /// Nothing: it is open at the end of the capture, or never was.
    Open,
}

/// The course of one subflow.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SubflowCourse {
    /// Wireshark's `tcp.stream`.
    #[serde(skip)]
    pub tcpstream: StreamId,
    /// Address id of the end that accepted it; 0 for the initial subflow.
    pub server_addrid: Option<u8>,
    /// When it was established, seconds since the first frame of the file; `None` where it was not. Without its handshake,
    /// its first packet.
    pub established: Option<f64>,
    /// It was established when the connection's last packet with data had come; `None` without data, and where it never was.
    pub established_after_last_data: Option<bool>,
    /// What ended it.
    pub end_kind: EndKind,
    /// When: the RST, or the second of the FINs; seconds since the first frame of the file.
    pub end: Option<f64>,
    /// The end of the connection that sent that packet.
    pub ended_by: Option<Role>,
    /// Reason that the RST gave (MP_TCPRST, RFC 8684 §3.6).
    pub reset_reason: Option<u8>,
    /// Window scale in the SYN; `None` where it has none, and where the SYN was not captured.
    pub wscale_client: Option<u8>,
    /// Window scale in the SYN/ACK.
    pub wscale_server: Option<u8>,
    /// Maximum segment size in the SYN, bytes.
    pub mss_client: Option<u16>,
    /// Maximum segment size in the SYN/ACK, bytes.
    pub mss_server: Option<u16>,
    /// SYN and SYN/ACK permit SACK (RFC 2018); `None` where one was not captured.
    pub sack: Option<bool>,
    /// SYN and SYN/ACK have timestamps (RFC 7323).
    pub timestamps: Option<bool>,
}

/// Kinds of TCP options.
const SACK_PERMITTED: u8 = 4;
const TIMESTAMPS: u8 = 8;

/// What ended a subflow, while its packets go by.
#[derive(Debug, Clone, Copy, Default)]
struct Ending {
    fins: ByRole<Option<Instant>>,
    reset: Option<(Instant, Role)>,
    /// The FIN of both ends came before any RST.
    finished: Option<(Instant, Role)>,
    reason: Option<u8>,
}

impl Ending {
    fn push(&mut self, packet: &Travelling<'_>) {
        let (now, by) = (packet.segment.abstime, packet.towards.other());
        if packet.ends_with(flag::RST) {
            let reason = packet.segment.control().and_then(|control| control.reset).and_then(|reset| reset.reason);
            let (_, first) = *self.reset.get_or_insert((now, by));
            if first == by {
                self.reason = self.reason.or(reason);
            }
        } else if packet.ends_with(flag::FIN) {
            self.fins.get_mut(packet.towards).get_or_insert(now);
            if self.reset.is_none() && self.fins.server.is_some() && self.fins.client.is_some() {
                self.finished.get_or_insert((now, by));
            }
        }
    }

    fn kind(&self) -> (EndKind, Option<(Instant, Role)>) {
        match (self.finished, self.reset) {
            (Some(at), _) => (EndKind::Fin, Some(at)),
            (None, Some(at)) => (EndKind::Reset, Some(at)),
            (None, None) if self.fins.server.is_some() || self.fins.client.is_some() => (EndKind::HalfClosed, None),
            (None, None) => (EndKind::Open, None),
        }
    }
}

/// The courses of a connection's subflows, in order of their streams.
#[must_use]
pub fn subflow_courses(capture: &Capture, connection: &Connection) -> Vec<SubflowCourse> {
    let packets = interruptible(one_by_one(&capture.segments, &capture.tracking, connection));
    let last_data = packets.filter_map(|packet| data_time(&packet)).max();
    subflow_courses_until(capture, connection, last_data)
}

/// When a packet with data was recorded; `None` for others, for copies made by the path, and where that was elsewhere alone.
#[inline]
#[must_use]
pub fn data_time(packet: &Travelling<'_>) -> Option<Instant> {
    let counts = packet.data > 0 && packet.nature != Nature::Duplicate && !packet.elsewhere;
    counts.then_some(packet.segment.abstime)
}

/// As [`subflow_courses`], where the greatest [`data_time`] of the connection is known.
#[must_use]
pub fn subflow_courses_until(
    capture: &Capture,
    connection: &Connection,
    last_data: Option<Instant>,
) -> Vec<SubflowCourse> {
    let mut endings = vec![Ending::default(); connection.subflows.len()];
    let signals = signals(&capture.segments, &capture.tracking, connection);
    for packet in interruptible(&signals) {
        if let Some(ending) = endings.get_mut(packet.subflow) {
            ending.push(packet);
        }
    }
    let available = availability(capture, connection, &joins(capture, connection), &signals);
    let since = |time: Instant| (time - capture.origin()).seconds();
    let found = connection.subflows.iter().zip(endings).zip(available).filter_map(|((id, ending), available)| {
        let stream = capture.tracking.stream(*id)?;
        let (end_kind, end) = ending.kind();
        let (syn, syn_ack) = (Offer::of(capture, stream.syn), Offer::of(capture, stream.syn_ack));
        let both = |offers: fn(&Offer<'_>) -> bool| Some(offers(syn.as_ref()?) && offers(syn_ack.as_ref()?));
        Some(SubflowCourse {
            tcpstream: *id,
            server_addrid: server_address_id(capture, stream),
            established: available.from.map(since),
            established_after_last_data: available.from.zip(last_data).map(|(from, last)| from > last),
            end_kind,
            end: end.map(|(time, _)| since(time)),
            ended_by: end.map(|(_, by)| by),
            reset_reason: ending.reason.filter(|_| end_kind == EndKind::Reset),
            wscale_client: syn.as_ref().and_then(|offer| offer.scale),
            wscale_server: syn_ack.as_ref().and_then(|offer| offer.scale),
            mss_client: syn.as_ref().and_then(|offer| offer.mss),
            mss_server: syn_ack.as_ref().and_then(|offer| offer.mss),
            sack: both(|offer| offer.kinds.contains(&SACK_PERMITTED)),
            timestamps: both(|offer| offer.kinds.contains(&TIMESTAMPS)),
        })
    });
    found.collect()
}

/// Options of a SYN or SYN/ACK.
struct Offer<'a> {
    scale: Option<u8>,
    mss: Option<u16>,
    kinds: &'a [u8],
}

impl<'a> Offer<'a> {
    fn of(capture: &'a Capture, row: Option<PacketRow>) -> Option<Self> {
        let row = row?.index();
        let (segment, frame) = (capture.segments.get(row)?, capture.frames.get(row));
        // Options that the snap length cut are not known to be missing.
        let whole = !segment.options_cut();
        whole.then(|| Offer { scale: segment.window_scale(), mss: frame.mss, kinds: frame.option_kinds })
    }
}

fn server_address_id(capture: &Capture, stream: &Stream) -> Option<u8> {
    match &capture.tracking.subflow(stream.id)?.kind {
        SubflowKind::Initial => Some(0),
        SubflowKind::Join(join) => join.address_ids.server,
        SubflowKind::Unknown => None,
    }
}
