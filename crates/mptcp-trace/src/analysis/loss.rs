//! How much got lost between the ends, was doubled, or overtaken?

use serde::Serialize;

use super::merge::{Fate, Merged, Passage, StreamPassages};
use super::volume::share;
use crate::interrupt::interruptible;
use crate::tracking::Role;
use crate::{PacketRow, StreamId};

/// Loss of one direction of a stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Loss {
    /// TCP stream in the first capture.
    pub tcpstream: StreamId,
    /// TCP stream in the second capture.
    pub mapped: StreamId,
    /// The end that the packets travel towards: of the connection for subflows, of the stream for plain TCP.
    pub towards: Role,
    /// Packets in the sender's capture.
    pub sent_packets: u64,
    /// Bytes of payload in them.
    pub sent_bytes: u64,
    /// Packets of these of which nothing, or not all, arrived.
    pub lost_packets: u64,
    /// Bytes of payload that did not arrive.
    pub lost_bytes: u64,
    /// Packets that were sent and would have arrived before the receiver's capture began or after it ended, or may have:
    /// neither lost nor arrived.
    pub outside_capture: u64,
    /// Bytes of payload in them.
    pub outside_capture_bytes: u64,
    /// Lost packets over packets sent while the receiver's capture ran, which are `sent_packets` without
    /// `outside_capture`; `None` without any.
    pub loss: Option<f64>,
    /// Packets that the network delivered again.
    pub duplicated_packets: u64,
    /// Packets that arrived behind one sent later.
    pub reordered_packets: u64,
    /// Packets that were sent and that the receiver's capture lacks, though nothing says that they were lost.
    pub not_captured_at_receiver: u64,
    /// Packets that arrived and that the sender's capture lacks.
    pub not_captured_at_sender: u64,
}

/// The losses of every stream and direction of `merged`.
#[must_use]
pub fn losses(merged: &Merged) -> Vec<Loss> {
    let mut found: Vec<Loss> = merged.flows.iter().map(of_flow).collect();
    found.sort_by_key(|loss| loss.towards);
    found
}

fn of_flow(flow: &StreamPassages) -> Loss {
    let bytes = |wanted: &dyn Fn(&Passage) -> bool| -> u64 {
        flow.passages.iter().filter(|passage| wanted(passage)).map(|passage| u64::from(passage.length)).sum()
    };
    let sent = |passage: &Passage| passage.sender.is_some() && passage.fate != Fate::Duplicate;
    let is = |fate: Fate| move |passage: &Passage| passage.fate == fate;
    let sent_packets = packets(flow, |passage| passage.sender, sent);
    let lost_packets = packets(flow, |passage| passage.sender, is(Fate::Lost));
    let outside_capture = packets(flow, |passage| passage.sender, is(Fate::OutsideCapture));
    Loss {
        tcpstream: flow.pair.first,
        mapped: flow.pair.second,
        towards: flow.towards(),
        sent_packets,
        sent_bytes: bytes(&sent),
        lost_packets,
        lost_bytes: bytes(&is(Fate::Lost)),
        outside_capture,
        outside_capture_bytes: bytes(&is(Fate::OutsideCapture)),
        loss: share(lost_packets, sent_packets.saturating_sub(outside_capture)),
        duplicated_packets: packets(flow, |passage| passage.receiver, is(Fate::Duplicate)),
        reordered_packets: packets(flow, |passage| passage.receiver, |passage| passage.reordered),
        not_captured_at_receiver: packets(flow, |passage| passage.sender, is(Fate::NotCapturedAtReceiver)),
        not_captured_at_sender: packets(flow, |passage| passage.receiver, is(Fate::NotCapturedAtSender)),
    }
}

/// Packets of which a part is wanted. The parts of a packet stand together by sender; by receiver a packet of several
/// parts may count for each.
fn packets(flow: &StreamPassages, row: fn(&Passage) -> Option<PacketRow>, wanted: impl Fn(&Passage) -> bool) -> u64 {
    let mut latest = None;
    let mut count = 0;
    for row in interruptible(flow.passages.iter().filter(|passage| wanted(passage)).filter_map(row)) {
        if latest != Some(row) {
            count += 1;
        }
        latest = Some(row);
    }
    count
}
