//! Was a reinjection needed? Seen from the sender, judged by the DATA_ACK.

use crate::analysis::acknowledged::Acknowledged;
use crate::tracking::data::Repeat;
use crate::{Instant, Span};

/// Usefulness of a reinjection, by the sender's capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The DATA_ACK passed the data while TCP had not acknowledged their first copy, or only after the reinjection.
    CameFirst,
    /// TCP had acknowledged the first copy, the DATA_ACK stood still in these data, and went on with the reinjection: the
    /// receiver lost them behind TCP.
    LostBehindTcp,
    /// The first copy did, before the reinjection can have arrived.
    Superfluous,
    /// The capture does not tell.
    Open,
}

impl Need {
    /// Whether the DATA_ACK would not have passed without the reinjection; `None` where the capture does not tell.
    #[must_use]
    pub fn needed(self) -> Option<bool> {
        match self {
            Need::CameFirst | Need::LostBehindTcp => Some(true),
            Need::Superfluous => Some(false),
            Need::Open => None,
        }
    }
}

/// Usefulness of `repeat`, sent at `sent`.
///
/// TCP's acknowledgement of the first copy says that it arrived at the other end's TCP, not that MPTCP got it there. So
/// the DATA_ACK decides where it stood still in these data although TCP had acknowledged them. Which of two copies came
/// first follows from TCP's acknowledgements only where they lie farther apart than the way back takes: half of the
/// reinjection's round trip.
#[must_use]
pub fn need(acknowledged: &Acknowledged, repeat: &Repeat, sent: Instant) -> Need {
    let end = repeat.dsn.saturating_add(repeat.length);
    let Some(passed) = acknowledged.passed(end).map(|passing| passing.time) else { return Need::Open };
    if passed <= sent {
        return Need::Superfluous;
    }
    let before = acknowledged.before(end);
    let stood = before.is_some_and(|before| before.next >= repeat.dsn);
    // Where no DATA_ACK came meanwhile, the data may have arrived long before; where nothing came on the first subflow,
    // TCP's acknowledgement may have been lost.
    let waited = before.is_some_and(|before| before.last >= sent)
        && (stood || acknowledged.heard(repeat.original_subflow, sent, passed));
    let again = acknowledged.by_tcp(repeat.row);
    let way = again.map_or(Span::ZERO, |again| (again - sent) / 2);
    let helped = again.filter(|again| *again <= passed);
    match (acknowledged.by_tcp(repeat.original_row).filter(|first| *first <= passed), helped) {
        (Some(first), Some(_)) if first < sent && stood => Need::LostBehindTcp,
        (Some(first), None) if first < sent && stood => Need::Open,
        (Some(first), _) if first <= sent + way => Need::Superfluous,
        (Some(first), Some(again)) if again + way <= first => Need::CameFirst,
        (None, Some(_)) if waited => Need::CameFirst,
        _ => Need::Open,
    }
}
