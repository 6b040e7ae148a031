//! By how much the TCP timestamps of packets differ that are the same in all else.
//!
//! A firewall that hides the clocks of hosts (`scrub reassemble tcp` of OpenBSD's pf, some load balancers) adds a number
//! to all of a stream's timestamps. The packets of one stream then differ by one number for each sender, those of two
//! streams by many.

use std::collections::{BTreeSet, HashMap};

/// Pairs of packets, one of each capture, by sender and by how much their timestamps differ.
#[derive(Debug, Clone, Default)]
pub(super) struct Clocks {
    differences: HashMap<(bool, u32), u32>,
    pairs: u32,
    /// Time by the first capture's clock.
    ticks: BTreeSet<(bool, u32)>,
}

/// Times that a clock must have shown, and different steps between them, to be known again by its course.
const COURSE: (usize, usize) = (16, 4);

impl Clocks {
    /// Takes in a pair of packets; one without timestamps tells nothing.
    pub fn add(&mut self, from_client: bool, first: Option<u32>, second: Option<u32>) {
        let Some((first, second)) = first.zip(second) else { return };
        self.pairs = self.pairs.saturating_add(1);
        self.ticks.insert((from_client, first));
        let count = self.differences.entry((from_client, first.wrapping_sub(second))).or_default();
        *count = count.saturating_add(1);
    }

    /// Whether the clocks went on in steps that no other stream would repeat: many, and not all alike.
    pub fn are_irregular(&self) -> bool {
        let ticks: Vec<(bool, u32)> = self.ticks.iter().copied().collect();
        let step = |pair: &[(bool, u32)]| match pair {
            [(before, from), (after, to)] if before == after => Some(to - from),
            _ => None,
        };
        let steps: BTreeSet<u32> = ticks.windows(2).filter_map(step).collect();
        ticks.len() >= COURSE.0 && steps.len() >= COURSE.1
    }

    /// Pairs that differ by the number that most pairs of their sender do, the first one of each sender left out,
    /// because any number fits it; and which share of the others they are.
    pub fn agreement(&self) -> (u32, f64) {
        let most = |sender: bool| {
            let own = self.differences.iter().filter(|((from_client, _), _)| *from_client == sender);
            own.map(|(_, count)| *count).max()
        };
        let (client, server) = (most(true), most(false));
        let senders = u32::from(client.is_some()) + u32::from(server.is_some());
        let agree = client.unwrap_or(0).saturating_add(server.unwrap_or(0)).saturating_sub(senders);
        let all = self.pairs.saturating_sub(senders);
        (agree, if all == 0 { 0.0 } else { f64::from(agree) / f64::from(all) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_for_each_sender() {
        let mut clocks = Clocks::default();
        for tick in 0..5 {
            clocks.add(true, Some(tick), Some(tick + 1000));
            clocks.add(false, Some(tick.wrapping_sub(3)), Some(tick));
        }
        assert_eq!(clocks.agreement(), (8, 1.0));
        clocks.add(true, Some(9), None);
        clocks.add(true, Some(9), Some(9));
        clocks.add(false, Some(9), Some(20));
        assert_eq!(clocks.agreement(), (8, 0.8));
    }

    #[test]
    fn a_course_is_known_again_when_it_is_irregular() {
        let mut clocks = Clocks::default();
        (0..100).for_each(|tick| clocks.add(true, Some(tick * 10), Some(tick * 10)));
        assert!(!clocks.are_irregular());
        [1003, 1004, 1011, 1013].into_iter().for_each(|tick| clocks.add(true, Some(tick), Some(tick)));
        assert!(clocks.are_irregular());
    }

    #[test]
    fn any_two_packets_differ_by_some_number() {
        let mut clocks = Clocks::default();
        assert_eq!(clocks.agreement(), (0, 0.0));
        clocks.add(true, Some(5), Some(70_000));
        clocks.add(false, Some(8), Some(3));
        assert_eq!(clocks.agreement(), (0, 0.0));
    }
}
