//! Refused joins in words: the causes that the capture leaves open.

use super::{Finding, FindingKind, Subject};
use mptcp_trace::analysis::joins::{JoinAttempt, reason_name};
use mptcp_trace::analysis::refusals::{Cause, End, Refusal, RefusedStep};
use mptcp_trace::tracking::Role;
use mptcp_trace::tracking::authentication::Lack;

/// The finding about a refused join, without the packets of its handshake.
pub fn describe(subject: &Subject<'_>, join: &JoinAttempt, refusal: &Refusal) -> Finding {
    let by = refusal.by.name();
    let reason = join
        .reason
        .map_or_else(|| "without a reason".to_string(), |code| format!("for reason {code} ({})", reason_name(code)));
    let unseen = if refusal.seen { "" } else { ", which is not captured," };
    let mut detail = format!("the {by} answered the {} of the join{unseen} with a RST {reason}", refusal.step.name());
    for cause in &refusal.causes {
        match cause {
            Cause::Ending(end) if end.row == join.decided_by => {
                return too_late(format!("{detail}; {}", came(subject, end, "is the same")));
            }
            Cause::Ending(end) => return too_late(format!("{detail}; {}", came(subject, end, "had come before"))),
            Cause::PerhapsEnding(end) => detail.push_str(&format!("; {}", came(subject, end, "came before the RST"))),
            Cause::FellBack(packet) => detail.push_str(&format!("; the fallback to TCP is in packet {packet}")),
            Cause::HmacAltered => detail.push_str("; its HMAC is valid as captured"),
            Cause::TokenAltered => detail.push_str("; its token is that of this connection"),
            Cause::PortZero if subject.connection.roles_known => {
                detail.push_str("; its token is that of this connection, its port is 0");
            }
            Cause::PortZero => detail.push_str("; its port is 0"),
            _ => {}
        }
    }
    let kind = match refusal.causes.as_slice() {
        [Cause::FlagC] => FindingKind::JoinAgainstFlag,
        _ => FindingKind::JoinRefused,
    };
    let causes: Vec<String> = refusal.causes.iter().map(|cause| meaning(*cause, join, refusal)).collect();
    Finding::problem(kind, detail, causes.join("; or "), next(refusal))
}

/// A join that came when the connection was ending.
pub fn too_late(detail: String) -> Finding {
    Finding::notice(
        FindingKind::JoinTooLate,
        detail,
        "the connection was ending: a host accepts no further subflows after DATA_FIN or MP_FASTCLOSE",
        "nothing if connections are short, because they end before a second path is ready; if one end closes its \
         direction early, join earlier",
    )
}

/// Which packet ends the connection.
pub fn came(subject: &Subject<'_>, end: &End, when: &str) -> String {
    let what = if end.fast { "MP_FASTCLOSE" } else { "DATA_FIN" };
    format!("the {what} of the {} in packet {} {when}", end.by.name(), subject.id(end.row))
}

fn meaning(cause: Cause, join: &JoinAttempt, refusal: &Refusal) -> String {
    let (by, other) = (refusal.by.name(), refusal.by.other().name());
    match cause {
        Cause::Ending(_) | Cause::PerhapsEnding(_) => "the connection was ending".to_string(),
        Cause::EndingUnseen => {
            "the connection was ending: a DATA_FIN would be in the other direction, which was not captured".to_string()
        }
        Cause::PortZero => format!("port 0 cannot have a listener: the {other} has a wrong port for that address"),
        Cause::FlagC => format!(
            "the {by} had announced in MP_CAPABLE (flag C) that it accepts no joins to that \
                                 address and port"
        ),
        Cause::FellBack(_) => "a connection that fell back to TCP accepts no further subflows".to_string(),
        Cause::HmacWrong => format!("the captured HMAC is wrong, so the {by} must refuse it"),
        Cause::HmacAltered => format!("the option was altered or removed on the way to the {by}"),
        Cause::HmacUnchecked => {
            let lacks = join.verdict.lacks.map_or("its packet not captured", Lack::phrase);
            format!("the HMAC is wrong: it cannot be checked, {lacks}")
        }
        Cause::TokenUnknown => {
            "the token belongs to no connection of the capture: it was altered on the path, or its connection is \
             older than the capture"
                .to_string()
        }
        Cause::TokenAltered => format!("the token was altered on the way to the {by}"),
        Cause::NobodyListens if refusal.by == Role::Client => {
            "no listener there: a client that advertises an address has no listener on it unless one is set up"
                .to_string()
        }
        Cause::NobodyListens => "no listener at that address and port, or a firewall answers for it".to_string(),
        Cause::Gone => format!("the {by} no longer has the connection"),
        Cause::OnThePath => {
            format!("a device on the path sent the RST: its time to live differs from the {by}'s other packets")
        }
        Cause::GivenUp => format!("the {by} had abandoned the join, or a firewall sent the RST"),
        Cause::NotEstablished => {
            format!("the join came too early: the {by} had not yet received a DSS from the {other}")
        }
        Cause::Limit if refusal.step == RefusedStep::Syn => {
            format!("the {by}'s limit of subflows, or a port that it has not advertised")
        }
        Cause::Limit => format!("the {by}'s limit of subflows, or another policy"),
        Cause::Resources => format!("the {by} reports a lack of resources"),
        Cause::AsItSays => match join.reason {
            Some(code) => format!("the {by} gives the reason: {}", reason_name(code)),
            None => "reason unknown".to_string(),
        },
    }
}

