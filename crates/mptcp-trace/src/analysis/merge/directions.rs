//! The packets of one direction of a stream as both captures recorded them, in numbers that compare.

use super::{Which, shift, timestamps};
use crate::analysis::mapping::StreamPair;
use crate::interrupt::interruptible;
use crate::packets::segment::{Segment, flag};
use crate::tracking::sequence::Positions;
use crate::tracking::{Capture, Nature, Role, RoleEvidence, Stream, Tracking};
use crate::{Instant, PacketRow};

/// Flags that make a packet what it is. PSH and the congestion bits may differ between the ends: segmentation offload
/// moves them.
const FLAGS: u16 = flag::FIN | flag::SYN | flag::RST | flag::ACK;

/// A packet in numbers that compare between the captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// Row in its capture.
    pub row: PacketRow,
    /// When it was recorded.
    pub time: Instant,
    /// Sequence number as the first capture has it.
    pub sequence: u32,
    /// Acknowledgement number as the first capture has it; 0 without ACK.
    pub acknowledgement: u32,
    /// Bytes of payload; `None` when the packet does not tell.
    pub length: Option<u32>,
    /// Those of the flags that no offload moves.
    pub flags: u16,
    /// TCP timestamp option as the first capture has it, as far as it compares (see [`super::timestamps`]).
    pub timestamps: Option<(u32, u32)>,
    /// The sequence number without its wrap, by this capture's own count.
    pub position: u64,
}

impl Packet {
    /// First byte and one past the last, for packets with payload. A SYN counts one byte before its payload.
    pub fn bytes(&self) -> Option<(u64, u64)> {
        let length = self.length.filter(|length| *length > 0)?;
        let start = self.position.saturating_add(u64::from(self.flags & flag::SYN != 0));
        Some((start, start.saturating_add(length.into())))
    }
}

/// One direction as both captures have it.
#[derive(Debug, Clone)]
pub struct MergedDirection {
    /// The first capture's packets in the order of time.
    pub first: Vec<Packet>,
    /// The second one's.
    pub second: Vec<Packet>,
}

impl MergedDirection {
    /// The packets of one capture.
    pub fn of(&self, which: Which) -> &[Packet] {
        which.of(&self.first, &self.second)
    }
}

/// The two captures.
#[derive(Debug, Clone, Copy)]
pub struct Captures<'a> {
    pub first: &'a Capture,
    pub second: &'a Capture,
}

impl<'a> Captures<'a> {
    /// One of them.
    pub fn of(&self, which: Which) -> &'a Capture {
        which.of(self.first, self.second)
    }

    fn stream(&self, which: Which, pair: StreamPair) -> Option<&'a Stream> {
        self.of(which).tracking.stream(which.of(pair.first, pair.second))
    }

    /// The capture whose roles count for a stream: one that has its handshake.
    fn authority(&self, pair: StreamPair) -> Which {
        let knows = |which| self.stream(which, pair).is_some_and(|stream| stream.evidence == RoleEvidence::Handshake);
        if !knows(Which::First) && knows(Which::Second) { Which::Second } else { Which::First }
    }

    /// What a role at the stream's authority is called in `which`.
    fn role_in(&self, which: Which, pair: StreamPair, role: Role) -> Role {
        if pair.flipped && which != self.authority(pair) { role.other() } else { role }
    }

    /// The end of the MPTCP connection that packets towards `tcp` travel towards; `None` for plain TCP.
    pub fn mptcp_towards(&self, pair: StreamPair, tcp: Role) -> Option<Role> {
        let known = |which: Which| {
            let tracking = &self.of(which).tracking;
            let subflow = tracking.subflow(which.of(pair.first, pair.second))?;
            let connection = tracking.connection(subflow.connection)?;
            let role = Tracking::mptcp_towards(subflow, self.role_in(which, pair, tcp));
            Some((connection.roles_known, role))
        };
        match (known(Which::First), known(Which::Second)) {
            (Some((false, _)) | None, Some((true, role))) | (None, Some((false, role))) | (Some((_, role)), _) => {
                Some(role)
            }
            (None, None) => None,
        }
    }

    /// True for a subflow that the server of the connection opened.
    pub fn opened_by_server(&self, pair: StreamPair) -> bool {
        self.mptcp_towards(pair, Role::Server) == Some(Role::Client)
    }

    /// Both directions of a stream, towards its server first; `None` when a capture has no such stream.
    pub fn directions(&self, pair: StreamPair) -> Option<[MergedDirection; 2]> {
        let first = self.stream(Which::First, pair)?;
        let second = self.stream(Which::Second, pair)?;
        let collect = |which: Which, stream: &Stream, towards: Role| {
            packets(self.of(which), stream, self.role_in(which, pair, towards))
        };
        let mut directions = Role::BOTH.map(|towards| MergedDirection {
            first: collect(Which::First, first, towards),
            second: collect(Which::Second, second, towards),
        });
        let isns = Role::BOTH.map(|towards| {
            let sender = towards.other();
            let isn = |which: Which, stream: &Stream| stream.ends.get(self.role_in(which, pair, sender)).isn;
            (isn(Which::First, first), isn(Which::Second, second))
        });
        let [to_server, to_client] = &mut directions;
        let segments = (&*self.first.segments, &*self.second.segments);
        let server_shift = shift::of(isns[0], to_server, segments);
        let client_shift = shift::of(isns[1], to_client, segments);
        renumber(&mut to_server.second, server_shift, client_shift);
        renumber(&mut to_client.second, client_shift, server_shift);
        for direction in &mut directions {
            timestamps::align(direction);
            place(&mut direction.first);
            place(&mut direction.second);
        }
        Some(directions)
    }
}

