//! Second pass: which bytes of data were sent before, and where.

use super::Direction;
use super::flow::{Carriage, Mapped};
use super::intervals::{Intervals, Piece};
use super::parted::{Allowance, Step};
use crate::interrupt::interruptible;
use crate::tracking::role::ByRole;
use crate::tracking::travelling::Travelling;
use crate::tracking::{Connection, Nature};
use crate::{Instant, PacketRow};

/// Why data came again under new subflow sequence numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RepeatKind {
    /// It had gone over another subflow, and not yet over this one.
    Reinjection,
    /// It had gone over this very subflow.
    SameSubflow,
}

/// A range of data sent again under new subflow sequence numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// Row of the packet that sent it again.
    pub row: PacketRow,
    /// Index of its subflow in [`Connection::subflows`].
    pub subflow: usize,
    /// Why.
    pub kind: RepeatKind,
    /// Index of the subflow that sent it first; of a same-subflow re-send, the subflow itself.
    pub original_subflow: usize,
    /// Row of the packet that sent it first there.
    pub original_row: PacketRow,
    /// First byte: a working number, see [`super::Numbers`].
    pub dsn: u64,
    /// Bytes.
    pub length: u64,
    /// It stands for more pieces than were told apart: all of its bytes count as those of the first piece do, and may
    /// have been sent by other packets, and over other subflows, than the first.
    pub merged: bool,
}

/// One subflow's part in one direction.
#[derive(Debug, Clone, Default)]
pub struct SubflowVolume {
    /// Packets, with or without payload.
    pub packets: u64,
    /// Sum of payload lengths.
    pub throughput: u64,
    /// Bytes in copies that the path made.
    pub duplicated: u64,
    /// Copies that the path made, with or without payload.
    pub duplicated_packets: u64,
    /// Bytes of the subflow sent again under the same sequence numbers.
    pub retransmitted: u64,
    /// Packets that carried such bytes.
    pub retransmitted_packets: u64,
    /// Bytes of data that this subflow sent first: the next two are part of them.
    pub first_sent: u64,
    /// Those of them that went as plain TCP after a fallback.
    pub plain: u64,
    /// Those of them that the SYN carried (TCP Fast Open).
    pub fast_open: u64,
    /// Bytes of data that another subflow had sent before, and this one had not.
    pub reinjected: u64,
    /// Packets that carried such bytes.
    pub reinjected_packets: u64,
    /// Bytes of data that this subflow had sent before itself, under other sequence numbers.
    pub resent: u64,
    /// Bytes that no mapping covers, without a fallback that explains it.
    pub unmapped: u64,
    /// Keep-alives; see [`Nature::KeepAlive`].
    pub keepalives: u64,
    /// Window probes, of the subflow ([`Nature::WindowProbe`]) or of the connection (a mapping of acknowledged data).
    pub window_probes: u64,
}

impl SubflowVolume {
    /// Takes in a part of a payload, so many bytes of which were sent for the first time.
    fn add_first(&mut self, part: &Mapped, new: u64) {
        self.first_sent += new;
        self.plain += if part.carriage.is_plain() { new } else { 0 };
        self.fast_open += if part.carriage == Carriage::FastOpen { new } else { 0 };
    }
}

/// The subflow that sent a byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sender {
    /// Index of the subflow.
    subflow: u32,
    row: PacketRow,
}

/// Status of a data range when it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sending {
    /// For the first time.
    First,
    /// Again under the same subflow sequence numbers: TCP's retransmission.
    Retransmission,
    /// Again, having gone over another subflow.
    Reinjection,
    /// Again, having gone over this very subflow under other sequence numbers.
    SameSubflow,
    /// Not again: the path made a copy.
    Duplicate,
}

/// A range of data as a packet sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentPiece {
    /// First byte; a working number.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// Whether it had been sent before, and where.
    pub sending: Sending,
    /// Source of its numbers.
    pub carriage: Carriage,
}

/// Both directions of a connection while its packets come in the order of the file.
pub struct Walks(ByRole<Walk>);

impl Walks {
    /// Before the first packet.
    pub fn new(connection: &Connection) -> Self {
        let count = connection.subflows.len();
        Walks(ByRole { server: Walk::new(count), client: Walk::new(count) })
    }

