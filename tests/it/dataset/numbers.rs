//! Every number of a dataset is the one that the command for one capture gives.

mod directions;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use mptcpanalyzer::dataset::tables::find;
use serde_json::{Map, Value, json};

use super::{Rows, analyze, details, rows, sums, tables};
use crate::support::program::{Home, examples};
use crate::support::scenarios;

/// What the commands say of one capture.
pub(super) struct Said {
    captures: Value,
    connections: Value,
    summaries: Value,
    streams: Value,
    tcp: Value,
    handshakes: Value,
    findings: Value,
    /// By connection.
    rtt: BTreeMap<u64, Value>,
    ooo: BTreeMap<u64, Value>,
    pub(super) events: BTreeMap<u64, Value>,
    pub(super) addresses: BTreeMap<u64, Value>,
    pub(super) traffic: BTreeMap<u64, Value>,
    bursts: BTreeMap<u64, Value>,
    buffers: BTreeMap<u64, Value>,
    pub(super) subflows: BTreeMap<u64, Value>,
    pub(super) handovers: BTreeMap<u64, Value>,
    reinjections: BTreeMap<u64, Value>,
    acknowledged: BTreeMap<u64, Value>,
    retransmissions: BTreeMap<u64, Value>,
    samples: BTreeMap<u64, Value>,
}

pub(super) fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Asks the commands; `None` where the capture cannot be loaded.
fn ask(capture: &Path) -> Option<Said> {
    let home = Home::new();
    let run = |lines: &str| {
        let done = home.run(&["-l", capture.to_str().unwrap(), "-b", home.write("lines", lines).to_str().unwrap()], "");
        done.code == Some(0)
    };
    let read = |name: &str| -> Value { serde_json::from_str(&fs::read_to_string(home.path(name)).unwrap()).unwrap() };
    let of_capture =
        ["captures", "list_mptcp_connections", "mptcp_summary", "list_tcp_connections", "tcp_summary", "handshakes"];
    let mut lines: String =
        of_capture.iter().map(|command| format!("{command} --format json -o {command}.json\n")).collect();
    lines.push_str("diagnose --all --format json -o diagnose.json\n");
    if !run(&lines) {
        return None;
    }
    let connections = read("list_mptcp_connections.json");
    let ids: Vec<u64> = list(&connections).iter().map(|connection| number(&connection["mptcpstream"])).collect();
    let of_connection = [
        "rtt",
        "ooo",
        "events",
        "addresses",
        "traffic",
        "bursts",
        "list_reinjections",
        "list_subflows",
        "handovers",
        "mptcp_required_buffer",
    ];
    let mut lines: String = ids
        .iter()
        .flat_map(|id| of_connection.map(|command| format!("{command} {id} --format json -o {command}{id}.json\n")))
        .chain(ids.iter().map(|id| format!("plot acksize {id} --towards both --format json -o acksize{id}.json\n")))
        .collect();
    for id in &ids {
        lines.push_str(&format!("rtt {id} --samples --format json -o samples{id}.json\n"));
        lines.push_str(&format!("retransmissions --mptcpstream {id} --format json -o retransmissions{id}.json\n"));
    }
    assert!(run(&lines), "{}", capture.display());
    let each = |command: &str| ids.iter().map(|id| (*id, read(&format!("{command}{id}.json")))).collect();
    Some(Said {
        captures: read("captures.json"),
        connections,
        summaries: read("mptcp_summary.json"),
        streams: read("list_tcp_connections.json"),
        tcp: read("tcp_summary.json"),
        handshakes: read("handshakes.json"),
        findings: read("diagnose.json"),
        rtt: each("rtt"),
        ooo: each("ooo"),
        events: each("events"),
        addresses: each("addresses"),
        traffic: each("traffic"),
        bursts: each("bursts"),
        buffers: each("mptcp_required_buffer"),
        subflows: each("list_subflows"),
        handovers: each("handovers"),
        reinjections: each("list_reinjections"),
        acknowledged: each("acksize"),
        retransmissions: each("retransmissions"),
        samples: each("samples"),
    })
}

