//! Two rows per MPTCP connection: one per direction.

use super::{Table, Written, specs, values};
use crate::dataset::analyzed::OfConnection;
use crate::dataset::column::{Column, distribution, fraction, named, text, truth, whole};
use mptcp_trace::analysis::distribution::Distribution;
use mptcp_trace::analysis::mptcp_summary::MptcpDirection;
use mptcp_trace::analysis::out_of_order::OutOfOrderDirection;
use mptcp_trace::analysis::rtt::RttLevel;
use mptcp_trace::analysis::traffic::Traffic;

pub const TABLE: Table = Table {
    name: "directions",
    row: "direction of an MPTCP connection (`mptcp_summary`, `ooo`, `rtt`)",
    labelled: false,
    written: Written::Always,
    columns: || specs(columns()),
    frame: |analyzed| {
        let connections = analyzed.facts.iter().flat_map(|facts| &facts.connections);
        let rows: Vec<Row> = connections.flat_map(rows).collect();
        values(&columns(), &rows)
    },
};

struct Row<'a> {
    of: &'a OfConnection<'a>,
    direction: &'a MptcpDirection,
    waits: Option<&'a OutOfOrderDirection>,
    rtt: Option<&'a Distribution>,
}

impl<'a> Row<'a> {
    /// The traffic of its subflows.
    fn traffic(&self) -> impl Iterator<Item = &'a Traffic> {
        let towards = self.direction.towards;
        self.of.traffic.iter().filter(move |one| one.towards == towards)
    }
}

fn rows<'a>(of: &'a OfConnection<'a>) -> impl Iterator<Item = Row<'a>> {
    of.summary.directions.iter().map(move |direction| {
        let waits = of.out_of_order.directions.iter().find(|one| one.towards == direction.towards);
        Row { of, direction, waits, rtt: of.rtt(None, direction.towards, RttLevel::Data) }
    })
}

fn rtt<'a>(row: &Row<'a>) -> Option<&'a Distribution> {
    row.rtt
}

fn hol<'a>(row: &Row<'a>) -> Option<&'a Distribution> {
    Some(&row.waits?.hol_delay)
}

