//! TCP streams: numbered as Wireshark numbers them, with roles, relative numbers and scaled windows.
//!
//! Wireshark's rules (its `tcp.stream`, `tcp.seq`, `tcp.ack`): a stream is a pair of endpoints, counted by first
//! packet; a SYN on a known pair whose sequence number differs from the first one of its direction starts a new
//! stream; numbers are relative to the SYN's, or to one before the first seen.

use std::collections::HashMap;

use super::packet_in_stream::{FastOpen, NO_WINDOW, PacketInStream};
use super::role::{ByRole, Role};
use super::standing::{Nature, Standing, judge};
use crate::interrupt::interruptible;
use crate::packets::flows::{Endpoint, Ends, Flow, Flows, Pair};
use crate::packets::segment::{Segment, flag};
use crate::{IdVec, PacketRow, StreamId};

/// Observations of one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct End {
    /// Sequence number that this end's relative ones count from.
    pub base: Option<u32>,
    /// Its initial sequence number, from its SYN.
    pub isn: Option<u32>,
    /// Window scale it offered in its SYN; inner `None`: its SYN had no such option.
    pub offered_scale: Option<Option<u8>>,
    /// It sent a FIN that counts ([`Nature::Stray`]).
    pub fin: bool,
    /// It sent a RST that counts.
    pub reset: bool,
}

/// Evidence for the roles of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleEvidence {
    /// From a packet of the handshake.
    Handshake,
    /// The handshake was not captured: the lower port is taken for the server's.
    Ports,
}

/// One TCP stream.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Wireshark's `tcp.stream`.
    pub id: StreamId,
    /// The end that opened it.
    pub client: Endpoint,
    /// The end that accepted it.
    pub server: Endpoint,
    /// Evidence for which is which.
    pub evidence: RoleEvidence,
    /// Whether the first packet's sender is the client.
    pub client_sent_first: bool,
    /// Rows of its packets, in order.
    pub packets: Vec<PacketRow>,
    /// Rows of those that say more than which data they carry and acknowledge ([`Segment::is_signal`]), in order.
    pub signals: Vec<PacketRow>,
    /// Observations of either end.
    pub ends: ByRole<End>,
    /// Row of the first SYN.
    pub syn: Option<PacketRow>,
    /// Row of the first SYN/ACK.
    pub syn_ack: Option<PacketRow>,
    /// Row of the first packet after the handshake's first two that the client sent with ACK.
    pub third_ack: Option<PacketRow>,
    /// Number of SYNs, repeated ones included.
    pub syns: u32,
    /// Number of SYN/ACKs.
    pub syn_acks: u32,
    /// Data in the client's SYN, if there was any.
    pub fast_open: Option<FastOpen>,
    /// Rows of [late](Nature::Late) packets: this stream's ends sent them, and they came when the ports were in use again.
    /// They are among the packets of the stream that followed, as in Wireshark.
    pub late: Vec<PacketRow>,
}

impl Stream {
    /// The two ends, whichever is the client.
    #[must_use]
    pub fn pair(&self) -> Pair {
        Pair::of(Ends { source: self.client, destination: self.server })
    }

    /// The role that a packet of this stream travels towards.
    #[inline]
    #[must_use]
    pub fn towards(&self, packet: &PacketInStream) -> Role {
        if packet.by_first_sender == self.client_sent_first { Role::Server } else { Role::Client }
    }

    /// Whether these are packets without any captured handshake or data that were answered with a RST: late ones of a
    /// connection that was gone.
    #[must_use]
    pub fn is_stray(&self, segments: &[Segment]) -> bool {
        let begun = self.syn.is_some() || self.syn_ack.is_some();
        let refused = self.ends.client.reset || self.ends.server.reset;
        let mut packets = self.packets.iter().filter_map(|row| segments.get(row.index()));
        !begun && refused && packets.all(|segment| segment.payload().unwrap_or(0) == 0)
    }

    /// The endpoint of a role.
    #[must_use]
    pub fn endpoint(&self, role: Role) -> Endpoint {
        match role {
            Role::Client => self.client,
            Role::Server => self.server,
        }
    }
}

