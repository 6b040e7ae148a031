//! Contribution of each subflow, judged at both ends.
//!
//! The sender's capture says what each subflow was given to carry, the receiver's which copy of the data arrived first:
//! only that one was of use.

use std::collections::HashSet;

use serde::Serialize;

use super::connection_pair::{ConnectionPair, DirectionEnds};
use super::volume::share;
use crate::StreamId;
use crate::interrupt::interruptible;
use crate::tracking::Role;
use crate::tracking::data::{Arrivals, arrivals, directions};

/// One direction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExtendedDirection {
    /// The end that it travels towards.
    pub towards: Role,
    /// Sum of payload lengths at the sender, bytes.
    pub throughput_bytes: u64,
    /// Bytes of data that arrived, each counted once.
    pub goodput_bytes: u64,
    /// Bytes of data that were sent and are not in the receiver's capture.
    pub missing_bytes: u64,
    /// Bytes of data that the receiver's DATA_ACKs cover and neither capture has a packet of: goodput and shares are of
    /// the others. `None` where the receiver's capture has no DATA_ACK of this direction.
    pub unseen_bytes: Option<u64>,
    /// Each subflow's part.
    pub subflows: Vec<ExtendedSubflow>,
}

/// One subflow's part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExtendedSubflow {
    /// TCP stream in the sender's capture; `None` when only the receiver's has it.
    pub tcpstream: Option<StreamId>,
    /// TCP stream in the receiver's capture; `None` when only the sender's has it.
    pub mapped: Option<StreamId>,
    /// Payload sent, bytes, repeated ones included.
    pub throughput_bytes: u64,
    /// Of the throughput over all subflows; `None` when that is zero.
    pub throughput_contribution: Option<f64>,
    /// Bytes of data whose copy on this subflow arrived first.
    pub goodput_bytes: u64,
    /// Of the goodput over all subflows; `None` when that is zero.
    pub goodput_contribution: Option<f64>,
    /// Bytes of payload that arrived on this subflow, repeated ones included.
    pub arrived_bytes: u64,
}

/// Sums up a connection from both ends; only towards `towards`, if given.
#[must_use]
pub fn summary_extended(pair: &ConnectionPair<'_>, towards: Option<Role>) -> Vec<ExtendedDirection> {
    let roles = Role::BOTH.into_iter().filter(|role| towards.is_none_or(|wanted| wanted == *role));
    roles.map(|role| direction(pair, &pair.direction(role))).collect()
}

fn direction(pair: &ConnectionPair<'_>, ends: &DirectionEnds<'_>) -> ExtendedDirection {
    let (sender, receiver) = (ends.sender, ends.receiver);
    let directions = directions(&sender.capture.segments, &sender.capture.tracking, sender.connection);
    let sent = directions.get(ends.at_sender);
    let found = arrivals(&receiver.capture.segments, &receiver.capture.tracking, receiver.connection);
    let received = found.get(ends.at_receiver);
    let mut first = vec![0_u64; receiver.connection.subflows.len()];
    for piece in interruptible(received.any.overlaps(0, u64::MAX)) {
        if let Some(bytes) = first.get_mut(piece.value.subflow) {
            *bytes += piece.length();
        }
    }
    let throughput = sent.subflows.iter().map(|volume| volume.throughput).sum();
    let goodput = received.any.total();
    let row = |at_sender: Option<usize>, at_receiver: Option<usize>| {
        let sent_bytes = at_sender.and_then(|index| sent.subflows.get(index)).map_or(0, |volume| volume.throughput);
        let first_bytes = at_receiver.and_then(|index| first.get(index)).copied().unwrap_or(0);
        ExtendedSubflow {
            tcpstream: at_sender.and_then(|index| sender.connection.subflows.get(index)).copied(),
            mapped: at_receiver.and_then(|index| receiver.connection.subflows.get(index)).copied(),
            throughput_bytes: sent_bytes,
            throughput_contribution: share(sent_bytes, throughput),
            goodput_bytes: first_bytes,
            goodput_contribution: share(first_bytes, goodput),
            arrived_bytes: at_receiver.and_then(|index| received.payload.get(index)).copied().unwrap_or(0),
        }
    };
    let counterparts = pair.subflow_indices(ends);
    let mut subflows: Vec<ExtendedSubflow> =
        counterparts.iter().enumerate().map(|(index, counterpart)| row(Some(index), *counterpart)).collect();
    let matched: HashSet<usize> = counterparts.iter().flatten().copied().collect();
    let only_received = (0..first.len()).filter(|index| !matched.contains(index));
    subflows.extend(only_received.map(|index| row(None, Some(index))));
    ExtendedDirection {
        towards: ends.towards,
        throughput_bytes: throughput,
        goodput_bytes: goodput,
        missing_bytes: sent.goodput.saturating_sub(goodput),
        unseen_bytes: unseen(ends, received),
        subflows,
    }
}

/// Data that the receiver acknowledged and that neither capture has.
fn unseen(ends: &DirectionEnds<'_>, received: &Arrivals) -> Option<u64> {
    let (sender, receiver) = (ends.sender, ends.receiver);
    let found = directions(&receiver.capture.segments, &receiver.capture.tracking, receiver.connection);
    let (start, end) = found.get(ends.at_receiver).covered?;
    let unseen = found.get(ends.at_receiver).unseen?;
    if unseen == 0 {
        return Some(0);
    }
    let sent = arrivals(&sender.capture.segments, &sender.capture.tracking, sender.connection);
    let sent = sent.get(ends.at_sender);
    // Those that the sender's capture has after all.
    let there: u64 = sent
        .any
        .overlaps(0, u64::MAX)
        .map(|piece| {
            let from = sent.numbers.translate(&received.numbers, piece.start);
            let to = from.saturating_add(piece.length());
            let gaps = received.any.gaps(from.max(start), to.min(end));
            gaps.map(|(from, to)| to - from).sum::<u64>()
        })
        .sum();
    Some(unseen.saturating_sub(there))
}