/// The fields of `value` with these keys, under these names.
pub(super) fn fields(value: &Value, pairs: &[(&str, &str)]) -> Map<String, Value> {
    pairs.iter().map(|(column, key)| (column.to_string(), value[*key].clone())).collect()
}

/// The same with equal names.
pub(super) fn same(value: &Value, names: &[&str]) -> Map<String, Value> {
    names.iter().map(|name| (name.to_string(), value[*name].clone())).collect()
}

pub(super) fn with(mut row: Map<String, Value>, more: impl IntoIterator<Item = (String, Value)>) -> Map<String, Value> {
    row.extend(more);
    row
}

fn distribution(prefix: &str, of: Option<&Value>) -> Map<String, Value> {
    let null = Value::Null;
    let of = of.unwrap_or(&null);
    let mut row = Map::from_iter([(format!("{prefix}_samples"), of["samples"].clone())]);
    for name in ["min", "p25", "median", "mean", "stdev", "p75", "p90", "p95", "p97", "p98", "p99", "max"] {
        row.insert(format!("{prefix}_{name}_s"), of[name].clone());
    }
    row
}

fn series<'a>(rtt: &'a Value, stream: &Value, towards: &Value, level: &str) -> Option<&'a Value> {
    let mut found = list(rtt).iter();
    found.find(|one| one["tcpstream"] == *stream && one["towards"] == *towards && one["level"] == level)
}

fn towards<'a>(directions: &'a Value, role: &Value) -> &'a Value {
    list(directions).iter().find(|one| one["towards"] == *role).unwrap()
}

fn ip_version(address: &Value) -> Value {
    json!(if address.as_str().unwrap().contains(':') { 6 } else { 4 })
}

impl Said {
    /// Whether `list_mptcp_connections` says that a connection was not released.
    pub(super) fn open(&self, id: u64) -> bool {
        list(&self.connections).iter().any(|one| number(&one["mptcpstream"]) == id && one["release"] == "open")
    }

    fn summary(&self, id: u64) -> &Value {
        list(&self.summaries).iter().find(|one| number(&one["mptcpstream"]) == id).unwrap()
    }

    /// What the rows of a table must be: column by column.
    fn rows(&self, table: &str) -> Rows {
        match table {
            "handshakes" => list(&self.handshakes).iter().map(handshake).collect(),
            "findings" => list(&self.findings).iter().map(finding).collect(),
            "connections" => list(&self.connections).iter().map(|one| self.connection(one)).collect(),
            "directions" => self.each(|id, _| self.directions(id)),
            "subflows" => self.each(|id, connection| self.subflows(id, connection)),
            "subflow_directions" => self.each(|id, connection| self.subflow_directions(id, connection)),
            "reinjection_pairs" => self.each(|id, _| self.pairs(id)),
            "events" => self.each(|id, _| {
                let names = ["packetid", "tcpstream", "towards", "event", "detail"];
                let row =
                    |event: &Value| with(same(event, &names), [("reltime_s".to_string(), event["reltime"].clone())]);
                list(&self.events[&id]).iter().map(row).collect()
            }),
            "addresses" => self.each(|id, _| {
                let names = ["packetid", "tcpstream", "sender", "action", "addrid", "ip", "port", "hmac"];
                let row = |one: &Value| with(same(one, &names), [("reltime_s".to_string(), one["reltime"].clone())]);
                list(&self.addresses[&id]).iter().map(row).collect()
            }),
            "handovers" => self.each(|id, _| details::handovers(&self.handovers[&id])),
            "bursts" => self.each(|id, _| {
                let names = ["towards", "position", "tcpstream", "packetid", "packets", "bytes", "new_bytes"];
                let times = [("reltime_s", "reltime"), ("duration_s", "duration")];
                list(&self.bursts[&id]).iter().map(|one| with(same(one, &names), fields(one, &times))).collect()
            }),
            "reinjections" => self.each(|id, _| details::reinjections(&self.reinjections[&id])),
            "retransmissions" => self.each(|id, _| details::retransmissions(&self.retransmissions[&id])),
            "rtt_samples" => self.each(|id, _| details::samples(&self.samples[&id])),
            "ack_sizes" => self.each(|id, _| details::ack_sizes(&self.acknowledged[&id])),
            other => panic!("no command is compared with the table {other}"),
        }
    }

