//! Arrivals at two subflows, worked out by hand, and what must hold for any.

use proptest::prelude::*;

use super::*;
use crate::time::short::{at, ns};
use crate::{PacketRow, Span};

fn arrival(time: i64, subflow: usize, start: u64, end: u64) -> Arrival {
    Arrival { start, end, time: at(time), row: PacketRow(time.unsigned_abs() as u32), subflow }
}

#[test]
fn three_segments_on_two_subflows() {
    // Subflow 1 is fast: its bytes 101 to 300 wait for bytes 1 to 100, which subflow 0 brings at 50.
    let mut buffer = Buffer::new(Some(1), 2);
    assert_eq!(buffer.arrive(arrival(10, 1, 101, 201)), 100);
    assert_eq!(buffer.arrive(arrival(30, 1, 201, 301)), 100);
    assert_eq!(buffer.arrive(arrival(50, 0, 1, 101)), 0);
    let expected = Summary {
        peak: 200,
        waiting: 0,
        missing: 0,
        // 100 bytes for 20, then 200 for 20.
        byte_nanoseconds: 6_000,
        blocked: ns(40),
        waits: vec![vec![], vec![Wait { since: at(10), span: ns(40) }, Wait { since: at(30), span: ns(20) }]],
        fillers: BTreeMap::from([(Filler::Subflow(0), Filled { holes: 1, bytes: 200, blocked: ns(40) })]),
        occupancy: vec![(at(10), 100, PacketRow(10)), (at(30), 200, PacketRow(30)), (at(50), 0, PacketRow(50))],
    };
    assert_eq!(buffer.finish(), expected);
}

#[test]
fn two_holes_are_blamed_on_those_who_fill_them() {
    let mut buffer = Buffer::new(Some(0), 2);
    buffer.arrive(arrival(0, 0, 10, 20));
    buffer.arrive(arrival(5, 1, 30, 40));
    // The first hole: frees 10 to 20 only.
    buffer.arrive(arrival(7, 1, 0, 10));
    // The second, in two steps by either subflow.
    buffer.arrive(arrival(9, 1, 20, 25));
    buffer.arrive(arrival(15, 0, 25, 30));
    let summary = buffer.finish();
    assert_eq!(summary.waits, [vec![Wait { since: at(0), span: ns(7) }], vec![Wait { since: at(5), span: ns(10) }]]);
    let filled = |index| summary.fillers[&Filler::Subflow(index)];
    assert_eq!(filled(1), Filled { holes: 1, bytes: 10, blocked: ns(9) });
    assert_eq!(filled(0), Filled { holes: 1, bytes: 10, blocked: ns(6) });
    assert_eq!((summary.blocked, summary.peak), (ns(15), 20));
}

#[test]
fn an_acknowledged_hole_was_filled_unseen() {
    let mut buffer = Buffer::new(Some(1), 1);
    buffer.arrive(arrival(0, 0, 101, 201));
    buffer.acknowledge(201, at(3), PacketRow(3));
    assert_eq!(buffer.arrive(arrival(9, 0, 201, 301)), 0);
    let summary = buffer.finish();
    assert_eq!(summary.missing, 100);
    assert_eq!(summary.waits, [vec![Wait { since: at(0), span: ns(3) }]]);
    assert_eq!(summary.fillers, BTreeMap::from([(Filler::NotSeen, Filled { holes: 1, bytes: 100, blocked: ns(3) })]));
}

#[test]
fn a_wild_acknowledgement_is_left_alone() {
    let mut buffer = Buffer::new(Some(1), 1);
    buffer.acknowledge(u64::MAX / 2, at(1), PacketRow(1));
    assert_eq!(buffer.arrive(arrival(2, 0, 101, 201)), 100);
}

#[test]
fn without_a_beginning_the_first_seen_is_it() {
    let mut buffer = Buffer::new(None, 1);
    assert_eq!(buffer.arrive(arrival(0, 0, 1000, 1100)), 0);
    assert_eq!(buffer.arrive(arrival(1, 0, 900, 1000)), 0);
    assert_eq!(buffer.arrive(arrival(2, 0, 1200, 1300)), 100);
    let summary = buffer.finish();
    assert_eq!((summary.missing, summary.waiting), (100, 100));
}

proptest! {
    /// Any order of arrival of a stream cut anywhere: occupancy over time is bytes times their delays (Little's law),
    /// every blocked moment has one subflow to blame, and in the end nothing waits.
    #[test]
    fn bytes_and_delays_add_up(
        pieces in prop::collection::vec((1_u64..50, 0_usize..3, 0_i64..20, any::<u32>()), 1..60),
    ) {
        let mut start = 1;
        let mut ranges = Vec::new();
        for (length, subflow, gap, key) in pieces {
            ranges.push((key, gap, start, start + length, subflow));
            start += length;
        }
        ranges.sort();
        // What a receiver knows without any buffer: a byte is deliverable once all before it have arrived.
        let mut time = 0;
        let arrivals: Vec<Arrival> = ranges.iter().map(|(_, gap, start, end, subflow)| {
            time += gap;
            arrival(time, *subflow, *start, *end)
        }).collect();
        let deliverable = |a: &Arrival| arrivals.iter().filter(|b| b.start <= a.start).map(|b| b.time).max().unwrap();
        let expected: u128 =
            arrivals.iter().map(|a| u128::from(a.end - a.start) * (deliverable(a) - a.time).nanoseconds() as u128).sum();
        let mut buffer = Buffer::new(Some(1), 3);
        let waited: u64 = arrivals.iter().map(|a| buffer.arrive(*a)).sum();
        let summary = buffer.finish();
        prop_assert_eq!(summary.byte_nanoseconds, expected);
        prop_assert_eq!(summary.waiting, 0);
        prop_assert_eq!(summary.missing, 0);
        prop_assert_eq!(summary.fillers.values().map(|f| f.bytes).sum::<u64>(), waited);
        prop_assert_eq!(summary.fillers.values().map(|f| f.blocked).sum::<Span>(), summary.blocked);
    }
}
