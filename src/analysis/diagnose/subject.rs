//! Facts about one connection that its detectors ask for, gathered in one walk over its packets.

use std::cell::OnceCell;

use super::silent::Quiet;
use mptcp_trace::analysis::acknowledged::{Acknowledged, Watches, acknowledged};
use mptcp_trace::analysis::addresses::{Advertisement, advertisements_among};
use mptcp_trace::analysis::availability::{Availability, availability};
use mptcp_trace::analysis::capture_point::{self, CapturePoint, SeenFrom};
use mptcp_trace::analysis::closing::{Closing, closing_among};
use mptcp_trace::analysis::fallback::{Fallback, fallback_by};
use mptcp_trace::analysis::idle_gaps::{IdleGaps, Silence, threshold};
use mptcp_trace::analysis::joins::{JoinAttempt, joins};
use mptcp_trace::analysis::option_loss::{Loss, Losses};
use mptcp_trace::analysis::receive_window::{Limits, Restraint, WindowCourse};
use mptcp_trace::analysis::removals::{Removal, removals_among};
use mptcp_trace::analysis::retransmissions::{SendingAgain, SentAgain};
use mptcp_trace::analysis::sender_view::longest_round_trip;
use mptcp_trace::analysis::standstill::{Progress, Standstill};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::data::{Direction, Laden, Mappings};
use mptcp_trace::tracking::{ByRole, Capture, Connection, Role, Travelling};
use mptcp_trace::{Instant, PacketRow, Span};

/// Input of every detector of a connection.
pub(super) struct Subject<'a> {
    pub capture: &'a Capture,
    pub connection: &'a Connection,
    pub mappings: &'a Mappings<'a>,
    /// The packets that say more than which data they carry ([`Travelling::is_signal`]).
    pub signals: Vec<Travelling<'a>>,
    /// When the first and the last packet were recorded, in the order of the file.
    pub span: Option<(Instant, Instant)>,
    /// The last packet with a DATA_ACK of the data of either direction.
    pub last_data_acks: ByRole<Option<u64>>,
    pub directions: ByRole<Direction>,
    pub acknowledged: ByRole<Acknowledged>,
    /// The longest round trip that a handshake shows.
    pub round_trip: Option<Span>,
    pub windows: ByRole<Windows>,
    pub standing: Vec<Standing>,
    /// What each subflow sent again.
    pub sent_again: Vec<ByRole<SentAgain>>,
    /// Losses of options by the index of their subflow.
    pub losses: Vec<(usize, Loss<PacketRow>)>,
    pub quiet: ByRole<Quiet>,
    pub fallback: Option<Fallback>,
    pub joins: Vec<JoinAttempt>,
    pub closing: Closing,
    pub removals: Vec<Removal>,
    pub advertisements: Vec<Advertisement>,
    pub available: Vec<Availability>,
    /// Where each subflow was recorded.
    points: OnceCell<Vec<Option<CapturePoint>>>,
}

/// A subflow that stood still in one direction.
pub(super) struct Standing {
    /// Index of the subflow.
    pub subflow: usize,
    pub towards: Role,
    pub standstill: Standstill,
}

/// One direction's receive window.
pub(super) struct Windows {
    pub limits: Limits,
    pub idle: IdleGaps,
    /// A shorter silence is not a gap.
    pub threshold: Span,
    /// As in [`WindowCourse::delay`].
    pub delay: Span,
    /// As [`WindowCourse::is_whole`] says.
    pub is_whole: bool,
    /// As [`WindowCourse::is_measured`] says.
    pub is_measured: bool,
}

/// The receive window of one direction while packets go by.
struct WindowWatch {
    course: WindowCourse,
    restraint: Restraint,
    silence: Silence,
    threshold: Span,
}

impl WindowWatch {
    fn new(capture: &Capture, connection: &Connection, towards: Role, round_trip: Option<Span>) -> Self {
        let course = WindowCourse::new(capture, connection, towards);
        let (delay, threshold) = (course.delay, threshold(round_trip, course.delay));
        WindowWatch { course, restraint: Restraint::new(delay), silence: Silence::new(delay, threshold), threshold }
    }

    fn push(&mut self, capture: &Capture, laden: &Laden<'_, '_>) {
        let step = self.course.push(&capture.tracking, laden);
        self.restraint.push(&step);
        self.silence.push(&step);
    }

    fn finish(self) -> Windows {
        Windows {
            limits: self.restraint.finish(),
            idle: self.silence.finish(),
            threshold: self.threshold,
            delay: self.course.delay,
            is_whole: self.course.is_whole(),
            is_measured: self.course.is_measured(),
        }
    }
}

