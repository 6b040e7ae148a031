//! Answers of `sql` against tshark's fields and the independent reader's volumes.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::program::{Home, examples};
use crate::support::scenarios;

fn asked(path: &Path, query: &str) -> Vec<Value> {
    let home = Home::new();
    let done = home.run(&["--load", path.to_str().expect("UTF-8"), "--format", "json", "sql", query], "");
    assert_eq!(done.code, Some(0), "{}", done.messages);
    serde_json::from_str::<Vec<Value>>(&done.results).expect("an array of rows")
}

fn refused(query: &str) -> String {
    let Some(folder) = examples() else { return String::new() };
    let done = Home::new().run(&["--load", folder.join("client.pcapng").to_str().expect("UTF-8"), "sql", query], "");
    assert!(matches!(done.code, Some(1 | 2)) && done.results.is_empty(), "{:?} {}", done.code, done.results);
    done.messages
}

#[test]
fn packets_are_tsharks() {
    let Some(folder) = examples() else { return };
    let path = folder.join("client.pcapng");
    let mut wanted: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for line in scenarios::tshark(&path, &["tcp.stream", "tcp.len"]) {
        let numbers: Vec<u64> = line.split('\t').filter_map(|field| field.parse().ok()).collect();
        if let [stream, length] = numbers[..] {
            let (packets, bytes) = wanted.entry(stream).or_default();
            (*packets, *bytes) = (*packets + 1, *bytes + length);
        }
    }
    let wanted: Vec<Value> = wanted
        .iter()
        .map(|(stream, (packets, bytes))| json!({"tcpstream": stream, "packets": packets, "bytes": bytes}))
        .collect();
    assert!(wanted.len() == 2);
    let query = "SELECT tcpstream, COUNT(*) AS packets, SUM(tcplen) AS bytes FROM packets \
                 GROUP BY tcpstream ORDER BY tcpstream";
    assert_eq!(asked(&path, query), wanted);
    // A difference of two unsigned columns may be negative; a span is a number of seconds.
    let query = "SELECT MIN(tcplen - framelen) AS least, MAX(reltime) AS span FROM packets";
    let frames = scenarios::tshark(&path, &["frame.len", "tcp.len", "frame.time_relative"]);
    // Frames of other protocols have no payload length.
    let frames: Vec<Vec<f64>> = frames
        .iter()
        .map(|line| line.split('\t').filter_map(|field| field.parse().ok()).collect::<Vec<f64>>())
        .filter(|numbers| numbers.len() == 3)
        .collect();
    let least = frames.iter().map(|numbers| numbers[1] - numbers[0]).fold(f64::MAX, f64::min);
    let answer = asked(&path, query);
    assert_eq!(answer[0]["least"].as_f64(), Some(least));
    let span = frames[frames.len() - 1][2];
    assert!((answer[0]["span"].as_f64().expect("seconds") - span).abs() < 1e-6);
}

#[test]
fn lists_and_keys_can_be_asked_for() {
    let Some(folder) = examples() else { return };
    let path = folder.join("client.pcapng");
    let joins = scenarios::tshark(&path, &["tcp.options.mptcp.subtype"]);
    let joins = joins.iter().filter(|subtypes| subtypes.split(',').any(|subtype| subtype == "1")).count();
    let answer = asked(&path, "SELECT COUNT(*) AS joins FROM packets WHERE ARRAY_CONTAINS(subtype, 1)");
    assert_eq!(answer, [json!({"joins": joins})]);
    let keys = scenarios::tshark(&path, &["frame.number", "tcp.options.mptcp.sendkey"]);
    let with_key = keys.iter().filter_map(|line| line.split_once('\t').filter(|(_, key)| !key.is_empty()));
    let with_key: Vec<Value> =
        with_key.map(|(id, _)| json!({"packetid": id.parse::<u64>().expect("a number")})).collect();
    assert!(!with_key.is_empty());
    let query = "SELECT packetid FROM packets WHERE sendkey IN (SELECT client_key FROM connections) \
                  OR sendkey IN (SELECT server_key FROM connections) ORDER BY packetid";
    assert_eq!(asked(&path, query), with_key);
}

