//! When was a subflow silent although it had data to carry?
//!
//! Before the place where the path broke, data sent again have no answer. Behind it, what was on its way does not arrive, and
//! comes over another subflow later: that one then carries data that lie before what it had carried. Or a backup carries
//! data, which it is only meant to do when no other subflow can (RFC 8684 §3.3.8).

use std::collections::BTreeMap;

use super::{Cause, Stop};
use crate::analysis::availability::Availability;
use crate::analysis::standstill::Waiting;
use crate::packets::segment::{Segment, flag};
use crate::tracking::data::DataPacket;
use crate::tracking::sequence::Positions;
use crate::{Instant, PacketRow, Span};

/// A shorter silence is ordinary loss recovery.
const SILENCE: Span = Span::from_seconds(1);
/// What a subflow lost was under way when it fell silent: the hole opened within this time of its last data.
const UNDER_WAY: Span = Span::from_seconds(1);
/// Data on a backup within this time count once.
const BURST: Span = Span::from_milliseconds(100);
/// Data brought by others that are looked at for one silence, so that the time stays linear.
const LOOKED_AT: usize = 64;

/// One direction of a connection.
#[derive(Debug)]
pub struct Silences {
    subflows: Vec<OfSubflow>,
    /// One past the highest byte of data seen.
    top: Option<u64>,
    /// Bytes of data below `top` that did not come: first to one past the last, and when the hole opened.
    holes: BTreeMap<u64, (u64, Instant)>,
    /// Data that came over another subflow than they were meant for: into a hole, or for the second time.
    brought: Vec<Brought>,
    found: Vec<Stop>,
}

/// One direction of a subflow.
#[derive(Debug, Default)]
struct OfSubflow {
    waiting: Waiting<PacketRow>,
    positions: Positions,
    /// One past the highest byte of the subflow.
    top: Option<u64>,
    /// One past the highest byte of data that it carried.
    data_top: Option<u64>,
    /// Its last packet with data.
    last: Option<Instant>,
    /// The last packet of the subflow.
    latest: Instant,
    /// Times at which it carried data, one in each [`BURST`].
    bursts: Vec<Instant>,
    /// Times without data: from, until.
    gaps: Vec<(Instant, Option<Instant>)>,
    /// Unanswered data: from, until, the first packet that sent data again, and whether that alone shows a silence.
    unanswered: Vec<(Instant, Option<Instant>, PacketRow, bool)>,
}

/// Data brought by a subflow that was not the first choice for them.
#[derive(Debug, Clone, Copy)]
struct Brought {
    time: Instant,
    subflow: usize,
    /// When the hole that they fill opened; `None` where they had come before.
    opened: Option<Instant>,
}

