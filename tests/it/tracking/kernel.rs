//! Volumes against the counters of the kernels that sent them, each from the capture taken beside its sender.

use std::collections::HashMap;

use mptcp_trace::analysis::mptcp_summary::{MptcpDirection, mptcp_summary};
use mptcp_trace::packets::segment::Segment;
use mptcp_trace::tracking::{Capture, Connection, Role, Stream};
use serde_json::Value;

use crate::support::scenarios;

/// One end of a connection as its program and kernel saw it, and the connection in the capture of that end.
struct Seen<'a> {
    label: String,
    own: Role,
    program: &'a Value,
    capture: &'a Capture,
    connection: &'a Connection,
}

impl Seen<'_> {
    /// What this end sent.
    fn sent(&self) -> MptcpDirection {
        self.direction(self.own.other())
    }

    fn direction(&self, towards: Role) -> MptcpDirection {
        let directions = mptcp_summary(self.capture, self.connection).directions;
        directions.into_iter().find(|direction| direction.towards == towards).expect("both are there")
    }
}

/// The kernel's token of a connection: after the socket was closed it answers with zero, so the latest before that.
fn token(program: &Value) -> Option<u32> {
    let infos = [&program["mptcp_last"], &program["info_at_close"]["mptcp"], &program["info_before_shutdown"]["mptcp"]];
    let tokens = infos.into_iter().filter_map(|info| u32::from_str_radix(info["token_hex"].as_str()?, 16).ok());
    tokens.into_iter().find(|token| *token != 0)
}

/// Calls `check` for both ends of every connection of every scenario; returns how many there were by scenario and end.
fn each_end(mut check: impl FnMut(&Seen<'_>)) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for path in scenarios::captures() {
        let own = match path.file_stem().and_then(|stem| stem.to_str()) {
            Some("client") => Role::Client,
            Some("server") => Role::Server,
            _ => continue,
        };
        let label = scenarios::label(&path);
        if !whole(&label) {
            continue;
        }
        let Some(truth) = scenarios::json(&path, "truth.json") else { continue };
        let Some(capture) = scenarios::load(&path) else { continue };
        let programs = truth[format!("app_{}", own.name())]["connections"].as_array().cloned().unwrap_or_default();
        for program in &programs {
            let connections = &capture.tracking.connections;
            let connection = match (token(program), connections.as_slice()) {
                (Some(token), _) => connections
                    .iter()
                    .find(|connection| connection.hosts.get(own).token == Some(token))
                    .unwrap_or_else(|| panic!("{label}: no connection has the token {token:08x}")),
                // Closed by its peer before it was asked (07b).
                (None, [only]) if program["mptcp_last"].is_object() => only,
                _ => continue,
            };
            check(&Seen { label: label.clone(), own, program, capture: &capture, connection });
            *counts.entry(label.clone()).or_default() += 1;
        }
    }
    counts
}

/// Captures that hold every packet of the transfer: not those cut short or begun late (13*). 14* are 02 and 06 again.
fn whole(label: &str) -> bool {
    !label.starts_with("13") && !label.starts_with("14")
}

/// Not all that the application wrote was sent: the connection was aborted, or stood still at the end.
fn sent_otherwise(label: &str) -> bool {
    ["07a", "07b", "08a", "08d", "08e", "08f"].iter().any(|scenario| label.starts_with(scenario))
}

#[test]
fn goodput_is_what_the_applications_wrote() {
    let mut wrong = Vec::new();
    let counts = each_end(|seen| {
        if sent_otherwise(&seen.label) {
            return;
        }
        for (towards, key) in [(seen.own.other(), "sent"), (seen.own, "received")] {
            let found = seen.direction(towards).goodput_bytes;
            let wanted = seen.program[key].as_u64();
            if Some(found) != wanted {
                wrong.push(format!("{} connection {} {key}: {found}, not {wanted:?}", seen.label, seen.connection.id));
            }
        }
    });
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
    if scenarios::folder().is_some() {
        for (scenario, connections) in [("12_many_short", 200), ("12b_port_reuse", 120)] {
            for file in counts.keys().filter(|label| label.starts_with(&format!("{scenario}/"))) {
                assert_eq!(counts[file], connections, "{file}");
            }
        }
        assert!(counts.len() > 50, "{counts:?}");
    }
}

