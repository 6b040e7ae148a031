//! Payload that has no place among the data sequence numbers: plots of these say how much it is, because what is not drawn
//! looks like data that was not sent.

use super::request::{Clockwork, PlotRequest};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::data::DataSequence;
use mptcp_trace::tracking::{Capture, Connection, Role};
use mptcp_trace::units;

/// Bytes of payload without data sequence numbers. What was sent again counts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Unnumbered {
    /// Sent as plain TCP after a fallback that no infinite mapping announced.
    plain: u64,
    /// Carried by the SYN (TCP Fast Open): before the first data sequence number (RFC 8684 §B.2).
    fast_open: u64,
    /// Covered by no mapping, which no fallback explains.
    unmapped: u64,
}

/// Payload towards `towards` that `request` shows and a plot by data sequence numbers cannot, in a sentence that begins with
/// `what`; `None` where everything has its place.
#[must_use]
pub fn unnumbered(
    what: &str,
    sequence: &DataSequence,
    towards: Role,
    (capture, connection): (&Capture, &Connection),
    request: &PlotRequest,
) -> Option<String> {
    let clockwork = Clockwork::of(capture);
    let shown = |subflow: usize, time| {
        connection.subflows.get(subflow).is_some_and(|stream| request.shows_subflow(*stream))
            && request.shows(clockwork.seconds(time))
    };
    let mut found = Unnumbered::default();
    let mut first = None;
    for range in interruptible(&sequence.sent) {
        if range.numbered || !shown(range.subflow, range.time) {
            continue;
        }
        let first = *first.get_or_insert_with(|| sequence.origin().saturating_add(1));
        let kind = if range.end <= first { &mut found.fast_open } else { &mut found.plain };
        *kind = kind.saturating_add(range.end.saturating_sub(range.start));
    }
    for part in interruptible(&sequence.unmapped).filter(|part| shown(part.subflow, part.time)) {
        found.unmapped = found.unmapped.saturating_add(part.bytes);
    }
    found.sentence(what, towards)
}

impl Unnumbered {
    fn sentence(self, what: &str, towards: Role) -> Option<String> {
        let parts: Vec<String> = [
            (self.plain, "sent as plain TCP after a fallback"),
            (self.fast_open, "in the SYN (TCP Fast Open)"),
            (self.unmapped, "without a mapping"),
        ]
        .into_iter()
        .filter(|(bytes, _)| *bytes > 0)
        .map(|(bytes, how)| format!("{} {how}", units::bytes(bytes)))
        .collect();
        (!parts.is_empty()).then(|| {
            format!(
                "{what} towards the {}, because its data sequence numbers are not known: {}, retransmissions included.",
                towards.name(),
                parts.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_place_is_said_by_its_reason() {
        let said = |plain, fast_open, unmapped| {
            Unnumbered { plain, fast_open, unmapped }.sentence("Not shown", Role::Server).unwrap_or_default()
        };
        assert_eq!(said(0, 0, 0), "");
        assert_eq!(
            said(440_428, 5, 2_103_736),
            "Not shown towards the server, because its data sequence numbers are not known: 440.4 kB sent as plain TCP \
             after a fallback, 5 B in the SYN (TCP Fast Open), 2.1 MB without a mapping, retransmissions included."
        );
    }
}
