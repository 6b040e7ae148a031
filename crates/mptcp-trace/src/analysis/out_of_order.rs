//! Where did data wait because other data was missing, for how long, and which subflow made it wait?

mod buffer;

use serde::Serialize;

use super::capture_point::{CapturePoint, SeenFrom, of_connection};
use super::distribution::Distribution;
use super::volume::duration;
use crate::tracking::data::{DataPacket, Mappings};
use crate::tracking::{ByRole, Capture, Connection, Role};
use crate::units::counted;
use crate::{ConnectionId, Instant, PacketRow, StreamId};
pub use buffer::Wait;
use buffer::{Arrival, Buffer, Filler};

/// Both directions of a connection.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutOfOrder {
    /// Wireshark's `mptcp.stream`.
    pub mptcpstream: ConnectionId,
    /// Towards the server, then towards the client.
    pub directions: Vec<OutOfOrderDirection>,
    /// Packets that stand in the file behind one recorded later; the order of time was used.
    #[serde(skip)]
    pub misplaced: usize,
}

/// One direction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutOfOrderDirection {
    /// Which.
    pub towards: Role,
    /// Where it was recorded as the data see it; only at the receiver is this what its application waited for.
    pub capture_point: Option<SeenFrom>,
    /// Packets with data.
    pub segments: u64,
    /// Packets with new data beyond the next expected byte.
    pub out_of_order_segments: u64,
    /// Packets whose data had all come before.
    pub duplicate_segments: u64,
    /// Most bytes that waited at one time.
    pub peak_bytes: u64,
    /// Bytes waiting, averaged over the time from the first to the last packet with data; `None` when that is zero.
    pub mean_bytes: Option<f64>,
    /// Total time in which at least one byte waited, seconds.
    pub blocked_time: f64,
    /// Bytes that still waited when the capture ended.
    pub waiting_at_end_bytes: u64,
    /// Bytes before the last one seen that were never seen.
    pub missing_bytes: u64,
    /// Bytes that no mapping covers.
    pub unmapped_bytes: u64,
    /// Whether the first byte of data is known; otherwise the first one seen or acknowledged is taken for it.
    pub start_known: bool,
    /// Head-of-line delay of the ranges of data that waited and became deliverable, whatever subflow carried them.
    pub hol_delay: Distribution,
    /// By subflow that carried the data that waited.
    pub subflows: Vec<Waited>,
    /// By subflow that the data waited for.
    pub blame: Vec<Blame>,
    /// Bytes waiting from each time on, and the packet that brought the change.
    #[serde(skip)]
    pub occupancy: Vec<(Instant, u64, PacketRow)>,
}

/// Waiting data carried by one subflow.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Waited {
    /// Wireshark's `tcp.stream`.
    pub tcpstream: StreamId,
    /// Packets with data.
    pub segments: u64,
    /// Packets with new data beyond the next expected byte.
    pub out_of_order_segments: u64,
    /// New bytes beyond the next expected one.
    pub bytes_waited: u64,
    /// Head-of-line delay of the ranges of data that waited and became deliverable.
    pub hol_delay: Distribution,
    /// The waits of those ranges, in the order in which they ended.
    #[serde(skip)]
    pub waits: Vec<Wait>,
}

/// Data that waited for one subflow.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Blame {
    /// The subflow that carried the next expected data while other data waited; `None`: that data was never seen, but
    /// the receiver acknowledged it.
    pub tcpstream: Option<StreamId>,
    /// Number of times that its data made other data deliverable.
    pub holes_filled: u64,
    /// Bytes that became deliverable by it.
    pub released_bytes: u64,
    /// Time that data waited for it, seconds; over all entries this is the time blocked by holes that were filled.
    pub blocked_time: f64,
}

impl OutOfOrderDirection {
    /// Meaning and gaps of this direction's numbers: sentences without full stop.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let towards = self.towards.name();
        let mut notes = Vec::new();
        match self.capture_point {
            Some(SeenFrom::Receiver) => {}
            Some(SeenFrom::Sender) => notes.push(format!(
                "towards the {towards}: recorded at the sender, so this is the sending order; a capture at the \
                 {towards} shows what it waited for"
            )),
            Some(SeenFrom::Between) => notes.push(format!(
                "towards the {towards}: recorded on the way, so delays on the rest of the paths are not included"
            )),
            None => notes.push(format!(
                "towards the {towards}: place of capture unknown; only at the {towards} are these the waits of its \
                 application"
            )),
        }
        if !self.start_known {
            notes.push(format!(
                "towards the {towards}: key not captured, so the first data seen or acknowledged is taken as the next \
                 expected"
            ));
        }
        let bytes = [
            (self.missing_bytes, "of the data never seen: lost, or not captured"),
            (self.waiting_at_end_bytes, "still waiting when the capture ended; their delay is unknown"),
            (self.unmapped_bytes, "omitted for lack of a mapping: plain TCP after a fallback, or mapping not captured"),
        ];
        let present = bytes.iter().filter(|(count, _)| *count > 0);
        notes.extend(present.map(|(count, what)| format!("towards the {towards}: {} {what}", counted(*count, "byte"))));
        notes
    }
}

/// Works out where the data of a connection waited.
#[must_use]
pub fn out_of_order(capture: &Capture, connection: &Connection) -> OutOfOrder {
    let (segments, tracking) = (&capture.segments, &capture.tracking);
    let course = |first| Waiting::new(connection, first);
    let (waiting, misplaced) = Mappings::carried_at_once(segments, tracking, connection, course, Waiting::push);
    waiting.finish(connection, of_connection(capture, connection), misplaced)
}

