//! Packets of each direction of each subflow: how many of which kind, from when to when, and how large.

use serde::Serialize;

use crate::interrupt::interruptible;
use crate::packets::segment::flag;
use crate::tracking::travelling::{Travelling, of_subflow};
use crate::tracking::{ByRole, Capture, Connection, Role};
use crate::{Instant, StreamId};

/// One direction of one subflow.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Traffic {
    /// Wireshark's `tcp.stream`.
    pub tcpstream: StreamId,
    /// The end of the connection that it travels towards.
    pub towards: Role,
    /// Packets.
    pub packets: u64,
    /// Packets with payload.
    pub data_packets: u64,
    /// Packets with ACK that have neither payload nor SYN, FIN or RST.
    pub pure_acks: u64,
    /// Packets with SYN.
    pub syns: u64,
    /// Packets with FIN.
    pub fins: u64,
    /// Packets with RST.
    pub resets: u64,
    /// Packets with PSH.
    pub pushes: u64,
    /// Bytes of the frames, on the wire; `None` where the file does not tell.
    pub frame_bytes: Option<u64>,
    /// First packet, seconds since the first frame of the file; `None` without packets.
    pub first: Option<f64>,
    /// Last packet.
    pub last: Option<f64>,
    /// First packet with payload.
    pub first_data: Option<f64>,
    /// Last packet with payload.
    pub last_data: Option<f64>,
    /// Longest time between two packets, seconds; `None` with fewer than two.
    pub idle: Option<f64>,
    /// Smallest payload above zero, bytes.
    pub segment_min: Option<u32>,
    /// Largest payload, bytes.
    pub segment_max: Option<u32>,
    /// Smallest time to live, or hop limit.
    pub ttl_min: Option<u8>,
    /// Largest time to live, or hop limit.
    pub ttl_max: Option<u8>,
    /// Smallest receive window that its packets announce, those with RST left out, bytes.
    pub window_min: Option<u32>,
    /// Largest such window, bytes.
    pub window_max: Option<u32>,
    /// Packets that announce a window of zero, those with RST left out.
    pub zero_windows: u64,
    /// First and last packet.
    #[serde(skip)]
    pub span: Option<(Instant, Instant)>,
}

/// The traffic of a connection: of each subflow in their order, towards the server, then towards the client.
#[must_use]
pub fn traffic(capture: &Capture, connection: &Connection) -> Vec<Traffic> {
    let mut found = Vec::new();
    for (index, stream) in interruptible(connection.subflows.iter().enumerate()) {
        let mut directions: ByRole<Counts> = ByRole::default();
        for packet in of_subflow(&capture.segments, &capture.tracking, connection, index) {
            directions.get_mut(packet.towards).push(capture, &packet);
        }
        found.extend(Role::BOTH.map(|towards| directions.get(towards).finish(capture, *stream, towards)));
    }
    found
}

/// The least and the greatest of values.
#[derive(Debug, Clone, Copy, Default)]
struct Range<T>(Option<(T, T)>);

impl<T: Ord + Copy> Range<T> {
    fn push(&mut self, value: T) {
        self.0 = Some(self.0.map_or((value, value), |(low, high)| (low.min(value), high.max(value))));
    }

    fn low(self) -> Option<T> {
        self.0.map(|(low, _)| low)
    }

    fn high(self) -> Option<T> {
        self.0.map(|(_, high)| high)
    }
}

/// One direction under way.
#[derive(Debug, Clone, Default)]
struct Counts {
    packets: u64,
    data_packets: u64,
    pure_acks: u64,
    syns: u64,
    fins: u64,
    resets: u64,
    pushes: u64,
    frame_bytes: Option<u64>,
    times: Range<Instant>,
    data_times: Range<Instant>,
    before: Option<Instant>,
    idle: Option<f64>,
    segments: Range<u32>,
    ttl: Range<u8>,
    windows: Range<u32>,
    zero_windows: u64,
}

impl Counts {
    fn push(&mut self, capture: &Capture, packet: &Travelling<'_>) {
        let segment = packet.segment;
        let payload = segment.payload().unwrap_or(0);
        self.packets += 1;
        self.data_packets += u64::from(payload > 0);
        let handshake = flag::SYN | flag::FIN | flag::RST;
        self.pure_acks += u64::from(payload == 0 && segment.flags() & (handshake | flag::ACK) == flag::ACK);
        self.syns += u64::from(segment.has(flag::SYN));
        self.fins += u64::from(segment.has(flag::FIN));
        self.resets += u64::from(segment.has(flag::RST));
        self.pushes += u64::from(segment.has(flag::PSH));
        let frame = capture.frames.get(packet.row.index());
        if let Some(length) = frame.wire_length {
            self.frame_bytes = Some(self.frame_bytes.unwrap_or(0).saturating_add(length.into()));
        }
        if let Some(ttl) = frame.ttl {
            self.ttl.push(ttl);
        }
        if payload > 0 {
            self.segments.push(payload);
        }
        let window = capture.tracking.packets.get(packet.row).and_then(|place| place.window());
        if let Some(window) = window.filter(|_| !segment.has(flag::RST)) {
            self.windows.push(window);
            self.zero_windows += u64::from(window == 0);
        }
        // The time of the others is that of another place.
        if !packet.elsewhere {
            self.at(segment.abstime, payload > 0);
        }
    }

    fn at(&mut self, time: Instant, data: bool) {
        self.times.push(time);
        if data {
            self.data_times.push(time);
        }
        if let Some(before) = self.before.replace(time) {
            let idle = (time - before).seconds();
            self.idle = Some(self.idle.map_or(idle, |longest| longest.max(idle)));
        }
    }

    fn finish(&self, capture: &Capture, tcpstream: StreamId, towards: Role) -> Traffic {
        let since = |time: Option<Instant>| time.map(|time| (time - capture.origin()).seconds());
        Traffic {
            tcpstream,
            towards,
            packets: self.packets,
            data_packets: self.data_packets,
            pure_acks: self.pure_acks,
            syns: self.syns,
            fins: self.fins,
            resets: self.resets,
            pushes: self.pushes,
            frame_bytes: self.frame_bytes,
            first: since(self.times.low()),
            last: since(self.times.high()),
            first_data: since(self.data_times.low()),
            last_data: since(self.data_times.high()),
            idle: self.idle,
            segment_min: self.segments.low(),
            segment_max: self.segments.high(),
            ttl_min: self.ttl.low(),
            ttl_max: self.ttl.high(),
            window_min: self.windows.low(),
            window_max: self.windows.high(),
            zero_windows: self.zero_windows,
            span: self.times.0,
        }
    }
}
