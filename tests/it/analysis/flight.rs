//! Bytes in flight and estimates of congestion windows, against the kernels' counters and Wireshark's.

use std::collections::HashMap;
use std::path::Path;

use mptcp_trace::analysis::congestion_window::round_trips;
use mptcp_trace::analysis::flight::{Moment, data_flight, stream_flight};
use mptcp_trace::tracking::data::data_sequence;
use mptcp_trace::tracking::{Capture, Endpoint, Role, Stream};
use mptcp_trace::{Instant, Span};
use serde_json::Value;

use crate::support::scenarios;

/// What Wireshark says is in flight behind each packet with data, by packet id.
fn wiresharks(path: &Path) -> HashMap<u64, u64> {
    let lines = scenarios::tshark(path, &["frame.number", "tcp.analysis.bytes_in_flight"]);
    let parsed = lines.iter().filter_map(|line| line.split_once('\t'));
    parsed.filter_map(|(packetid, bytes)| Some((packetid.parse().ok()?, bytes.parse().ok()?))).collect()
}

/// Wireshark takes off what the newest ACK's SACK blocks report, some of it at least: where there are any its number
/// lies between the two of ours.
#[test]
fn wireshark_counts_the_same_bytes_in_flight() {
    let Some(folder) = scenarios::folder() else { return };
    let (mut same, mut between, mut other) = (0, 0, Vec::new());
    for (file, towards) in [
        ("01_basic/client.pcapng", Role::Server),
        ("11_nat/client.pcap", Role::Server),
        ("06c_lossy_blackouts/client.pcapng", Role::Server),
        ("16b_gso/client.pcapng", Role::Server),
        ("12_many_short/server.pcapng", Role::Client),
    ] {
        let path = folder.join(file);
        let capture = scenarios::load(&path).unwrap();
        let theirs = wiresharks(&path);
        for stream in &capture.tracking.streams {
            let moments = stream_flight(&capture.segments, &capture.tracking, stream);
            for moment in moments.get(towards) {
                let segment = &capture.segments[moment.row.index()];
                let sends = stream.towards(&capture.tracking.packets.as_slice()[moment.row.index()]) == towards;
                let Some(wanted) = theirs.get(&segment.packetid()).filter(|_| sends && segment.payload() > Some(0))
                else {
                    continue;
                };
                if moment.selectively == 0 && moment.in_flight() == *wanted {
                    same += 1;
                } else if moment.selectively > 0 && (moment.unaccounted()..=moment.in_flight()).contains(wanted) {
                    between += 1;
                } else {
                    other.push(format!("{file} packet {}: {moment:?}, Wireshark has {wanted}", segment.packetid()));
                }
            }
        }
    }
    println!("{same} the same, {between} between, {other:?}");
    assert!(same > 5000 && between > 2500, "{same} and {between}");
    // It also takes off what a block reports as received twice (RFC 2883), and counts from data that are sent again
    // although they were acknowledged.
    assert!(other.len() <= 3, "{}", other.join("\n"));
}

/// A subflow of a kernel that sampled it, in the capture beside that kernel.
struct Sampled<'a> {
    label: String,
    congestion_control: String,
    capture: &'a Capture,
    stream: &'a Stream,
    towards: Role,
    /// Its `tcp_info`.
    counters: Value,
}

impl Sampled<'_> {
    fn number(&self, key: &str) -> u64 {
        self.counters[key].as_u64().unwrap_or_else(|| panic!("{}: no {key}", self.label))
    }

    fn moments(&self) -> Vec<Moment> {
        let flight = stream_flight(&self.capture.segments, &self.capture.tracking, self.stream);
        flight.get(self.towards).clone()
    }

    /// Until the kernel was asked.
    fn until_sampled(&self) -> Vec<Moment> {
        let sampled = Instant::EPOCH + Span::rounded(self.counters["sampled_at"].as_f64().unwrap());
        self.moments().into_iter().take_while(|moment| moment.time <= sampled).collect()
    }
}

/// The stream of a subflow by the kernel's name for it, `local>remote`, and the way that end sends.
fn stream_of<'a>(capture: &'a Capture, name: &str) -> Option<(&'a Stream, Role)> {
    let plain = name.replace("[::ffff:10", "10").replace("]:", ":").replace(['[', ']'], "");
    let text = |endpoint: Endpoint| format!("{}:{}", endpoint.address, endpoint.port);
    capture.tracking.streams.iter().find_map(|stream| {
        let (client, server) = (text(stream.client), text(stream.server));
        let named = |from: &str, to: &str| plain == format!("{from}>{to}");
        let towards = named(&client, &server).then_some(Role::Server);
        towards.or(named(&server, &client).then_some(Role::Client)).map(|towards| (stream, towards))
    })
}

