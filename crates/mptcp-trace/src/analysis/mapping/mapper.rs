//! Both captures made ready, and the questions that can then be asked.

use std::collections::BTreeMap;

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

/// Finds the streams and connections of one capture in another. Built once, linear in packets and streams but for
/// sorting; then a question costs about as much as the stream has packets, at most.
#[derive(Debug)]
pub struct Mapper<'a> {
    pub(super) captures: Both<&'a Capture>,
    /// In the order of [`MarkKind::ALL`].
    pub(super) samples: [Samples; MarkKind::ALL.len()],
    pub(super) ranges: Both<IdVec<StreamId, ByRole<Option<Range>>>>,
    pub(super) streams: Both<Index<StreamKey, StreamId>>,
    pub(super) connections: Both<Index<ConnectionKey, ConnectionId>>,
}

impl<'a> Mapper<'a> {
    /// Takes in both captures.
    ///
    /// # Errors
    /// [`Interrupted`] by Ctrl-C.
    pub fn new(first: &'a Capture, second: &'a Capture) -> Result<Self, Interrupted> {
        let captures = Both { first, second };
        let [numbers, timestamps, mappings] = MarkKind::ALL.map(|kind| Samples::new(kind, captures));
        Ok(Mapper {
            captures,
            samples: [numbers?, timestamps?, mappings?],
            ranges: captures.try_map(ranges)?,
            streams: captures.try_map(index::streams)?,
            connections: captures.try_map(index::connections)?,
        })
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
    ///
    /// # Errors
    /// [`Error::Absent`], [`Error::NoCounterpart`], or [`Error::Undecided`] when more than one is as likely.
    pub fn the_tcp(&self, stream: StreamId) -> Result<TcpMatch> {
        self.captures.first.tcp_stream(stream)?;
        let mut found = self.tcp(stream);
        let rival = found.get(1).filter(|next| found.first().is_none_or(|best| !best.leads(next)));
        if let (Some(best), Some(next)) = (found.first(), rival) {
            let scores = [(best.mapped.0, best.bits), (next.mapped.0, next.bits)];
            return Err(self.undecided(Numbered::TcpStream, stream.0, scores));
        }
        if found.is_empty() {
            return Err(self.absence(Numbered::TcpStream, stream.0));
        }
        Ok(found.swap_remove(0))
    }

    /// The counterpart of an MPTCP connection of the first capture.
    ///
    /// # Errors
    /// [`Error::Absent`], [`Error::NoCounterpart`], or [`Error::Undecided`] when more than one is as likely.
    pub fn the_mptcp(&self, connection: ConnectionId) -> Result<MptcpMatch> {
        self.captures.first.mptcp_connection(connection)?;
        let mut found = self.mptcp(connection);
        let Some(best) = found.first() else {
            return Err(self.absence(Numbered::MptcpConnection, connection.0));
        };
        // A part of the connection that the other capture counts as another one takes nothing from the best part.
        let rival = found.iter().skip(1).find(|other| !best.leads(other) && !best.is_complemented_by(other));
        if let Some(next) = rival {
            let scores = [(best.mapped.0, best.bits), (next.mapped.0, next.bits)];
            return Err(self.undecided(Numbered::MptcpConnection, connection.0, scores));
        }
        Ok(found.swap_remove(0))
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
        let [numbers, timestamps, mappings] = &self.samples;
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
        for (slot, samples) in self.samples.iter().enumerate() {
            for (other, agreement) in interruptible(samples.agreements(which, stream.id)) {
                if let Some(of_kind) = found.entry(other).or_default().get_mut(slot) {
                    *of_kind = agreement;
                }
            }
        }
        let others = self.streams.get(which.other());
        for key in index::stream_keys(self.captures.get(which), stream) {
            for other in others.get(&key) {
                found.entry(*other).or_default();
            }
        }
        found
    }
}
