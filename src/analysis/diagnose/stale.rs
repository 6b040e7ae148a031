//! Did a subflow stop making progress, and when?

use super::{Finding, FindingKind, Standing, Subject};
use mptcp_trace::StreamId;
use mptcp_trace::analysis::capture_point::SeenFrom;
use mptcp_trace::units::counted;

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let of = |standing: &Standing| {
        let stream = *subject.connection.subflows.get(standing.subflow)?;
        Some(describe(subject, stream, standing))
    };
    subject.passed.standing.iter().filter_map(of).collect()
}

fn describe(subject: &Subject<'_>, stream: StreamId, standing: &Standing) -> Finding {
    let Standing { subflow, towards, standstill } = standing;
    let end = if standstill.recovered {
        format!("until {}", subject.time(standstill.until))
    } else {
        "to the end of the capture".to_string()
    };
    let detail = format!(
        "towards the {}, no acknowledgement arrived from {} {end} despite {}",
        towards.name(),
        subject.time(standstill.from),
        counted(standstill.retransmissions.len(), "retransmission")
    );
    let (meaning, next) = match subject.place(*subflow, *towards) {
        Some(SeenFrom::Receiver) => (
            "the retransmissions reached the place of capture: the return path was down, or the receiving host does \
             not answer",
            "check the receiving host (`nstat -az`, load and firewall), and capture at the sender",
        ),
        _ => (
            "the path was down in one or both directions, or lost nearly everything; or the other end of the subflow \
             is gone. The scheduler switches to other subflows and reinjects there",
            "check the loss on that path in that time, and the traffic on the other subflows",
        ),
    };
    Finding::problem(FindingKind::SubflowStale, detail, meaning, next)
        .of(subject.connection)
        .on(stream)
        .going(*towards)
        .shown_by(standstill.retransmissions.iter().copied())
}
