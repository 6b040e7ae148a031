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
    unseen_by(capture, connection, &directions(&capture.segments, &capture.tracking, connection))
}

/// The same, where the totals of the connection are at hand.
#[must_use]
pub fn unseen_by(capture: &Capture, connection: &Connection, found: &ByRole<Direction>) -> ByRole<Unseen> {
    let of = |towards: Role| {
        let direction = found.get(towards);
        let some = direction.unseen.is_some_and(|bytes| bytes > 0);
        Unseen {
            bytes: direction.unseen,
            captured: direction.span.is_some(),
            lacking: if some { lacking(capture, connection, towards) } else { 0 },
        }
    };
    ByRole { server: of(Role::Server), client: of(Role::Client) }
}

/// Whether a subflow of `connection` is not in the capture, as DATA_ACKs show.
#[must_use]
pub fn lacks_a_subflow(capture: &Capture, connection: &Connection) -> bool {
    let unseen = unseen(capture, connection);
    Role::BOTH.into_iter().any(|role| unseen.get(role).elsewhere().is_some())
}

fn lacking(capture: &Capture, connection: &Connection, towards: Role) -> u64 {
    let subflows: Vec<usize> = (0..connection.subflows.len()).collect();
    let packets = connection.subflows.iter().filter_map(|id| capture.tracking.stream(*id));
    let packets = packets.map(|stream| stream.packets.len()).sum();
    parallel::each(&subflows, packets, |subflow| lacking_on(capture, connection, *subflow, towards)).into_iter().sum()
}

/// Bytes of one subflow that its receiver's TCP acknowledged and the capture lacks.
fn lacking_on(capture: &Capture, connection: &Connection, subflow: usize, towards: Role) -> u64 {
    let mut positions = Positions::default();
    let mut held = RangeSet::default();
    let mut acknowledged: Option<u64> = None;
    for packet in interruptible(of_subflow(&capture.segments, &capture.tracking, connection, subflow)) {
        let segment = packet.segment;
        if packet.towards == towards {
            let start = positions.position(segment.sequence);
            let numbers = u64::from(segment.has(flag::SYN)).saturating_add(segment.has(flag::FIN).into());
            let length = u64::from(segment.payload().unwrap_or(0)).saturating_add(numbers);
            if !segment.has(flag::RST) {
                held.insert(start, start.saturating_add(length));
            }
        } else if segment.flags() & (flag::ACK | flag::RST) == flag::ACK {
            acknowledged = acknowledged.max(positions.nearest(segment.acknowledgement));
        }
    }
    match (held.span(), acknowledged) {
        (Some((start, _)), Some(end)) => held.insert(start, end),
        _ => 0,
    }
}
