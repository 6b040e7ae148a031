//! Did data wait on a subflow that stood still while nothing went over another one that could have carried it?

use super::{Finding, FindingKind, Standing, Subject};
use mptcp_trace::analysis::availability::{Availability, availability};
use mptcp_trace::analysis::receive_window::ReceiveWindow;
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::Role;
use mptcp_trace::units::span;
use mptcp_trace::{Instant, Span};

/// A shorter time is what failing over takes: Linux calls a subflow stale after four timeouts
/// (`net.mptcp.stale_loss_cnt`), and sends what it carried again elsewhere after the first ones.
const UNUSED: Span = Span::from_seconds(2);
/// Standstills of a direction that are looked at, so that the time stays linear in packets.
const MOST: usize = 16;

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    if subject.standing.is_empty() || subject.connection.subflows.len() < 2 {
        return Vec::new();
    }
    let available = availability(subject.capture, subject.connection, &subject.packets);
    let mut findings = Vec::new();
    for towards in Role::BOTH {
        let standing = subject.standing.iter().filter(|standing| standing.towards == towards);
        for standing in interruptible(standing.take(MOST)) {
            findings.extend(beside(subject, standing, &available));
        }
    }
    findings
}

/// Subflows that could have carried data while `standing` did not.
fn beside(subject: &Subject<'_>, standing: &Standing, available: &[Availability]) -> Option<Finding> {
    let (from, until) = (standing.standstill.from, standing.standstill.until);
    let mut stood = vec![false; available.len()];
    for other in interruptible(&subject.standing) {
        if other.standstill.from < until
            && other.standstill.until > from
            && let Some(stood) = stood.get_mut(other.subflow)
        {
            *stood = true;
        }
    }
    let silence = longest_silence(subject, standing.towards, (from, until), &stood)?;
    if silence.1 - silence.0 < UNUSED {
        return None;
    }
    let usable = available.iter().zip(&stood).filter(|(own, stood)| !**stood && own.covers(silence.0, silence.1));
    let usable: Vec<&Availability> = usable.map(|(own, _)| own).collect();
    let regular = usable.iter().find(|own| !own.is_backup(silence.0)).copied();
    let unused = regular.or_else(|| usable.first().copied())?;
    let stuck = *subject.connection.subflows.get(standing.subflow)?;
    let is_backup = regular.is_none();
    let what = if is_backup { "the backup subflow" } else { "subflow" };
    let towards = standing.towards;
    let detail = format!(
        "towards the {}, {what} {} carried nothing from {} to {} ({}) while data waited on the stalled subflow \
         {stuck}; subflow {} was established and neither closed nor withdrawn",
        towards.name(),
        unused.tcpstream,
        subject.time(silence.0),
        subject.time(silence.1),
        span(silence.1 - silence.0),
        unused.tcpstream,
    );
    let meaning = if is_backup {
        "the failover to the backup did not happen: the sender did not consider the other subflow stale, or its path \
         manager or scheduler does not use backups. Or the backup's path was down too, which the capture cannot show \
         without traffic"
    } else {
        "the sender did not reinject the waiting data on this subflow: its scheduler did not consider the other \
         subflow stale. Or this path was down too, which the capture cannot show without traffic"
    };
    Some(
        Finding::problem(
            FindingKind::HealthySubflowUnused,
            detail,
            meaning,
            "look at `sysctl net.mptcp.stale_loss_cnt net.mptcp.scheduler` and at `nstat -az | grep -E \
             'MPTcpExt(SubflowStale|MPTCPRetrans)'` on the sender, and test this path",
        )
        .of(subject.connection)
        .on(unused.tcpstream)
        .and_on(stuck)
        .going(towards)
        .shown_by(standing.standstill.retransmissions.iter().copied()),
    )
}

/// The longest time between `from` and `until` in which data waited for its DATA_ACK and no subflow carried any but those
/// that stood still.
fn longest_silence(
    subject: &Subject<'_>,
    towards: Role,
    (from, until): (Instant, Instant),
    stood: &[bool],
) -> Option<(Instant, Instant)> {
    let mut window = ReceiveWindow::default();
    let mut longest: Option<(Instant, Instant)> = None;
    // Since when data has been waiting and no other subflow has carried any.
    let mut since: Option<Instant> = None;
    let mut ends = |since: Option<Instant>, now: Instant| {
        let (start, end) = (since?.max(from), now.min(until));
        let length = |(start, end): (Instant, Instant)| end - start;
        if start < end && longest.is_none_or(|longest| length((start, end)) > length(longest)) {
            longest = Some((start, end));
        }
        Some(())
    };
    for (packet, step) in interruptible(subject.packets.iter().zip(subject.steps(towards))) {
        let carried = step.forward && step.payload > 0 && stood.get(packet.subflow) == Some(&false);
        if let Some(offer) = step.offer {
            window.offers(offer);
        }
        let waits = step.sent.is_some_and(|sent| !window.has_all(sent));
        if since.is_some() && (carried || !waits) {
            ends(since.take(), step.time);
        }
        if waits && since.is_none() {
            since = Some(step.time);
        }
    }
    ends(since, until);
    longest
}
