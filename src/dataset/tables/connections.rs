//! One row per MPTCP connection.

use std::collections::HashSet;

use super::{Table, Written, specs, values};
use crate::dataset::analyzed::{OfConnection, microseconds};
use crate::dataset::column::{Column, fraction, named, text, time, truth, whole};
use crate::packets::cells::hexadecimal;
use mptcp_trace::analysis::address_signals::Action;
use mptcp_trace::analysis::capture_point::CapturePoint;
use mptcp_trace::analysis::closing::Release;
use mptcp_trace::analysis::events::EventKind;
use mptcp_trace::analysis::subflows::{OpenedWith, SubflowRecord, SubflowState};
use mptcp_trace::tracking::Role;

pub const TABLE: Table = Table {
    name: "connections",
    row: "MPTCP connection (`list_mptcp_connections`, `mptcp_summary`, `traffic`)",
    labelled: true,
    written: Written::Always,
    columns: || specs(columns()),
    frame: |analyzed| {
        let rows: Vec<Row> = analyzed.facts.iter().flat_map(|facts| &facts.connections).collect();
        values(&columns(), &rows)
    },
};

type Row<'a> = &'a OfConnection<'a>;

fn columns<'a>() -> Vec<Column<Row<'a>>> {
    vec![
        whole("mptcpstream", "", "Wireshark's mptcp.stream", |row: &Row| Some(row.record.mptcpstream.into())),
        whole("version", "", "Version of MPTCP", |row: &Row| row.record.version.map(Into::into)),
        text("client_ip", "Address of the client on the first subflow", |row: &Row| {
            Some(row.record.subflows.first()?.client_ip.to_string())
        }),
        whole("client_port", "", "Its port", |row: &Row| Some(row.record.subflows.first()?.client_port.into())),
        text("server_ip", "Address of the server on the first subflow", |row: &Row| {
            Some(row.record.subflows.first()?.server_ip.to_string())
        }),
        whole("server_port", "", "Its port", |row: &Row| Some(row.record.subflows.first()?.server_port.into())),
        whole("ip_version", "", "4 or 6, of the first subflow", |row: &Row| {
            Some(if row.record.subflows.first()?.client_ip.is_ipv4() { 4 } else { 6 })
        }),
        text("client_key", "Key of the client, hexadecimal with `0x`", |row: &Row| {
            row.record.client_key.map(|key| hexadecimal(key, 16))
        }),
        text("server_key", "Key of the server, hexadecimal with `0x`", |row: &Row| {
            row.record.server_key.map(|key| hexadecimal(key, 16))
        }),
        text("client_token", "Token of the client, hexadecimal with `0x`", |row: &Row| {
            row.record.client_token.map(|token| hexadecimal(token.into(), 8))
        }),
        text("server_token", "Token of the server, hexadecimal with `0x`", |row: &Row| {
            row.record.server_token.map(|token| hexadecimal(token.into(), 8))
        }),
        truth("checksum_required", "Either end requires DSS checksums", |row: &Row| row.record.checksum_required),
        truth("begins_midstream", "The handshake with MP_CAPABLE was not captured", |row: &Row| {
            Some(!row.connection.roles_known)
        }),
        text("state", "open, half_closed, closed, fast_closed or reset, at the end of the capture", |row: &Row| {
            named(&row.record.state)
        }),
        text("release", "How it was released: data_fin, fin, fastclose or reset; or open", |row: &Row| {
            named(&row.record.release)
        }),
        truth(
            "open_at_end",
            "It was not released: it is open, or half closed, at the end of the capture",
            |row: &Row| Some(row.record.release == Release::Open),
        ),
        text("fallback_reason", "Evidence of a fallback to TCP", |row: &Row| {
            row.record.fallback.and_then(|fallback| named(&fallback.reason))
        }),
        whole("fallback_packetid", "", "First packet that shows the fallback", |row: &Row| {
            Some(row.record.fallback?.packetid)
        }),
        fraction("fallback_s", "s", "Its time, since the first frame of the file (`events`)", |row: &Row| {
            Some(row.events_of(EventKind::Fallback).next()?.reltime)
        }),
        text("joined_by", "Weakest evidence that its subflows belong together", |row: &Row| {
            named(&row.record.joined_by)
        }),
        text("capture_point", "client, server or between: where the capture was taken", |row: &Row| {
            Some(match row.point? {
                CapturePoint::At(role) => role.name().to_string(),
                CapturePoint::Between => "between".to_string(),
            })
        }),
        time("start_time", "First packet of any subflow", |row: &Row| {
            Some(microseconds(OfConnection::span(row.traffic.iter())?.0))
        }),
        time("end_time", "Last packet of any subflow", |row: &Row| {
            Some(microseconds(OfConnection::span(row.traffic.iter())?.1))
        }),
        fraction("duration_s", "s", "First to last packet of any subflow", |row: &Row| {
            let (first, last) = OfConnection::span(row.traffic.iter())?;
            Some((last - first).seconds())
        }),
        fraction("first_data_s", "s", "First packet with payload, since the first frame of the file", |row: &Row| {
            row.traffic.iter().filter_map(|one| one.first_data).reduce(f64::min)
        }),
        fraction("last_data_s", "s", "Last packet with payload", |row: &Row| {
            row.traffic.iter().filter_map(|one| one.last_data).reduce(f64::max)
        }),
        fraction("handshake_rtt_s", "s", "Round trip time of the first subflow's handshake", |row: &Row| {
            row.summary.setup.handshake_rtt
        }),
        whole("subflows", "", "Subflows", |row: &Row| Some(row.record.subflows.len() as u64)),
        whole("subflows_used", "", "Subflows with goodput in either direction", |row: &Row| {
            let used = |index: &usize| row.shares(*index).any(|share| share.goodput_bytes > 0);
            Some((0..row.record.subflows.len()).filter(used).count() as u64)
        }),
        whole("handovers", "", "Handovers of its data, in either direction (`handovers`)", |row: &Row| {
            Some(row.handovers.len() as u64)
        }),
        truth("handover", "There is at least one", |row: &Row| Some(!row.handovers.is_empty())),
        fraction("handover_at_s", "s", "When the first one began, since the first frame of the file", |row: &Row| {
            Some(row.handovers.first()?.stopped)
        }),
        whole("subflows_established", "", "Subflows that were established (`list_subflows`)", |row: &Row| {
            Some(row.courses.iter().filter(|course| course.established.is_some()).count() as u64)
        }),
        whole("joins_failed", "", "Joins that were refused or never answered (`list_subflows`)", |row: &Row| {
            let failed = |subflow: &&SubflowRecord| {
                subflow.kind == Some(OpenedWith::Join)
                    && matches!(subflow.state, SubflowState::Refused | SubflowState::SynSent)
            };
            Some(row.record.subflows.iter().filter(failed).count() as u64)
        }),
        whole("client_addresses", "", "Addresses of the client among its subflows", |row: &Row| {
            Some(addresses(row, Role::Client))
        }),
        whole("server_addresses", "", "Addresses of the server among its subflows", |row: &Row| {
            Some(addresses(row, Role::Server))
        }),
        whole("add_addrs_client", "", "ADD_ADDRs of the client, echoes not counted (`addresses`)", |row: &Row| {
            Some(sent(row, Role::Client, Action::Add))
        }),
        whole("add_addrs_server", "", "ADD_ADDRs of the server", |row: &Row| {
            Some(sent(row, Role::Server, Action::Add))
        }),
        whole("remove_addrs_client", "", "Address ids in REMOVE_ADDRs of the client (`addresses`)", |row: &Row| {
            Some(sent(row, Role::Client, Action::Remove))
        }),
        whole("remove_addrs_server", "", "Address ids in REMOVE_ADDRs of the server", |row: &Row| {
            Some(sent(row, Role::Server, Action::Remove))
        }),
        whole("mp_prios", "", "MP_PRIOs (`events`)", |row: &Row| Some(row.events_of(EventKind::MpPrio).count() as u64)),
        whole("mp_fails", "", "MP_FAILs (`events`)", |row: &Row| Some(row.events_of(EventKind::MpFail).count() as u64)),
    ]
}

/// Addresses that an end of the connection has on its subflows.
fn addresses(row: Row<'_>, end: Role) -> u64 {
    let of = |subflow: &SubflowRecord| if subflow.mptcpdest == end { subflow.server_ip } else { subflow.client_ip };
    row.record.subflows.iter().map(of).collect::<HashSet<_>>().len() as u64
}

/// Address ids that an end announced or withdrew.
fn sent(row: Row<'_>, sender: Role, action: Action) -> u64 {
    row.addresses.iter().filter(|one| one.sender == sender && one.action == action).count() as u64
}
