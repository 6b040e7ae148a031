//! Packets that are alike in everything a path does not change, and which copy is which among them.

use std::collections::hash_map::{DefaultHasher, Entry};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::num::NonZeroU16;

use super::Which;
use super::directions::{Captures, MergedDirection, Packet};
use crate::Span;
use crate::interrupt::interruptible;
use crate::packets::frames::Frames;
use crate::packets::segment::{Segment, subtype};

/// Values that equal packets share.
#[derive(PartialEq, Eq, Hash)]
struct Likeness {
    sequence: u32,
    acknowledgement: u32,
    length: Option<u32>,
    flags: u16,
    timestamps: Option<(u32, u32)>,
}

/// Packets that are alike, by their indices in a [`MergedDirection`]: `first[i]` and `second[j]` are alike when their numbers
/// are the same.
#[derive(Debug, Clone)]
pub struct Alike {
    first: Vec<u32>,
    second: Vec<u32>,
    groups: u32,
}

impl Alike {
    fn of(&self, which: Which) -> &[u32] {
        which.of(&self.first, &self.second)
    }
}

/// Finds the packets of both captures that are alike.
pub fn alike(direction: &MergedDirection) -> Alike {
    let mut known: HashMap<Likeness, u32> = HashMap::with_capacity(direction.first.len());
    let mut groups = 0_u32;
    let mut number = |packet: &Packet| {
        let likeness = Likeness {
            sequence: packet.sequence,
            acknowledgement: packet.acknowledgement,
            length: packet.length,
            flags: packet.flags,
            timestamps: packet.timestamps,
        };
        match known.entry(likeness) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let group = groups;
                groups = groups.saturating_add(1);
                *entry.insert(group)
            }
        }
    };
    let first = direction.first.iter().map(&mut number).collect();
    let second = direction.second.iter().map(&mut number).collect();
    Alike { first, second, groups }
}

impl Alike {
    /// Pairs of packets that are alike and have no third one like them: indices in the first and the second capture.
    pub fn single_pairs(&self) -> Vec<(usize, usize)> {
        let mut seen = vec![(0_u32, 0_u32, 0_usize); self.groups as usize];
        for group in interruptible(&self.first) {
            if let Some(entry) = seen.get_mut(*group as usize) {
                entry.0 = entry.0.saturating_add(1);
            }
        }
        for (index, group) in interruptible(self.second.iter().enumerate()) {
            if let Some(entry) = seen.get_mut(*group as usize) {
                entry.1 = entry.1.saturating_add(1);
                entry.2 = index;
            }
        }
        let single = |group: &u32| seen.get(*group as usize).filter(|(first, second, _)| *first == 1 && *second == 1);
        let pairs = self.first.iter().enumerate();
        pairs.filter_map(|(index, group)| Some((index, single(group)?.2))).collect()
    }
}

/// Which packets arrived as which, by their indices among the sent and the received ones of a direction.
#[derive(Debug, Clone, Default)]
pub struct Copies {
    /// Whole packets: sent, received.
    pub pairs: Vec<(usize, usize)>,
    /// Sent ones without a counterpart.
    pub sent: Vec<usize>,
    /// Received ones without a counterpart, with the sent packet that they are like, if there is one.
    pub received: Vec<(usize, Option<usize>)>,
    /// Nothing takes less time than this from sender to receiver: the shortest time between two packets that are the
    /// only ones of their kind, less [`TOLERANCE`], by their own clocks.
    pub soonest: Option<Span>,
}

/// By how much a packet may be faster than the fastest one that is beyond doubt.
const TOLERANCE: Span = Span::from_milliseconds(1);

/// Pairs what was sent with what was received.
pub fn copies(direction: &MergedDirection, alike: &Alike, sender: Which, captures: &Captures<'_>) -> Copies {
    let (sent, received) = (direction.of(sender), direction.of(sender.other()));
    let mut copies = Copies::default();
    let mut undecided: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
    for_each_group(alike, sender, |sent_group, received_group| match (sent_group, received_group) {
        ([one], [other]) => copies.pairs.push((*one, *other)),
        (alone, []) => copies.sent.extend(alone),
        ([], alone) => copies.received.extend(alone.iter().map(|index| (*index, None))),
        _ => undecided.push((sent_group.to_vec(), received_group.to_vec())),
    });
    let delays = copies.pairs.iter().filter_map(|(one, other)| delay(sent.get(*one)?, received.get(*other)?));
    copies.soonest = delays.min().map(|shortest| shortest - TOLERANCE);
    if !undecided.is_empty() {
        let marks = (Marks::new(captures, sender), Marks::new(captures, sender.other()));
        let decision = Decision { sent, received, marks, soonest: copies.soonest };
        let identified = decision.identifications_survive(&copies.pairs);
        for (sent_group, received_group) in interruptible(undecided) {
            decision.tell_apart(&mut copies, sent_group, received_group, identified);
        }
    }
    copies.pairs.sort_unstable();
    copies.sent.sort_unstable();
    copies.received.sort_unstable();
    copies
}

