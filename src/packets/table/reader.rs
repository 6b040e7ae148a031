//! From the raw columns back to segments.

use std::collections::HashMap;
use std::net::IpAddr;

use polars::prelude::*;

use crate::packets::cells::hexadecimal_digits;
use mptcp_trace::Instant;
use mptcp_trace::packets::segment::{
    AddAddr, Capable, Control, Dss, Fields, Join, Malformed, Mapping, Prio, ResetReason, SackBlocks, Segments, flag,
    hmac_from_hexadecimal, subtype,
};

/// The segments of a raw table, one per row and in its order.
///
/// # Errors
/// When a column is missing, has another type, or a cell that every packet has is null.
pub fn segments(table: &DataFrame) -> PolarsResult<Segments> {
    let height = table.height();
    let mut rows = Rows::new(table)?;
    let packets = (0..height).map(|row| {
        rows.segment(row).ok_or_else(
            || polars_err!(ComputeError: "row {} of the packet table has no number, address or port", row + 1),
        )
    });
    packets.collect()
}

/// The columns, each in one piece.
struct Rows {
    packetid: UInt64Chunked,
    abstime: Int64Chunked,
    source: Addresses,
    destination: Addresses,
    source_port: UInt16Chunked,
    destination_port: UInt16Chunked,
    flags: UInt16Chunked,
    sequence: UInt32Chunked,
    acknowledgement: UInt32Chunked,
    payload: UInt32Chunked,
    window: UInt16Chunked,
    window_scale: UInt8Chunked,
    timestamp_value: UInt32Chunked,
    timestamp_echo: UInt32Chunked,
    sack: Lists<u32>,
    subtypes: Lists<u8>,
    options_cut: BooleanChunked,
    malformed_subtype: UInt8Chunked,
    malformed_length: UInt8Chunked,
    dss_flags: UInt8Chunked,
    dss_rawack: UInt64Chunked,
    dss_dsn: UInt64Chunked,
    dss_ssn: UInt32Chunked,
    dss_length: UInt16Chunked,
    checksum: UInt16Chunked,
    control: ControlRows,
}

/// Columns that only packets with options other than DSS fill.
struct ControlRows {
    version: UInt8Chunked,
    capable_flags: UInt8Chunked,
    sendkey: UInt64Chunked,
    recvkey: UInt64Chunked,
    recvtok: UInt32Chunked,
    sendnonce: UInt32Chunked,
    sendtrunchmac: UInt64Chunked,
    sendhmac: StringChunked,
    addrid: UInt8Chunked,
    backup: BooleanChunked,
    addaddr_ip: StringChunked,
    addaddr_port: UInt16Chunked,
    addaddr_id: UInt8Chunked,
    addaddr_echo: BooleanChunked,
    addaddr_hmac: UInt64Chunked,
    rmaddr_ids: Lists<u8>,
    fail_dsn: UInt64Chunked,
    fastclose_key: UInt64Chunked,
    rst_flags: UInt8Chunked,
    rst_reason: UInt8Chunked,
}

/// A column of addresses that parses each distinct text once.
struct Addresses {
    texts: StringChunked,
    parsed: HashMap<String, IpAddr>,
}

impl Addresses {
    fn get(&mut self, row: usize) -> Option<IpAddr> {
        let text = self.texts.get(row)?;
        if let Some(address) = self.parsed.get(text) {
            return Some(*address);
        }
        let address = text.parse().ok()?;
        self.parsed.insert(text.to_string(), address);
        Some(address)
    }
}

/// A column of lists: all values end to end, and where each row's begin. A null row reads as an empty one.
pub(super) struct Lists<T> {
    offsets: Vec<i64>,
    values: Vec<T>,
}

impl<T> Lists<T> {
    pub(super) fn get(&self, row: usize) -> &[T] {
        let bound = |at: usize| self.offsets.get(at).and_then(|offset| usize::try_from(*offset).ok());
        match (bound(row), bound(row + 1)) {
            (Some(start), Some(end)) => self.values.get(start..end).unwrap_or(&[]),
            _ => &[],
        }
    }
}

impl Lists<u8> {
    pub(super) fn u8(series: &Series) -> PolarsResult<Self> {
        let lists = series.list()?;
        let values = lists.get_inner().u8()?.iter().map(Option::unwrap_or_default).collect();
        Ok(Lists { offsets: lists.offsets()?.to_vec(), values })
    }
}

