//! Did data wait on a subflow that stood still while nothing went over another one that could have carried it?

use super::{Finding, FindingKind, Standing, Subject};
use mptcp_trace::analysis::availability::Availability;
use mptcp_trace::analysis::receive_window::{ReceiveWindow, WindowCourse, WindowStep};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::{ByRole, Role};
use mptcp_trace::units::span;
use mptcp_trace::{Instant, Span};

/// A shorter time is what failing over takes: Linux calls a subflow stale after four timeouts
/// (`net.mptcp.stale_loss_cnt`), and sends what it carried again elsewhere after the first ones.
const UNUSED: Span = Span::from_seconds(2);
/// Standstills of a direction that are looked at, so that the time stays linear in packets.
const MOST: usize = 16;

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    if subject.passed.standing.is_empty() || subject.connection.subflows.len() < 2 {
        return Vec::new();
    }
    let mut watched: Vec<Watched<'_>> = Vec::new();
    for towards in Role::BOTH {
        let standing = subject.passed.standing.iter().filter(|standing| standing.towards == towards);
        watched.extend(standing.take(MOST).map(|standing| Watched::new(subject, standing)));
    }
    // Few connections have a subflow that stands still: their packets come once more.
    let course = |towards: Role| WindowCourse::new(subject.capture, subject.connection, towards);
    let mut courses = ByRole { server: course(Role::Server), client: course(Role::Client) };
    subject.mappings.walk(|laden| {
        for towards in Role::BOTH {
            let step = courses.get_mut(towards).push(&subject.capture.tracking, laden);
            for one in watched.iter_mut().filter(|one| one.standing.towards == towards) {
                one.push(&step);
            }
        }
    });
    watched.into_iter().filter_map(|one| beside(subject, one)).collect()
}

/// Subflows that could have carried data while one did not.
fn beside(subject: &Subject<'_>, watched: Watched<'_>) -> Option<Finding> {
    let (standing, available) = (watched.standing, &subject.available);
    let (stood, silence) = watched.finish();
    let silence = silence?;
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

/// Looks for the longest time in which data waited for its DATA_ACK and no subflow carried any but those that stood still,
/// while one did.
struct Watched<'a> {
    standing: &'a Standing,
    /// Subflows that stood still at the same time.
    stood: Vec<bool>,
    window: ReceiveWindow,
    /// Since when data has been waiting and no other subflow has carried any.
    since: Option<Instant>,
    longest: Option<(Instant, Instant)>,
}

impl<'a> Watched<'a> {
    fn new(subject: &Subject<'_>, standing: &'a Standing) -> Self {
        let (from, until) = (standing.standstill.from, standing.standstill.until);
        let mut stood = vec![false; subject.available.len()];
        for other in interruptible(&subject.passed.standing) {
            if other.standstill.from < until
                && other.standstill.until > from
                && let Some(stood) = stood.get_mut(other.subflow)
            {
                *stood = true;
            }
        }
        Watched { standing, stood, window: ReceiveWindow::default(), since: None, longest: None }
    }

    fn ends(&mut self, now: Instant) {
        let standstill = &self.standing.standstill;
        let Some(since) = self.since.take() else { return };
        let (start, end) = (since.max(standstill.from), now.min(standstill.until));
        let length = |(start, end): (Instant, Instant)| end - start;
        if start < end && self.longest.is_none_or(|longest| length((start, end)) > length(longest)) {
            self.longest = Some((start, end));
        }
    }

    fn push(&mut self, step: &WindowStep) {
        let carried = step.forward && step.payload > 0 && self.stood.get(step.subflow) == Some(&false);
        if let Some(offer) = step.offer {
            self.window.offers(offer);
        }
        let waits = step.sent.is_some_and(|sent| !self.window.has_all(sent));
        if self.since.is_some() && (carried || !waits) {
            self.ends(step.time);
        }
        if waits && self.since.is_none() {
            self.since = Some(step.time);
        }
    }

    /// The subflows that stood still at the same time, and the longest time.
    fn finish(mut self) -> (Vec<bool>, Option<(Instant, Instant)>) {
        self.ends(self.standing.standstill.until);
        (self.stood, self.longest)
    }
}
