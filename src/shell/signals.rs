//! Ctrl-C, SIGTERM and SIGHUP.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::console::Console;
use mptcp_trace::interrupt;

use crate::{children, temporary};

/// How long a command may take to stop by itself after Ctrl-C outside the prompt, and everywhere after SIGTERM or SIGHUP.
const GRACE: Duration = Duration::from_secs(1);

static AT_PROMPT: AtomicBool = AtomicBool::new(false);

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
pub fn handle(console: &mut Console<'_>) {
    *terminal() = tcgetattr(io::stdin()).ok();
    let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| *signal != SIGHUP || !is_ignored(SIGHUP));
    let started = Signals::new(wanted).and_then(|mut signals| {
        let take_all = move || signals.forever().for_each(take);
        thread::Builder::new().name("signals".to_string()).spawn(take_all).map(drop)
    });
    if let Err(error) = started {
        console.warning(&format!("Ctrl-C will end the program, because it cannot be caught: {error}"));
    }
}

/// Ctrl-C now ends a command, not the program.
pub fn at_prompt() {
    AT_PROMPT.store(true, Ordering::SeqCst);
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
    if again {
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
