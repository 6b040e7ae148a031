//! Did the connection fall back to TCP?

use super::{Finding, FindingKind, Subject};
use mptcp_trace::analysis::events::explain;
use mptcp_trace::analysis::fallback::{Reason, last_options};
use mptcp_trace::tracking::Role;

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(found) = &subject.fallback else { return Vec::new() };
    let last = last_options(subject.capture, subject.connection);
    let ends = [Role::Client, Role::Server].map(|role| match last.get(role) {
        Some(packet) => format!("the {}'s last MPTCP option is in packet {packet}", role.name()),
        None => format!("the {} sent none", role.name()),
    });
    let detail = format!(
        "from packet {} on, towards the {}: {}; {}, {}",
        found.packetid,
        found.towards.name(),
        explain(found.reason),
        ends[0],
        ends[1]
    );
    let detail = match found.cause {
        Some(cause) => format!("{detail}; it follows packet {cause}"),
        None => detail,
    };
    let (meaning, next) = meaning(found.reason);
    let shown = found.cause.into_iter().chain([found.packetid]);
    vec![
        Finding::problem(FindingKind::Fallback, detail, meaning, next)
            .of(subject.connection)
            .on(found.tcpstream)
            .shown_by(shown),
    ]
}

/// Meaning of a fallback, and advice.
fn meaning(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::VersionMismatch => (
            "client and server have no MPTCP version in common: the transfer continues over one path as plain TCP",
            "use a client and a server that both speak version 1 (RFC 8684; Linux since 5.6)",
        ),
        Reason::ChecksumMissing => (
            "the sender omits the checksum, or it was removed on the path; the transfer continues over one path as \
             plain TCP",
            "compare the length of that option in a capture at its sender, and report it to the developers of that \
             stack",
        ),
        Reason::OptionMalformed => (
            "the sender built an invalid option, or it was damaged on the path; the transfer continues over one path \
             as plain TCP",
            "compare that option in a capture at its sender",
        ),
        Reason::SynDataRefused => (
            "the client sent the data of the SYN again, which cannot have a mapping (Linux sends it without \
             MP_CAPABLE): the server took it as plain TCP. Less likely, the option was removed on the path. The \
             transfer continues over one path as plain TCP",
            "look at `sysctl net.ipv4.tcp_fastopen` on the server and at `nstat -az | grep -E 'TCPFastOpen|Fallback'` \
             at both ends; a changed `net.ipv4.tcp_fastopen_key` also invalidates clients' cookies",
        ),
        _ => (
            "the transfer continues over one path as plain TCP; a middlebox on that path may be the cause",
            "capture on both sides of each middlebox on that path to find where the option is lost",
        ),
    }
}
