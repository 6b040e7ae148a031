//! `load_topo` and `mptcp_required_buffer`: RFC 6182 §5.3 by hand, and a capture against tshark's fields.

use std::path::Path;

use serde_json::Value;

use crate::support::program::Home;
use crate::support::scenarios;

fn told(arguments: &[&str], lines: &str) -> Value {
    let run = Home::new().run(arguments, lines);
    assert_eq!(run.code, Some(0), "{lines}: {}", run.messages);
    serde_json::from_str(&run.results).expect("JSON")
}

/// 10 Mbit/s at 20 ms and 4 Mbit/s at 100 ms: 1,750,000 B/s for 100 ms.
#[test]
fn a_topology_needs_all_rates_for_the_longest_round_trip() {
    let home = Home::new();
    let paths = r#"{"receiver": {"rcv_buffer": 200}, "subflows": [{"rate": "10M", "fowd": 8, "bowd": 12},
                    {"name": "far", "rate": 4000000, "owd": 50, "loss": 0.01}]}"#;
    let file = home.write("paths.json", paths);
    let script = format!("load_topo {}\n", file.display());
    let found = home.run(&[], &format!("{script}mptcp_required_buffer --format json\n"));
    assert_eq!(found.code, Some(0), "{}", found.messages);
    let from = found.results.find('[').expect("a list");
    let found: Value = serde_json::from_str(&found.results[from..]).unwrap();
    let numbers = ["without_loss", "recommended", "receive_buffer"].map(|key| found[0][key].as_u64());
    assert_eq!(numbers, [Some(175_000), Some(350_000), Some(200_000)]);
    assert_eq!((found[0]["slowest_path"].as_str(), found[0]["suffices"].as_str()), (Some("far"), Some("without_loss")));

    // At 20 Mbit/s more, a rate given on the line: 3,000,000 B/s for 100 ms is more than the buffer.
    let more = home.run(&[], &format!("{script}mptcp_required_buffer --rate 0=20M --format ndjson\n"));
    let more: Value = serde_json::from_str(more.results.lines().last().unwrap()).unwrap();
    assert_eq!((more["without_loss"].as_u64(), more["suffices"].as_str()), (Some(300_000), Some("no")));
}

#[test]
fn a_rate_that_nobody_gave_is_asked_for() {
    let home = Home::new();
    let file = home.write("paths.json", r#"{"subflows": [{"mss": 1500, "f": 50, "b": 10, "loss": 0.05}]}"#);
    let load = format!("load_topo {}\n", file.display());
    let run = home.run(&[], &format!("{load}mptcp_required_buffer\n"));
    assert_eq!(run.code, Some(1), "{}", run.messages);
    assert!(run.messages.contains("path 0 of the topology has no rate; add `--rate 0=20M`"), "{}", run.messages);
    let beyond = home.run(&[], &format!("{load}mptcp_required_buffer --rate 0=1M --rate 7=1M\n"));
    assert!(beyond.messages.contains("the topology has no path 7: it has 1 path, from 0"), "{}", beyond.messages);
    let nothing = home.run(&[], "mptcp_required_buffer\n");
    assert_eq!(nothing.code, Some(2), "{}", nothing.messages);
    let wrong = home.write("wrong.json", "{\"subflows\": 1}");
    let wrong = home.run(&[], &format!("load_topo {}\n", wrong.display()));
    assert_eq!(wrong.code, Some(1), "{}", wrong.messages);
    assert!(wrong.messages.contains("is not a topology: it has no list `subflows`"), "{}", wrong.messages);
    let missing = home.run(&[], "load_topo nothing.json\n");
    assert!(missing.messages.contains("nothing.json: no such file; check the path"), "{}", missing.messages);
    // A device without an end must not be read into memory.
    let endless = home.run(&[], "load_topo /dev/zero\n");
    assert!(endless.messages.contains("it is larger than 64 MiB"), "{}", endless.messages);
}

/// At the receiver, round trips are those of the handshakes, which tshark measures; the window is tshark's largest one.
#[test]
fn a_capture_is_measured_path_by_path() {
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/server.pcapng");
    let found = told(&["-l", capture.to_str().unwrap(), "mptcp_required_buffer", "0", "--format", "json"], "");
    let upload = &found[0];
    assert_eq!((upload["source"].as_str(), upload["towards"].as_str()), (Some("capture"), Some("server")));
    let mut round_trips = [0.0_f64; 2];
    let mut window = 0;
    for line in scenarios::tshark(
        &capture,
        &["tcp.stream", "tcp.analysis.initial_rtt", "tcp.srcport", "tcp.window_size", "tcp.flags.syn"],
    ) {
        let fields: Vec<&str> = line.split('\t').collect();
        // What is not TCP has no stream.
        let Ok(stream) = fields[0].parse::<usize>() else { continue };
        if let Ok(rtt) = fields[1].parse::<f64>() {
            round_trips[stream] = rtt;
        }
        if fields[2] == "5001" && !["1", "True"].contains(&fields[4]) {
            window = window.max(fields[3].parse::<u64>().unwrap());
        }
    }
    let paths = upload["paths"].as_array().unwrap();
    for (path, expected) in paths.iter().zip(round_trips) {
        assert_eq!(path["rtt_from"], "handshake");
        assert!((path["rtt"].as_f64().unwrap() - expected).abs() < 1e-6, "{path} {expected}");
    }
    assert_eq!(upload["receive_buffer"].as_u64(), Some(window));
    let rates: f64 = paths.iter().map(|path| path["rate"].as_f64().unwrap()).sum();
    let longest = round_trips[0].max(round_trips[1]);
    let needed = upload["without_loss"].as_f64().unwrap();
    assert!((needed - rates * longest).abs() < 2.0, "{needed} {rates} {longest}");
    assert!((upload["recommended"].as_f64().unwrap() - 2.0 * rates * longest).abs() < 2.0);
}
