//! Connections put together by their data sequence numbers, where the capture has neither their keys nor a token.
//!
//! Of a capture begun in mid-connection each subflow looks like a connection of its own, as in Wireshark. All subflows
//! of a connection share one number space in each direction (RFC 8684 §3.3), which begins at a random 64-bit number. So
//! two connections whose numbers lie in one stretch are one: of two strangers, less than 2^31 apart, that happens once
//! in 2^32 cases, and once in 2^64 where both directions are seen. Numbers of 32 bits are everywhere near each other:
//! they count only where both directions together are as unlikely to agree by chance.

use super::role::{ByRole, Role};
use super::streams::{RoleEvidence, Stream};
use super::{Connection, JoinedBy, PacketInStream, Subflow, SubflowKind, Tracking};
use crate::interrupt::interruptible;
use crate::packets::segment::{Dss, Segment};
use crate::{ConnectionId, IdVec, PacketRow, StreamId};

/// Numbers of 64 bits less than this apart lie in one stretch.
const NEAR: u64 = 1 << 31;
/// Numbers of 32 bits that are farther apart are not looked at.
const NEAR_SHORT: u64 = 1 << 24;
/// The binary logarithm of the chance that strangers agree, at most.
const CHANCE: f64 = -30.0;
/// How many neighbours in the order of numbers each is compared with, so that the work stays linear.
const NEIGHBOURS: usize = 16;

/// Puts together those of `connections` that are one. A connection that is put into another keeps its number and its
/// place, without subflows.
pub fn put_together(
    segments: &[Segment],
    packets: &IdVec<PacketRow, PacketInStream>,
    streams: &IdVec<StreamId, Stream>,
    connections: &mut IdVec<ConnectionId, Connection>,
    subflows: &mut IdVec<StreamId, Option<Subflow>>,
) {
    if connections.len() < 2 || connections.iter().all(|connection| connection.roles_known) {
        return;
    }
    let spaces = spaces(segments, packets, streams, connections.len(), subflows);
    let mut groups = Groups::new(connections, streams, segments, subflows);
    for (bits, joined_by) in [(64, JoinedBy::DataSequence), (32, JoinedBy::ShortDataSequence)] {
        let placed = placed(&spaces, bits);
        for (index, one) in interruptible(placed.iter().enumerate()) {
            // The number space wraps: the last are neighbours of the first.
            let following =
                (1..=NEIGHBOURS.min(placed.len().saturating_sub(1))).map(|step| (index + step) % placed.len());
            for other in interruptible(following.filter_map(|at| placed.get(at))) {
                let turned = one.towards != other.towards;
                if one.extent.is_near(&other.extent) && agree(&spaces, one.connection, other.connection, turned, bits) {
                    groups.join(one.connection, other.connection, turned, joined_by);
                }
            }
        }
    }
    groups.settle(streams, connections, subflows);
}

/// Numbers of one direction, all near each other.
#[derive(Debug, Clone, Copy)]
struct Extent {
    /// Number of bits.
    bits: u32,
    /// The lowest, as sent.
    low: u64,
    /// How far the highest lies above it.
    length: u64,
}

impl Extent {
    fn new(number: u64, bits: u32) -> Self {
        Extent { bits, low: number, length: 0 }
    }

    /// How far `number` lies above the lowest, by the arithmetic of a number space that wraps.
    fn above(&self, number: u64) -> u64 {
        let distance = number.wrapping_sub(self.low);
        if self.bits == 32 { distance & u64::from(u32::MAX) } else { distance }
    }

    /// How far `number` lies below the lowest.
    fn below(&self, number: u64) -> u64 {
        let distance = self.low.wrapping_sub(number);
        if self.bits == 32 { distance & u64::from(u32::MAX) } else { distance }
    }

    /// Takes in a number, unless it is far from all others.
    fn note(&mut self, number: u64) {
        let (above, below) = (self.above(number), self.below(number));
        if above <= self.length {
        } else if above - self.length < NEAR {
            self.length = above;
        } else if below < NEAR {
            self.low = number;
            self.length = self.length.saturating_add(below);
        }
    }

    /// Distance between two; 0 if they meet.
    fn gap(&self, other: &Extent) -> u64 {
        let (first, second) = (self.above(other.low), other.above(self.low));
        if first <= self.length || second <= other.length {
            return 0;
        }
        (first - self.length).min(second - other.length)
    }

    /// Whether both lie in one stretch.
    fn is_near(&self, other: &Extent) -> bool {
        self.gap(other) < if self.bits == 64 { NEAR } else { NEAR_SHORT }
    }

