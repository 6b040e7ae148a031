//! One stream, and how often its packets were recorded.

use std::collections::HashMap;

use super::{Subject, ToldBy, towards};
use crate::interrupt::interruptible;
use crate::packets::frames::Mark;
use crate::packets::segment::flag;
use crate::tracking::role::{ByRole, Role};
use crate::{PacketRow, Span, StreamId};

/// The recordings of one packet, in the order of time.
pub struct Group<'a> {
    /// Stream of the first.
    pub stream: StreamId,
    /// The end of the stream that it travels towards.
    pub towards: Role,
    /// Pairs of the group's number and a row.
    pub members: &'a [(u32, PacketRow)],
    /// Its sender may have sent several that look alike.
    pub vague: bool,
    /// They may be pure ACKs that say the same, or a SYN sent again.
    pub idle: bool,
    /// Difference between its members.
    pub told_by: ToldBy,
    /// Their time to live differs.
    pub routed: bool,
    /// Time from the first to the last.
    pub delay: Span,
}

/// A SYN that nobody answers is sent again after a second (RFC 6298 §2), with some allowance. Without
/// timestamps and identification it looks like a copy.
const SYN_AGAIN: Span = Span::from_milliseconds(900);

impl<'a> Group<'a> {
    /// The group of these members.
    pub fn of(subject: Subject<'_>, members: &'a [(u32, PacketRow)]) -> Option<Self> {
        let ((_, first), (_, last)) = (members.first()?, members.last()?);
        let segment = subject.segments.get(first.index())?;
        let marks: Vec<Mark> = members.iter().map(|(_, row)| subject.frames.mark(*row)).collect();
        let differ = |same: fn(&Mark, &Mark) -> bool| {
            marks.windows(2).any(|pair| matches!(pair, [one, other] if !same(one, other)))
        };
        let routed = differ(|one, other| one.ttl == other.ttl);
        let told_by = if differ(|one, other| one.interface == other.interface) {
            ToldBy::Interface
        } else if routed {
            ToldBy::TimeToLive
        } else if differ(|one, other| one.outgoing == other.outgoing) {
            ToldBy::Direction
        } else {
            ToldBy::Order
        };
        let identity = super::Identity::of(segment, subject.frames.mark(*first).ip_id);
        let delay = subject.segments.get(last.index())?.abstime - segment.abstime;
        let sent_again =
            segment.is_syn() && segment.timestamps().is_none() && identity.is_vague() && delay >= SYN_AGAIN;
        Some(Group {
            stream: subject.tracking.packets.get(*first)?.stream,
            towards: towards(subject, *first)?,
            members,
            vague: identity.is_vague(),
            idle: identity.may_come_again() || sent_again,
            told_by,
            routed,
            delay,
        })
    }

    /// Its rows, in the order of time.
    pub fn rows(&self) -> impl Iterator<Item = PacketRow> + '_ {
        self.members.iter().map(|(_, row)| *row)
    }

    /// Its rows in the order in which the packet passed them. Where time to live differs, it fell on the way; of two hosts
    /// the one that sent the packet had it first, whatever their clocks say.
    pub fn along_the_way(&self, subject: Subject<'_>, one_host: bool) -> Vec<(PacketRow, Mark)> {
        let mut passed: Vec<(PacketRow, Mark)> = self.rows().map(|row| (row, subject.frames.mark(row))).collect();
        if self.routed && passed.iter().all(|(_, mark)| mark.ttl.is_some()) {
            passed.sort_by_key(|(_, mark)| std::cmp::Reverse(mark.ttl));
        } else if !one_host {
            passed.sort_by_key(|(_, mark)| !mark.outgoing);
        }
        passed
    }
}

/// How many packets one direction has, and of how many there are copies.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    packets: u64,
    copied: u64,
}

/// One stream.
pub struct StreamCopies<'a> {
    /// Its number.
    pub id: StreamId,
    /// Its packets.
    pub groups: &'a [&'a Group<'a>],
    times: usize,
    delay: Span,
    directions: ByRole<Counted>,
    by_interface: u64,
    /// By time to live or direction.
    by_spot: u64,
    /// Packets with data that were doubled, and packets that say so (D-SACK, RFC 2883).
    doubled: u64,
    complaints: u64,
}

/// Of streams shorter than this each one alone shows little.
const SHORT: u64 = 4;

impl<'a> StreamCopies<'a> {
    /// The stream of these groups; `None` when none of its packets has a copy.
    pub fn of(subject: Subject<'_>, groups: &'a [&'a Group<'a>]) -> Option<Self> {
        let mut sizes: HashMap<usize, u64> = HashMap::new();
        for group in interruptible(groups.iter().filter(|group| group.members.len() > 1 && !group.idle)) {
            *sizes.entry(group.members.len()).or_default() += 1;
        }
        let times = sizes.into_iter().max_by_key(|(size, count)| (*count, std::cmp::Reverse(*size)))?.0;
        let mut stream = StreamCopies {
            id: groups.first()?.stream,
            groups,
            times,
            delay: median_delay(groups),
            directions: ByRole::default(),
            by_interface: 0,
            by_spot: 0,
            doubled: 0,
            complaints: 0,
        };
        for group in interruptible(groups.iter().filter(|group| !group.idle)) {
            stream.count(subject, group);
        }
        Some(stream)
    }

