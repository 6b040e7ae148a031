//! The candidates for an MPTCP connection, and its subflows in each.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::identity::{Identity, compare_connections};
use super::reason::{Evidence, Reason};
use super::{LEAST_BITS, MOST_CANDIDATES, Mapper, MptcpMatch, SubflowMatch, TcpMatch, Which, index};
use crate::interrupt::interruptible;
use crate::tracking::{Capture, Connection};
use crate::{ConnectionId, StreamId};

/// A connection of the second capture, compared.
struct Candidate<'m> {
    connection: &'m Connection,
    identity: Identity,
    /// Subflows that are in both, each at most once.
    links: Vec<&'m TcpMatch>,
}

impl Candidate<'_> {
    fn bits(&self) -> f64 {
        Reason::sum(&self.identity.reasons) + self.links.iter().map(|link| link.bits).sum::<f64>()
    }
}

/// The candidates for a connection of the first capture, best first.
pub(super) fn matches(mapper: &Mapper<'_>, connection: &Connection) -> Vec<MptcpMatch> {
    let of_streams: Vec<TcpMatch> =
        connection.subflows.iter().flat_map(|stream| mapper.matches(Which::First, *stream)).collect();
    let mut candidates = candidates(mapper, connection, &of_streams);
    candidates.retain(|candidate| candidate.identity.proven || candidate.bits() >= LEAST_BITS);
    candidates.sort_by(|one, other| {
        let proven = other.identity.proven.cmp(&one.identity.proven);
        proven.then(other.bits().total_cmp(&one.bits())).then(one.connection.id.cmp(&other.connection.id))
    });
    // Before subflows are listed, so that a crowd of candidates with many subflows costs no more than a few.
    candidates.truncate(MOST_CANDIDATES);
    let mut found: Vec<MptcpMatch> = candidates.iter().map(|one| report(mapper, connection, one)).collect();
    if let Some(best) = found.first_mut() {
        look_elsewhere(mapper, &of_streams, best);
    }
    found
}

/// The connections that share a key or token with this one, or a stream with one of its subflows.
fn candidates<'m>(mapper: &'m Mapper<'_>, connection: &Connection, of_streams: &'m [TcpMatch]) -> Vec<Candidate<'m>> {
    let there = &mapper.captures.second.tracking;
    let mut links: BTreeMap<ConnectionId, Vec<&TcpMatch>> = BTreeMap::new();
    for key in index::connection_keys(connection) {
        for candidate in interruptible(mapper.learned.connections.second.get(&key)) {
            links.entry(*candidate).or_default();
        }
    }
    for link in interruptible(of_streams) {
        if let Some(subflow) = there.subflow(link.mapped) {
            links.entry(subflow.connection).or_default().push(link);
        }
    }
    let candidates = links.into_iter().filter_map(|(id, links)| {
        let candidate = there.connection(id)?;
        let identity = compare_connections(connection, candidate);
        Some(Candidate { connection: candidate, identity, links: one_to_one(links) })
    });
    candidates.collect()
}

/// The best links such that no stream of either capture is in two of them.
fn one_to_one(mut links: Vec<&TcpMatch>) -> Vec<&TcpMatch> {
    links.sort_by(|one, other| one.better_first(other));
    let (mut here, mut there) = (HashSet::new(), HashSet::new());
    links.retain(|link| {
        let free = !here.contains(&link.stream) && !there.contains(&link.mapped);
        if free {
            here.insert(link.stream);
            there.insert(link.mapped);
        }
        free
    });
    links
}

fn report(mapper: &Mapper<'_>, connection: &Connection, candidate: &Candidate<'_>) -> MptcpMatch {
    let linked: HashMap<StreamId, &TcpMatch> = candidate.links.iter().map(|link| (link.stream, *link)).collect();
    let mapped: HashSet<StreamId> = candidate.links.iter().map(|link| link.mapped).collect();
    let own = connection.subflows.iter().map(|stream| match linked.get(stream) {
        Some(link) => SubflowMatch::from((*link).clone()),
        None => SubflowMatch::alone(Some(*stream), None),
    });
    let others = candidate.connection.subflows.iter().filter(|stream| !mapped.contains(stream));
    let subflows = own.chain(others.map(|stream| SubflowMatch::alone(None, Some(*stream)))).collect();
    let mut reasons = candidate.identity.reasons.clone();
    Reason::sort(&mut reasons);
    let bits: f64 = candidate.links.iter().map(|link| link.bits).sum();
    if !candidate.links.is_empty() {
        let (count, all) = (candidate.links.len(), connection.subflows.len());
        let detail = format!("{count} of its {all} subflows {}", if count == 1 { "is there" } else { "are there" });
        reasons.push(Reason::new(Evidence::Subflows, bits, detail));
    }
    let certain = candidate.identity.proven;
    MptcpMatch {
        stream: connection.id,
        mapped: candidate.connection.id,
        score: if certain { f64::INFINITY } else { candidate.bits() },
        certain,
        flipped: candidate.identity.flipped.unwrap_or_else(|| is_flipped(mapper, connection, candidate)),
        reasons,
        subflows,
        bits: candidate.bits(),
    }
}

