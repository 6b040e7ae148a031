//! One row per capture, also of one that could not be analyzed.

use super::{Table, Written, specs, values};
use crate::dataset::analyzed::Analyzed;
use crate::dataset::column::{Column, fraction, text, time, truth, whole};
use crate::dataset::{SCHEMA_VERSION, TOOL_VERSION, table_rows};

pub const TABLE: Table = Table {
    name: super::CAPTURES,
    row: "capture, analyzed or not",
    labelled: true,
    written: Written::Always,
    columns: || specs(columns()),
    frame: |analyzed| values(&columns(), std::slice::from_ref(&analyzed)),
};

type Row<'a> = &'a Analyzed<'a>;

fn columns<'a>() -> Vec<Column<Row<'a>>> {
    vec![
        text("name", "Name in the dataset: the path, or what is below --root", |row: &Row| Some(row.task.name.clone())),
        text(
            "path",
            "Path of the file when it was analyzed; of several (--joined), their folder and pattern",
            |row: &Row| Some(row.task.path_text()),
        ),
        whole("files", "", "Files that it was recorded into: more than one with --joined", |row: &Row| {
            Some(row.task.files())
        }),
        whole("size_bytes", "B", "Size of the file, or of all", |row: &Row| row.task.size),
        time("mtime", "Last modification of the file, or of the last one", |row: &Row| row.task.mtime),
        text("content_xxh3", "XXH3-128 of the content, hexadecimal: equal ones are copies", |row: &Row| {
            row.content.clone()
        }),
        text("status", "ok, partial (read up to some place), error, timeout, memory or crashed", |row: &Row| {
            Some(row.status.name().to_string())
        }),
        text("error", "Why there is nothing, or not all", |row: &Row| row.error.clone()),
        text("warnings", "Warnings about the reading, separated by line feeds", |row: &Row| {
            let warnings = &row.facts.as_ref()?.capture.facts.warnings;
            (!warnings.is_empty()).then(|| warnings.join("\n"))
        }),
        text("tool_version", "Version of the program", |_| Some(TOOL_VERSION.to_string())),
        whole("schema_version", "", "Version of the tables", |_| Some(SCHEMA_VERSION)),
        text("options", "Fingerprint of the options and labels that it was analyzed with", |row: &Row| {
            Some(row.task.options.clone())
        }),
        text(
            "table_rows",
            "Rows of this capture in each other table that was asked for: `connections=1,directions=2`",
            |row: &Row| row.facts.is_some().then(|| table_rows::written(&row.table_rows)),
        ),
        text("format", "pcap, nsecpcap or pcapng; nothing for other formats (`captures`)", |row: &Row| {
            Some(row.described.as_ref()?.format.to_string())
        }),
        text("link_type", "Numbers of its link types (LINKTYPE_ of tcpdump.org), separated by commas", |row: &Row| {
            row.described.as_ref()?.link_type()
        }),
        whole("snaplen", "B", "Most bytes of a frame that were recorded; nothing without a limit", |row: &Row| {
            row.described.as_ref()?.snap_length.map(Into::into)
        }),
        truth("options_cut", "TCP options of a packet are cut", |row: &Row| {
            Some(row.facts.as_ref()?.capture.segments.iter().any(|segment| segment.options_cut()))
        }),
        text("dissector", "Dissector and its version", |row: &Row| {
            Some(row.facts.as_ref()?.capture.facts.dissector.clone())
        }),
        whole("frames", "", "Frames of any protocol", |row: &Row| Some(row.facts.as_ref()?.capture.facts.frames)),
        whole("frames_not_understood", "", "Frames skipped because of their link type or tunnel", |row: &Row| {
            Some(row.facts.as_ref()?.capture.facts.not_understood)
        }),
        whole("truncated_at_byte", "B", "Offset from which on the file could not be read", |row: &Row| {
            row.facts.as_ref()?.capture.facts.truncated_at
        }),
        whole("tcp_packets", "", "TCP packets that count", |row: &Row| {
            Some(row.facts.as_ref()?.capture.segments.len() as u64)
        }),
        whole("tcp_bytes", "B", "Their payload (`tcp_summary`)", |row: &Row| {
            let segments = &row.facts.as_ref()?.capture.segments;
            Some(segments.iter().map(|segment| u64::from(segment.payload().unwrap_or(0))).sum())
        }),
        whole("tcp_streams", "", "TCP streams", |row: &Row| {
            Some(row.facts.as_ref()?.capture.tracking.streams.len() as u64)
        }),
        whole("mptcp_connections", "", "MPTCP connections", |row: &Row| {
            Some(row.facts.as_ref()?.connections.len() as u64)
        }),
        whole("mptcp_packets", "", "Packets of MPTCP connections", |row: &Row| {
            Some(row.facts.as_ref()?.mptcp_packets())
        }),
        whole("mptcp_bytes", "B", "Their payload (`mptcp_summary`)", |row: &Row| {
            let connections = row.facts.as_ref()?.connections.iter();
            let directions = connections.flat_map(|of| &of.summary.directions);
            Some(directions.map(|direction| direction.throughput_bytes).sum())
        }),
        time("first_time", "First TCP packet", |row: &Row| Some(row.facts.as_ref()?.span()?.0)),
        time("last_time", "Last TCP packet", |row: &Row| Some(row.facts.as_ref()?.span()?.1)),
        fraction("duration_s", "s", "First to last TCP packet", |row: &Row| row.facts.as_ref()?.duration()),
        text("interfaces", "Interfaces with TCP packets, by name or number, separated by commas", |row: &Row| {
            let interfaces = &row.facts.as_ref()?.capture.facts.interfaces;
            let named = |one: &mptcp_trace::packets::Interface| one.name.clone().unwrap_or_else(|| one.id.to_string());
            (!interfaces.is_empty()).then(|| interfaces.iter().map(named).collect::<Vec<_>>().join(","))
        }),
    ]
}
