//! Did the connection fall back to TCP?

use super::{Finding, FindingKind, Subject};
use mptcp_trace::analysis::events::explain;
use mptcp_trace::analysis::fallback::{Reason, fallback, last_options};
use mptcp_trace::tracking::Role;

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(found) = fallback(subject.capture, subject.connection) else { return Vec::new() };
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

/// What a fallback means, and what to do next.
fn meaning(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::VersionMismatch => (
            "client and server have no version of MPTCP in common: the transfer goes on over one path as plain TCP",
            "use a client and a server that both speak version 1 (RFC 8684; Linux since 5.6)",
        ),
        Reason::ChecksumMissing => (
            "its sender leaves the checksum out, or something on the path took it out; the transfer goes on over one path as \
             plain TCP",
            "compare the length of that option in a capture at its sender, and report it to the makers of that stack",
        ),
        Reason::OptionMalformed => (
            "its sender built the option wrong, or something on the path damaged it; the transfer goes on over one path as \
             plain TCP",
            "compare that option in a capture at its sender",
        ),
        Reason::SynDataRefused => (
            "the client sent the data of the SYN again, and such data can have no mapping (Linux sends them without MP_CAPABLE): \
             the server took it for plain TCP. Less likely, something on the path removed the option. The transfer goes on over \
             one path as plain TCP",
            "look at `sysctl net.ipv4.tcp_fastopen` on the server and at `nstat -az | grep -E 'TCPFastOpen|Fallback'` at both \
             ends; a changed `net.ipv4.tcp_fastopen_key` makes clients' cookies useless, too",
        ),
        _ => (
            "the transfer goes on over one path as plain TCP; look for a middlebox on that path",
            "capture on both sides of each middlebox of that path to find where the option goes missing",
        ),
    }
}
