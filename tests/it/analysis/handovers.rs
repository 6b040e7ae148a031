//! `handovers` against what the lab did to the paths: when the relay swallowed everything, and when endpoints were changed.

use std::path::{Path, PathBuf};

use mptcp_trace::analysis::handovers::{Cause, Handover, handovers};
use mptcp_trace::analysis::subflows::subflows;
use mptcp_trace::tracking::Role;
use serde_json::Value;

use crate::support::scenarios;

/// A handover, with the client's address on the subflow that stopped, and absolute times.
#[derive(Debug)]
struct Found {
    handover: Handover,
    address: String,
    stopped: f64,
    returned: Option<f64>,
}

fn found(capture: &Path) -> Vec<Found> {
    let loaded = scenarios::load(capture).unwrap();
    let connection = loaded.tracking.whole_connections().next().unwrap();
    let origin = loaded.origin().nanoseconds() as f64 / 1e9;
    let streams = subflows(&loaded, connection);
    let of = |handover: Handover| {
        let from = streams.iter().find(|subflow| subflow.tcpstream == handover.from).unwrap();
        Found {
            address: from.client_ip.to_string(),
            stopped: origin + handover.stopped,
            returned: handover.returned.map(|time| origin + time),
            handover,
        }
    };
    handovers(&loaded, connection).into_iter().map(of).collect()
}

fn ends(scenario: &str) -> Vec<PathBuf> {
    let Some(folder) = scenarios::folder() else { return Vec::new() };
    let both = ["client", "server"]
        .into_iter()
        .flat_map(|end| ["pcap", "pcapng"].map(|ending| folder.join(scenario).join(format!("{end}.{ending}"))));
    both.filter(|path| path.is_file()).collect()
}