/// A stream while packets come in; ends are told apart by who sent the first packet.
#[derive(Debug, Clone)]
pub struct OpenStream {
    first: Endpoint,
    second: Endpoint,
    ends: [End; 2],
    /// Whether the first sender is the client, once a packet of the handshake has told.
    first_is_client: Option<bool>,
    syn: Option<PacketRow>,
    syn_ack: Option<PacketRow>,
    third_ack: Option<PacketRow>,
    syns: u32,
    syn_acks: u32,
    standings: [Standing; 2],
    /// The row of a window probe that is now known to have been taken.
    taken: Option<PacketRow>,
    fast_open: Option<FastOpen>,
}

/// Gives packets to streams, one after the other.
#[derive(Debug, Default)]
pub struct StreamTracker {
    /// The present stream of each pair of ends.
    current: Vec<Option<StreamId>>,
    streams: IdVec<StreamId, Tracked>,
    /// Streams by the one that was between the same endpoints before.
    previous: HashMap<StreamId, StreamId>,
    /// Late packets, by the stream that they are of.
    late: Vec<(StreamId, PacketRow)>,
    /// Rows of window probes that were taken.
    taken: Vec<PacketRow>,
}

/// A stream, the flow of its first packet, the rows of its packets, and of the signals among them.
#[derive(Debug)]
struct Tracked {
    stream: OpenStream,
    first: Flow,
    rows: Vec<PacketRow>,
    signals: Vec<PacketRow>,
}

impl StreamTracker {
    /// Takes in the packet in row `row`; `flows` know its ends.
    pub fn push(&mut self, row: PacketRow, segment: &Segment, flows: &Flows) -> PacketInStream {
        let id = self.stream_of(segment, flows);
        let Some(Tracked { stream, first, rows, signals }) = self.streams.get_mut(id) else {
            // Unreachable: `stream_of` returns the number of a stream it holds.
            return PacketInStream {
                stream: id,
                sequence: 0,
                acknowledgement: 0,
                window: NO_WINDOW,
                acknowledges: false,
                by_first_sender: true,
                elsewhere: false,
                nature: Nature::Ordinary,
            };
        };
        rows.push(row);
        if segment.is_signal() {
            signals.push(row);
        }
        let mut packet = stream.push(id, row, segment, segment.flow == *first);
        self.taken.extend(stream.taken.take());
        if packet.nature == Nature::Stray
            && let Some(earlier) = self.earlier(id, segment)
        {
            packet.nature = Nature::Late;
            self.late.push((earlier, row));
        }
        packet
    }

    /// The stream between the same endpoints before `id`, if a stray packet is of it.
    fn earlier(&self, id: StreamId, segment: &Segment) -> Option<StreamId> {
        let earlier = *self.previous.get(&id)?;
        let Tracked { stream, first, .. } = self.streams.get(earlier)?;
        stream.would_act_on(segment, segment.flow == *first).then_some(earlier)
    }

    /// Rows of window probes whose byte the receiver took, which could not be known when they were pushed.
    pub fn take_taken(&mut self) -> Vec<PacketRow> {
        std::mem::take(&mut self.taken)
    }

    fn stream_of(&mut self, segment: &Segment, flows: &Flows) -> StreamId {
        let pair = segment.flow.pair();
        let known = self.current.get(pair).copied().flatten();
        if let Some(id) = known
            && let Some(Tracked { stream, first, .. }) = self.streams.get(id)
            && stream.goes_on_with(segment, segment.flow == *first)
        {
            return id;
        }
        let (stream, first) = (OpenStream::new(flows.ends(segment.flow)), segment.flow);
        let id = self.streams.push(Tracked { stream, first, rows: Vec::new(), signals: Vec::new() });
        if self.current.len() <= pair {
            self.current.resize(pair.saturating_add(1), None);
        }
        if let Some(current) = self.current.get_mut(pair) {
            *current = Some(id);
        }
        if let Some(earlier) = known {
            self.previous.insert(id, earlier);
        }
        id
    }

    /// The streams, in order of their numbers, roles settled.
    #[must_use]
    pub fn finish(self) -> IdVec<StreamId, Stream> {
        let numbered = (0..).map(StreamId).zip(self.streams);
        let mut streams: IdVec<StreamId, Stream> =
            numbered.map(|(id, tracked)| tracked.stream.settle(id, tracked.rows, tracked.signals)).collect();
        for (stream, row) in interruptible(self.late) {
            if let Some(stream) = streams.get_mut(stream) {
                stream.late.push(row);
            }
        }
        streams
    }
}