impl Silences {
    /// Of a direction of so many subflows.
    pub fn new(subflows: usize) -> Self {
        Silences {
            subflows: std::iter::repeat_with(OfSubflow::default).take(subflows).collect(),
            top: None,
            holes: BTreeMap::new(),
            brought: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Takes in a packet of the other direction.
    pub fn is_answered(&mut self, packet: &DataPacket<'_>, segment: &Segment) {
        let Some(own) = self.subflows.get_mut(packet.subflow) else { return };
        own.latest = packet.time;
        let before = own.waiting.unanswered(packet.time);
        if own.waiting.acknowledges(segment) || segment.has(flag::RST) {
            own.note(before, Some(packet.time));
        }
    }

    /// Takes in a packet of this direction; true where it carries bytes that the subflow had not sent.
    pub fn sends(&mut self, packet: &DataPacket<'_>, segment: &Segment, data: u32) -> bool {
        let Some(own) = self.subflows.get_mut(packet.subflow) else { return false };
        own.latest = packet.time;
        if data == 0 {
            return false;
        }
        own.waiting.sends(segment, data, packet.row);
        let start = own.positions.position(segment.sequence).saturating_add(u64::from(segment.has(flag::SYN)));
        let end = start.saturating_add(data.into());
        let goes_on = own.top.is_none_or(|top| end > top);
        own.top = own.top.max(Some(end));
        if let Some(last) = own.last.replace(packet.time)
            && packet.time - last >= SILENCE
        {
            own.gaps.push((last, Some(packet.time)));
        }
        if own.bursts.last().is_none_or(|begun| packet.time - *begun >= BURST) {
            own.bursts.push(packet.time);
        }
        let highest = own.data_top;
        own.data_top = own.data_top.max(packet.fresh.last().map(|(_, end)| *end));
        let mut opened: Option<Instant> = None;
        for (first, last) in packet.fresh {
            opened =
                opened.or(self.fill(*first, *last, packet.time).filter(|_| highest.is_some_and(|top| *first < top)));
        }
        let fresh: u64 = packet.fresh.iter().map(|(first, last)| last.saturating_sub(*first)).sum();
        if goes_on && (opened.is_some() || fresh < packet.mapped) {
            self.brought.push(Brought { time: packet.time, subflow: packet.subflow, opened });
        }
        goes_on
    }

    /// Takes these bytes out of the holes, or opens one before them; the time when the first that they fill had opened.
    fn fill(&mut self, start: u64, end: u64, now: Instant) -> Option<Instant> {
        let top = *self.top.get_or_insert(start);
        if start > top {
            self.holes.insert(top, (start, now));
        }
        self.top = Some(top.max(end));
        let mut opened = None;
        while let Some((&first, &(last, since))) = self.holes.range(..end).next_back() {
            if last <= start {
                break;
            }
            self.holes.remove(&first);
            opened = Some(since);
            if last > end {
                self.holes.insert(end, (last, since));
            }
            if first < start {
                self.holes.insert(first, (start, since));
                break;
            }
        }
        opened
    }

    /// The silences; `available` says which subflows are backups.
    pub fn finish(mut self, available: &[Availability]) -> Vec<Stop> {
        let end = self.subflows.iter().filter_map(|own| own.last).max();
        let subflows = std::mem::take(&mut self.subflows);
        let is_backup = |subflow: usize, time| available.get(subflow).is_some_and(|own| own.is_backup(time));
        // Data on backups, as times; one in a while is enough.
        let mut backups: Vec<Instant> = Vec::new();
        for (subflow, own) in subflows.iter().enumerate() {
            backups.extend(own.bursts.iter().filter(|begun| is_backup(subflow, **begun)));
        }
        backups.sort_unstable();
        for (subflow, mut own) in subflows.into_iter().enumerate() {
            let last = own.waiting.unanswered(own.latest);
            own.note(last, None);
            if let (Some(last), Some(end)) = (own.last, end)
                && end - last >= SILENCE
            {
                own.gaps.push((last, None));
            }
            for (from, until, row, alone) in own.unanswered {
                if alone || self.is_brought(subflow, (from, until), |_| true) {
                    self.found.push(Stop { subflow, cause: Cause::Silent, from, until, row: Some(row) });
                }
            }
            for (from, until) in own.gaps {
                let next = backups.get(backups.partition_point(|time| *time <= from));
                let backup =
                    next.is_some_and(|next| *next - from <= UNDER_WAY && until.is_none_or(|until| *next < until));
                let near = |opened: Instant| opened - from <= UNDER_WAY && from - opened <= UNDER_WAY;
                let backup = backup && !is_backup(subflow, from);
                if backup || self.is_brought(subflow, (from, until), |brought| brought.opened.is_some_and(near)) {
                    self.found.push(Stop { subflow, cause: Cause::Silent, from, until, row: None });
                }
            }
        }
        self.found
    }

    /// Whether another subflow brought data meanwhile.
    fn is_brought(
        &self,
        subflow: usize,
        (from, until): (Instant, Option<Instant>),
        fits: impl Fn(&Brought) -> bool,
    ) -> bool {
        let first = self.brought.partition_point(|brought| brought.time <= from);
        let later = self.brought.get(first..).unwrap_or(&[]).iter();
        let meanwhile = later.take_while(|brought| until.is_none_or(|until| brought.time <= until));
        meanwhile.take(LOOKED_AT).any(|brought| brought.subflow != subflow && fits(brought))
    }
}

impl OfSubflow {
    fn note(&mut self, unanswered: Option<(Instant, PacketRow, bool)>, until: Option<Instant>) {
        if let Some((from, row, alone)) = unanswered {
            self.unanswered.push((from, until, row, alone));
        }
    }
}
