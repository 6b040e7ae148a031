//! The packets of a capture, and the facts around them.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::flows::{Ends, Flows, Pair};
use super::frames::{Frame, FrameBatch, FrameNumbers, Frames};
use super::segment::{Fields, Segment, Segments};
use crate::error::ReadError;
use crate::memory;
use crate::{Instant, PacketRow};

/// A network interface that packets of the capture were recorded on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Wireshark's `frame.interface_id`, from 0.
    pub id: u32,
    /// Its name as recorded (`eth0`), when the file format has one.
    pub name: Option<String>,
    /// TCP packets seen on it.
    pub packets: u64,
}

impl Interface {
    /// Bytes of a name at most. Systems name interfaces with up to some 50; a capture can hold 64 KiB, for every packet.
    const LONGEST_NAME: usize = 256;

    /// The start of a recorded name that is kept.
    #[must_use]
    pub fn kept_name(recorded: &str) -> &str {
        recorded.get(..recorded.floor_char_boundary(Self::LONGEST_NAME)).unwrap_or(recorded)
    }
}

/// Facts of a capture besides its packets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CaptureFacts {
    /// Frames of any protocol read from the file.
    pub frames: u64,
    /// The dissector and its version, `tshark 4.0.17`.
    pub dissector: String,
    /// Interfaces in order of their id; empty when the format has none.
    pub interfaces: Vec<Interface>,
    /// Frames that were skipped because their link type is not understood, or because they are in a tunnel that is not
    /// opened; another dissector may know more.
    #[serde(default)]
    pub not_understood: u64,
    /// Where the file stopped to be readable: it ends within a record, or is damaged. Offset of the first byte that
    /// was not read, from 0; of a compressed file, decompressed.
    #[serde(default)]
    pub truncated_at: Option<u64>,
    /// Warnings about the reading: a truncated file, unsupported packets.
    pub warnings: Vec<String>,
}

/// A dissected capture: its packets and the facts around them.
#[derive(Debug, Clone, Default)]
pub struct Dissection {
    /// The packets.
    pub packets: Packets,
    /// Facts besides the packets.
    pub facts: CaptureFacts,
}

/// The TCP packets of a capture, in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Packets {
    /// The statement of each.
    pub segments: Segments,
    /// Facts about the frame around each.
    pub frames: Arc<Frames>,
    /// When the first frame of the file was recorded: what relative times count from. 1970 where nothing
    /// was recorded.
    pub origin: Instant,
    /// When the earliest frame of the file was recorded: its first one, unless the file is out of order.
    pub earliest: Instant,
}

impl Packets {
    /// Their number.
    #[must_use]
    pub fn height(&self) -> usize {
        self.segments.len()
    }

    /// The packets of these rows, in this order, with relative times from `origin`.
    #[must_use]
    pub fn select(&self, rows: &[PacketRow], origin: Instant) -> Self {
        Packets {
            segments: self.segments.select(rows),
            frames: Arc::new(self.frames.select(rows)),
            origin,
            earliest: self.earliest,
        }
    }
}

/// Packets on their way from one thread to another.
#[derive(Debug, Default)]
pub(super) struct Batch {
    segments: Vec<Segment>,
    frames: FrameBatch,
    /// The pairs of ends that are new in them.
    pairs: Vec<Pair>,
}

/// What tells the numbers of one builder from those of another.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    pairs: Vec<u32>,
    frames: FrameNumbers,
}

/// The packets of a capture as far as they were dissected.
#[derive(Debug, Clone, Copy)]
pub struct SoFar<'a> {
    /// What each says.
    pub segments: &'a [Segment],
    /// The ends that they travel between.
    pub flows: &'a Flows,
    /// Facts about the frame around each.
    pub frames: &'a Frames,
}

/// Takes in dissected packets one after the other.
#[derive(Debug, Default)]
pub struct Builder {
    segments: Vec<Segment>,
    flows: Flows,
    /// Pairs of ends that another thread knows.
    pairs_known: usize,
    /// What it knows of the frames, where it numbers them on its own.
    frames_known: [usize; 3],
    frames: Frames,
    origin: Option<Instant>,
    /// Packets at which memory is looked at again.
    next_check: usize,
    earliest: Option<Instant>,
}

/// Packets between two looks at memory.
const PACKETS_BETWEEN_CHECKS: usize = 1 << 15;

/// Memory that tracking takes per packet, in bytes.
const TRACKING: u64 = 40;

impl Builder {
    /// Notes when a frame of any protocol was recorded: relative times count from the first.
    #[inline]
    pub fn time(&mut self, abstime: Instant) {
        self.origin.get_or_insert(abstime);
        self.earliest = Some(self.earliest.map_or(abstime, |earliest| earliest.min(abstime)));
    }

    /// Appends one packet.
    #[inline]
    pub fn push(&mut self, frame: &Frame<'_>, mut packet: Fields) {
        self.take(frame, &mut packet);
    }

    /// The same, but the packet stays where it is, without what is rare in it.
    #[inline]
    pub(super) fn take(&mut self, frame: &Frame<'_>, packet: &mut Fields) {
        self.time(packet.abstime);
        self.frames.push(frame);
        let flow = self.flows.of(packet.ends());
        self.segments.push(Segment::of(packet, flow));
    }

