//! Which copies belong together: those recorded nearer to the client of a connection, and those nearer to its server.

use std::collections::{BTreeMap, HashMap};

use super::stream::{Group, StreamCopies};
use super::{CopiedStream, Subject, ToldBy, towards};
use crate::interrupt::interruptible;
use crate::packets::frames::Mark;
use crate::packets::segment::flag;
use crate::tracking::point_of_view::CopiesWanted;
use crate::tracking::role::{ByRole, Role};
use crate::{IdVec, Instant, PacketRow, Span, StreamId};

/// Where a packet was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Nowhere else: it counts from every point of view.
    Only,
    /// Nearest to the connection's client.
    Near,
    /// Somewhere between.
    Middle,
    /// Nearest to the connection's server.
    Far,
}

/// Place of one recording along the way of its packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Nearest to the sender.
    First,
    Middle,
    /// Nearest to the receiver.
    Last,
    /// Nothing tells.
    Unknown,
}

/// An interface as a mark has it, the time to live there, and whether the host there sent the packet.
type Spot = (Option<(u32, u8)>, Option<u8>, bool);

fn spot(mark: Mark) -> Spot {
    (mark.interface, mark.ttl, mark.outgoing)
}

/// Says of each packet of a stream where it was recorded, and by what that was told.
pub fn settle(subject: Subject<'_>, stream: &StreamCopies<'_>, sides: &mut [Side]) -> ToldBy {
    let tracking = subject.tracking;
    let opened_by_server = tracking.subflow(stream.id).is_some_and(|subflow| subflow.opened_towards == Role::Client);
    let mut put = |row: PacketRow, towards: Role, step: Step| {
        // What is near to the sender of a packet towards the server is near to the client.
        let near_client = (towards == Role::Server) != opened_by_server;
        if let Some(side) = sides.get_mut(row.index()) {
            *side = match step {
                Step::Unknown => Side::Only,
                Step::Middle => Side::Middle,
                Step::First if near_client => Side::Near,
                Step::Last if !near_client => Side::Near,
                Step::First | Step::Last => Side::Far,
            };
        }
    };
    if let Some(spots) = Spots::of(subject, stream) {
        for group in interruptible(stream.groups) {
            for row in interruptible(group.rows()) {
                let towards = towards(subject, row).unwrap_or(group.towards);
                put(row, towards, spots.step(towards, spot(subject.frames.mark(row))));
            }
        }
        return spots.told_by;
    }
    let turned = turned(subject, stream);
    for group in interruptible(stream.groups) {
        for (row, step) in interruptible(by_order(group, stream, *turned.get(group.towards))) {
            put(row, group.towards, step);
        }
    }
    ToldBy::Order
}

/// Rows of the packets that were not recorded at the place whose copies are wanted, but at the other: one each. What the
/// two places saw cut into packets in different ways was recorded at both.
pub fn only_elsewhere(
    subject: Subject<'_>,
    stream: &StreamCopies<'_>,
    sides: &[Side],
    wanted: CopiesWanted,
) -> Vec<PacketRow> {
    let (here, there) = match wanted {
        CopiesWanted::First => (Side::Near, Side::Far),
        CopiesWanted::Last => (Side::Far, Side::Near),
        CopiesWanted::All => return Vec::new(),
    };
    let side = |row: PacketRow| sides.get(row.index()).copied().unwrap_or(Side::Only);
    let counted = |group: &Group<'_>| {
        let here = group.rows().filter(|row| [here, Side::Only].contains(&side(*row))).count();
        let there: Vec<PacketRow> = group.rows().filter(|row| side(*row) == there).collect();
        (here, there)
    };
    let mut seen_here = ByRole::<BTreeMap<u32, u32>>::default();
    for group in interruptible(stream.groups.iter().filter(|group| counted(group).0 > 0)) {
        if let Some((start, length)) = data(subject, group) {
            let longest = seen_here.get_mut(group.towards).entry(start).or_default();
            *longest = length.max(*longest);
        }
    }
    let mut rows = Vec::new();
    for group in interruptible(stream.groups) {
        let (here, there) = counted(group);
        let missing = if group.vague { there.len().saturating_sub(here) } else { usize::from(here == 0) };
        let cut_otherwise = || {
            data(subject, group).is_some_and(|(start, length)| {
                let seen = seen_here.get(group.towards);
                let end = start.saturating_add(length);
                let before =
                    seen.range(..start).next_back().is_some_and(|(at, longest)| at.saturating_add(*longest) > start);
                let same = seen.get(&start) == Some(&length);
                !same && (before || seen.range(start..end).next().is_some())
            })
        };
        if missing > 0 && !there.is_empty() && !cut_otherwise() {
            rows.extend(there.iter().rev().take(missing));
        }
    }
    rows
}

