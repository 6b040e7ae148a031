//! Times of two captures on one axis: by the clock of the first, in seconds from its first frame.

use super::request::Clockwork;
use mptcp_trace::Instant;
use mptcp_trace::analysis::clock::{Clock, Correction};
use mptcp_trace::analysis::merge::Which;
use mptcp_trace::tracking::Capture;

/// The clock of the first of two captures.
#[derive(Debug, Clone, Copy)]
pub struct FirstClock<'a> {
    clockwork: Clockwork,
    clock: &'a Clock,
    correction: Correction,
}

impl<'a> FirstClock<'a> {
    /// Of `first`, with all that is known of the clocks' error: a place on the axis is not a measurement that somebody might
    /// want without correction.
    #[must_use]
    pub fn new(first: &Capture, clock: &'a Clock) -> Self {
        FirstClock { clockwork: Clockwork::of(first), clock, correction: clock.fullest() }
    }

    /// A time by the clock of `which`, in seconds from the first frame of the first capture.
    #[must_use]
    pub fn seconds(&self, which: Which, time: Instant) -> f64 {
        let corrected = match which {
            Which::First => None,
            Which::Second => self.clock.to_first(self.correction, time),
        };
        self.clockwork.seconds(corrected.unwrap_or(time))
    }
}
