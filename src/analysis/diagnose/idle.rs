//! Was the sender silent although nothing held it back?

use super::watches::Windows;
use super::{Finding, FindingKind, Subject};
use mptcp_trace::Span;
use mptcp_trace::analysis::idle_gaps::IdleGap;
use mptcp_trace::analysis::volume::duration;
use mptcp_trace::tracking::Role;
use mptcp_trace::units::{counted, span};

/// A smaller share of the time in which a direction carried data is not worth a line.
const SHARE: f64 = 0.05;
/// A shorter time is not worth a line either.
const SHORTEST: Span = Span::from_milliseconds(500);

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    Role::BOTH.iter().filter_map(|towards| of_direction(subject, *towards)).collect()
}

fn of_direction(subject: &Subject<'_>, towards: Role) -> Option<Finding> {
    let Windows { idle: found, threshold, delay, is_whole, .. } = subject.windows.get(towards);
    if !is_whole {
        return None;
    }
    let total = found.gaps.iter().map(IdleGap::length).sum::<Span>();
    let longest = found.gaps.iter().map(IdleGap::length).max()?;
    if total < SHORTEST || total.seconds() < duration(found.span).seconds() * SHARE {
        return None;
    }
    let sender = towards.other().name();
    let detail = format!(
        "towards the {}, {} of {} or longer between data, {:.3} s of {:.3} s together, the longest {}: subflows \
         silent, all data acknowledged, receive window open",
        towards.name(),
        counted(found.gaps.len(), "gap"),
        span(*threshold),
        total.seconds(),
        duration(found.span).seconds(),
        span(longest),
    );
    let meaning = if *delay == Span::ZERO && subject.round_trip.is_some() {
        format!(
            "the application of the {sender} had nothing to send; less likely, its MPTCP scheduler held data back. \
             Neither the paths nor the receiver caused the wait"
        )
    } else {
        format!(
            "the {sender} had nothing to send, or held it back; or its packets were lost before the place of capture, \
             which a capture at the {sender} would show"
        )
    };
    let next = format!(
        "find out what the application of the {sender} waits for; `ss -tiM` on its host shows `app_limited` and \
         `notsent`"
    );
    Some(
        Finding::notice(FindingKind::IdleGaps, detail, meaning, next)
            .of(subject.connection)
            .going(towards)
            .shown_by(found.gaps.iter().map(|gap| gap.packetid)),
    )
}
