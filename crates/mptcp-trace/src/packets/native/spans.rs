//! A long capture in spans that several threads dissect at once, each from where a packet seems to begin.
//!
//! Whether that was right tells the span before: it ends where the next has to begin. Spans are taken in one after the
//! other, in the order of the file; the first that is not what it seemed ends it, and the rest is dissected in order by
//! one thread. What is found out is the same.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::Failure;
use super::file::Headers;
use super::pipeline::Kept;
use super::tally::Tally;
use super::walk::{Walk, Walked};
use crate::Instant;
use crate::packets::Builder;
use crate::packets::capture_file::boundary::Near;
use crate::packets::dissection::{Batch, Numbers};

/// Bytes of a span: its packets stay in the processor's cache until they are taken in.
const SPAN: u64 = 1 << 20;

/// Spans before threads are worth it.
const FEWEST: u64 = 8;

/// Spans that may be dissected ahead of the one that is taken in next.
const AHEAD: u64 = 8;

/// Threads that dissect beside the one that takes in, at most: that one has no time for the spans of more.
const MOST_HELPERS: usize = 3;

/// Interfaces at most that each thread has its own description of.
const MOST_INTERFACES: usize = 64;

/// How the file is divided.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// Offset of the first span.
    start: u64,
    /// Number of spans; the last one goes on to the end of the file.
    spans: u64,
    near: Near,
}

impl Plan {
    fn start_of(self, span: u64) -> u64 {
        self.start.saturating_add(span.saturating_mul(SPAN))
    }

    fn end_of(self, span: u64) -> Option<u64> {
        let next = span.saturating_add(1);
        (next < self.spans).then(|| self.start_of(next))
    }
}

/// A dissected span.
struct Span {
    /// The thread whose numbers its packets have.
    of: usize,
    /// Offsets of its first packet, and of what follows its last.
    from: u64,
    to: u64,
    frames: u64,
    packets: Batch,
    /// When its first, earliest and last frame with a time were recorded.
    times: Option<[Instant; 3]>,
    tally: Tally,
}

/// What the threads have in common.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The next span that nobody dissects yet, and the next to be taken in.
    next: u64,
    taken_in: u64,
    /// Spans that wait to be taken in; `None` for one that is not what it seemed.
    dissected: BTreeMap<u64, Option<Span>>,
    /// Empty batches.
    spare: Vec<Batch>,
    /// Nobody wants more spans.
    over: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The next span to be dissected, with an empty batch. `None` when all others are far enough ahead.
    fn next(&mut self, plan: Plan) -> Option<(u64, Batch)> {
        let span = self.next;
        if self.over || span >= plan.spans || span >= self.taken_in.saturating_add(AHEAD) {
            return None;
        }
        self.next = span.saturating_add(1);
        Some((span, self.spare.pop().unwrap_or_default()))
    }
}

/// Tells the others that it is over, however this thread ends.
struct Ending<'a> {
    shared: &'a Shared,
    /// Only if it panics.
    panic_only: bool,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if !self.panic_only || thread::panicking() {
            self.shared.state().over = true;
            self.shared.changed.notify_all();
        }
    }
}

/// Dissects what follows `walk` by several threads, if that is worth it, as far as it can be done so; `walk` goes on
/// behind it. Whether that is the end of the capture.
pub fn dissect(walk: &mut Walk, kept: &mut Kept<'_>) -> Result<bool, Failure> {
    let Some(plan) = plan(walk) else { return Ok(false) };
    let helpers = thread::available_parallelism().map_or(1, usize::from).saturating_sub(1).min(MOST_HELPERS);
    let dissectors: Option<Vec<Dissector>> = (0..=helpers).map(|number| Dissector::beside(walk, number)).collect();
    let Some(mut dissectors) = dissectors.filter(|_| helpers > 0) else { return Ok(false) };
    let mut numbers: Vec<Numbers> = dissectors.iter().map(|_| Numbers::default()).collect();
    let Some(mut own) = dissectors.pop() else { return Ok(false) };
    let shared = &Shared::default();
    thread::scope(|scope| {
        let _ending = Ending { shared, panic_only: false };
        for mut dissector in dissectors {
            let helper = move || {
                let _ending = Ending { shared, panic_only: true };
                dissector.help(plan, shared);
            };
            // Where the system starts no thread, the others do all.
            let _ = thread::Builder::new().name("dissector".to_string()).spawn_scoped(scope, helper);
        }
        loop {
            let mut state = shared.state();
            let turn = state.taken_in;
            if let Some(span) = state.dissected.remove(&turn) {
                drop(state);
                let Some(span) = span.filter(|span| span.from == walk.file().next_offset()) else { return Ok(false) };
                let spare = take_in(span, walk, kept, &mut numbers)?;
                let mut state = shared.state();
                state.spare.push(spare);
                state.taken_in = turn.saturating_add(1);
                shared.changed.notify_all();
                if state.taken_in == plan.spans {
                    return Ok(true);
                }
            } else if let Some((span, spare)) = state.next(plan) {
                drop(state);
                let dissected = own.dissect(span, plan, spare);
                shared.state().dissected.insert(span, dissected);
            } else if state.over {
                // Another thread panicked, and this one does when it sees that.
                return Ok(false);
            } else {
                drop(shared.wait(state));
            }
        }
    })
}

