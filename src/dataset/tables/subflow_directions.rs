//! Two rows per subflow: one per direction of its connection.

use super::{Table, Written, specs, values};
use crate::dataset::analyzed::OfConnection;
use crate::dataset::column::{Column, distribution, fraction, named, text, whole};
use mptcp_trace::StreamId;
use mptcp_trace::analysis::distribution::Distribution;
use mptcp_trace::analysis::mptcp_summary::SubflowShare;
use mptcp_trace::analysis::out_of_order::Waited;
use mptcp_trace::analysis::retransmitted::Class;
use mptcp_trace::analysis::rtt::RttLevel;
use mptcp_trace::analysis::tcp_summary::TcpDirection;
use mptcp_trace::analysis::traffic::Traffic;
use mptcp_trace::tracking::Role;

pub const TABLE: Table = Table {
    name: "subflow_directions",
    row: "direction of a subflow (`mptcp_summary`, `tcp_summary`, `traffic`, `retransmissions`, `ooo`, `rtt`)",
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
    stream: StreamId,
    towards: Role,
    share: &'a SubflowShare,
    tcp: Option<&'a TcpDirection>,
    waited: Option<&'a Waited>,
    traffic: Option<&'a Traffic>,
    rtt_tcp: Option<&'a Distribution>,
    rtt_timestamp: Option<&'a Distribution>,
    rtt_data: Option<&'a Distribution>,
}

fn rows<'a>(of: &'a OfConnection<'a>) -> impl Iterator<Item = Row<'a>> {
    let subflows = of.record.subflows.iter().enumerate();
    subflows.flat_map(move |(index, subflow)| {
        of.summary.directions.iter().filter_map(move |direction| {
            let (stream, towards) = (subflow.tcpstream, direction.towards);
            let share = direction.subflows.get(index)?;
            let waits = of.out_of_order.directions.iter().find(|one| one.towards == towards);
            let waited = waits.and_then(|one| one.subflows.get(index));
            let tcp_towards = if subflow.mptcpdest == Role::Server { towards } else { towards.other() };
            let tcp = of.tcp.get(index).and_then(|tcp| tcp.directions.iter().find(|one| one.towards == tcp_towards));
            let mut own = of.traffic.iter().skip(2 * index).take(2);
            let traffic = own.find(|one| one.towards == towards);
            let rtt = |level| of.rtt(Some(stream), towards, level);
            let (rtt_tcp, rtt_timestamp) = (rtt(RttLevel::Tcp), rtt(RttLevel::Timestamp));
            let rtt_data = rtt(RttLevel::Data);
            Some(Row { of, stream, towards, share, tcp, waited, traffic, rtt_tcp, rtt_timestamp, rtt_data })
        })
    })
}

fn rtt_tcp<'a>(row: &Row<'a>) -> Option<&'a Distribution> {
    row.rtt_tcp
}

fn rtt_timestamp<'a>(row: &Row<'a>) -> Option<&'a Distribution> {
    row.rtt_timestamp
}

fn rtt_data<'a>(row: &Row<'a>) -> Option<&'a Distribution> {
    row.rtt_data
}

fn hol<'a>(row: &Row<'a>) -> Option<&'a Distribution> {
    Some(&row.waited?.hol_delay)
}

