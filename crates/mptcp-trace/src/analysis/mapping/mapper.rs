//! Both captures made ready, and the questions that can then be asked.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use super::compare::{Agreements, compare};
use super::index::{self, ConnectionKey, Index, StreamKey};
use super::marks::MarkKind;
use super::samples::Samples;
use super::stream_facts::{Range, ranges};
use super::{Both, LEAST_BITS, MOST_CANDIDATES, MptcpMatch, TcpMatch, Which, connections};
use crate::error::{Error, Numbered, Result};
use crate::interrupt::Interrupted;
use crate::interrupt::interruptible;
use crate::tracking::{ByRole, Capture, Stream};
use crate::{ConnectionId, IdVec, StreamId};

/// Finds the streams and connections of one capture in another. A question costs about as much as the stream has
/// packets, at most.
#[derive(Debug)]
pub struct Mapper<'a> {
    pub(super) captures: Both<&'a Capture>,
    pub(super) learned: Arc<Learned>,
}

/// What answers all questions about two captures: worth keeping as long as both are there. Linear in packets and streams
/// but for sorting; its size is bounded for each stream.
#[derive(Debug)]
pub struct Learned {
    /// In the order of [`MarkKind::ALL`].
    samples: [Samples; MarkKind::ALL.len()],
    pub(super) ranges: Both<IdVec<StreamId, ByRole<Option<Range>>>>,
    streams: Both<Index<StreamKey, StreamId>>,
    pub(super) connections: Both<Index<ConnectionKey, ConnectionId>>,
}

/// Packets of a capture from which on another thread is worth its while.
const MANY: usize = 1 << 16;

/// What the second capture has for a stream or connection of the first.
#[derive(Debug, Clone, PartialEq)]
pub enum Counterpart<M> {
    /// Nothing agrees.
    None,
    /// This one.
    One(M),
    /// Two that are as likely, and maybe more.
    Undecided([M; 2]),
}

impl Learned {
    /// Takes in both captures.
    ///
    /// # Errors
    /// [`Interrupted`] by Ctrl-C.
    pub fn of(first: &Capture, second: &Capture) -> Result<Self, Interrupted> {
        let captures = Both { first, second };
        let samples = |kind| Samples::new(kind, captures);
        let [one, two, three] = MarkKind::ALL;
        // The kinds have nothing to do with each other; finding them is most of the work.
        let [numbers, timestamps, mappings] = if first.segments.len().max(second.segments.len()) < MANY {
            [samples(one), samples(two), samples(three)]
        } else {
            thread::scope(|scope| {
                let others = scope.spawn(|| [samples(two), samples(three)]);
                let numbers = samples(one);
                let [timestamps, mappings] = others.join().unwrap_or_else(|panic| resume_unwind(panic));
                [numbers, timestamps, mappings]
            })
        };
        Ok(Learned {
            samples: [numbers?, timestamps?, mappings?],
            ranges: captures.try_map(ranges)?,
            streams: captures.try_map(index::streams)?,
            connections: captures.try_map(index::connections)?,
        })
    }
}

impl<'a> Mapper<'a> {
    /// Takes in both captures.
    ///
    /// # Errors
    /// [`Interrupted`] by Ctrl-C.
    pub fn new(first: &'a Capture, second: &'a Capture) -> Result<Self, Interrupted> {
        Ok(Self::knowing(first, second, Arc::new(Learned::of(first, second)?)))
    }

    /// With what was learned from the same two captures.
    #[must_use]
    pub fn knowing(first: &'a Capture, second: &'a Capture, learned: Arc<Learned>) -> Self {
        Mapper { captures: Both { first, second }, learned }
    }

    /// Candidates in the second capture for a TCP stream of the first, best first. None when nothing agrees.
    #[must_use]
    pub fn tcp(&self, stream: StreamId) -> Vec<TcpMatch> {
        self.matches(Which::First, stream)
    }

    /// Candidates in the second capture for an MPTCP connection of the first, best first, each with its subflows
    /// mapped. The best one also says where subflows are that the other capture does not count to it.
    #[must_use]
    pub fn mptcp(&self, connection: ConnectionId) -> Vec<MptcpMatch> {
        let connection = self.captures.first.tracking.connection(connection);
        connection.map_or_else(Vec::new, |connection| connections::matches(self, connection))
    }

    /// The counterpart of a TCP stream of the first capture.
    #[must_use]
    pub fn tcp_counterpart(&self, stream: StreamId) -> Counterpart<TcpMatch> {
        let mut found = self.tcp(stream).into_iter();
        match (found.next(), found.next()) {
            (Some(best), Some(next)) if !best.leads(&next) => Counterpart::Undecided([best, next]),
            (Some(best), _) => Counterpart::One(best),
            (None, _) => Counterpart::None,
        }
    }

