//! [`Segments`]: all packets of a capture.

use std::sync::Arc;

use super::{Fields, Segment};
use crate::PacketRow;
use crate::packets::flows::{Ends, Flows};

/// The packets of one capture, in the order of the file, and the ends between which they travel. A copy shares them.
#[derive(Debug, Clone, Default)]
pub struct Segments {
    rows: Arc<Vec<Segment>>,
    flows: Arc<Flows>,
}

impl Segments {
    /// These packets, which travel in these flows.
    #[must_use]
    pub fn new(rows: Vec<Segment>, flows: impl Into<Arc<Flows>>) -> Self {
        Segments { rows: Arc::new(rows), flows: flows.into() }
    }

    /// The flows that the packets travel in.
    #[must_use]
    pub fn flows(&self) -> &Flows {
        &self.flows
    }

    /// The ends that a packet travels between.
    #[inline]
    #[must_use]
    pub fn ends(&self, segment: &Segment) -> Ends {
        self.flows.ends(segment.flow)
    }

    /// The packets of these rows, in this order.
    #[must_use]
    pub fn select(&self, rows: &[PacketRow]) -> Self {
        let chosen = rows.iter().filter_map(|row| self.get(row.index()).cloned()).collect();
        Segments::new(chosen, Arc::clone(&self.flows))
    }

    /// What each packet says.
    pub fn fields(&self) -> impl Iterator<Item = Fields> + '_ {
        self.rows.iter().map(|segment| segment.fields(self.ends(segment)))
    }
}

impl FromIterator<Fields> for Segments {
    fn from_iter<I: IntoIterator<Item = Fields>>(packets: I) -> Self {
        let mut flows = Flows::default();
        let rows = packets.into_iter().map(|mut fields| {
            let flow = flows.of(fields.ends());
            Segment::of(&mut fields, flow)
        });
        let rows = rows.collect();
        Segments::new(rows, flows)
    }
}

/// The same packets between the same ends.
impl PartialEq for Segments {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.fields().eq(other.fields())
    }
}

impl std::ops::Deref for Segments {
    type Target = [Segment];

    fn deref(&self) -> &[Segment] {
        &self.rows
    }
}

impl<'a> IntoIterator for &'a Segments {
    type Item = &'a Segment;
    type IntoIter = std::slice::Iter<'a, Segment>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter()
    }
}
