//! Counts made while reading a capture, and the warnings about them.

use std::collections::BTreeMap;

use crate::Instant;
use crate::packets::capture_file::Truncation;
use crate::units::counted;

/// Link types that are listed by number.
const LISTED: usize = 8;

/// Counts of what the table does not show.
#[derive(Debug, Default)]
pub struct Tally {
    /// When the latest frame was recorded.
    pub time: Instant,
    /// TCP packets without a time of their own.
    pub untimed: u64,
    /// TCP packets whose header is not whole.
    pub odd: u64,
    /// Later fragments of TCP packets.
    pub later_fragments: u64,
    /// Packets in tunnels that are not opened.
    pub unopened: u64,
    /// Packets by link type that is not understood.
    unknown_links: BTreeMap<u32, u64>,
    /// TCP packets by interface.
    by_interface: Vec<u64>,
    /// TCP packets by the index of the interface in a cooked capture, and the index as text.
    by_index: BTreeMap<u32, (String, u64)>,
}

impl Tally {
    /// Adds what was counted in the packets that follow; their time is that of the last where one has a time.
    pub fn add(&mut self, later: Tally) {
        for (sum, more) in [
            (&mut self.untimed, later.untimed),
            (&mut self.odd, later.odd),
            (&mut self.later_fragments, later.later_fragments),
            (&mut self.unopened, later.unopened),
        ] {
            *sum = sum.saturating_add(more);
        }
        for (number, packets) in later.unknown_links {
            self.unknown_links_of(number, packets);
        }
        for (place, packets) in later.by_interface.into_iter().enumerate() {
            self.packets_of(place, packets);
        }
        for (index, (_, packets)) in later.by_index {
            self.packets_of_index(index, packets);
        }
    }

    /// Counts a packet of a link type that is not understood.
    pub fn unknown_link(&mut self, number: u32) {
        self.unknown_links_of(number, 1);
    }

    fn unknown_links_of(&mut self, number: u32, packets: u64) {
        // Numbers come from the file; beyond a few they only count.
        let known = self.unknown_links.len() < LISTED || self.unknown_links.contains_key(&number);
        let count = self.unknown_links.entry(if known { number } else { u32::MAX }).or_default();
        *count = count.saturating_add(packets);
    }

    /// Counts a TCP packet of the interface at that place.
    #[inline]
    pub fn packet_of(&mut self, place: usize) {
        self.packets_of(place, 1);
    }

    #[inline]
    fn packets_of(&mut self, place: usize, packets: u64) {
        if self.by_interface.len() <= place {
            self.by_interface.resize(place.saturating_add(1), 0);
        }
        if let Some(count) = self.by_interface.get_mut(place) {
            *count = count.saturating_add(packets);
        }
    }

    /// Counts a TCP packet of the interface of that index; returns the index as text.
    pub fn packet_of_index(&mut self, index: u32) -> &str {
        self.packets_of_index(index, 1)
    }

    fn packets_of_index(&mut self, index: u32, packets: u64) -> &str {
        let (name, count) = self.by_index.entry(index).or_insert_with(|| (index.to_string(), 0));
        *count = count.saturating_add(packets);
        name
    }

    /// TCP packets by index of the interface.
    pub fn packets_by_index(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        self.by_index.iter().map(|(index, (_, packets))| (*index, *packets))
    }

    /// TCP packets by interface, as far as there were any.
    pub fn packets_by_interface(&self) -> &[u64] {
        &self.by_interface
    }

    /// Frames skipped because of what is around them: a link type or a tunnel.
    pub fn not_understood(&self) -> u64 {
        self.unknown_links.values().fold(self.unopened, |sum, packets| sum.saturating_add(*packets))
    }

    /// Warnings about the reading, one sentence each.
    pub fn warnings(&self, truncation: Option<Truncation>, frames: u64) -> Vec<String> {
        let mut warnings = Vec::new();
        for (number, packets) in &self.unknown_links {
            let kind = if *number == u32::MAX { "their link type".to_string() } else { format!("link type {number}") };
            warnings.push(format!("{} skipped: {kind} is not supported", counted(*packets, "packet")));
        }
        if self.unopened > 0 {
            warnings.push(format!(
                "{} skipped: in unopened tunnels, which may contain TCP",
                counted(self.unopened, "packet")
            ));
        }
        if self.later_fragments > 0 {
            warnings.push(format!(
                "{} of IP packets skipped: TCP is read from the first fragment, without the payload's length",
                counted(self.later_fragments, "later fragment")
            ));
        }
        if self.odd > 0 {
            warnings.push(format!(
                "{} skipped: TCP header incomplete (cut by the snap length, or too short)",
                counted(self.odd, "packet")
            ));
        }
        if self.untimed > 0 {
            warnings.push(format!(
                "{} without a time (simple packets of pcapng): the previous packet's time is used",
                counted(self.untimed, "packet")
            ));
        }
        if let Some(truncation) = truncation {
            warnings.push(format!("{truncation}: {} read up to there", counted(frames, "whole packet")));
        }
        warnings
    }
}
