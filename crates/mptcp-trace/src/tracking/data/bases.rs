//! Where a subflow's own sequence numbers count from, when its SYN was not captured.

use std::collections::HashMap;

use crate::packets::segment::{Dss, Segment};
use crate::tracking::sequence::Positions;

/// What the packets of one direction of a subflow tell about the position of its SYN.
///
/// A mapping covers the payload that it travels with, as a rule, but may be repeated in each of the segments that it
/// covers. So the first of them tells at most where the SYN was, the last one at least, and where both agree it is
/// known; agreeing by chance would take two mappings that are both wrong by the same amount.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    positions: Positions,
    /// By position: how many payloads begin a mapping if the SYN was there, and how many end one.
    votes: HashMap<u64, (u32, u32)>,
    /// The lowest position of data with MP_CAPABLE. Segmentation offload copies the option onto each segment of a burst,
    /// so only the first of them tells where the mapping begins.
    capable: Option<u64>,
}

impl Evidence {
    /// Nothing seen yet, positions counting as these do.
    pub fn from(positions: Positions) -> Self {
        Evidence { positions, ..Evidence::default() }
    }

    /// Takes in a packet of this direction.
    pub fn note(&mut self, segment: &Segment) {
        let position = self.positions.position(segment.sequence);
        let payload = u64::from(segment.payload().unwrap_or(0));
        if payload == 0 {
            return;
        }
        let mapping = segment.dss().and_then(|dss| Some((dss.mapping?, dss.has(Dss::DATA_FIN))));
        if let Some((mapping, data_fin)) = mapping {
            let ssn = u64::from(mapping.ssn);
            let bytes = u64::from(mapping.length).saturating_sub(u64::from(data_fin));
            let begins = position.checked_sub(ssn);
            let ends = position.saturating_add(payload).checked_sub(ssn.saturating_add(bytes));
            if let (Some(begins), Some(ends)) = (begins, ends)
                && bytes > 0
            {
                self.votes.entry(begins).or_default().0 += 1;
                self.votes.entry(ends).or_default().1 += 1;
            }
        } else if segment.capable().is_some_and(|capable| capable.data_length.is_some()) {
            // MP_CAPABLE maps the first bytes of the subflow.
            self.capable = Some(self.capable.map_or(position, |lowest| lowest.min(position)));
        }
    }

    /// Evidence for this position.
    pub fn votes(&self, position: u64) -> u32 {
        let (begin, end) = self.votes.get(&position).copied().unwrap_or_default();
        let capable = self.capable.is_some_and(|lowest| lowest == position.saturating_add(1));
        begin.saturating_add(end).saturating_add(if capable { 2 } else { 0 })
    }

    /// The position that most packets speak for, if some payload begins and some ends a mapping by it; else that of the
    /// lowest data with MP_CAPABLE. No data of the subflow come before its SYN.
    pub fn base(self) -> Option<u64> {
        let capable = self.capable.map(|position| position.saturating_sub(1));
        let possible = |position: u64| capable.is_none_or(|lowest| position <= lowest);
        let agreed = self.votes.into_iter().filter(|(at, (begin, end))| *begin > 0 && *end > 0 && possible(*at));
        let best =
            agreed.max_by_key(|(position, (begin, end))| (begin.saturating_add(*end), std::cmp::Reverse(*position)));
        best.map(|(position, _)| position).or(capable)
    }
}
