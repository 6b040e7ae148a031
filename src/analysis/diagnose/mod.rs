//! The findings of a protocol engineer's examination.
//!
//! One kind of trouble per file; each returns findings with the packets that show it, what it means and what to do next. A
//! finding is a statement about the capture, so the detectors are conservative: what only may be trouble is not reported,
//! and a cause that one capture cannot tell from another is given as alternatives.

mod addresses;
mod capture_quality;
mod checksums;
mod data_acks;
mod ending;
mod fallback;
mod finding;
mod grouping;
mod idle;
mod irregular;
mod joins;
mod lacking;
mod one_direction;
mod option_loss;
mod refused;
mod reinjections;
mod requests;
mod resent;
mod reset_ttl;
mod retransmissions;
mod silent;
mod single;
mod stale;
mod subject;
mod unused;
mod usage;
mod watches;
mod windows;

use std::collections::HashSet;

pub use finding::{Finding, FindingKind, Severity};
pub use grouping::grouped;

use mptcp_trace::analysis::checksum::ChecksumResult;
use mptcp_trace::analysis::requests::request_alone;
use mptcp_trace::analysis::sender_view::longest_round_trip;
use mptcp_trace::parallel;
use mptcp_trace::tracking::data::{Direction, Mappings, Observer};
use mptcp_trace::tracking::{ByRole, Capture, Connection};
use subject::{Ahead, Subject};
use watches::{DataWatch, Passed, Standing};

/// Findings about one connection, problems first; none of a request that came to nothing, which [`diagnose_capture`] and
/// [`diagnose_request`] tell of. `checksums` are the verdicts on its mappings, where the payload was available.
#[must_use]
pub fn diagnose_connection(
    capture: &Capture,
    connection: &Connection,
    checksums: Option<&[ChecksumResult]>,
) -> Vec<Finding> {
    if request_alone(capture, connection).is_some() {
        return Vec::new();
    }
    diagnose_walked(capture, connection, checksums, || ()).findings
}

/// Findings about a connection, and what else came of the way to them.
pub struct Diagnosis<'a, O> {
    /// As [`diagnose_connection`].
    pub findings: Vec<Finding>,
    /// The mappings of the connection.
    pub mappings: Mappings<'a>,
    /// What the walk over its data came to; `None` of a request that came to nothing, whose data are not looked at.
    pub walked: Option<Walked<O>>,
}

/// What a walk over the data of a connection comes to.
#[derive(Debug)]
pub struct Walked<O> {
    /// The totals of either direction.
    pub directions: ByRole<Direction>,
    /// As [`window_limited`](mptcp_trace::analysis::receive_window::window_limited).
    pub window_limited: ByRole<Option<f64>>,
    /// What saw the packets on the way.
    pub observer: O,
}

/// As [`diagnose_connection`]; an observer sees the packets on the walk over the data.
#[must_use]
pub fn diagnose_walked<'a, O: Observer + Send>(
    capture: &'a Capture,
    connection: &'a Connection,
    checksums: Option<&[ChecksumResult]>,
    observer: impl Fn() -> O + Sync,
) -> Diagnosis<'a, O> {
    let (segments, tracking) = (&capture.segments, &capture.tracking);
    if request_alone(capture, connection).is_some() {
        let mappings = Mappings::of(segments, tracking, connection);
        return Diagnosis { findings: Vec::new(), mappings, walked: None };
    }
    let round_trip = longest_round_trip(capture, connection);
    let observers = || (DataWatch::new(capture, connection, round_trip), observer());
    let packets = tracking.packets_of(connection);
    let beside = || {
        let ahead = if parallel::is_worth(packets) { Ahead::of(capture, connection) } else { Ahead::default() };
        (Passed::of(capture, connection), ahead)
    };
    let walk = || Mappings::walked(segments, tracking, connection, observers);
    let ((mappings, directions, (carried, observer)), passed) = parallel::both(packets, walk, beside);
    let subject = Subject::new((capture, connection), (&mappings, directions), round_trip, carried, passed);
    let mut findings = Vec::new();
    findings.extend(fallback::find(&subject));
    findings.extend(irregular::find(&subject));
    findings.extend(option_loss::find(&subject));
    findings.extend(checksums::find(&subject, checksums));
    findings.extend(addresses::find(&subject));
    findings.extend(joins::find(&subject));
    findings.extend(ending::find(&subject));
    findings.extend(reset_ttl::find(&subject));
    let stale = stale::find(&subject);
    // Where the sender's standstill is captured, the silence between its retransmissions says nothing more.
    let ways: HashSet<_> = stale.iter().map(|stale| (stale.tcpstream, stale.towards)).collect();
    let silent = silent::find(&subject).into_iter();
    findings.extend(silent.filter(|silent| !ways.contains(&(silent.tcpstream, silent.towards))));
    findings.extend(stale);
    findings.extend(single::find(&subject));
    // What could have carried what waited is said to be unused once.
    let unused = unused::find(&subject);
    let named = |usage: &Finding| unused.iter().any(|unused| unused.tcpstream == usage.tcpstream);
    let usage = usage::find(&subject).into_iter();
    findings.extend(usage.filter(|usage| usage.finding != FindingKind::SubflowUnused || !named(usage)));
    findings.extend(windows::find(&subject));
    findings.extend(retransmissions::find(&subject));
    findings.extend(idle::find(&subject));
    findings.extend(unused);
    findings.extend(data_acks::find(&subject));
    findings.extend(reinjections::find(&subject));
    findings.extend(resent::find(&subject));
    let (lacking, lacks) = lacking::Lacking::of(&subject);
    findings.retain(|finding| !lacking.forbids(finding));
    findings.extend(lacks);
    findings.sort_by_key(|finding| finding.severity);
    let limited = |windows: &watches::Windows| windows.limits.limited_seconds(windows.is_measured);
    let window_limited = ByRole { server: limited(&subject.windows.server), client: limited(&subject.windows.client) };
    let directions = subject.directions;
    Diagnosis { findings, mappings, walked: Some(Walked { directions, window_limited, observer }) }
}

/// The finding about a number that Wireshark gives to a request that came to nothing; `None` for a connection.
#[must_use]
pub fn diagnose_request(capture: &Capture, connection: &Connection) -> Option<Finding> {
    requests::of_connection(capture, connection)
}

/// Findings about the capture as a whole: its quality, and handshakes that asked for MPTCP in vain.
#[must_use]
pub fn diagnose_capture(capture: &Capture) -> Vec<Finding> {
    let mut findings = requests::of_capture(capture);
    findings.extend(irregular::outside_of_connections(capture));
    findings.extend(capture_quality::find(capture));
    findings.extend(one_direction::find(capture));
    findings.sort_by_key(|finding| finding.severity);
    findings
}
