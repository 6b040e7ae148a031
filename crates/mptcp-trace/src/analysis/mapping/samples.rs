//! Which packets do streams of two captures have in common?
//!
//! Of each stream the [`SIZE`] smallest marks are kept: both ends choose the same ones without knowing of each other,
//! and memory is bounded whatever the length of a stream. The samples of either capture are looked for among *all*
//! packets of the other one, so a capture that holds only a small part of a stream is found as well.

use std::collections::{HashMap, HashSet};

use super::clocks::Clocks;
use super::marks::MarkKind;
use super::{Both, MOST_HOLDERS, Which};
use crate::interrupt::interruptible;
use crate::interrupt::{self, Interrupted};
use crate::tracking::{Capture, Role};
use crate::{IdVec, StreamId};

/// Marks kept of each stream.
const SIZE: usize = 64;

/// Values shared by two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Agreement {
    /// Different marks found in both.
    pub marks: u32,
    /// Those of them that are in the sample of the stream in the first, in the second capture.
    sampled: Both<u32>,
    /// Those of them that were sent by the same role in both captures.
    pub same_sender: u32,
}

/// One kind of mark in two captures.
#[derive(Debug)]
pub(super) struct Samples {
    /// The smallest marks of each stream, in order.
    smallest: Both<IdVec<StreamId, Vec<u64>>>,
    /// How many of them tell streams apart.
    telling: Both<IdVec<StreamId, u32>>,
    /// Marks that both captures hold, one after the other.
    common: Vec<Vec<Occurrence>>,
    /// For each stream the common marks that it has.
    of_stream: Both<IdVec<StreamId, Vec<u32>>>,
}

/// A mark on a packet of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Occurrence {
    mark: u64,
    which: Which,
    stream: StreamId,
    from_client: bool,
    /// TSval of the packet, where it has timestamps.
    clock: Option<u32>,
}

impl Samples {
    /// Takes in both captures; linear in their packets but for sorting.
    ///
    /// # Errors
    /// [`Interrupted`] by Ctrl-C.
    pub fn new(kind: MarkKind, captures: Both<&Capture>) -> Result<Self, Interrupted> {
        let smallest = captures.try_map(|capture| smallest(kind, capture))?;
        let occurrences = occurrences(kind, captures, &smallest)?;
        let zero = |streams: &IdVec<StreamId, Vec<u64>>| vec![0_u32; streams.len()].into();
        let none = |streams: &IdVec<StreamId, Vec<u64>>| vec![Vec::new(); streams.len()].into();
        let mut samples = Samples {
            telling: Both { first: zero(&smallest.first), second: zero(&smallest.second) },
            common: Vec::new(),
            of_stream: Both { first: none(&smallest.first), second: none(&smallest.second) },
            smallest,
        };
        for holders in interruptible(occurrences.chunk_by(|one, other| one.mark == other.mark)) {
            samples.take_in(holders);
        }
        Ok(samples)
    }

    /// Takes in all streams that have one mark.
    fn take_in(&mut self, holders: &[Occurrence]) {
        let (first, second) = holders.split_at(holders.partition_point(|holder| holder.which == Which::First));
        // What many streams have tells none of them apart, and looking at each pair would take for ever.
        if first.len().max(second.len()) > MOST_HOLDERS {
            return;
        }
        let number = u32::try_from(self.common.len()).unwrap_or(u32::MAX);
        let in_both = !first.is_empty() && !second.is_empty();
        for holder in interruptible(holders) {
            let stream = holder.stream;
            if self.is_sampled(holder.which, holder.stream, holder.mark)
                && let Some(telling) = self.telling.get_mut(holder.which).get_mut(stream)
            {
                *telling += 1;
            }
            if in_both && let Some(marks) = self.of_stream.get_mut(holder.which).get_mut(stream) {
                marks.push(number);
            }
        }
        if in_both {
            self.common.push(holders.to_vec());
        }
    }

    fn is_sampled(&self, which: Which, stream: StreamId, mark: u64) -> bool {
        let sample = self.smallest.get(which).get(stream);
        sample.is_some_and(|sample| sample.binary_search(&mark).is_ok())
    }

    /// No packet of the stream has such a mark.
    pub fn lacks(&self, which: Which, stream: StreamId) -> bool {
        self.smallest.get(which).get(stream).is_none_or(Vec::is_empty)
    }