/// The data of a connection while its packets come in the order of time.
pub(super) struct Waiting(ByRole<Course>);

impl Waiting {
    /// Before the first packet; `first` are the numbers of the first bytes of data, where the keys tell.
    pub fn new(connection: &Connection, first: ByRole<Option<u64>>) -> Self {
        let streams = &connection.subflows;
        Waiting(ByRole {
            server: Course::new(Role::Server, first.server, streams),
            client: Course::new(Role::Client, first.client, streams),
        })
    }

    /// Takes in the next packet.
    pub fn push(&mut self, packet: &DataPacket<'_>) {
        self.0.get_mut(packet.towards).arrives(packet);
        self.0.get_mut(packet.towards.other()).acknowledges(packet);
    }

    /// After the last packet; so many were `misplaced`. `point` is where the connection was recorded.
    pub fn finish(self, connection: &Connection, point: Option<CapturePoint>, misplaced: usize) -> OutOfOrder {
        let directions = [self.0.server, self.0.client].map(|course| {
            let mut direction = course.finish(&connection.subflows);
            direction.capture_point = point.map(|point| point.seen(direction.towards));
            direction
        });
        OutOfOrder { mptcpstream: connection.id, directions: directions.into(), misplaced }
    }
}

/// Counts of one subflow under way.
#[derive(Clone, Default)]
struct Counts {
    segments: u64,
    out_of_order: u64,
    bytes: u64,
}

/// The data towards one end while the packets of a connection come in the order of time.
struct Course {
    towards: Role,
    start_known: bool,
    buffer: Buffer,
    counts: Vec<Counts>,
    duplicates: u64,
    unmapped: u64,
    span: Option<(Instant, Instant)>,
}

impl Course {
    fn new(towards: Role, first: Option<u64>, streams: &[StreamId]) -> Self {
        Course {
            towards,
            start_known: first.is_some(),
            buffer: Buffer::new(first, streams.len()),
            counts: vec![Counts::default(); streams.len()],
            duplicates: 0,
            unmapped: 0,
            span: None,
        }
    }

    fn acknowledges(&mut self, packet: &DataPacket<'_>) {
        if let Some(acknowledged) = packet.data_ack {
            self.buffer.acknowledge(acknowledged, packet.time, packet.row);
        }
    }

    fn arrives(&mut self, packet: &DataPacket<'_>) {
        self.unmapped += packet.unmapped;
        if packet.mapped == 0 {
            return;
        }
        self.span = Some((self.span.map_or(packet.time, |(first, _)| first), packet.time));
        self.duplicates += u64::from(packet.fresh.is_empty());
        let waiting = arrive(&mut self.buffer, packet);
        if let Some(counts) = self.counts.get_mut(packet.subflow) {
            counts.segments += 1;
            counts.out_of_order += u64::from(waiting > 0);
            counts.bytes += waiting;
        }
    }

    fn finish(self, streams: &[StreamId]) -> OutOfOrderDirection {
        let Course { towards, start_known, buffer, counts, duplicates, unmapped, span } = self;
        let summary = buffer.finish();
        let sum = |part: fn(&Counts) -> u64| counts.iter().map(part).sum::<u64>();
        let duration = duration(span).seconds();
        #[allow(clippy::cast_precision_loss)]
        let mean = (duration > 0.0).then(|| summary.byte_nanoseconds as f64 / 1e9 / duration);
        let hol_delay = Distribution::of(summary.waits.iter().flatten().map(|wait| wait.span).collect());
        let waited = streams.iter().zip(&counts).zip(summary.waits);
        let fillers = summary.fillers.into_iter().filter(|(_, filled)| filled.holes > 0);
        OutOfOrderDirection {
            towards,
            capture_point: None,
            segments: sum(|counts| counts.segments),
            out_of_order_segments: sum(|counts| counts.out_of_order),
            duplicate_segments: duplicates,
            peak_bytes: summary.peak,
            mean_bytes: mean,
            blocked_time: summary.blocked.seconds(),
            waiting_at_end_bytes: summary.waiting,
            missing_bytes: summary.missing,
            unmapped_bytes: unmapped,
            start_known,
            hol_delay,
            subflows: waited
                .map(|((stream, counts), waits)| Waited {
                    tcpstream: *stream,
                    segments: counts.segments,
                    out_of_order_segments: counts.out_of_order,
                    bytes_waited: counts.bytes,
                    hol_delay: Distribution::of(waits.iter().map(|wait| wait.span).collect()),
                    waits,
                })
                .collect(),
            blame: fillers
                .map(|(filler, filled)| Blame {
                    tcpstream: match filler {
                        Filler::Subflow(index) => streams.get(index).copied(),
                        Filler::NotSeen => None,
                    },
                    holes_filled: filled.holes,
                    released_bytes: filled.bytes,
                    blocked_time: filled.blocked.seconds(),
                })
                .collect(),
            occupancy: summary.occupancy,
        }
    }
}

/// Hands a packet's new data to the buffer; returns how many bytes of it have to wait.
fn arrive(buffer: &mut Buffer, packet: &DataPacket) -> u64 {
    let arrivals = packet.fresh.iter().map(|(start, end)| Arrival {
        start: *start,
        end: *end,
        time: packet.time,
        row: packet.row,
        subflow: packet.subflow,
    });
    arrivals.map(|arrival| buffer.arrive(arrival)).sum()
}
