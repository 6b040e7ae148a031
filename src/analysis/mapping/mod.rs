//! Which stream, or connection, of one capture is the same as which of another?
//!
//! Two captures of one transfer, taken at its two ends, number streams and connections each in its own order, may have
//! begun at other times, by clocks that disagree, and on the way between them addresses, ports and sequence numbers may
//! have been rewritten, options taken out and packets lost. So nothing here looks at the time, and everything else is
//! evidence that is weighed: see [`reason`] for what counts how much. Candidates are found through hash maps alone, by
//! what identifies a stream ([`index`]) and by packets in common ([`samples`]), never by trying all pairs.

mod compare;
mod connections;
mod identity;
mod index;
mod marks;
pub mod reason;
mod samples;
mod stream_facts;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::tracking::{ByRole, Capture, Stream};
use compare::{Agreements, compare};
use index::{ConnectionKey, Index, StreamKey};
use marks::Kind;
pub use reason::{Evidence, Reason};
use samples::Samples;
use stream_facts::{Range, ranges};

/// More streams than this with the same number, mark or endpoints are not told apart by it, and are not looked at.
const MOST_HOLDERS: usize = 16;

/// More candidates than this are not reported.
const MOST_CANDIDATES: usize = 16;

/// Fewer bits than this are no reason to take a stream for another one.
const LEAST_BITS: f64 = 16.0;

/// The best candidate is the one when it has this many bits more than the next.
const CLEAR_LEAD: f64 = 16.0;

/// A TCP stream that two captures recorded, each under its own number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct StreamPair {
    /// Its number in the first capture.
    pub first: u32,
    /// Its number in the second capture.
    pub second: u32,
    /// The captures disagree on who is the client: the first one's client is the second one's server. Only where one
    /// of them lacks the handshake.
    pub flipped: bool,
}

/// A TCP stream of the second capture that may be one of the first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TcpMatch {
    /// Number in the first capture.
    pub stream: u32,
    /// Number in the second capture.
    pub mapped: u32,
    /// Bits that agree, less those that contradict; infinite (null in JSON) when certain.
    pub score: f64,
    /// A key, or an HMAC made with keys, proves it.
    pub certain: bool,
    /// The first one's client is the second one's server, see [`StreamPair::flipped`].
    pub flipped: bool,
    /// What speaks for and against, the strongest first.
    pub reasons: Vec<Reason>,
    /// The same as a pair.
    #[serde(skip)]
    pub pair: StreamPair,
    /// The score without regard to certainty.
    #[serde(skip)]
    pub bits: f64,
}

/// A connection of the second capture that may be one of the first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MptcpMatch {
    /// Number in the first capture.
    pub stream: u32,
    /// Number in the second capture.
    pub mapped: u32,
    /// Bits that agree, less those that contradict, of the connection and of its subflows; infinite (null in JSON)
    /// when certain.
    pub score: f64,
    /// A key or a token of either host agrees, and none contradicts.
    pub certain: bool,
    /// The first one's client is the second one's server. Only where one of them lacks MP_CAPABLE.
    pub flipped: bool,
    /// What speaks for and against, the strongest first.
    pub reasons: Vec<Reason>,
    /// The subflows of both ends: first those of the first capture, then those that only the second one has.
    pub subflows: Vec<SubflowMatch>,
    /// The score without regard to certainty.
    #[serde(skip)]
    pub bits: f64,
}

/// A subflow in both captures, or in one of them without a counterpart in the other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SubflowMatch {
    /// TCP stream in the first capture.
    pub tcpstream: Option<u32>,
    /// TCP stream in the second capture.
    pub mapped: Option<u32>,
    /// As [`TcpMatch::score`]; `None` without a counterpart.
    pub score: Option<f64>,
    /// As [`TcpMatch::certain`].
    pub certain: bool,
    /// As [`TcpMatch::reasons`].
    pub reasons: Vec<Reason>,
    /// Where one end has the stream in another connection, or as plain TCP: a sentence that says so.
    pub remark: Option<String>,
    /// Both numbers; `None` without a counterpart.
    #[serde(skip)]
    pub pair: Option<StreamPair>,
}

/// One of the two captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Which {
    First,
    Second,
}

impl Which {
    const BOTH: [Which; 2] = [Which::First, Which::Second];

    fn other(self) -> Which {
        match self {
            Which::First => Which::Second,
            Which::Second => Which::First,
        }
    }
}

/// A value for each capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Both<T> {
    first: T,
    second: T,
}

impl<T> Both<T> {
    fn get(&self, which: Which) -> &T {
        match which {
            Which::First => &self.first,
            Which::Second => &self.second,
        }
    }

    fn get_mut(&mut self, which: Which) -> &mut T {
        match which {
            Which::First => &mut self.first,
            Which::Second => &mut self.second,
        }
    }
}

impl<T: Copy> Both<T> {
    fn map<U>(self, mut make: impl FnMut(T) -> U) -> Both<U> {
        Both { first: make(self.first), second: make(self.second) }
    }
}

/// Finds the streams and connections of one capture in another. Built once, linear in packets and streams but for
/// sorting; then a question costs about as much as the stream has packets, at most.
#[derive(Debug)]
pub struct Mapper<'a> {
    captures: Both<&'a Capture>,
    /// In the order of [`Kind::ALL`].
    samples: [Samples; Kind::ALL.len()],
    ranges: Both<Vec<ByRole<Option<Range>>>>,
    streams: Both<Index<StreamKey>>,
    connections: Both<Index<ConnectionKey>>,
}

