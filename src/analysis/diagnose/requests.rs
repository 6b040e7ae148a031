//! Did SYNs ask for MPTCP in vain, or did nobody ask?

use std::collections::HashMap;

use super::{Finding, FindingKind};
use mptcp_trace::PacketRow;
use mptcp_trace::analysis::requests::{MptcpRequest, RequestOutcome, request_alone, requests};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::{Capture, Connection, Endpoint};
use mptcp_trace::units::counted;

/// Requests that came to nothing; and when nobody asked at all, that.
pub fn of_capture(capture: &Capture) -> Vec<Finding> {
    let all = requests(capture);
    if all.is_empty() && capture.tracking.connections.is_empty() {
        return nobody_asked(capture).into_iter().collect();
    }
    let servers = Servers::of(capture, &all);
    all.iter().filter_map(|request| of_one(capture, request, &servers)).collect()
}

/// The request that the number of a connection stands for, where it stands for nothing else.
pub fn of_connection(capture: &Capture, connection: &Connection) -> Option<Finding> {
    let request = request_alone(capture, connection)?;
    of_one(capture, &request, &Servers::of(capture, &requests(capture)))
}

/// Facts from other streams to one server's address and port.
#[derive(Debug, Clone, Copy, Default)]
struct Server {
    /// Versions that it answered with MP_CAPABLE of its own.
    speaks: [bool; 2],
    /// It answered a SYN with MP_CAPABLE by a SYN/ACK, with the option or without.
    heard_option: bool,
    /// Packet id of a SYN/ACK that answered a SYN without the option.
    answered_plain: Option<u64>,
    /// A SYN without the option was not answered, or refused.
    plain_failed: bool,
}

/// All of them.
struct Servers {
    known: HashMap<Endpoint, Server>,
}

impl Servers {
    fn of(capture: &Capture, requests: &[MptcpRequest]) -> Self {
        let mut known: HashMap<Endpoint, Server> = HashMap::new();
        for request in interruptible(requests) {
            let Some(stream) = capture.tracking.stream(request.tcpstream) else { continue };
            let server = known.entry(stream.server).or_default();
            match request.outcome {
                RequestOutcome::Granted => {
                    let version = request.answered_version.map(usize::from);
                    if let Some(speaks) = version.and_then(|version| server.speaks.get_mut(version)) {
                        *speaks = true;
                    }
                    server.heard_option = true;
                }
                RequestOutcome::Declined | RequestOutcome::Mirrored => server.heard_option = true,
                RequestOutcome::Blackholed => server.answered_plain = server.answered_plain.or(request.answer),
                RequestOutcome::Unanswered => server.plain_failed |= !request.plain.is_empty(),
                RequestOutcome::Refused | RequestOutcome::Unknown => {}
            }
        }
        for stream in interruptible(&capture.tracking.streams) {
            let row = |row: Option<PacketRow>| row.and_then(|row| capture.segments.get(row.index()));
            let Some(syn) = row(stream.syn) else { continue };
            // A join's SYN is not plain either.
            if syn.is_mptcp() || syn.options_cut() {
                continue;
            }
            let server = known.entry(stream.server).or_default();
            match row(stream.syn_ack) {
                Some(answer) => server.answered_plain = server.answered_plain.or(Some(answer.packetid())),
                None => server.plain_failed |= stream.syns > 1 || stream.ends.server.reset,
            }
        }
        Servers { known }
    }
}

fn of_one(capture: &Capture, request: &MptcpRequest, servers: &Servers) -> Option<Finding> {
    let stream = capture.tracking.stream(request.tcpstream)?;
    let server = &servers.known.get(&stream.server).copied().unwrap_or_default();
    let finding = match request.outcome {
        RequestOutcome::Granted | RequestOutcome::Unknown => return None,
        RequestOutcome::Declined => declined(request, server),
        RequestOutcome::Blackholed => blackholed(request, request.plain.first(), request.answer),
        // Where no SYN with the option ever came through to that port, and one without it did.
        RequestOutcome::Unanswered if server.answered_plain.is_some() && !server.heard_option => {
            blackholed(request, None, server.answered_plain)
        }
        RequestOutcome::Unanswered => unanswered(request, server),
        RequestOutcome::Refused => refused(request, server),
        RequestOutcome::Mirrored => mirrored(request),
    };
    let shown = request.asked.iter().chain(&request.plain).copied().chain(request.answer);
    Some(finding.on(request.tcpstream).shown_by(shown))
}

