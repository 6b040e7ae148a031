//! One row per subflow.

use super::{Table, Written, specs, values};
use crate::dataset::analyzed::{OfConnection, microseconds};
use crate::dataset::column::{Column, fraction, named, text, time, truth, whole};
use mptcp_trace::Instant;
use mptcp_trace::analysis::events::EventKind;
use mptcp_trace::analysis::setup::JoinSetup;
use mptcp_trace::analysis::subflow_courses::SubflowCourse;
use mptcp_trace::analysis::subflows::SubflowRecord;

pub const TABLE: Table = Table {
    name: "subflows",
    row: "subflow (`list_subflows`, `mptcp_summary`)",
    labelled: true,
    written: Written::Always,
    columns: || specs(columns()),
    frame: |analyzed| {
        let facts = analyzed.facts.iter();
        let connections = facts.flat_map(|facts| facts.connections.iter());
        let rows: Vec<Row> = connections.flat_map(rows).collect();
        values(&columns(), &rows)
    },
};

struct Row<'a> {
    of: &'a OfConnection<'a>,
    ordinal: usize,
    /// The connection's first packet.
    begun: Option<Instant>,
    subflow: &'a SubflowRecord,
    join: Option<&'a JoinSetup>,
    course: Option<&'a SubflowCourse>,
}

impl Row<'_> {
    /// First and last packet in either direction.
    fn span(&self) -> Option<(Instant, Instant)> {
        OfConnection::span(self.of.traffic.iter().skip(2 * self.ordinal).take(2))
    }
}

fn rows<'a>(of: &'a OfConnection<'a>) -> impl Iterator<Item = Row<'a>> {
    let begun = OfConnection::span(of.traffic.iter()).map(|(first, _)| first);
    of.record.subflows.iter().enumerate().map(move |(ordinal, subflow)| {
        let joins = &of.summary.setup.joins;
        let join = joins.binary_search_by_key(&subflow.tcpstream, |join| join.tcpstream).ok();
        let join = join.and_then(|at| joins.get(at));
        Row { of, ordinal, begun, subflow, join, course: of.courses.get(ordinal) }
    })
}

fn columns<'a>() -> Vec<Column<Row<'a>>> {
    vec![
        whole("mptcpstream", "", "MPTCP connection", |row: &Row| Some(row.of.record.mptcpstream.into())),
        whole("tcpstream", "", "Wireshark's tcp.stream", |row: &Row| Some(row.subflow.tcpstream.into())),
        whole("ordinal", "", "Place among the subflows of the connection, from 0", |row: &Row| {
            Some(row.ordinal as u64)
        }),
        text("kind", "initial (MP_CAPABLE) or join (MP_JOIN)", |row: &Row| named(&row.subflow.kind)),
        text("client_ip", "Address of the end that opened it", |row: &Row| Some(row.subflow.client_ip.to_string())),
        whole("client_port", "", "Its port", |row: &Row| Some(row.subflow.client_port.into())),
        text("server_ip", "Address of the other end", |row: &Row| Some(row.subflow.server_ip.to_string())),
        whole("server_port", "", "Its port", |row: &Row| Some(row.subflow.server_port.into())),
        whole("ip_version", "", "4 or 6", |row: &Row| Some(if row.subflow.client_ip.is_ipv4() { 4 } else { 6 })),
        text("opened_towards", "server or client: the end of the connection it was opened towards", |row: &Row| {
            named(&row.subflow.mptcpdest)
        }),
        text("interface", "Interface that its first packet was recorded on", |row: &Row| row.subflow.interface.clone()),
        text("path_client", "Label of the client's address, from --labels or the configuration", |row: &Row| {
            row.subflow.path_client.clone()
        }),
        text("path_server", "Label of the server's address, from --labels or the configuration", |row: &Row| {
            row.subflow.path_server.clone()
        }),
        whole("addrid", "", "Address id of the end that opened it", |row: &Row| row.subflow.addrid.map(Into::into)),
        whole("server_addrid", "", "Address id of the end that accepted it", |row: &Row| {
            row.course?.server_addrid.map(Into::into)
        }),
        truth("backup", "Opened as a backup by either end", |row: &Row| row.subflow.backup),
        truth("backup_at_end", "A backup after all MP_PRIO", |row: &Row| row.subflow.backup_at_end),
        text("hmac", "Verdict on the HMACs of MP_JOIN: valid, invalid, unverifiable", |row: &Row| {
            named(&row.subflow.hmac)
        }),
        text("state", "syn_sent, syn_received, refused, established, reset or closed", |row: &Row| {
            named(&row.subflow.state)
        }),
        text("end_kind", "What ended it first: fin (of both ends) or reset; or half_closed or open", |row: &Row| {
            named(&row.course?.end_kind)
        }),
        fraction("end_s", "s", "The RST, or the second FIN, since the first frame of the file", |row: &Row| {
            row.course?.end
        }),
        text("ended_by", "server or client of the connection: who sent it", |row: &Row| named(&row.course?.ended_by?)),
        whole("reset_reason", "", "Reason that the RST gave (MP_TCPRST)", |row: &Row| {
            row.course?.reset_reason.map(Into::into)
        }),
        whole(
            "standstills",
            "",
            "Times without any answer to data sent again (`events`: subflow_stale)",
            |row: &Row| {
                let stale = row.of.events_of(EventKind::SubflowStale);
                Some(stale.filter(|event| event.tcpstream == row.subflow.tcpstream).count() as u64)
            },
        ),
        text("joined_by", "Evidence that it belongs to the connection", |row: &Row| named(&row.subflow.joined_by)),
        time("start_time", "First packet", |row: &Row| Some(microseconds(row.span()?.0))),
        time("end_time", "Last packet", |row: &Row| Some(microseconds(row.span()?.1))),
        fraction("start_after_s", "s", "From the connection's first packet to its own first", |row: &Row| {
            Some((row.span()?.0 - row.begun?).seconds())
        }),
        fraction("duration_s", "s", "First to last packet", |row: &Row| {
            let (first, last) = row.span()?;
            Some((last - first).seconds())
        }),
        fraction(
            "established_after_s",
            "s",
            "From the SYN with MP_CAPABLE to the packet that established the join",
            |row: &Row| row.join?.established_after,
        ),
        fraction(
            "established_s",
            "s",
            "The packet that established it, since the first frame of the file",
            |row: &Row| row.course?.established,
        ),
        truth("established_after_last_data", "Established when the connection's last data had come", |row: &Row| {
            row.course?.established_after_last_data
        }),
        whole("wscale_client", "", "Window scale in the SYN", |row: &Row| row.course?.wscale_client.map(Into::into)),
        whole("wscale_server", "", "Window scale in the SYN/ACK", |row: &Row| {
            row.course?.wscale_server.map(Into::into)
        }),
        whole("mss_client", "B", "Maximum segment size in the SYN", |row: &Row| row.course?.mss_client.map(Into::into)),
        whole("mss_server", "B", "Maximum segment size in the SYN/ACK", |row: &Row| {
            row.course?.mss_server.map(Into::into)
        }),
        truth("sack", "SYN and SYN/ACK permit SACK", |row: &Row| row.course?.sack),
        truth("timestamps", "SYN and SYN/ACK have timestamps", |row: &Row| row.course?.timestamps),
        fraction("handshake_rtt_s", "s", "Round trip time of its handshake", |row: &Row| match row.join {
            Some(join) => join.handshake_rtt,
            None if row.subflow.kind == Some(mptcp_trace::analysis::subflows::OpenedWith::Initial) => {
                row.of.summary.setup.handshake_rtt
            }
            None => None,
        }),
    ]
}
