//! Causes of fallbacks.

use super::fallback::Reason;
use crate::packets::segment::{Segment, flag};
use crate::tracking::{Connection, FastOpen};

/// What the packets of the initial subflow showed so far; beside each place `M` stands a number that grows along the file.
#[derive(Debug, Clone)]
pub struct Causes<M> {
    /// The first mapping without a checksum.
    unsummed: Option<(u64, M)>,
    /// The first malformed option.
    malformed: Option<(u64, M)>,
    /// The SYN/ACK that took nothing of the data in the SYN.
    syn_data_refused: Option<(u64, M)>,
}

impl<M> Default for Causes<M> {
    fn default() -> Self {
        Causes { unsummed: None, malformed: None, syn_data_refused: None }
    }
}

impl<M: Copy> Causes<M> {
    /// Takes in the next packet of a stream; `fast_open` is what is known of the data in its SYN.
    pub fn push(&mut self, number: u64, place: M, segment: &Segment, fast_open: Option<FastOpen>) {
        if fast_open.is_some_and(|data| data.sent > 0 && data.accepted == Some(0)) && !segment.is_syn() {
            self.syn_data_refused.get_or_insert((number, place));
        }
        if segment.malformed().is_some() {
            self.malformed.get_or_insert((number, place));
        } else if self.unsummed.is_none() && !segment.options_cut() && !segment.has(flag::SYN) {
            let of_dss = segment.dss().and_then(|dss| dss.mapping);
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
        if let Some(place) = before(self.malformed) {
            return (Reason::OptionMalformed, Some(place));
        }
        match before(self.syn_data_refused) {
            Some(place) => (Reason::SynDataRefused, Some(place)),
            None => (shown, None),
        }
    }
}
