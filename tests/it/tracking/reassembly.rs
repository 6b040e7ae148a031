//! The stream put together from the subflows by data sequence numbers is, byte for byte, what the application wrote.

use std::collections::HashMap;

use mptcp_trace::tracking::data::data_level;
use mptcp_trace::tracking::{Capture, Connection, Role};
use mptcpanalyzer::packets::tshark;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::scenarios;

/// Scenarios whose application's data was never all sent as MPTCP data.
const ENDED_OTHERWISE: &[&str] =
    &["07a", "07b", "08a", "08d", "08e", "08f", "09a", "09b", "09c", "09d", "09e", "09f", "09g"];

fn is_whole(capture: &Capture) -> bool {
    let frames = (0..capture.segments.len()).map(|row| capture.frames.get(row));
    !capture.segments.is_empty() && frames.into_iter().all(|frame| frame.wire_length == frame.captured_length)
}

/// SHA-256 of the data towards an end; `None` when bytes are missing.
fn digest(capture: &Capture, connection: &Connection, towards: Role) -> Option<String> {
    let level = data_level(&capture.segments, &capture.tracking, connection);
    let mut places: HashMap<u64, u64> = HashMap::new();
    for (row, data) in level.rows.iter().zip(&level.packets) {
        let segment = &capture.segments[row.index()];
        let packet = &capture.tracking.packets.as_slice()[row.index()];
        let stream = capture.tracking.stream(packet.stream)?;
        let subflow = capture.tracking.subflow(packet.stream)?;
        let travels = mptcp_trace::tracking::Tracking::mptcp_towards(subflow, stream.towards(packet));
        if let Some(dsn) = data.relative_dsn.filter(|_| travels == towards) {
            places.insert(segment.packetid(), dsn - 1);
        }
    }
    let goodput = usize::try_from(level.directions.get(towards).goodput).ok()?;
    let mut bytes = vec![None; goodput];
    let put = |packetid: u64, payload: &[u8]| {
        let Some(place) = places.get(&packetid) else { return };
        for (index, byte) in payload.iter().enumerate() {
            if let Some(slot) = bytes.get_mut(*place as usize + index) {
                *slot = Some(*byte);
            }
        }
    };
    tshark::payloads(scenarios::installed_tshark(), &capture.path, &connection.subflows, put).ok()?;
    let bytes: Vec<u8> = bytes.into_iter().collect::<Option<_>>()?;
    Some(Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

#[test]
fn the_reassembled_stream_is_what_the_application_wrote() {
    let mut checked = Vec::new();
    for path in scenarios::captures() {
        let label = scenarios::label(&path);
        let Some(truth) = scenarios::json(&path, "truth.json") else { continue };
        let opened = truth["app_client"]["connections"].as_array().cloned().unwrap_or_default();
        // The scenarios of many connections are compared by volume elsewhere.
        let [application] = opened.as_slice() else { continue };
        if ENDED_OTHERWISE.iter().any(|scenario| label.starts_with(scenario)) || label.contains("unsorted") {
            continue;
        }
        let Some(capture) = scenarios::load(&path).filter(|capture| is_whole(capture)) else { continue };
        let connection = capture.tracking.connections.iter().next().expect("the scenario has a connection");
        let pairs = [(Role::Server, "sha256_sent"), (Role::Client, "sha256_received")];
        for (towards, key) in pairs {
            let Value::String(wanted) = &application[key] else { continue };
            // Where the path altered data, what arrived is not what was written; that end's kernel counted it.
            let altered = truth["nstat"][towards.name()]["MPTcpExt"]["DataCsumErr"].as_u64().unwrap_or(0) > 0;
            if altered && label.contains(&format!("/{}.", towards.name())) {
                continue;
            }
            let found = digest(&capture, connection, towards);
            assert_eq!(found.as_ref(), Some(wanted), "{label} towards the {}", towards.name());
        }
        checked.push(label);
    }
    println!("reassembled {}: {}", checked.len(), checked.join(", "));
    assert!(checked.len() >= 6 || scenarios::folder().is_none(), "only {checked:?} were whole");
}