/// Every subflow that a kernel was asked about, in captures that hold all of it; ports are used again in 12b, 14* are 02
/// and 06 under other clocks.
fn each_sampled(mut check: impl FnMut(&Sampled<'_>)) {
    for path in scenarios::captures() {
        let own = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_string();
        let label = scenarios::label(&path);
        let unfit = ["12b", "13", "14", "v0"].iter().any(|scenario| label.starts_with(scenario));
        if unfit || !["client", "server"].contains(&own.as_str()) {
            continue;
        }
        let Some(truth) = scenarios::json(&path, "truth.json") else { continue };
        let Some(capture) = scenarios::load(&path) else { continue };
        for program in truth[format!("app_{own}")]["connections"].as_array().into_iter().flatten() {
            for (name, counters) in program["subflows_last_seen"].as_object().into_iter().flatten() {
                let Some((stream, towards)) = stream_of(&capture, name) else { continue };
                check(&Sampled {
                    label: format!("{label} {name}"),
                    congestion_control: truth["congestion_control"].as_str().unwrap().to_string(),
                    capture: &capture,
                    stream,
                    towards,
                    counters: counters.clone(),
                });
            }
        }
    }
}

/// The kernel counts packets, ours are bytes: a packet has at most its MSS, all but a few the MSS without the option
/// DSS (at most 28 bytes). A FIN counts as a packet, too.
#[test]
fn in_flight_are_the_packets_that_the_kernel_has_out() {
    let mut compared = 0;
    each_sampled(|sampled| {
        let out = sampled.number("unacked");
        let found = sampled.until_sampled().last().map_or(0, Moment::in_flight);
        let most = out * sampled.number("snd_mss");
        let least = out.saturating_sub(3) * (sampled.number("snd_mss") - 28);
        assert!((least..=most).contains(&found), "{}: {found} bytes, {out} packets out", sampled.label);
        compared += usize::from(out > 10);
    });
    println!("{compared} subflows with more than 10 packets out");
    assert!(compared >= 10 || scenarios::folder().is_none(), "only {compared}");
}

/// Linux begins with a window of ten packets (RFC 6928): the first round trip of who has more to send shows all of it.
#[test]
fn the_first_round_trip_shows_the_initial_window() {
    let (mut reached, mut compared) = (0, 0);
    each_sampled(|sampled| {
        let rounds = round_trips(&sampled.moments());
        let Some(first) = rounds.first().filter(|round| !round.recovering).copied() else { return };
        let initial = 10 * sampled.number("snd_mss");
        // Where the first frame is a large one, an ACK of its first half makes the window a packet larger.
        assert!(first.most <= initial + sampled.number("snd_mss"), "{}: {first:?}", sampled.label);
        compared += 1;
        reached += usize::from(first.most == 10 * (sampled.number("snd_mss") - 28));
    });
    println!("{compared} first round trips, {reached} of ten full packets");
    assert!((compared > 400 && reached > 50) || scenarios::folder().is_none(), "{compared}, {reached}");
}

/// CUBIC makes its window smaller only after a loss or while it is not used, so that what was under way in the last
/// round trip without loss is within the window that the kernel tells later. Who used all of its window is seen to:
/// as many packets were out as it allows.
#[test]
fn estimates_are_within_the_kernels_congestion_window() {
    let (mut within, mut reached, mut wrong) = (0, 0, Vec::new());
    each_sampled(|sampled| {
        let (window, mss) = (sampled.number("snd_cwnd"), sampled.number("snd_mss"));
        let rounds = round_trips(&sampled.until_sampled());
        let Some(last) = rounds.last().filter(|round| !round.recovering) else { return };
        if sampled.congestion_control == "cubic" {
            within += 1;
            if last.most > (window + 1) * mss {
                wrong.push(format!("{}: {last:?}, the window is {window} packets", sampled.label));
            }
        }
        if sampled.number("unacked") == window {
            reached += 1;
            let least = (window - 2) * (mss - 28);
            assert!(last.most >= least, "{}: {last:?} of {window} packets", sampled.label);
        }
    });
    println!("{within} within the window, {reached} that fill it");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!((within > 300 && reached >= 4) || scenarios::folder().is_none(), "{within}, {reached}");
}

/// The application's bytes and the DATA_FIN are all acknowledged in the end.
#[test]
fn the_data_level_ends_with_nothing_in_flight() {
    let mut compared = 0;
    for path in scenarios::captures() {
        let label = scenarios::label(&path);
        if !["01", "02", "06", "10", "11", "16b", "17"].iter().any(|scenario| label.starts_with(scenario)) {
            continue;
        }
        let Some(capture) = scenarios::load(&path) else { continue };
        for connection in &capture.tracking.connections {
            let sequence = data_sequence(&capture.segments, &capture.tracking, connection);
            for towards in Role::BOTH {
                let moments = data_flight(sequence.get(towards));
                let (first, last) = (moments.first().unwrap(), moments.last().unwrap());
                assert_eq!(last.in_flight(), 0, "{label} towards the {}: {last:?}", towards.name());
                // One for DATA_FIN.
                let written = application_bytes(&path, towards) + 1;
                assert_eq!(last.acknowledged - first.acknowledged, written, "{label} towards the {}", towards.name());
                compared += 1;
            }
        }
    }
    assert!(compared > 20 || scenarios::folder().is_none(), "only {compared}");
}

/// What the application of the other end sent towards this one.
fn application_bytes(path: &Path, towards: Role) -> u64 {
    let truth = scenarios::json(path, "truth.json").unwrap();
    truth[format!("app_{}", towards.other().name())]["connections"][0]["sent"].as_u64().unwrap()
}