/// Where the payload of a packet begins in its stream, and its length; `None` without payload.
fn data(subject: Subject<'_>, group: &Group<'_>) -> Option<(u32, u32)> {
    let row = group.rows().next()?;
    let length = subject.segments.get(row.index())?.payload().filter(|length| *length > 0)?;
    Some((subject.tracking.packets.get(row)?.sequence, length))
}

/// The rows that count, in the order of time, `elsewhere` among them. A stream of which nothing would be left is left
/// whole.
pub fn rows_of(
    subject: Subject<'_>,
    sides: &[Side],
    copied: &[CopiedStream],
    wanted: CopiesWanted,
    elsewhere: &[PacketRow],
) -> Vec<PacketRow> {
    let counts = |row: PacketRow| match (wanted, sides.get(row.index())) {
        (CopiesWanted::First, Some(side)) => matches!(side, Side::Only | Side::Near),
        (CopiesWanted::Last, Some(side)) => matches!(side, Side::Only | Side::Far),
        _ => true,
    };
    let mut whole: IdVec<StreamId, bool> = vec![false; subject.tracking.streams.len()].into();
    for stream in interruptible(copied) {
        let packets = subject.tracking.stream(stream.stream).map_or(&[][..], |stream| &stream.packets);
        if let Some(whole) = whole.get_mut(stream.stream) {
            *whole = !packets.iter().any(|row| counts(*row));
        }
    }
    let kept = |row: &PacketRow| {
        let stream = subject.tracking.packets.get(*row).map(|packet| packet.stream);
        let whole = stream.is_some_and(|stream| whole.get(stream) == Some(&true));
        counts(*row) || whole || elsewhere.binary_search(row).is_ok()
    };
    match subject.by_time {
        Some(rows) => rows.iter().copied().filter(kept).collect(),
        None => (0..).map(PacketRow).zip(subject.segments).map(|(row, _)| row).filter(kept).collect(),
    }
}

/// How often packets were seen at a spot first, last, and at all.
#[derive(Debug, Clone, Copy, Default)]
struct Votes {
    first: u64,
    last: u64,
    all: u64,
}

impl Votes {
    /// Most of the packets that were seen here agree.
    fn step(self) -> Step {
        let most = |count: u64| count.saturating_mul(4) >= self.all.saturating_mul(3);
        match self {
            _ if most(self.first) => Step::First,
            _ if most(self.last) => Step::Last,
            _ if most(self.all.saturating_sub(self.first).saturating_sub(self.last)) => Step::Middle,
            _ => Step::Unknown,
        }
    }
}

/// The spots at which a stream was seen, each direction's along the way.
struct Spots {
    directions: ByRole<HashMap<Spot, Step>>,
    told_by: ToldBy,
}