/// Where neither keys nor tokens tell: what the streams say of their own roles.
fn is_flipped(mapper: &Mapper<'_>, connection: &Connection, candidate: &Candidate<'_>) -> bool {
    if connection.roles_known && candidate.connection.roles_known {
        return false;
    }
    let (here, there) = (&mapper.captures.first.tracking, &mapper.captures.second.tracking);
    let votes = candidate.links.iter().filter_map(|link| {
        let (one, other) = (here.subflow(link.stream)?, there.subflow(link.mapped)?);
        let flipped = (one.opened_towards != other.opened_towards) != link.flipped;
        Some(if flipped { link.bits } else { -link.bits })
    });
    votes.sum::<f64>() > 0.0
}

/// Finds subflows without a counterpart in the candidate elsewhere in the other capture: as plain TCP, because an option was
/// taken out on the way, or in another connection, because a token was altered or its handshake not captured.
fn look_elsewhere(mapper: &Mapper<'_>, of_streams: &[TcpMatch], best: &mut MptcpMatch) {
    let mut here: HashSet<StreamId> = best.subflows.iter().filter_map(|subflow| subflow.tcpstream).collect();
    let mut there: HashSet<StreamId> = best.subflows.iter().filter_map(|subflow| subflow.mapped).collect();
    let mut by_stream: HashMap<StreamId, Vec<&TcpMatch>> = HashMap::new();
    for link in interruptible(of_streams) {
        by_stream.entry(link.stream).or_default().push(link);
    }
    for subflow in interruptible(&mut best.subflows) {
        let found = match (subflow.tcpstream, subflow.mapped) {
            (Some(stream), None) => by_stream
                .get(&stream)
                .and_then(|links| links.iter().find(|link| !there.contains(&link.mapped)))
                .filter(|link| is_best(mapper, Which::Second, link))
                .map(|link| (*link).clone()),
            (None, Some(mapped)) => mapper
                .matches(Which::Second, mapped)
                .into_iter()
                .find(|link| !here.contains(&link.stream))
                .filter(|link| is_best(mapper, Which::First, link)),
            _ => None,
        };
        let Some(link) = found else { continue };
        here.insert(link.stream);
        there.insert(link.mapped);
        let remark = match subflow.tcpstream {
            Some(_) => remark("second", mapper.captures.second, link.mapped),
            None => remark("first", mapper.captures.first, link.stream),
        };
        *subflow = SubflowMatch { remark: Some(remark), ..SubflowMatch::from(link) };
    }
}

/// Whether a link is the best one of its stream in `which` capture, too.
fn is_best(mapper: &Mapper<'_>, which: Which, link: &TcpMatch) -> bool {
    let stream = if which == Which::First { link.stream } else { link.mapped };
    let best = mapper.matches(which, stream).into_iter().next();
    best.is_some_and(|best| (best.stream, best.mapped) == (link.stream, link.mapped))
}

fn remark(which: &str, capture: &Capture, stream: StreamId) -> String {
    match capture.tracking.subflow(stream) {
        Some(subflow) => {
            format!("in the {which} capture, TCP stream {stream} belongs to MPTCP connection {}", subflow.connection)
        }
        None => format!("in the {which} capture, TCP stream {stream} is plain TCP"),
    }
}

impl SubflowMatch {
    fn alone(tcpstream: Option<StreamId>, mapped: Option<StreamId>) -> Self {
        SubflowMatch { tcpstream, mapped, score: None, certain: false, reasons: Vec::new(), remark: None, pair: None }
    }
}

impl From<TcpMatch> for SubflowMatch {
    fn from(link: TcpMatch) -> Self {
        SubflowMatch {
            tcpstream: Some(link.stream),
            mapped: Some(link.mapped),
            score: Some(link.score),
            certain: link.certain,
            reasons: link.reasons,
            remark: None,
            pair: Some(link.pair),
        }
    }
}
