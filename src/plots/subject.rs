//! Subject of a plot: a TCP stream, or an MPTCP connection with its subflows.

use std::sync::OnceLock;

use clap::{Arg, ArgMatches, value_parser};

use super::crowded::thinned;
use super::request::PlotRequest;
use crate::arguments::{self, two_captures::Level};
use crate::drawing::figure::{Figure, Role as FigureRole};
use crate::error::Result;
use mptcp_trace::analysis::capture_point::{CapturePoint, SeenFrom, of_connection, of_subflow};
use mptcp_trace::tracking::{Capture, Connection, Role, Stream, Tracking};
use mptcp_trace::{ConnectionId, Instant, StreamId};

/// A stream or a connection, and the flows of it that are to be shown.
pub struct Subject<'a> {
    name: String,
    /// The connection; none of a stream by itself.
    connection: Option<&'a Connection>,
    /// Those to be shown, in the order of the connection.
    pub flows: Vec<SubjectStream<'a>>,
    capture: &'a Capture,
    /// Where it was recorded, once somebody asked.
    recorded: OnceLock<Option<CapturePoint>>,
}

/// A TCP stream, as part of a subject.
pub struct SubjectStream<'a> {
    /// Its place among the connection's subflows, whether or not all are shown.
    pub index: u32,
    /// The stream.
    pub stream: &'a Stream,
    /// As the legend calls it.
    pub name: String,
    /// Whether the connection's client is this stream's server.
    turned: bool,
}

impl SubjectStream<'_> {
    /// The look that is the flow's own.
    #[must_use]
    pub fn look(&self) -> FigureRole {
        FigureRole::subflow(self.index)
    }

    /// The end of the *stream* that a packet travels towards when it travels towards `towards` of the subject.
    #[must_use]
    pub fn stream_role(&self, towards: Role) -> Role {
        if self.turned { towards.other() } else { towards }
    }
}

/// Adds `{tcp|mptcp} N`.
pub fn with_arguments(command: clap::Command) -> clap::Command {
    let level = Arg::new("level")
        .value_name("tcp|mptcp")
        .required(true)
        .value_parser(value_parser!(Level))
        .help("Kind of N: TCP stream or MPTCP connection");
    let number = Arg::new("stream")
        .value_name("N")
        .required(true)
        .value_parser(arguments::stream_number)
        .help("Number from `list_tcp_connections` or `list_mptcp_connections`");
    command.arg(level).arg(number)
}

impl<'a> Subject<'a> {
    /// The subject named by `{tcp|mptcp} N`.
    ///
    /// # Errors
    /// [`crate::error::Error::NotFound`], saying which there are.
    pub fn of_arguments(capture: &'a Capture, arguments: &ArgMatches, request: &PlotRequest) -> Result<Self> {
        let number = arguments::number(arguments, "stream")?;
        match arguments.get_one::<Level>("level") {
            Some(Level::Tcp) => Ok(Self::of_stream(capture, capture.tcp_stream(StreamId(number))?, request)),
            _ => Ok(Self::of_connection(capture, capture.mptcp_connection(ConnectionId(number))?, request)),
        }
    }

    /// A stream by itself, with the roles that its ends have in it.
    #[must_use]
    pub fn of_stream(capture: &'a Capture, stream: &'a Stream, request: &PlotRequest) -> Self {
        let name = format!("TCP stream {}", stream.id);
        let label = request.labels.get(&stream.id).map(String::as_str).or_else(|| capture.path_label(stream.id));
        let flow = SubjectStream { index: 0, stream, name: label.unwrap_or(&name).to_string(), turned: false };
        let labelled = label.map_or_else(|| name.clone(), |label| format!("{name} ({label})"));
        let name = format!("{labelled} of {}", capture.name());
        Subject { name, connection: None, flows: vec![flow], capture, recorded: OnceLock::new() }
    }

    /// A connection, with the subflows that `request` shows.
    #[must_use]
    pub fn of_connection(capture: &'a Capture, connection: &'a Connection, request: &PlotRequest) -> Self {
        let flows = (0_u32..).zip(&connection.subflows).filter(|(_, id)| request.shows_subflow(**id));
        let flows = flows.filter_map(|(index, id)| {
            let stream = capture.tracking.stream(*id)?;
            let subflow = capture.tracking.subflow(*id)?;
            let turned = Tracking::mptcp_towards(subflow, Role::Server) == Role::Client;
            Some(SubjectStream { index, stream, name: request.subflow_name(*id), turned })
        });
        Subject {
            name: format!("MPTCP connection {} of {}", connection.id, capture.name()),
            connection: Some(connection),
            flows: flows.collect(),
            capture,
            recorded: OnceLock::new(),
        }
    }

    /// Where it was recorded, in the subject's own roles. Times to live of all packets decide, so they are read when
    /// somebody asks.
    #[must_use]
    pub fn recorded(&self) -> Option<CapturePoint> {
        *self.recorded.get_or_init(|| match self.connection {
            Some(connection) => of_connection(self.capture, connection),
            None => stream_recorded(self.capture, self.flows.first()?.stream),
        })
    }

    /// When the last packet of the flows that are shown was recorded.
    #[must_use]
    pub fn last_packet(&self, capture: &Capture) -> Option<Instant> {
        let spans = self.flows.iter().filter_map(|flow| capture.span_of(flow.stream));
        spans.map(|(_, last)| last).max()
    }

    /// A title: what is shown, and of what.
    #[must_use]
    pub fn title(&self, what: &str) -> String {
        format!("{what}: {}", self.name)
    }

    /// `figure` with as many subflows as a picture can show, see [`thinned`].
    #[must_use]
    pub fn thinned(&self, figure: Figure, capture: &Capture, request: &PlotRequest) -> Figure {
        match self.connection {
            Some(connection) => thinned(figure, capture, connection, request),
            None => figure,
        }
    }

    /// Whether the directions that `request` shows hold data recorded where they arrive: the end that they travel towards.
    pub fn recorded_at_receiver(&self, request: &PlotRequest) -> Option<Role> {
        let point = self.recorded()?;
        request.directions().into_iter().find(|towards| point.seen(*towards) == SeenFrom::Receiver)
    }

    /// Meaning of the place of capture for the directions shown; `None` if unknown.
    #[must_use]
    pub fn place_note(&self, request: &PlotRequest) -> Option<String> {
        let CapturePoint::At(near) = self.recorded()? else {
            return Some("Recorded between both ends: data on the way.".to_string());
        };
        let how = |towards: Role| if towards == near { "as received" } else { "as sent" };
        let seen = match request.directions().as_slice() {
            [only] => format!("data {}", how(*only)),
            all => {
                let parts: Vec<String> =
                    all.iter().map(|role| format!("to the {} {}", role.name(), how(*role))).collect();
                format!("data {}", parts.join(", "))
            }
        };
        Some(format!("Recorded at the {}: {seen}.", near.name()))
    }
}

/// Where a stream was recorded, in its own roles.
fn stream_recorded(capture: &Capture, stream: &Stream) -> Option<CapturePoint> {
    let turned = capture.tracking.subflow(stream.id).is_some_and(|subflow| subflow.opened_towards == Role::Client);
    of_subflow(capture, stream).map(|point| match point {
        CapturePoint::At(role) if turned => CapturePoint::At(role.other()),
        point => point,
    })
}