fn columns<'a>() -> Vec<Column<Row<'a>>> {
    let mut columns = vec![
        whole("mptcpstream", "", "MPTCP connection", |row: &Row| Some(row.of.record.mptcpstream.into())),
        text("towards", "server or client: the end that it travels to", |row: &Row| named(&row.direction.towards)),
        text("seen_from", "sender, receiver or between: where this direction was recorded", |row: &Row| {
            named(&row.direction.seen_from)
        }),
        whole("packets", "", "Packets of all subflows", |row: &Row| {
            Some(row.direction.subflows.iter().map(|share| share.packets).sum())
        }),
        whole("data_packets", "", "Packets with payload (`traffic`)", |row: &Row| {
            Some(row.traffic().map(|one| one.data_packets).sum())
        }),
        whole("frame_bytes", "B", "Frames on the wire (`traffic`)", |row: &Row| {
            row.traffic().filter_map(|one| one.frame_bytes).reduce(u64::saturating_add)
        }),
        whole("dss_packets", "", "Packets with DSS (`traffic`)", |row: &Row| {
            Some(row.traffic().map(|one| one.dss_packets).sum())
        }),
        whole("dss_bytes", "B", "Bytes of their DSS options (`traffic`)", |row: &Row| {
            Some(row.traffic().map(|one| one.dss_bytes).sum())
        }),
        fraction("first_data_s", "s", "First packet with payload, since the first frame of the file", |row: &Row| {
            row.traffic().filter_map(|one| one.first_data).reduce(f64::min)
        }),
        fraction("last_data_s", "s", "Last packet with payload", |row: &Row| {
            row.traffic().filter_map(|one| one.last_data).reduce(f64::max)
        }),
        whole(
            "bursts",
            "",
            "Runs of packets with payload on one subflow; one less is the number of changes",
            |row: &Row| Some(row.of.bursts.iter().filter(|burst| burst.towards == row.direction.towards).count() as u64),
        ),
        whole("goodput_bytes", "B", "Data, each byte counted once", |row: &Row| Some(row.direction.goodput_bytes)),
        whole("mapped_bytes", "B", "Part of the goodput with a mapping", |row: &Row| Some(row.direction.mapped_bytes)),
        whole("plain_tcp_bytes", "B", "Part of the goodput sent as plain TCP after a fallback", |row: &Row| {
            Some(row.direction.plain_tcp_bytes)
        }),
        whole("fast_open_bytes", "B", "Part of the goodput in the SYN (TCP Fast Open)", |row: &Row| {
            Some(row.direction.fast_open_bytes)
        }),
        whole("throughput_bytes", "B", "Payload of all packets", |row: &Row| Some(row.direction.throughput_bytes)),
        whole("acknowledged_bytes", "B", "Data that DATA_ACKs cover, captured or not", |row: &Row| {
            row.direction.acknowledged_bytes
        }),
        whole("retransmitted_bytes", "B", "Sent again by TCP", |row: &Row| Some(row.direction.retransmitted_bytes)),
        whole("retransmitted_packets", "", "Packets with such bytes", |row: &Row| {
            Some(row.direction.retransmitted_packets)
        }),
        whole("duplicated_bytes", "B", "In copies of packets made by the path", |row: &Row| {
            Some(row.direction.duplicated_bytes)
        }),
        whole("duplicated_packets", "", "Copies of packets made by the path", |row: &Row| {
            Some(row.direction.duplicated_packets)
        }),
        whole("reinjected_bytes", "B", "Data that another subflow had carried before", |row: &Row| {
            Some(row.direction.reinjected_bytes)
        }),
        whole("reinjected_packets", "", "Packets with such data", |row: &Row| Some(row.direction.reinjected_packets)),
        whole(
            "resent_same_subflow_bytes",
            "B",
            "Data that the same subflow had carried before, under other sequence numbers",
            |row: &Row| Some(row.direction.resent_same_subflow_bytes),
        ),
        whole("unmapped_bytes", "B", "Payload whose mapping was not captured", |row: &Row| {
            Some(row.direction.unmapped_bytes)
        }),
        whole("unseen_bytes", "B", "Data covered by DATA_ACKs and in no captured packet", |row: &Row| {
            row.direction.unseen_bytes
        }),
        whole("keepalives", "", "Keep-alives", |row: &Row| Some(row.direction.keepalives)),
        whole("window_probes", "", "Zero-window probes", |row: &Row| Some(row.direction.window_probes)),
        fraction("duration_s", "s", "First to last packet", |row: &Row| Some(row.direction.duration)),
        fraction("rate_bytes", "B/s", "Goodput over duration", |row: &Row| row.direction.rate),
        whole("segments", "", "Packets with data", |row: &Row| Some(row.waits?.segments)),
        whole("out_of_order_segments", "", "Packets with data beyond the next expected byte", |row: &Row| {
            Some(row.waits?.out_of_order_segments)
        }),
        whole("out_of_order_bytes", "B", "New data beyond the next expected byte", |row: &Row| {
            Some(row.waits?.subflows.iter().map(|subflow| subflow.bytes_waited).sum())
        }),
        whole("duplicate_segments", "", "Packets whose data had all come before", |row: &Row| {
            Some(row.waits?.duplicate_segments)
        }),
        whole("peak_waiting_bytes", "B", "Most bytes waiting for earlier ones at one time", |row: &Row| {
            Some(row.waits?.peak_bytes)
        }),
        fraction("mean_waiting_bytes", "B", "Bytes waiting, averaged over time", |row: &Row| row.waits?.mean_bytes),
        fraction("blocked_s", "s", "Time in which at least one byte waited", |row: &Row| Some(row.waits?.blocked_time)),
        whole("waiting_at_end_bytes", "B", "Bytes waiting at the end of the capture", |row: &Row| {
            Some(row.waits?.waiting_at_end_bytes)
        }),
        whole("missing_bytes", "B", "Bytes before the last one that were never seen", |row: &Row| {
            Some(row.waits?.missing_bytes)
        }),
        fraction(
            "window_limited_s",
            "s",
            "Time in which the receive window left no room for a full segment (`mptcp_required_buffer`)",
            |row: &Row| *row.of.window_limited.get(row.direction.towards),
        ),
        truth("start_known", "The first byte of data is known, so that out of order is, too", |row: &Row| {
            Some(row.waits?.start_known)
        }),
    ];
    columns.extend(distribution!("hol", "head-of-line delays (`ooo`)", hol));
    columns.extend(distribution!("rtt_data", "round trips of data to DATA_ACK", rtt));
    columns
}
