//! What the detectors need to know of each packet of a connection: gathered while the packets go by.

use super::silent::Quiet;
use mptcp_trace::analysis::acknowledged::{Acknowledged, Watches, acknowledged};
use mptcp_trace::analysis::idle_gaps::{IdleGaps, Silence, threshold};
use mptcp_trace::analysis::option_loss::{Loss, Losses};
use mptcp_trace::analysis::receive_window::{Limits, Restraint, WindowCourse};
use mptcp_trace::analysis::retransmissions::{SendingAgain, SentAgain};
use mptcp_trace::analysis::standstill::{Progress, Standstill};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::data::{Laden, Observer};
use mptcp_trace::tracking::{ByRole, Capture, Connection, Role, Travelling, one_by_one};
use mptcp_trace::{Instant, PacketRow, Span};

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

/// What depends on the data that packets carry.
pub(super) struct DataWatch<'a> {
    capture: &'a Capture,
    connection: &'a Connection,
    windows: ByRole<WindowWatch>,
    /// As long as packets come in the order of time.
    acknowledgements: Option<Watches>,
    latest: Instant,
}

impl<'a> DataWatch<'a> {
    /// Before the first packet; `round_trip` is the longest that a handshake shows.
    pub fn new(capture: &'a Capture, connection: &'a Connection, round_trip: Option<Span>) -> Self {
        let window = |towards: Role| WindowWatch::new(capture, connection, towards, round_trip);
        DataWatch {
            capture,
            connection,
            windows: ByRole { server: window(Role::Server), client: window(Role::Client) },
            acknowledgements: Some(Watches::new(connection)),
            latest: Instant::MIN,
        }
    }

    /// The receive windows, and when data were acknowledged.
    pub fn finish(self) -> (ByRole<Windows>, ByRole<Acknowledged>) {
        let windows = ByRole { server: self.windows.server.finish(), client: self.windows.client.finish() };
        let again = || acknowledged(self.capture, self.connection);
        (windows, self.acknowledgements.map_or_else(again, Watches::finish))
    }
}

impl Observer for DataWatch<'_> {
    fn see(&mut self, laden: &Laden<'_, '_>) {
        let time = laden.packet.segment.abstime;
        if time < self.latest {
            self.acknowledgements = None;
        }
        self.latest = time;
        if let Some(acknowledgements) = &mut self.acknowledgements {
            acknowledgements.push(laden);
        }
        for role in Role::BOTH {
            self.windows.get_mut(role).push(self.capture, laden);
        }
    }
}

/// What depends on packets alone, whatever data they carry.
pub(super) struct Passed<'a> {
    /// The packets that say more than which data they carry ([`Travelling::is_signal`]).
    pub signals: Vec<Travelling<'a>>,
    /// When the first and the last packet were recorded, in the order of the file.
    pub span: Option<(Instant, Instant)>,
    /// The last packet with a DATA_ACK of the data of either direction.
    pub last_data_acks: ByRole<Option<u64>>,
    pub standing: Vec<Standing>,
    /// What each subflow sent again.
    pub sent_again: Vec<ByRole<SentAgain>>,
    /// Losses of options by the index of their subflow.
    pub losses: Vec<(usize, Loss<PacketRow>)>,
    pub quiet: ByRole<Quiet>,
}

/// One subflow while its packets go by.
struct SubflowWatch {
    progress: ByRole<Progress>,
    again: SendingAgain,
}

impl<'a> Passed<'a> {
    /// Looks at the packets of a connection.
    pub fn of(capture: &'a Capture, connection: &'a Connection) -> Self {
        let subflow = |index: usize| SubflowWatch {
            progress: ByRole::default(),
            again: SendingAgain::new(capture, connection, index),
        };
        let count = connection.subflows.len();
        let mut subflows: Vec<SubflowWatch> = (0..count).map(subflow).collect();
        let mut losses = Losses::new(capture, connection);
        let mut quiet = ByRole { server: Quiet::new(count), client: Quiet::new(count) };
        let mut signals = Vec::new();
        let mut span: Option<(Instant, Instant)> = None;
        let mut last_data_acks = ByRole::default();
        interruptible(one_by_one(&capture.segments, &capture.tracking, connection)).for_each(|packet| {
            let time = packet.segment.abstime;
            span = Some(span.map_or((time, time), |(first, _)| (first, time)));
            if packet.is_signal(connection) {
                signals.push(packet);
            }
            if packet.segment.data_ack().is_some() {
                *last_data_acks.get_mut(packet.towards.other()) = Some(packet.segment.packetid());
            }
            for role in Role::BOTH {
                quiet.get_mut(role).push(&packet, role);
            }
            let place = capture.tracking.packets.get(packet.row);
            if let (Some(subflow), Some(place)) = (subflows.get_mut(packet.subflow), place) {
                for role in Role::BOTH {
                    subflow.progress.get_mut(role).push(&packet, role);
                }
                subflow.again.push(&packet, place);
                losses.push(&packet, place);
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
        Passed { signals, span, last_data_acks, standing, sent_again, losses: losses.finish(), quiet }
    }
}