/// Times at which the relay began to swallow all packets of a path.
fn blackouts(capture: &Path) -> Vec<(String, f64)> {
    let text = std::fs::read_to_string(capture.with_file_name("relay_events.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of = |line: Value| {
        let path = line["cmd"].as_str()?.strip_prefix("set ")?.strip_suffix(" both blackhole 1")?.to_string();
        Some((path, line["t"].as_f64().unwrap()))
    };
    lines.filter_map(of).collect()
}

/// What was under way still arrives, for as long as the queue of the relay holds packets: 64 KiB at 10 Mbit/s or less.
const UNDER_WAY: f64 = 0.08;

#[test]
fn a_path_that_swallows_everything_hands_its_data_over_when_it_begins() {
    for scenario in ["05_backup_failover", "05b_failover_permanent"] {
        for capture in ends(scenario) {
            let [(path, begun)] = &blackouts(&capture)[..] else { panic!("one blackout") };
            let found = found(&capture);
            let upload: Vec<&Found> = found.iter().filter(|one| one.handover.towards == Role::Server).collect();
            let [one] = upload[..] else { panic!("{}: {found:?}", capture.display()) };
            assert_eq!(one.handover.cause, Cause::Silent, "{one:?}");
            assert_eq!(one.address, format!("10.0.{path}.1"), "{one:?}");
            let late = one.stopped - begun;
            assert!((-0.001..UNDER_WAY).contains(&late), "{}: {late} s, {one:?}", capture.display());
            // In the first of them the other subflow was a backup.
            assert_eq!(one.handover.carried_before, scenario == "05b_failover_permanent", "{one:?}");
            assert!(one.handover.gap < 0.3 && one.returned.is_none(), "{one:?}");
            // The answer of the server is lost on the same path later.
            assert!(found.iter().all(|other| other.address == one.address), "{found:?}");
        }
    }
}

/// Paths 1 and 2 swallow everything for 0.6 s in turn. Path 1 is heard again within a second, path 2 with longer round trips
/// is not: its data go over path 1 and come back.
#[test]
fn a_blackout_of_a_second_is_a_handover_and_a_shorter_one_is_not() {
    for capture in ends("06c_lossy_blackouts") {
        let blackouts = blackouts(&capture);
        let found = found(&capture);
        let mut seen = [false; 2];
        for one in &found {
            let path = one.address.strip_prefix("10.0.").unwrap().strip_suffix(".1").unwrap();
            let of_path = blackouts.iter().filter(|(other, _)| other == path).map(|(_, begun)| one.stopped - begun);
            let (place, _) = of_path
                .enumerate()
                .find(|(_, late)| (-0.001..UNDER_WAY).contains(late))
                .unwrap_or_else(|| panic!("{}: {one:?}: {blackouts:?}", capture.display()));
            assert_eq!((one.handover.cause, path), (Cause::Silent, "2"), "{one:?}");
            seen[place] = true;
        }
        assert_eq!(seen, [true, true], "{}: {found:?}", capture.display());
    }
}

#[test]
fn endpoints_that_were_changed_and_deleted_hand_over() {
    for capture in ends("04_rm_addr_prio") {
        let truth = scenarios::json(&capture, "truth.json").unwrap();
        let events = truth["events"].as_array().unwrap();
        let time = |event: &str| events.iter().find(|one| one["ev"] == event).unwrap()["t"].as_f64().unwrap();
        let found = found(&capture);
        let upload = |cause: Cause, event: &str| -> Vec<&Found> {
            // The lab notes the time when the command has ended.
            let near = |one: &&Found| (one.stopped - time(event)).abs() < 0.06;
            let of = found.iter().filter(|one| one.handover.towards == Role::Server && one.handover.cause == cause);
            of.filter(near).collect()
        };
        let [backup] = upload(Cause::Backup, "client: ip mptcp endpoint change id 2 backup")[..] else {
            panic!("{}: {found:?}", capture.display())
        };
        let again = time("client: ip mptcp endpoint change id 2 nobackup");
        assert!((0.0..0.2).contains(&(backup.returned.unwrap() - again)), "{backup:?}, {again}");
        let removed = upload(Cause::RemoveAddr, "client: ip mptcp endpoint del id 3");
        let addresses: Vec<&str> = removed.iter().map(|one| &*one.address).collect();
        assert_eq!(addresses, ["10.0.3.1", "10.0.3.1"], "{found:?}");
        let removed = upload(Cause::RemoveAddr, "client: ip mptcp endpoint del id 2");
        assert_eq!(removed.iter().map(|one| &*one.address).collect::<Vec<_>>(), ["10.0.2.1"], "{found:?}");
        assert_eq!(found.iter().filter(|one| one.handover.towards == Role::Server).count(), 4, "{found:?}");
    }
}

/// One of two subflows is closed with MP_FAIL (README of the scenarios).
#[test]
fn a_failed_checksum_hands_over() {
    for capture in ends("08b_mpfail_two") {
        let found = found(&capture);
        let [one] = &found[..] else { panic!("{}: {found:?}", capture.display()) };
        assert_eq!((one.handover.cause, one.handover.towards), (Cause::MpFail, Role::Server));
    }
}

/// Nothing happened to these paths but loss, reordering and limits; in the last ones data is on one subflow, then on the other.
#[test]
fn what_a_scheduler_does_is_not_a_handover() {
    let scenarios_without = [
        "01_basic",
        "02_fullmesh",
        "03_add_addr",
        "06_lossy",
        "06b_reorder_dup",
        "07a_fastclose_client",
        "07b_fastclose_server",
        "10_ipv6_mixed",
        "11_nat",
        "13c_truncated_file",
        "18a_application_limited",
        "18b_slow_reader",
        "18f_phases",
        "18g_unequal_paths",
    ];
    let captures = scenarios_without.iter().flat_map(|scenario| ends(scenario));
    let field = ["09_addr_used_by_advertiser.pcap", "11_join_options_stripped.pcap", "24_primary_dead_stall.pcap"];
    for capture in captures.chain(field.into_iter().filter_map(scenarios::field)) {
        let found = found(&capture);
        assert!(found.is_empty(), "{}: {found:?}", capture.display());
    }
}