impl Spots {
    /// `None` where interface and time to live do not tell the copies apart.
    fn of(subject: Subject<'_>, stream: &StreamCopies<'_>) -> Option<Self> {
        let mut votes = ByRole::<HashMap<Spot, Votes>>::default();
        let one_host = stream.delay() < super::ONE_PLACE;
        let mut by: HashMap<ToldBy, u64> = HashMap::new();
        for group in interruptible(stream.groups.iter().filter(|group| group.told_by != ToldBy::Order)) {
            *by.entry(group.told_by).or_default() += 1;
            for (place, (_, mark)) in interruptible(group.along_the_way(subject, one_host).into_iter().enumerate()) {
                let votes = votes.get_mut(group.towards).entry(spot(mark)).or_default();
                let step = step_at(place, group, stream);
                votes.first += u64::from(step == Step::First);
                votes.last += u64::from(step == Step::Last);
                votes.all += 1;
            }
        }
        let untold = stream.groups.iter().filter(|group| group.members.len() > 1 && group.told_by == ToldBy::Order);
        if untold.count() as u64 > by.values().sum() {
            return None;
        }
        let told_by = by.into_iter().max_by_key(|(told_by, count)| (*count, *told_by))?.0;
        let step = |votes: &HashMap<Spot, Votes>| -> HashMap<Spot, Step> {
            votes.iter().map(|(spot, votes)| (*spot, votes.step())).collect()
        };
        let mut directions = ByRole { server: step(&votes.server), client: step(&votes.client) };
        let mut steps = directions.server.values().chain(directions.client.values());
        let unclear = steps.any(|step| *step == Step::Unknown);
        if unclear || (told_by == ToldBy::Interface && contradictory(&directions)) {
            if told_by != ToldBy::Interface {
                return None;
            }
            // The clocks of two places disagree: each place's own handshake tells.
            let [near, far] = ends_by_handshake(subject, stream)?;
            for role in Role::BOTH {
                for ((interface, ..), step) in directions.get_mut(role) {
                    let (first, last) = if role == Role::Server { (near, far) } else { (far, near) };
                    *step = match *interface {
                        interface if interface == first => Step::First,
                        interface if interface == last => Step::Last,
                        _ => Step::Middle,
                    };
                }
            }
        }
        Some(Spots { directions, told_by })
    }

    fn step(&self, towards: Role, spot: Spot) -> Step {
        self.directions.get(towards).get(&spot).copied().unwrap_or(Step::Unknown)
    }
}

/// Whether one interface seems to be the first that packets pass, whichever way they travel.
fn contradictory(directions: &ByRole<HashMap<Spot, Step>>) -> bool {
    let firsts = |steps: &HashMap<Spot, Step>| -> Vec<Option<(u32, u8)>> {
        steps
            .iter()
            .filter(|(_, step)| **step == Step::First)
            .filter_map(|((name, ..), _)| Some(Some((*name)?)))
            .collect()
    };
    let towards_client = firsts(&directions.client);
    firsts(&directions.server).iter().any(|interface| towards_client.contains(interface))
}

/// When the packets of a handshake were recorded in one place.
#[derive(Debug, Clone, Copy, Default)]
struct Handshake {
    syn: Option<Instant>,
    syn_ack: Option<Instant>,
    ack: Option<Instant>,
}

impl Handshake {
    /// Takes in a packet, in whichever order they come.
    fn note(&mut self, subject: Subject<'_>, row: PacketRow) {
        let Some(segment) = subject.segments.get(row.index()) else { return };
        let seen = match segment.flags() & (flag::SYN | flag::ACK) {
            flag::SYN => &mut self.syn,
            flag::ACK if towards(subject, row) == Some(Role::Server) => &mut self.ack,
            flag::ACK => return,
            0 => return,
            _ => &mut self.syn_ack,
        };
        let time = segment.abstime;
        *seen = Some(seen.map_or(time, |earlier: Instant| earlier.min(time)));
    }

    /// The times that server and client took to answer, as seen here.
    fn delays(self) -> Option<(Span, Span)> {
        let (syn, syn_ack, ack) = (self.syn?, self.syn_ack?, self.ack?);
        Some((syn_ack - syn, ack - syn_ack))
    }
}

