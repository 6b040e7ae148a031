//! Has a RST the time to live of its sender's other packets? Where it has not, something else on the way may have sent it.

use std::collections::BTreeMap;

use crate::interrupt::interruptible;
use crate::packets::segment::flag;
use crate::tracking::{Capture, Connection, Role, Stream, Tracking};
use crate::{PacketRow, StreamId};

/// A RST whose time to live none of the packets has that its sender is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrangeReset {
    /// Its row.
    pub row: PacketRow,
    /// Its TCP stream.
    pub tcpstream: StreamId,
    /// The end of the *connection* in whose name it came.
    pub sender: Role,
    /// Its time to live, or hop limit.
    pub ttl: u8,
    /// Those of the sender's other packets on the stream, the most frequent first.
    pub others: Vec<u8>,
    /// Their number.
    pub packets: usize,
}

/// The strange resets of a connection, in order of streams and packets.
#[must_use]
pub fn strange_resets(capture: &Capture, connection: &Connection) -> Vec<StrangeReset> {
    let reset = |stream: &&Stream| stream.ends.client.reset || stream.ends.server.reset;
    let streams = connection.subflows.iter().filter_map(|id| capture.tracking.stream(*id)).filter(reset);
    streams.flat_map(|stream| of_stream(capture, stream)).collect()
}

fn of_stream(capture: &Capture, stream: &Stream) -> Vec<StrangeReset> {
    let Some(subflow) = capture.tracking.subflow(stream.id) else { return Vec::new() };
    let mut found = Vec::new();
    for sender in Role::BOTH {
        let mut counts: BTreeMap<u8, usize> = BTreeMap::new();
        let mut resets = Vec::new();
        for row in interruptible(&stream.packets) {
            let (Some(segment), Some(packet)) = (capture.segments.get(row.index()), capture.tracking.packets.get(*row))
            else {
                continue;
            };
            let Some(ttl) = capture.frames.ttl(*row).filter(|_| stream.towards(packet) == sender.other()) else {
                continue;
            };
            if segment.has(flag::RST) {
                resets.push((*row, ttl));
            } else {
                let count = counts.entry(ttl).or_default();
                *count = count.saturating_add(1);
            }
        }
        if counts.is_empty() {
            continue;
        }
        let packets = counts.values().sum();
        let mut others: Vec<(usize, u8)> = counts.iter().map(|(ttl, count)| (*count, *ttl)).collect();
        others.sort_unstable_by(|one, other| other.cmp(one));
        let others: Vec<u8> = others.into_iter().map(|(_, ttl)| ttl).collect();
        let strange = resets.into_iter().filter(|(_, ttl)| !counts.contains_key(ttl));
        found.extend(strange.map(|(row, ttl)| StrangeReset {
            row,
            tcpstream: stream.id,
            sender: Tracking::mptcp_towards(subflow, sender),
            ttl,
            others: others.clone(),
            packets,
        }));
    }
    found
}

impl StrangeReset {
    /// The particulars, a phrase.
    #[must_use]
    pub fn detail(&self) -> String {
        let others: Vec<String> = self.others.iter().take(3).map(u8::to_string).collect();
        let more = if self.others.len() > 3 { ", …" } else { "" };
        format!(
            "a RST in the name of the {} with a time to live of {}; its other packets on the stream ({}) have {}{more}",
            self.sender.name(),
            self.ttl,
            self.packets,
            others.join(", ")
        )
    }
}
