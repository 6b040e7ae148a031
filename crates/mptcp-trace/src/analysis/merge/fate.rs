//! Lost, or only not captured: what the receiver's own packets say about what its capture lacks.

use super::Fate;
use super::directions::Packet;
use super::ranges::Part;
use super::window::Window;
use crate::Instant;
use crate::interrupt::interruptible;
use crate::packets::segment::flag;
use crate::tracking::data::Intervals;

/// What the receiver's capture shows of a direction, and of the packets that travelled the other way.
pub struct Witness<'a> {
    /// What it recorded of the direction.
    pub received: &'a [Packet],
    /// What its own end sent, as it recorded it: the acknowledgements.
    pub answers: &'a [Packet],
    /// The parts of the other direction.
    pub answer_parts: &'a [Part],
    /// First and last packet of the receiver's whole capture.
    pub recorded: Option<(Instant, Instant)>,
}

/// Tells apart, among what counts as lost, what the receiver's capture only lacks.
///
/// Of what would have arrived before its first packet or after its last one, or may have, it says nothing. And where the
/// receiver acknowledged bytes that nothing in its capture had brought by then, they arrived unseen.
pub fn tell_lost_from_unseen(parts: &mut [Part], sent: &[Packet], witness: &Witness<'_>, aligned: i64) {
    if parts.iter().all(|part| part.fate != Fate::Lost) {
        return;
    }
    let Some(window) = Window::new(parts, sent, witness) else {
        // Nothing that was sent is known to be what was received.
        for part in interruptible(parts.iter_mut().filter(|part| part.fate == Fate::Lost)) {
            part.fate = Fate::NotCapturedAtReceiver;
        }
        return;
    };
    let opening = Opening::new(witness);
    let bytes = |part: &Part, packet: &Packet| {
        let (start, _) = packet.bytes()?;
        let first = start.saturating_add(part.offset.into()).wrapping_add_signed(aligned.wrapping_neg());
        Some((first, first.saturating_add(part.length.into())))
    };
    let mut outside: Intervals<()> = Intervals::default();
    for part in interruptible(parts.iter_mut().filter(|part| part.fate == Fate::Lost)) {
        let Some((index, packet)) = part.sent.and_then(|index| Some((index, sent.get(index)?))) else { continue };
        if window.covers(index, packet) || opening.was_lost(packet) {
            continue;
        }
        part.fate = Fate::OutsideCapture;
        if let Some((first, last)) = bytes(part, packet) {
            outside.fill(first, last, |_| ());
        }
    }
    let acknowledged = Acknowledged::new(witness);
    for part in interruptible(parts.iter_mut().filter(|part| part.fate == Fate::Lost)) {
        let Some(packet) = part.sent.and_then(|index| sent.get(index)) else { continue };
        let unseen = bytes(part, packet).is_some_and(|(first, last)| {
            // Another copy may have brought them while the capture was not running.
            outside.overlaps(first, last).next().is_none() && acknowledged.unseen(first, last)
        });
        if unseen {
            part.fate = Fate::NotCapturedAtReceiver;
        }
    }
}

/// SYNs before the receiver's capture shows anything of the stream.
struct Opening {
    /// The receiver's capture has a later SYN of it, and nothing that its end answered before.
    unanswered: bool,
}

impl Opening {
    fn new(witness: &Witness<'_>) -> Self {
        let begun = witness.received.iter().any(is_opening);
        let answered = witness.answer_parts.iter().any(|part| part.fate == Fate::NotCapturedAtSender);
        Opening { unanswered: begun && !answered }
    }

    /// A SYN that came before the capture's first packet would have been answered, and the other capture would show it.
    fn was_lost(&self, packet: &Packet) -> bool {
        self.unanswered && is_opening(packet)
    }
}

fn is_opening(packet: &Packet) -> bool {
    packet.flags & (flag::SYN | flag::ACK) == flag::SYN
}

/// Times of arrivals and acknowledgements, by the receiver's capture.
struct Acknowledged {
    arrivals: Intervals<Instant>,
    /// Position up to which everything was acknowledged, and when it first was; both ascending.
    steps: Vec<(u64, Instant)>,
}

impl Acknowledged {
    fn new(witness: &Witness<'_>) -> Self {
        let mut arrivals = Intervals::default();
        for packet in interruptible(witness.received) {
            if let Some((start, end)) = packet.bytes() {
                arrivals.fill(start, end, |_| packet.time);
            }
        }
        let mut steps: Vec<(u64, Instant)> = Vec::new();
        // Acknowledgements are placed by the number that the first packet of the direction has.
        let mut positions = crate::tracking::sequence::Positions::default();
        if let Some(first) = witness.received.first() {
            positions.position(first.sequence);
            let acknowledging = witness.answers.iter().filter(|packet| packet.acknowledgement != 0);
            for packet in interruptible(acknowledging) {
                let position = positions.position(packet.acknowledgement);
                if steps.last().is_none_or(|(highest, _)| position > *highest) {
                    steps.push((position, packet.time));
                }
            }
        }
        Acknowledged { arrivals, steps }
    }

    /// Whether these bytes were acknowledged before anything in the capture brought all of them.
    fn unseen(&self, first: u64, last: u64) -> bool {
        let step = self.steps.partition_point(|(position, _)| *position < last);
        let Some((_, time)) = self.steps.get(step) else { return false };
        let late = self.arrivals.overlaps(first, last).any(|piece| piece.value > *time);
        late || self.arrivals.gaps(first, last).next().is_some()
    }
}