    /// Takes in the next packet, with the parts of its payload that went before and the others; `visit` sees each range of
    /// data that it carries.
    #[inline]
    pub fn push(&mut self, step: &Step<'_>, again: &[Mapped], new: &[Mapped], mut visit: impl FnMut(SentPiece)) {
        self.0.get_mut(step.packet.towards).push(step, again, new, &mut visit);
    }

    /// Adds what was found to what is known of either direction.
    pub fn finish(self, totals: &mut ByRole<Direction>) {
        self.0.server.finish(&mut totals.server);
        self.0.client.finish(&mut totals.client);
    }
}

/// One direction under way.
struct Walk {
    /// Data bytes already sent, by whom first.
    data: Intervals<Sender>,
    /// For each subflow the data bytes that it sent after another one had sent them first; what it sent first itself is in
    /// `data`.
    after_others: Vec<Intervals<Sender>>,
    /// First and last packet.
    span: Option<(Instant, Instant)>,
    subflows: Vec<SubflowVolume>,
    repeats: Vec<Repeat>,
    merged_repeats: u64,
    allowance: Allowance,
}

impl Walk {
    fn new(count: usize) -> Self {
        Walk {
            data: Intervals::default(),
            after_others: vec![Intervals::default(); count],
            span: None,
            subflows: vec![SubflowVolume::default(); count],
            repeats: Vec::new(),
            merged_repeats: 0,
            allowance: Allowance::default(),
        }
    }

    fn push(&mut self, step: &Step<'_>, again: &[Mapped], new: &[Mapped], visit: &mut impl FnMut(SentPiece)) {
        let (packet, length, new_bytes) = (&step.packet, step.length(), step.new_bytes());
        let time = packet.segment.abstime;
        if !packet.elsewhere {
            let (first, last) = self.span.unwrap_or((time, time));
            self.span = Some((first.min(time), last.max(time)));
        }
        let (Some(after_others), Some(volume)) =
            (self.after_others.get_mut(packet.subflow), self.subflows.get_mut(packet.subflow))
        else {
            return;
        };
        volume.packets += 1;
        volume.throughput += u64::from(packet.segment.payload().unwrap_or(0));
        volume.keepalives += u64::from(packet.nature == Nature::KeepAlive);
        volume.window_probes += u64::from(matches!(packet.nature, Nature::WindowProbe | Nature::AcceptedProbe));
        volume.duplicated_packets += u64::from(packet.nature == Nature::Duplicate);
        self.allowance.grow();
        let Allowance(allowance) = &mut self.allowance;
        if length == 0 {
            return;
        }
        if packet.nature == Nature::Duplicate {
            volume.duplicated += length;
            for part in again {
                visit(part.as_sent((part.dsn, part.end()), Sending::Duplicate));
            }
            return;
        }
        for part in again.iter().filter(|part| part.carriage != Carriage::Probe) {
            visit(part.as_sent((part.dsn, part.end()), Sending::Retransmission));
        }
        volume.retransmitted += length - new_bytes;
        volume.retransmitted_packets += u64::from(new_bytes < length);
        volume.unmapped += new_bytes.saturating_sub(new.iter().map(|part| part.length).sum());
        let before = self.repeats.len();
        let sender = Sender { subflow: u32::try_from(packet.subflow).unwrap_or(u32::MAX), row: packet.row };
        for part in interruptible(new) {
            if part.carriage == Carriage::Probe {
                // Where TCP's window was shut, too, it has been counted.
                volume.window_probes += u64::from(packet.nature == Nature::Ordinary);
                continue;
            }
            let end = part.end();
            if part.dsn >= end {
                continue;
            }
            // Most data goes once.
            if self.data.add_new(part.dsn, end, sender) {
                visit(part.as_sent((part.dsn, end), Sending::First));
                volume.add_first(part, end - part.dsn);
                continue;
            }
            if !takes(allowance, &self.data, after_others, (part.dsn, end)) {
                // All that was sent before counts as the first piece of it does.
                let Some(first) = self.data.overlaps(part.dsn, end).next() else { continue };
                let again = part.length.saturating_sub(self.data.gaps(part.dsn, end).map(|(from, to)| to - from).sum());
                let piece = Piece { end: first.start.saturating_add(again), ..first };
                let own = first.value.subflow == sender.subflow;
                let (kind, sending) = if own {
                    volume.resent += again;
                    (RepeatKind::SameSubflow, Sending::SameSubflow)
                } else {
                    volume.reinjected += again;
                    (RepeatKind::Reinjection, Sending::Reinjection)
                };
                visit(part.as_sent((piece.start, piece.end), sending));
                self.repeats.push(Repeat { merged: true, ..repeat(packet, kind, &piece) });
                self.merged_repeats += 1;
                volume.first_sent += self.data.fill(part.dsn, end, |_| sender);
                continue;
            }
            for piece in interruptible(sent_before(&self.data, after_others, sender.subflow, (part.dsn, end))) {
                volume.resent += piece.length();
                visit(part.as_sent((piece.start, piece.end), Sending::SameSubflow));
                self.repeats.push(repeat(packet, RepeatKind::SameSubflow, &piece));
            }
            for others in
                interruptible(self.data.overlaps(part.dsn, end).filter(|piece| piece.value.subflow != sender.subflow))
            {
                for (start, end) in interruptible(after_others.gaps(others.start, others.end)) {
                    let piece = Piece { start, end, ..others };
                    volume.reinjected += piece.length();
                    visit(part.as_sent((start, end), Sending::Reinjection));
                    self.repeats.push(repeat(packet, RepeatKind::Reinjection, &piece));
                }
                after_others.fill(others.start, others.end, |_| sender);
            }
            for (first, last) in interruptible(self.data.gaps(part.dsn, end)) {
                visit(part.as_sent((first, last), Sending::First));
            }
            volume.add_first(part, self.data.fill(part.dsn, end, |_| sender));
        }
        let repeats = self.repeats.get(before..).unwrap_or(&[]);
        volume.reinjected_packets += u64::from(repeats.iter().any(|repeat| repeat.kind == RepeatKind::Reinjection));
    }

