//! Did the reinjections help? Asked of the captures of both ends.
//!
//! Whether data came in time is a matter of the receiver alone: all times here are its clock's, so that clocks need no
//! comparing. A reinjected byte was useful when it arrived before the subflow that had sent it first delivered it, or
//! when that one never did. Data counts as delivered by a subflow with whatever packet brought it there first, a
//! retransmission of TCP's included.

mod head_of_line;
mod outside;

use std::collections::BTreeMap;

use serde::Serialize;

use super::connection_pair::{ConnectionPair, DirectionEnds};
use super::merge::Merged;
use crate::interrupt::interruptible;
use crate::tracking::Role;
use crate::tracking::data::{Arrival, Arrivals, Direction, Intervals, Repeat, RepeatKind, arrivals, directions};
use crate::{Instant, PacketRow, Span, StreamId};
pub use head_of_line::HeadOfLine;
use outside::Outside;

/// Pieces of one reinjection that are judged one by one; what lies beyond is judged by the first of the rest.
const MOST_PIECES: usize = 1024;

/// Outcome of a reinjection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReinjectionVerdict {
    /// Some of it arrived before the original did, or the original never did.
    Useful,
    /// It arrived, all of it behind the original.
    Redundant,
    /// It never arrived and the original did.
    Lost,
    /// Neither arrived, as far as the receiver's capture shows.
    NeverArrived,
    /// The receiver's capture does not have it, or not the original, and may not have been running when that arrived, or
    /// lacks the whole subflow.
    OutsideCapture,
}

impl ReinjectionVerdict {
    /// The name that JSON and tables have for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ReinjectionVerdict::Useful => "useful",
            ReinjectionVerdict::Redundant => "redundant",
            ReinjectionVerdict::Lost => "lost",
            ReinjectionVerdict::NeverArrived => "never_arrived",
            ReinjectionVerdict::OutsideCapture => "outside_capture",
        }
    }
}

/// Data of one earlier packet, repeated by a packet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QualifiedReinjection {
    /// The end of the connection that it travels towards.
    pub towards: Role,
    /// The reinjecting packet in the sender's capture.
    pub packetid: u64,
    /// Its TCP stream there.
    pub tcpstream: StreamId,
    /// Its row there.
    #[serde(skip)]
    pub row: PacketRow,
    /// The packet that had sent the data first, in the sender's capture.
    pub original_packetid: u64,
    /// Its TCP stream there.
    pub original_tcpstream: StreamId,
    /// First byte, from the sender's IDSN; `None` without the sender's key.
    pub dsn: Option<u64>,
    /// Reinjected bytes.
    pub length: u64,
    /// Outcome.
    pub verdict: ReinjectionVerdict,
    /// Those of its bytes that arrived before the original's did, or whose original never arrived.
    pub useful_bytes: u64,
    /// Those of its bytes that arrived first of all copies on all subflows.
    pub first_bytes: u64,
    /// The packet in the receiver's capture that first brought the last of these bytes to arrive on this subflow.
    pub arrived_packetid: Option<u64>,
    /// The same on the subflow that had sent them first.
    pub original_arrived_packetid: Option<u64>,
    /// Arrival of the original less arrival of the reinjection, seconds: what it gained, or came too late by when below
    /// zero. `None` where not all of the bytes arrived on both subflows.
    pub reinj_delta: Option<f64>,
}

/// Reinjections from one subflow to another, summed up.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PairTotals {
    /// TCP stream in the sender's capture that sent the data first.
    pub from: StreamId,
    /// The one that sent it again.
    pub to: StreamId,
    /// Reinjections: a packet that repeats several counts for each.
    pub reinjections: u64,
    /// Those that were useful.
    pub useful: u64,
    /// Those that came too late.
    pub redundant: u64,
    /// Those that did not arrive.
    pub lost: u64,
    /// Those of which the receiver's capture does not tell, because it may not have been running.
    pub outside_capture: u64,
    /// Reinjected bytes.
    pub bytes: u64,
    /// Those of them that were useful.
    pub useful_bytes: u64,
    /// Those of the useful bytes whose original never arrived.
    pub rescued_bytes: u64,
    /// Longest gain of a useful reinjection whose original arrived as well, seconds.
    pub saved_max: Option<f64>,
    /// Mean gain of those, seconds.
    pub saved_mean: Option<f64>,
}

/// One direction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QualifiedDirection {
    /// Which.
    pub towards: Role,
    /// By the subflow that sent first and the one that sent again.
    pub pairs: Vec<PairTotals>,
    /// Effect of the reinjections on the receiver's waiting.
    pub head_of_line: HeadOfLine,
    /// Ranges sent again that span more pieces of earlier data than are told apart: each counts whole as its first piece
    /// does.
    pub merged_repeats: u64,
    /// Every reinjection, in the order of the sender's capture.
    pub reinjections: Vec<QualifiedReinjection>,
}

