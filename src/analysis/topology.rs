//! Topologies as JSON: paths with rate, one-way delays and loss.
//!
//! ```json
//! {"name": "Wi-Fi and LTE", "receiver": {"rcv_buffer": 400},
//!  "subflows": [{"name": "Wi-Fi", "rate": "10M", "fowd": 8, "bowd": 12, "loss": 0.01},
//!               {"name": "LTE", "rate": "5M", "fowd": 50, "bowd": 50}]}
//! ```
//!
//! Rates are bit/s, delays milliseconds, buffers kB (1000 bytes), losses shares. The same keys were those of the Python
//! mptcpanalyzer, where rates were left out and followed from `cwnd` (packets) and `mss` (bytes). Its path manager
//! mptcp-pm wrote what the kernel's `tcp_info` has: times in microseconds, whatever their keys say, and `delivery_rate`
//! in bytes per second.

use mptcp_trace::analysis::required_buffer::Path;
use mptcp_trace::units::parsed_bit_rate;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::terminal_text::escape;

/// Paths between two hosts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Topology {
    /// As the file has it.
    pub name: Option<String>,
    /// The paths, in the order of the file.
    pub paths: Vec<TopologyPath>,
    /// The sender's buffer, bytes.
    pub send_buffer: Option<u64>,
    /// The receiver's buffer, bytes.
    pub receive_buffer: Option<u64>,
    /// What was taken for what, for people.
    #[serde(skip)]
    pub notes: Vec<String>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TopologyPath {
    /// As the file has it, or its place in the file, from 0.
    pub path: String,
    /// One-way delay from the sender to the receiver, seconds.
    pub forward_delay: Option<f64>,
    /// One-way delay back, seconds.
    pub backward_delay: Option<f64>,
    /// Rate, round-trip time, timeout and loss.
    #[serde(flatten)]
    pub facts: Path,
}

/// Reads a topology.
///
/// # Errors
/// What is wrong with it, as a part of a sentence.
pub fn parse(text: &str) -> Result<Topology, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let nothing = Map::new();
    let about = value.as_object().unwrap_or(&nothing);
    let listed = value.as_array().or_else(|| about.get("subflows").or(about.get("paths"))?.as_array());
    let listed = listed.ok_or("it has no list `subflows` or `paths`")?;
    if listed.is_empty() {
        return Err(
            "its list of paths is empty; write at least one, such as {\"rate\": \"10M\", \"rtt\": 20}".to_string()
        );
    }
    let mut notes = Vec::new();
    let mut paths = Vec::with_capacity(listed.len());
    for (index, entry) in listed.iter().enumerate() {
        let keys = entry.as_object().ok_or_else(|| format!("path {index} is not an object"))?;
        paths.push(path(index, &Keys { keys, index }, &mut notes)?);
    }
    let buffer = |end: &str, key: &str| -> Result<Option<u64>, String> {
        let Some(value) = about.get(end).and_then(|end| end.get(key)) else { return Ok(None) };
        let kilobytes = value.as_f64().filter(|number| (0.0..=1e12).contains(number));
        let kilobytes = kilobytes.ok_or_else(|| format!("`{key}` of the {end} is not a number of kB"))?;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Checked above.
        Ok(Some((kilobytes * 1e3).round() as u64))
    };
    let (send_buffer, receive_buffer) = (buffer("sender", "snd_buffer")?, buffer("receiver", "rcv_buffer")?);
    if send_buffer.or(receive_buffer).is_some() {
        notes.push("`snd_buffer` and `rcv_buffer` were taken as kB".to_string());
    }
    let name = about.get("name").and_then(Value::as_str).map(str::to_string);
    Ok(Topology { name, paths, send_buffer, receive_buffer, notes })
}

/// The keys of one path.
struct Keys<'j> {
    keys: &'j Map<String, Value>,
    index: usize,
}

/// Keys that only what mptcp-pm wrote has: it copies the kernel's `tcp_info`, whose times are microseconds.
const OF_THE_KERNEL: [&str; 6] = ["min_rtt", "rtt_us", "rtt_ms", "snd_cwnd", "delivery_rate", "tcp_state"];

