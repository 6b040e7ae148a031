//! What is counted on the walk over the packets of a connection that its findings need: one look at each packet is cheaper
//! than one for each table.

use mptcp_trace::Instant;
use mptcp_trace::analysis::bursts::{Burst, Bursts, bursts};
use mptcp_trace::analysis::subflow_courses::{SubflowCourse, data_time, subflow_courses, subflow_courses_until};
use mptcp_trace::analysis::tcp_summary::{TcpSummary, tcp_summary, tcp_summary_of};
use mptcp_trace::analysis::traffic::{Counter, Traffic, traffic};
use mptcp_trace::analysis::volume::Volume;
use mptcp_trace::tracking::data::{Laden, Observer};
use mptcp_trace::tracking::{ByRole, Capture, Connection, Stream};

/// What came of it.
#[derive(Debug)]
pub struct Counted {
    /// As in `list_subflows`, in its order.
    pub courses: Vec<SubflowCourse>,
    /// As in `tcp_summary`, of the subflows in their order.
    pub tcp: Vec<TcpSummary>,
    /// As in `traffic`.
    pub traffic: Vec<Traffic>,
    /// As in `bursts`.
    pub bursts: Vec<Burst>,
}

impl Counted {
    /// The same by walks of their own.
    pub fn of(capture: &Capture, connection: &Connection) -> Self {
        Counted {
            courses: subflow_courses(capture, connection),
            tcp: streams(capture, connection).map(|stream| tcp_summary(capture, stream)).collect(),
            traffic: traffic(capture, connection),
            bursts: bursts(capture, connection),
        }
    }
}

/// All of it while the packets go by in the order of the file.
pub struct Meanwhile<'a> {
    capture: &'a Capture,
    connection: &'a Connection,
    last_data: Option<Instant>,
    volumes: Vec<ByRole<Volume>>,
    traffic: Counter,
    bursts: Bursts,
}

impl<'a> Meanwhile<'a> {
    /// Before the first packet.
    pub fn new(capture: &'a Capture, connection: &'a Connection) -> Self {
        Meanwhile {
            capture,
            connection,
            last_data: None,
            volumes: connection.subflows.iter().map(|_| ByRole::default()).collect(),
            traffic: Counter::new(connection),
            bursts: Bursts::new(capture.origin()),
        }
    }

    /// After the last packet.
    pub fn finish(self) -> Counted {
        let Meanwhile { capture, connection, last_data, volumes, traffic, bursts } = self;
        let streams = streams(capture, connection).zip(&volumes);
        Counted {
            courses: subflow_courses_until(capture, connection, last_data),
            tcp: streams.map(|(stream, volumes)| tcp_summary_of(stream, volumes)).collect(),
            traffic: traffic.finish(capture, connection),
            bursts: bursts.finish(),
        }
    }
}

impl Observer for Meanwhile<'_> {
    fn see(&mut self, laden: &Laden<'_, '_>) {
        let packet = laden.packet;
        self.last_data = self.last_data.max(data_time(packet));
        let place = self.capture.tracking.packets.get(packet.row);
        if let (Some(volumes), Some(place)) = (self.volumes.get_mut(packet.subflow), place) {
            volumes.get_mut(packet.tcp_towards).push(packet.segment, place);
        }
        self.traffic.push(self.capture, packet);
        self.bursts.push(laden);
    }
}

fn streams<'a>(capture: &'a Capture, connection: &'a Connection) -> impl Iterator<Item = &'a Stream> {
    connection.subflows.iter().filter_map(|id| capture.tracking.stream(*id))
}
