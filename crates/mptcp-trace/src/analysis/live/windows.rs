//! Traffic of each subflow in the current window.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::analysis::volume::rate;
use crate::packets::segment::Segment;
use crate::tracking::{ByRole, Role};
use crate::{ConnectionId, Instant, Span, StreamId};

/// Subflows whose packets are counted in one window at most; those of others count as plain TCP.
const MOST: usize = 1 << 16;

/// Packets and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    /// Packets, with or without payload.
    pub packets: u64,
    /// Bytes of payload, all of them.
    pub bytes: u64,
    /// Those of them that the stream had sent before under the same sequence numbers.
    pub again: u64,
}

impl Amount {
    /// That of one packet, of which so many bytes had been sent before.
    #[must_use]
    pub fn of(segment: &Segment, again: u64) -> Self {
        Amount { packets: 1, bytes: segment.payload().unwrap_or(0).into(), again }
    }

    /// Adds another one.
    pub fn add(&mut self, other: Amount) {
        self.packets = self.packets.saturating_add(other.packets);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.again = self.again.saturating_add(other.again);
    }
}

/// Counts in windows that lie side by side from the first frame on.
#[derive(Debug)]
pub struct Windows {
    /// Above zero.
    length: Span,
    /// End of the current window; `None` before the first packet.
    end: Option<Instant>,
    /// By TCP stream: the connection, and what travelled towards its ends.
    subflows: HashMap<StreamId, (ConnectionId, ByRole<Amount>)>,
    plain: ByRole<Amount>,
}

/// Traffic in one window.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    /// When the window ended.
    pub end: Instant,
    /// Its length.
    pub length: Span,
    /// The active connections by number, with their active subflows by number.
    pub connections: BTreeMap<ConnectionId, BTreeMap<StreamId, ByRole<Amount>>>,
    /// Traffic outside connections, and unanswered attempts, by the ends of TCP streams.
    pub plain: ByRole<Amount>,
}

impl Windows {
    /// Windows of this length, one nanosecond at least.
    #[must_use]
    pub fn new(length: Span) -> Self {
        Windows {
            length: length.max(Span::from_nanoseconds(1)),
            end: None,
            subflows: HashMap::new(),
            plain: ByRole::default(),
        }
    }

    /// What the window before held, if a packet of this time begins a new one. Windows without packets are passed over.
    pub fn advance(&mut self, time: Instant, origin: Instant) -> Option<Rates> {
        if self.end.is_some_and(|end| time < end) {
            return None;
        }
        let ended = self.close();
        let number = (time - origin).holds(self.length).saturating_add(1);
        self.end = Some(origin + self.length * number);
        ended
    }

    /// Takes the content of the current window, if any.
    pub fn close(&mut self) -> Option<Rates> {
        let plain = std::mem::take(&mut self.plain);
        let end = self.end?;
        if self.subflows.is_empty() && plain.server.packets == 0 && plain.client.packets == 0 {
            return None;
        }
        let mut connections: BTreeMap<ConnectionId, BTreeMap<StreamId, ByRole<Amount>>> = BTreeMap::new();
        for (stream, (connection, amounts)) in self.subflows.drain() {
            connections.entry(connection).or_default().insert(stream, amounts);
        }
        Some(Rates { end, length: self.length, connections, plain })
    }

    /// When the current window ends.
    #[must_use]
    pub fn end(&self) -> Option<Instant> {
        self.end
    }

    /// Counts a packet of a subflow, which travels towards that end of its connection.
    pub fn subflow(&mut self, stream: StreamId, connection: ConnectionId, towards: Role, amount: Amount) {
        if amount.packets == 0 {
            return;
        }
        if self.subflows.len() >= MOST && !self.subflows.contains_key(&stream) {
            return self.plain(towards, amount);
        }
        let (_, amounts) = self.subflows.entry(stream).or_insert((connection, ByRole::default()));
        amounts.get_mut(towards).add(amount);
    }

    /// Counts a packet of no connection.
    pub fn plain(&mut self, towards: Role, amount: Amount) {
        self.plain.get_mut(towards).add(amount);
    }
}

/// One line of [`Rates`], as JSON prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rate {
    /// When the window ended, seconds since the first frame.
    pub reltime: f64,
    /// Its length, seconds.
    pub window: f64,
    /// The connection; `None` for plain TCP.
    pub mptcpstream: Option<ConnectionId>,
    /// The subflow; `None` for the whole connection.
    pub tcpstream: Option<StreamId>,
    /// The end that it travelled towards.
    pub towards: Role,
    /// Packets.
    pub packets: u64,
    /// Bytes of payload.
    pub throughput_bytes: u64,
    /// The same a second.
    pub throughput: f64,
    /// Bytes sent again under the same sequence numbers.
    pub retransmitted_bytes: u64,
}

/// Subject of a line of rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// A connection, and how many of its subflows were active.
    Connection(ConnectionId, usize),
    /// A subflow, and its connection.
    Subflow(ConnectionId, StreamId),
    /// All that belongs to no connection.
    Plain,
}

impl Rates {
    /// Active flows: connections before their subflows, plain TCP last.
    pub fn lines(&self) -> impl Iterator<Item = (Of, ByRole<Amount>)> + '_ {
        let connections = self.connections.iter().flat_map(|(connection, subflows)| {
            let mut total = ByRole::<Amount>::default();
            for amounts in subflows.values() {
                total.server.add(amounts.server);
                total.client.add(amounts.client);
            }
            let whole = (Of::Connection(*connection, subflows.len()), total);
            let parts = subflows.iter().map(|(stream, amounts)| (Of::Subflow(*connection, *stream), *amounts));
            std::iter::once(whole).chain(parts)
        });
        let plain =
            Some((Of::Plain, self.plain)).filter(|(_, plain)| plain.server.packets > 0 || plain.client.packets > 0);
        connections.chain(plain)
    }

    /// When the window ended, seconds since the first frame, which was recorded at `origin`.
    #[must_use]
    pub fn reltime(&self, origin: Instant) -> f64 {
        (self.end - origin).seconds()
    }

    /// A count of the window by the second.
    #[must_use]
    pub fn per_second(&self, count: u64) -> f64 {
        rate(count, self.length.seconds()).unwrap_or(0.0)
    }

    /// The same, a record for each direction; `origin` is when the first frame was recorded.
    #[must_use]
    pub fn records(&self, origin: Instant) -> Vec<Rate> {
        let window = self.length.seconds();
        let record = |of, towards, amount: Amount| {
            let (mptcpstream, tcpstream) = match of {
                Of::Connection(connection, _) => (Some(connection), None),
                Of::Subflow(connection, stream) => (Some(connection), Some(stream)),
                Of::Plain => (None, None),
            };
            Rate {
                reltime: self.reltime(origin),
                window,
                mptcpstream,
                tcpstream,
                towards,
                packets: amount.packets,
                throughput_bytes: amount.bytes,
                throughput: self.per_second(amount.bytes),
                retransmitted_bytes: amount.again,
            }
        };
        let both =
            |(of, amounts): (Of, ByRole<Amount>)| Role::BOTH.map(|towards| record(of, towards, *amounts.get(towards)));
        self.lines().flat_map(both).collect()
    }
}
