//! Ctrl-C while a command works: a flag that long loops look at, so that the shell comes back to its prompt.

use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// The person pressed Ctrl-C; whoever sees this unwinds to the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// Records that the running work is to stop. Called from the signal handler's thread.
pub fn request() {
    REQUESTED.store(true, Ordering::SeqCst);
}

/// Forgets an earlier Ctrl-C; the shell calls it before each command.
pub fn clear() {
    REQUESTED.store(false, Ordering::SeqCst);
}

/// True once Ctrl-C was pressed during the running command.
#[must_use]
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// Returns an error once Ctrl-C was pressed; for the `?` in long loops.
///
/// # Errors
/// [`Interrupted`] after [`request`] and before the next [`clear`].
pub fn check() -> Result<(), Interrupted> {
    if requested() { Err(Interrupted) } else { Ok(()) }
}
