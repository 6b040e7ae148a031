//! In which order are the packets of a file taken? In time order, which is usually file order.
//!
//! A program that captures on several interfaces or queues writes packets slightly out of order, and so are the packets
//! of concatenated files. Their times are right, and count. After the clock was set back they are wrong: then TCP's own
//! numbers continue in file order and go back in time order.

use std::collections::HashMap;

use crate::interrupt::interruptible;
use crate::packets::flows::Flow;
use crate::packets::frames::Frames;
use crate::packets::segment::{Segment, flag};
use crate::{Instant, PacketRow, Span};

/// Facts about the order of a file's packets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileOrder {
    /// Ids of the packets that stand in the file behind one recorded later.
    pub misplaced: Vec<u64>,
    /// By how much at most.
    pub farthest: Span,
    /// The clock was set back while packets were recorded: the order of the file counts.
    pub clock_set_back: bool,
}

/// Watches whether packets come in the order of time.
#[derive(Debug, Clone)]
pub struct OrderWatch {
    order: FileOrder,
    latest: Instant,
}

impl Default for OrderWatch {
    fn default() -> Self {
        OrderWatch { order: FileOrder::default(), latest: Instant::MIN }
    }
}

impl OrderWatch {
    /// Takes in the next packet of the file.
    #[inline]
    pub fn push(&mut self, segment: &Segment) {
        if segment.abstime < self.latest {
            self.order.farthest = self.order.farthest.max(self.latest - segment.abstime);
            self.order.misplaced.push(segment.packetid());
        }
        self.latest = self.latest.max(segment.abstime);
    }

    /// What is said of the order of `segments`, which are all that were pushed, and their rows in the order that counts
    /// where that is not the file's. Packets of the same time keep the order of the file.
    #[must_use]
    pub fn finish(self, segments: &[Segment], frames: &Frames) -> (FileOrder, Option<Vec<PacketRow>>) {
        let mut order = self.order;
        if order.misplaced.is_empty() {
            return (order, None);
        }
        let in_file: Vec<PacketRow> = (0..).map(PacketRow).zip(segments).map(|(row, _)| row).collect();
        let mut by_time = in_file.clone();
        by_time.sort_by_key(|row| segments.get(row.index()).map(|segment| segment.abstime));
        let steps_back = |rows: &[PacketRow]| steps_back(segments, frames, rows);
        order.clock_set_back = steps_back(&by_time) > steps_back(&in_file).saturating_mul(2).saturating_add(2);
        let rows = (!order.clock_set_back).then_some(by_time);
        (order, rows)
    }
}

/// Sender and receiver of a packet, and its place of recording.
type Sender = (Flow, Option<(u32, u8)>);

/// How often what a sender only counts up goes back from one of its packets to the next: its timestamps, or without them
/// its acknowledgements. Where copies were recorded elsewhere, each place counts by itself.
fn steps_back(segments: &[Segment], frames: &Frames, rows: &[PacketRow]) -> u64 {
    let mut last: HashMap<Sender, u32> = HashMap::new();
    let mut steps = 0_u64;
    for row in interruptible(rows) {
        let Some(segment) = segments.get(row.index()) else { continue };
        if segment.flags() & (flag::ACK | flag::RST | flag::SYN) != flag::ACK {
            continue;
        }
        let value = segment.timestamps().map_or(segment.acknowledgement, |(value, _)| value);
        let sender = (segment.flow, frames.mark(*row).interface);
        let before = last.insert(sender, value).unwrap_or(value);
        // Numbers wrap: the nearer way around counts.
        steps += u64::from(value.wrapping_sub(before) > u32::MAX / 2);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packets::segment::Fields;
    use crate::packets::{Builder, Packets, frames::Frame};
    use crate::time::short::{at_ms, ms};

    /// Packets of one sender with these times (milliseconds) and timestamps.
    fn table(packets: &[(i64, u32)]) -> Packets {
        let mut builder = Builder::default();
        for (id, (time, value)) in (1..).zip(packets) {
            let segment = Fields {
                packetid: id,
                abstime: at_ms(*time),
                flags: flag::ACK,
                timestamps: Some((*value, 0)),
                ..Fields::between(([192, 0, 2, 1].into(), 1), ([192, 0, 2, 2].into(), 2))
            };
            builder.push(&Frame::default(), segment);
        }
        builder.finish()
    }

    fn order(packets: &[(i64, u32)]) -> (FileOrder, Option<Vec<PacketRow>>) {
        let table = table(packets);
        let mut watch = OrderWatch::default();
        table.segments.iter().for_each(|segment| watch.push(segment));
        watch.finish(&table.segments, &table.frames)
    }

    #[test]
    fn a_file_in_order_is_left_alone() {
        assert_eq!(order(&[(1, 1), (2, 2), (2, 2), (3, 3)]), (FileOrder::default(), None));
    }

    #[test]
    fn the_order_of_time_counts_and_equal_times_stay_as_they_are() {
        let (said, rows) = order(&[(1, 1), (7, 7), (3, 3), (7, 7), (5, 5)]);
        assert_eq!((said.misplaced, said.farthest, said.clock_set_back), (vec![3, 5], ms(4), false));
        assert_eq!(rows, Some([0, 2, 4, 1, 3].map(PacketRow).to_vec()));
    }

    #[test]
    fn where_the_clock_was_set_back_the_order_of_the_file_counts() {
        let early = (0..20).map(|n| (10 * i64::from(n), n));
        let late = (20..40).map(|n| (10 * i64::from(n) - 155, n));
        let (said, rows) = order(&early.chain(late).collect::<Vec<_>>());
        assert_eq!((said.misplaced.len(), said.farthest, said.clock_set_back), (15, ms(145), true));
        assert_eq!(rows, None);
    }
}
