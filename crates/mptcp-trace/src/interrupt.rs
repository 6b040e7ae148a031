//! Ctrl-C while a command works: a flag that long loops look at, so that the shell comes back to its prompt. SIGTERM and
//! SIGHUP set it as well, and end the program.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// The signal that ends the program, 0 as long as there was none.
static ENDING: AtomicI32 = AtomicI32::new(0);

/// How often Ctrl-C was taken by work that it only ends.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// Number of programs started from here that have the terminal.
static ELSEWHERE: AtomicUsize = AtomicUsize::new(0);

/// While it lives, Ctrl-C is meant for a program that has the terminal: a pager, an editor.
#[derive(Debug)]
#[must_use]
pub struct HandedOver(());

/// Leaves Ctrl-C to a program that gets the terminal.
pub fn hand_over() -> HandedOver {
    ELSEWHERE.fetch_add(1, Ordering::SeqCst);
    HandedOver(())
}

impl Drop for HandedOver {
    fn drop(&mut self) {
        ELSEWHERE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// True while Ctrl-C is meant for another program.
#[must_use]
pub fn is_handed_over() -> bool {
    ELSEWHERE.load(Ordering::SeqCst) > 0
}

/// The person pressed Ctrl-C; the code that sees this unwinds to the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// Records that the running work is to stop. Called from the signal handler's thread.
pub fn request() {
    REQUESTED.store(true, Ordering::SeqCst);
}

/// Records that the whole program is to end by this signal, SIGTERM or SIGHUP: the running work stops, and none begins.
pub fn end(signal: i32) {
    ENDING.store(signal, Ordering::SeqCst);
    request();
}

/// The signal that ends the program, once there was one.
#[must_use]
pub fn ending() -> Option<i32> {
    Some(ENDING.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
}

/// Forgets an earlier Ctrl-C; the shell calls it before each command. What ends the program is not forgotten.
pub fn clear() {
    REQUESTED.store(ending().is_some(), Ordering::SeqCst);
}

/// True once Ctrl-C was pressed during the running command.
#[must_use]
#[inline]
pub fn requested() -> bool {
    // Loops ask for each packet, and it matters to none of them in which order other memory is seen.
    REQUESTED.load(Ordering::Relaxed)
}

/// `items` as long as Ctrl-C was not pressed: what loops over packets, mappings and ranges go through. What a loop leaves
/// unfinished is shown to nobody: the code that delivers a result [`check`]s before.
#[inline]
pub fn interruptible<I: IntoIterator>(items: I) -> impl Iterator<Item = I::Item> {
    items.into_iter().take_while(|_| !requested())
}

/// True once Ctrl-C was pressed during the running command, which takes it for the wanted end of its work: what comes
/// after it is not interrupted, and a second Ctrl-C is one of its own.
#[must_use]
pub fn take() -> bool {
    let requested = REQUESTED.swap(ending().is_some(), Ordering::SeqCst);
    if requested {
        TAKEN.fetch_add(1, Ordering::SeqCst);
    }
    requested
}

/// Counts how often [`take`] found one.
#[must_use]
pub fn taken() -> usize {
    TAKEN.load(Ordering::SeqCst)
}

/// Returns an error once Ctrl-C was pressed; for the `?` in long loops.
///
/// # Errors
/// [`Interrupted`] after [`request`] and before the next [`clear`].
pub fn check() -> Result<(), Interrupted> {
    if requested() { Err(Interrupted) } else { Ok(()) }
}
