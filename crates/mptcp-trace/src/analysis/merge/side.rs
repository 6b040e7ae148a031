//! Which capture was taken nearer to the client?
//!
//! Take a packet towards the server and the next one towards the client. The capture near the client sees the first
//! leave and the second arrive; the other one sees the first arrive and the second leave. So the time between the two
//! is longer near the client, by the delays of both directions, whatever the clocks say: an offset cancels out, and
//! between neighbours a skew is nothing.

use super::directions::MergedDirection;
use super::matching::Alike;
use super::{SideEvidence, Which};
use crate::interrupt::interruptible;
use crate::{Instant, Span};

/// Pairs of neighbours that speak for either capture.
#[derive(Debug, Clone, Copy, Default)]
pub struct Votes {
    first: u64,
    second: u64,
}

impl Votes {
    /// Counts the votes of one stream, towards its server first. A subflow that the connection's server opened speaks
    /// the other way round.
    pub fn add(&mut self, directions: &[(MergedDirection, Alike); 2], opened_by_server: bool) {
        let [to_server, to_client] = directions.each_ref().map(|(direction, alike)| differences(direction, alike));
        let (mut first, mut second) = (0, 0);
        let mut answers = to_client.iter().peekable();
        for (index, (time, difference)) in interruptible(to_server.iter().enumerate()) {
            let next = to_server.get(index + 1).map_or(Instant::MAX, |(time, _)| *time);
            while answers.next_if(|(answered, _)| answered < time).is_some() {}
            let Some((_, back)) = answers.next_if(|(answered, _)| *answered < next) else { continue };
            match difference.cmp(back) {
                std::cmp::Ordering::Greater => first += 1,
                std::cmp::Ordering::Less => second += 1,
                std::cmp::Ordering::Equal => {}
            }
        }
        if opened_by_server {
            std::mem::swap(&mut first, &mut second);
        }
        self.first += first;
        self.second += second;
    }

    /// The capture nearer to the client.
    pub fn decide(&self) -> (Which, SideEvidence) {
        match self.first.cmp(&self.second) {
            std::cmp::Ordering::Greater => (Which::First, SideEvidence::RoundTrips),
            std::cmp::Ordering::Less => (Which::Second, SideEvidence::RoundTrips),
            std::cmp::Ordering::Equal => (Which::First, SideEvidence::Assumed),
        }
    }
}

/// For each packet that is beyond doubt: when the first capture recorded it, and how much later by its own clock the
/// second one did. In the order of time.
fn differences(direction: &MergedDirection, alike: &Alike) -> Vec<(Instant, Span)> {
    let pairs = alike.single_pairs();
    let times = pairs.iter().filter_map(|(one, other)| {
        let first = direction.first.get(*one)?.time;
        Some((first, direction.second.get(*other)?.time.checked_since(first)?))
    });
    times.collect()
}
