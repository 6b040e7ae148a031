//! From the raw columns back to what was noted of the frames.

use std::sync::Arc;

use mptcp_trace::packets::frames::{Frame, Frames};
use polars::prelude::*;

use super::reader::Lists;

/// The frames of a raw table, one per row and in its order. Numbers of interfaces and the direction of the link layer
/// are in no column.
///
/// # Errors
/// When a column is missing or has another type.
pub fn read(table: &DataFrame) -> PolarsResult<Arc<Frames>> {
    let one = |name: &str| PolarsResult::Ok(table.column(name)?.as_materialized_series().rechunk());
    let (interface, kinds) = (one("interface")?, one("tcpoptions")?);
    let (wire, captured, length) = (one("framelen")?, one("caplen")?, one("iplen")?);
    let (ttl, id, header, mss) = (one("ttl")?, one("ipid")?, one("tcphdrlen")?, one("tcpmss")?);
    let (interface, kinds) = (interface.str()?, Lists::u8(&kinds)?);
    let (wire, captured, length) = (wire.u32()?, captured.u32()?, length.u32()?);
    let (ttl, id, header, mss) = (ttl.u8()?, id.u16()?, header.u8()?, mss.u16()?);
    let mut frames = Frames::default();
    for row in 0..table.height() {
        frames.push(&Frame {
            interface: interface.get(row),
            interface_id: None,
            outgoing: false,
            wire_length: wire.get(row),
            captured_length: captured.get(row),
            ttl: ttl.get(row),
            ip_length: length.get(row),
            ip_id: id.get(row),
            header_length: header.get(row),
            option_kinds: kinds.get(row),
            mss: mss.get(row),
        });
    }
    Ok(Arc::new(frames))
}