impl Lists<u32> {
    fn u32(series: &Series) -> PolarsResult<Self> {
        let lists = series.list()?;
        let values = lists.get_inner().u32()?.iter().map(Option::unwrap_or_default).collect();
        Ok(Lists { offsets: lists.offsets()?.to_vec(), values })
    }
}

impl Rows {
    fn new(table: &DataFrame) -> PolarsResult<Self> {
        let one = |name: &str| table.column(name).map(|column| column.as_materialized_series().rechunk());
        let addresses =
            |name: &str| PolarsResult::Ok(Addresses { texts: one(name)?.str()?.clone(), parsed: HashMap::new() });
        Ok(Rows {
            packetid: one("packetid")?.u64()?.clone(),
            abstime: one("abstime")?.datetime()?.physical().clone(),
            source: addresses("ipsrc")?,
            destination: addresses("ipdst")?,
            source_port: one("sport")?.u16()?.clone(),
            destination_port: one("dport")?.u16()?.clone(),
            flags: one("tcpflags")?.u16()?.clone(),
            sequence: one("tcpseq_raw")?.u32()?.clone(),
            acknowledgement: one("tcpack_raw")?.u32()?.clone(),
            payload: one("tcplen")?.u32()?.clone(),
            window: one("rwnd_raw")?.u16()?.clone(),
            window_scale: one("wscale")?.u8()?.clone(),
            timestamp_value: one("tcptsval")?.u32()?.clone(),
            timestamp_echo: one("tcptsecr")?.u32()?.clone(),
            sack: Lists::u32(&one("sack")?)?,
            subtypes: Lists::u8(&one("subtype")?)?,
            options_cut: one("options_cut")?.bool()?.clone(),
            malformed_subtype: one("malformed_subtype")?.u8()?.clone(),
            malformed_length: one("malformed_length")?.u8()?.clone(),
            dss_flags: one("dss_flags")?.u8()?.clone(),
            dss_rawack: one("dss_rawack")?.u64()?.clone(),
            dss_dsn: one("dss_dsn")?.u64()?.clone(),
            dss_ssn: one("dss_ssn")?.u32()?.clone(),
            dss_length: one("dss_length")?.u16()?.clone(),
            checksum: one("checksum")?.u16()?.clone(),
            control: ControlRows {
                version: one("mptcpversion")?.u8()?.clone(),
                capable_flags: one("capable_flags")?.u8()?.clone(),
                sendkey: one("sendkey")?.u64()?.clone(),
                recvkey: one("recvkey")?.u64()?.clone(),
                recvtok: one("recvtok")?.u32()?.clone(),
                sendnonce: one("sendnonce")?.u32()?.clone(),
                sendtrunchmac: one("sendtrunchmac")?.u64()?.clone(),
                sendhmac: one("sendhmac")?.str()?.clone(),
                addrid: one("addrid")?.u8()?.clone(),
                backup: one("backup")?.bool()?.clone(),
                addaddr_ip: one("addaddr_ip")?.str()?.clone(),
                addaddr_port: one("addaddr_port")?.u16()?.clone(),
                addaddr_id: one("addaddr_id")?.u8()?.clone(),
                addaddr_echo: one("addaddr_echo")?.bool()?.clone(),
                addaddr_hmac: one("addaddr_hmac")?.u64()?.clone(),
                rmaddr_ids: Lists::u8(&one("rmaddr_ids")?)?,
                fail_dsn: one("fail_dsn")?.u64()?.clone(),
                fastclose_key: one("fastclose_key")?.u64()?.clone(),
                rst_flags: one("rst_flags")?.u8()?.clone(),
                rst_reason: one("rst_reason")?.u8()?.clone(),
            },
        })
    }

