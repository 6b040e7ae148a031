//! Flows: which ends a packet travels between. Each pair of ends is kept once, however many packets travel.

use std::collections::HashMap;
use std::net::IpAddr;

use foldhash::fast::RandomState;

/// An address and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// Address.
    pub address: IpAddr,
    /// Port.
    pub port: u16,
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.address {
            IpAddr::V4(address) => write!(formatter, "{address}:{}", self.port),
            IpAddr::V6(address) => write!(formatter, "[{address}]:{}", self.port),
        }
    }
}

/// Where a packet comes from and goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ends {
    /// Its sender.
    pub source: Endpoint,
    /// Its receiver.
    pub destination: Endpoint,
}

/// A pair of endpoints, the lower one first: what the two directions of a stream have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair(Endpoint, Endpoint);

impl Pair {
    /// The pair of these two.
    #[inline]
    #[must_use]
    pub fn of(ends: Ends) -> Self {
        let Ends { source, destination } = ends;
        if source <= destination { Pair(source, destination) } else { Pair(destination, source) }
    }

    /// The ends that a flow between the two has.
    #[inline]
    fn ends(&self, flow: Flow) -> Ends {
        let Pair(low, high) = *self;
        if flow.is_from_higher() {
            Ends { source: high, destination: low }
        } else {
            Ends { source: low, destination: high }
        }
    }
}

/// A direction between two ends, which [`Flows`] numbers. The other direction is the number beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Flow(u32);

impl Flow {
    /// The same direction between the ends that have this number elsewhere.
    #[inline]
    pub(super) fn renumbered(self, numbers: &[u32]) -> Self {
        numbers.get(self.pair()).map_or(Flow(u32::MAX), |number| Flow(number << 1 | (self.0 & 1)))
    }

    /// The number of its pair of ends, from 0.
    #[inline]
    #[must_use]
    pub fn pair(self) -> usize {
        (self.0 >> 1) as usize
    }

    /// Whether it comes from the higher one of the two ends.
    #[inline]
    #[must_use]
    pub fn is_from_higher(self) -> bool {
        self.0 & 1 == 1
    }
}

/// The flows of a capture, in the order of their first packets.
#[derive(Debug, Clone, Default)]
pub struct Flows {
    pairs: Vec<Pair>,
    numbers: HashMap<Pair, u32, RandomState>,
    /// Flows by a few bits: most packets are of a flow that another was of shortly before.
    recent: Vec<Flow>,
}

/// Flows that are remembered as recent.
const RECENT: usize = 256;

impl Flows {
    /// The flow between these ends; a new one if there was none.
    #[inline]
    pub fn of(&mut self, ends: Ends) -> Flow {
        let mixed = ends.source.port.wrapping_mul(31) ^ ends.destination.port;
        let slot = usize::from(mixed ^ (mixed >> 8)) % RECENT;
        if let Some(recent) = self.recent.get(slot).copied()
            && self.pairs.get(recent.pair()).is_some_and(|pair| pair.ends(recent) == ends)
        {
            return recent;
        }
        self.search(ends, slot)
    }

    fn search(&mut self, ends: Ends, slot: usize) -> Flow {
        let pair = Pair::of(ends);
        let next = u32::try_from(self.pairs.len()).unwrap_or(u32::MAX >> 1).min(u32::MAX >> 1);
        let number = *self.numbers.entry(pair).or_insert(next);
        if number == next {
            self.pairs.push(pair);
        }
        let flow = Flow(number << 1 | u32::from(ends.source != pair.0));
        self.recent.resize(RECENT, Flow(u32::MAX));
        if let Some(recent) = self.recent.get_mut(slot) {
            *recent = flow;
        }
        flow
    }

    /// The ends of a flow.
    ///
    /// A flow of other [`Flows`] has none: it is taken for one between unspecified addresses.
    #[inline]
    #[must_use]
    pub fn ends(&self, flow: Flow) -> Ends {
        const NOWHERE: Endpoint = Endpoint { address: IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), port: 0 };
        self.pairs.get(flow.pair()).unwrap_or(&Pair(NOWHERE, NOWHERE)).ends(flow)
    }

    /// Pairs of ends.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// What finds flows from here on; this keeps the ends of those there are.
    pub(super) fn ahead(&mut self) -> Self {
        let (numbers, recent) = (std::mem::take(&mut self.numbers), std::mem::take(&mut self.recent));
        Flows { pairs: self.pairs.clone(), numbers, recent }
    }

    /// Adds to `numbers`, by the numbers that another gave to pairs of ends, those that they have here; `pairs` are the
    /// next that the other found.
    pub(super) fn number(&mut self, pairs: &[Pair], numbers: &mut Vec<u32>) {
        for pair in pairs {
            let flow = self.of(pair.ends(Flow(0)));
            numbers.push(flow.0 >> 1);
        }
    }

    /// The pairs of ends from number `first` on.
    pub(super) fn pairs_from(&self, first: usize) -> &[Pair] {
        self.pairs.get(first..).unwrap_or(&[])
    }

    /// Takes in the pairs of ends that another has found after those known here.
    pub(super) fn take_in(&mut self, pairs: &mut Vec<Pair>) {
        self.pairs.append(pairs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_share_a_pair_and_keep_their_ends() {
        let end = |address: [u8; 4], port| Endpoint { address: address.into(), port };
        let (one, other) = (end([192, 0, 2, 9], 80), end([192, 0, 2, 10], 79));
        let there = Ends { source: one, destination: other };
        let back = Ends { source: other, destination: one };
        let itself = Ends { source: one, destination: one };
        let mut flows = Flows::default();
        for _ in 0..2 {
            let [first, second, third] = [there, back, itself].map(|ends| flows.of(ends));
            assert_eq!([first, second, third].map(|flow| flows.ends(flow)), [there, back, itself]);
            assert_eq!((first.pair(), second.pair(), third.pair()), (0, 0, 1));
            assert_ne!(first, second);
        }
        assert_eq!(flows.pairs(), 2);
    }

    #[test]
    fn more_flows_than_are_recent_stay_apart() {
        let mut flows = Flows::default();
        let ends = |n: u16| Ends {
            source: Endpoint { address: [10, 0, (n >> 8) as u8, n as u8].into(), port: n },
            destination: Endpoint { address: [10, 1, 0, 1].into(), port: 80 },
        };
        let numbers: Vec<Flow> = (0..2000).map(|n| flows.of(ends(n))).collect();
        assert_eq!((0..2000).map(|n| flows.of(ends(n))).collect::<Vec<_>>(), numbers);
        assert!((0..2000).zip(numbers).all(|(n, flow)| flows.ends(flow) == ends(n)));
    }
}