/// Judges the reinjections of a connection, whose packets are `merged`; only those towards `towards`, if given.
#[must_use]
pub fn qualify_reinjections(
    pair: &ConnectionPair<'_>,
    merged: &Merged,
    towards: Option<Role>,
) -> Vec<QualifiedDirection> {
    let roles = Role::BOTH.into_iter().filter(|role| towards.is_none_or(|wanted| wanted == *role));
    roles.map(|role| direction(pair, &pair.direction(role), merged)).collect()
}

fn direction(pair: &ConnectionPair<'_>, ends: &DirectionEnds<'_>, merged: &Merged) -> QualifiedDirection {
    let sender = ends.sender;
    let directions = directions(&sender.capture.segments, &sender.capture.tracking, sender.connection);
    let sent = directions.get(ends.at_sender);
    let receiver = ends.receiver;
    let found = arrivals(&receiver.capture.segments, &receiver.capture.tracking, receiver.connection);
    let judge = Judge {
        ends,
        sent,
        received: found.get(ends.at_receiver),
        counterparts: pair.subflow_indices(ends),
        outside: Outside::new(merged, ends),
    };
    let repeats: Vec<&Repeat> = sent.repeats.iter().filter(|repeat| repeat.kind == RepeatKind::Reinjection).collect();
    let same = |one: &&Repeat, other: &&Repeat| (one.row, one.original_row) == (other.row, other.original_row);
    let judged: Vec<Judged> = repeats.chunk_by(same).filter_map(|ranges| judge.reinjection(ranges)).collect();
    QualifiedDirection {
        towards: ends.towards,
        pairs: totals(&judged),
        head_of_line: judge.head_of_line(&repeats),
        merged_repeats: sent.merged_repeats,
        reinjections: judged.into_iter().map(|judged| judged.record).collect(),
    }
}

/// Input for judging one direction.
struct Judge<'a> {
    ends: &'a DirectionEnds<'a>,
    sent: &'a Direction,
    received: &'a Arrivals,
    /// The receiver's index of each of the sender's subflows.
    counterparts: Vec<Option<usize>>,
    outside: Outside<'a>,
}

/// A record, with what only its totals need.
struct Judged {
    record: QualifiedReinjection,
    rescued: u64,
}

/// A range of data that arrived in one piece on both subflows.
struct Piece {
    start: u64,
    end: u64,
    reinjection: Option<Arrival>,
    original: Option<Arrival>,
}