    fn segment(&mut self, row: usize) -> Option<Fields> {
        let flags = self.flags.get(row)?;
        let mut segment = Fields {
            packetid: self.packetid.get(row)?,
            abstime: Instant::from_nanoseconds(self.abstime.get(row)?),
            source: self.source.get(row)?,
            destination: self.destination.get(row)?,
            source_port: self.source_port.get(row)?,
            destination_port: self.destination_port.get(row)?,
            flags,
            window: self.window.get(row)?,
            sequence: self.sequence.get(row)?,
            acknowledgement: self.acknowledgement.get(row).unwrap_or(0),
            payload: self.payload.get(row),
            timestamps: self.timestamp_value.get(row).zip(self.timestamp_echo.get(row)),
            window_scale: self.window_scale.get(row),
            options_cut: self.options_cut.get(row).unwrap_or(false),
            malformed: self.malformed_length.get(row).map(|length| {
                let subtype = self.malformed_subtype.get(row);
                Malformed { subtype, length }
            }),
            sack: self.sack(row),
            dss: None,
            control: None,
        };
        let subtypes = self.subtypes.get(row);
        if subtypes.contains(&subtype::DSS) {
            segment.dss = self.dss(row);
        }
        if !subtypes.is_empty() && subtypes != [subtype::DSS] {
            segment.control = Some(Box::new(self.control(row, flags, subtypes)));
        }
        Some(segment)
    }

    fn sack(&self, row: usize) -> SackBlocks {
        let mut blocks = SackBlocks::default();
        for pair in self.sack.get(row).chunks_exact(2) {
            if let [left, right] = pair {
                blocks.push(*left, *right);
            }
        }
        blocks
    }

    fn dss(&self, row: usize) -> Option<Dss> {
        let flags = self.dss_flags.get(row)?;
        let parts = (self.dss_dsn.get(row), self.dss_ssn.get(row), self.dss_length.get(row));
        let mapping = match parts {
            (Some(dsn), Some(ssn), Some(length)) => {
                Some(Mapping { dsn, ssn, length, checksum: self.checksum.get(row) })
            }
            _ => None,
        };
        Some(Dss { flags, data_ack: self.dss_rawack.get(row), mapping })
    }

    fn control(&self, row: usize, flags: u16, subtypes: &[u8]) -> Control {
        let columns = &self.control;
        let has = |wanted: u8| subtypes.contains(&wanted);
        let mut control = Control::default();
        if has(subtype::MP_CAPABLE)
            && let (Some(version), Some(flags)) = (columns.version.get(row), columns.capable_flags.get(row))
        {
            control.capable = Some(Capable {
                version,
                flags,
                sender_key: columns.sendkey.get(row),
                receiver_key: columns.recvkey.get(row),
                data_length: self.dss_length.get(row),
                checksum: self.checksum.get(row),
            });
        }
        if has(subtype::MP_JOIN) {
            control.join = columns.join(row, flags);
        }
        if has(subtype::ADD_ADDR)
            && let Some(address_id) = columns.addaddr_id.get(row)
        {
            control.add_addr = Some(AddAddr {
                address_id,
                echo: columns.addaddr_echo.get(row).unwrap_or(false),
                address: columns.addaddr_ip.get(row).and_then(|text| text.parse().ok()),
                port: columns.addaddr_port.get(row),
                hmac: columns.addaddr_hmac.get(row),
            });
        }
        control.remove_addr = has(subtype::REMOVE_ADDR).then(|| columns.rmaddr_ids.get(row).to_vec());
        if has(subtype::MP_PRIO)
            && let Some(backup) = columns.backup.get(row)
        {
            control.prio = Some(Prio { backup, address_id: columns.addrid.get(row) });
        }
        control.fail = columns.fail_dsn.get(row);
        control.fastclose = columns.fastclose_key.get(row);
        control.reset =
            columns.rst_flags.get(row).map(|flags| ResetReason { flags, reason: columns.rst_reason.get(row) });
        control.subtypes = subtypes.to_vec();
        control
    }
}

impl ControlRows {
    fn join(&self, row: usize, flags: u16) -> Option<Join> {
        if flags & flag::SYN == 0 {
            return Some(Join::Ack {
                hmac: self.sendhmac.get(row).map(hexadecimal_digits).and_then(hmac_from_hexadecimal),
            });
        }
        let address_id = self.addrid.get(row)?;
        let backup = self.backup.get(row)?;
        let nonce = self.sendnonce.get(row);
        Some(if flags & flag::ACK == 0 {
            Join::Syn { backup, address_id, token: self.recvtok.get(row), nonce }
        } else {
            Join::SynAck { backup, address_id, truncated_hmac: self.sendtrunchmac.get(row), nonce }
        })
    }
}
