//! How long did a connection's round trips take, subflow by subflow and at the data level?

mod data;
mod tcp;

use std::collections::HashMap;

use serde::Serialize;

use super::capture_point::{CapturePoint, SeenFrom, agreed, of_subflows};
use super::distribution::Distribution;
use crate::interrupt::interruptible;
use crate::parallel::{both, each};
use crate::tracking::data::{DataPacket, Mappings};
use crate::tracking::travelling::{StreamPacket, Travelling, in_time_order, one_by_one};
use crate::tracking::{ByRole, Capture, Connection, Role, Stream, Tracking};
use crate::{Instant, PacketRow, Span, StreamId};

/// Level at which a round trip was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RttLevel {
    /// SYN to SYN/ACK, or SYN/ACK to ACK.
    Handshake,
    /// The byte before an acknowledgement number to that ACK, by Karn's rule.
    Tcp,
    /// A TCP timestamp to its echo.
    Timestamp,
    /// First sending of data to the DATA_ACK that covers it.
    Data,
}

impl RttLevel {
    /// As in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RttLevel::Handshake => "handshake",
            RttLevel::Tcp => "tcp",
            RttLevel::Timestamp => "timestamp",
            RttLevel::Data => "data",
        }
    }
}

/// One measured round trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RttSample {
    /// Row of the packet that ended it.
    pub row: PacketRow,
    /// When that was.
    pub time: Instant,
    /// Duration.
    pub span: Span,
    /// At the data level the first byte of the data, from the sender's IDSN; without the sender's key from the byte
    /// before the lowest one seen.
    pub dsn: Option<u64>,
}

impl RttSample {
    /// When what was answered had been sent.
    #[must_use]
    pub fn sent(&self) -> Instant {
        self.time - self.span
    }
}

/// The round trips of one kind in one direction of one subflow, or of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// The subflow; `None` for the whole connection.
    pub tcpstream: Option<StreamId>,
    /// The direction, at connection level, of the *data* whose round trip this is.
    pub towards: Role,
    /// Level of measurement.
    pub level: RttLevel,
    /// Where it was recorded, where that is known.
    pub capture_point: Option<SeenFrom>,
    /// In the order of time.
    pub samples: Vec<RttSample>,
}

/// A [`Series`] summed up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// The subflow; `None` for the whole connection.
    pub tcpstream: Option<StreamId>,
    /// The direction of the data whose round trip this is.
    pub towards: Role,
    /// Level of measurement.
    pub level: RttLevel,
    /// Where it was recorded as the data see it; `None` where the capture does not tell.
    pub capture_point: Option<SeenFrom>,
    /// The samples, in seconds.
    #[serde(flatten)]
    pub distribution: Distribution,
}

impl Series {
    /// The distribution of its samples.
    #[must_use]
    pub fn record(&self) -> Record {
        Record {
            tcpstream: self.tcpstream,
            towards: self.towards,
            level: self.level,
            capture_point: self.capture_point,
            distribution: Distribution::of(self.samples.iter().map(|sample| sample.span).collect()),
        }
    }
}

/// Meaning of round trips of data towards `towards`, recorded at this place: a sentence without full stop.
#[must_use]
pub fn meaning(place: Option<SeenFrom>, towards: Role) -> String {
    let towards = towards.name();
    match place {
        Some(SeenFrom::Sender) => {
            format!("towards the {towards}: recorded at the sender, so these are full round trips")
        }
        Some(SeenFrom::Receiver) => format!(
            "towards the {towards}: recorded at the receiver, so these are only the {towards}'s response times, not \
             the path's round trips"
        ),
        Some(SeenFrom::Between) => format!(
            "towards the {towards}: recorded on the way, so these are round trips from there to the {towards}, not of \
             the whole path"
        ),
        None => format!(
            "towards the {towards}: place of capture unknown; at the sender these would be full round trips, at the \
             receiver only the {towards}'s response times"
        ),
    }
}