fn delay(sent: &Packet, received: &Packet) -> Option<Span> {
    received.time.checked_since(sent.time)
}

/// Values that distinguish equal packets.
struct Marks<'a> {
    segments: &'a [Segment],
    frames: &'a Frames,
}

impl<'a> Marks<'a> {
    /// Those of one capture.
    fn new(captures: &Captures<'a>, which: Which) -> Self {
        let capture = captures.of(which);
        Marks { segments: &capture.segments, frames: &capture.frames }
    }

    /// The IPv4 identification. Zero says nothing: many stacks send it with every packet that may not be fragmented.
    fn identification(&self, packet: &Packet) -> Option<NonZeroU16> {
        NonZeroU16::new(self.frames.ip_id(packet.row)?)
    }

    /// A digest of the window and the options that [`Likeness`] leaves out.
    fn content(&self, packet: &Packet) -> u64 {
        let mut hasher = DefaultHasher::new();
        if let Some(segment) = self.segments.get(packet.row.index()) {
            segment.window.hash(&mut hasher);
            segment.sack().len().hash(&mut hasher);
            if let Some(dss) = segment.dss() {
                (dss.flags, dss.data_ack).hash(&mut hasher);
                dss.mapping.map(|mapping| (mapping.dsn, mapping.ssn, mapping.length)).hash(&mut hasher);
            }
            let options = segment.control().map_or([subtype::DSS].as_slice(), |control| &control.subtypes);
            options.hash(&mut hasher);
        }
        hasher.finish()
    }
}

/// Calls `visit` with the indices of each group's sent and received packets, in the order of time.
fn for_each_group(alike: &Alike, sender: Which, mut visit: impl FnMut(&[usize], &[usize])) {
    let sent = by_group(alike.of(sender), alike.groups);
    let received = by_group(alike.of(sender.other()), alike.groups);
    for group in interruptible(0..alike.groups as usize) {
        visit(sent.get(group), received.get(group));
    }
}

/// Indices of packets, put together by group.
struct ByGroup {
    starts: Vec<usize>,
    indices: Vec<usize>,
}

impl ByGroup {
    fn get(&self, group: usize) -> &[usize] {
        match (self.starts.get(group), self.starts.get(group + 1)) {
            (Some(start), Some(end)) => self.indices.get(*start..*end).unwrap_or(&[]),
            _ => &[],
        }
    }
}