    fn count(&mut self, subject: Subject<'_>, group: &Group<'_>) {
        // Of packets that look the same several may have been sent.
        let sent = if group.vague { group.members.len().div_ceil(self.times) as u64 } else { 1 };
        let copied = group.members.len() > 1;
        let counted = self.directions.get_mut(group.towards);
        counted.packets = counted.packets.saturating_add(sent);
        let of_each = if group.vague { (group.members.len() / self.times) as u64 } else { u64::from(copied) };
        counted.copied = counted.copied.saturating_add(of_each);
        self.by_interface += u64::from(copied && group.told_by == ToldBy::Interface);
        self.by_spot += u64::from(copied && matches!(group.told_by, ToldBy::TimeToLive | ToldBy::Direction));
        let Some(segment) = group.rows().next().and_then(|row| subject.segments.get(row.index())) else { return };
        self.doubled += u64::from(copied && segment.payload().is_some_and(|bytes| bytes > 0));
        let below = |right: u32| segment.acknowledgement.wrapping_sub(right) < u32::MAX / 2;
        let first = segment.sack().first();
        self.complaints += u64::from(segment.has(flag::ACK) && first.is_some_and(|(_, right)| below(*right)));
    }

    /// How often most of its packets that have copies were recorded.
    pub fn times(&self) -> usize {
        self.times
    }

    /// Whether time to live differs between most of the copies.
    pub fn is_routed(&self) -> bool {
        let copied = || self.groups.iter().filter(|group| group.members.len() > 1);
        copied().filter(|group| group.routed).count() * 2 > copied().count()
    }

    /// Recorded packets.
    pub fn packets(&self) -> u64 {
        self.groups.iter().map(|group| group.members.len() as u64).sum()
    }

    /// Rows of all its packets.
    pub fn rows(&self) -> impl Iterator<Item = PacketRow> + '_ {
        self.groups.iter().flat_map(|group| group.rows())
    }

    /// The recordings of the first packet that has copies.
    pub fn first_copied(&self) -> &[(u32, PacketRow)] {
        self.groups.iter().find(|group| group.members.len() > 1).map_or(&[], |group| group.members)
    }

    /// Time between the first and the last copy of a packet, the median.
    pub fn delay(&self) -> Span {
        self.delay
    }

    fn total(&self) -> Counted {
        let (server, client) = (self.directions.server, self.directions.client);
        Counted { packets: server.packets + client.packets, copied: server.copied + client.copied }
    }

    /// Whether copies of its packets were recorded on several interfaces. What the ends cut into packets otherwise than
    /// the other place saw it has no copy; a few that have one are enough.
    fn on_several_interfaces(&self) -> bool {
        const SHARE: u64 = 10;
        let packets = self.total().packets;
        self.by_interface * SHARE >= packets && (self.by_interface > 1 || packets < SHORT)
    }

    /// Whether most of its packets have copies, in both directions.
    fn is_copied(&self) -> bool {
        let most = |counted: Counted| counted.copied * 2 > counted.packets;
        let long = [self.directions.server, self.directions.client].into_iter().filter(|it| it.packets >= SHORT);
        most(self.total()) && long.into_iter().all(most)
    }

    /// Whether its receivers say that data reached them twice: then the network made the copies.
    fn reached_twice(&self) -> bool {
        self.complaints * 2 > self.doubled && self.doubled > 0
    }
}

/// Time between the first and the last copy of a packet, the median.
fn median_delay(groups: &[&Group<'_>]) -> Span {
    let copied = groups.iter().filter(|group| group.members.len() > 1 && !group.idle);
    let mut delays: Vec<Span> = copied.map(|group| group.delay).collect();
    let middle = delays.len() / 2;
    if delays.is_empty() { Span::ZERO } else { *delays.select_nth_unstable(middle).1 }
}

/// For each stream, whether its packets were recorded more than once. Where nothing but their number tells, the network may
/// have made some of the copies: then nearly all packets of a longer stream must have one, or most of what was recorded,
/// `recorded` packets, belong to streams with copies.
pub fn certain(streams: &[StreamCopies<'_>], recorded: usize) -> Vec<bool> {
    let only_order = |stream: &StreamCopies<'_>| stream.is_copied() && !stream.reached_twice();
    let with_copies: u64 = streams.iter().filter(|stream| only_order(stream)).map(StreamCopies::packets).sum();
    let most = with_copies.saturating_mul(2) > recorded as u64;
    let certain = |stream: &StreamCopies<'_>| {
        let total = stream.total();
        let nearly_all = total.packets >= SHORT && total.copied * 10 >= total.packets * 9;
        let other_spots = stream.is_copied() && stream.by_spot * 2 > total.copied;
        stream.on_several_interfaces() || other_spots || (only_order(stream) && (nearly_all || most))
    };
    streams.iter().map(certain).collect()
}