/// SYNs that are named one by one.
const NAMED: usize = 4;

/// `the SYN in packet 1 asks for MPTCP version 1`, or of several SYNs which they were.
fn asked(request: &MptcpRequest) -> String {
    let version = request.version;
    if let [syn] = request.asked.as_slice() {
        return format!("the SYN in packet {syn} requests MPTCP version {version}");
    }
    let named: Vec<String> = request.asked.iter().take(NAMED).map(u64::to_string).collect();
    let more = if request.asked.len() > NAMED { ", …" } else { "" };
    let syns = counted(request.asked.len(), "SYN");
    format!("{syns} (packets {}{more}) request MPTCP version {version}", named.join(", "))
}

/// The packet that answered, or else the first SYN.
fn answer(request: &MptcpRequest) -> u64 {
    request.answer.or(request.asked.first().copied()).unwrap_or(0)
}

fn declined(request: &MptcpRequest, server: &Server) -> Finding {
    let answer = answer(request);
    let without = if request.syn_ack {
        format!("the SYN/ACK in packet {answer} has no MP_CAPABLE")
    } else {
        format!("the SYN/ACK was not captured, and the client continues without MPTCP in packet {answer}")
    };
    let asked = asked(request);
    let speaks_other =
        server.speaks.iter().enumerate().any(|(version, speaks)| *speaks && version != usize::from(request.version));
    let meaning = match request.version {
        _ if speaks_other => {
            "the server accepts another MPTCP version in this capture: the versions are incompatible, and the \
             connection continues as plain TCP"
        }
        0 => {
            "the server does not support version 0 (a version 1 server answers like this), or MPTCP at all; or the \
             path removed the option from SYN or SYN/ACK"
        }
        _ => {
            "the server does not support MPTCP, or not this version, or the option was removed from the SYN or the \
             SYN/ACK on the path"
        }
    };
    let next = match request.version {
        0 => {
            "use a client with version 1 (RFC 8684), the only version that Linux servers support since 5.6; if the \
             server should support version 0, capture there"
        }
        _ => "check `net.mptcp.enabled` and the listening socket on the server; if both are correct, capture there",
    };
    Finding::problem(FindingKind::MptcpDeclined, format!("{asked}, {without}"), meaning, next)
}

/// `plain`: the SYN of this stream without the option; `answer`: the SYN/ACK to it, or to one of another stream.
fn blackholed(request: &MptcpRequest, plain: Option<&u64>, answer: Option<u64>) -> Finding {
    let answer = answer.unwrap_or(0);
    let answered = match plain {
        Some(plain) => format!("the SYN without the option in packet {plain} is answered in packet {answer}"),
        None => format!("a SYN without the option to the same port is answered in packet {answer}"),
    };
    let detail = format!("{} and got no answer; {answered}", asked(request));
    let next = match request.version {
        0 => {
            "capture on both sides of each firewall on the path to find where the SYN is lost; \
             `net.mptcp.mptcp_syn_retries` is the number of SYNs after which that client omits the option"
        }
        _ => {
            "capture on both sides of each firewall on the path to find where the SYN is lost. A Linux client counts \
             this (`nstat -az | grep -e MPTcpExtBlackhole -e MPTcpExtMPCapableSYNTXDrop`) and may not request MPTCP \
             for `net.mptcp.blackhole_timeout` seconds"
        }
    };
    if request.asked.len() > 1 {
        let meaning =
            "SYNs with the option are dropped on the path, for example by a firewall, or before the server's socket";
        Finding::problem(FindingKind::MptcpBlackholed, detail, meaning, next)
    } else {
        let meaning = "a single SYN may have been lost by chance; if it happens again, SYNs with the option are dropped on the \
             path";
        Finding::notice(FindingKind::MptcpBlackholed, detail, meaning, next)
    }
}

