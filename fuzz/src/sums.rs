//! What must hold of the data level, whatever the packets are.

use mptcp_trace::packets::segment::Segment;
use mptcp_trace::tracking::data::{self, Direction, Mappings, RepeatKind, Sending, data_level, data_sequence};
use mptcp_trace::tracking::Role;
use mptcp_trace::tracking::{Connection, Tracking};

/// Checks every connection, and that no byte of payload counts for two.
pub fn check_sums(segments: &[Segment], tracking: &Tracking) {
    let mut counted = 0;
    for connection in tracking.connections.iter().filter(|connection| connection.part_of.is_none()) {
        counted += check_connection(segments, tracking, connection);
    }
    let payload: u64 = segments.iter().filter_map(|segment| segment.payload()).map(u64::from).sum();
    assert!(counted <= payload, "{counted} bytes on subflows, {payload} in all packets");
}

/// Checks one connection; returns the payload of its subflows.
pub fn check_connection(segments: &[Segment], tracking: &Tracking, connection: &Connection) -> u64 {
    let level = data_level(segments, tracking, connection);
    assert_eq!(level.rows.len(), level.packets.len());
    assert!(level.rows.is_sorted(), "rows out of order");
    let totals = data::directions(segments, tracking, connection);
    let sequence = data_sequence(segments, tracking, connection);
    let mut packets = Vec::new();
    Mappings::of(segments, tracking, connection).carried(|packet| {
        packets.push((packet.towards, packet.fresh.to_vec()));
        let payload = segments[packet.row.index()].payload().map_or(0, u64::from);
        assert!(packet.mapped + packet.unmapped <= payload, "more mapped than sent");
    });
    let mut throughput = 0;
    for role in Role::BOTH {
        let direction = level.directions.get(role);
        throughput += check_direction(direction, connection.subflows.len());
        check_same(direction, totals.get(role));
        let sent = &sequence.get(role).sent;
        let first = |numbered: bool| {
            let first = sent.iter().filter(|range| range.sending == Sending::First && range.numbered == numbered);
            first.map(|range| (range.start, range.end)).collect::<Vec<_>>()
        };
        let (mut numbered, without) = (first(true), first(false));
        let length = |ranges: &[(u64, u64)]| ranges.iter().map(|(start, end)| end - start).sum::<u64>();
        let sent_first = length(&numbered) + length(&without);
        assert!(sent_first <= direction.goodput, "{sent_first} sent first, goodput {}", direction.goodput);
        // What was recorded in another place has no time that compares.
        let elsewhere = level.rows.iter().any(|row| tracking.packets.as_slice()[row.index()].elsewhere);
        assert!(elsewhere || sent_first == direction.goodput, "{sent_first} sent first, goodput {}", direction.goodput);
        // No range is sent for the first time twice.
        numbered.sort_unstable();
        assert!(numbered.is_sorted_by(|one, next| one.1 <= next.0), "ranges sent first overlap: {numbered:?}");
        let mut fresh: Vec<(u64, u64)> = Vec::new();
        for (_, ranges) in packets.iter().filter(|(towards, _)| *towards == role) {
            fresh.extend(ranges);
        }
        fresh.sort_unstable();
        assert!(fresh.is_sorted_by(|one, next| one.1 <= next.0), "fresh ranges overlap: {fresh:?}");
        assert!(length(&fresh) <= direction.goodput, "fresh {fresh:?}, sent {sent:?}");
    }
    throughput
}

/// The sums of one direction agree; returns the payload of its subflows.
fn check_direction(direction: &Direction, subflows: usize) -> u64 {
    assert_eq!(direction.subflows.len(), subflows);
    let sum = |part: fn(&data::SubflowVolume) -> u64| direction.subflows.iter().map(part).sum::<u64>();
    for volume in &direction.subflows {
        let parts = volume.retransmitted + volume.first_sent + volume.reinjected + volume.resent;
        // A number space that ends cuts what lies beyond; there is never more than was sent.
        assert!(parts + volume.unmapped + volume.duplicated <= volume.throughput, "more than was sent: {volume:?}");
        assert!(volume.plain + volume.fast_open <= volume.first_sent, "parts of what was sent first: {volume:?}");
        assert!(volume.retransmitted_packets <= volume.packets && volume.reinjected_packets <= volume.packets);
        assert_eq!(volume.retransmitted == 0, volume.retransmitted_packets == 0, "{volume:?}");
        assert_eq!(volume.reinjected == 0, volume.reinjected_packets == 0, "{volume:?}");
    }
    assert_eq!(sum(|volume| volume.first_sent), direction.goodput);
    let repeated = |kind| direction.repeats.iter().filter(|r| r.kind == kind).map(|r| r.length).sum::<u64>();
    assert_eq!(repeated(RepeatKind::Reinjection), sum(|volume| volume.reinjected));
    assert_eq!(repeated(RepeatKind::SameSubflow), sum(|volume| volume.resent));
    for repeat in &direction.repeats {
        assert_eq!(repeat.kind == RepeatKind::SameSubflow, repeat.subflow == repeat.original_subflow, "{repeat:?}");
        assert!(repeat.original_row <= repeat.row && repeat.length > 0, "{repeat:?}");
        assert!(repeat.subflow < subflows && repeat.original_subflow < subflows);
    }
    let covered = direction.covered.map(|(start, end)| {
        assert!(start <= end, "covered backwards");
        end - start
    });
    assert!(
        direction.unseen.is_none_or(|unseen| covered.is_some_and(|covered| unseen <= covered)),
        "unseen, not covered"
    );
    sum(|volume| volume.throughput)
}

/// The two ways to the totals give the same.
fn check_same(level: &Direction, totals: &Direction) {
    assert_eq!((level.goodput, level.span, level.unseen), (totals.goodput, totals.span, totals.unseen));
    let numbers = |direction: &Direction| format!("{:?}", direction.subflows);
    assert_eq!(numbers(level), numbers(totals));
    assert_eq!(level.repeats, totals.repeats);
}