    /// The low halves of the numbers.
    fn shortened(&self) -> Extent {
        Extent { bits: 32, low: self.low & u64::from(u32::MAX), length: self.length }
    }

    /// The binary logarithm of the chance that two strangers are as near to each other.
    fn chance(&self, other: &Extent) -> f64 {
        let reach = self.length.saturating_add(other.length).saturating_add(self.gap(other).saturating_mul(2));
        #[allow(clippy::cast_precision_loss)]
        let reach = reach.saturating_add(1) as f64;
        (reach.log2() - f64::from(self.bits)).min(0.0)
    }
}

/// The numbers of one direction of a connection: data sent, and its DATA_ACKs.
#[derive(Debug, Clone, Copy, Default)]
struct Space {
    wide: Option<Extent>,
    short: Option<Extent>,
}

impl Space {
    fn note(&mut self, number: u64, wide: bool) {
        // A random number has a high half; without one it tells no more than 32 bits do.
        let wide = wide && number >> 32 != 0;
        let (extent, bits) = if wide { (&mut self.wide, 64) } else { (&mut self.short, 32) };
        let number = if wide { number } else { number & u64::from(u32::MAX) };
        extent.get_or_insert_with(|| Extent::new(number, bits)).note(number);
    }

    /// The numbers by so many of their bits.
    fn of(&self, bits: u32) -> Option<Extent> {
        if bits == 64 { self.wide } else { self.wide.map(|wide| wide.shortened()).or(self.short) }
    }
}

/// The number spaces of all connections.
fn spaces(
    segments: &[Segment],
    packets: &IdVec<PacketRow, PacketInStream>,
    streams: &IdVec<StreamId, Stream>,
    count: usize,
    subflows: &IdVec<StreamId, Option<Subflow>>,
) -> IdVec<ConnectionId, ByRole<Space>> {
    let mut spaces = IdVec::from(vec![ByRole::<Space>::default(); count]);
    for (segment, packet) in interruptible(segments.iter().zip(packets)) {
        let Some(dss) = segment.dss() else { continue };
        let (Some(Some(subflow)), Some(stream)) = (subflows.get(packet.stream), streams.get(packet.stream)) else {
            continue;
        };
        let Some(space) = spaces.get_mut(subflow.connection) else { continue };
        let towards = Tracking::mptcp_towards(subflow, stream.towards(packet));
        if let Some(mapping) = dss.mapping {
            let wide = dss.has(Dss::DSN_8);
            space.get_mut(towards).note(mapping.dsn, wide);
            space.get_mut(towards).note(mapping.dsn.wrapping_add(mapping.length.into()), wide);
        }
        if let Some(number) = dss.data_ack {
            space.get_mut(towards.other()).note(number, dss.has(Dss::DATA_ACK_8));
        }
    }
    spaces
}

/// Where one direction of a connection lies.
#[derive(Debug, Clone, Copy)]
struct Placed {
    extent: Extent,
    connection: ConnectionId,
    towards: Role,
}

/// All directions with numbers of so many bits, in the order of these.
fn placed(spaces: &IdVec<ConnectionId, ByRole<Space>>, bits: u32) -> Vec<Placed> {
    let mut placed: Vec<Placed> = Vec::new();
    for (connection, space) in spaces.numbered() {
        for towards in Role::BOTH {
            if let Some(extent) = space.get(towards).of(bits) {
                placed.push(Placed { extent, connection, towards });
            }
        }
    }
    placed.sort_by_key(|one| (one.extent.low, one.connection));
    placed
}

/// Whether two connections are as near to each other as strangers are not. `turned`: the server of one is the client of
/// the other.
fn agree(
    spaces: &IdVec<ConnectionId, ByRole<Space>>,
    one: ConnectionId,
    other: ConnectionId,
    turned: bool,
    bits: u32,
) -> bool {
    let (Some(first), Some(second)) = (spaces.get(one), spaces.get(other)) else { return false };
    // Directions that lie near each other do not tell which is which.
    if one == other || ambiguous(first) || ambiguous(second) {
        return false;
    }
    let mut chance = 0.0;
    let mut compared = 0;
    for towards in Role::BOTH {
        let counterpart = if turned { towards.other() } else { towards };
        let (first, second) = (first.get(towards), second.get(counterpart));
        if first.wide.zip(second.wide).is_some_and(|(first, second)| !first.is_near(&second)) {
            return false;
        }
        if let (Some(first), Some(second)) = (first.of(bits), second.of(bits)) {
            if !first.is_near(&second) {
                return false;
            }
            compared += 1;
            chance += first.chance(&second);
        }
    }
    chance <= CHANCE && (bits == 64 || compared == 2)
}

