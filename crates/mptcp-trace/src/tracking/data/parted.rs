//! The second pass by subflow: which parts of a payload had been sent before under the same numbers, and the data that the
//! others carry.

use super::flow::{Mapped, Payload, SubflowDirection};
use crate::interrupt::interruptible;
use crate::tracking::role::ByRole;
use crate::tracking::sequence::RangeSet;
use crate::tracking::travelling::Travelling;
use crate::tracking::{Connection, Nature};

/// A packet and what is known of its data by its subflow. It is kept small, because it is fetched from one processor by
/// the other.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    pub packet: Travelling<'a>,
    /// Its DATA_ACK, a working number, if it has one.
    data_ack: u64,
    has_data_ack: bool,
    /// Bytes of its data that the subflow had not sent before.
    new_bytes: u32,
    /// Parts that went before: under the same numbers, or in the packet that this is the path's copy of.
    again: u32,
    /// The other parts.
    new: u32,
}

// A capture has millions of them.
const _: () = assert!(size_of::<Step<'_>>() <= 56);

impl Step<'_> {
    /// Its DATA_ACK, a working number.
    #[inline]
    pub fn data_ack(&self) -> Option<u64> {
        self.has_data_ack.then_some(self.data_ack)
    }

    /// Bytes of data in its payload, as [`place`](super::flow::place) says.
    #[inline]
    pub fn length(&self) -> u64 {
        if self.packet.nature.is_stray() { 0 } else { self.packet.data.into() }
    }

    /// Those that the subflow had not sent before.
    #[inline]
    pub fn new_bytes(&self) -> u64 {
        self.new_bytes.into()
    }
}

/// Packets one after the other.
#[derive(Debug, Default)]
pub struct Batch<'a> {
    steps: Vec<Step<'a>>,
    /// The mapped parts of their payloads.
    parts: Vec<Mapped>,
}

impl<'a> Batch<'a> {
    /// Packets in a batch: they stay in the processor's cache.
    const FULL: usize = 256;

    /// Whether it is time to look at what it holds.
    pub fn is_full(&self) -> bool {
        self.steps.len() >= Self::FULL
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        self.steps.clear();
        self.parts.clear();
    }

    /// Makes it a copy of another one, in the memory that it has.
    pub fn copy_from(&mut self, other: &Batch<'a>) {
        self.clear();
        self.steps.extend_from_slice(&other.steps);
        self.parts.extend_from_slice(&other.parts);
    }

    /// Shows `visit` each packet, the parts of its payload that went before, and the others.
    #[inline]
    pub fn each(&self, mut visit: impl FnMut(&Step<'a>, &[Mapped], &[Mapped])) {
        let mut parts = self.parts.as_slice();
        for step in &self.steps {
            let (again, behind) = parts.split_at_checked(step.again as usize).unwrap_or_default();
            let (new, behind) = behind.split_at_checked(step.new as usize).unwrap_or_default();
            parts = behind;
            visit(step, again, new);
        }
    }
}

/// How many pieces of what was sent before may still be looked at one by one. A packet may repeat tens of thousands of
/// small ones, and the next packets the same again: without a bound the work, and what is kept of it, would be their square.
#[derive(Debug, Clone, Copy)]
pub struct Allowance(pub usize);

impl Allowance {
    /// Contribution of each packet.
    const EACH: usize = 16;

    /// Takes in another packet with data.
    #[inline]
    pub fn grow(&mut self) {
        self.0 = self.0.saturating_add(Self::EACH);
    }
}

impl Default for Allowance {
    /// What there is from the start: more than what captures of one connection need that were not made for it.
    fn default() -> Self {
        Allowance(1 << 16)
    }
}

/// What the subflows of both directions have sent, while packets come in the order of the file.
pub struct Parting(ByRole<(Vec<RangeSet>, Allowance)>);

impl Parting {
    /// Before the first packet.
    pub fn new(connection: &Connection) -> Self {
        let none = || (vec![RangeSet::default(); connection.subflows.len()], Allowance::default());
        Parting(ByRole { server: none(), client: none() })
    }

    /// Appends the next packet to a batch. Its payload lies there in a flow that has all mappings of it.
    #[inline]
    pub fn push<'a>(
        &mut self,
        packet: &Travelling<'a>,
        data_ack: Option<u64>,
        (flow, payload): (&SubflowDirection, Payload),
        batch: &mut Batch<'a>,
    ) {
        let (start, end, length) = (payload.start, payload.end(), payload.data);
        let (mut again, mut new_bytes) = (0, 0);
        let before = batch.parts.len();
        let (bytes, Allowance(allowance)) = {
            let (bytes, allowance) = self.0.get_mut(packet.towards);
            allowance.grow();
            (bytes.get_mut(packet.subflow), allowance)
        };
        if let Some(bytes) = bytes.filter(|_| length > 0) {
            let parts = &mut batch.parts;
            if packet.nature == Nature::Duplicate {
                if *allowance > 0 {
                    let found = flow.some_mapped_into(start, end, *allowance, parts);
                    *allowance = allowance.saturating_sub(found.max(1));
                }
                again = parts.len() - before;
            } else if bytes.reaches_into(start, end) {
                // What the subflow sent before under these numbers is TCP's retransmission, whatever data it carries.
                for (first, last) in interruptible(bytes.overlaps(start, end)) {
                    if *allowance == 0 {
                        break;
                    }
                    // A look that finds nothing is one, too.
                    let found = flow.some_mapped_into(first, last, *allowance, parts);
                    *allowance = allowance.saturating_sub(found.max(1));
                }
                again = parts.len() - before;
                for (first, last) in interruptible(bytes.gaps(start, end)) {
                    flow.mapped_into(first, last, parts);
                }
                new_bytes = bytes.insert(start, end);
            } else {
                flow.mapped_into(start, end, parts);
                new_bytes = bytes.insert(start, end);
            }
        }
        let new = batch.parts.len() - before - again;
        let few = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        batch.steps.push(Step {
            packet: *packet,
            data_ack: data_ack.unwrap_or_default(),
            has_data_ack: data_ack.is_some(),
            new_bytes: u32::try_from(new_bytes).unwrap_or(u32::MAX),
            again: few(again),
            new: few(new),
        });
    }
}