/// The interfaces nearest to the client and to the server: the nearer to the client, the longer the server takes, and the
/// less the client.
fn ends_by_handshake(subject: Subject<'_>, stream: &StreamCopies<'_>) -> Option<[Option<(u32, u8)>; 2]> {
    let mut handshakes: HashMap<Option<(u32, u8)>, Handshake> = HashMap::new();
    for row in interruptible(stream.rows()) {
        handshakes.entry(subject.frames.mark(row).interface).or_default().note(subject, row);
    }
    let mut nearness: Vec<(Span, Option<(u32, u8)>)> = handshakes
        .into_iter()
        .filter_map(|(interface, handshake)| {
            let (server, client) = handshake.delays()?;
            Some((server - client, interface))
        })
        .collect();
    nearness.sort_unstable();
    let ((_, far), (_, near)) = (nearness.first()?, nearness.last()?);
    (nearness.len() > 1).then_some([*near, *far])
}

/// Where the recording of a packet at this place of its group was made, when most packets of the stream were recorded so
/// many times: the first is next to the sender, what comes after as many as there should be is next to the receiver, as is
/// what the path between doubled. Of packets that look alike several may have been sent, and where there is no path both
/// have what was doubled before: then as many are next to either.
fn step_at(place: usize, group: &Group<'_>, stream: &StreamCopies<'_>) -> Step {
    let (count, times) = (group.members.len(), stream.times());
    let halved = group.vague || stream.delay() < super::ONE_PLACE;
    let first = if halved { count.div_ceil(times) } else { 1 };
    let last = if halved { count - count / times } else { times.saturating_sub(1) };
    match place {
        place if place < first => Step::First,
        place if place >= last => Step::Last,
        _ => Step::Middle,
    }
}

/// The rows of a group by their order alone, which is `turned` where clocks disagree. What was recorded once was lost on
/// the way to the other place, unless there is no way.
fn by_order(group: &Group<'_>, stream: &StreamCopies<'_>, turned: bool) -> Vec<(PacketRow, Step)> {
    let count = group.members.len();
    let one_place = stream.delay() < super::ONE_PLACE;
    let step = |place: usize| match step_at(place, group, stream) {
        _ if count == 1 && one_place => Step::Unknown,
        Step::Middle if one_place && place + 1 == count => Step::Last,
        step => step,
    };
    let mut rows: Vec<PacketRow> = group.rows().collect();
    if turned {
        rows.reverse();
    }
    rows.into_iter().enumerate().map(|(place, row)| (row, step(place))).collect()
}

/// Directions whose copies come in the other order because the clocks of the two places differ by more than the way
/// between them takes: then a handshake seems to go back in time.
fn turned(subject: Subject<'_>, stream: &StreamCopies<'_>) -> ByRole<bool> {
    let straight = ByRole { server: false, client: false };
    if stream.delay() < super::ONE_PLACE || stream.times() != 2 {
        return straight;
    }
    let delays = |turned: ByRole<bool>| {
        let mut handshake = Handshake::default();
        for group in interruptible(stream.groups.iter().filter(|group| group.members.len() == 2)) {
            // Next to the client: the first copy of what travels towards the server, the last of what comes back.
            let last = (group.towards == Role::Client) != *turned.get(group.towards);
            let row = if last { group.rows().last() } else { group.rows().next() };
            row.into_iter().for_each(|row| handshake.note(subject, row));
        }
        handshake.delays()
    };
    let goes_back = |(server, client): (Span, Span)| server < Span::ZERO || client < Span::ZERO;
    if delays(straight).is_none_or(|delays| !goes_back(delays)) {
        return straight;
    }
    let ways = [ByRole { server: false, client: true }, ByRole { server: true, client: false }];
    let fits = |way: &ByRole<bool>| {
        delays(*way).is_some_and(|(server, client)| !goes_back((server, client)) && client <= server)
    };
    ways.into_iter().find(fits).unwrap_or(straight)
}
