//! Which subflow carried new data of a direction, and when.

use super::silence::Silences;
use super::{IN_USE, Stop};
use crate::Instant;
use crate::analysis::availability::Availability;
use crate::analysis::capture_point::{CapturePoint, SeenFrom};
use crate::tracking::data::DataPacket;
use crate::tracking::{ByRole, Capture, Connection, Nature, Role};

/// Runs of packets on one subflow that are looked at for one stop, so that the time stays linear.
const LOOKED_AT: usize = 64;

/// The packets of one direction with bytes beyond those that their subflow had sent before, in the order of time. They carry
/// data for the first time, or again for another subflow; retransmissions are none of them.
#[derive(Debug, Default)]
pub struct Carrying {
    /// When, and on the subflow of which index.
    packets: Vec<(Instant, usize)>,
    /// Where in `packets` another subflow begins.
    runs: Vec<usize>,
    /// By subflow, when it carried new data.
    by_subflow: Vec<Vec<Instant>>,
    /// Times in which a subflow was silent.
    pub silences: Vec<Stop>,
}

impl Carrying {
    fn push(&mut self, subflow: usize, time: Instant) {
        if self.packets.last().is_none_or(|(_, last)| *last != subflow) {
            self.runs.push(self.packets.len());
        }
        self.packets.push((time, subflow));
        if let Some(own) = self.by_subflow.get_mut(subflow) {
            own.push(time);
        }
    }

    /// The first new data after that time on another subflow than this one that is not `gone`: when, and on which. What was
    /// under way when a signal stopped it is not carried on.
    pub fn next_on_another(&self, subflow: usize, time: Instant, gone: &[Instant]) -> Option<(Instant, usize)> {
        let next = self.packets.partition_point(|(at, _)| *at <= time);
        let run = self.runs.partition_point(|start| *start <= next);
        let runs = self.runs.get(run..).unwrap_or(&[]).iter().copied();
        let mut found = std::iter::once(next).chain(runs).take(LOOKED_AT).filter_map(|place| self.packets.get(place));
        found.find(|(at, own)| *own != subflow && gone.get(*own).is_some_and(|gone| at < gone)).copied()
    }

    /// The last new data of a subflow until that time.
    pub fn last_on(&self, subflow: usize, time: Instant) -> Option<Instant> {
        let own = self.by_subflow.get(subflow)?;
        own.get(own.partition_point(|at| *at <= time).checked_sub(1)?).copied()
    }

    /// The first new data of a subflow from that time on.
    pub fn next_on(&self, subflow: usize, time: Instant) -> Option<Instant> {
        let own = self.by_subflow.get(subflow)?;
        own.get(own.partition_point(|at| *at < time)).copied()
    }

    /// Whether a subflow carried the data of the direction at that time: just before, or as the last one.
    pub fn is_in_use(&self, subflow: usize, time: Instant) -> bool {
        let Some(last) = self.last_on(subflow, time) else { return false };
        let before = self.packets.partition_point(|(at, _)| *at <= time).checked_sub(1);
        let latest = before.and_then(|place| self.packets.get(place)).is_some_and(|(_, own)| *own == subflow);
        latest || time - last <= IN_USE
    }
}

/// Both directions while the packets of a connection that were recorded in one place come in the order of time.
pub struct Course {
    found: ByRole<Carrying>,
    silences: ByRole<Silences>,
}

impl Course {
    /// Before the first packet.
    pub fn new(connection: &Connection) -> Self {
        let count = connection.subflows.len();
        let carrying = || Carrying { by_subflow: vec![Vec::new(); count], ..Carrying::default() };
        Course {
            found: ByRole { server: carrying(), client: carrying() },
            silences: ByRole { server: Silences::new(count), client: Silences::new(count) },
        }
    }

    /// Takes in the next packet.
    pub fn push(&mut self, capture: &Capture, packet: &DataPacket<'_>) {
        let segment = capture.segments.get(packet.row.index());
        let place = capture.tracking.packets.get(packet.row);
        let Some((segment, place)) = segment.zip(place).filter(|(_, place)| place.nature != Nature::Duplicate) else {
            return;
        };
        self.silences.get_mut(packet.towards.other()).is_answered(packet, segment);
        let data = place.data(segment).unwrap_or(0);
        if self.silences.get_mut(packet.towards).sends(packet, segment, data) {
            self.found.get_mut(packet.towards).push(packet.subflow, packet.time);
        }
    }

    /// After the last packet, with what was found of silences.
    pub fn finish(self, point: Option<CapturePoint>, available: &[Availability]) -> ByRole<Carrying> {
        let Course { mut found, silences: ByRole { server, client } } = self;
        for (towards, own) in [(Role::Server, server), (Role::Client, client)] {
            let seen_from = point.map(|point| point.seen(towards));
            let own = own.finish(available);
            // At the sender, what is missing was sent; at the receiver, what is not acknowledged waits for what is missing.
            let shown = own.into_iter().filter(|stop| match seen_from {
                Some(SeenFrom::Sender) => stop.row.is_some(),
                Some(SeenFrom::Receiver) => stop.row.is_none(),
                _ => true,
            });
            found.get_mut(towards).silences = shown.collect();
        }
        found
    }
}
