//! From where on do the packets of a subflow lack the MPTCP options that they had?
//!
//! On a subflow every packet that acknowledges data, and all data that no mapping sent before covers, should have an
//! option (RFC 8684 §3.3). Where those of one end have none any more, something on the path removes them, or that end
//! stopped sending them. On a joined subflow, and on the initial one once another has joined, there is no way back to plain
//! TCP; before that it is a fallback.

use crate::interrupt::interruptible;
use crate::packets::segment::{Dss, Segment, flag};
use crate::tracking::travelling::{Travelling, of_subflow};
use crate::tracking::{ByRole, Capture, Connection, PacketInStream, Role, SubflowKind};
use crate::{PacketRow, StreamId};

/// After options were seen, this many packets without show that they are gone.
const ENOUGH: u32 = 3;

/// A loss of options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss<M> {
    /// The end of the *stream* whose packets lack options.
    pub sender: Role,
    /// Its first packet without, after its last one with an option or its part of the handshake.
    pub from: M,
    /// It had sent options after the handshake.
    pub later: bool,
}

/// The packets of a subflow so far; `M` says where a packet is.
#[derive(Debug, Clone)]
pub struct OptionLoss<M> {
    ends: ByRole<End<M>>,
    /// A FIN was seen: the ACKs of its end need no option.
    closed: bool,
}

/// Packets sent by one end of the stream.
#[derive(Debug, Clone)]
struct End<M> {
    /// Its part of the handshake had MP_JOIN or MP_CAPABLE.
    joined: bool,
    /// It sent options after the handshake.
    spoke: bool,
    /// The first packet without an option since.
    bare: Option<M>,
    /// Packets since that should have had one.
    due: u32,
    told: bool,
    /// One past the last byte that its mappings cover, relative.
    mapped: u32,
    /// The highest number that it acknowledged, relative.
    acknowledged: u32,
}

impl<M> Default for OptionLoss<M> {
    fn default() -> Self {
        let end = || End { joined: false, spoke: false, bare: None, due: 0, told: false, mapped: 1, acknowledged: 1 };
        OptionLoss { ends: ByRole { server: end(), client: end() }, closed: false }
    }
}

impl<M: Copy> OptionLoss<M> {
    /// Takes in the next packet, sent by that end of the stream; returns a loss that it makes certain.
    pub fn push(&mut self, place: M, segment: &Segment, packet: &PacketInStream, sender: Role) -> Option<Loss<M>> {
        self.closed |= segment.flags() & (flag::FIN | flag::RST) != 0;
        if self.closed {
            return None;
        }
        let end = self.ends.get_mut(sender);
        let join = segment.join().is_some();
        end.joined |= join || segment.capable().is_some();
        if segment.has(flag::SYN) || join {
            return None;
        }
        if segment.is_mptcp() || segment.options_cut() || segment.malformed().is_some() {
            end.note_mapping(segment);
            (end.spoke, end.bare, end.due, end.told) = (true, None, 0, false);
            return None;
        }
        end.bare.get_or_insert(place);
        end.due = end.due.saturating_add(u32::from(end.is_due(segment, packet)));
        if end.due < ENOUGH { None } else { end.tell(sender) }
    }

    /// The losses that are certain because nothing follows.
    pub fn finish(&mut self) -> impl Iterator<Item = Loss<M>> + '_ {
        let OptionLoss { ends: ByRole { server, client }, .. } = self;
        let silent = [(Role::Server, server), (Role::Client, client)];
        silent.into_iter().filter(|(_, end)| !end.spoke && end.due > 0).filter_map(|(sender, end)| end.tell(sender))
    }
}

impl<M: Copy> End<M> {
    fn note_mapping(&mut self, segment: &Segment) {
        let Some((dss, mapping)) = segment.dss().and_then(|dss| Some((dss, dss.mapping?))) else { return };
        let length = u32::from(mapping.length).saturating_sub(u32::from(dss.has(Dss::DATA_FIN)));
        let end = mapping.ssn.wrapping_add(length);
        if is_beyond(end, self.mapped) {
            self.mapped = end;
        }
    }