impl<'a> Mapper<'a> {
    /// Takes in both captures.
    #[must_use]
    pub fn new(first: &'a Capture, second: &'a Capture) -> Self {
        let captures = Both { first, second };
        Mapper {
            captures,
            samples: Kind::ALL.map(|kind| Samples::new(kind, captures)),
            ranges: captures.map(ranges),
            streams: captures.map(index::streams),
            connections: captures.map(index::connections),
        }
    }

    /// Candidates in the second capture for a TCP stream of the first, best first. None when nothing agrees.
    #[must_use]
    pub fn tcp(&self, stream: u32) -> Vec<TcpMatch> {
        self.matches(Which::First, stream)
    }

    /// Candidates in the second capture for an MPTCP connection of the first, best first, each with its subflows
    /// mapped. The best one also says where subflows are that the other capture does not count to it.
    #[must_use]
    pub fn mptcp(&self, connection: u32) -> Vec<MptcpMatch> {
        let connection = self.captures.first.tracking.connection(connection);
        connection.map_or_else(Vec::new, |connection| connections::matches(self, connection))
    }

    /// The counterpart of a TCP stream of the first capture.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such stream, or no counterpart, or more than one that is as likely.
    pub fn the_tcp(&self, stream: u32) -> Result<TcpMatch> {
        self.captures.first.tcp_stream(stream)?;
        let mut found = self.tcp(stream);
        let rival = found.get(1).filter(|next| found.first().is_none_or(|best| !best.leads(next)));
        if let (Some(best), Some(next)) = (found.first(), rival) {
            let scores = [(best.mapped, best.bits), (next.mapped, next.bits)];
            return Err(self.undecided("TCP stream", "map_tcp_connection", stream, scores));
        }
        if found.is_empty() {
            return Err(Error::NotFound(self.absence("TCP stream", stream)));
        }
        Ok(found.swap_remove(0))
    }

    /// The counterpart of an MPTCP connection of the first capture.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such connection, or no counterpart, or more than one that is as likely.
    pub fn the_mptcp(&self, connection: u32) -> Result<MptcpMatch> {
        self.captures.first.mptcp_connection(connection)?;
        let mut found = self.mptcp(connection);
        let Some(best) = found.first() else {
            return Err(Error::NotFound(self.absence("MPTCP connection", connection)));
        };
        // A part of the connection that the other capture counts as another one takes nothing from the best part.
        let rival = found.iter().skip(1).find(|other| !best.leads(other) && !best.is_complemented_by(other));
        if let Some(next) = rival {
            let scores = [(best.mapped, best.bits), (next.mapped, next.bits)];
            return Err(self.undecided("MPTCP connection", "map_mptcp_connection", connection, scores));
        }
        Ok(found.swap_remove(0))
    }

    /// The sentence for a stream or connection without any candidate.
    #[must_use]
    pub fn absence(&self, what: &str, number: u32) -> String {
        format!(
            "{what} {number} of {} has no counterpart in {}: no key, token, sequence number, timestamp or pair of \
             endpoints agrees; check that both are captures of the same transfer",
            self.captures.first.path.display(),
            self.captures.second.path.display(),
        )
    }

    /// The error for two candidates that are as likely.
    fn undecided(&self, what: &str, command: &str, number: u32, [best, next]: [(u32, f64); 2]) -> Error {
        let (first, second) = (self.captures.first.path.display(), self.captures.second.path.display());
        Error::NotFound(format!(
            "{what} {number} of {first} may be {} or {} of {second}, with {:.0} and {:.0} bits; compare them with \
             `{command} {first} {second} {number} --verbose`",
            best.0, next.0, best.1, next.1,
        ))
    }

    fn samples_of(&self, kind: Kind) -> &Samples {
        let [numbers, timestamps, mappings] = &self.samples;
        match kind {
            Kind::Numbers => numbers,
            Kind::Timestamps => timestamps,
            Kind::Mapping => mappings,
        }
    }

    /// Matches of a stream of either capture, best first; [`TcpMatch::stream`] is always the first capture's.
    fn matches(&self, which: Which, stream: u32) -> Vec<TcpMatch> {
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
    fn candidates(&self, which: Which, stream: &Stream) -> BTreeMap<u32, Agreements> {
        let mut found: BTreeMap<u32, Agreements> = BTreeMap::new();
        for (slot, samples) in self.samples.iter().enumerate() {
            for (other, agreement) in samples.agreements(which, stream.id) {
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

impl TcpMatch {
    /// Clearly better than `next`.
    fn leads(&self, next: &TcpMatch) -> bool {
        self.certain != next.certain || self.bits - next.bits >= CLEAR_LEAD
    }

    /// The order in which matches are reported.
    fn better_first(&self, other: &TcpMatch) -> std::cmp::Ordering {
        let rank = |one: &TcpMatch| (!one.certain, one.stream, one.mapped);
        other.certain.cmp(&self.certain).then(other.bits.total_cmp(&self.bits)).then(rank(self).cmp(&rank(other)))
    }
}

impl MptcpMatch {
    /// Clearly better than `next`.
    fn leads(&self, next: &MptcpMatch) -> bool {
        self.certain != next.certain || self.bits - next.bits >= CLEAR_LEAD
    }

    /// The other candidate has other subflows of the connection, and maps none to another stream.
    fn is_complemented_by(&self, other: &MptcpMatch) -> bool {
        let pairs = |one: &MptcpMatch| -> HashMap<u32, u32> {
            one.subflows.iter().filter_map(|subflow| subflow.pair).map(|pair| (pair.first, pair.second)).collect()
        };
        let (own, others) = (pairs(self), pairs(other));
        let agrees = |(stream, mapped): (&u32, &u32)| own.get(stream).is_none_or(|own| own == mapped);
        !others.is_empty() && others.iter().all(agrees)
    }
}
