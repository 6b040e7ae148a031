//! Damaged files make polars panic in places where it could return an error; here such a panic becomes a value.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

thread_local! {
    static HERE: Cell<bool> = const { Cell::new(false) };
}

/// Number of threads inside [`contain`].
static INSIDE: AtomicUsize = AtomicUsize::new(0);
static HOOK: Once = Once::new();

/// Does `work` and returns `None` when it panics, without the panic's message on standard error.
///
/// Whatever `work` changed may be half done; hand in only what is thrown away afterwards.
pub fn contain<T>(work: impl FnOnce() -> T) -> Option<T> {
    HOOK.call_once(|| {
        let earlier = take_hook();
        set_hook(Box::new(move |panic| {
            // polars works in its own threads, too.
            let of_polars = || std::thread::current().name().is_some_and(|name| name.starts_with("polars"));
            let contained = HERE.get() || (INSIDE.load(Ordering::SeqCst) > 0 && of_polars());
            if !contained {
                earlier(panic);
            }
        }));
    });
    let outside = HERE.replace(true);
    INSIDE.fetch_add(1, Ordering::SeqCst);
    let result = catch_unwind(AssertUnwindSafe(work));
    INSIDE.fetch_sub(1, Ordering::SeqCst);
    HERE.set(outside);
    result.ok()
}

#[cfg(test)]
mod tests {
    use super::contain;

    #[test]
    fn a_panic_becomes_nothing() {
        assert_eq!(contain(|| 1), Some(1));
        assert_eq!(contain(|| -> u8 { panic!("hostile") }), None);
        assert_eq!(contain(|| contain(|| -> u8 { panic!("inner") })), Some(None));
    }
}
