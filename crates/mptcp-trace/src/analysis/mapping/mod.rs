//! Which stream, or connection, of one capture is the same as which of another?
//!
//! Two captures of one transfer, taken at its two ends, number streams and connections each in its own order, may have
//! begun at other times, by clocks that disagree, and on the way between them addresses, ports and sequence numbers may
//! have been rewritten, options taken out and packets lost. So nothing here looks at the time, and everything else is
//! evidence that is weighed: see [`reason`] for what counts how much. Candidates are found through hash maps alone, by
//! what identifies a stream (`index`) and by packets in common (`samples`), never by trying all pairs.

mod clocks;
mod compare;
mod connections;
mod identity;
mod index;
mod mapper;
mod marks;
pub mod reason;
mod samples;
mod stream_facts;
#[cfg(test)]
mod tests;
mod which;

use crate::{ConnectionId, StreamId};
use std::collections::HashMap;

use serde::Serialize;

pub use mapper::{Counterpart, Learned, Mapper};
pub use reason::{Evidence, Reason};
pub use which::Which;

/// More streams than this with the same number, mark or endpoints are not told apart by it, and are not looked at.
const MOST_HOLDERS: usize = 16;

/// More candidates than this are not reported.
const MOST_CANDIDATES: usize = 16;

/// Fewer bits than this are not a reason to take a stream for another one.
const LEAST_BITS: f64 = 16.0;

/// The best candidate is the one when it has this many bits more than the next.
const CLEAR_LEAD: f64 = 16.0;

/// A TCP stream that two captures recorded, each under its own number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct StreamPair {
    /// Its number in the first capture.
    pub first: StreamId,
    /// Its number in the second capture.
    pub second: StreamId,
    /// The captures disagree on who is the client: the first one's client is the second one's server. Only where one
    /// of them lacks the handshake.
    pub flipped: bool,
}

/// A TCP stream of the second capture that may be one of the first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TcpMatch {
    /// Number in the first capture.
    pub stream: StreamId,
    /// Number in the second capture.
    pub mapped: StreamId,
    /// Bits that agree, less those that contradict; infinite (null in JSON) when certain.
    pub score: f64,
    /// A key, or an HMAC made with keys, proves it.
    pub certain: bool,
    /// The first one's client is the second one's server, see [`StreamPair::flipped`].
    pub flipped: bool,
    /// Evidence for and against, strongest first.
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
    pub stream: ConnectionId,
    /// Number in the second capture.
    pub mapped: ConnectionId,
    /// Bits that agree, less those that contradict, of the connection and of its subflows; infinite (null in JSON)
    /// when certain.
    pub score: f64,
    /// A key or a token of either host agrees, and none contradicts.
    pub certain: bool,
    /// The first one's client is the second one's server. Only where one of them lacks MP_CAPABLE.
    pub flipped: bool,
    /// Evidence for and against, strongest first.
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
    pub tcpstream: Option<StreamId>,
    /// TCP stream in the second capture.
    pub mapped: Option<StreamId>,
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
    fn try_map<U, E>(self, mut make: impl FnMut(T) -> Result<U, E>) -> Result<Both<U>, E> {
        Ok(Both { first: make(self.first)?, second: make(self.second)? })
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

    /// How many of these subflows of the first capture are in the second. Other rows of [`MptcpMatch::subflows`] are
    /// streams that only the second capture counts to the connection.
    #[must_use]
    pub fn own_subflows_mapped(&self, own: &[StreamId]) -> usize {
        let listed = |stream: StreamId| own.binary_search(&stream).is_ok();
        let mapped = self.subflows.iter().filter(|subflow| subflow.pair.is_some());
        mapped.filter(|subflow| subflow.tcpstream.is_some_and(listed)).count()
    }

    /// The other candidate has other subflows of the connection, and maps none to another stream.
    fn is_complemented_by(&self, other: &MptcpMatch) -> bool {
        let pairs = |one: &MptcpMatch| -> HashMap<StreamId, StreamId> {
            one.subflows.iter().filter_map(|subflow| subflow.pair).map(|pair| (pair.first, pair.second)).collect()
        };
        let (own, others) = (pairs(self), pairs(other));
        let agrees = |(stream, mapped): (&StreamId, &StreamId)| own.get(stream).is_none_or(|own| own == mapped);
        !others.is_empty() && others.iter().all(agrees)
    }
}
