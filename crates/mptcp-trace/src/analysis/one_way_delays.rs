//! How long did packets take from one end to the other?

use serde::Serialize;

use super::clock::{Clock, Correction};
use super::distribution::Distribution;
use super::merge::{Fate, Merged, StreamPassages};
use crate::interrupt::interruptible;
use crate::tracking::Role;
use crate::{Instant, PacketRow, Span, StreamId};

/// The one-way delays of one direction of a stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OneWayDelays {
    /// TCP stream in the first capture.
    pub tcpstream: StreamId,
    /// TCP stream in the second capture.
    pub mapped: StreamId,
    /// The end that the packets travel towards: of the connection for subflows, of the stream for plain TCP.
    pub towards: Role,
    /// Corrected part of the clock error.
    pub clock: Correction,
    /// Of the packets that both captures have, once each; seconds.
    #[serde(flatten)]
    pub distribution: Distribution,
}

/// One packet's delay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OwdSample {
    /// Row in the sender's capture.
    pub sender: PacketRow,
    /// Row in the receiver's capture.
    pub receiver: PacketRow,
    /// When it was sent, by the clock of the sender's capture.
    pub sent: Instant,
    /// Nanoseconds from sender to receiver.
    pub delay: Span,
}

/// The delays of every stream and direction of `merged`.
#[must_use]
pub fn one_way_delays(merged: &Merged, clock: &Clock, correction: Correction) -> Vec<OneWayDelays> {
    let of_flow = |flow: &StreamPassages| OneWayDelays {
        tcpstream: flow.pair.first,
        mapped: flow.pair.second,
        towards: flow.towards(),
        clock: correction,
        distribution: Distribution::of(samples(flow, clock, correction).map(|sample| sample.delay).collect()),
    };
    let mut found: Vec<OneWayDelays> = interruptible(&merged.flows).map(of_flow).collect();
    found.sort_by_key(|delays| delays.towards);
    found
}

/// The packets of a flow that both captures have. A large frame that arrived in parts counts once, with its last part.
pub fn samples(flow: &StreamPassages, clock: &Clock, correction: Correction) -> impl Iterator<Item = OwdSample> {
    let received = interruptible(&flow.passages).filter(|passage| passage.fate == Fate::Received).peekable();
    let mut received = received;
    std::iter::from_fn(move || {
        let mut passage = received.next()?;
        while let Some(next) = received.next_if(|next| next.sender == passage.sender) {
            if next.arrived > passage.arrived {
                passage = next;
            }
        }
        Some(passage)
    })
    .filter_map(move |passage| {
        Some(OwdSample {
            sender: passage.sender?,
            receiver: passage.receiver?,
            sent: passage.sent?,
            delay: clock.delay(correction, flow.sender, passage)?,
        })
    })
}
