//! How far apart are the clocks of two captures?
//!
//! The second capture's clock shows `t + offset + skew · (t − reference)` when the first one's shows `t`. Between a
//! packet's two records lie the error of the clocks and the packet's delay, and a delay is never shorter than the
//! path's own. So the shortest of what is seen of packets in one direction, and the longest of the other direction
//! (where the delay counts backwards), are two lines in time that the error lies between:
//!
//! - the skew is the slope of both lines (see `envelope`);
//! - the offset lies between them, and in their middle when the path takes as long there as back. The path with the
//!   shortest round trip leaves the least room; half of that is the uncertainty.

mod envelope;

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use super::merge::{Fate, Merged, Passage, Which};
use crate::interrupt::interruptible;
use crate::tracking::Capture;
use crate::{Instant, Span};
use envelope::{Envelope, Point, Side};

/// Correction of times before two captures are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Correction {
    /// Nothing.
    None,
    /// The offset.
    Offset,
    /// Offset and skew.
    Skew,
}

impl Correction {
    /// The name that the option and JSON have for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Correction::None => "none",
            Correction::Offset => "offset",
            Correction::Skew => "skew",
        }
    }
}

/// The offset between two clocks, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Offset {
    /// Lead of the second clock over the first, seconds.
    pub offset: f64,
    /// Half of the shortest round trip, seconds: the offset is wrong by half of the difference between that path's two
    /// delays, which is at most this.
    pub uncertainty: f64,
    /// The shortest round trip of packets, seconds: the sum of the shortest delays both ways on one path.
    pub round_trip: f64,
}

/// The error between the clocks of two captures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Clock {
    /// What offset and skew count from by the first clock: its first packet that both have.
    pub reference: Instant,
    /// Packets that both captures have.
    pub packets: u64,
    /// Seconds from the first to the last of them.
    pub span: f64,
    /// The offset if both clocks run equally fast; `None` without packets in both directions of a path.
    pub offset: Option<Offset>,
    /// The offset at the reference, taking the skew into account.
    pub offset_at_reference: Option<Offset>,
    /// Skew of the second clock, parts of one (1e-6 is one ppm); `None` without enough packets.
    pub skew: Option<f64>,
    /// By how much the skew may be wrong, parts of one: what the jitter of recording would make over the time between
    /// the first and last of the fastest packets.
    pub skew_uncertainty: Option<f64>,
}

/// Two captures' addresses of a path, by which streams share their envelope.
type Path = (IpAddr, IpAddr);

/// Estimates the clock error from the packets that both captures have.
#[must_use]
pub fn clock(first: &Capture, merged: &Merged) -> Clock {
    let paths = paths(first, merged);
    let times = || paths.values().flat_map(|sides| sides.iter().flatten()).map(|point| point.time);
    let (reference, last) = (times().min().unwrap_or_default(), times().max().unwrap_or_default());
    let envelopes: Vec<[Envelope; 2]> = paths
        .into_values()
        .map(|[forth, back]| {
            [Envelope::new(Side::Lower, forth, reference), Envelope::new(Side::Upper, back, reference)]
        })
        .collect();
    let all: Vec<&Envelope> = envelopes.iter().flatten().collect();
    let found = envelope::common_slope(&all);
    let skew = found.map(|found| found.slope);
    Clock {
        reference,
        packets: all.iter().map(|envelope| envelope.packets() as u64).sum(),
        span: (last - reference).seconds(),
        offset: offset(&envelopes, 0.0),
        offset_at_reference: offset(&envelopes, skew.unwrap_or(0.0)),
        skew,
        skew_uncertainty: found.map(|found| found.uncertainty),
    }
}

