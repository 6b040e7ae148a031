//! Events and rates of a capture that is still growing.
//!
//! Packets are looked at once, as they come, with the rules that a whole capture is looked at with: numbers of streams
//! and connections are the same, and so are events, told as soon as they are certain. What is held does not grow with
//! the capture ([`table::MOST_STREAMS`]).

mod news;
mod subflow;
pub mod table;
mod windows;

use std::collections::HashMap;

use super::events::{Ends, EventKind, OncePerConnection, Shown, advertised};
use super::receive_window::Gates;
use crate::packets::flows::{self, Pair};
use crate::packets::segment::{Join, Segment};
use crate::tracking::authentication::{verify_add_addr, wrong_part};
use crate::tracking::connections::Registry;
use crate::tracking::{Connection, Nature, PacketInStream, Role};
use crate::{ConnectionId, Instant, Span, StreamId};
use news::tell;
pub use news::{Happening, News, PacketPlace, Sighting};
use subflow::{OpenSubflow, Seen, row};
use table::{MOST_ATTEMPTS, MOST_STREAMS, StreamTable, Watched};
pub use windows::{Amount, Of, Rate, Rates, Windows};

/// Happenings of a stream that are held until its connection is known: SYNs with MP_CAPABLE.
const MOST_EARLY: usize = 8;

/// Amount seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// TCP packets.
    pub packets: u64,
    /// TCP streams.
    pub streams: u32,
    /// MPTCP connections.
    pub connections: u64,
    /// Streams that were forgotten while they may still have been open.
    pub forgotten: u64,
    /// When the last packet was recorded.
    pub last: Option<Instant>,
}

/// Looks at packets as they come.
#[derive(Debug)]
pub struct Live {
    table: StreamTable,
    registry: Registry,
    connections: HashMap<ConnectionId, OpenConnection>,
    windows: Windows,
    origin: Instant,
    totals: Totals,
    news: Vec<News>,
}

/// A connection while its packets come in.
#[derive(Debug)]
struct OpenConnection {
    known: Connection,
    once: OncePerConnection,
    gates: Gates,
    /// Subflows that are held.
    subflows: usize,
    /// Packet id of the first ACK with MP_JOIN.
    joined: Option<u64>,
}

impl Live {
    /// Nothing seen yet. Rates are counted in windows as long as `window`.
    #[must_use]
    pub fn new(window: Span) -> Self {
        Live {
            table: StreamTable::new(MOST_STREAMS, MOST_ATTEMPTS),
            registry: Registry::default(),
            connections: HashMap::new(),
            windows: Windows::new(window),
            origin: Instant::EPOCH,
            totals: Totals::default(),
            news: Vec::new(),
        }
    }

    /// Takes in the next packet, which travels between these ends; the first frame was recorded at `origin`.
    pub fn push(&mut self, segment: &Segment, ends: flows::Ends, origin: Instant) {
        self.origin = origin;
        self.news.extend(self.windows.advance(segment.abstime, origin).map(News::Rates));
        self.totals.packets = self.totals.packets.saturating_add(1);
        self.totals.last = Some(segment.abstime);
        let pair = Pair::of(ends);
        let mut watched = self.stream_of(&pair, segment, ends);
        let number = row(self.totals.packets);
        let by_first_sender = watched.stream.is_by_first_sender(ends);
        let packet = watched.stream.push(watched.number, number, segment, by_first_sender);
        watched.candidate.push(&mut self.registry, number, segment, &packet);
        watched.hear(segment, packet.by_first_sender);
        self.look(&mut watched, segment, &packet);
        for gone in self.table.put(pair, watched) {
            self.totals.forgotten = self.totals.forgotten.saturating_add(1);
            self.forget(gone);
        }
    }

    /// News since the last call, in the order in which they became known.
    pub fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// Whether [`Live::take_news`] has something.
    #[must_use]
    pub fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// Ends the present window, because no packet came to do so.
    pub fn end_window(&mut self) {
        self.news.extend(self.windows.close().map(News::Rates));
    }

    /// When the current window ends.
    #[must_use]
    pub fn window_end(&self) -> Option<Instant> {
        self.windows.end()
    }

    /// Amount seen.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// When the first frame was recorded.
    #[must_use]
    pub fn origin(&self) -> Instant {
        self.origin
    }

    /// No packet follows: tells what is only now certain.
    pub fn finish(&mut self) {
        for watched in self.table.drain() {
            self.forget(watched);
        }
        self.end_window();
    }

    /// The stream between these endpoints, a new one if it has none that goes on.
    fn stream_of(&mut self, pair: &Pair, segment: &Segment, ends: flows::Ends) -> Box<Watched> {
        match self.table.take(pair) {
            Some(watched) if watched.stream.goes_on_with(segment, watched.stream.is_by_first_sender(ends)) => {
                return watched;
            }
            // Its ports are reused.
            Some(watched) => self.forget(*watched),
            None => {}
        }
        let number = self.totals.streams;
        self.totals.streams = number.saturating_add(1);
        Box::new(Watched::new(StreamId(number), ends))
    }