#[test]
fn connections_subflows_and_reinjections_carry_the_expected_volumes() {
    let mut checked = 0;
    for path in scenarios::captures() {
        let label = scenarios::label(&path);
        if !["12_many_short", "06c", "04"].iter().any(|kind| label.starts_with(kind)) {
            continue;
        }
        let Some(expected) = scenarios::json(&path, "expected.json") else { continue };
        let expected = &expected[path.file_name().unwrap_or_default().to_string_lossy().as_ref()];
        let wanted = |part: &str, way: &str| -> u64 {
            let connections = expected["mptcp_connections"].as_array().expect("connections");
            connections.iter().map(|connection| connection[part][way].as_u64().expect("bytes")).sum()
        };
        for (way, role) in [("towards_server", "server"), ("towards_client", "client")] {
            for table in ["connections", "subflows"] {
                let query = format!(
                    "SELECT SUM(goodput_bytes_to_{role}) AS data, SUM(reinjected_bytes_to_{role}) AS again FROM {table}"
                );
                let answer = json!({"data": wanted("data_bytes", way), "again": wanted("reinjected_bytes", way)});
                assert_eq!(asked(&path, &query), [answer], "{label} {table} {way}");
            }
            let query = format!("SELECT COALESCE(SUM(length), 0) AS again FROM reinjections WHERE towards = '{role}'");
            let answer = json!({"again": wanted("reinjected_bytes", way)});
            assert_eq!(asked(&path, &query), [answer], "{label} reinjections {way}");
        }
        checked += 1;
    }
    assert!(checked >= 6 || scenarios::folder().is_none(), "only {checked} captures");
}

#[test]
fn named_captures_have_their_own_tables() {
    let Some(folder) = examples() else { return };
    let home = Home::new();
    let path = |name: &str| folder.join(name).display().to_string();
    let script = format!(
        "load_pcap '{}' --as client\nload_pcap '{}' --as server\n\
         sql \"SELECT client, server FROM (SELECT COUNT(*) AS client FROM client_packets) AS c \
         CROSS JOIN (SELECT COUNT(*) AS server FROM server_packets) AS s\" --format csv\n",
        path("client.pcapng"),
        path("server.pcapng")
    );
    let done = home.run(&[home.write("script", script).to_str().expect("UTF-8")], "");
    let count = |name: &str| {
        let streams = scenarios::tshark(&folder.join(name), &["tcp.stream"]);
        streams.iter().filter(|stream| !stream.is_empty()).count()
    };
    let wanted = format!("{},{}", count("client.pcapng"), count("server.pcapng"));
    assert!(done.results.lines().any(|line| line == wanted), "{wanted}\n{}{}", done.results, done.messages);
}

#[test]
fn refusals_are_one_sentence_that_helps() {
    if examples().is_none() {
        return;
    }
    for (query, says) in [
        ("SELECT tcpln FROM packets", "did you mean `tcplen`?"),
        ("SELECT 1 FROM packts", "did you mean `packets`?"),
        ("DELETE FROM packets", "SELECT"),
        ("SELECT (", "cannot be answered"),
    ] {
        let said = refused(query);
        assert!(said.contains(says) && said.trim_end().lines().count() == 1, "{query}: {said}");
    }
}

#[test]
fn a_query_without_quotes_says_why_it_fails() {
    let Some(folder) = examples() else { return };
    let home = Home::new();
    home.write("a file", "");
    let line = format!("load_pcap '{}'\nsql SELECT * FROM packets\n", folder.join("client.pcapng").display());
    let done = home.run(&[home.write("script", line).to_str().expect("UTF-8")], "");
    assert!(done.messages.contains("quote the query"), "{}", done.messages);
}

#[test]
fn rows_of_a_union_are_counted() {
    let Some(folder) = examples() else { return };
    let path = folder.join("client.pcapng");
    let packets = scenarios::tshark(&path, &["tcp.len"]).iter().filter(|line| !line.is_empty()).count();
    let both = "SELECT tcplen FROM packets UNION ALL SELECT tcplen FROM packets";
    for query in [
        format!("SELECT COUNT(*) AS n FROM ({both}) t"),
        format!("WITH t AS ({both}) SELECT COUNT(*) AS n FROM t"),
        format!("SELECT COUNT(*) AS n FROM (SELECT * FROM ({both}) t) u"),
    ] {
        assert_eq!(asked(&path, &query), [json!({"n": 2 * packets})], "{query}");
    }
}

/// Worked by hand: an apostrophe makes a spreadsheet show a text that begins like a formula.
#[test]
fn a_column_named_like_a_formula_is_inert_in_csv() {
    let Some(folder) = examples() else { return };
    let capture = folder.join("client.pcapng").display().to_string();
    let query = "SELECT 'x' AS \"=cmd\", 'y' AS plain FROM packets LIMIT 1";
    let done = Home::new().run(&["--load", &capture, "--format", "csv", "sql", query], "");
    assert_eq!(done.results, "'=cmd,plain\nx,y\n", "{done:?}");
    let script = format!("set csv_text exact\nsql {query:?} --format csv\n");
    let done = Home::new().run(&["--load", &capture], &script);
    assert_eq!(done.results, "=cmd,plain\nx,y\n", "{done:?}");
}
