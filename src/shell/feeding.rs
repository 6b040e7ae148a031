//! Results that grow, shown as they come; Ctrl-C ends them.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use clap::ArgMatches;

use super::console::{Console, output_error};
use super::executor::{Executor, guarded};
use crate::cli::Level;
use crate::commands::shared::feed::{Feed, Next};
use crate::error::{Error, Result};
use crate::output::Rolling;
use crate::terminal_text::escape;
use crate::{arguments, whole_file};
use mptcp_trace::interrupt;

/// How often a terminal is told how things stand.
const PULSE: Duration = Duration::from_millis(500);

impl Executor {
    /// Shows what `feed` brings until it ends or is ended, and leaves its result in the session.
    ///
    /// # Errors
    /// When it brings nothing, or what it brings cannot be written; its result is left in the session even then.
    pub(super) fn feed(
        &mut self,
        mut feed: Box<dyn Feed>,
        matches: &ArgMatches,
        console: &mut Console<'_>,
    ) -> Result<ControlFlow<()>> {
        let (file, options) = self.destination(matches, console)?;
        if options.format.is_binary() {
            return Err(Error::Usage(
                "results that grow cannot be written as Parquet or Arrow: use `--format ndjson` or csv".to_string(),
            ));
        }
        self.note(console, &feed.begun());
        let status = self.session.progress && std::io::stderr().is_terminal();
        let mut rolling = Rolling::new(options);
        let written = guarded("live", || match file {
            None => follow(&mut *feed, &mut rolling, &mut Status::new(status), console),
            Some(path) => whole_file::write(path, arguments::forced(matches), |output| {
                let console = &mut console.redirected(output);
                follow(&mut *feed, &mut rolling, &mut Status::new(status), console)
            }),
        });
        let finished = guarded("live", || feed.finish(&mut self.session));
        self.tell_warnings(console);
        match (written, &finished) {
            // What became of the work counts more than that nobody reads of it.
            (Err(Error::OutputClosed), Err(_)) => {}
            (written, _) => written?,
        }
        for sentence in finished? {
            self.note(console, &sentence);
        }
        // Ctrl-C is the ordinary end, what ends the program is not.
        if interrupt::ending().is_some() {
            return Err(Error::Interrupted);
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Writes each part as it comes.
fn follow(feed: &mut dyn Feed, rolling: &mut Rolling, status: &mut Status, console: &mut Console<'_>) -> Result<()> {
    loop {
        // It is meant for this work alone, which now comes to its end.
        if interrupt::take() {
            feed.stop();
        }
        let next = feed.next();
        let written = match &next {
            Ok(Next::Part(report)) => {
                status.clear(console);
                rolling.part(report, console.results)
            }
            Ok(Next::Nothing) => Ok(()),
            Ok(Next::End) | Err(_) => {
                status.clear(console);
                next?;
                return rolling.end(console.results).map_err(output_error);
            }
        };
        written.map_err(output_error)?;
        status.show(feed, console);
    }
}

/// The line of a terminal below the last one, which says how things stand.
struct Status {
    wanted: bool,
    shown: bool,
    next: Instant,
}

impl Status {
    fn new(wanted: bool) -> Self {
        let capable = std::env::var_os("TERM").is_some_and(|terminal| terminal != "dumb");
        Status { wanted: wanted && capable, shown: false, next: Instant::now() }
    }

    fn show(&mut self, feed: &dyn Feed, console: &mut Console<'_>) {
        if !self.wanted || console.level < Level::Warn || (self.shown && Instant::now() < self.next) {
            return;
        }
        // One line, whatever the terminal: a longer one could not be taken back.
        let width = (console.size)().map_or(80, |(width, _)| usize::from(width)).saturating_sub(1);
        let text: String = escape(&feed.status()).chars().take(width).collect();
        let _ = write!(console.messages, "\r\x1b[K{text}").and_then(|()| console.messages.flush());
        self.shown = true;
        self.next = Instant::now() + PULSE;
    }

    fn clear(&mut self, console: &mut Console<'_>) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(console.messages, "\r\x1b[K").and_then(|()| console.messages.flush());
        }
    }
}