fn ambiguous(space: &ByRole<Space>) -> bool {
    match (space.server.wide, space.client.wide) {
        (Some(server), Some(client)) => server.is_near(&client),
        _ => space.server.of(32).zip(space.client.of(32)).is_some_and(|(server, client)| server.gap(&client) == 0),
    }
}

/// Connections that are one, as far as was found out: a forest of which each tree is one.
struct Groups {
    members: IdVec<ConnectionId, Member>,
}

#[derive(Debug, Clone, Copy)]
struct Member {
    /// Itself at the root of a tree.
    parent: ConnectionId,
    /// Whether its server is the parent's client.
    turned: bool,
    /// What put it there, or another to it.
    joined_by: Option<JoinedBy>,
    /// Facts of the tree, at its root.
    tree: Tree,
}

/// What is known of connections that are one, in the roles of the root.
#[derive(Debug, Clone, Copy)]
struct Tree {
    size: usize,
    /// The connection that the others are put into: the one whose keys are known, or else the first.
    leader: ConnectionId,
    /// The MP_CAPABLE of the leader was captured.
    keyed: bool,
    tokens: ByRole<Option<u32>>,
    /// Row of the first packet.
    first: Option<PacketRow>,
    /// Nothing but packets that were refused with a RST.
    stray: bool,
}

impl Tree {
    /// This with another, which is turned against it or not. `None` where they cannot be one: two have keys or different
    /// tokens, a subflow would be older than its connection, or what a RST refused would be part of a connection that
    /// is known from its beginning.
    fn with(&self, other: &Tree, turned: bool) -> Option<Tree> {
        let (keyed, rest) = if self.keyed { (self, other) } else { (other, self) };
        if keyed.keyed && (rest.keyed || rest.stray || rest.first < keyed.first) {
            return None;
        }
        let of_other = |role: Role| *other.tokens.get(if turned { role.other() } else { role });
        let mut tokens = self.tokens;
        for role in Role::BOTH {
            let (known, more) = (tokens.get_mut(role), of_other(role));
            if known.zip(more).is_some_and(|(known, more)| known != more) {
                return None;
            }
            *known = known.or(more);
        }
        let leader = if keyed.keyed { keyed.leader } else { self.leader.min(other.leader) };
        Some(Tree {
            size: self.size.saturating_add(other.size),
            leader,
            keyed: keyed.keyed,
            tokens,
            first: self.first.min(other.first),
            stray: self.stray && other.stray,
        })
    }
}

impl Groups {
    fn new(
        connections: &IdVec<ConnectionId, Connection>,
        streams: &IdVec<StreamId, Stream>,
        segments: &[Segment],
        subflows: &IdVec<StreamId, Option<Subflow>>,
    ) -> Self {
        let members = connections.iter().map(|connection| {
            let own = || connection.subflows.iter().filter_map(|id| streams.get(*id));
            let unknown = |stream: &Stream| {
                let subflow = subflows.get(stream.id).and_then(Option::as_ref);
                subflow.is_some_and(|subflow| subflow.kind == SubflowKind::Unknown)
            };
            let tree = Tree {
                size: 1,
                leader: connection.id,
                keyed: connection.roles_known,
                tokens: ByRole { server: connection.hosts.server.token, client: connection.hosts.client.token },
                first: own().filter_map(|stream| stream.packets.first().copied()).min(),
                stray: own().all(|stream| unknown(stream) && stream.is_stray(segments)),
            };
            Member { parent: connection.id, turned: false, joined_by: None, tree }
        });
        Groups { members: members.collect() }
    }

    /// The root of a connection's tree, and whether the connection is turned against it.
    fn root(&self, connection: ConnectionId) -> (ConnectionId, bool) {
        let (mut at, mut turned) = (connection, false);
        while let Some(member) = self.members.get(at).filter(|member| member.parent != at) {
            turned ^= member.turned;
            at = member.parent;
        }
        (at, turned)
    }

    fn tree(&self, root: ConnectionId) -> Option<&Tree> {
        self.members.get(root).map(|member| &member.tree)
    }