/// What the handshakes of subflows recorded on the way tell: both halves, and the full round trip. A sentence without full
/// stop for each.
#[must_use]
pub fn parts(found: &RoundTrips) -> Vec<String> {
    let handshakes = found.series.iter().filter(|series| series.level == RttLevel::Handshake);
    let spans: HashMap<(Option<StreamId>, Role), Span> = handshakes
        .filter_map(|series| Some(((series.tcpstream, series.towards), series.samples.first()?.span)))
        .collect();
    let of = |series: &Series, towards: Role| spans.get(&(series.tcpstream, towards)).copied();
    let on_the_way = found.series.iter().filter(|series| {
        let handshake = series.level == RttLevel::Handshake && series.towards == Role::Server;
        handshake && series.capture_point == Some(SeenFrom::Between)
    });
    #[allow(clippy::cast_precision_loss)]
    let milliseconds = |span: Span| span.nanoseconds() as f64 / 1e6;
    let sentence = |series: &Series| {
        let (server, client) = (of(series, Role::Server)?, of(series, Role::Client)?);
        Some(format!(
            "subflow {}: of the handshake's full round trip of {:.3} ms, {:.3} ms lie between the place of capture and the \
             server, {:.3} ms between it and the client",
            series.tcpstream?,
            milliseconds(server + client),
            milliseconds(server),
            milliseconds(client)
        ))
    };
    on_the_way.filter_map(sentence).collect()
}

/// All round trips of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundTrips {
    /// Towards the server, then towards the client; the connection first, then each subflow by level.
    pub series: Vec<Series>,
    /// Packets that stand in the file behind one recorded later; the order of time was used.
    pub misplaced: usize,
}

/// One sample of a series, as a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleRow {
    /// The subflow.
    pub tcpstream: Option<StreamId>,
    /// The direction of the data whose round trip this is.
    pub towards: Role,
    /// Level of measurement.
    pub level: RttLevel,
    /// The packet that answered.
    pub packetid: Option<u64>,
    /// When it was recorded, seconds since the first frame of the file.
    pub reltime: f64,
    /// The round trip, seconds.
    pub rtt: f64,
}

impl RoundTrips {
    /// Each series summed up, in their order.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        let samples = self.series.iter().map(|series| series.samples.len()).sum();
        each(&self.series, samples, Series::record)
    }

    /// Each sample. The subflows' own samples of the data level are the connection's, told apart: those are left out.
    pub fn rows(&self, capture: &Capture) -> impl Iterator<Item = SampleRow> {
        let origin = capture.origin();
        let apart = self.series.iter().filter(|series| series.tcpstream.is_some());
        apart.flat_map(move |series| {
            interruptible(&series.samples).map(move |sample| SampleRow {
                tcpstream: series.tcpstream,
                towards: series.towards,
                level: series.level,
                packetid: capture.segments.get(sample.row.index()).map(|segment| segment.packetid()),
                reltime: (sample.time - origin).seconds(),
                rtt: sample.span.seconds(),
            })
        })
    }
}

/// Measures the round trips of a connection.
#[must_use]
pub fn rtt(capture: &Capture, connection: &Connection) -> RoundTrips {
    measured(capture, connection, &of_subflows(capture, connection), || {
        let (segments, tracking) = (&capture.segments, &capture.tracking);
        let (courses, misplaced) =
            Mappings::carried_at_once(segments, tracking, connection, DataCourses::new, DataCourses::push);
        courses.finish(misplaced)
    })
}

/// Measures the round trips of a connection, those of its data by `of_data`. `points` are where its subflows were recorded.
pub(super) fn measured(
    capture: &Capture,
    connection: &Connection,
    points: &[Option<CapturePoint>],
    of_data: impl FnOnce() -> OfData,
) -> RoundTrips {
    let packets = capture.tracking.packets_of(connection);
    let ((misplaced, courses), mut by_subflow) = both(packets, of_data, || of_tcp(capture, connection, points));
    let point = agreed(points.iter().copied());
    let mut series = Vec::new();
    for (towards, measured) in courses {
        series.push(data_series(connection, measured, (towards, point), &mut by_subflow));
        for subflow in &mut by_subflow {
            series.extend(subflow.extract_if(.., |series| series.towards == towards));
        }
    }
    RoundTrips { series, misplaced }
}

/// Round trips of data, each with the index of the subflow that first sent it.
pub(super) type OfSubflows = Vec<(usize, RttSample)>;

/// The round trips of the data by direction, and how many packets stand in the file behind one recorded later.
pub(super) type OfData = (usize, [(Role, OfSubflows); 2]);

/// The data of a connection while its packets come in the order of time.
pub(super) struct DataCourses {
    to_server: data::RttCourse,
    to_client: data::RttCourse,
}

