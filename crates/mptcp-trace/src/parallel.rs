//! Work on many things at once, on all processors.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::interrupt;

/// Packets below which other threads are not worth their start.
const FEW: usize = 1 << 15;

/// Threads at most: what is done is done in memory, which more would only wait for.
const MOST: usize = 8;

/// The results of `work` for each of `things`, in their order; they are about so many `packets` together. After Ctrl-C
/// they are not all there.
pub fn each<T: Sync, R: Send>(things: &[T], packets: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let processors = if packets < FEW { 1 } else { thread::available_parallelism().map_or(1, usize::from) };
    let threads = processors.min(MOST).min(things.len());
    if threads < 2 {
        return interrupt::interruptible(things).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let share = || {
        let mut done = Vec::new();
        while !interrupt::requested() {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(thing) = things.get(index) else { break };
            done.push((index, work(thing)));
        }
        done
    };
    let mut done = thread::scope(|scope| {
        // Where the system starts no thread, this one does all.
        let others: Vec<_> =
            (1..threads).filter_map(|_| thread::Builder::new().spawn_scoped(scope, share).ok()).collect();
        let mut done = share();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Whether so many packets are worth a thread, and there is a processor for it.
#[must_use]
pub fn is_worth(packets: usize) -> bool {
    packets >= FEW && thread::available_parallelism().map_or(1, usize::from) > 1
}

/// The results of two pieces of work about so many `packets`, done at the same time where that is worth a thread.
pub fn both<A, B: Send>(packets: usize, one: impl FnOnce() -> A, other: impl Fn() -> B + Sync) -> (A, B) {
    if !is_worth(packets) {
        return (one(), other());
    }
    thread::scope(|scope| {
        let beside = thread::Builder::new().spawn_scoped(scope, &other);
        let one = one();
        // Where the system starts no thread, this one does both.
        let other =
            beside.map_or_else(|_| other(), |thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        (one, other)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_what_they_are_about() {
        let things: Vec<usize> = (0..1000).collect();
        for packets in [0, FEW] {
            let squares = each(&things, packets, |thing| {
                if thing % 100 == 7 {
                    thread::sleep(std::time::Duration::from_millis(1));
                }
                thing * thing
            });
            assert!(squares.into_iter().eq(things.iter().map(|thing| thing * thing)));
        }
        assert!(each(&[0_u8; 0], FEW, |thing| *thing).is_empty());
    }

    #[test]
    fn both_results_come_from_where_they_belong() {
        for packets in [0, FEW] {
            assert_eq!(both(packets, || "one", || 2), ("one", 2));
        }
    }
}
