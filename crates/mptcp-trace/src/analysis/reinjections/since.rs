//! How long before each reinjection its data was last sent, and its end last sent anything.

use std::collections::HashMap;

use crate::analysis::sent_times::SentTimes;
use crate::tracking::data::{Mappings, Sending};
use crate::tracking::{ByRole, Capture, Connection, Nature};
use crate::{Instant, PacketRow, Span};

/// Time before a packet with data that another subflow had carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Since {
    /// Since the first of that data was last sent, on any subflow.
    pub last: Option<Span>,
    /// Since any packet of the end that sends it, on any subflow.
    pub activity: Option<Span>,
}

/// These times of the reinjections of a connection, by their rows. Packets that were recorded elsewhere alone have none, and
/// copies made by the path are not sendings.
pub fn of(capture: &Capture, connection: &Connection) -> HashMap<PacketRow, Since> {
    let mut times: ByRole<SentTimes> = ByRole::default();
    let mut active: ByRole<Option<Instant>> = ByRole::default();
    let mut found = HashMap::new();
    Mappings::of(&capture.segments, &capture.tracking, connection).walk(|laden| {
        let packet = laden.packet;
        if packet.elsewhere || packet.nature == Nature::Duplicate {
            return;
        }
        let now = packet.segment.abstime;
        let before = active.get_mut(packet.towards).replace(now);
        let times = times.get_mut(packet.towards);
        let again = laden.sent.iter().filter(|range| range.sending == Sending::Reinjection);
        if let Some(first) = again.map(|range| range.start).min() {
            let since = |time: Option<Instant>| time.map(|time| now - time);
            found.insert(packet.row, Since { last: since(times.last_sent(first)), activity: since(before) });
        }
        for range in laden.sent.iter().filter(|range| range.numbered) {
            times.sends(range.start, range.end, now);
        }
    });
    found
}