/// How the rest of the capture is divided; `None` if it is not.
fn plan(walk: &mut Walk) -> Option<Plan> {
    let seconds = walk.time().nanoseconds().div_euclid(1_000_000_000);
    let file = walk.file();
    if file.interfaces().len() > MOST_INTERFACES {
        return None;
    }
    let start = file.next_offset();
    let size = file.framing().file()?.metadata().ok()?.len();
    let spans = size.checked_sub(start)?.div_euclid(SPAN);
    (spans >= FEWEST).then_some(Plan { start, spans, near: Near { seconds, distance: 0 } })
}

/// Appends the packets of a span that follows `walk`, and puts `walk` behind it; returns the empty batch.
fn take_in(span: Span, walk: &mut Walk, kept: &mut Kept<'_>, numbers: &mut [Numbers]) -> Result<Batch, Failure> {
    let Span { of, to, frames, mut packets, times, tally, .. } = span;
    let before = walk.frames();
    let last = times.map(|[origin, earliest, last]| {
        kept.builder.time(origin);
        kept.builder.time(earliest);
        last
    });
    if let Some(numbers) = numbers.get_mut(of) {
        kept.builder.take_in_part(&mut packets, numbers, before);
    }
    walk.go_on_after(tally, last);
    walk.file().framing().go_to(to, None, before.saturating_add(frames));
    kept.look(to)?;
    Ok(packets)
}

/// What a thread dissects spans with.
struct Dissector {
    number: usize,
    walk: Walk,
    /// What is known of the file's headers.
    headers: Headers,
    builder: Builder,
}

impl Dissector {
    fn beside(walk: &Walk, number: usize) -> Option<Dissector> {
        let mut walk = walk.beside()?;
        let headers = walk.file().headers();
        Some(Dissector { number, walk, headers, builder: Builder::default() })
    }

    /// Dissects spans until all are taken.
    fn help(&mut self, plan: Plan, shared: &Shared) {
        loop {
            let mut state = shared.state();
            let (span, spare) = loop {
                if let Some(next) = state.next(plan) {
                    break next;
                }
                if state.over || state.next >= plan.spans {
                    return;
                }
                state = shared.wait(state);
            };
            drop(state);
            let dissected = self.dissect(span, plan, spare);
            shared.state().dissected.insert(span, dissected);
            shared.changed.notify_all();
        }
    }

    /// Dissects a span into a batch; `None` where it has what only who knows all before it can tell.
    fn dissect(&mut self, span: u64, plan: Plan, spare: Batch) -> Option<Span> {
        let (start, end) = (plan.start_of(span), plan.end_of(span));
        let file = self.walk.file();
        file.framing().go_to(start, end, 0);
        if span > 0 {
            let near = Near { distance: start.saturating_sub(plan.start), ..plan.near };
            if !file.framing().go_to_boundary(near).ok()? {
                return None;
            }
        }
        let from = file.next_offset();
        while end.is_none_or(|end| self.walk.file().next_offset() < end) {
            if self.walk.step(&mut self.builder).ok()? == Walked::End {
                break;
            }
        }
        let tally = self.walk.take_tally();
        let frames = self.walk.frames();
        let to = self.walk.file().next_offset();
        let ended_early = end.is_some_and(|end| to < end) || self.walk.truncation().is_some();
        if ended_early || tally.untimed > 0 || self.walk.file().headers() != self.headers {
            return None;
        }
        let last = tally.time;
        let (packets, times) = self.builder.hand_over_part(spare);
        let times = times.map(|[origin, earliest]| [origin, earliest, last]);
        Some(Span { of: self.number, from, to, frames, packets, times, tally })
    }
}
