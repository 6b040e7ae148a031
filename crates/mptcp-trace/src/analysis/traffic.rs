//! Packets of each direction of each subflow: how many of which kind, from when to when, how large, and in which order.

mod order;

use serde::Serialize;

use crate::interrupt::interruptible;
use crate::packets::segment::{Dss, flag};
use crate::tracking::travelling::{Travelling, of_subflow};
use crate::tracking::{ByRole, Capture, Connection, Nature, Role};
use crate::{Instant, StreamId};
use order::{Answer, Order};

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
    /// Packets with ECE (RFC 3168 §6.1), those of handshakes included.
    pub ece: u64,
    /// Packets with CWR, as before.
    pub cwr: u64,
    /// Packets with DSS.
    pub dss_packets: u64,
    /// Bytes of their DSS options.
    pub dss_bytes: u64,
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
    /// First packet that acknowledges data of the other direction, seconds since the first frame of the file.
    pub first_ack: Option<f64>,
    /// Last packet that acknowledges data of the other direction for the first time.
    pub last_ack: Option<f64>,
    /// First packet that acknowledges the other direction's FIN.
    pub fin_ack: Option<f64>,
    /// Duplicate acknowledgements (RFC 5681 §2): while data of the other direction is under way, a packet without data
    /// that changes neither the acknowledgement number nor the window. With an MPTCP option other than DSS it is none
    /// (RFC 8684).
    pub dup_acks: u64,
    /// How often a third one of the same number came.
    pub triple_dup_acks: u64,
    /// Packets with bytes that lie below others seen before and had not been seen: overtaken, or lost before the place of
    /// capture and sent again.
    pub out_of_order_packets: u64,
    /// Bytes below the highest one seen or acknowledged that no captured packet carried.
    pub missed_bytes: u64,
    /// Fewest bytes under way right behind a packet with data: up to the highest one seen, from the first one that is not
    /// acknowledged.
    pub in_flight_min: Option<u64>,
    /// Mean of these, one for each packet with data.
    pub in_flight_mean: Option<f64>,
    /// Most of these.
    pub in_flight_max: Option<u64>,
    /// Bytes seen before any of them was acknowledged; `None` where the SYN was not captured, and without data.
    pub initial_window_bytes: Option<u64>,
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
    let mut counter = Counter::new(connection);
    for index in interruptible(0..connection.subflows.len()) {
        of_subflow(&capture.segments, &capture.tracking, connection, index)
            .for_each(|packet| counter.push(capture, &packet));
    }
    counter.finish(capture, connection)
}

/// The traffic of a connection while the packets of each subflow go by in the order of the file.
pub struct Counter(Vec<(ByRole<Counts>, ByRole<Order>)>);

impl Counter {
    /// Before the first packet.
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        Counter(connection.subflows.iter().map(|_| Default::default()).collect())
    }

    /// Takes in the next packet.
    pub fn push(&mut self, capture: &Capture, packet: &Travelling<'_>) {
        let Some((directions, orders)) = self.0.get_mut(packet.subflow) else { return };
        let counts = directions.get_mut(packet.towards);
        counts.push(capture, packet);
        if packet.nature == Nature::Duplicate {
            return;
        }
        // The time of the others is that of another place.
        if !packet.elsewhere {
            let answer = orders.get_mut(packet.towards.other()).is_acknowledged(packet);
            counts.answers(answer, packet.segment.abstime);
        }
        orders.get_mut(packet.towards).sends(packet);
    }

    /// As [`traffic`], after the last packet.
    #[must_use]
    pub fn finish(self, capture: &Capture, connection: &Connection) -> Vec<Traffic> {
        let subflows = connection.subflows.iter().zip(self.0);
        let found = subflows.flat_map(|(stream, (directions, orders))| {
            Role::BOTH.map(|towards| directions.get(towards).finish(capture, (*stream, towards), orders.get(towards)))
        });
        found.collect()
    }
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
    ece: u64,
    cwr: u64,
    dss_packets: u64,
    dss_bytes: u64,
    dup_acks: u64,
    triple_dup_acks: u64,
    acks: Range<Instant>,
    fin_ack: Option<Instant>,
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
        self.ece += u64::from(segment.has(flag::ECE));
        self.cwr += u64::from(segment.has(flag::CWR));
        if let Some(dss) = segment.dss() {
            self.dss_packets += 1;
            self.dss_bytes += length(&dss);
        }
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

    fn answers(&mut self, answer: Answer, time: Instant) {
        match answer {
            Answer::Nothing => {}
            Answer::Data { fin } => {
                self.acks.push(time);
                self.fin_ack = self.fin_ack.or(fin.then_some(time));
            }
            Answer::Fin => self.fin_ack = self.fin_ack.or(Some(time)),
            Answer::Duplicate { third } => {
                self.dup_acks += 1;
                self.triple_dup_acks += u64::from(third);
            }
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

    fn finish(&self, capture: &Capture, (tcpstream, towards): (StreamId, Role), order: &Order) -> Traffic {
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
            ece: self.ece,
            cwr: self.cwr,
            dss_packets: self.dss_packets,
            dss_bytes: self.dss_bytes,
            frame_bytes: self.frame_bytes,
            first: since(self.times.low()),
            last: since(self.times.high()),
            first_data: since(self.data_times.low()),
            last_data: since(self.data_times.high()),
            idle: self.idle,
            first_ack: since(self.acks.low()),
            last_ack: since(self.acks.high()),
            fin_ack: since(self.fin_ack),
            dup_acks: self.dup_acks,
            triple_dup_acks: self.triple_dup_acks,
            out_of_order_packets: order.out_of_order,
            missed_bytes: order.missed(),
            in_flight_min: order.in_flight().map(|(least, _)| least),
            in_flight_mean: order.mean_in_flight(),
            in_flight_max: order.in_flight().map(|(_, most)| most),
            initial_window_bytes: order.initial_window(),
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

/// Bytes of a DSS option (RFC 8684 §3.3).
fn length(dss: &Dss) -> u64 {
    let wide = |mask: u8| if dss.has(mask) { 8 } else { 4 };
    let acknowledgement = if dss.has(Dss::DATA_ACK) { wide(Dss::DATA_ACK_8) } else { 0 };
    let checksum = if dss.mapping.is_some_and(|mapping| mapping.checksum.is_some()) { 2 } else { 0 };
    let mapping = if dss.has(Dss::MAPPING) { wide(Dss::DSN_8) + 6 + checksum } else { 0 };
    4 + acknowledgement + mapping
}