/// Counts, then places: linear, and the order within a group is kept.
fn by_group(numbers: &[u32], groups: u32) -> ByGroup {
    let mut starts = vec![0_usize; groups as usize + 1];
    for number in interruptible(numbers) {
        if let Some(count) = starts.get_mut(*number as usize + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for start in interruptible(&mut starts) {
        sum += *start;
        *start = sum;
    }
    let mut next = starts.clone();
    let mut indices = vec![0; numbers.len()];
    for (index, number) in interruptible(numbers.iter().enumerate()) {
        let Some(place) = next.get_mut(*number as usize) else { continue };
        if let Some(slot) = indices.get_mut(*place) {
            *slot = index;
        }
        *place += 1;
    }
    ByGroup { starts, indices }
}

/// Values that distinguish equal packets.
struct Decision<'a> {
    sent: &'a [Packet],
    received: &'a [Packet],
    marks: (Marks<'a>, Marks<'a>),
    soonest: Option<Span>,
}

/// A packet's mark by which it is told from others like it.
type Mark = (Option<NonZeroU16>, Option<u64>);

impl Decision<'_> {
    /// Whether the path leaves the IPv4 identification alone, as most packets that are beyond doubt show.
    fn identifications_survive(&self, pairs: &[(usize, usize)]) -> bool {
        const SAMPLE: usize = 256;
        let marks = pairs.iter().filter_map(|(one, other)| {
            let sent = self.marks.0.identification(self.sent.get(*one)?)?;
            let received = self.marks.1.identification(self.received.get(*other)?)?;
            Some(sent == received)
        });
        let (mut same, mut all) = (0_usize, 0_usize);
        for equal in marks.take(SAMPLE) {
            same += usize::from(equal);
            all += 1;
        }
        all > 0 && same * 10 >= all * 9
    }

    /// Decides among several packets that are alike: by identification, then by what else they carry, then by time.
    fn tell_apart(&self, copies: &mut Copies, mut sent: Vec<usize>, mut received: Vec<usize>, identified: bool) {
        let group = sent.clone();
        if identified {
            let identification = |marks: &Marks<'_>, packet: &Packet| Some((Some(marks.identification(packet)?), None));
            self.pair_by(&identification, &mut sent, &mut received, copies);
            // A packet with an identification that nothing sent has is none of these.
            let has = |packets: &[Packet], marks: &Marks<'_>, index: usize| {
                packets.get(index).is_some_and(|packet| marks.identification(packet).is_some())
            };
            let (left, later) = received.into_iter().partition(|index| has(self.received, &self.marks.1, *index));
            copies.received.extend(self.further_copies(left, &group));
            received = later;
            let (left, later): (Vec<usize>, _) =
                sent.into_iter().partition(|index| has(self.sent, &self.marks.0, *index));
            copies.sent.extend(left);
            sent = later;
        }
        let content = |marks: &Marks<'_>, packet: &Packet| Some((None, Some(marks.content(packet))));
        self.pair_by(&content, &mut sent, &mut received, copies);
        self.pair_by(&|_, _| Some((None, None)), &mut sent, &mut received, copies);
        copies.sent.extend(sent);
        copies.received.extend(self.further_copies(received, &group));
    }

    /// Each with the last packet of `group` that was sent early enough to be it.
    fn further_copies(&self, received: Vec<usize>, group: &[usize]) -> Vec<(usize, Option<usize>)> {
        let with_original = received.into_iter().map(|index| {
            let possible = group.partition_point(|sent| self.possible(*sent, index));
            (index, group.get(possible.saturating_sub(1)).copied())
        });
        with_original.collect()
    }

    /// Whether what was sent could have arrived by then.
    fn possible(&self, sent: usize, received: usize) -> bool {
        let (Some(sent), Some(received)) = (self.sent.get(sent), self.received.get(received)) else { return false };
        self.soonest.is_none_or(|soonest| received.time >= sent.time + soonest)
    }

    /// Pairs packets with the same mark, and removes them from the lists.
    fn pair_by(
        &self,
        mark: &dyn Fn(&Marks<'_>, &Packet) -> Option<Mark>,
        sent: &mut Vec<usize>,
        received: &mut Vec<usize>,
        copies: &mut Copies,
    ) {
        if sent.is_empty() || received.is_empty() {
            return;
        }
        let mut by_mark: BTreeMap<Mark, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for index in interruptible(sent.iter()) {
            if let Some(mark) = self.sent.get(*index).and_then(|packet| mark(&self.marks.0, packet)) {
                by_mark.entry(mark).or_default().0.push(*index);
            }
        }
        for index in interruptible(received.iter()) {
            if let Some(mark) = self.received.get(*index).and_then(|packet| mark(&self.marks.1, packet)) {
                by_mark.entry(mark).or_default().1.push(*index);
            }
        }
        let known = copies.pairs.len();
        for (sent, received) in interruptible(by_mark.into_values()) {
            self.pair_in_time(&sent, &received, &mut copies.pairs);
        }
        let paired = copies.pairs.get(known..).unwrap_or(&[]);
        let (gone, come): (HashSet<usize>, HashSet<usize>) = paired.iter().copied().unzip();
        sent.retain(|index| !gone.contains(index));
        received.retain(|index| !come.contains(index));
    }

    /// Pairs packets that nothing but time tells apart. Where more arrived than were sent, the first to arrive is the
    /// one sent and the others are further copies. Where fewer did, each is the last attempt that can have brought it.
    fn pair_in_time(&self, sent: &[usize], received: &[usize], pairs: &mut Vec<(usize, usize)>) {
        if received.len() >= sent.len() {
            let mut arrivals = received.iter();
            for one in interruptible(sent) {
                if let Some(other) = arrivals.find(|other| self.possible(*one, **other)) {
                    pairs.push((*one, *other));
                }
            }
        } else {
            let mut attempts = sent.iter().rev();
            for other in interruptible(received.iter().rev()) {
                if let Some(one) = attempts.find(|one| self.possible(**one, *other)) {
                    pairs.push((*one, *other));
                }
            }
        }
    }
}
