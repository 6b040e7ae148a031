//! When was nothing to be sent, although nothing held the sender back?
//!
//! All that was sent is acknowledged, on each subflow and by DATA_ACK, the receive window has room for a segment, and no
//! subflow carries anything: neither the paths nor the receiver are the reason. Where the other end sends data in that time
//! the sender waits for it, as between requests and responses, and is not idle.

use super::receive_window::{ReceiveWindow, WindowStep};
use crate::interrupt::interruptible;
use crate::{Instant, Span};

/// A shorter silence is not a gap: the least retransmission timeout of Linux (`TCP_RTO_MIN`), after which TCP also
/// takes a connection for idle and starts slowly again (RFC 5681 §4.1).
const LEAST: Span = Span::from_milliseconds(200);
/// The same where no round trip is known: the first retransmission timeout (RFC 6298 §2).
const LEAST_UNKNOWN: Span = Span::from_seconds(1);

/// A time when a sender was silent with nothing in its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdleGap {
    /// Since when nothing was in its way, as seen here.
    pub from: Instant,
    /// When it sent data again.
    pub until: Instant,
    /// The packet that did.
    pub packetid: u64,
}

impl IdleGap {
    /// Duration.
    #[must_use]
    pub fn length(&self) -> Span {
        self.until - self.from
    }
}

/// The gaps of one direction, and from when to when it carried data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdleGaps {
    /// The gaps.
    pub gaps: Vec<IdleGap>,
    /// First and last data.
    pub span: Option<(Instant, Instant)>,
}

/// How long a silence has to be. `round_trip` is the longest that a handshake showed. Away from the sender
/// (`delay` is not zero) what was lost before the capture point looks like a gap until it is sent again: there it has to be
/// longer than two timeouts.
#[must_use]
pub fn threshold(round_trip: Option<Span>, delay: Span) -> Span {
    let Some(round_trip) = round_trip else { return LEAST_UNKNOWN };
    if delay > Span::ZERO { (LEAST + round_trip) * 2 } else { LEAST.max(round_trip * 2) }
}

/// The gaps of a direction that last `threshold` or longer for its sender, which hears `delay` later than here what its
/// receiver says.
#[must_use]
pub fn idle_gaps(steps: impl IntoIterator<Item = WindowStep>, delay: Span, threshold: Span) -> IdleGaps {
    let mut silence = Silence::new(delay, threshold);
    for step in interruptible(steps) {
        silence.push(&step);
    }
    silence.finish()
}

/// When the sender of a direction is silent, while its packets go by. Away from the sender a path that breaks makes a gap as
/// well, until another subflow takes over: there a gap only counts where the subflow that carried data before it does so
/// again soon.
#[derive(Default)]
pub struct Silence {
    delay: Span,
    threshold: Span,
    found: IdleGaps,
    doubtful: Vec<Doubtful>,
    carrier: usize,
    window: ReceiveWindow,
    /// Since when nothing is in the sender's way.
    free: Option<Instant>,
    /// The other end sent data since this one did.
    interrupted: bool,
    over: bool,
}

impl Silence {
    /// Before the first packet; as for [`idle_gaps`].
    #[must_use]
    pub fn new(delay: Span, threshold: Span) -> Self {
        Silence { delay, threshold, ..Silence::default() }
    }

    /// Takes in what the next packet means for the direction.
    pub fn push(&mut self, step: &WindowStep) {
        if self.over {
            return;
        }
        let found = &mut self.found;
        let old = !step.is_new && step.sent.is_some_and(|sent| self.window.has_all(sent));
        // A keep-alive, or what one subflow repeats though another delivered it, does not end a silence.
        if step.forward && step.payload > 0 && !old {
            if let Some(from) = self.free.filter(|_| step.is_new && !self.interrupted)
                && step.time - from - self.delay >= self.threshold
            {
                let gap = IdleGap { from, until: step.time, packetid: step.packetid };
                if self.delay == Span::ZERO {
                    found.gaps.push(gap);
                } else {
                    self.doubtful.push(Doubtful { gap, carrier: self.carrier });
                }
            }
            self.doubtful.retain(|one| !one.is_settled(step, &mut found.gaps));
            self.carrier = step.subflow;
            let (first, last) = found.span.unwrap_or((step.time, step.time));
            found.span = Some((first, last.max(step.time)));
            self.window.sends(step.payload);
            (self.free, self.interrupted) = (None, false);
        } else if !step.forward && step.payload > 0 {
            self.interrupted = true;
        }
        if let Some(offer) = step.offer {
            self.window.offers(offer);
        }
        let window = &self.window;
        let sent = step.sent.filter(|_| found.span.is_some());
        let is_free = !step.waits
            && sent
                .is_some_and(|sent| window.has_all(sent) && window.room(sent).is_none_or(|room| room >= window.full()));
        self.free = self.free.filter(|_| is_free).or(is_free.then_some(step.time));
        self.over = step.ends;
    }