    /// The counterpart of an MPTCP connection of the first capture.
    #[must_use]
    pub fn mptcp_counterpart(&self, connection: ConnectionId) -> Counterpart<MptcpMatch> {
        let mut found = self.mptcp(connection).into_iter();
        let Some(best) = found.next() else { return Counterpart::None };
        // A part of the connection that the other capture counts as another one takes nothing from the best part.
        match found.find(|other| !best.leads(other) && !best.is_complemented_by(other)) {
            Some(next) => Counterpart::Undecided([best, next]),
            None => Counterpart::One(best),
        }
    }

    /// The counterpart of a TCP stream of the first capture.
    ///
    /// # Errors
    /// [`Error::Absent`], [`Error::NoCounterpart`], or [`Error::Undecided`] when more than one is as likely.
    pub fn the_tcp(&self, stream: StreamId) -> Result<TcpMatch> {
        self.captures.first.tcp_stream(stream)?;
        match self.tcp_counterpart(stream) {
            Counterpart::One(found) => Ok(found),
            Counterpart::None => Err(self.absence(Numbered::TcpStream, stream.0)),
            Counterpart::Undecided(found) => {
                let scores = found.map(|one| (one.mapped.0, one.bits));
                Err(self.undecided(Numbered::TcpStream, stream.0, scores))
            }
        }
    }

    /// The counterpart of an MPTCP connection of the first capture.
    ///
    /// # Errors
    /// [`Error::Absent`], [`Error::NoCounterpart`], or [`Error::Undecided`] when more than one is as likely.
    pub fn the_mptcp(&self, connection: ConnectionId) -> Result<MptcpMatch> {
        self.captures.first.mptcp_connection(connection)?;
        match self.mptcp_counterpart(connection) {
            Counterpart::One(found) => Ok(found),
            Counterpart::None => Err(self.absence(Numbered::MptcpConnection, connection.0)),
            Counterpart::Undecided(found) => {
                let scores = found.map(|one| (one.mapped.0, one.bits));
                Err(self.undecided(Numbered::MptcpConnection, connection.0, scores))
            }
        }
    }

    /// Message about a stream or connection without candidates.
    #[must_use]
    pub fn absence(&self, what: Numbered, number: u32) -> Error {
        Error::NoCounterpart {
            what,
            number,
            first: self.captures.first.path.clone(),
            second: self.captures.second.path.clone(),
            reason: "no key, token, sequence number, timestamp or pair of endpoints agrees; check that both are \
                     captures of the same transfer",
        }
    }

    /// The error for two candidates that are as likely.
    fn undecided(&self, what: Numbered, number: u32, [best, next]: [(u32, f64); 2]) -> Error {
        Error::Undecided {
            what,
            number,
            first: self.captures.first.path.clone(),
            second: self.captures.second.path.clone(),
            candidates: [best.0, next.0],
            bits: [best.1.round() as i64, next.1.round() as i64],
        }
    }

    pub(super) fn samples_of(&self, kind: MarkKind) -> &Samples {
        let [numbers, timestamps, mappings] = &self.learned.samples;
        match kind {
            MarkKind::Numbers => numbers,
            MarkKind::Timestamps => timestamps,
            MarkKind::Mapping => mappings,
        }
    }

    /// Matches of a stream of either capture, best first; [`TcpMatch::stream`] is always the first capture's.
    pub(super) fn matches(&self, which: Which, stream: StreamId) -> Vec<TcpMatch> {
        let Some(stream) = self.captures.get(which).tracking.stream(stream) else { return Vec::new() };
        let candidates = self.candidates(which, stream);
        let compared = candidates.iter().filter_map(|(other, agreements)| {
            let other = self.captures.get(which.other()).tracking.stream(*other)?;
            Some(match which {
                Which::First => compare(self, stream, other, agreements),
                Which::Second => compare(self, other, stream, agreements),
            })
        });
        let mut found: Vec<TcpMatch> = compared.filter(|one| one.certain || one.bits >= LEAST_BITS).collect();
        found.sort_by(TcpMatch::better_first);
        found.truncate(MOST_CANDIDATES);
        found
    }

    /// Streams of the other capture that have anything in common with `stream`.
    pub(super) fn candidates(&self, which: Which, stream: &Stream) -> BTreeMap<StreamId, Agreements> {
        let mut found: BTreeMap<StreamId, Agreements> = BTreeMap::new();
        for (slot, samples) in self.learned.samples.iter().enumerate() {
            for (other, agreement) in interruptible(samples.agreements(which, stream.id)) {
                if let Some(of_kind) = found.entry(other).or_default().get_mut(slot) {
                    *of_kind = agreement;
                }
            }
        }
        let others = self.learned.streams.get(which.other());
        for key in index::stream_keys(self.captures.get(which), stream) {
            for other in others.get(&key) {
                found.entry(*other).or_default();
            }
        }
        found
    }
}