    /// Looks at a packet of a stream.
    fn look(&mut self, watched: &mut Watched, segment: &Segment, packet: &PacketInStream) {
        let in_stream = watched.stream.towards(packet);
        let Some(id) = watched.candidate.connection else {
            watched.uncounted.get_mut(in_stream).add(Amount::of(segment, 0));
            let place = self.place(segment, in_stream);
            if !note_early(watched, segment, place) {
                self.count_as_plain(watched);
            }
            return;
        };
        if watched.subflow.as_ref().is_some_and(|subflow| subflow.connection != id) {
            self.detach(watched);
        }
        self.sweep();
        let totals = &mut self.totals;
        let connection = self.connections.entry(id).or_insert_with(|| {
            totals.connections = totals.connections.saturating_add(1);
            OpenConnection {
                known: Connection::new(id),
                once: OncePerConnection::default(),
                gates: Gates::default(),
                subflows: 0,
                joined: None,
            }
        });
        if segment.capable().is_some() {
            connection.known.learn(watched.stream.client_sent_first(), &watched.candidate);
        }
        let active = watched.is_active();
        let Watched { number, stream, candidate, subflow, early, uncounted, .. } = watched;
        let subflow = subflow.get_or_insert_with(|| {
            connection.subflows = connection.subflows.saturating_add(1);
            Box::new(OpenSubflow::new(*number, candidate, &mut connection.known))
        });
        let towards = if subflow.opened_towards == Role::Server { in_stream } else { in_stream.other() };
        let place =
            PacketPlace { packetid: segment.packetid(), abstime: segment.abstime, origin: self.origin, towards };
        let mut told: Vec<(PacketPlace, Sighting)> = std::mem::take(early);
        let begun = told.len();
        let shown = Shown { segment, nature: packet.nature, fast_open: stream.fast_open(), towards };
        let OpenConnection { known, once, .. } = connection;
        once.push(&mut subflow.ends, shown, known, |kind, detail| told.push((place, (kind, detail))));
        told.extend(connection.gates.push(segment, packet, towards).map(|sighting| (place, sighting)));
        let advertisement = segment.control().and_then(|control| control.add_addr.as_ref());
        if let Some(option) = advertisement.filter(|option| !option.echo) {
            let verdict = verify_add_addr(&connection.known, towards.other(), option);
            let part = wrong_part(&connection.known, towards.other(), option);
            told.push((place, (EventKind::AddAddr, advertised(option, verdict, part))));
        }
        if matches!(segment.join(), Some(Join::Ack { .. })) {
            connection.joined.get_or_insert(segment.packetid());
        }
        let joined = connection.joined;
        let seen = Seen { segment, packet, number: self.totals.packets, place, joined };
        let known = (&*stream, &*candidate, &connection.known);
        let again = subflow.push(seen, known, &mut |place, sighting| told.push((place, sighting)));
        if let Some(new) = told.get_mut(begun..) {
            new.sort_by_key(|(place, (kind, _))| (place.packetid, *kind));
        }
        uncounted.get_mut(towards).add(Amount::of(segment, again));
        if active {
            for role in Role::BOTH {
                self.windows.subflow(*number, id, role, std::mem::take(uncounted.get_mut(role)));
            }
        }
        tell(&mut self.news, (id, *number), stream, &mut subflow.mentioned, told);
    }

    /// Counts what travelled on a stream that is of no connection.
    fn count_as_plain(&mut self, watched: &mut Watched) {
        for role in Role::BOTH {
            self.windows.plain(role, std::mem::take(watched.uncounted.get_mut(role)));
        }
    }

    fn place(&self, segment: &Segment, towards: Role) -> PacketPlace {
        PacketPlace { packetid: segment.packetid(), abstime: segment.abstime, origin: self.origin, towards }
    }

    /// Lets go of a stream.
    fn forget(&mut self, mut watched: Watched) {
        if let (Some(subflow), Some(id)) = (&mut watched.subflow, watched.candidate.connection)
            && let Some(connection) = self.connections.get(&id)
        {
            let mut told = Vec::new();
            let known = (&watched.candidate, &connection.known);
            subflow.finish(known, &mut |place, sighting| told.push((place, sighting)));
            tell(&mut self.news, (id, watched.number), &watched.stream, &mut subflow.mentioned, told);
        }
        self.count_as_plain(&mut watched);
        self.detach(&mut watched);
    }

    /// Takes a stream from its connection, of which nothing is held without streams.
    fn detach(&mut self, watched: &mut Watched) {
        let Some(subflow) = watched.subflow.take() else { return };
        if let Some(connection) = self.connections.get_mut(&subflow.connection) {
            connection.subflows = connection.subflows.saturating_sub(1);
            if connection.subflows == 0 {
                self.connections.remove(&subflow.connection);
            }
        }
    }

    /// Forgets the tokens of connections that are gone. What stays are two a connection, so this happens rarely.
    fn sweep(&mut self) {
        const MOST_TOKENS: usize = 4 * (MOST_STREAMS + MOST_ATTEMPTS);
        if self.registry.tokens() <= MOST_TOKENS {
            return;
        }
        let connections = &self.connections;
        self.registry.retain(|token, connection| {
            let hosts = connections.get(&connection).map(|connection| connection.known.hosts);
            hosts.is_some_and(|hosts| [hosts.client.token, hosts.server.token].contains(&Some(token)))
        });
    }
}

/// Holds what a packet shows of a connection that is not known yet: with version 1 its first SYN. False when it shows
/// nothing.
fn note_early(watched: &mut Watched, segment: &Segment, place: PacketPlace) -> bool {
    let fast_open = watched.stream.fast_open();
    let answers = segment.is_syn_ack() && fast_open.is_some();
    if (segment.control().is_none() && !answers) || watched.early.len() >= MOST_EARLY {
        return false;
    }
    let early = &mut watched.early;
    let shown = Shown { segment, nature: Nature::Ordinary, fast_open, towards: place.towards };
    let known = Connection::new(ConnectionId(0));
    OncePerConnection::default()
        .push(&mut Ends::default(), shown, &known, |kind, detail| early.push((place, (kind, detail))));
    true
}

#[cfg(test)]
mod tests;
