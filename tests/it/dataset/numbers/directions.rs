//! What the tables of directions must say.

use serde_json::{Value, json};

use super::super::{Rows, sums};
use super::{Said, distribution, fields, list, number, same, series, towards, with};

impl Said {
    pub(super) fn directions(&self, id: u64) -> Rows {
        let row = |one: &Value| {
            let mut row = same(
                one,
                &[
                    "towards",
                    "seen_from",
                    "goodput_bytes",
                    "mapped_bytes",
                    "plain_tcp_bytes",
                    "fast_open_bytes",
                    "throughput_bytes",
                    "acknowledged_bytes",
                    "retransmitted_bytes",
                    "retransmitted_packets",
                    "duplicated_bytes",
                    "duplicated_packets",
                    "reinjected_bytes",
                    "reinjected_packets",
                    "resent_same_subflow_bytes",
                    "unmapped_bytes",
                    "unseen_bytes",
                    "keepalives",
                    "window_probes",
                ],
            );
            row.extend(fields(one, &[("duration_s", "duration"), ("rate_bytes", "rate")]));
            let packets: u64 = list(&one["subflows"]).iter().map(|share| number(&share["packets"])).sum();
            row.insert("packets".to_string(), json!(packets));
            let bursts = list(&self.bursts[&id]).iter().filter(|burst| burst["towards"] == one["towards"]).count();
            row.insert("bursts".to_string(), json!(bursts));
            row.extend(sums::of_direction(list(&self.traffic[&id]), &one["towards"]));
            let waits = towards(&self.ooo[&id]["directions"], &one["towards"]);
            row.extend(same(
                waits,
                &[
                    "segments",
                    "out_of_order_segments",
                    "duplicate_segments",
                    "waiting_at_end_bytes",
                    "missing_bytes",
                    "start_known",
                ],
            ));
            row.extend(fields(
                waits,
                &[
                    ("peak_waiting_bytes", "peak_bytes"),
                    ("mean_waiting_bytes", "mean_bytes"),
                    ("blocked_s", "blocked_time"),
                ],
            ));
            let waited: u64 = list(&waits["subflows"]).iter().map(|one| number(&one["bytes_waited"])).sum();
            row.insert("out_of_order_bytes".to_string(), json!(waited));
            // A direction without data has no record.
            let held_back = list(&self.buffers[&id]).iter().find(|buffer| buffer["towards"] == one["towards"]);
            let held_back = held_back.map_or(Value::Null, |buffer| buffer["window_limited"].clone());
            row.insert("window_limited_s".to_string(), held_back);
            row.extend(distribution("hol", Some(&waits["hol_delay"])));
            let rtt = series(&self.rtt[&id], &Value::Null, &one["towards"], "data");
            with(row, distribution("rtt_data", rtt))
        };
        list(&self.summary(id)["directions"]).iter().map(row).collect()
    }

    pub(super) fn subflow_directions(&self, id: u64, connection: &Value) -> Rows {
        let mut rows = Vec::new();
        for subflow in list(&connection["subflows"]) {
            let stream = &subflow["tcpstream"];
            let tcp = list(&self.tcp).iter().find(|one| one["tcpstream"] == *stream).unwrap();
            for direction in list(&self.summary(id)["directions"]) {
                let role = &direction["towards"];
                let share = list(&direction["subflows"]).iter().find(|one| one["tcpstream"] == *stream).unwrap();
                let mut row = same(
                    share,
                    &[
                        "tcpstream",
                        "packets",
                        "throughput_bytes",
                        "goodput_bytes",
                        "throughput_contribution",
                        "goodput_contribution",
                        "plain_tcp_bytes",
                        "fast_open_bytes",
                        "retransmitted_bytes",
                        "duplicated_bytes",
                        "duplicated_packets",
                        "reinjected_bytes",
                        "reinjected_packets",
                        "reinjected_orig_bytes",
                        "reinjected_orig_packets",
                        "resent_same_subflow_bytes",
                        "keepalives",
                        "window_probes",
                    ],
                );
                row.insert("towards".to_string(), role.clone());
                // A subflow that the server opened has its TCP server at the client.
                let turned = json!(if role == "server" { "client" } else { "server" });
                let tcp_role = if subflow["mptcpdest"] == "server" { role } else { &turned };
                let tcp = towards(&tcp["directions"], tcp_role);
                row.extend(same(tcp, &["retransmitted_packets", "undecided_packets"]));
                row.extend(fields(
                    tcp,
                    &[("tcp_goodput_bytes", "goodput_bytes"), ("duration_s", "duration"), ("rate_bytes", "rate")],
                ));
                for class in ["rto", "recovery", "fast", "tail", "spurious", "other"] {
                    let own = list(&self.retransmissions[&id])
                        .iter()
                        .filter(|one| one["tcpstream"] == *stream && one["towards"] == *role && one["class"] == class);
                    row.insert(format!("rtx_{class}"), json!(own.count()));
                }
                let traffic = list(&self.traffic[&id]).iter();
                let mut traffic = traffic.filter(|one| one["tcpstream"] == *stream && one["towards"] == *role);
                let traffic = traffic.next().unwrap();
                row.extend(same(
                    traffic,
                    &[
                        "data_packets",
                        "pure_acks",
                        "syns",
                        "fins",
                        "resets",
                        "pushes",
                        "ece",
                        "cwr",
                        "dss_packets",
                        "dss_bytes",
                        "dup_acks",
                        "triple_dup_acks",
                        "out_of_order_packets",
                        "missed_bytes",
                        "in_flight_min",
                        "in_flight_mean",
                        "in_flight_max",
                        "initial_window_bytes",
                        "frame_bytes",
                        "segment_min",
                        "segment_max",
                        "ttl_min",
                        "ttl_max",
                        "window_min",
                        "window_max",
                        "zero_windows",
                    ],
                ));
                row.extend(fields(
                    traffic,
                    &[
                        ("first_s", "first"),
                        ("last_s", "last"),
                        ("first_data_s", "first_data"),
                        ("last_data_s", "last_data"),
                        ("idle_s", "idle"),
                        ("first_ack_s", "first_ack"),
                        ("last_ack_s", "last_ack"),
                        ("fin_ack_s", "fin_ack"),
                    ],
                ));
                let waits = towards(&self.ooo[&id]["directions"], role);
                let waited = list(&waits["subflows"]).iter().find(|one| one["tcpstream"] == *stream).unwrap();
                row.extend(same(waited, &["segments", "out_of_order_segments"]));
                row.extend(fields(waited, &[("out_of_order_bytes", "bytes_waited")]));
                row.extend(distribution("hol", Some(&waited["hol_delay"])));
                for level in ["tcp", "timestamp", "data"] {
                    let rtt = series(&self.rtt[&id], stream, role, level);
                    row.extend(distribution(&format!("rtt_{level}"), rtt));
                }
                rows.push(row);
            }
        }
        rows
    }
}
