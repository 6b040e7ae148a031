//! Facts about one connection that its detectors ask for, gathered on two ways over its packets.

use std::cell::OnceCell;

use super::watches::{DataWatch, Passed, Windows};
use mptcp_trace::analysis::acknowledged::Acknowledged;
use mptcp_trace::analysis::addresses::{Advertisement, advertisements_among};
use mptcp_trace::analysis::availability::{Availability, availability};
use mptcp_trace::analysis::capture_point::{self, CapturePoint, SeenFrom};
use mptcp_trace::analysis::closing::{Closing, closing_among};
use mptcp_trace::analysis::fallback::{Fallback, fallback_by};
use mptcp_trace::analysis::joins::{JoinAttempt, joins};
use mptcp_trace::analysis::removals::{Removal, removals_among};
use mptcp_trace::analysis::unseen;
use mptcp_trace::tracking::data::{Direction, Mappings};
use mptcp_trace::tracking::{ByRole, Capture, Connection, Role};
use mptcp_trace::{Instant, PacketRow, Span};

/// Input of every detector of a connection.
pub(super) struct Subject<'a> {
    pub capture: &'a Capture,
    pub connection: &'a Connection,
    pub mappings: &'a Mappings<'a>,
    /// What single packets told.
    pub passed: Passed<'a>,
    pub directions: ByRole<Direction>,
    pub acknowledged: ByRole<Acknowledged>,
    /// The longest round trip that a handshake shows.
    pub round_trip: Option<Span>,
    pub windows: ByRole<Windows>,
    pub fallback: Option<Fallback>,
    pub joins: Vec<JoinAttempt>,
    pub closing: Closing,
    pub removals: Vec<Removal>,
    pub advertisements: Vec<Advertisement>,
    pub available: Vec<Availability>,
    ahead: Ahead,
}

/// What only some connections need to know, and takes another pass over all packets: worked out when it is asked for, and
/// of a long connection beforehand, by the thread that has time for it.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// Where each subflow was recorded.
    points: OnceCell<Vec<Option<CapturePoint>>>,
    /// As [`unseen::lacking`].
    lacking: OnceCell<ByRole<u64>>,
}

impl Ahead {
    /// All of it, at once.
    pub fn of(capture: &Capture, connection: &Connection) -> Self {
        Ahead {
            points: OnceCell::from(capture_point::of_subflows(capture, connection)),
            lacking: OnceCell::from(unseen::lacking(capture, connection)),
        }
    }
}

impl<'a> Subject<'a> {
    /// Gathers them: what the two passes over the packets of the connection found, and the rest.
    pub fn new(
        (capture, connection): (&'a Capture, &'a Connection),
        (mappings, directions): (&'a Mappings<'a>, ByRole<Direction>),
        round_trip: Option<Span>,
        carried: DataWatch<'_>,
        (passed, ahead): (Passed<'a>, Ahead),
    ) -> Self {
        let (windows, acknowledged) = carried.finish();
        let joins = joins(capture, connection);
        let signals = || passed.signals.iter().copied();
        Subject {
            capture,
            connection,
            directions,
            acknowledged,
            round_trip,
            windows,
            fallback: fallback_by(capture, connection, mappings),
            closing: closing_among(capture, connection, signals()),
            removals: removals_among(capture, connection, signals()),
            advertisements: advertisements_among(capture, connection, signals()),
            available: availability(capture, connection, &joins, &passed.signals),
            joins,
            passed,
            mappings,
            ahead,
        }
    }

    /// Where each subflow was recorded.
    pub fn points(&self) -> &[Option<CapturePoint>] {
        self.ahead.points.get_or_init(|| capture_point::of_subflows(self.capture, self.connection))
    }

    /// As [`unseen::lacking`].
    pub fn lacking(&self) -> ByRole<u64> {
        *self.ahead.lacking.get_or_init(|| unseen::lacking(self.capture, self.connection))
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