    /// The rows of each connection, with its number.
    fn each(&self, rows: impl Fn(u64, &Value) -> Rows) -> Rows {
        let mut all = Vec::new();
        for connection in list(&self.connections) {
            let id = number(&connection["mptcpstream"]);
            let number = ("mptcpstream".to_string(), json!(id));
            all.extend(rows(id, connection).into_iter().map(|row| with(row, [number.clone()])));
        }
        all
    }

    fn connection(&self, one: &Value) -> Map<String, Value> {
        let id = number(&one["mptcpstream"]);
        let summary = self.summary(id);
        let first = &one["subflows"][0];
        let mut row = same(
            one,
            &[
                "mptcpstream",
                "version",
                "client_key",
                "server_key",
                "client_token",
                "server_token",
                "checksum_required",
                "state",
                "release",
                "joined_by",
            ],
        );
        row.extend(sums::of_connection(id, self));
        row.extend(same(first, &["client_ip", "client_port", "server_ip", "server_port"]));
        row.extend(fields(&one["fallback"], &[("fallback_reason", "reason"), ("fallback_packetid", "packetid")]));
        row.insert("ip_version".to_string(), ip_version(&first["client_ip"]));
        row.insert("handshake_rtt_s".to_string(), summary["setup"]["handshake_rtt"].clone());
        row.insert("subflows".to_string(), json!(list(&one["subflows"]).len()));
        let used: BTreeSet<u64> = list(&summary["directions"])
            .iter()
            .flat_map(|direction| list(&direction["subflows"]))
            .filter(|share| number(&share["goodput_bytes"]) > 0)
            .map(|share| number(&share["tcpstream"]))
            .collect();
        let (first, last) = ends(list(&self.traffic[&id]).iter());
        row.insert("duration_s".to_string(), json!(last - first));
        row.insert("subflows_used".to_string(), json!(used.len()));
        // At the sender of data to the server is at the client.
        let point = match summary["directions"][0]["seen_from"].as_str() {
            Some("sender") => json!("client"),
            Some("receiver") => json!("server"),
            Some(other) => json!(other),
            None => Value::Null,
        };
        row.insert("capture_point".to_string(), point);
        row
    }

    fn subflows(&self, id: u64, connection: &Value) -> Rows {
        let setup = &self.summary(id)["setup"];
        let row = |(ordinal, one): (usize, &Value)| {
            let mut row = same(
                one,
                &[
                    "tcpstream",
                    "kind",
                    "client_ip",
                    "client_port",
                    "server_ip",
                    "server_port",
                    "interface",
                    "addrid",
                    "backup",
                    "backup_at_end",
                    "hmac",
                    "state",
                    "joined_by",
                ],
            );
            row.extend(fields(one, &[("opened_towards", "mptcpdest")]));
            let mut course = list(&self.subflows[&id]).iter();
            let course = course.find(|other| other["tcpstream"] == one["tcpstream"]).unwrap();
            row.extend(sums::of_course(course));
            let stale = list(&self.events[&id]).iter().filter(|event| event["event"] == "subflow_stale");
            let stale = stale.filter(|event| event["tcpstream"] == one["tcpstream"]).count();
            row.insert("standstills".to_string(), json!(stale));
            row.insert("ordinal".to_string(), json!(ordinal));
            row.insert("ip_version".to_string(), ip_version(&one["client_ip"]));
            let join = list(&setup["joins"]).iter().find(|join| join["tcpstream"] == one["tcpstream"]);
            let established = join.map_or(Value::Null, |join| join["established_after"].clone());
            row.insert("established_after_s".to_string(), established);
            let rtt = match (join, one["kind"].as_str()) {
                (Some(join), _) => join["handshake_rtt"].clone(),
                (None, Some("initial")) => setup["handshake_rtt"].clone(),
                (None, _) => Value::Null,
            };
            row.insert("handshake_rtt_s".to_string(), rtt);
            let all = || list(&self.traffic[&id]).iter();
            let (first, last) = ends(all().filter(|traffic| traffic["tcpstream"] == one["tcpstream"]));
            row.insert("start_after_s".to_string(), json!(first - ends(all()).0));
            row.insert("duration_s".to_string(), json!(last - first));
            row.extend([("path_client".to_string(), Value::Null), ("path_server".to_string(), Value::Null)]);
            row
        };
        list(&connection["subflows"]).iter().enumerate().map(row).collect()
    }

