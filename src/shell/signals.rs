//! Ctrl-C, SIGTERM and SIGHUP.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use super::console::Console;
use mptcp_trace::interrupt;

use crate::{children, temporary};

/// How long a command may take to stop by itself after Ctrl-C outside the prompt, and everywhere after SIGTERM or SIGHUP.
const GRACE: Duration = Duration::from_secs(1);

static AT_PROMPT: AtomicBool = AtomicBool::new(false);

/// The program waits for a line.
static IDLE: AtomicBool = AtomicBool::new(false);

/// Terminal settings before a line editor changed them.
static TERMINAL: Mutex<Option<Termios>> = Mutex::new(None);

/// The exit code of a script or command that a signal ended, as shells have it: 128 and the number of the signal.
#[must_use]
pub fn exit_code() -> u8 {
    u8::try_from(128 + interrupt::ending().unwrap_or(SIGINT)).unwrap_or(u8::MAX)
}

/// Lets Ctrl-C stop the running command. Outside the prompt it also ends the program, at the latest after [`GRACE`];
/// a second Ctrl-C there ends it at once. SIGTERM and SIGHUP end it in the same way, also at the prompt; who started the
/// program with SIGHUP ignored (`nohup`) wants it to go on.
///
/// Their thread first does what a start has to do and nothing waits for but the program's end, see [`Prepared`].
pub fn handle(console: &mut Console<'_>) -> Prepared {
    *terminal() = tcgetattr(io::stdin()).ok();
    fail_beyond_the_largest_size();
    let (done, prepared) = sync_channel(1);
    // Before the thread runs: what a signal ends from now on may have files and processes.
    let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| *signal != SIGHUP || !is_ignored(SIGHUP));
    let started = Signals::new(wanted).and_then(|mut signals| {
        let take_all = move || {
            temporary::sweep();
            let _ = done.send(());
            signals.forever().for_each(take);
        };
        thread::Builder::new().name("signals".to_string()).spawn(take_all).map(drop)
    });
    if let Err(error) = started {
        console.warning(&format!("Ctrl-C will end the program, because it cannot be caught: {error}"));
        temporary::sweep();
    }
    Prepared(prepared)
}

/// What killed processes left is gone when this goes.
#[must_use]
pub struct Prepared(Receiver<()>);

impl Drop for Prepared {
    fn drop(&mut self) {
        // Without the thread, nobody sends.
        let _ = self.0.recv();
    }
}

/// A file that reaches the largest size that the system allows (`ulimit -f`) does not end the program: writing fails
/// with an error that is said, and what was begun is removed. Programs started from here have the signal as usual, which
/// one that is ignored would not be.
fn fail_beyond_the_largest_size() {
    let _ = flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

/// Ctrl-C now ends a command, not the program.
pub fn at_prompt() {
    AT_PROMPT.store(true, Ordering::SeqCst);
}

/// While it lives, no work has to come to its end before the program does.
#[must_use]
pub struct Idle(());

/// Says that the program waits for a line of the person.
pub fn idle() -> Idle {
    IDLE.store(true, Ordering::SeqCst);
    Idle(())
}

impl Drop for Idle {
    fn drop(&mut self) {
        IDLE.store(false, Ordering::SeqCst);
    }
}

/// Whether the program was started with this signal ignored.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

fn terminal() -> std::sync::MutexGuard<'static, Option<Termios>> {
    TERMINAL.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take(signal: i32) {
    let again = interrupt::requested();
    if signal == SIGINT {
        if interrupt::is_handed_over() {
            return;
        }
        interrupt::request();
        if AT_PROMPT.load(Ordering::SeqCst) && interrupt::ending().is_none() {
            return;
        }
    } else {
        interrupt::end(signal);
    }
    if again || IDLE.load(Ordering::SeqCst) {
        end_now();
    }
    let taken = interrupt::taken();
    thread::spawn(move || {
        thread::sleep(GRACE);
        // Unless it ended what was meant to be ended so.
        if interrupt::taken() == taken || interrupt::ending().is_some() {
            end_now();
        }
    });
}

/// Ends the program without unwinding: nothing that it started or left in a temporary file remains.
fn end_now() -> ! {
    children::end_all();
    temporary::remove_all();
    if let Some(settings) = terminal().as_ref() {
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, settings);
    }
    let _ =
        writeln!(io::stderr(), "error: {}", if interrupt::ending().is_some() { "terminated" } else { "interrupted" });
    std::process::exit(exit_code().into())
}
