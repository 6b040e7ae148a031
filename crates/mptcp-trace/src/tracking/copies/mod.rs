//! Packets that stand in the file more than once because they were recorded in several places: on both sides of a router
//! (`tcpdump -i any`), on a bridge and its ports, by a mirror port that sends what comes in and what goes out, or at both
//! ends, put together into one file.
//!
//! Copies share what the sender gave the packet ([`Identity`]); interface and time to live may differ. Whether they do
//! or not, what tells them from single packets that the network doubled is that most packets of a stream have one.

mod identity;
mod sides;
mod stream;

pub use identity::Identity;

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::point_of_view::PointOfView;
use super::repeats::Repeats;
use super::streams::Stream;
use super::{Role, Tracking};
use crate::interrupt::interruptible;
use crate::packets::flows::Pair;
use crate::packets::frames::Frames;
use crate::packets::segment::{Segment, flag};
use crate::{IdVec, PacketRow, Span, StreamId};
use sides::Side;
use stream::{Group, StreamCopies};

/// Difference between the copies of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ToldBy {
    /// The interface that they were recorded on.
    Interface,
    /// Their time to live.
    TimeToLive,
    /// Whether the capturing host sent or received them.
    Direction,
    /// Their order alone.
    Order,
}

/// A stream whose packets were recorded more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopiedStream {
    /// Its number.
    pub stream: StreamId,
    /// Difference between its copies.
    pub told_by: ToldBy,
    /// Time to live differs between most of its copies.
    pub routed: bool,
    /// Time between the first and the last copy of a packet, the median.
    pub delay: Span,
}

impl CopiedStream {
    /// Whether one host, on the way, recorded the copies as it passed them on: no path lies between them.
    #[must_use]
    pub fn passed_on(&self) -> bool {
        self.delay < ONE_PLACE
    }
}

/// Copies within less than this were recorded by one host.
const ONE_PLACE: Span = Span::from_milliseconds(1);
/// Packets named as examples at most.
const EXAMPLES: usize = 10;

/// The copies that a capture holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copies {
    /// The streams that have them, by number.
    pub streams: Vec<CopiedStream>,
    /// Packets of these streams in the file.
    pub packets: u64,
    /// How often most of them stand there.
    pub times: usize,
    /// Names of the interfaces nearer to the clients; empty where interfaces do not tell them apart.
    pub near: Vec<String>,
    /// Of those nearer to the servers.
    pub far: Vec<String>,
    /// Time to live differs between most of the copies: there is a router between the places.
    pub routed: bool,
    /// Ids of the copies of the first packets.
    pub examples: Vec<u64>,
    /// Recordings that are left out.
    pub left_out: u64,
    /// Packets that count although they were recorded elsewhere alone: lost on the way between the places.
    pub elsewhere: u64,
}

impl Copies {
    /// Difference between the copies in most streams.
    #[must_use]
    pub fn told_by(&self) -> ToldBy {
        let count = |kind| self.streams.iter().filter(|stream| stream.told_by == kind).count();
        let kinds = [ToldBy::Order, ToldBy::Direction, ToldBy::TimeToLive, ToldBy::Interface];
        kinds.into_iter().max_by_key(|kind| count(*kind)).unwrap_or(ToldBy::Order)
    }

    /// Difference between the copies: a phrase.
    #[must_use]
    pub fn difference(&self) -> String {
        let (near, far) = (self.near.join(", "), self.far.join(", "));
        match self.told_by() {
            ToldBy::Interface if near.is_empty() || far.is_empty() => "on several interfaces".to_string(),
            ToldBy::Interface => format!("on interface {near} nearer to the client, on {far} nearer to the server"),
            ToldBy::TimeToLive => "with different times to live".to_string(),
            ToldBy::Direction => "some as a host sent them, some as one received them".to_string(),
            ToldBy::Order => "in places distinguished only by the order of the copies".to_string(),
        }
    }

    /// Facts about a stream's copies, if any.
    #[must_use]
    pub fn of_stream(&self, stream: StreamId) -> Option<&CopiedStream> {
        let place = self.streams.binary_search_by_key(&stream, |copied| copied.stream).ok()?;
        self.streams.get(place)
    }
}

/// A capture as copies are looked for in it.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// All packets, in the order of the file.
    pub segments: &'a [Segment],
    /// Mark of each.
    pub frames: &'a Frames,
    /// Their meaning, in file order.
    pub tracking: &'a Tracking,
    /// Their rows in the order of time, where that is not the file's.
    pub by_time: Option<&'a [PacketRow]>,
}