    /// Whether a packet without an option should have one.
    fn is_due(&mut self, segment: &Segment, packet: &PacketInStream) -> bool {
        let length = segment.payload().unwrap_or(0);
        if length > 0 {
            return is_beyond(packet.sequence.wrapping_add(length), self.mapped);
        }
        let acknowledged = packet.acknowledgement().unwrap_or(self.acknowledged);
        let advances = is_beyond(acknowledged, self.acknowledged);
        if advances {
            self.acknowledged = acknowledged;
        }
        // SACK blocks may have taken the room.
        advances && segment.sack().is_empty()
    }

    fn tell(&mut self, sender: Role) -> Option<Loss<M>> {
        if !self.joined || std::mem::replace(&mut self.told, true) {
            return None;
        }
        Some(Loss { sender, from: self.bare?, later: self.spoke })
    }
}

/// Whether a relative sequence number lies behind another (RFC 9293 §3.4).
fn is_beyond(one: u32, other: u32) -> bool {
    one != other && one.wrapping_sub(other) < 1 << 31
}

/// The losses of a connection's subflows, by their index in [`Connection::subflows`], with the rows of their packets.
#[must_use]
pub fn losses(capture: &Capture, connection: &Connection) -> Vec<(usize, Loss<PacketRow>)> {
    let mut losses = Losses::new(capture, connection);
    for index in 0..connection.subflows.len() {
        for packet in interruptible(of_subflow(&capture.segments, &capture.tracking, connection, index)) {
            if let Some(place) = capture.tracking.packets.get(packet.row) {
                losses.push(&packet, place);
            }
        }
    }
    losses.finish()
}

/// The subflows of a connection while its packets go by, each subflow's in order.
pub struct Losses {
    subflows: Vec<Option<OfSubflow>>,
}

/// A subflow without a way back to plain TCP.
struct OfSubflow {
    loss: OptionLoss<PacketRow>,
    /// On the initial one, the packet from which on there is none.
    joined: Option<PacketRow>,
    found: Vec<Loss<PacketRow>>,
}

impl Losses {
    /// Before the first packet.
    #[must_use]
    pub fn new(capture: &Capture, connection: &Connection) -> Self {
        let first_join = first_join(capture, connection);
        let of = |id: &StreamId| {
            let joined = match capture.tracking.subflow(*id)?.kind {
                SubflowKind::Join(_) => None,
                SubflowKind::Initial if first_join.is_some() => first_join,
                SubflowKind::Initial | SubflowKind::Unknown => return None,
            };
            Some(OfSubflow { loss: OptionLoss::default(), joined, found: Vec::new() })
        };
        Losses { subflows: connection.subflows.iter().map(of).collect() }
    }

    /// Takes in the next packet, which has this place in its stream.
    pub fn push(&mut self, packet: &Travelling<'_>, place: &PacketInStream) {
        if let Some(Some(own)) = self.subflows.get_mut(packet.subflow) {
            let loss = own.loss.push(packet.row, packet.segment, place, packet.tcp_towards.other());
            own.found.extend(loss);
        }
    }

    /// The losses, as [`losses`] has them.
    #[must_use]
    pub fn finish(self) -> Vec<(usize, Loss<PacketRow>)> {
        let mut all = Vec::new();
        for (index, own) in interruptible(self.subflows.into_iter().enumerate()) {
            let Some(OfSubflow { mut loss, joined, mut found }) = own else { continue };
            found.extend(loss.finish());
            found.retain(|loss| joined.is_none_or(|joined| loss.later && joined < loss.from));
            all.extend(found.into_iter().map(|loss| (index, loss)));
        }
        all
    }
}

/// Row of the first ACK with MP_JOIN.
fn first_join(capture: &Capture, connection: &Connection) -> Option<PacketRow> {
    let subflows = connection.subflows.iter().filter_map(|id| capture.tracking.subflow(*id));
    let acks = subflows.filter_map(|subflow| match &subflow.kind {
        SubflowKind::Join(handshake) => handshake.rows[2],
        _ => None,
    });
    acks.min()
}