impl Judge<'_> {
    fn reinjection(&self, ranges: &[&Repeat]) -> Option<Judged> {
        let first = ranges.first()?;
        let pieces: Vec<Piece> = ranges.iter().flat_map(|range| self.pieces(range)).collect();
        let bytes = |wanted: &dyn Fn(&Piece) -> bool| -> u64 {
            pieces.iter().filter(|piece| wanted(piece)).map(|piece| piece.end - piece.start).sum()
        };
        let length: u64 = ranges.iter().map(|range| range.length).sum();
        let arrived = bytes(&|piece| piece.reinjection.is_some());
        let original_arrived = bytes(&|piece| piece.original.is_some());
        // An original from before the capture may have arrived before the reinjection did.
        let captured = |subflow: usize| self.arrivals_on(subflow).is_some();
        let original_known = captured(first.original_subflow) && !self.outside.may_precede(first.original_row);
        let useful = bytes(&|piece| piece.useful() && (original_known || piece.original.is_some()));
        let unknown =
            if arrived > 0 { !original_known && original_arrived < length } else { self.outside.has(first.row) };
        let verdict = match (useful, arrived, original_arrived) {
            (1.., _, _) => ReinjectionVerdict::Useful,
            (0, _, _) if unknown => ReinjectionVerdict::OutsideCapture,
            (0, 1.., _) => ReinjectionVerdict::Redundant,
            (0, 0, 1..) => ReinjectionVerdict::Lost,
            (0, 0, 0) => ReinjectionVerdict::NeverArrived,
        };
        let last = |of: fn(&Piece) -> Option<Arrival>| pieces.iter().filter_map(of).max_by_key(|arrival| arrival.time);
        let (reinjection, original) = (last(|piece| piece.reinjection), last(|piece| piece.original));
        let both = arrived == length && original_arrived == length;
        let delta = reinjection.zip(original).filter(|_| both).map(|(one, other)| other.time - one.time);
        let record = QualifiedReinjection {
            towards: self.ends.towards,
            packetid: self.sent_packet(first.row)?,
            row: first.row,
            tcpstream: *self.ends.sender.connection.subflows.get(first.subflow)?,
            original_packetid: self.sent_packet(first.original_row)?,
            original_tcpstream: *self.ends.sender.connection.subflows.get(first.original_subflow)?,
            dsn: ranges.iter().map(|range| range.dsn).min().and_then(|dsn| self.sent.numbers.relative(dsn)),
            length,
            verdict,
            useful_bytes: useful,
            first_bytes: self.first_of_all(&pieces),
            arrived_packetid: reinjection.and_then(|arrival| self.received_packet(arrival)),
            original_arrived_packetid: original.and_then(|arrival| self.received_packet(arrival)),
            reinj_delta: delta.map(Span::seconds),
        };
        let original_known = captured(first.original_subflow) && !self.outside.has(first.original_row);
        let rescued = bytes(&|piece| original_known && piece.reinjection.is_some() && piece.original.is_none());
        Some(Judged { record, rescued })
    }

    /// The range cut where either subflow's arrivals change.
    fn pieces(&self, range: &Repeat) -> Vec<Piece> {
        let (start, end) = self.translated(range);
        let mut cuts = vec![start, end];
        let on = |subflow: usize| self.arrivals_on(subflow);
        let (reinjecting, original) = (on(range.subflow), on(range.original_subflow));
        for arrivals in [reinjecting, original].into_iter().flatten() {
            cuts.extend(arrivals.overlaps(start, end).take(MOST_PIECES).flat_map(|piece| [piece.start, piece.end]));
        }
        cuts.sort_unstable();
        cuts.dedup();
        let at = |arrivals: Option<&Intervals<Arrival>>, start: u64, end: u64| {
            arrivals.and_then(|arrivals| arrivals.overlaps(start, end).next()).map(|piece| piece.value)
        };
        let piece = |cut: &[u64]| match cut {
            [from, to] => Some(Piece {
                start: *from,
                end: *to,
                reinjection: at(reinjecting, *from, *to),
                original: at(original, *from, *to),
            }),
            _ => None,
        };
        cuts.windows(2).filter_map(piece).collect()
    }

    /// The range in the receiver's working numbers.
    fn translated(&self, range: &Repeat) -> (u64, u64) {
        let start = self.sent.numbers.translate(&self.received.numbers, range.dsn);
        (start, start.saturating_add(range.length))
    }

    fn arrivals_on(&self, subflow: usize) -> Option<&Intervals<Arrival>> {
        let index = (*self.counterparts.get(subflow)?)?;
        self.received.subflows.get(index)
    }

    fn first_of_all(&self, pieces: &[Piece]) -> u64 {
        let bytes = pieces.iter().filter_map(|piece| {
            let own = piece.reinjection?;
            let firsts = self.received.any.overlaps(piece.start, piece.end);
            Some(
                firsts
                    .take(MOST_PIECES)
                    .filter(|first| first.value.subflow == own.subflow)
                    .map(|first| first.length())
                    .sum::<u64>(),
            )
        });
        bytes.sum()
    }

    fn sent_packet(&self, row: PacketRow) -> Option<u64> {
        self.ends.sender.capture.segments.get(row.index()).map(|segment| segment.packetid())
    }

    fn received_packet(&self, arrival: Arrival) -> Option<u64> {
        self.ends.receiver.capture.segments.get(arrival.row.index()).map(|segment| segment.packetid())
    }

    fn head_of_line(&self, repeats: &[&Repeat]) -> HeadOfLine {
        // What each reinjected byte's own subflow delivered, and when; of a range reinjected several times, once.
        let mut originals: Intervals<Option<Instant>> = Intervals::default();
        for repeat in interruptible(repeats) {
            let (start, end) = self.translated(repeat);
            let Some(arrivals) = self.arrivals_on(repeat.original_subflow) else { continue };
            let gaps: Vec<(u64, u64)> = originals.gaps(start, end).collect();
            for piece in interruptible(gaps.into_iter().flat_map(|(first, last)| arrivals.overlaps(first, last))) {
                originals.fill(piece.start, piece.end, |_| Some(piece.value.time));
            }
            if !self.outside.has(repeat.original_row) {
                originals.fill(start, end, |_| None);
            }
        }
        head_of_line::head_of_line(&self.received.any, &originals)
    }
}

impl Piece {
    fn useful(&self) -> bool {
        match (self.reinjection, self.original) {
            (Some(reinjection), Some(original)) => reinjection.time < original.time,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}

fn totals(judged: &[Judged]) -> Vec<PairTotals> {
    let mut pairs: BTreeMap<(StreamId, StreamId), (PairTotals, Vec<f64>)> = BTreeMap::new();
    for Judged { record, rescued } in interruptible(judged) {
        let key = (record.original_tcpstream, record.tcpstream);
        let (totals, gains) = pairs.entry(key).or_default();
        (totals.from, totals.to) = key;
        totals.reinjections += 1;
        match record.verdict {
            ReinjectionVerdict::Useful => totals.useful += 1,
            ReinjectionVerdict::Redundant => totals.redundant += 1,
            ReinjectionVerdict::Lost | ReinjectionVerdict::NeverArrived => totals.lost += 1,
            ReinjectionVerdict::OutsideCapture => totals.outside_capture += 1,
        }
        totals.bytes += record.length;
        totals.useful_bytes += record.useful_bytes;
        totals.rescued_bytes += rescued;
        if record.verdict == ReinjectionVerdict::Useful {
            gains.extend(record.reinj_delta);
        }
    }
    let finish = |(mut totals, gains): (PairTotals, Vec<f64>)| {
        totals.saved_max = gains.iter().copied().max_by(f64::total_cmp);
        #[allow(clippy::cast_precision_loss)]
        let mean = || gains.iter().sum::<f64>() / gains.len() as f64;
        totals.saved_mean = (!gains.is_empty()).then(mean);
        totals
    };
    pairs.into_values().map(finish).collect()
}