impl OpenStream {
    /// A stream that begins with a packet between these ends, which is still to be pushed.
    #[must_use]
    pub fn new(ends: Ends) -> Self {
        OpenStream {
            first: ends.source,
            second: ends.destination,
            ends: [End::default(); 2],
            first_is_client: None,
            syn: None,
            syn_ack: None,
            third_ack: None,
            syns: 0,
            syn_acks: 0,
            standings: [Standing::default(); 2],
            taken: None,
            fast_open: None,
        }
    }

    /// Whether a packet between the same endpoints belongs to this stream, and does not start a new one: a SYN does
    /// whose sequence number differs from the first one of its direction.
    #[must_use]
    pub fn goes_on_with(&self, segment: &Segment, by_first_sender: bool) -> bool {
        !(segment.is_syn() && self.differs(segment, by_first_sender))
    }

    fn differs(&self, segment: &Segment, by_first_sender: bool) -> bool {
        let base = self.ends.get(usize::from(!by_first_sender)).and_then(|end| end.base);
        base.is_some_and(|base| base != segment.sequence)
    }

    /// Whether a packet between these ends comes from the sender of the first one.
    #[must_use]
    pub fn is_by_first_sender(&self, ends: Ends) -> bool {
        self.first == ends.source
    }

    /// Takes in the packet in row `row`, of the sender of the first one or the other; `stream` is the number of this
    /// stream.
    pub fn push(
        &mut self,
        stream: StreamId,
        row: PacketRow,
        segment: &Segment,
        by_first_sender: bool,
    ) -> PacketInStream {
        // A SYN/ACK with another number moves the base: numbers count from the newer one.
        let moves = segment.is_syn_ack() && self.differs(segment, by_first_sender);
        let [first, second] = &mut self.ends;
        let (own, peer) = if by_first_sender { (first, second) } else { (second, first) };
        if moves {
            own.base = Some(segment.sequence);
        }
        own.note(segment);
        // A packet that does not tell its length is not measured by (Wireshark leaves its numbers absolute, too).
        if segment.payload().is_some() {
            let start = if segment.has(flag::SYN) { segment.sequence } else { segment.sequence.wrapping_sub(1) };
            own.base.get_or_insert(start);
            if segment.has(flag::ACK) {
                peer.base.get_or_insert(segment.acknowledgement.wrapping_sub(1));
            }
        }
        let window = window(segment, own, peer);
        let [first, second] = &mut self.standings;
        let (standing, opposite) = if by_first_sender { (first, second) } else { (second, first) };
        let (nature, taken) = judge(segment, row, window, standing, opposite);
        self.taken = taken;
        let packet = PacketInStream {
            stream,
            sequence: segment.sequence.wrapping_sub(own.base.unwrap_or(0)),
            acknowledgement: segment.acknowledgement.wrapping_sub(peer.base.unwrap_or(0)),
            window: window.unwrap_or(NO_WINDOW),
            acknowledges: segment.has(flag::ACK),
            by_first_sender,
            elsewhere: false,
            nature,
        };
        own.fin |= packet.ends_with(flag::FIN, segment);
        own.reset |= packet.ends_with(flag::RST, segment);
        self.note_handshake(row, segment, &packet);
        packet
    }

    /// Whether the receiver of this packet would act on its RST or FIN, had it come before the ports were used again.
    fn would_act_on(&self, segment: &Segment, by_first_sender: bool) -> bool {
        let [mut first, mut second] = self.standings;
        let (own, peer) = if by_first_sender { (&mut first, &mut second) } else { (&mut second, &mut first) };
        judge(segment, PacketRow(0), None, own, peer).0 != Nature::Stray
    }

    /// Data in the client's SYN, as far as is known by now.
    #[must_use]
    pub fn fast_open(&self) -> Option<FastOpen> {
        self.fast_open
    }

    /// Whether the first packet's sender is the client, as far as is known by now. Servers listen on low ports, clients
    /// are given high ones; with equal ports who spoke first is the client.
    #[must_use]
    pub fn client_sent_first(&self) -> bool {
        self.first_is_client.unwrap_or(self.first.port >= self.second.port)
    }

    /// The endpoint of a role, as far as is known by now.
    #[must_use]
    pub fn endpoint(&self, role: Role) -> Endpoint {
        if (role == Role::Client) == self.client_sent_first() { self.first } else { self.second }
    }

    /// The role that a packet of this stream travels towards, as far as is known by now.
    #[inline]
    #[must_use]
    pub fn towards(&self, packet: &PacketInStream) -> Role {
        if packet.by_first_sender == self.client_sent_first() { Role::Server } else { Role::Client }
    }