/// Each path's points in both directions: from the first capture to the second, and back.
fn paths(first: &Capture, merged: &Merged) -> BTreeMap<Path, [Vec<Point>; 2]> {
    let mut paths: BTreeMap<Path, [Vec<Point>; 2]> = BTreeMap::new();
    for flow in interruptible(&merged.flows) {
        let Some(stream) = first.tracking.stream(flow.pair.first) else { continue };
        let [forth, back] = paths.entry((stream.client.address, stream.server.address)).or_default();
        let points = flow.sender.of(forth, back);
        let received = flow.passages.iter().filter(|passage| passage.fate == Fate::Received);
        points.extend(received.filter_map(|passage| point(flow.sender, passage)));
    }
    paths
}

fn point(sender: Which, passage: &Passage) -> Option<Point> {
    let (sent, arrived) = (passage.sent?, passage.arrived?);
    let (first, second) = sender.of((sent, arrived), (arrived, sent));
    Some(Point { time: first, difference: second.checked_since(first)? })
}

/// The offset where the skew is `slope`.
fn offset(paths: &[[Envelope; 2]], slope: f64) -> Option<Offset> {
    let bounds = paths.iter().filter_map(|[forth, back]| Some((forth.intercept(slope)?, back.intercept(slope)?)));
    let (upper, lower) = bounds.min_by(|one, other| (one.0 - one.1).total_cmp(&(other.0 - other.1)))?;
    let round_trip = (upper - lower) / 1e9;
    Some(Offset { offset: f64::midpoint(upper, lower) / 1e9, uncertainty: round_trip.abs() / 2.0, round_trip })
}

impl Clock {
    /// The delay of a packet, with the correction applied; `None` when one capture lacks the packet or the
    /// correction is not known.
    #[must_use]
    pub fn delay(&self, correction: Correction, sender: Which, passage: &Passage) -> Option<Span> {
        let (sent, arrived) = (passage.sent?, passage.arrived?);
        let (sent, arrived) = match sender {
            Which::First => (sent, self.to_first(correction, arrived)?),
            Which::Second => (self.to_first(correction, sent)?, arrived),
        };
        arrived.checked_since(sent)
    }

    /// A time by the second clock, as the first one shows it.
    #[must_use]
    pub fn to_first(&self, correction: Correction, second: Instant) -> Option<Instant> {
        let (offset, skew) = match correction {
            Correction::None => return Some(second),
            Correction::Offset => (self.offset?.offset, 0.0),
            Correction::Skew => (self.offset_at_reference?.offset, self.skew.unwrap_or(0.0)),
        };
        #[allow(clippy::cast_precision_loss)]
        let since = second.checked_since(self.reference)?.nanoseconds() as f64;
        let since = (since - offset * 1e9) / (1.0 + skew);
        #[allow(clippy::cast_possible_truncation)]
        self.reference.checked_add(Span::from_nanoseconds(since.round() as i64))
    }

    /// True when the skew is more than what jitter may feign.
    #[must_use]
    pub fn skew_is_seen(&self) -> bool {
        matches!((self.skew, self.skew_uncertainty), (Some(skew), Some(uncertainty)) if skew.abs() > uncertainty)
    }

    /// The correction by all that is known of the error.
    #[must_use]
    pub fn fullest(&self) -> Correction {
        match self.offset {
            None => Correction::None,
            Some(_) if self.skew_is_seen() => Correction::Skew,
            Some(_) => Correction::Offset,
        }
    }

    /// The least correction that leaves no delay below zero, where one does.
    #[must_use]
    pub fn needed(&self, merged: &Merged) -> Correction {
        let negative = |correction| {
            let delays = merged.flows.iter().flat_map(|flow| {
                flow.passages.iter().filter_map(move |passage| self.delay(correction, flow.sender, passage))
            });
            delays.min().is_some_and(|delay| delay < Span::ZERO)
        };
        if !negative(Correction::None) || self.offset.is_none() {
            Correction::None
        } else if self.skew_is_seen() || negative(Correction::Offset) {
            Correction::Skew
        } else {
            Correction::Offset
        }
    }
}
