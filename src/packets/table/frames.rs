//! From the raw columns back to what was noted of the frames.

use mptcp_trace::packets::frames::Frame;
use polars::prelude::*;

use super::reader::{Lists, Numbers};

/// The columns about frames, each in one piece. Numbers of interfaces and the direction of the link layer are in no
/// column.
pub struct FrameRows {
    interface: StringChunked,
    kinds: Lists<u8>,
    wire: Numbers<u32>,
    captured: Numbers<u32>,
    length: Numbers<u32>,
    ttl: Numbers<u8>,
    id: Numbers<u16>,
    header: Numbers<u8>,
    mss: Numbers<u16>,
}

impl FrameRows {
    /// # Errors
    /// When a column is missing or has another type.
    pub fn of(table: &DataFrame) -> PolarsResult<Self> {
        let one = |name: &str| PolarsResult::Ok(table.column(name)?.as_materialized_series().rechunk());
        Ok(FrameRows {
            interface: one("interface")?.str()?.clone(),
            kinds: Lists::u8(&one("tcpoptions")?)?,
            wire: Numbers::of(one("framelen")?.u32()?),
            captured: Numbers::of(one("caplen")?.u32()?),
            length: Numbers::of(one("iplen")?.u32()?),
            ttl: Numbers::of(one("ttl")?.u8()?),
            id: Numbers::of(one("ipid")?.u16()?),
            header: Numbers::of(one("tcphdrlen")?.u8()?),
            mss: Numbers::of(one("tcpmss")?.u16()?),
        })
    }

    /// The frame of a row.
    pub fn frame(&self, row: usize) -> Frame<'_> {
        Frame {
            interface: self.interface.get(row),
            interface_id: None,
            outgoing: false,
            wire_length: self.wire.get(row),
            captured_length: self.captured.get(row),
            ttl: self.ttl.get(row),
            ip_length: self.length.get(row),
            ip_id: self.id.get(row),
            header_length: self.header.get(row),
            option_kinds: self.kinds.get(row),
            mss: self.mss.get(row),
        }
    }
}