fn columns<'a>() -> Vec<Column<Row<'a>>> {
    let mut columns = vec![
        whole("mptcpstream", "", "MPTCP connection", |row: &Row| Some(row.of.record.mptcpstream.into())),
        whole("tcpstream", "", "TCP stream", |row: &Row| Some(row.stream.into())),
        text("towards", "server or client of the connection: the end that it travels to", |row: &Row| {
            named(&row.towards)
        }),
        whole("packets", "", "Packets", |row: &Row| Some(row.share.packets)),
        whole("data_packets", "", "Packets with payload", |row: &Row| Some(row.traffic?.data_packets)),
        whole("pure_acks", "", "Packets with ACK and neither payload nor SYN, FIN, RST", |row: &Row| {
            Some(row.traffic?.pure_acks)
        }),
        whole("syns", "", "Packets with SYN", |row: &Row| Some(row.traffic?.syns)),
        whole("fins", "", "Packets with FIN", |row: &Row| Some(row.traffic?.fins)),
        whole("resets", "", "Packets with RST", |row: &Row| Some(row.traffic?.resets)),
        whole("pushes", "", "Packets with PSH", |row: &Row| Some(row.traffic?.pushes)),
        whole("ece", "", "Packets with ECE", |row: &Row| Some(row.traffic?.ece)),
        whole("cwr", "", "Packets with CWR", |row: &Row| Some(row.traffic?.cwr)),
        whole("dss_packets", "", "Packets with DSS", |row: &Row| Some(row.traffic?.dss_packets)),
        whole("dss_bytes", "B", "Bytes of their DSS options", |row: &Row| Some(row.traffic?.dss_bytes)),
        whole("frame_bytes", "B", "Frames on the wire", |row: &Row| row.traffic?.frame_bytes),
        fraction("first_s", "s", "First packet, since the first frame of the file", |row: &Row| row.traffic?.first),
        fraction("last_s", "s", "Last packet", |row: &Row| row.traffic?.last),
        fraction("first_data_s", "s", "First packet with payload", |row: &Row| row.traffic?.first_data),
        fraction("last_data_s", "s", "Last packet with payload", |row: &Row| row.traffic?.last_data),
        fraction("idle_s", "s", "Longest time between two packets", |row: &Row| row.traffic?.idle),
        fraction("first_ack_s", "s", "First packet that acknowledges data of the other direction", |row: &Row| {
            row.traffic?.first_ack
        }),
        fraction("last_ack_s", "s", "Last packet that acknowledges data of the other direction first", |row: &Row| {
            row.traffic?.last_ack
        }),
        fraction("fin_ack_s", "s", "First packet that acknowledges the other direction's FIN", |row: &Row| {
            row.traffic?.fin_ack
        }),
        whole("dup_acks", "", "Duplicate acknowledgements (RFC 5681) of the other direction's data", |row: &Row| {
            Some(row.traffic?.dup_acks)
        }),
        whole("triple_dup_acks", "", "How often a third one of the same number came", |row: &Row| {
            Some(row.traffic?.triple_dup_acks)
        }),
        whole("out_of_order_packets", "", "Packets with unseen bytes below others of the subflow", |row: &Row| {
            Some(row.traffic?.out_of_order_packets)
        }),
        whole(
            "missed_bytes",
            "B",
            "Bytes of the subflow that were acknowledged or passed, and never seen",
            |row: &Row| Some(row.traffic?.missed_bytes),
        ),
        whole("in_flight_min", "B", "Fewest bytes under way behind a packet with data", |row: &Row| {
            row.traffic?.in_flight_min
        }),
        fraction("in_flight_mean", "B", "Mean of these, one for each packet with data", |row: &Row| {
            row.traffic?.in_flight_mean
        }),
        whole("in_flight_max", "B", "Most of these", |row: &Row| row.traffic?.in_flight_max),
        whole("initial_window_bytes", "B", "Bytes seen before any of them was acknowledged", |row: &Row| {
            row.traffic?.initial_window_bytes
        }),
        whole("segment_min", "B", "Smallest payload above zero", |row: &Row| row.traffic?.segment_min.map(Into::into)),
        whole("segment_max", "B", "Largest payload", |row: &Row| row.traffic?.segment_max.map(Into::into)),
        whole("ttl_min", "", "Smallest time to live, or hop limit", |row: &Row| row.traffic?.ttl_min.map(Into::into)),
        whole("ttl_max", "", "Largest time to live, or hop limit", |row: &Row| row.traffic?.ttl_max.map(Into::into)),
        whole("window_min", "B", "Smallest receive window that its packets announce", |row: &Row| {
            row.traffic?.window_min.map(Into::into)
        }),
        whole("window_max", "B", "Largest such window", |row: &Row| row.traffic?.window_max.map(Into::into)),
        whole("zero_windows", "", "Packets that announce a window of zero", |row: &Row| {
            Some(row.traffic?.zero_windows)
        }),
        whole("throughput_bytes", "B", "Payload of all packets", |row: &Row| Some(row.share.throughput_bytes)),
        whole("goodput_bytes", "B", "Data that this subflow was the first to carry", |row: &Row| {
            Some(row.share.goodput_bytes)
        }),
        fraction("throughput_contribution", "", "Share of the connection's throughput", |row: &Row| {
            row.share.throughput_contribution
        }),
        fraction("goodput_contribution", "", "Share of the connection's goodput", |row: &Row| {
            row.share.goodput_contribution
        }),
        whole("plain_tcp_bytes", "B", "Part of the goodput sent as plain TCP after a fallback", |row: &Row| {
            Some(row.share.plain_tcp_bytes)
        }),
        whole("fast_open_bytes", "B", "Part of the goodput in the SYN (TCP Fast Open)", |row: &Row| {
            Some(row.share.fast_open_bytes)
        }),
        whole("retransmitted_bytes", "B", "Sent again by TCP", |row: &Row| Some(row.share.retransmitted_bytes)),
        whole("retransmitted_packets", "", "Packets with such bytes", |row: &Row| Some(row.tcp?.retransmitted_packets)),
        whole("rtx_rto", "", "Retransmissions after a timer, by estimate (`retransmissions`)", |row: &Row| {
            Some(row.of.retransmitted(row.stream, row.towards, Class::Rto))
        }),
        whole("rtx_recovery", "", "Those of data sent before a timer expired, as ACKs then came", |row: &Row| {
            Some(row.of.retransmitted(row.stream, row.towards, Class::Recovery))
        }),
        whole("rtx_fast", "", "Those that duplicate ACKs or SACK asked for", |row: &Row| {
            Some(row.of.retransmitted(row.stream, row.towards, Class::Fast))
        }),
        whole("rtx_tail", "", "Those of the last data, sooner than a timer", |row: &Row| {
            Some(row.of.retransmitted(row.stream, row.towards, Class::Tail))
        }),
        whole("rtx_spurious", "", "Those that the receiver had already", |row: &Row| {
            Some(row.of.retransmitted(row.stream, row.towards, Class::Spurious))
        }),
        whole("rtx_other", "", "Those of which the capture does not tell the cause", |row: &Row| {
            Some(row.of.retransmitted(row.stream, row.towards, Class::Other))
        }),
        whole("duplicated_bytes", "B", "In copies of packets made by the path", |row: &Row| {
            Some(row.share.duplicated_bytes)
        }),
        whole("duplicated_packets", "", "Copies of packets made by the path", |row: &Row| {
            Some(row.share.duplicated_packets)
        }),
        whole("reinjected_bytes", "B", "Data that another subflow had carried before", |row: &Row| {
            Some(row.share.reinjected_bytes)
        }),
        whole("reinjected_packets", "", "Packets with such data", |row: &Row| Some(row.share.reinjected_packets)),
        whole("reinjected_orig_bytes", "B", "Data carried first here and again by another subflow", |row: &Row| {
            Some(row.share.reinjected_orig_bytes)
        }),
        whole("reinjected_orig_packets", "", "Packets here that had carried such data", |row: &Row| {
            Some(row.share.reinjected_orig_packets)
        }),
        whole(
            "resent_same_subflow_bytes",
            "B",
            "Data carried here before, under other sequence numbers",
            |row: &Row| Some(row.share.resent_same_subflow_bytes),
        ),
        whole("keepalives", "", "Keep-alives", |row: &Row| Some(row.share.keepalives)),
        whole("window_probes", "", "Zero-window probes", |row: &Row| Some(row.share.window_probes)),
        whole("tcp_goodput_bytes", "B", "Size of the union of the sequence ranges sent", |row: &Row| {
            Some(row.tcp?.goodput_bytes)
        }),
        whole("undecided_packets", "", "Copies by the path or by TCP: the capture does not tell", |row: &Row| {
            Some(row.tcp?.undecided_packets)
        }),
        fraction("duration_s", "s", "First to last packet", |row: &Row| Some(row.tcp?.duration)),
        fraction("rate_bytes", "B/s", "tcp_goodput_bytes over duration", |row: &Row| row.tcp?.rate),
        whole("segments", "", "Packets with data", |row: &Row| Some(row.waited?.segments)),
        whole("out_of_order_segments", "", "Packets with data beyond the connection's next byte", |row: &Row| {
            Some(row.waited?.out_of_order_segments)
        }),
        whole("out_of_order_bytes", "B", "New data beyond the connection's next byte", |row: &Row| {
            Some(row.waited?.bytes_waited)
        }),
    ];
    columns.extend(distribution!("hol", "head-of-line delays", hol));
    columns.extend(distribution!("rtt_tcp", "round trips of data to ACK", rtt_tcp));
    columns.extend(distribution!("rtt_timestamp", "round trips of TCP timestamps", rtt_timestamp));
    columns.extend(distribution!("rtt_data", "round trips of data to DATA_ACK", rtt_data));
    columns
}
