//! A capture that grows, watched and kept.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::report::{Shown, report};
use crate::commands::Session;
use crate::commands::shared::feed::{Feed, Next};
use crate::error::Result;
use crate::packets::live::{Incoming, LiveError, Recording, Wanted};
use mptcp_trace::Span;
use mptcp_trace::analysis::live::Live;
use mptcp_trace::packets::Builder;
use mptcp_trace::packets::native::Walked;
use mptcp_trace::units::counted;

/// How long it is waited for packets before the shell may look after other things.
const PULSE: Duration = Duration::from_millis(100);
/// Frames that are taken in before the clock is looked at.
const BATCH: u32 = 256;
/// Time limit for packets captured before the end to arrive.
const DRAIN: Duration = Duration::from_secs(2);
/// Packets of a window may come this much after its end.
const LATE: Duration = Duration::from_millis(200);

/// When it ends, and what is kept.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Length of the windows that rates are counted in.
    pub interval: Duration,
    /// Time after which it ends.
    pub duration: Option<Duration>,
    /// TCP packets after which it ends.
    pub packets: Option<u64>,
    /// TCP packets that are kept at most.
    pub keep: usize,
}

/// A capture that is being watched.
#[derive(Debug)]
pub struct Watch {
    incoming: Incoming,
    pub(super) live: Live,
    pub(super) recording: Recording,
    limits: Limits,
    shown: Shown,
    /// Name of the captured source, for sentences.
    what: String,
    /// The name under which the packets will be kept.
    pub(super) name: String,
    pub(super) copy: Option<PathBuf>,
    started: Instant,
    /// When the current window ends, by the clock on the wall.
    window: Option<(mptcp_trace::Instant, Instant)>,
    /// Until when what was captured may still come, once it was stopped.
    drain: Option<Instant>,
    ended: bool,
    /// Packets came beyond those that were wanted.
    pub(super) discarded: bool,
    /// Nothing came, and why was said.
    failed: bool,
    pub(super) trouble: Option<LiveError>,
}

impl Watch {
    /// Begins to capture. `copy` is a file for all that comes, and whether it may be replaced.
    ///
    /// # Errors
    /// When it cannot be begun.
    pub fn begin(wanted: &Wanted, limits: Limits, copy: Option<(PathBuf, bool)>, name: Option<String>) -> Result<Self> {
        let incoming = Incoming::open(wanted, copy.as_ref().map(|(path, force)| (path.as_path(), *force)))?;
        let what = match incoming.program() {
            Some(program) => {
                format!("{program} captures `{}` on {}", wanted.filter, wanted.source.name())
            }
            None => format!("reading {}", incoming.name()),
        };
        Ok(Watch {
            incoming,
            live: Live::new(Span::from_nanoseconds(i64::try_from(limits.interval.as_nanos()).unwrap_or(i64::MAX))),
            recording: Recording::new(limits.keep),
            limits,
            shown: Shown::default(),
            what,
            name: name.unwrap_or_else(|| format!("live:{}", wanted.source.name())),
            copy: copy.map(|(path, _)| path),
            started: Instant::now(),
            window: None,
            drain: None,
            ended: false,
            discarded: false,
            failed: false,
            trouble: None,
        })
    }