fn unanswered(request: &MptcpRequest, server: &Server) -> Finding {
    let plain = match request.plain.len() {
        0 => String::new(),
        count => format!(", {} without the option followed", counted(count, "SYN")),
    };
    let detail = format!("{}{plain}, and none was answered", asked(request));
    let (meaning, next) = if !request.plain.is_empty() || server.plain_failed {
        (
            "SYNs without the option to that port got no answer either: the host or the path is down, or a firewall \
             drops them. The option is not the cause",
            "test the path to that port with plain TCP, and look for a firewall",
        )
    } else if server.heard_option {
        (
            "other SYNs with the option to that port were answered: the path or the host was down at that time, or \
             the packets were lost. The option is probably not the cause",
            "check what else the capture shows of that address at the time, and capture at the server",
        )
    } else {
        (
            "the host or the path is down, a firewall drops all SYNs to that port or only those with the option, or \
             the answers bypassed the place of capture",
            "try plain TCP to the same port: if that is answered, the option is the cause (on Linux, `nstat -az | \
             grep MPTcpExtBlackhole`)",
        )
    };
    Finding::problem(FindingKind::MptcpUnanswered, detail, meaning, next)
}

fn refused(request: &MptcpRequest, server: &Server) -> Finding {
    let answer = answer(request);
    let detail = match request.plain.len() {
        0 => format!("{}, answered with the RST in packet {answer}", asked(request)),
        _ => format!("{}, then without it; the answer is the RST in packet {answer}", asked(request)),
    };
    let (meaning, next) = if !request.plain.is_empty() || server.plain_failed {
        (
            "SYNs without the option to that port are refused too: nothing listens there, or a firewall rejects them. \
             The option is not the cause",
            "check the listening socket on the server (`ss -lnt`)",
        )
    } else if server.heard_option {
        (
            "other SYNs with the option to that port were answered: nothing listened at that time. The option is \
             probably not the cause",
            "check when the server's socket was listening",
        )
    } else if server.answered_plain.is_some() {
        (
            "a SYN without the option to the same port was answered: a device rejects the option, or nothing listened \
             at that time",
            "capture at the server: if the RST is missing there, a firewall sent it",
        )
    } else {
        (
            "nothing listens on that port, or a firewall rejects the SYN, because of the option or for another reason",
            "check the listening socket on the server (`ss -lnt`), then try plain TCP to the same port",
        )
    };
    Finding::problem(FindingKind::MptcpRefused, detail, meaning, next)
}

fn mirrored(request: &MptcpRequest) -> Finding {
    let answer = answer(request);
    let what = match request.key {
        Some(key) => format!("the client's own key 0x{key:016x}"),
        None => "an MP_CAPABLE without a key".to_string(),
    };
    Finding::problem(
        FindingKind::MptcpMirrored,
        format!("{}, but the SYN/ACK in packet {answer} returns {what}", asked(request)),
        "the server or a middlebox echoes unknown options: there is no MPTCP server, and the connection continues as \
         plain TCP",
        "nothing, unless the server should support MPTCP: then capture there to see which SYN/ACK it sends",
    )
}

/// SYNs without the option, and none with it.
fn nobody_asked(capture: &Capture) -> Option<Finding> {
    let streams = capture.tracking.streams.iter();
    let syns: Vec<u64> = streams
        .filter_map(|stream| capture.segments.get(stream.syn?.index()))
        .filter(|syn| !syn.options_cut() && syn.malformed().is_none())
        .map(|syn| syn.packetid())
        .collect();
    if syns.is_empty() {
        return None;
    }
    let detail = format!("none of the {} SYNs has MP_CAPABLE", syns.len());
    let meaning = "the clients do not request MPTCP, or the option was removed before the place of capture";
    let next =
        "check that the client's sockets are MPTCP sockets (`mptcpize run`, IPPROTO_MPTCP), or capture at the client";
    Some(Finding::problem(FindingKind::MptcpNotRequested, detail, meaning, next).shown_by(syns))
}