    /// Makes two connections one, unless what else is known of them forbids it.
    fn join(&mut self, one: ConnectionId, other: ConnectionId, turned: bool, joined_by: JoinedBy) {
        let ((first, first_turned), (second, second_turned)) = (self.root(one), self.root(other));
        let turned = turned ^ first_turned ^ second_turned;
        let (Some(a), Some(b)) = (self.tree(first), self.tree(second)) else { return };
        if first == second {
            return;
        }
        // The smaller one under the larger: no tree becomes high.
        let (root, taken) = if a.size < b.size { (second, first) } else { (first, second) };
        let united = if a.size < b.size { b.with(a, turned) } else { a.with(b, turned) };
        let Some(united) = united else { return };
        if let Some(member) = self.members.get_mut(root) {
            member.tree = united;
        }
        if let Some(member) = self.members.get_mut(taken) {
            (member.parent, member.turned) = (root, turned);
        }
        for connection in [one, other] {
            if let Some(member) = self.members.get_mut(connection) {
                member.joined_by.get_or_insert(joined_by);
            }
        }
    }

    /// Moves subflows to the connections that they belong to.
    fn settle(
        &self,
        streams: &IdVec<StreamId, Stream>,
        connections: &mut IdVec<ConnectionId, Connection>,
        subflows: &mut IdVec<StreamId, Option<Subflow>>,
    ) {
        let mut grown: Vec<ConnectionId> = Vec::new();
        for (id, member) in self.members.numbered() {
            let (root, turned) = self.root(id);
            let Some(leader) = self.tree(root).filter(|tree| tree.size > 1).map(|tree| tree.leader) else { continue };
            let turned = turned ^ self.root(leader).1;
            let Some(connection) = connections.get_mut(id) else { continue };
            for stream in interruptible(&connection.subflows) {
                let Some(Some(subflow)) = subflows.get_mut(*stream) else { continue };
                if id != leader || subflow.kind == SubflowKind::Unknown {
                    subflow.joined_by = member.joined_by;
                }
                subflow.connection = leader;
                subflow.opened_towards = if turned { subflow.opened_towards.other() } else { subflow.opened_towards };
            }
            if id == leader {
                grown.push(id);
                continue;
            }
            connection.part_of = Some(leader);
            let (hosts, moved) = (std::mem::take(&mut connection.hosts), std::mem::take(&mut connection.subflows));
            let Some(leader) = connections.get_mut(leader) else { continue };
            for role in Role::BOTH {
                let known = leader.hosts.get_mut(role);
                known.token = known.token.or(hosts.get(if turned { role.other() } else { role }).token);
            }
            leader.subflows.extend(moved);
        }
        for id in interruptible(grown) {
            if let Some(leader) = connections.get_mut(id) {
                leader.subflows.sort_unstable();
                if !leader.roles_known && server_is_the_client(streams, leader, subflows) {
                    turn(leader, subflows);
                }
            }
        }
    }
}

/// Whether what is taken for the server of a connection put together is rather its client: most subflows are opened by
/// the client; of as many either way, the end with the lowest port is the server.
fn server_is_the_client(
    streams: &IdVec<StreamId, Stream>,
    connection: &Connection,
    subflows: &IdVec<StreamId, Option<Subflow>>,
) -> bool {
    let mut towards_server = 0_i64;
    let mut lowest: ByRole<Option<u16>> = ByRole::default();
    for id in interruptible(&connection.subflows) {
        let (Some(stream), Some(Some(subflow))) = (streams.get(*id), subflows.get(*id)) else {
            continue;
        };
        // Equal ports tell nothing.
        let tells = stream.evidence == RoleEvidence::Handshake || stream.client.port != stream.server.port;
        if tells {
            towards_server += if subflow.opened_towards == Role::Server { 1 } else { -1 };
        }
        for tcp in Role::BOTH {
            let known = lowest.get_mut(Tracking::mptcp_towards(subflow, tcp));
            let port = stream.endpoint(tcp).port;
            *known = Some(known.map_or(port, |known| known.min(port)));
        }
    }
    towards_server < 0 || (towards_server == 0 && lowest.client < lowest.server)
}