    /// What was found.
    #[must_use]
    pub fn finish(mut self) -> IdleGaps {
        self.found.gaps.sort_by_key(|gap| gap.until);
        self.found
    }
}

/// A gap that may have been a path that broke, until the subflow that carried data before it does so again.
struct Doubtful {
    gap: IdleGap,
    carrier: usize,
}

impl Doubtful {
    /// Whether data that comes in `step` settles it: in its favour, when it is into `gaps`. It has as long as the gap was.
    fn is_settled(&self, step: &WindowStep, gaps: &mut Vec<IdleGap>) -> bool {
        if step.time > self.gap.until + self.gap.length() {
            return true;
        }
        if step.subflow == self.carrier {
            gaps.push(self.gap);
        }
        step.subflow == self.carrier
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StreamId;
    use crate::analysis::receive_window::{Offer, WindowLevel};
    use crate::time::short::{at_ms, ms};

    fn data(time: i64, sent: u64) -> WindowStep {
        WindowStep {
            packetid: u64::try_from(time).unwrap(),
            time: at_ms(time),
            subflow: 0,
            payload: 100,
            forward: true,
            sent: Some(sent),
            is_new: true,
            asks: false,
            waits: true,
            offer: None,
            ends: false,
        }
    }

    fn acknowledgement(time: i64, next: u64, window: u64) -> WindowStep {
        let offer = Offer { level: WindowLevel::Data, next, window: Some(window), stream: StreamId(0) };
        WindowStep { payload: 0, forward: false, is_new: false, waits: false, offer: Some(offer), ..data(time, next) }
    }

    /// The gaps, in milliseconds, of a sender that was captured `delay` milliseconds away.
    fn gaps(steps: Vec<WindowStep>, delay: i64) -> Vec<(i64, i64)> {
        let delay = ms(delay);
        let threshold = threshold(Some(ms(20)), delay);
        let found = idle_gaps(steps, delay, threshold);
        let since = |time: Instant| (time - Instant::EPOCH).holds(ms(1));
        found.gaps.iter().map(|gap| (since(gap.from), since(gap.until))).collect()
    }

    #[test]
    fn a_silence_with_nothing_in_the_way_is_a_gap() {
        let steps = vec![data(0, 101), acknowledgement(20, 101, 9000), data(700, 201), acknowledgement(720, 201, 9000)];
        assert_eq!(gaps(steps.clone(), 0), [(20, 700)]);
        assert_eq!(gaps(steps, 20), [(20, 700)]);
        // As long as two timeouts may take where it is not known what was lost before.
        let steps = vec![data(0, 101), acknowledgement(1, 101, 9000), data(450, 201)];
        assert_eq!(gaps(steps.clone(), 0), [(1, 450)]);
        assert_eq!(gaps(steps, 20), []);
    }

    #[test]
    fn what_waits_is_no_gap() {
        assert_eq!(gaps(vec![data(0, 101), acknowledgement(600, 101, 9000), data(700, 201)], 0), [], "for an ACK");
        let opens = vec![data(0, 101), acknowledgement(20, 101, 0), acknowledgement(650, 101, 9000), data(700, 201)];
        assert_eq!(gaps(opens, 0), [], "for the window");
        let stuck = vec![data(0, 101), WindowStep { waits: true, ..acknowledgement(20, 101, 9000) }, data(700, 201)];
        assert_eq!(gaps(stuck, 0), [], "behind a subflow that stands still");
    }

    #[test]
    fn requests_and_responses_are_no_gaps() {
        let response = WindowStep { payload: 5000, ..acknowledgement(400, 101, 9000) };
        let steps = vec![data(0, 101), acknowledgement(20, 101, 9000), response, data(900, 201)];
        assert_eq!(gaps(steps, 0), []);
    }

    #[test]
    fn a_keep_alive_ends_no_silence() {
        let keep_alive = WindowStep { is_new: false, waits: false, payload: 1, ..data(500, 101) };
        let steps = vec![data(0, 101), acknowledgement(20, 101, 9000), keep_alive, data(900, 201)];
        assert_eq!(gaps(steps, 0), [(20, 900)]);
    }

    #[test]
    fn a_path_that_breaks_is_no_gap_where_it_is_not_seen() {
        let taken_over = |time: i64, sent: u64| WindowStep { subflow: 1, ..data(time, sent) };
        let mut steps = vec![data(0, 101), acknowledgement(1, 101, 9000), taken_over(700, 201)];
        steps.extend([acknowledgement(701, 201, 9000), taken_over(1000, 301)]);
        assert_eq!(gaps(steps.clone(), 20), []);
        steps.insert(4, data(900, 301));
        assert_eq!(gaps(steps, 20), [(1, 700)]);
    }
}
