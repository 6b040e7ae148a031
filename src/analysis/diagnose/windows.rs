//! Did a receive window hold the sender back, and was it shut to the end?

use super::{Finding, FindingKind, Subject};
use mptcp_trace::Span;
use mptcp_trace::analysis::closing::ConnectionState;
use mptcp_trace::analysis::receive_window::{Closure, Limits, WindowLevel};
use mptcp_trace::analysis::volume::duration;
use mptcp_trace::tracking::Role;
use mptcp_trace::units::{counted, span};

/// A smaller share of a direction's time is not worth a line.
const SHARE: f64 = 0.1;
/// A shorter time is not worth a line either.
const SHORTEST: Span = Span::from_milliseconds(50);
/// A window that has been shut for a shorter time at the end may well open soon.
const SHUT: Span = Span::from_seconds(1);

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for towards in Role::BOTH {
        let windows = subject.windows.get(towards);
        let limits = &windows.limits;
        // A reader that is slow shuts its window again and again: at the end it has to stand out.
        let shut = limits.unended.filter(|closure| closure.length() >= SHUT.max(limits.longest_ended * 2));
        findings.extend(shut.map(|closure| never_opened(subject, towards, &closure)));
        if windows.is_whole {
            findings.extend(held_back(subject, towards, limits, windows.delay));
        }
    }
    findings
}

fn never_opened(subject: &Subject<'_>, towards: Role, closure: &Closure) -> Finding {
    let from = subject.time(closure.from);
    let narrow = format!("less than a segment of {}", closure.segment);
    let size = match closure.zero_from.filter(|_| closure.offered == 0) {
        Some(zero) if zero == closure.from => format!("0 from {from}"),
        Some(zero) => format!("{narrow} from {from}, and 0 from {}", subject.time(zero)),
        None => format!("{}, {narrow}, from {from}", counted(closure.offered, "byte")),
    };
    let last = subject.capture.segments.last().map_or(closure.until, |segment| segment.abstime);
    let end = match subject.closing.state {
        ConnectionState::FastClosed | ConnectionState::Reset => "until the connection was aborted",
        _ if last - closure.until > SHUT => "to the last packet of the connection",
        _ => "to the end of the capture",
    };
    let asked = counted(closure.asked, "packet");
    let repeated = match closure.repeated {
        0 => format!("the sender probed in {asked} without an answer"),
        count => format!(
            "the sender probed in {asked}, and the receiver repeated it in {count} more, the last at {}",
            subject.time(closure.heard)
        ),
    };
    let detail = format!(
        "towards the {}, the receive window was {size} {end} ({}); {repeated}",
        towards.name(),
        span(closure.length()),
    );
    let (meaning, next) = if closure.repeated > 0 {
        (
            "the receiving application does not read, so its receive buffer stays full; less likely, its host has no \
             memory for sockets. The path works: the receiver answers over it",
            "find out what the receiving application waits for; `ss -tiM` on its host shows unread data (Recv-Q)",
        )
    } else {
        (
            "the receiving application does not read; or the packet that opened the window was lost and no probe \
             followed; or the receiver is gone",
            "check the receiving application (`ss -tiM` on its host), and capture there to see whether the window \
             opens",
        )
    };
    let finding = Finding::problem(FindingKind::WindowShut, detail, meaning, next)
        .of(subject.connection)
        .going(towards)
        .shown_by([closure.packetid]);
    if let WindowLevel::Stream(stream) = closure.level { finding.on(stream) } else { finding }
}

fn held_back(subject: &Subject<'_>, towards: Role, limits: &Limits, delay: Span) -> Option<Finding> {
    let duration = duration(limits.span).seconds();
    let limited = limits.limited.seconds();
    if limits.limited < SHORTEST || limited < duration * SHARE {
        return None;
    }
    // Away from the sender, what it did between is not seen.
    let least = if delay > Span::ZERO { "at least " } else { "" };
    let mut detail = format!(
        "towards the {}, the receive window left no room for a full segment for {least}{limited:.3} s of \
         {duration:.3} s",
        towards.name()
    );
    if limits.shut > Span::ZERO {
        let shut = limits.shut.seconds();
        detail.push_str(&format!("; the receiver itself offered less than a segment for {shut:.3} s of that"));
    } else if let Some(least) = limits.least {
        detail.push_str(&format!(
            "; the receiver offered between {} and {}",
            counted(least, "byte"),
            counted(limits.most, "byte")
        ));
    }
    let (meaning, next) = if reads_slowly(limits) {
        (
            "the receiving application reads more slowly than data arrives, so its buffer fills; less likely, the \
             buffer is too small for bursts of this size",
            "check how fast the receiving application reads, then `net.ipv4.tcp_rmem` and SO_RCVBUF there",
        )
    } else {
        (
            "the receive buffer is smaller than the paths require (rate times longest round trip), and late data on \
             one subflow holds back data from the others. Less likely, the receiving application reads slowly",
            "compare the window with rate times round trip (`plot flight`, `rtt`); raise `net.ipv4.tcp_rmem` or SO_RCVBUF \
             at the receiver",
        )
    };
    Some(
        Finding::notice(FindingKind::WindowLimited, detail, meaning, next)
            .of(subject.connection)
            .going(towards)
            .shown_by(limits.packets.iter().copied()),
    )
}

/// Whether the buffer was full of data that waits for its application: what was acknowledged took the room away. Where
/// the buffer is too small, or data waits for others, most of it is still offered.
fn reads_slowly(limits: &Limits) -> bool {
    let sank = limits.least.is_some_and(|least| least < limits.most / 10);
    limits.shut * 10 >= limits.limited || (sank && limits.low * 2 >= limits.limited)
}
