//! How much data went over subflows that the capture does not hold?

use crate::interrupt::interruptible;
use crate::packets::segment::flag;
use crate::parallel;
use crate::tracking::data::{Direction, directions};
use crate::tracking::sequence::{Positions, RangeSet};
use crate::tracking::travelling::of_subflow;
use crate::tracking::{ByRole, Capture, Connection, Role};

/// Data of one direction that a DATA_ACK covers and no captured packet carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unseen {
    /// Bytes; `None` where no DATA_ACK of the direction was captured. Without the sender's key those from the lowest
    /// DATA_ACK on, or where the capture began in mid-connection, those sent a while after.
    pub bytes: Option<u64>,
    /// Packets of this direction are captured.
    pub captured: bool,
    /// Bytes that TCP acknowledged on the captured subflows and the capture lacks: as many of `bytes` may be theirs.
    pub lacking: u64,
}

impl Unseen {
    /// Bytes that went over other subflows than those of the capture, at least; one of them may be the number that a
    /// DATA_FIN takes. `None` where there are none, or the whole direction is missing.
    #[must_use]
    pub fn elsewhere(&self) -> Option<u64> {
        let bytes = self.bytes.filter(|_| self.captured)?;
        Some(bytes.saturating_sub(self.lacking)).filter(|bytes| *bytes > 1)
    }
}

/// Parts of `connection` missing from the capture, in either direction.
#[must_use]
pub fn unseen(capture: &Capture, connection: &Connection) -> ByRole<Unseen> {
    unseen_by(&directions(&capture.segments, &capture.tracking, connection), || lacking(capture, connection))
}

/// The same, where the totals of the connection are at hand; `lacking` is asked for what [`lacking`] says where that counts.
#[must_use]
pub fn unseen_by(found: &ByRole<Direction>, lacking: impl FnOnce() -> ByRole<u64>) -> ByRole<Unseen> {
    let some = |towards: Role| found.get(towards).unseen.is_some_and(|bytes| bytes > 0);
    let lacking = if Role::BOTH.into_iter().any(some) { lacking() } else { ByRole::default() };
    let of = |towards: Role| {
        let direction = found.get(towards);
        let lacking = if some(towards) { *lacking.get(towards) } else { 0 };
        Unseen { bytes: direction.unseen, captured: direction.span.is_some(), lacking }
    };
    ByRole { server: of(Role::Server), client: of(Role::Client) }
}

/// Whether a subflow of `connection` is not in the capture, as DATA_ACKs show.
#[must_use]
pub fn lacks_a_subflow(capture: &Capture, connection: &Connection) -> bool {
    let unseen = unseen(capture, connection);
    Role::BOTH.into_iter().any(|role| unseen.get(role).elsewhere().is_some())
}

/// Bytes of either direction that TCP acknowledged on the captured subflows of `connection` and the capture lacks.
#[must_use]
pub fn lacking(capture: &Capture, connection: &Connection) -> ByRole<u64> {
    let subflows: Vec<usize> = (0..connection.subflows.len()).collect();
    let packets = capture.tracking.packets_of(connection);
    let lacking = parallel::each(&subflows, packets, |subflow| lacking_on(capture, connection, *subflow));
    let sum = |towards: Role| lacking.iter().map(|subflow| *subflow.get(towards)).sum();
    ByRole { server: sum(Role::Server), client: sum(Role::Client) }
}

/// What the capture has of one direction of a subflow.
#[derive(Default)]
struct Held {
    positions: Positions,
    bytes: RangeSet,
    /// The next byte that its receiver expects.
    acknowledged: Option<u64>,
}

impl Held {
    fn lacking(mut self) -> u64 {
        match (self.bytes.span(), self.acknowledged) {
            (Some((start, _)), Some(end)) => self.bytes.insert(start, end),
            _ => 0,
        }
    }
}

/// Bytes of one subflow that either receiver's TCP acknowledged and the capture lacks.
fn lacking_on(capture: &Capture, connection: &Connection, subflow: usize) -> ByRole<u64> {
    let mut held: ByRole<Held> = ByRole::default();
    for packet in interruptible(of_subflow(&capture.segments, &capture.tracking, connection, subflow)) {
        let segment = packet.segment;
        let own = held.get_mut(packet.towards);
        let start = own.positions.position(segment.sequence);
        let numbers = u64::from(segment.has(flag::SYN)).saturating_add(segment.has(flag::FIN).into());
        let length = u64::from(segment.payload().unwrap_or(0)).saturating_add(numbers);
        if !segment.has(flag::RST) {
            own.bytes.insert(start, start.saturating_add(length));
        }
        if segment.flags() & (flag::ACK | flag::RST) == flag::ACK {
            let other = held.get_mut(packet.towards.other());
            other.acknowledged = other.acknowledged.max(other.positions.nearest(segment.acknowledgement));
        }
    }
    ByRole { server: held.server.lacking(), client: held.client.lacking() }
}
