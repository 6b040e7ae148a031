//! Lost, or only not captured: what the receiver's own packets say about what its capture lacks.

use super::Fate;
use super::directions::Packet;
use super::ranges::Part;
use crate::tracking::data::Intervals;

/// What the receiver's capture shows of a direction, and of the packets that travelled the other way.
pub struct Witness<'a> {
    /// What it recorded of the direction.
    pub received: &'a [Packet],
    /// What its own end sent, as it recorded it: the acknowledgements.
    pub answers: &'a [Packet],
    /// What its own end sent as the *other* capture recorded it, and what became of that.
    pub answers_elsewhere: &'a [Packet],
    /// The parts of the other direction.
    pub answer_parts: &'a [Part],
    /// Nothing takes less time than this from the receiver to the sender, nanoseconds by their own clocks.
    pub soonest_back: Option<i64>,
    /// First and last packet of the receiver's whole capture.
    pub recorded: Option<(i64, i64)>,
}

/// Tells apart, among what counts as lost, what the receiver's capture only lacks.
///
/// The receiver acknowledged octets that nothing in its capture brought by then: they arrived unseen. And where the
/// receiver's end is known to have sent packets before its capture's first or after its last one, the capture was not
/// running, so nothing is known of what travelled then.
pub fn tell_lost_from_unseen(
    parts: &mut [Part],
    sent: &[Packet],
    witness: &Witness<'_>,
    aligned: i64,
    soonest: Option<i64>,
) {
    if parts.iter().all(|part| part.fate != Fate::Lost) {
        return;
    }
    let acknowledged = Acknowledged::new(witness);
    let outage = Outage::new(witness);
    for part in parts.iter_mut().filter(|part| part.fate == Fate::Lost) {
        let Some(packet) = part.sent.and_then(|index| sent.get(index)) else { continue };
        let expected = soonest.map(|soonest| packet.time.saturating_add(soonest));
        let octets = packet.octets().map(|(start, _)| {
            let first = start.saturating_add(part.offset.into()).wrapping_add_signed(aligned.wrapping_neg());
            (first, first.saturating_add(part.length.into()))
        });
        let unseen = witness.received.is_empty()
            || expected.is_some_and(|expected| outage.covers(expected))
            || octets.is_some_and(|(first, last)| acknowledged.unseen(first, last));
        if unseen {
            part.fate = Fate::NotCapturedAtReceiver;
        }
    }
}

/// What arrived when, and what was acknowledged when, both by the receiver's capture.
struct Acknowledged {
    arrivals: Intervals<i64>,
    /// Position up to which everything was acknowledged, and when it first was; both ascending.
    steps: Vec<(u64, i64)>,
}

impl Acknowledged {
    fn new(witness: &Witness<'_>) -> Self {
        let mut arrivals = Intervals::default();
        for packet in witness.received {
            if let Some((start, end)) = packet.octets() {
                arrivals.fill(start, end, |_| packet.time);
            }
        }
        let mut steps: Vec<(u64, i64)> = Vec::new();
        // Acknowledgements are placed by the number that the first packet of the direction has.
        let mut positions = crate::tracking::sequence::Positions::default();
        if let Some(first) = witness.received.first() {
            positions.position(first.sequence);
            let acknowledging = witness.answers.iter().filter(|packet| packet.acknowledgement != 0);
            for packet in acknowledging {
                let position = positions.position(packet.acknowledgement);
                if steps.last().is_none_or(|(highest, _)| position > *highest) {
                    steps.push((position, packet.time));
                }
            }
        }
        Acknowledged { arrivals, steps }
    }

    /// Whether these octets were acknowledged before anything in the capture brought all of them.
    fn unseen(&self, first: u64, last: u64) -> bool {
        let step = self.steps.partition_point(|(position, _)| *position < last);
        let Some((_, time)) = self.steps.get(step) else { return false };
        let late = self.arrivals.overlaps(first, last).any(|piece| piece.value > *time);
        late || self.arrivals.gaps(first, last).next().is_some()
    }
}

/// When the receiver's capture was not running although its end sent packets.
struct Outage {
    before: Option<i64>,
    after: Option<i64>,
}

impl Outage {
    fn new(witness: &Witness<'_>) -> Self {
        let (Some((begin, end)), Some(back)) = (witness.recorded, witness.soonest_back) else {
            return Outage { before: None, after: None };
        };
        let unseen = witness.answer_parts.iter().filter(|part| part.fate == Fate::NotCapturedAtSender);
        let times = unseen.filter_map(|part| Some(witness.answers_elsewhere.get(part.received?)?.time));
        let (mut before, mut after) = (None, None);
        for time in times.map(|time| time.saturating_sub(back)) {
            if time < begin {
                before = Some(begin);
            } else if time > end {
                after = Some(end);
            }
        }
        Outage { before, after }
    }

    fn covers(&self, time: i64) -> bool {
        self.before.is_some_and(|begin| time < begin) || self.after.is_some_and(|end| time > end)
    }
}
