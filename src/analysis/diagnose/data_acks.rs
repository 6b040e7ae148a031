//! Did the DATA_ACK stand still although TCP acknowledged the data?

use super::{Finding, FindingKind, Subject};
use mptcp_trace::Span;
use mptcp_trace::analysis::acknowledged::Standing;
use mptcp_trace::tracking::Role;
use mptcp_trace::tracking::data::Numbers;

/// A shorter time is within what a busy receiver takes: Linux' MPTCP sends data again after as much without
/// a DATA_ACK (`TCP_RTO_MIN`).
const SHORTEST: Span = Span::from_milliseconds(200);
/// A longer time is a problem: timers that mend it have expired more than once.
const LONG: Span = Span::from_milliseconds(500);

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let acknowledgements = &subject.acknowledged;
    let stalled = |role: Role| acknowledgements.get(role).standings.iter().filter(|one| one.length() >= SHORTEST);
    if Role::BOTH.into_iter().all(|role| stalled(role).next().is_none()) {
        return Vec::new();
    }
    let numbers = subject.mappings.numbers();
    let of = |role: Role| stalled(role).map(move |standing| (role, standing));
    Role::BOTH.into_iter().flat_map(of).map(|(role, one)| describe(subject, role, numbers.get(role), one)).collect()
}

fn describe(subject: &Subject<'_>, towards: Role, numbers: &Numbers, standing: &Standing) -> Finding {
    let next = match (numbers.relative(standing.next), numbers.real(standing.next)) {
        (Some(relative), _) => relative.to_string(),
        (None, Some(real)) => format!("0x{real:016x}"),
        (None, None) => "the same number".to_string(),
    };
    let until = if standing.recovered {
        format!("until {}", subject.time(standing.until))
    } else {
        "to its last packet of the capture".to_string()
    };
    let detail = format!(
        "towards the {}, the DATA_ACK stayed at {next} from {} {until}, although TCP acknowledged the data there at {}",
        towards.name(),
        subject.time(standing.from),
        subject.time(standing.tcp_acknowledged)
    );
    let (meaning, following) = if standing.window == Some(0) {
        (
            "the receive window was closed: the receiver's TCP took the data, but its MPTCP layer has no room for it",
            "check how fast the receiving application reads",
        )
    } else {
        (
            "although its window was open, the receiver lost or rejected data after TCP acknowledged it; or a proxy \
             on the path acknowledges in its place. The sender must send the data again",
            "look at `nstat -az | grep MPTcpExt` at the receiver, and capture there",
        )
    };
    let make = if standing.length() >= LONG { Finding::problem } else { Finding::notice };
    let shown = [subject.id(standing.row), subject.id(standing.last_row)];
    make(FindingKind::DataAckStalled, detail, meaning, following).of(subject.connection).going(towards).shown_by(shown)
}