/// One subflow while its packets go by.
struct SubflowWatch {
    progress: ByRole<Progress>,
    again: SendingAgain,
}

impl<'a> Subject<'a> {
    /// Gathers them; `visit` is shown each packet meanwhile.
    pub fn new(
        capture: &'a Capture,
        connection: &'a Connection,
        mappings: &'a Mappings<'a>,
        mut visit: impl FnMut(&Laden<'_, '_>),
    ) -> Self {
        let round_trip = longest_round_trip(capture, connection);
        let window = |towards: Role| WindowWatch::new(capture, connection, towards, round_trip);
        let mut windows = ByRole { server: window(Role::Server), client: window(Role::Client) };
        let subflow = |index: usize| SubflowWatch {
            progress: ByRole::default(),
            again: SendingAgain::new(capture, connection, index),
        };
        let count = connection.subflows.len();
        let mut subflows: Vec<SubflowWatch> = (0..count).map(subflow).collect();
        let mut watches = mappings.is_in_time_order().then(|| Watches::new(connection));
        let mut losses = Losses::new(capture, connection);
        let mut quiet = ByRole { server: Quiet::new(count), client: Quiet::new(count) };
        let mut signals = Vec::new();
        let mut span: Option<(Instant, Instant)> = None;
        let mut last_data_acks = ByRole::default();
        let directions = mappings.walk(|laden| {
            visit(laden);
            let packet = laden.packet;
            let time = packet.segment.abstime;
            span = Some(span.map_or((time, time), |(first, _)| (first, time)));
            if packet.is_signal(connection) {
                signals.push(*packet);
            }
            if packet.segment.dss().is_some_and(|dss| dss.data_ack.is_some()) {
                *last_data_acks.get_mut(packet.towards.other()) = Some(packet.segment.packetid());
            }
            if let Some(watches) = &mut watches {
                watches.push(laden);
            }
            for role in Role::BOTH {
                windows.get_mut(role).push(capture, laden);
                quiet.get_mut(role).push(packet, role);
            }
            let place = capture.tracking.packets.get(packet.row);
            if let (Some(subflow), Some(place)) = (subflows.get_mut(packet.subflow), place) {
                for role in Role::BOTH {
                    subflow.progress.get_mut(role).push(packet, role);
                }
                subflow.again.push(packet, place);
                losses.push(packet, place);
            }
        });
        let mut standing = Vec::new();
        let mut sent_again = Vec::with_capacity(subflows.len());
        for (subflow, watch) in interruptible(subflows.into_iter().enumerate()) {
            let ByRole { server, client } = watch.progress;
            for (towards, progress) in [(Role::Server, server), (Role::Client, client)] {
                let found = progress.finish().into_iter();
                standing.extend(found.map(|standstill| Standing { subflow, towards, standstill }));
            }
            sent_again.push(watch.again.finish());
        }
        let joins = joins(capture, connection);
        Subject {
            capture,
            connection,
            span,
            last_data_acks,
            directions,
            acknowledged: watches.map_or_else(|| acknowledged(capture, connection), Watches::finish),
            round_trip,
            windows: ByRole { server: windows.server.finish(), client: windows.client.finish() },
            standing,
            sent_again,
            losses: losses.finish(),
            quiet,
            fallback: fallback_by(capture, connection, mappings),
            closing: closing_among(capture, connection, signals.iter().copied()),
            removals: removals_among(capture, connection, signals.iter().copied()),
            advertisements: advertisements_among(capture, connection, signals.iter().copied()),
            available: availability(capture, connection, &joins, &signals),
            joins,
            signals,
            mappings,
            points: OnceCell::new(),
        }
    }

    /// Where each subflow was recorded.
    pub fn points(&self) -> &[Option<CapturePoint>] {
        self.points.get_or_init(|| capture_point::of_subflows(self.capture, self.connection))
    }

    /// Where the subflow of that index was recorded.
    pub fn point(&self, subflow: usize) -> Option<CapturePoint> {
        *self.points().get(subflow)?
    }

    /// Where the connection was recorded.
    pub fn point_of_all(&self) -> Option<CapturePoint> {
        capture_point::agreed(self.points().iter().copied())
    }

    /// Where a direction of the subflow of that index was recorded.
    pub fn place(&self, subflow: usize, towards: Role) -> Option<SeenFrom> {
        Some(self.point(subflow)?.seen(towards))
    }

    /// The packet id of a row.
    pub fn id(&self, row: PacketRow) -> u64 {
        self.capture.segments.get(row.index()).map_or(0, |segment| segment.packetid())
    }

    /// Seconds since the first frame of the file, for sentences.
    pub fn time(&self, instant: Instant) -> String {
        format!("{:.3} s", (instant - self.capture.origin()).seconds())
    }
}
