//! One direction under way: from matched packets to passages in the order in which they were sent.

use super::directions::{Captures, MergedDirection, Packet};
use super::fate::{self, Witness};
use super::matching::{self, Alike};
use super::ranges::{self, Part};
use super::{Fate, Passage, Which};
use crate::Instant;
use crate::interrupt::interruptible;

/// First and last packet of a capture.
type Ends = Option<(Instant, Instant)>;

/// One direction of a stream.
pub struct Passing<'a> {
    /// The capture near the sender.
    pub sender: Which,
    sent: &'a [Packet],
    received: &'a [Packet],
    parts: Vec<Part>,
    aligned: i64,
}

impl<'a> Passing<'a> {
    /// Matches the packets of `direction`, which travel from the capture `sender` to the other one.
    pub fn new(direction: &'a MergedDirection, alike: &Alike, sender: Which, captures: &Captures<'_>) -> Self {
        let (sent, received) = (direction.of(sender), direction.of(sender.other()));
        let copies = matching::copies(direction, alike, sender, captures);
        let aligned = ranges::alignment(sent, received, &copies.pairs);
        let parts = ranges::parts(sent, received, &copies, aligned);
        Passing { sender, sent, received, parts, aligned }
    }

    /// Asks the packets of the other direction which of those without a counterpart were lost.
    pub fn tell_lost_from_unseen(&mut self, back: &Passing<'_>, recorded: (Ends, Ends)) {
        let witness = Witness {
            received: self.received,
            answers: back.sent,
            answer_parts: &back.parts,
            recorded: self.sender.other().of(recorded.0, recorded.1),
        };
        fate::tell_lost_from_unseen(&mut self.parts, self.sent, &witness, self.aligned);
    }

    /// In the order in which they were sent; what only the receiver has comes last.
    pub fn passages(mut self) -> Vec<Passage> {
        self.parts.sort_by_key(|part| {
            (part.sent.is_none(), part.sent, part.offset, part.fate == Fate::Duplicate, part.received)
        });
        let mut passages: Vec<Passage> = self.parts.iter().map(|part| self.passage(part)).collect();
        self.mark_reordered(&mut passages);
        passages
    }

    fn passage(&self, part: &Part) -> Passage {
        let sent = part.sent.and_then(|index| self.sent.get(index));
        let received = part.received.and_then(|index| self.received.get(index));
        Passage {
            sender: sent.map(|packet| packet.row),
            receiver: received.map(|packet| packet.row),
            sent: sent.map(|packet| packet.time),
            arrived: received.map(|packet| packet.time),
            offset: part.offset,
            length: part.length,
            fate: part.fate,
            reordered: false,
        }
    }

    /// Packets that arrived after later ones.
    fn mark_reordered(&self, passages: &mut [Passage]) {
        let mut order: Vec<(usize, usize)> = self
            .parts
            .iter()
            .enumerate()
            .filter(|(_, part)| part.fate == Fate::Received)
            .filter_map(|(index, part)| Some((part.received?, index)))
            .collect();
        // By the order of arrival; the parts stand in the order of sending.
        order.sort_unstable();
        let mut latest = 0;
        for (_, index) in interruptible(order) {
            if index < latest
                && let Some(passage) = passages.get_mut(index)
            {
                passage.reordered = true;
            }
            latest = latest.max(index);
        }
    }
}
