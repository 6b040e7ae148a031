//! Connections put together by their data sequence numbers, where the capture has neither their keys nor a token.
//!
//! Of a capture begun in mid-connection each subflow looks like a connection of its own, as in Wireshark. All subflows
//! of a connection share one number space in each direction (RFC 8684 §3.3), which begins at a random 64-bit number. So
//! two connections whose numbers lie in one stretch are one: of two strangers, less than 2^31 apart, that happens once
//! in 2^32 cases, and once in 2^64 where both directions are seen. Numbers of 32 bits are everywhere near each other:
//! they count only where both directions together are as unlikely to agree by chance.

mod groups;
mod space;

use super::role::{ByRole, Role};
use super::streams::Stream;
use super::{Connection, JoinedBy, PacketInStream, Subflow, Tracking};
use crate::interrupt::interruptible;
use crate::packets::segment::{Dss, Segment};
use crate::{ConnectionId, IdVec, PacketRow, StreamId};
use groups::Groups;
use space::{Extent, Space};

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

#[cfg(test)]
mod tests {
    use super::*;

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
        let half = [one, space(&[(A, true)], &[(B + space::NEAR * 3, true)])];
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
}