    fn finish(self, direction: &mut Direction) {
        direction.goodput = self.data.total();
        direction.span = self.span;
        // Bytes without a mapping may be those that are missing.
        let unmapped: u64 = self.subflows.iter().map(|volume| volume.unmapped).sum();
        direction.unseen = direction.covered.map(|(start, end)| {
            let missing: u64 = self.data.gaps(start, end).map(|(from, to)| to - from).sum();
            // A single one may be that of a DATA_FIN.
            Some(missing.saturating_sub(unmapped)).filter(|unseen| *unseen > 1).unwrap_or(0)
        });
        direction.subflows = self.subflows;
        direction.repeats = self.repeats;
        direction.merged_repeats = self.merged_repeats;
    }
}

impl Mapped {
    /// One past the last working DSN.
    fn end(&self) -> u64 {
        self.dsn.saturating_add(self.length)
    }

    /// A stretch of it as it was sent.
    fn as_sent(&self, (start, end): (u64, u64), sending: Sending) -> SentPiece {
        SentPiece { start, end, sending, carriage: self.carriage }
    }
}

/// Takes the pieces that `range` has in both maps from the allowance; false where they are more: counting them took all of
/// it.
fn takes(
    allowance: &mut usize,
    data: &Intervals<Sender>,
    after_others: &Intervals<Sender>,
    (start, end): (u64, u64),
) -> bool {
    let pieces = data.overlaps(start, end).map(drop).chain(after_others.overlaps(start, end).map(drop));
    let beyond = allowance.saturating_add(1);
    let count = pieces.take(beyond).count();
    if count == beyond {
        *allowance = 0;
        return false;
    }
    *allowance -= count;
    true
}

/// The parts of `range` that the subflow sent before, in order: those that it sent first of all, and those that it sent
/// after others. What one packet sent is one part.
fn sent_before(
    data: &Intervals<Sender>,
    after_others: &Intervals<Sender>,
    subflow: u32,
    (start, end): (u64, u64),
) -> Vec<Piece<Sender>> {
    let first = data.overlaps(start, end).filter(|piece| piece.value.subflow == subflow);
    let mut pieces: Vec<Piece<Sender>> = first.chain(after_others.overlaps(start, end)).collect();
    pieces.sort_by_key(|piece| piece.start);
    pieces.dedup_by(|next, piece| {
        let goes_on = next.start == piece.end && next.value == piece.value;
        if goes_on {
            piece.end = next.end;
        }
        goes_on
    });
    pieces
}

fn repeat(packet: &Travelling<'_>, kind: RepeatKind, piece: &Piece<Sender>) -> Repeat {
    Repeat {
        row: packet.row,
        subflow: packet.subflow,
        kind,
        original_subflow: piece.value.subflow as usize,
        original_row: piece.value.row,
        dsn: piece.start,
        length: piece.length(),
        merged: false,
    }
}
