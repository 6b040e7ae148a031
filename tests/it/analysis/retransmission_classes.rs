//! The classes of `retransmissions` against the counters of the kernel that sent them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::program::Home;
use crate::support::scenarios;

/// Captures at either end of the scenarios, with that end's counters.
fn ends() -> Vec<(PathBuf, Value, &'static str)> {
    let of = |path: PathBuf| {
        let end = path.file_stem()?.to_str()?.to_string();
        let peer = match end.as_str() {
            "client" => "server",
            "server" => "client",
            _ => return None,
        };
        let counters = scenarios::json(&path, "truth.json")?["nstat"][&end].clone();
        let small = std::fs::metadata(&path).is_ok_and(|file| file.len() < 3_000_000);
        (small && !counters.is_null()).then_some((path, counters, peer))
    };
    scenarios::captures().into_iter().filter_map(of).collect()
}

/// What an end sent, by class.
fn counts(capture: &Path, peer: &str) -> Option<BTreeMap<String, u64>> {
    let home = Home::new();
    let load = ["--no-cache", "-l", capture.to_str().unwrap()];
    let listed = home.run(&[&load[..], &["lc", "--json"]].concat(), "");
    let listed: Value = serde_json::from_str(&listed.results).ok()?;
    let mut counts = BTreeMap::new();
    for connection in listed.as_array()? {
        let id = connection["mptcpstream"].to_string();
        let words = ["retransmissions", "--mptcpstream", &id, "--towards", peer, "--json"];
        let run = home.run(&[&load[..], &words].concat(), "");
        for one in serde_json::from_str::<Value>(&run.results).ok()?.as_array()? {
            *counts.entry(one["class"].as_str()?.to_string()).or_default() += 1;
        }
    }
    Some(counts)
}

/// Linux counts a retransmission in slow start after a timeout (TCPSlowStartRetrans), on a timer (TCPTimeouts), or else as fast
/// (TCPFastRetrans), whether it was needless or not: that it learns by D-SACK (TCPDSACKRecv).
#[test]
fn classes_are_those_of_the_kernel_s_counters() {
    let mut compared = 0;
    for (capture, counters, peer) in ends() {
        let label = scenarios::label(&capture);
        let of = |group: &str, name: &str| counters[group][name].as_u64().unwrap_or(0);
        let sent = of("Tcp", "RetransSegs");
        let Some(counts) = counts(&capture, peer).filter(|_| sent >= 10) else { continue };
        let class = |name: &str| counts.get(name).copied().unwrap_or(0);
        // The kernel counts handshakes and streams without MPTCP as well, and one end may have sent what was not captured.
        if counts.values().sum::<u64>() != sent {
            continue;
        }
        if label.starts_with("06c") {
            // Both ways swallow packets for 0.6 s. The kernel knows which timers it took back, and what was needless is of any
            // class: a tenth of all at most differs.
            let near = |found: u64, counter: &str| {
                let wanted = of("TcpExt", counter);
                found <= wanted + sent / 10 && wanted <= found + class("spurious") + sent / 10
            };
            assert!(near(class("fast"), "TCPFastRetrans"), "{label}: {counts:?}, {counters}");
            assert!(near(class("recovery"), "TCPSlowStartRetrans"), "{label}: {counts:?}, {counters}");
            assert!(near(class("rto"), "TCPTimeouts"), "{label}: {counts:?}, {counters}");
            continue;
        }
        let expected = ["TCPTimeouts", "TCPSlowStartRetrans", "TCPFastRetrans"].map(|name| of("TcpExt", name));
        let found = [class("rto"), class("recovery"), class("fast") + class("spurious")];
        assert_eq!(found, expected, "{label}: {counts:?}");
        // The other end's copies made by the path are reported, too.
        if !label.starts_with("06b") {
            assert_eq!(class("spurious"), of("TcpExt", "TCPDSACKRecv"), "{label}: {counts:?}");
        }
        assert_eq!(class("other") + class("tail"), 0, "{label}: {counts:?}");
        compared += 1;
    }
    println!("{compared} ends compared");
    assert!(compared > 20 || scenarios::folder().is_none(), "{compared} ends compared");
}