    /// Learns roles and handshake packets.
    fn note_handshake(&mut self, row: PacketRow, segment: &Segment, packet: &PacketInStream) {
        let by_first_sender = packet.by_first_sender;
        self.note_fast_open(segment, packet);
        let has_third_ack_option = segment.capable().is_some_and(|capable| capable.receiver_key.is_some())
            || matches!(segment.join(), Some(crate::packets::segment::Join::Ack { .. }));
        if segment.is_syn() {
            self.first_is_client = Some(by_first_sender);
            self.syn.get_or_insert(row);
            self.syns = self.syns.saturating_add(1);
        } else if segment.is_syn_ack() {
            self.first_is_client.get_or_insert(!by_first_sender);
            self.syn_acks = self.syn_acks.saturating_add(1);
            if packet.answers_the_syn() {
                self.syn_ack.get_or_insert(row);
            }
        } else if has_third_ack_option && !segment.has(flag::SYN) {
            // Both keys, and the HMAC of a joining host, travel from client to server only.
            self.first_is_client.get_or_insert(by_first_sender);
        }
        if self.syn_ack.is_some()
            && self.third_ack.is_none()
            && segment.flags() & (flag::SYN | flag::ACK | flag::RST) == flag::ACK
            && self.first_is_client == Some(by_first_sender)
        {
            self.third_ack = Some(row);
        }
    }

    /// Data in the SYN, and how much of it the server's answer acknowledges: where that was not captured, where the
    /// client goes on.
    fn note_fast_open(&mut self, segment: &Segment, packet: &PacketInStream) {
        if segment.is_syn() {
            if let Some(length) = segment.payload().filter(|length| *length > 0) {
                let sent = self.fast_open.map_or(0, |fast_open| fast_open.sent).max(length);
                self.fast_open = Some(FastOpen { sent, accepted: None });
            }
            return;
        }
        let Some(FastOpen { sent, accepted: None }) = self.fast_open else { return };
        let position = if segment.is_syn_ack() && packet.answers_the_syn() {
            packet.acknowledgement()
        } else {
            let goes_on = self.first_is_client == Some(packet.by_first_sender) && !segment.has(flag::RST);
            goes_on.then_some(packet.sequence)
        };
        if let Some(taken) = position.map(|position| position.wrapping_sub(1)) {
            self.fast_open = Some(FastOpen { sent, accepted: Some(taken.min(sent)) });
        }
    }

    fn settle(self, id: StreamId, packets: Vec<PacketRow>, signals: Vec<PacketRow>) -> Stream {
        let evidence = if self.first_is_client.is_some() { RoleEvidence::Handshake } else { RoleEvidence::Ports };
        let client_sent_first = self.client_sent_first();
        let [first, second] = self.ends;
        let (client, server, ends) = if client_sent_first {
            (self.first, self.second, ByRole { client: first, server: second })
        } else {
            (self.second, self.first, ByRole { client: second, server: first })
        };
        Stream {
            id,
            client,
            server,
            evidence,
            client_sent_first,
            packets,
            signals,
            ends,
            syn: self.syn,
            syn_ack: self.syn_ack,
            third_ack: self.third_ack,
            syns: self.syns,
            syn_acks: self.syn_acks,
            fast_open: self.fast_open,
            late: Vec::new(),
        }
    }
}

impl End {
    fn note(&mut self, segment: &Segment) {
        if segment.has(flag::SYN) {
            self.isn = Some(segment.sequence);
            if !segment.options_cut() || segment.window_scale().is_some() {
                self.offered_scale = Some(segment.window_scale());
            }
        }
    }
}

/// The receive window in bytes. Scaling needs both ends' offer (RFC 7323 §2.2); the window of a SYN is never scaled.
fn window(segment: &Segment, own: &End, peer: &End) -> Option<u32> {
    let unscaled = u32::from(segment.window);
    // Zero is zero, whatever its scale.
    if segment.has(flag::SYN) || unscaled == 0 {
        return Some(unscaled);
    }
    match (own.offered_scale, peer.offered_scale) {
        // RFC 7323 §2.3: a shift beyond 14 counts as 14.
        (Some(Some(shift)), Some(Some(_))) => Some(unscaled << shift.min(14)),
        (Some(None), _) | (_, Some(None)) => Some(unscaled),
        _ => None,
    }
}
