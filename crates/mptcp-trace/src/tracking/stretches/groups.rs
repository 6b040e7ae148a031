//! Connections that are one: put together as evidence comes, and then made one.

use super::super::role::{ByRole, Role};
use super::super::streams::{RoleEvidence, Stream};
use super::super::{Connection, JoinedBy, Subflow, SubflowKind, Tracking};
use crate::interrupt::interruptible;
use crate::packets::segment::Segment;
use crate::{ConnectionId, IdVec, PacketRow, StreamId};

/// Connections that are one, as far as was found out: a forest of which each tree is one.
pub struct Groups {
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
    pub fn new(
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
    pub fn join(&mut self, one: ConnectionId, other: ConnectionId, turned: bool, joined_by: JoinedBy) {
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
    pub fn settle(
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