impl Keys<'_> {
    /// The number under the first of these keys that is there.
    fn number(&self, names: &[&str]) -> Result<Option<f64>, String> {
        let Some((name, value)) = names.iter().find_map(|name| Some((name, self.keys.get(*name)?))) else {
            return Ok(None);
        };
        let number = value.as_f64().filter(|number| number.is_finite() && *number >= 0.0);
        number.map(Some).ok_or_else(|| format!("`{name}` of path {} is not a number from 0", self.index))
    }

    /// Bytes per second from a number of bit/s, or a text such as `20M`.
    fn rate(&self) -> Result<Option<f64>, String> {
        match self.keys.get("rate") {
            Some(Value::String(text)) => parsed_bit_rate(text).map(Some).ok_or_else(|| {
                format!("`rate` of path {} is not a rate: {}; write 20M for 20 Mbit/s", self.index, escape(text))
            }),
            _ => Ok(self.number(&["rate"])?.map(|bits| bits / 8.0)),
        }
    }

    fn is_of_the_kernel(&self) -> bool {
        OF_THE_KERNEL.iter().any(|name| self.keys.contains_key(*name))
    }

    fn name(&self) -> String {
        let text = |name: &str| self.keys.get(name).and_then(Value::as_str);
        let end = |address: &str, port: &str| {
            let port = self.keys.get(port).and_then(Value::as_u64);
            Some(format!("{}{}", text(address)?, port.map_or_else(String::new, |port| format!(":{port}"))))
        };
        let ends = || Some(format!("{} -> {}", end("srcIp", "srcPort")?, end("dstIp", "dstPort")?));
        text("name").map(str::to_string).or_else(ends).unwrap_or_else(|| self.index.to_string())
    }
}

