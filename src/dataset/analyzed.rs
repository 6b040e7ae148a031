//! Everything that the tables say of one capture, worked out once.

use std::collections::HashMap;

use crate::analysis::diagnose::{Finding, Walked, diagnose_capture, diagnose_walked};
use crate::error::Result;
use mptcp_trace::analysis::address_signals::{AddressSignal, address_signals};
use mptcp_trace::analysis::bursts::Burst;
use mptcp_trace::analysis::capture_point::{CapturePoint, agreed, of_subflows as points};
use mptcp_trace::analysis::checksum::{ChecksumResult, Verdicts};
use mptcp_trace::analysis::data_course::{DataCourse, data_course};
use mptcp_trace::analysis::distribution::Distribution;
use mptcp_trace::analysis::events::{Event, EventKind, events};
use mptcp_trace::analysis::handovers::Handover;
use mptcp_trace::analysis::handshakes::{Handshake, handshakes};
use mptcp_trace::analysis::mptcp_connections::{MptcpConnection, mptcp_connections};
use mptcp_trace::analysis::mptcp_summary::{MptcpSummary, SubflowShare, mptcp_summary, mptcp_summary_of};
use mptcp_trace::analysis::out_of_order::OutOfOrder;
use mptcp_trace::analysis::receive_window::window_limited;
use mptcp_trace::analysis::reinjections::{Reinjection, reinjections};
use mptcp_trace::analysis::retransmitted::{Class, Retransmission, of_subflows};
use mptcp_trace::analysis::rtt::{RttLevel, SampleRow};
use mptcp_trace::analysis::subflow_courses::SubflowCourse;
use mptcp_trace::analysis::tcp_summary::TcpSummary;
use mptcp_trace::analysis::traffic::Traffic;
use mptcp_trace::interrupt;
use mptcp_trace::packets::capture_file::Description;
use mptcp_trace::tracking::data::Mappings;
use mptcp_trace::tracking::{ByRole, Capture, Connection, Role};
use mptcp_trace::{Instant, StreamId};

use super::meanwhile::{Counted, Meanwhile};
use super::tables::Table;
use super::task::{Status, Task};

/// One capture, and what came of it.
#[derive(Debug)]
pub struct Analyzed<'a> {
    /// The capture.
    pub task: &'a Task,
    /// How it ended.
    pub status: Status,
    /// Why there is nothing, or not all: a sentence.
    pub error: Option<String>,
    /// XXH3-128 of its content, hexadecimal; `None` where it was not read.
    pub content: Option<String>,
    /// What the head of its file says, the first one of several; `None` where that is neither pcap nor pcapng.
    pub described: Option<Description>,
    /// What was found; `None` where nothing could be read.
    pub facts: Option<Facts<'a>>,
    /// The rows of each other table that was asked for, as the table `captures` has them.
    pub table_rows: Vec<(&'static str, usize)>,
}

/// What was found in a capture.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The capture.
    pub capture: &'a Capture,
    /// Its listed MPTCP connections.
    pub connections: Vec<OfConnection<'a>>,
    /// Its handshakes that asked for MPTCP.
    pub handshakes: Vec<Handshake>,
    /// Its findings.
    pub findings: Vec<Finding>,
}

/// Key of a series of round trips: the subflow, or the whole connection; the direction; the level.
type Series = (Option<StreamId>, Role, &'static str);

/// What was found of one connection.
#[derive(Debug)]
pub struct OfConnection<'a> {
    /// The connection.
    pub connection: &'a Connection,
    /// As in `list_mptcp_connections`.
    pub record: MptcpConnection,
    /// As in `list_subflows`, in its order.
    pub courses: Vec<SubflowCourse>,
    /// As in `mptcp_summary`.
    pub summary: MptcpSummary,
    /// As in `ooo`.
    pub out_of_order: OutOfOrder,
    /// As in `events`.
    pub events: Vec<Event>,
    /// As in `addresses`.
    pub addresses: Vec<AddressSignal>,
    /// As in `tcp_summary`, of its subflows in their order.
    pub tcp: Vec<TcpSummary>,
    /// As in `traffic`: two of each subflow, in their order.
    pub traffic: Vec<Traffic>,
    /// As in `handovers`.
    pub handovers: Vec<Handover>,
    /// As in `bursts`.
    pub bursts: Vec<Burst>,
    /// As in `list_reinjections`; empty if the table is not asked for, as are the next two.
    pub reinjections: Vec<Reinjection>,
    /// As in `retransmissions`.
    pub retransmissions: Vec<Retransmission>,
    /// As in `rtt --samples`.
    pub rtt_samples: Vec<SampleRow>,
    /// As in `mptcp_required_buffer`.
    pub window_limited: ByRole<Option<f64>>,
    /// Where it was recorded.
    pub point: Option<CapturePoint>,
    round_trips: HashMap<Series, Distribution>,
    classes: HashMap<(StreamId, Role, Class), u64>,
}