/// When the first and last TCP packets of a capture were recorded.
pub fn recorded_span(capture: &Capture) -> Option<(Instant, Instant)> {
    let times = || capture.segments.iter().map(|segment| segment.abstime);
    Some((times().min()?, times().max()?))
}

fn packets(capture: &Capture, stream: &Stream, towards: Role) -> Vec<Packet> {
    let own = stream.packets.iter().filter_map(|row| {
        let segment = capture.segments.get(row.index())?;
        let place = capture.tracking.packets.get(*row)?;
        // A late packet is of the stream before, where the other capture may have it in time.
        (stream.towards(place) == towards && place.nature != Nature::Late).then(|| packet(*row, segment))
    });
    let sender = stream.endpoint(towards.other());
    let late = stream.late.iter().filter_map(|row| {
        let segment = capture.segments.get(row.index())?;
        (capture.segments.ends(segment).source == sender).then(|| packet(*row, segment))
    });
    let mut packets: Vec<Packet> = own.chain(late).collect();
    // A sorted sequence is left as it is in linear time.
    packets.sort_by_key(|packet| packet.time);
    packets
}

fn packet(row: PacketRow, segment: &Segment) -> Packet {
    Packet {
        row,
        time: segment.abstime,
        sequence: segment.sequence,
        acknowledgement: if segment.has(flag::ACK) { segment.acknowledgement } else { 0 },
        length: segment.payload(),
        flags: segment.flags() & FLAGS,
        timestamps: segment.timestamps(),
        position: 0,
    }
}

fn renumber(packets: &mut [Packet], own: u32, peer: u32) {
    for packet in interruptible(packets) {
        packet.sequence = packet.sequence.wrapping_add(own);
        if packet.flags & flag::ACK != 0 {
            packet.acknowledgement = packet.acknowledgement.wrapping_add(peer);
        }
    }
}

fn place(packets: &mut [Packet]) {
    let mut positions = Positions::default();
    for packet in interruptible(packets) {
        packet.position = positions.position(packet.sequence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::short::at;

    #[test]
    fn bytes_of_a_syn_come_after_it() {
        let mut syn = Packet {
            row: PacketRow(0),
            time: at(0),
            sequence: 10,
            acknowledgement: 0,
            length: Some(100),
            flags: flag::SYN,
            timestamps: None,
            position: 10,
        };
        assert_eq!(syn.bytes(), Some((11, 111)));
        syn.length = Some(0);
        assert_eq!(syn.bytes(), None);
    }
}
