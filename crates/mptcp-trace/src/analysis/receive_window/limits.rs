//! For how long did the receive window hold the sender of a direction back, and was it shut to the end?

use std::collections::VecDeque;

use super::{Offer, ReceiveWindow, WindowLevel, WindowStep};
use crate::interrupt::interruptible;
use crate::{Instant, Span};

/// A time when the receiver had no room for a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closure {
    /// When a packet said so first.
    pub from: Instant,
    /// That packet.
    pub packetid: u64,
    /// When a packet offered nothing at all first.
    pub zero_from: Option<Instant>,
    /// When a packet offered room again, or the connection's last packet.
    pub until: Instant,
    /// Bytes that the receiver offered last.
    pub offered: u64,
    /// Size of a full segment, bytes.
    pub segment: u64,
    /// Base of the window.
    pub level: WindowLevel,
    /// The receiver took back what it had offered; otherwise the sender had used it up.
    pub taken_back: bool,
    /// Packets of the sender that asked for room: data, or window probes.
    pub asked: u64,
    /// Packets of the receiver that said the same again.
    pub repeated: u64,
    /// When the last of them came.
    pub heard: Instant,
}

impl Closure {
    /// Duration.
    #[must_use]
    pub fn length(&self) -> Span {
        (self.until - self.from).max(Span::ZERO)
    }
}

/// History of one direction's window.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// For how long the sender had no room for a segment; at least, where it was captured away from the sender.
    pub limited: Span,
    /// For how long of that the receiver itself offered less than a segment.
    pub shut: Span,
    /// For how long of `limited` the receiver offered less than half of the most that it had offered before.
    pub low: Span,
    /// The least that it offered in that time, bytes.
    pub least: Option<u64>,
    /// The most that it offered at all, bytes.
    pub most: u64,
    /// From the first data to the last, or to the end of the time that the sender was held back.
    pub span: Option<(Instant, Instant)>,
    /// The first packets after which the sender had no room.
    pub packets: Vec<u64>,
    /// The closure that no packet ended, where there is one.
    pub unended: Option<Closure>,
    /// The longest closure that one did.
    pub longest_ended: Span,
}

/// Packets that [`Limits`] lists at most.
const LISTED: usize = 10;

/// Works out the limits of a direction from its packets. What its receiver says here has an effect on what comes here
/// `delay` later (see [`crate::analysis::sender_view`]).
#[must_use]
pub fn limits(steps: impl IntoIterator<Item = WindowStep>, delay: Span) -> Limits {
    let mut restraint = Restraint::new(delay);
    for step in interruptible(steps) {
        restraint.push(&step);
    }
    restraint.finish()
}

/// How the window holds the sender of a direction back, while its packets go by.
#[derive(Default)]
pub struct Restraint {
    /// How much later the sender hears what is said here.
    delay: Span,
    /// As the receiver said.
    told: ReceiveWindow,
    /// As the sender knows.
    known: ReceiveWindow,
    /// News on their way to the sender: time and packet.
    under_way: VecDeque<(Instant, u64, Offer)>,
    sent: Option<u64>,
    /// Until when time was counted.
    counted: Instant,
    is_limited: bool,
    closure: Option<Closure>,
    over: bool,
    found: Limits,
}

impl Restraint {
    /// Before the first packet. What the receiver says here has an effect on what comes here `delay` later.
    #[must_use]
    pub fn new(delay: Span) -> Self {
        Restraint { delay, ..Restraint::default() }
    }

    /// Takes in what the next packet means for the direction.
    pub fn push(&mut self, step: &WindowStep) {
        self.hears(step.time);
        self.note(step);
        self.hears(step.time);
    }

    fn note(&mut self, step: &WindowStep) {
        if self.over {
            return;
        }
        self.advance(step.time);
        if step.forward {
            self.told.sends(step.payload);
            self.known.sends(step.payload);
            if step.payload > 0 {
                let (first, last) = self.found.span.unwrap_or((step.time, step.time));
                self.found.span = Some((first, last.max(step.time)));
            }
        }
        self.sent = step.sent;
        if let Some(offer) = step.offer {
            self.told.offers(offer);
            self.found.most = self.found.most.max(self.told.offered().unwrap_or(0));
            self.under_way.push_back((step.time + self.delay, step.packetid, offer));
        }
        self.note_closure(step);
        self.judge(step.packetid);
        if step.ends {
            // All that there is was sent: the window is in nobody's way.
            (self.over, self.is_limited, self.closure) = (true, false, None);
        }
    }

    /// The sender hears what has reached it by `now`.
    #[inline]
    fn hears(&mut self, now: Instant) {
        while let Some((time, packetid, offer)) = self.under_way.front().copied().filter(|(time, ..)| *time <= now) {
            self.under_way.pop_front();
            self.advance(time);
            self.known.offers(offer);
            self.judge(packetid);
        }
    }

    /// Counts the time until `now` for what holds.
    #[inline]
    fn advance(&mut self, now: Instant) {
        let length = (now - self.counted).max(Span::ZERO);
        self.counted = self.counted.max(now);
        if !self.is_limited || length == Span::ZERO || self.over {
            return;
        }
        let found = &mut self.found;
        found.limited += length;
        found.span = found.span.map(|(first, last)| (first, last.max(now)));
        let Some(offered) = self.told.offered() else { return };
        found.least = Some(found.least.map_or(offered, |least| least.min(offered)));
        if self.told.is_shut() {
            found.shut += length;
        }
        if offered < found.most / 2 {
            found.low += length;
        }
    }

    /// Whether the sender has no room now; `packetid` brought it about.
    #[inline]
    fn judge(&mut self, packetid: u64) {
        if self.over {
            return;
        }
        // Numbers of plain TCP do not compare with those of the data level.
        let alike = self.known.level() == self.told.level();
        let room = self.sent.filter(|_| alike).and_then(|sent| self.known.room(sent));
        let is_limited = room.is_some_and(|room| room < self.known.full());
        if is_limited && !self.is_limited && self.found.packets.len() < LISTED {
            self.found.packets.push(packetid);
        }
        self.is_limited = is_limited;
    }

    fn note_closure(&mut self, step: &WindowStep) {
        match (&mut self.closure, self.told.is_shut(), self.told.level()) {
            (None, true, Some(level)) => {
                self.closure = Some(Closure {
                    from: step.time,
                    packetid: step.packetid,
                    zero_from: (self.told.offered() == Some(0)).then_some(step.time),
                    until: step.time,
                    offered: self.told.offered().unwrap_or(0),
                    segment: self.told.full(),
                    level,
                    taken_back: self.told.is_taken_back(),
                    asked: 0,
                    repeated: 0,
                    heard: step.time,
                });
            }
            (Some(closure), true, _) => {
                closure.until = closure.until.max(step.time);
                closure.asked =
                    closure.asked.saturating_add(u64::from(step.forward && (step.payload > 0 || step.asks)));
                if step.offer.is_some() {
                    closure.offered = self.told.offered().unwrap_or(0);
                    closure.zero_from = closure.zero_from.or((closure.offered == 0).then_some(step.time));
                    closure.repeated = closure.repeated.saturating_add(1);
                    closure.heard = step.time;
                }
            }
            (Some(closure), false, _) => {
                closure.until = closure.until.max(step.time);
                self.found.longest_ended = self.found.longest_ended.max(closure.length());
                self.closure = None;
            }
            (None, ..) => {}
        }
    }

    /// What was found.
    #[must_use]
    pub fn finish(mut self) -> Limits {
        self.found.unended = self.closure;
        self.found
    }
}