/// Makes a connection's server its client.
fn turn(connection: &mut Connection, subflows: &mut IdVec<StreamId, Option<Subflow>>) {
    let hosts = &mut connection.hosts;
    std::mem::swap(&mut hosts.client, &mut hosts.server);
    for id in interruptible(&connection.subflows) {
        if let Some(Some(subflow)) = subflows.get_mut(*id) {
            subflow.opened_towards = subflow.opened_towards.other();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(bits: u32, numbers: &[u64]) -> Extent {
        let mut extent = Extent::new(numbers[0], bits);
        numbers.iter().for_each(|number| extent.note(*number));
        extent
    }

    #[test]
    fn an_extent_grows_both_ways_and_through_the_wrap() {
        let wide = extent(64, &[5, u64::MAX - 4, 15]);
        assert_eq!((wide.low, wide.length), (u64::MAX - 4, 20));
        let short = extent(32, &[0xffff_fff0, 0x10]);
        assert_eq!((short.low, short.length), (0xffff_fff0, 0x20));
        assert_eq!(short.gap(&extent(32, &[0x20])), 0x10);
        assert_eq!(extent(32, &[0x20]).gap(&short), 0x10);
        assert_eq!(extent(64, &[7, 1 << 60]).length, 0, "a number far away is another's");
    }

    #[test]
    fn chance_is_what_the_lengths_say() {
        // 2^16 numbers here, 2^16 there, of 2^32: they meet once in 2^15 cases.
        let chance = extent(32, &[0, 0xffff]).chance(&extent(32, &[0x8000, 0x1_7fff]));
        assert!((chance + 15.0).abs() < 0.01, "{chance}");
        // Less than 2^31 apart either way, of 2^64: once in 2^32.
        let chance = extent(64, &[0]).chance(&extent(64, &[NEAR - 1]));
        assert!((chance + 32.0).abs() < 0.01, "{chance}");
    }

    fn space(server: &[(u64, bool)], client: &[(u64, bool)]) -> ByRole<Space> {
        let mut spaces = ByRole::<Space>::default();
        server.iter().for_each(|(number, wide)| spaces.server.note(*number, *wide));
        client.iter().for_each(|(number, wide)| spaces.client.note(*number, *wide));
        spaces
    }

    /// Whether the first two connections agree.
    fn agree(spaces: &[ByRole<Space>], turned: bool, bits: u32) -> bool {
        super::agree(&IdVec::from(spaces.to_vec()), ConnectionId(0), ConnectionId(1), turned, bits)
    }

    const A: u64 = 0x1234_5678_0000_0000;
    const B: u64 = 0x8765_4321_0000_0000;

    #[test]
    fn both_directions_must_agree() {
        let one = space(&[(A, true)], &[(B, true)]);
        let same = [one, space(&[(A + 5000, true)], &[(B + 9, true)])];
        assert!(agree(&same, false, 64) && !agree(&same, true, 64));
        let turned = [one, space(&[(B + 5000, true)], &[(A + 9, true)])];
        assert!(agree(&turned, true, 64) && !agree(&turned, false, 64));
        let half = [one, space(&[(A, true)], &[(B + NEAR * 3, true)])];
        assert!(!agree(&half, false, 64));
        let alone = [one, space(&[(A + 5000, true)], &[])];
        assert!(agree(&alone, false, 64), "one direction of 64 bits is enough");
    }

    #[test]
    fn short_numbers_must_agree_in_both_directions_and_closely() {
        let one = space(&[(0x1000_0000, false), (0x1010_0000, false)], &[(0x2000_0001, false)]);
        let other = space(&[(0x1008_0000, false), (0x1020_0000, false)], &[(0x2000_0001, false)]);
        assert!(agree(&[one, other], false, 32));
        let one_way = space(&[(0x1008_0000, false)], &[]);
        assert!(!agree(&[one, one_way], false, 32));
        let long = space(&[(0x1000_0000, false), (0x4000_0000, false)], &[(0x2000_0001, false), (0x6000_0000, false)]);
        assert!(!agree(&[long, long], false, 32), "ranges so long meet by chance");
        // 64 bits of which the high half is zero tell as little as 32.
        let small = space(&[(1, true), (50_000_000, true)], &[(60_000_000, true), (90_000_000, true)]);
        assert!(!agree(&[small, small], false, 64));
    }

    #[test]
    fn keys_and_tokens_tell_connections_apart() {
        let tree = |keyed: bool, token: Option<u32>, first: u32| Tree {
            size: 1,
            leader: ConnectionId(first),
            keyed,
            tokens: ByRole { server: token, client: None },
            first: Some(PacketRow(first)),
            stray: false,
        };
        assert!(tree(true, Some(1), 0).with(&tree(true, Some(1), 5), false).is_none(), "two MP_CAPABLE");
        assert!(tree(true, Some(1), 5).with(&tree(false, None, 0), false).is_none(), "a subflow before its connection");
        assert!(tree(false, Some(1), 0).with(&tree(false, Some(2), 5), false).is_none(), "two tokens of one end");
        let both = tree(false, Some(1), 0).with(&tree(false, Some(2), 5), true).unwrap();
        assert_eq!((both.tokens.server, both.tokens.client, both.leader.0), (Some(1), Some(2), 0));
        assert_eq!(tree(false, None, 3).with(&tree(true, Some(1), 2), false).unwrap().leader, ConnectionId(2));
    }
}
