//! Fallbacks, joins and advertised addresses against what the kernels on both ends say.

use mptcp_trace::analysis::addresses::advertisements;
use mptcp_trace::analysis::fallback::fallback;
use mptcp_trace::analysis::joins::{JoinOutcome, joins};
use mptcp_trace::analysis::requests::{self, requests};
use mptcp_trace::tracking::Capture;
use mptcp_trace::tracking::authentication::HmacVerdict;
use serde_json::Value;

use crate::support::scenarios;

/// Every capture of a scenario that has the kernels' own account.
fn each_recorded(mut check: impl FnMut(&str, &str, &Capture, &Value) -> Vec<String>) {
    let mut wrong = Vec::new();
    for path in scenarios::captures() {
        let Some(truth) = scenarios::json(&path, "truth.json").filter(|t| t["app_client"].is_object()) else {
            continue;
        };
        let Some(capture) = scenarios::load(&path) else { continue };
        let end = if path.file_stem().is_some_and(|stem| stem.to_string_lossy().starts_with("client")) {
            "client"
        } else {
            "server"
        };
        let label = scenarios::label(&path);
        wrong.extend(check(&label, end, &capture, &truth).into_iter().map(|what| format!("{label}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn fell_back(truth: &Value, end: &str) -> bool {
    let connections = truth[format!("app_{end}")]["connections"].as_array();
    connections.into_iter().flatten().any(|c| c["fell_back_to_tcp_inferred"] == Value::Bool(true))
}

fn counter(truth: &Value, end: &str, name: &str) -> u64 {
    truth["nstat"][end]["MPTcpExt"][name].as_u64().unwrap_or(0)
}

#[test]
fn a_fallback_is_seen_where_the_kernels_fell_back_and_nowhere_else() {
    each_recorded(|_, _, capture, truth| {
        let mptcp: Vec<_> = capture.tracking.connections.iter().filter(|c| c.hosts.server.key.is_some()).collect();
        let plain = mptcp.is_empty();
        let found = mptcp.iter().any(|connection| fallback(capture, connection).is_some());
        let either = fell_back(truth, "client") || fell_back(truth, "server");
        // After MP_FAIL on the only subflow the data that follows is plain TCP, whatever the sockets then answer.
        let failed = counter(truth, "client", "InfiniteMapTx") + counter(truth, "server", "InfiniteMapTx") > 0;
        let mut wrong = Vec::new();
        if (found || plain) != (either || failed) {
            wrong.push(format!("fallback seen: {found}, kernels fell back: {either}, infinite mapping: {failed}"));
        }
        wrong
    });
}

#[test]
fn a_declined_handshake_is_the_clients_fallback_on_the_syn_ack() {
    each_recorded(|_, end, capture, truth| {
        let declined =
            requests(capture).into_iter().filter(|request| request.outcome == requests::RequestOutcome::Declined);
        let found = declined.count() as u64;
        let wanted = counter(truth, "client", "MPCapableFallbackSYNACK");
        // At the server, a SYN stripped on its way never asked, and an option stripped from the answer was sent.
        if end == "client" && found != wanted {
            return vec![format!("{found} declined, the kernel counted {wanted}")];
        }
        Vec::new()
    });
}

#[test]
fn joins_end_as_the_kernels_counted() {
    each_recorded(|_, end, capture, truth| {
        let attempts: Vec<_> =
            capture.tracking.connections.iter().flat_map(|connection| joins(capture, connection)).collect();
        let established = attempts.iter().filter(|join| join.outcome == JoinOutcome::Established).count() as u64;
        let wrong_hmac = attempts.iter().any(|join| join.hmac_is_wrong());
        let mut wrong = Vec::new();
        let wanted = counter(truth, "server", "MPJoinAckRx") + counter(truth, "client", "MPJoinAckRx");
        if established != wanted {
            wrong.push(format!("{established} joins established at the {end}, the kernels counted {wanted}"));
        }
        let altered =
            counter(truth, "server", "MPJoinAckHMacFailure") + counter(truth, "client", "MPJoinSynAckHMacFailure");
        // The end that sent it recorded it before it was altered.
        let seen_here = (end == "server" && counter(truth, "server", "MPJoinAckHMacFailure") > 0)
            || (end == "client" && counter(truth, "client", "MPJoinSynAckHMacFailure") > 0);
        if wrong_hmac != (altered > 0 && seen_here) {
            wrong.push(format!("wrong HMAC seen at the {end}: {wrong_hmac}, kernels counted {altered}"));
        }
        wrong
    });
}

#[test]
fn advertised_addresses_are_echoed_as_the_kernels_counted() {
    each_recorded(|label, end, capture, truth| {
        let found: Vec<_> =
            capture.tracking.connections.iter().flat_map(|connection| advertisements(capture, connection)).collect();
        let echoed = found.iter().filter(|advertisement| advertisement.echo.is_some()).count() as u64;
        let wanted = counter(truth, "client", "EchoAdd") + counter(truth, "server", "EchoAdd");
        let mut wrong = Vec::new();
        if echoed != wanted {
            wrong.push(format!("{echoed} echoes, the kernels counted {wanted}"));
        }
        let altered = label.starts_with("03c") && end == "client";
        for advertisement in &found {
            let expected = if altered { HmacVerdict::Invalid } else { HmacVerdict::Valid };
            if advertisement.verdict != expected {
                wrong.push(format!("the HMAC of {:?} is {:?}", advertisement.option, advertisement.verdict));
            }
        }
        wrong
    });
}