impl DataCourses {
    /// Before the first packet; `first` are the numbers of the first bytes of data, where the keys tell.
    pub fn new(first: ByRole<Option<u64>>) -> Self {
        DataCourses {
            to_server: data::RttCourse::new(Role::Server, first.server),
            to_client: data::RttCourse::new(Role::Client, first.client),
        }
    }

    /// Takes in the next packet.
    pub fn push(&mut self, packet: &DataPacket<'_>) {
        self.to_server.push(packet);
        self.to_client.push(packet);
    }

    /// After the last packet; so many were `misplaced`.
    pub fn finish(self, misplaced: usize) -> OfData {
        (misplaced, [(Role::Server, self.to_server.finish()), (Role::Client, self.to_client.finish())])
    }
}

/// What TCP tells of the round trips of each subflow of a connection, in one pass over its packets: in two threads, the
/// packets of a subflow alone lie too far apart. `points` are where the subflows were recorded.
pub(super) fn of_tcp(capture: &Capture, connection: &Connection, points: &[Option<CapturePoint>]) -> Vec<Vec<Series>> {
    let (segments, tracking) = (&capture.segments, &capture.tracking);
    let mut courses: Vec<tcp::Course> = connection.subflows.iter().map(|_| tcp::Course::default()).collect();
    for packet in interruptible(one_by_one(segments, tracking, connection)).filter(|packet| !packet.elsewhere) {
        let Some(course) = courses.get_mut(packet.subflow) else { continue };
        let Travelling { row, segment, tcp_towards, nature, data, .. } = packet;
        course.push(&StreamPacket { row, segment, towards: tcp_towards, nature, data });
    }
    let of_each = connection.subflows.iter().zip(points).zip(courses);
    let series = of_each.map(|((id, point), course)| {
        let Some(stream) = tracking.stream(*id) else { return Vec::new() };
        let measured = course.finish();
        let measured = measured.unwrap_or_else(|| tcp::measure(in_time_order(segments, tracking, stream)));
        subflow_series(capture, stream, *point, measured)
    });
    series.collect()
}

/// The series of both directions of one subflow, recorded there.
fn subflow_series(
    capture: &Capture,
    stream: &Stream,
    point: Option<CapturePoint>,
    mut measured: ByRole<tcp::Measured>,
) -> Vec<Series> {
    let Some(subflow) = capture.tracking.subflow(stream.id) else { return Vec::new() };
    let mut series = Vec::new();
    for role in Role::BOTH {
        let measured = std::mem::take(measured.get_mut(role));
        let towards = Tracking::mptcp_towards(subflow, role);
        for (level, samples) in [
            (RttLevel::Handshake, measured.handshake),
            (RttLevel::Tcp, measured.acknowledgements),
            (RttLevel::Timestamp, measured.timestamps),
        ] {
            let capture_point = point.map(|point| point.seen(towards));
            series.push(Series { tcpstream: Some(stream.id), towards, level, capture_point, samples });
        }
    }
    series
}

/// The connection's own series of one direction; each subflow's is added behind what TCP told of it.
fn data_series(
    connection: &Connection,
    measured: OfSubflows,
    (towards, point): (Role, Option<CapturePoint>),
    by_subflow: &mut [Vec<Series>],
) -> Series {
    let mut counts = vec![0_usize; connection.subflows.len()];
    for (subflow, _) in interruptible(&measured) {
        if let Some(count) = counts.get_mut(*subflow) {
            *count = count.saturating_add(1);
        }
    }
    let mut by_sender: Vec<Vec<RttSample>> = counts.into_iter().map(Vec::with_capacity).collect();
    for (subflow, sample) in interruptible(&measured) {
        if let Some(own) = by_sender.get_mut(*subflow) {
            own.push(*sample);
        }
    }
    for ((id, series), samples) in interruptible(connection.subflows.iter().zip(by_subflow).zip(by_sender)) {
        let capture_point = series.iter().find(|series| series.towards == towards).and_then(|s| s.capture_point);
        series.push(Series { tcpstream: Some(*id), towards, level: RttLevel::Data, capture_point, samples });
    }
    Series {
        tcpstream: None,
        towards,
        level: RttLevel::Data,
        capture_point: point.map(|point| point.seen(towards)),
        samples: measured.into_iter().map(|(_, sample)| sample).collect(),
    }
}
