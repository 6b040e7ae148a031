//! The second pass by subflow on one thread, by data on another.

use std::panic::resume_unwind;
use std::sync::mpsc::{channel, sync_channel};
use std::thread;

use super::parted::Batch;
use crate::parallel;

/// Batches that may wait for the other thread.
const WAITING: usize = 16;

/// Has `make` make batches and hand them over, and `look` look at each of them, in their order, with what `begin` begins
/// with: at the same time, where so many `packets` are worth another thread. Returns what was made, and what the looks came
/// to.
pub fn piped<'a, M, S: Send>(
    packets: usize,
    begin: impl Fn() -> S + Sync,
    look: impl Fn(&mut S, &Batch<'a>) + Sync,
    make: impl FnOnce(&mut dyn FnMut(&Batch<'a>)) -> M,
) -> (M, S) {
    if !parallel::is_worth(packets) {
        return in_turn(begin, look, make);
    }
    let (begin, look) = (&begin, &look);
    thread::scope(|scope| {
        let (full, batches) = sync_channel::<Batch<'a>>(WAITING);
        let (empty, spare) = channel();
        let other = move || {
            let mut seen = begin();
            for batch in batches {
                look(&mut seen, &batch);
                // At the end nobody takes it any more.
                let _ = empty.send(batch);
            }
            seen
        };
        // Where the system starts no thread, this one does both.
        let Ok(other) = thread::Builder::new().spawn_scoped(scope, other) else { return in_turn(begin, look, make) };
        let made = make(&mut |batch| {
            // A batch that the other processor has read is not written to packet by packet: each would wait for it.
            let mut copy: Batch<'a> = spare.try_recv().unwrap_or_default();
            copy.copy_from(batch);
            // Where the other thread panicked, this one does when it sees that.
            let _ = full.send(copy);
        });
        drop(full);
        (made, other.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

fn in_turn<'a, M, S>(
    begin: impl Fn() -> S,
    look: impl Fn(&mut S, &Batch<'a>),
    make: impl FnOnce(&mut dyn FnMut(&Batch<'a>)) -> M,
) -> (M, S) {
    let mut seen = begin();
    let made = make(&mut |batch| look(&mut seen, batch));
    (made, seen)
}