/// The stream of a subflow by the kernel's name for it, `local>remote`.
fn stream_of<'a>(seen: &Seen<'a>, name: &str) -> Option<(&'a Stream, Role)> {
    let plain = name.replace("[::ffff:10", "10").replace("]:", ":").replace(['[', ']'], "");
    let text = |endpoint: mptcp_trace::tracking::Endpoint| format!("{}:{}", endpoint.address, endpoint.port);
    seen.connection.subflows.iter().find_map(|id| {
        let stream = seen.capture.tracking.stream(*id)?;
        let (client, server) = (text(stream.client), text(stream.server));
        if plain == format!("{client}>{server}") {
            Some((stream, Role::Server))
        } else if plain == format!("{server}>{client}") {
            Some((stream, Role::Client))
        } else {
            None
        }
    })
}

/// When this end last sent payload on a stream towards `towards`, seconds since 1970.
fn last_payload(seen: &Seen<'_>, stream: &Stream, towards: Role) -> f64 {
    let rows = stream.packets.iter().map(|row| row.index());
    let sent = rows.filter(|row| stream.towards(&seen.capture.tracking.packets.as_slice()[*row]) == towards);
    let data = sent.map(|row| &seen.capture.segments[row]).filter(|segment| segment.payload().unwrap_or(0) > 0);
    data.map(|segment: &Segment| segment.abstime.nanoseconds()).max().map_or(0.0, |time| time as f64 / 1e9)
}

/// A subflow's counters are read every 50 ms while it lives: what was read last is final when nothing was sent after.
#[test]
fn subflow_bytes_are_those_of_tcp_info() {
    let mut wrong = Vec::new();
    let (mut compared, mut not_final) = (0, 0);
    each_end(|seen| {
        let Some(counters) = seen.program["subflows_last_seen"].as_object() else { return };
        let sent = seen.sent();
        for (name, counters) in counters {
            // A subflow whose peer's port is 0 is one that the kernel has closed and emptied.
            let Some((stream, towards)) = stream_of(seen, name) else { continue };
            if counters["sampled_at"].as_f64().expect("a time") < last_payload(seen, stream, towards) {
                not_final += 1;
                continue;
            }
            let share = sent.subflows.iter().find(|share| share.tcpstream == stream.id).expect("it is a subflow");
            let found = [Some(share.throughput_bytes), Some(share.retransmitted_bytes)];
            let wanted = ["bytes_sent", "bytes_retrans"].map(|key| counters[key].as_u64());
            compared += 1;
            if found != wanted {
                wrong.push(format!("{} stream {}: {found:?}, not {wanted:?}", seen.label, stream.id));
            }
        }
    });
    println!("{compared} subflows compared, {not_final} whose counters were read too early");
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 500 || scenarios::folder().is_none(), "only {compared}");
}

/// Linux counts what it queued again, the capture what was sent: equal where no subflow died with a full queue.
#[test]
fn reinjected_bytes_are_linuxs() {
    let mut found = Vec::new();
    each_end(|seen| {
        if ["06_", "06c", "07b", "11_"].iter().any(|scenario| seen.label.starts_with(scenario)) {
            let kernel = seen.program["mptcp_last"]["bytes_retrans"].as_u64();
            // Of what it queued again, some may go over the subflow that it went over before.
            let sent = seen.sent();
            let again = sent.reinjected_bytes + sent.resent_same_subflow_bytes;
            found.push((seen.label.clone(), Some(again), kernel));
        }
    });
    for (label, reinjected, kernel) in &found {
        assert_eq!(reinjected, kernel, "{label}");
    }
    println!("{found:?}");
    assert!(found.len() >= 8 || scenarios::folder().is_none(), "{found:?}");
}
