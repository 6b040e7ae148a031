//! What came before a fallback and explains it?

use super::fallback::Reason;
use crate::packets::segment::{Segment, flag};
use crate::tracking::Connection;

/// What the packets of the initial subflow showed so far; beside each place `M` stands a number that grows along the file.
#[derive(Debug, Clone)]
pub struct Causes<M> {
    /// The first mapping without a checksum.
    unsummed: Option<(u64, M)>,
    /// The first malformed option.
    malformed: Option<(u64, M)>,
}

impl<M> Default for Causes<M> {
    fn default() -> Self {
        Causes { unsummed: None, malformed: None }
    }
}

impl<M: Copy> Causes<M> {
    /// Takes in the next packet.
    pub fn push(&mut self, number: u64, place: M, segment: &Segment) {
        if segment.malformed.is_some() {
            self.malformed.get_or_insert((number, place));
        } else if self.unsummed.is_none() && !segment.options_cut && !segment.has(flag::SYN) {
            let of_dss = segment.dss.and_then(|dss| dss.mapping);
            let of_dss = of_dss.is_some_and(|mapping| mapping.length > 0 && mapping.checksum.is_none());
            let capable = segment.capable();
            let of_capable =
                capable.is_some_and(|c| c.data_length.is_some_and(|length| length > 0) && c.checksum.is_none());
            if of_dss || of_capable {
                self.unsummed = Some((number, place));
            }
        }
    }

    /// The reason of a fallback that packet `number` shows, and the packet that brought it about: what a silence follows
    /// explains it.
    #[must_use]
    pub fn explain(&self, shown: Reason, number: u64, connection: &Connection) -> (Reason, Option<M>) {
        if !matches!(shown, Reason::ThirdAckWithoutOption | Reason::NoOptionFromServer | Reason::DataWithoutMapping) {
            return (shown, None);
        }
        let asked_other = connection.asked_version.is_some() && connection.asked_version != connection.version;
        if shown == Reason::ThirdAckWithoutOption && asked_other {
            return (Reason::VersionMismatch, None);
        }
        let before = |cause: Option<(u64, M)>| cause.filter(|(at, _)| *at < number).map(|(_, place)| place);
        let summed = connection.checksum_required == Some(true);
        if let Some(place) = before(self.unsummed).filter(|_| summed) {
            return (Reason::ChecksumMissing, Some(place));
        }
        match before(self.malformed) {
            Some(place) => (Reason::OptionMalformed, Some(place)),
            None => (shown, None),
        }
    }
}
