//! A mistake in this program must not take the shell, and the person's loaded capture, with it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::io::Write;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

use crate::error::Error;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Replaces Rust's panic report by one sentence, unless `RUST_BACKTRACE` asks for the report.
pub fn install_hook() {
    if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
        return;
    }
    std::panic::set_hook(Box::new(|panic: &PanicHookInfo<'_>| {
        let place = panic.location().map(ToString::to_string);
        if GUARDED.get() {
            PLACE.set(place);
            return;
        }
        let reason = describe(panic.payload(), place);
        let _ = writeln!(std::io::stderr(), "error: {}", as_error("mptcpanalyzer", &reason));
    }));
}

/// Runs `work`; a panic in it becomes its message and, where known, its place in the source.
///
/// # Errors
/// Panic message of `work`.
pub fn guard<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    result.map_err(|payload| describe(payload.as_ref(), PLACE.take()))
}

/// The error that a person sees for a panic in `what`.
pub fn as_error(what: &str, reason: &str) -> Error {
    Error::Failed(format!("internal error in `{what}` ({reason}); please report it with the command and the capture"))
}

fn describe(payload: &(dyn Any + Send), place: Option<String>) -> String {
    let message = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    match place {
        Some(place) => format!("{message}, at {place}"),
        None => message.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(guard(|| 7), Ok(7));
        let reason = guard(|| -> u8 { panic!("number {}", 9) }).unwrap_err();
        assert!(reason.starts_with("number 9"), "{reason}");
        assert!(as_error("probe", &reason).to_string().starts_with("internal error in `probe` (number 9"));
    }
}