/// Advice: first the Linux counters that distinguish the causes.
fn next(refusal: &Refusal) -> String {
    let by = refusal.by.name();
    match refusal.causes.as_slice() {
        [Cause::PortZero] => {
            return format!(
                "find out where the {} got that port: its endpoints, or ADD_ADDR in `events`",
                refusal.by.other().name()
            );
        }
        [Cause::FlagC] => {
            return format!(
                "join an address that the {by} advertises, or set `net.mptcp.allow_join_initial_addr_port` to 1 there"
            );
        }
        [Cause::FellBack(_)] => return "see the finding `fallback`".to_string(),
        _ => {}
    }
    let mut counters: Vec<&str> = Vec::new();
    let mut also: Vec<String> = Vec::new();
    for cause in &refusal.causes {
        let (counter, hint) = match (cause, refusal.step) {
            (Cause::HmacWrong | Cause::HmacAltered | Cause::HmacUnchecked, step) => {
                let counter = match step {
                    RefusedStep::SynAck => "MPTcpExtMPJoinSynAckHMacFailure",
                    _ => "MPTcpExtMPJoinAckHMacFailure",
                };
                (Some(counter), Some("compare the option in a capture there".to_string()))
            }
            (Cause::TokenUnknown | Cause::TokenAltered, _) => {
                (Some("MPTcpExtMPJoinNoTokenFound"), Some("compare the token in a capture there".to_string()))
            }
            (Cause::OnThePath, _) => {
                (None, Some(format!("capture at the {by}: if the RST is missing there, the {by} did not send it")))
            }
            (Cause::GivenUp, _) => (None, Some(format!("look for a firewall at the {by} and on that path"))),
            (Cause::Gone, RefusedStep::Syn) => (Some("MPTcpExtMPJoinNoTokenFound"), None),
            (Cause::Limit, RefusedStep::Syn) => (Some("MPTcpExtMismatchPortSynRx"), None),
            (Cause::Limit, _) => (Some("MPTcpExtMPJoinRejected"), Some("look at `ip mptcp limits` there".to_string())),
            (Cause::NotEstablished | Cause::PerhapsEnding(_), RefusedStep::Ack) => {
                (Some("MPTcpExtMPJoinRejected"), None)
            }
            (Cause::NobodyListens, _) if refusal.by == Role::Client => {
                (None, Some("clear the flag `signal` of that endpoint at the client (`ip mptcp endpoint`)".to_string()))
            }
            (Cause::NobodyListens, _) => (None, Some("try plain TCP to that address and port".to_string())),
            _ => (None, None),
        };
        counters.extend(counter.filter(|counter| !counters.contains(counter)));
        also.extend(hint.filter(|hint| !also.contains(hint)));
    }
    if counters.is_empty() && also.is_empty() {
        return format!("look at `nstat -az | grep MPTcpExtMPJoin` and the log of the application at the {by}");
    }
    let mut steps = Vec::new();
    if !counters.is_empty() {
        steps.push(format!("look at `nstat -az {}` at the {by}", counters.join(" ")));
    }
    steps.extend(also);
    steps.join("; ")
}