    /// Takes in frames until there is news, or nothing comes, or the shell should have a look around.
    fn take_in(&mut self) -> Result<()> {
        let mut until = Instant::now() + PULSE;
        for frame in 1_u32.. {
            self.end_when_due();
            if self.ended {
                return Ok(());
            }
            if self.is_full() {
                return self.discard(until);
            }
            match self.incoming.step(self.recording.end(), until) {
                Ok(Walked::Tcp) => {
                    let origin = self.recording.origin();
                    if let Some((segment, ends)) = self.recording.end().last() {
                        self.live.push(segment, ends, origin);
                    }
                    self.recording.settle();
                }
                Ok(Walked::Other) => {}
                Ok(Walked::NothingYet) => return Ok(()),
                Ok(Walked::End) => self.end(),
                Err(error) => return self.note_trouble(error),
            }
            if self.live.has_news() {
                // What is available goes along with it, but nothing is waited for.
                until = until.min(Instant::now());
            }
            if frame.is_multiple_of(BATCH) && Instant::now() >= until {
                return Ok(());
            }
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.limits.packets.is_some_and(|packets| self.live.totals().packets >= packets)
    }

    /// Lets go of what comes beyond the packets that were wanted, until the program that captures has ended.
    fn discard(&mut self, until: Instant) -> Result<()> {
        if self.drain.is_none() {
            self.stop();
        }
        while !self.ended {
            match self.incoming.step(&mut Builder::default(), until) {
                Ok(Walked::Tcp | Walked::Other) => {
                    self.discarded = true;
                    self.end_when_due();
                }
                Ok(Walked::NothingYet) => return Ok(()),
                Ok(Walked::End) => self.end(),
                Err(error) => return self.note_trouble(error),
            }
        }
        Ok(())
    }

    /// Looks whether the time is over: that of the capture, and that of what may still come.
    fn end_when_due(&mut self) {
        let over = self.limits.duration.is_some_and(|duration| self.started.elapsed() >= duration);
        if over && self.drain.is_none() {
            self.stop();
        }
        if self.drain.is_some_and(|until| Instant::now() >= until) {
            self.end();
        }
    }

    fn end(&mut self) {
        if !std::mem::replace(&mut self.ended, true) {
            self.live.finish();
        }
    }

    /// What was captured before something failed is still of use.
    fn note_trouble(&mut self, error: LiveError) -> Result<()> {
        match error {
            // The shell sees it as well, and asks for the end.
            LiveError::Interrupted => Ok(()),
            error if self.recording.held() == 0 => {
                self.failed = true;
                self.ended = true;
                Err(error.into())
            }
            error => {
                self.trouble = Some(error);
                self.end();
                Ok(())
            }
        }
    }

    /// Ends a window that is over by the clock on the wall, because no packet came that would.
    fn look_at_the_clock(&mut self) {
        let (Some(end), Some(last)) = (self.live.window_end(), self.live.totals().last) else { return };
        match self.window {
            Some((known, at)) if known == end => {
                if Instant::now() >= at {
                    self.live.end_window();
                }
            }
            _ => {
                let left = Duration::from_nanos(u64::try_from((end - last).nanoseconds()).unwrap_or(0));
                self.window = Instant::now().checked_add(left.saturating_add(LATE)).map(|at| (end, at));
            }
        }
    }
}

impl Feed for Watch {
    fn begun(&self) -> String {
        let end = if self.limits.duration.is_some() || self.limits.packets.is_some() {
            "Ctrl-C stops earlier"
        } else {
            "Ctrl-C stops"
        };
        format!("{}; {end}", self.what)
    }

    fn next(&mut self) -> Result<Next> {
        let over = self.ended;
        if !over {
            self.take_in()?;
            self.look_at_the_clock();
        }
        let news = self.live.take_news();
        match (news.is_empty(), over) {
            (false, _) => Ok(Next::Part(Box::new(report(&news, self.live.origin(), &mut self.shown)))),
            (true, true) => Ok(Next::End),
            (true, false) => Ok(Next::Nothing),
        }
    }

    fn status(&self) -> String {
        let totals = self.live.totals();
        format!(
            "{} s: {}, {}, {}; Ctrl-C stops",
            self.started.elapsed().as_secs(),
            counted(totals.packets, "TCP packet"),
            counted(totals.streams, "stream"),
            counted(totals.connections, "MPTCP connection"),
        )
    }

    fn stop(&mut self) {
        if self.drain.is_some() || !self.incoming.drains() {
            self.incoming.stop();
            return self.end();
        }
        self.incoming.stop();
        self.drain = Some(Instant::now() + DRAIN);
    }

    fn finish(mut self: Box<Self>, session: &mut Session) -> Result<Vec<String>> {
        self.end();
        let closing = self.incoming.close();
        if self.failed { Ok(Vec::new()) } else { self.leave(&closing, session) }
    }
}