    /// Streams of the other capture that have packets in common with this one.
    pub fn agreements(&self, which: Which, stream: StreamId) -> HashMap<StreamId, Agreement> {
        let mut found: HashMap<StreamId, Agreement> = HashMap::new();
        let marks = self.of_stream.get(which).get(stream).into_iter().flatten();
        for holders in interruptible(marks.filter_map(|number| self.common.get(*number as usize))) {
            let own = holders.iter().find(|holder| holder.which == which && holder.stream == stream);
            let Some(own) = own else { continue };
            let own_sampled = self.is_sampled(which, stream, own.mark);
            for other in interruptible(holders.iter().filter(|holder| holder.which != which)) {
                let agreement = found.entry(other.stream).or_default();
                agreement.marks += 1;
                agreement.same_sender += u32::from(own.from_client == other.from_client);
                *agreement.sampled.get_mut(which) += u32::from(own_sampled);
                *agreement.sampled.get_mut(which.other()) +=
                    u32::from(self.is_sampled(other.which, other.stream, other.mark));
            }
        }
        found
    }

    /// Clocks of the packets that two streams have in common: by what TSval differs, as something on the way may have
    /// shifted it.
    pub fn clocks(&self, streams: Both<StreamId>) -> Clocks {
        let mut clocks = Clocks::default();
        let marks = self.of_stream.first.get(streams.first).into_iter().flatten();
        for holders in interruptible(marks.filter_map(|number| self.common.get(*number as usize))) {
            let holder = |which: Which, stream: StreamId| {
                holders.iter().find(|holder| holder.which == which && holder.stream == stream)
            };
            let (one, other) = (holder(Which::First, streams.first), holder(Which::Second, streams.second));
            if let (Some(one), Some(other)) = (one, other) {
                clocks.add(one.from_client, one.clock, other.clock);
            }
        }
        clocks
    }

    /// How much of the smaller of two streams, as far as captured, the other one holds; 0 to 1.
    pub fn share(&self, streams: Both<StreamId>, agreement: &Agreement) -> f64 {
        let share = |which: Which| {
            let telling = self.telling.get(which).get(*streams.get(which)).copied().unwrap_or(0);
            if telling == 0 { 0.0 } else { f64::from(*agreement.sampled.get(which)) / f64::from(telling) }
        };
        share(Which::First).max(share(Which::Second))
    }
}

/// The smallest marks of each stream.
fn smallest(kind: MarkKind, capture: &Capture) -> Result<IdVec<StreamId, Vec<u64>>, Interrupted> {
    let mut samples: IdVec<StreamId, Vec<u64>> = vec![Vec::new(); capture.tracking.streams.len()].into();
    for (segment, packet) in interruptible(capture.segments.iter().zip(&capture.tracking.packets)) {
        interrupt::check()?;
        let Some(mark) = kind.mark(segment) else { continue };
        let Some(sample) = samples.get_mut(packet.stream) else { continue };
        if sample.len() == SIZE && sample.last().is_some_and(|largest| mark >= *largest) {
            continue;
        }
        if let Err(place) = sample.binary_search(&mark) {
            sample.insert(place, mark);
            sample.truncate(SIZE);
        }
    }
    Ok(samples)
}

/// Where the sampled marks are found, each stream once for each, by mark.
fn occurrences(
    kind: MarkKind,
    captures: Both<&Capture>,
    smallest: &Both<IdVec<StreamId, Vec<u64>>>,
) -> Result<Vec<Occurrence>, Interrupted> {
    let wanted: HashSet<u64> = smallest.first.iter().chain(&smallest.second).flatten().copied().collect();
    let mut found = Vec::new();
    for which in Which::BOTH {
        let capture = captures.get(which);
        for (segment, packet) in interruptible(capture.segments.iter().zip(&capture.tracking.packets)) {
            interrupt::check()?;
            let Some(mark) = kind.mark(segment).filter(|mark| wanted.contains(mark)) else { continue };
            let Some(stream) = capture.tracking.stream(packet.stream) else { continue };
            let from_client = stream.towards(packet) == Role::Server;
            let clock = segment.timestamps().map(|(value, _)| value);
            found.push(Occurrence { mark, which, stream: packet.stream, from_client, clock });
        }
    }
    found.sort_unstable();
    found.dedup_by_key(|occurrence| (occurrence.mark, occurrence.which, occurrence.stream));
    Ok(found)
}