impl OfConnection<'_> {
    /// As in `rtt`; `None` where there is no such series.
    #[must_use]
    pub fn rtt(&self, subflow: Option<StreamId>, towards: Role, level: RttLevel) -> Option<&Distribution> {
        self.round_trips.get(&(subflow, towards, level.name()))
    }

    /// Retransmissions of this class by a subflow.
    #[must_use]
    pub fn retransmitted(&self, subflow: StreamId, towards: Role, class: Class) -> u64 {
        self.classes.get(&(subflow, towards, class)).copied().unwrap_or(0)
    }

    /// From the first to the last packet of some of [`OfConnection::traffic`].
    #[must_use]
    pub fn span<'t>(traffic: impl Iterator<Item = &'t Traffic>) -> Option<(Instant, Instant)> {
        let spans = traffic.filter_map(|one| one.span);
        spans.reduce(|(first, last), (from, until)| (first.min(from), last.max(until)))
    }

    /// Events of this kind.
    pub fn events_of(&self, kind: EventKind) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(move |event| event.event == kind)
    }

    /// The parts of the subflow at this place in both directions.
    pub fn shares(&self, index: usize) -> impl Iterator<Item = &SubflowShare> {
        self.summary.directions.iter().filter_map(move |direction| direction.subflows.get(index))
    }
}

impl<'a> Facts<'a> {
    /// Analyses a capture for these tables. `checksums` are the verdicts on the checksums of its connections.
    ///
    /// # Errors
    /// On Ctrl-C.
    pub fn of(capture: &'a Capture, tables: &[&'static Table], checksums: &Verdicts) -> Result<Self> {
        let mut findings = diagnose_capture(capture);
        let mut records = mptcp_connections(capture).into_iter().peekable();
        let mut connections = Vec::new();
        for connection in capture.tracking.whole_connections() {
            interrupt::check()?;
            let verdicts = checksums.get(&connection.id).map(Vec::as_slice);
            let diagnosis = diagnose_walked(capture, connection, verdicts, || Meanwhile::new(capture, connection));
            findings.extend(diagnosis.findings);
            if let Some(record) = records.next_if(|record| record.mptcpstream == connection.id) {
                let subject = (capture, connection, &diagnosis.mappings);
                connections.push(of_one(subject, record, diagnosis.walked, verdicts, tables));
            }
        }
        findings.sort_by_key(|finding| finding.severity);
        interrupt::check()?;
        Ok(Facts { capture, connections, handshakes: handshakes(capture), findings })
    }

    /// Packets of the connections.
    #[must_use]
    pub fn mptcp_packets(&self) -> u64 {
        let streams = self.connections.iter().flat_map(|of| &of.connection.subflows);
        streams.filter_map(|id| self.capture.tracking.stream(*id)).map(|stream| stream.packets.len() as u64).sum()
    }

    /// The earliest and the latest TCP packet, microseconds since 1970.
    #[must_use]
    pub fn span(&self) -> Option<(i64, i64)> {
        self.instants().map(|(first, last)| (microseconds(first), microseconds(last)))
    }

    /// Seconds from the earliest to the latest TCP packet.
    #[must_use]
    pub fn duration(&self) -> Option<f64> {
        self.instants().map(|(first, last)| (last - first).seconds())
    }

    fn instants(&self) -> Option<(Instant, Instant)> {
        let times = || self.capture.segments.iter().map(|segment| segment.abstime);
        Some((times().min()?, times().max()?))
    }
}

/// Microseconds since 1970, rounded down.
#[must_use]
pub fn microseconds(instant: Instant) -> i64 {
    instant.nanoseconds().div_euclid(1000)
}

fn of_one<'a>(
    (capture, connection, mappings): (&'a Capture, &'a Connection, &Mappings<'_>),
    record: MptcpConnection,
    walked: Option<Walked<Meanwhile<'_>>>,
    verdicts: Option<&[ChecksumResult]>,
    tables: &[&'static Table],
) -> OfConnection<'a> {
    let asked = |name: &str| tables.iter().any(|table| table.name == name);
    let points = points(capture, connection);
    let point = agreed(points.iter().copied());
    let DataCourse { mut out_of_order, round_trips: found, handovers } =
        data_course(capture, connection, mappings, &points);
    let rtt_samples = if asked("rtt_samples") { found.rows(capture).collect() } else { Vec::new() };
    let series = found.series.into_iter();
    let round_trips = series.map(|series| {
        let record = series.record();
        ((record.tcpstream, record.towards, record.level.name()), record.distribution)
    });
    let round_trips = round_trips.collect();
    for direction in &mut out_of_order.directions {
        // One per packet that waited, and no table has them.
        direction.occupancy = Vec::new();
        direction.subflows.iter_mut().for_each(|subflow| subflow.waits = Vec::new());
    }
    let retransmissions = of_subflows(capture, connection, mappings.is_in_time_order());
    let mut classes = HashMap::new();
    for one in &retransmissions {
        *classes.entry((one.tcpstream, one.towards, one.class)).or_default() += 1;
    }
    let (summary, window_limited) = match &walked {
        Some(walked) => (mptcp_summary_of(capture, connection, &walked.directions, point), walked.window_limited),
        None => (mptcp_summary(capture, connection), window_limited(capture, connection)),
    };
    let walked = walked.map(|walked| walked.observer.finish());
    let Counted { courses, tcp, traffic, bursts } = walked.unwrap_or_else(|| Counted::of(capture, connection));
    OfConnection {
        connection,
        record,
        courses,
        summary,
        window_limited,
        out_of_order,
        events: events(capture, connection, verdicts),
        addresses: address_signals(capture, connection),
        tcp,
        traffic,
        handovers,
        bursts,
        reinjections: if asked("reinjections") { reinjections(capture, connection, None) } else { Vec::new() },
        retransmissions: if asked("retransmissions") { retransmissions } else { Vec::new() },
        rtt_samples,
        point,
        round_trips,
        classes,
    }
}
