//! Messages about a capture when it is loaded: sentences without full stop.

use mptcp_trace::tracking::Capture;
use mptcp_trace::tracking::PointOfView;
use mptcp_trace::tracking::SeenAgain;
use mptcp_trace::tracking::copies::Copies;
use mptcp_trace::units::counted;

/// Messages about a capture's packets.
pub fn of(capture: &Capture) -> Vec<String> {
    let mut told = capture.facts.warnings.clone();
    if capture.facts.not_understood > 0 {
        told.push(
            "tshark knows more link types and tunnels: `--dissector tshark` loads the capture with it".to_string(),
        );
    }
    // Who chose a point of view knows.
    if capture.view == PointOfView::default() {
        told.extend(capture.copies.as_ref().map(of_copies));
    }
    told.extend(of_translated(&capture.tracking.again));
    told
}

fn of_copies(copies: &Copies) -> String {
    format!(
        "packets of {} were recorded {} times each ({}): each counts once, as recorded nearest to the client; \
         FILE@client and FILE@server select one place, `--copies all` counts all copies",
        counted(copies.streams.len(), "TCP stream"),
        copies.times,
        copies.difference()
    )
}

fn of_translated(again: &[SeenAgain]) -> Option<String> {
    let which = match again {
        [] => return None,
        [one] => format!("TCP stream {} is stream {}", one.stream, one.first),
        several => format!("{} TCP streams are others", several.len()),
    };
    Some(format!(
        "{which} again, recorded behind an address translator: each counts once, under its first addresses; see \
         `diagnose`, and `--interface NAME` for the other side"
    ))
}