    /// The last packet, and between which ends it travels.
    #[must_use]
    pub fn last(&self) -> Option<(&Segment, Ends)> {
        self.segments.last().map(|segment| (segment, self.flows.ends(segment.flow)))
    }

    /// When the first frame was recorded, once there was one.
    #[must_use]
    pub fn origin(&self) -> Option<Instant> {
        self.origin
    }

    /// Appends the packets of `other`, which came later.
    pub fn append(&mut self, other: Builder) {
        other.origin.into_iter().chain(other.earliest).for_each(|time| self.time(time));
        for row in 0..other.segments.len() {
            self.frames.push(&other.frames.get(row));
        }
        for mut segment in other.segments {
            segment.flow = self.flows.of(other.flows.ends(segment.flow));
            self.segments.push(segment);
        }
    }

    /// A builder for the packets that follow, which another thread takes in; [`Builder::take_in`] brings them here, and
    /// [`Builder::go_on_after`] what else it learns.
    pub(super) fn ahead(&mut self) -> Builder {
        let (frames, flows) = (self.frames.ahead(), self.flows.ahead());
        Builder {
            pairs_known: flows.pairs(),
            frames,
            flows,
            origin: self.origin,
            earliest: self.earliest,
            ..Builder::default()
        }
    }

    /// Puts the packets so far into an empty batch. They are copied: the memory that each packet is written to stays with
    /// this thread's processor, where a batch has to be fetched from the other's.
    pub(super) fn hand_over(&mut self, empty: Batch) -> Batch {
        let Batch { mut segments, mut frames, .. } = empty;
        segments.append(&mut self.segments);
        self.frames.hand_over(&mut frames);
        let pairs = self.flows.pairs_from(self.pairs_known).to_vec();
        self.pairs_known = self.flows.pairs();
        Batch { segments, frames, pairs }
    }

    /// Puts the packets so far, which are numbered on their own, into an empty batch, and begins with others: returns
    /// when the first and the earliest of the frames were recorded.
    pub(super) fn hand_over_part(&mut self, empty: Batch) -> (Batch, Option<[Instant; 2]>) {
        let Batch { mut segments, mut frames, .. } = empty;
        segments.append(&mut self.segments);
        self.frames.hand_over_with_news(&mut frames, &mut self.frames_known);
        let pairs = self.flows.pairs_from(self.pairs_known).to_vec();
        self.pairs_known = self.flows.pairs();
        let times = self.origin.take().zip(self.earliest.take()).map(|(origin, earliest)| [origin, earliest]);
        (Batch { segments, frames, pairs }, times)
    }

    /// Appends the packets of such a batch, and leaves it empty: `numbers` are those of the builder that it comes from,
    /// and `frames` went before it in the capture.
    pub(super) fn take_in_part(&mut self, batch: &mut Batch, numbers: &mut Numbers, frames: u64) {
        self.flows.number(&batch.pairs, &mut numbers.pairs);
        batch.pairs.clear();
        let pairs = &numbers.pairs;
        self.segments.extend(batch.segments.drain(..).map(|mut segment| {
            segment.put_at(frames, segment.flow.renumbered(pairs));
            segment
        }));
        self.frames.take_in_with_news(&mut batch.frames, &mut numbers.frames);
    }

    /// Appends the packets of a batch, and leaves it empty.
    pub(super) fn take_in(&mut self, batch: &mut Batch) {
        self.segments.append(&mut batch.segments);
        self.frames.take_in(&mut batch.frames);
        self.flows.take_in(&mut batch.pairs);
    }

    /// Goes on where `ahead` is, whose packets were taken in.
    pub(super) fn go_on_after(&mut self, ahead: Builder) {
        self.frames.go_on_after(ahead.frames);
        self.flows = ahead.flows;
        (self.origin, self.earliest) = (ahead.origin, ahead.earliest);
    }

    /// The packets so far.
    pub(super) fn so_far(&self) -> SoFar<'_> {
        SoFar { segments: &self.segments, flows: &self.flows, frames: &self.frames }
    }

    /// Looks whether there is memory for as many packets, when there are many more than at the last look.
    ///
    /// # Errors
    /// [`ReadError::TooLarge`].
    pub fn check_memory(&mut self, path: &Path) -> Result<(), ReadError> {
        if self.segments.len() < self.next_check.max(PACKETS_BETWEEN_CHECKS) {
            return Ok(());
        }
        self.next_check = self.segments.len().saturating_add(PACKETS_BETWEEN_CHECKS);
        let (limit, used) = (memory::limit(), memory::used().unwrap_or(0));
        let tracking = (self.segments.len() as u64).saturating_mul(TRACKING);
        if used.saturating_add(tracking) > limit {
            return Err(ReadError::TooLarge { path: path.to_path_buf(), packets: self.segments.len(), limit });
        }
        Ok(())
    }

    /// Packets so far.
    #[must_use]
    pub fn height(&self) -> usize {
        self.segments.len()
    }

    /// The packets.
    #[must_use]
    pub fn finish(self) -> Packets {
        Packets {
            segments: Segments::new(self.segments, self.flows),
            frames: Arc::new(self.frames),
            origin: self.origin.unwrap_or_default(),
            earliest: self.earliest.unwrap_or_default(),
        }
    }
}