    fn pairs(&self, id: u64) -> Rows {
        let directions = list(&self.summary(id)["directions"]).iter();
        let rows = directions.flat_map(|direction| {
            list(&direction["reinjections"]).iter().map(|pair| {
                let names =
                    [("from_tcpstream", "from"), ("to_tcpstream", "to"), ("bytes", "bytes"), ("packets", "packets")];
                with(fields(pair, &names), [("towards".to_string(), direction["towards"].clone())])
            })
        });
        rows.collect()
    }
}

/// The first and the last packet of rows of `traffic`.
fn ends<'a>(traffic: impl Iterator<Item = &'a Value> + Clone) -> (f64, f64) {
    let of = |key: &str| traffic.clone().filter_map(|one| one[key].as_f64()).collect::<Vec<_>>();
    let first = of("first").into_iter().reduce(f64::min);
    (first.unwrap(), of("last").into_iter().reduce(f64::max).unwrap())
}

fn handshake(one: &Value) -> Map<String, Value> {
    let mut row = same(
        one,
        &[
            "tcpstream",
            "mptcpstream",
            "asked",
            "version",
            "answered_version",
            "outcome",
            "hmac",
            "checksum_required",
            "client_ip",
            "client_port",
            "server_ip",
            "server_port",
            "packetid",
            "syns",
        ],
    );
    row.extend(fields(
        one,
        &[("reltime_s", "reltime"), ("syn_ack_after_s", "syn_ack_after"), ("ack_after_s", "ack_after")],
    ));
    row
}

fn finding(one: &Value) -> Map<String, Value> {
    let names =
        ["severity", "finding", "mptcpstream", "tcpstream", "towards", "packet_count", "detail", "meaning", "next"];
    with(same(one, &names), [("packetid".to_string(), one["packets"][0].clone())])
}

/// Columns that no command shows, and that are looked at in another way.
const OWN: [(&str, &str); 7] = [
    ("handshakes", "syn_time"),
    ("connections", "begins_midstream"),
    ("connections", "start_time"),
    ("connections", "end_time"),
    ("subflows", "start_time"),
    ("subflows", "end_time"),
    ("captures", "*"),
];

fn equal(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        // JSON is read with the last digit rounded; times are differences here.
        (Some(one), Some(other)) => (one - other).abs() <= 1e-12 * one.abs().max(other.abs()) + 5e-10,
        _ => one == other,
    }
}