/// Copies, and which rows are left when those that are not wanted are taken out, in the order of time.
pub struct FoundCopies {
    /// Messages about them.
    pub copies: Copies,
    /// The rows that count.
    pub rows: Vec<PacketRow>,
    /// Those of them that were recorded elsewhere alone, in the order of the file.
    pub elsewhere: Vec<PacketRow>,
}

/// Looks for copies. `repeats` are the packets that bring nothing new: where they are few, there are none.
#[must_use]
pub fn find(subject: Subject<'_>, repeats: &Repeats, view: &PointOfView) -> Option<FoundCopies> {
    let suspected = suspected(subject, repeats)?;
    let rows = grouped(subject, &suspected);
    let groups: Vec<Group<'_>> =
        rows.chunk_by(|(one, _), (other, _)| one == other).filter_map(|members| Group::of(subject, members)).collect();
    // One group after the other by their streams.
    let mut by_stream: Vec<&Group<'_>> = groups.iter().collect();
    by_stream.sort_by_key(|group| group.stream);
    let streams: Vec<StreamCopies<'_>> = by_stream
        .chunk_by(|one, other| one.stream == other.stream)
        .filter_map(|groups| StreamCopies::of(subject, groups))
        .collect();
    let certain = stream::certain(&streams, subject.segments.len());
    let mut sides = vec![Side::Only; subject.segments.len()];
    let mut copied: Vec<CopiedStream> = Vec::new();
    let mut interfaces = InterfaceOrder::default();
    let mut elsewhere: Vec<PacketRow> = Vec::new();
    let mut examples = Vec::new();
    let mut times: HashMap<usize, u64> = HashMap::new();
    let mut packets = 0_u64;
    // Streams whose copies differ in time to live, and others.
    let mut routed = (0_u64, 0_u64);
    for stream in interruptible(streams.iter().zip(&certain).filter_map(|(stream, certain)| certain.then_some(stream)))
    {
        let told_by = sides::settle(subject, stream, &mut sides);
        copied.push(CopiedStream { stream: stream.id, told_by, routed: stream.is_routed(), delay: stream.delay() });
        *times.entry(stream.times()).or_default() += stream.packets();
        packets = packets.saturating_add(stream.packets());
        routed.0 += u64::from(stream.is_routed());
        routed.1 += u64::from(!stream.is_routed());
        if !view.only_there {
            elsewhere.extend(sides::only_elsewhere(subject, stream, &sides, view.copies));
        }
        if told_by == ToldBy::Interface {
            interfaces.note(subject, stream, &sides);
        }
        if examples.len() < EXAMPLES {
            examples.extend(stream.first_copied().iter().filter_map(|(_, row)| packet_id(subject, *row)));
        }
    }
    if copied.is_empty() {
        return None;
    }
    examples.truncate(EXAMPLES);
    elsewhere.sort_unstable();
    let rows = sides::rows_of(subject, &sides, &copied, view.copies, &elsewhere);
    let left_out = (subject.segments.len() as u64).saturating_sub(rows.len() as u64);
    let times = times.into_iter().max_by_key(|(times, packets)| (*packets, *times)).map_or(2, |(times, _)| times);
    let (near, far) = interfaces.names(subject);
    let routed = routed.0 > routed.1;
    let copies = Copies {
        streams: copied,
        packets,
        times,
        near,
        far,
        routed,
        examples,
        left_out,
        elsewhere: elsewhere.len() as u64,
    };
    Some(FoundCopies { copies, rows, elsewhere })
}

fn packet_id(subject: Subject<'_>, row: PacketRow) -> Option<u64> {
    subject.segments.get(row.index()).map(|segment| segment.packetid())
}

/// Streams of which enough packets bring nothing new to be copies of the others; `None` without any.
fn suspected(subject: Subject<'_>, repeats: &Repeats) -> Option<IdVec<StreamId, bool>> {
    const SHARE: usize = 5;
    let streams = &subject.tracking.streams;
    let enough = |(count, stream): (&u32, &Stream)| *count as usize * SHARE >= stream.packets.len().max(1);
    let mut suspected: IdVec<StreamId, bool> = repeats.by_stream.iter().zip(streams).map(enough).collect();
    let numbers: Vec<StreamId> = suspected.numbered().filter_map(|(id, suspected)| suspected.then_some(id)).collect();
    if numbers.is_empty() {
        return None;
    }
    // Packets alike, by the ends that they were sent between: where ports are used again, a copy may come within the
    // next stream. A pair of ends stays if it does for one of its streams.
    let mut ends: HashMap<Pair, (u64, bool), RandomState> = HashMap::default();
    for stream in numbers.iter().filter_map(|id| streams.get(*id)) {
        ends.entry(stream.pair()).or_default();
    }
    for (count, stream) in interruptible(repeats.alike_by_stream.iter().zip(streams).filter(|(count, _)| **count > 0)) {
        if let Some((alike, _)) = ends.get_mut(&stream.pair()) {
            *alike = alike.saturating_add(u64::from(*count));
        }
    }
    for stream in interruptible(numbers.iter().filter_map(|id| streams.get(*id))) {
        if let Some((alike, stays)) = ends.get_mut(&stream.pair()) {
            *stays |= may_be_copied(subject, stream, *alike);
        }
    }
    for id in interruptible(numbers) {
        let ends = streams.get(id).and_then(|stream| ends.get(&stream.pair()));
        if let (Some(suspected), Some((_, false))) = (suspected.get_mut(id), ends) {
            *suspected = false;
        }
    }
    suspected.iter().any(|suspected| *suspected).then_some(suspected)
}

