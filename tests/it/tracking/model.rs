//! What the data level should count of an honest sender: a model that goes byte by byte. Property tests and the fuzz
//! target `data` both compare with it.

use std::collections::{HashMap, HashSet};

use mptcp_trace::tracking::data::{Direction, SubflowVolume};

/// What a subflow was given to send.
#[derive(Debug, Default)]
pub struct Given {
    /// The byte of data at each byte of the subflow.
    pub content: Vec<u64>,
    /// Bytes of the subflow that a captured mapping covers.
    pub mapped: HashSet<usize>,
}

/// Payload of a captured packet.
#[derive(Debug, Clone, Copy)]
pub struct Payload {
    /// The packet.
    pub row: usize,
    pub subflow: usize,
    /// First byte, counted from 0 in the subflow.
    pub from: usize,
    pub length: usize,
}

/// Counts of one subflow, as [`SubflowVolume`] has them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Counts {
    pub throughput: u64,
    pub retransmitted: u64,
    pub retransmitted_packets: u64,
    pub first_sent: u64,
    pub reinjected: u64,
    pub reinjected_packets: u64,
    pub resent: u64,
    pub unmapped: u64,
}

impl From<&SubflowVolume> for Counts {
    fn from(volume: &SubflowVolume) -> Self {
        Counts {
            throughput: volume.throughput,
            retransmitted: volume.retransmitted,
            retransmitted_packets: volume.retransmitted_packets,
            first_sent: volume.first_sent,
            reinjected: volume.reinjected,
            reinjected_packets: volume.reinjected_packets,
            resent: volume.resent,
            unmapped: volume.unmapped,
        }
    }
}

/// Goodput of a direction, and the counts of its subflows.
pub fn counts(direction: &Direction) -> (u64, Vec<Counts>) {
    (direction.goodput, direction.subflows.iter().map(Counts::from).collect())
}

/// A byte that came again: row, whether on the same subflow, data byte, row of the original.
pub type Again = (usize, bool, u64, usize);

/// What the model found.
pub struct Model {
    /// The same as [`counts`].
    pub counts: (u64, Vec<Counts>),
    /// In order.
    pub again: Vec<Again>,
    /// Data byte at the first payload byte, by row.
    pub dsn: HashMap<usize, Option<u64>>,
    /// Whether the packet repeats bytes of its subflow, by row.
    pub retransmission: HashMap<usize, bool>,
}

/// Goes through what was captured, in the order of the file.
pub fn model(given: &[&Given], payloads: impl IntoIterator<Item = Payload>) -> Model {
    let mut counts = vec![Counts::default(); given.len()];
    let mut bytes_sent: Vec<HashSet<usize>> = vec![HashSet::new(); given.len()];
    let mut first_on: Vec<HashMap<u64, usize>> = vec![HashMap::new(); given.len()];
    let mut first: HashMap<u64, usize> = HashMap::new();
    let (mut again, mut dsn, mut retransmission) = (Vec::new(), HashMap::new(), HashMap::new());
    for Payload { row, subflow, from, length } in payloads {
        let data = |byte: usize| given[subflow].mapped.contains(&byte).then(|| given[subflow].content[byte]);
        dsn.insert(row, data(from));
        let before = counts[subflow].clone();
        let counts = &mut counts[subflow];
        counts.throughput += length as u64;
        for byte in from..from + length {
            if !bytes_sent[subflow].insert(byte) {
                counts.retransmitted += 1;
                continue;
            }
            let Some(data) = data(byte) else {
                counts.unmapped += 1;
                continue;
            };
            if let Some(original) = first_on[subflow].get(&data) {
                counts.resent += 1;
                again.push((row, true, data, *original));
            } else if let Some(original) = first.get(&data) {
                counts.reinjected += 1;
                again.push((row, false, data, *original));
            } else {
                counts.first_sent += 1;
            }
            first.entry(data).or_insert(row);
            first_on[subflow].entry(data).or_insert(row);
        }
        counts.retransmitted_packets += u64::from(counts.retransmitted > before.retransmitted);
        counts.reinjected_packets += u64::from(counts.reinjected > before.reinjected);
        retransmission.insert(row, counts.retransmitted > before.retransmitted);
    }
    again.sort_unstable();
    Model { counts: (first.len() as u64, counts), again, dsn, retransmission }
}
