//! The tracked columns of the packet table.

mod data;

use polars::prelude::*;

use mptcp_trace::interrupt::interruptible;
use mptcp_trace::packets::segment::Segment;
use mptcp_trace::tracking::Duplicates;
use mptcp_trace::tracking::expected_token;
use mptcp_trace::tracking::{Capture, Role, Tracking};

use crate::packets::schema;

/// `raw` with the tracked columns of its capture after the raw ones and before extra fields.
///
/// # Errors
/// When polars cannot put the columns side by side.
pub fn with_tracked(raw: &DataFrame, capture: &Capture) -> PolarsResult<DataFrame> {
    let raw_count = schema::packet_columns().count();
    let (own, extra) = raw.columns().split_at_checked(raw_count).unwrap_or((raw.columns(), &[]));
    let mut columns = own.to_vec();
    columns.extend(tracked(&capture.segments, &capture.tracking));
    columns.push(duplicate_of(&capture.segments, &capture.duplicates));
    columns.extend(extra.iter().cloned());
    DataFrame::new(raw.height(), columns)
}

fn tracked(segments: &[Segment], tracking: &Tracking) -> Vec<Column> {
    let packets = &tracking.packets;
    let tcp_towards: Vec<Option<Role>> =
        packets.iter().map(|packet| tracking.stream(packet.stream).map(|stream| stream.towards(packet))).collect();
    let subflows: Vec<_> = packets.iter().map(|packet| tracking.subflow(packet.stream)).collect();
    let mptcp_towards = subflows
        .iter()
        .zip(&tcp_towards)
        .map(|(subflow, towards)| Some(Tracking::mptcp_towards(subflow.as_ref()?, (*towards)?)));
    let mut columns = vec![
        Column::new("tcpstream".into(), packets.iter().map(|packet| packet.stream.0).collect::<Vec<u32>>()),
        roles("tcpdest", tcp_towards.iter().copied()),
        Column::new("tcpseq".into(), packets.iter().map(|packet| packet.sequence).collect::<Vec<u32>>()),
        Column::new("tcpack".into(), packets.iter().map(|packet| packet.acknowledgement()).collect::<Vec<_>>()),
        Column::new("rwnd".into(), packets.iter().map(|packet| packet.window()).collect::<Vec<_>>()),
        Column::new(
            "mptcpstream".into(),
            subflows.iter().map(|subflow| subflow.map(|subflow| subflow.connection.0)).collect::<Vec<_>>(),
        ),
        Column::new(
            "mptcpstream_wireshark".into(),
            subflows.iter().map(|subflow| subflow.map(|subflow| subflow.wireshark.0)).collect::<Vec<_>>(),
        ),
        roles("mptcpdest", mptcp_towards),
        Column::new("expected_token".into(), segments.iter().map(expected_token).collect::<Vec<_>>()),
    ];
    columns.extend(data::columns(segments, tracking));
    columns
}

/// The packet that each is a copy of.
fn duplicate_of(segments: &[Segment], duplicates: &Duplicates) -> Column {
    let mut originals = vec![None; segments.len()];
    for (row, original) in interruptible(&duplicates.rows) {
        if let Some(cell) = originals.get_mut(row.index()) {
            *cell = segments.get(original.index()).map(|segment| segment.packetid);
        }
    }
    Column::new("duplicate_of".into(), originals)
}

fn roles(name: &'static str, roles: impl Iterator<Item = Option<Role>>) -> Column {
    StringChunked::from_iter_options(PlSmallStr::from_static(name), roles.map(|role| role.map(Role::name)))
        .into_column()
}