/// Whether a stream can turn out to have copies, when so many packets between its ends may be like an earlier one. By
/// [`StreamCopies`] a tenth of its packets at least must have a copy; a pure ACK that may come again does not count.
fn may_be_copied(subject: Subject<'_>, stream: &Stream, alike: u64) -> bool {
    // So many packets are the first of their kind, and no more than `alike` of these have a copy.
    let most = alike.saturating_mul(11);
    let counts = |row: &PacketRow| {
        let segment = subject.segments.get(row.index());
        segment.is_some_and(|segment| {
            segment.timestamps().is_some()
                || segment.payload() != Some(0)
                || segment.flags() & (flag::FIN | flag::RST) != 0
        })
    };
    let counted =
        interruptible(&stream.packets).filter(|row| counts(row)).take(most.saturating_add(1) as usize).count();
    counted as u64 <= most
}

/// The packets of the suspected streams as pairs of a number that copies share and a row: copies one after the other, in
/// the order of time.
fn grouped(subject: Subject<'_>, suspected: &IdVec<StreamId, bool>) -> Vec<(u32, PacketRow)> {
    let mut numbers: HashMap<Identity, u32, RandomState> = HashMap::default();
    let mut grouped: Vec<(u32, PacketRow)> = Vec::new();
    let in_file = 0..u32::try_from(subject.segments.len()).unwrap_or(u32::MAX);
    let mut take = |row: PacketRow| {
        let packet = subject.tracking.packets.get(row);
        let segment = subject.segments.get(row.index());
        let (Some(packet), Some(segment)) = (packet, segment) else { return };
        if suspected.get(packet.stream) == Some(&true) {
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            let identity = Identity::on_any_side(segment, subject.frames.mark(row).ip_id);
            grouped.push((*numbers.entry(identity).or_insert(next), row));
        }
    };
    match subject.by_time {
        Some(rows) => rows.iter().for_each(|row| take(*row)),
        None => in_file.map(PacketRow).for_each(&mut take),
    }
    // The rows of a number stay in their order.
    grouped.sort_by_key(|(number, _)| *number);
    grouped
}

/// Which interfaces lie nearer to the clients.
#[derive(Default)]
struct InterfaceOrder {
    /// By place of the name: packets seen at the near side, at the far one.
    seen: HashMap<u32, (u64, u64)>,
}

impl InterfaceOrder {
    fn note(&mut self, subject: Subject<'_>, stream: &StreamCopies<'_>, sides: &[Side]) {
        for row in interruptible(stream.rows()) {
            let Some((place, _)) = subject.frames.mark(row).interface else { continue };
            let (near, far) = self.seen.entry(place).or_default();
            match sides.get(row.index()) {
                Some(Side::Near) => *near += 1,
                Some(Side::Far) => *far += 1,
                _ => {}
            }
        }
    }

    /// The names of those nearer to the clients, and of those nearer to the servers.
    fn names(self, subject: Subject<'_>) -> (Vec<String>, Vec<String>) {
        let mut seen: Vec<(u32, (u64, u64))> = self.seen.into_iter().filter(|(_, sides)| *sides != (0, 0)).collect();
        seen.sort_unstable();
        let (near, far): (Vec<_>, Vec<_>) = seen.into_iter().partition(|(_, (near, far))| near >= far);
        let names = |seen: Vec<(u32, (u64, u64))>| {
            seen.iter().filter_map(|(place, _)| subject.frames.interface_name(*place).map(str::to_string)).collect()
        };
        (names(near), names(far))
    }
}

/// The role that a row's packet travels towards in its stream.
fn towards(subject: Subject<'_>, row: PacketRow) -> Option<Role> {
    let packet = subject.tracking.packets.get(row)?;
    Some(subject.tracking.stream(packet.stream)?.towards(packet))
}