fn path(index: usize, keys: &Keys<'_>, notes: &mut Vec<String>) -> Result<TopologyPath, String> {
    let kernel = keys.is_of_the_kernel();
    let unit = if kernel { 1e6 } else { 1e3 };
    let seconds = |names: &[&str]| -> Result<Option<f64>, String> {
        // What the kernel does not know is 0 there.
        Ok(keys.number(names)?.filter(|number| *number > 0.0 || !kernel).map(|number| number / unit))
    };
    let both = seconds(&["owd"])?;
    let forward_delay = seconds(&["fowd", "f"])?.or(both);
    let backward_delay = seconds(&["bowd", "b"])?.or(both);
    let measured = seconds(&["rtt", "rtt_us", "rtt_ms"])?;
    let rtt = measured.or_else(|| Some(forward_delay? + backward_delay?));
    let rto = seconds(&["rto", "rto_us", "rto_ms"])?;
    let loss = match (keys.number(&["loss"])?, keys.number(&["lost"])?, keys.number(&["delivered"])?) {
        (Some(share), _, _) if share > 1.0 => {
            return Err(format!("`loss` of path {index} is a share from 0 to 1, such as 0.05 for 5 %"));
        }
        (Some(share), _, _) => Some(share),
        (None, Some(lost), Some(delivered)) if lost + delivered > 0.0 => Some(lost / (lost + delivered)),
        _ => None,
    };
    let given = keys.rate()?.or(keys.number(&["delivery_rate"])?.filter(|rate| *rate > 0.0));
    let window = keys.number(&["cwnd", "snd_cwnd"])?.zip(keys.number(&["mss"])?);
    let rate = given.or_else(|| window.zip(rtt.filter(|rtt| *rtt > 0.0)).map(|((cwnd, mss), rtt)| cwnd * mss / rtt));
    if given.is_none() && rate.is_some() {
        notes.push(format!("the rate of path {index} follows from its congestion window, `mss` and round trip"));
    }
    if kernel {
        notes.push(format!("times of path {index} were taken as microseconds, because its keys are the kernel's"));
    }
    Ok(TopologyPath { path: keys.name(), forward_delay, backward_delay, facts: Path { rate, rtt, rto, loss } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_milliseconds_and_rates_bits() {
        let text = r#"{"name": "two", "sender": {"snd_buffer": 40}, "receiver": {"rcv_buffer": 400},
            "subflows": [{"name": "Wi-Fi", "rate": "10M", "fowd": 8, "bowd": 12, "loss": 0.01, "rto": 220},
                         {"rate": 5000000, "owd": 50}]}"#;
        let found = parse(text).unwrap();
        assert_eq!(
            (found.name.as_deref(), found.send_buffer, found.receive_buffer),
            (Some("two"), Some(40_000), Some(400_000))
        );
        let [wifi, other] = found.paths.as_slice() else { panic!("{found:?}") };
        assert_eq!((wifi.path.as_str(), other.path.as_str()), ("Wi-Fi", "1"));
        assert_eq!((wifi.facts.rate, wifi.facts.rtt), (Some(1_250_000.0), Some(0.02)));
        assert_eq!((wifi.facts.rto, wifi.facts.loss), (Some(0.22), Some(0.01)));
        assert_eq!((other.facts.rate, other.facts.rtt, other.forward_delay), (Some(625_000.0), Some(0.1), Some(0.05)));
    }

    /// As the predecessor's own example, whose paths had no rate, and as with its congestion windows.
    #[test]
    fn files_of_the_predecessor_are_read() {
        let text = r#"{"sender": {"snd_buffer": 40, "rcv_buffer": 40, "options": ["NR-SACK"]},
            "subflows": [{"mss": 1500, "var": 10, "f": 50, "b": 10, "loss": 0.05},
                         {"mss": 1500, "cwnd": 40, "fowd": 10, "bowd": 50, "loss": 0.05}]}"#;
        let found = parse(text).unwrap();
        let facts: Vec<_> = found.paths.iter().map(|path| (path.facts.rate, path.facts.rtt, path.facts.loss)).collect();
        let [(None, Some(first), Some(0.05)), (Some(rate), Some(second), Some(0.05))] = facts[..] else {
            panic!("{facts:?}")
        };
        // 40 packets of 1500 bytes in 60 ms are 1,000,000 B/s.
        assert!(
            (first - 0.06).abs() < 1e-12 && (second - 0.06).abs() < 1e-12 && (rate - 1e6).abs() < 1e-3,
            "{facts:?}"
        );
        assert!(found.notes.iter().any(|note| note.contains("congestion window")), "{:?}", found.notes);
    }

    /// As mptcp-pm writes `tcp_info`: `rtt_ms` holds microseconds, and 0 is what it does not know.
    #[test]
    fn files_of_the_path_manager_have_microseconds() {
        let text = r#"{"name": "2305393538", "delay": 900, "capabilities": {}, "subflows": [{"min_rtt": 40462,
            "state": "TcpEstablished", "dstIp": "192.0.2.2", "srcPort": 31765, "rtt_ms": 330000, "delivery_rate": 126000,
            "fowd": 0, "bowd": 0, "dstPort": 20756, "rto_ms": 693000, "snd_cwnd": 30, "srcIp": "10.0.0.1"}]}"#;
        let found = parse(text).unwrap();
        let [path] = found.paths.as_slice() else { panic!("{found:?}") };
        assert_eq!(path.path, "10.0.0.1:31765 -> 192.0.2.2:20756");
        assert_eq!((path.facts.rate, path.facts.rtt, path.facts.rto), (Some(126_000.0), Some(0.33), Some(0.693)));
        assert_eq!((path.forward_delay, path.backward_delay), (None, None));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, expected) in [
            ("{", "it is not JSON"),
            ("{}", "no list `subflows` or `paths`"),
            ("[]", "its list of paths is empty; write at least one"),
            (r#"{"paths": []}"#, "its list of paths is empty"),
            ("[1]", "path 0 is not an object"),
            (r#"[{"fowd": "8ms"}]"#, "`fowd` of path 0 is not a number from 0"),
            (r#"[{"fowd": -8}]"#, "`fowd` of path 0 is not a number from 0"),
            (r#"[{"rate": "fast\u001b"}]"#, "is not a rate: fast\\u{1b}"),
            (r#"[{"loss": 5}]"#, "a share from 0 to 1"),
            (
                r#"{"receiver": {"rcv_buffer": "x"}, "paths": [{}]}"#,
                "`rcv_buffer` of the receiver is not a number of kB",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