fn compare(capture: &Path, said: &Said, found: &BTreeMap<&str, Rows>, key: &str, problems: &mut Vec<String>) -> usize {
    let mut compared = 0;
    for table in tables().into_iter().filter(|table| *table != "captures") {
        let expected = said.rows(table);
        // ACKs of subflows are looked at in `raw_fields`.
        let compared_here = |row: &Map<String, Value>| table != "ack_sizes" || row["tcpstream"].is_null();
        let own = found[table].iter().filter(|row| row["capture"] == key && compared_here(row));
        let own: Vec<&Map<String, Value>> = own.collect();
        let label = format!("{}, {table}", scenarios::label(capture));
        if own.len() != expected.len() {
            problems.push(format!("{label}: {} rows instead of {}", own.len(), expected.len()));
            continue;
        }
        let specs = find(table).unwrap().columns();
        for (index, (row, wanted)) in own.iter().zip(&expected).enumerate() {
            for spec in specs.iter().filter(|spec| spec.name != "capture" && !OWN.contains(&(table, spec.name))) {
                let Some(wanted) = wanted.get(spec.name) else {
                    panic!("{table}.{} is compared with nothing", spec.name);
                };
                compared += 1;
                if !equal(&row[spec.name], wanted) {
                    problems
                        .push(format!("{label}, row {index}, {}: {} instead of {wanted}", spec.name, row[spec.name]));
                }
            }
        }
    }
    compared += details::sums(capture, found, key, problems);
    let row = found["captures"].iter().find(|row| row["capture"] == key).unwrap();
    let bytes = |summaries: &Value| -> u64 {
        let directions = list(summaries).iter().flat_map(|one| list(&one["directions"]));
        directions.map(|direction| number(&direction["throughput_bytes"])).sum()
    };
    let packets: u64 = list(&said.streams).iter().map(|stream| number(&stream["packets"])).sum();
    for (column, wanted) in [
        ("tcp_streams", list(&said.streams).len() as u64),
        ("mptcp_connections", list(&said.connections).len() as u64),
        ("tcp_packets", packets),
        ("tcp_bytes", bytes(&said.tcp)),
        ("mptcp_bytes", bytes(&said.summaries)),
    ] {
        compared += 1;
        if row[column] != json!(wanted) {
            problems.push(format!("{}: {column} {} instead of {wanted}", capture.display(), row[column]));
        }
    }
    let own = &said.captures[0];
    for (column, key) in
        [("format", "format"), ("link_type", "link_type"), ("snaplen", "snap_length"), ("options_cut", "options_cut")]
    {
        compared += 1;
        if row[column] != own[key] {
            problems.push(format!("{}: {column} {} instead of {}", capture.display(), row[column], own[key]));
        }
    }
    compared
}

/// Compares each capture; returns how many values were looked at.
fn check(captures: &[PathBuf]) -> usize {
    let home = Home::new();
    let out = home.path("dataset");
    let inputs: Vec<&Path> = captures.iter().map(PathBuf::as_path).collect();
    let done = analyze(&home, &inputs, &out, &["--format", "json", "--tables", &tables().join(",")]);
    assert!(matches!(done.code, Some(0 | 3)), "{}", done.messages);
    let found: BTreeMap<&str, Rows> = tables().into_iter().map(|table| (table, rows(&out, table))).collect();
    assert_eq!(found["captures"].len(), captures.len());
    let key_of: BTreeMap<String, String> = found["captures"]
        .iter()
        .map(|row| (row["path"].as_str().unwrap().to_string(), row["capture"].as_str().unwrap().to_string()))
        .collect();
    let waiting = Mutex::new(captures.iter());
    let results = Mutex::new((0, Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(capture) = waiting.lock().unwrap().next() else { break };
                    let key = &key_of[std::path::absolute(capture).unwrap().to_str().unwrap()];
                    let mut problems = Vec::new();
                    let compared = match ask(capture) {
                        Some(said) => compare(capture, &said, &found, key, &mut problems),
                        None => {
                            let row = found["captures"].iter().find(|row| row["capture"] == **key).unwrap();
                            assert_eq!(row["status"], "error", "{}", capture.display());
                            1
                        }
                    };
                    let mut results = results.lock().unwrap();
                    results.0 += compared;
                    results.1.extend(problems);
                }
            });
        }
    });
    let (compared, problems) = results.into_inner().unwrap();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems[..problems.len().min(20)].join("\n"));
    compared
}

#[test]
fn of_the_captures_of_the_project_every_number_is_the_commands() {
    let mut captures = scenarios::recorded();
    captures.extend(
        examples()
            .iter()
            .flat_map(|folder| ["client.pcapng", "server.pcapng", "two_paths.pcapng"].map(|name| folder.join(name))),
    );
    captures.retain(|path| path.is_file());
    let compared = check(&captures);
    assert!(compared > 10_000, "{compared}");
}

#[test]
fn of_the_recorded_scenarios_every_number_is_the_commands() {
    let captures: Vec<PathBuf> =
        scenarios::captures().into_iter().map(|path| fs::canonicalize(path).unwrap()).collect();
    if captures.is_empty() {
        return;
    }
    let compared = check(&captures);
    assert!(compared > 50_000, "{compared}");
}
