//! From the raw columns back to segments.

use std::collections::HashMap;
use std::net::IpAddr;

use polars::prelude::*;
use polars_arrow::array::{Array, BooleanArray, PrimitiveArray, StaticArray, Utf8ViewArray};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::types::NativeType;

use crate::packets::cells::hexadecimal_digits;
use mptcp_trace::Instant;
use mptcp_trace::packets::segment::{
    AddAddr, Capable, Control, Dss, Fields, Join, Malformed, Mapping, Prio, ResetReason, SackBlocks, flag,
    hmac_from_hexadecimal, subtype,
};

/// The columns, each in one piece.
pub(super) struct Rows {
    packetid: Numbers<u64>,
    abstime: Numbers<i64>,
    source: Addresses,
    destination: Addresses,
    source_port: Numbers<u16>,
    destination_port: Numbers<u16>,
    flags: Numbers<u16>,
    sequence: Numbers<u32>,
    acknowledgement: Numbers<u32>,
    payload: Numbers<u32>,
    window: Numbers<u16>,
    window_scale: Numbers<u8>,
    timestamp_value: Numbers<u32>,
    timestamp_echo: Numbers<u32>,
    sack: Lists<u32>,
    subtypes: Lists<u8>,
    options_cut: BooleanArray,
    malformed_subtype: Numbers<u8>,
    malformed_length: Numbers<u8>,
    dss_flags: Numbers<u8>,
    dss_rawack: Numbers<u64>,
    dss_dsn: Numbers<u64>,
    dss_ssn: Numbers<u32>,
    dss_length: Numbers<u16>,
    checksum: Numbers<u16>,
    control: ControlRows,
}

/// Columns that only packets with options other than DSS fill.
struct ControlRows {
    version: Numbers<u8>,
    capable_flags: Numbers<u8>,
    sendkey: Numbers<u64>,
    recvkey: Numbers<u64>,
    recvtok: Numbers<u32>,
    sendnonce: Numbers<u32>,
    sendtrunchmac: Numbers<u64>,
    sendhmac: Utf8ViewArray,
    addrid: Numbers<u8>,
    backup: BooleanArray,
    addaddr_ip: Utf8ViewArray,
    addaddr_port: Numbers<u16>,
    addaddr_id: Numbers<u8>,
    addaddr_echo: BooleanArray,
    addaddr_hmac: Numbers<u64>,
    rmaddr_ids: Lists<u8>,
    fail_dsn: Numbers<u64>,
    fastclose_key: Numbers<u64>,
    rst_flags: Numbers<u8>,
    rst_reason: Numbers<u8>,
}

/// A column of addresses that parses each distinct text once, and mostly finds it among the last two.
struct Addresses {
    texts: Utf8ViewArray,
    parsed: HashMap<String, IpAddr>,
    last: [(String, Option<IpAddr>); 2],
}

impl Addresses {
    fn of(texts: Utf8ViewArray) -> Self {
        Addresses { texts, parsed: HashMap::new(), last: Default::default() }
    }

    fn get(&mut self, row: usize) -> Option<IpAddr> {
        let text = self.texts.get(row)?;
        let mut last = self.last.iter();
        if let Some((_, address)) = last.find(|(known, address)| known == text && address.is_some()) {
            return *address;
        }
        let address = match self.parsed.get(text) {
            Some(address) => *address,
            None => {
                let address = text.parse().ok()?;
                self.parsed.insert(text.to_string(), address);
                address
            }
        };
        self.last.swap(0, 1);
        self.last[0] = (text.to_string(), Some(address));
        Some(address)
    }
}

/// A column of numbers: all cells, and which of them are there.
pub(super) struct Numbers<T: NativeType> {
    cells: PrimitiveArray<T>,
    present: Option<Bitmap>,
}

impl<T: NativeType> Numbers<T> {
    pub(super) fn of<P: PolarsNumericType<Native = T>>(column: &ChunkedArray<P>) -> Self {
        let cells = only(column, T::PRIMITIVE.into());
        let present = cells.validity().filter(|_| cells.null_count() > 0).cloned();
        Numbers { cells, present }
    }

    pub(super) fn get(&self, row: usize) -> Option<T> {
        match &self.present {
            Some(present) if !present.get(row)? => None,
            _ => self.cells.values().get(row).copied(),
        }
    }
}

/// A column of lists: all values end to end, and where each row's begin. A null row reads as an empty one.
pub(super) struct Lists<T> {
    offsets: Vec<i64>,
    values: Vec<T>,
}

impl<T: NativeType> Lists<T> {
    pub(super) fn get(&self, row: usize) -> &[T] {
        let bound = |at: usize| self.offsets.get(at).and_then(|offset| usize::try_from(*offset).ok());
        match (bound(row), bound(row.saturating_add(1))) {
            (Some(start), Some(end)) => self.values.get(start..end).unwrap_or(&[]),
            _ => &[],
        }
    }

    /// A value that is null reads as 0.
    fn of<P: PolarsNumericType<Native = T>>(lists: &ListChunked, values: &ChunkedArray<P>) -> PolarsResult<Self> {
        let values = match values.null_count() {
            0 => Numbers::of(values).cells.values().as_slice().to_vec(),
            _ => values.iter().map(Option::unwrap_or_default).collect(),
        };
        Ok(Lists { offsets: lists.offsets()?.to_vec(), values })
    }
}

impl Lists<u8> {
    pub(super) fn u8(series: &Series) -> PolarsResult<Self> {
        let lists = series.list()?;
        Self::of(lists, lists.get_inner().u8()?)
    }
}

impl Lists<u32> {
    fn u32(series: &Series) -> PolarsResult<Self> {
        let lists = series.list()?;
        Self::of(lists, lists.get_inner().u32()?)
    }
}

impl Rows {
    /// # Errors
    /// When a column is missing or has another type.
    pub(super) fn of(table: &DataFrame) -> PolarsResult<Self> {
        let one = |name: &str| table.column(name).map(|column| column.as_materialized_series().rechunk());
        let texts = |name: &str| PolarsResult::Ok(only(one(name)?.str()?, ArrowDataType::Utf8View));
        let truths = |name: &str| PolarsResult::Ok(only(one(name)?.bool()?, ArrowDataType::Boolean));
        Ok(Rows {
            packetid: Numbers::of(one("packetid")?.u64()?),
            abstime: Numbers::of(one("abstime")?.datetime()?.physical()),
            source: Addresses::of(texts("ipsrc")?),
            destination: Addresses::of(texts("ipdst")?),
            source_port: Numbers::of(one("sport")?.u16()?),
            destination_port: Numbers::of(one("dport")?.u16()?),
            flags: Numbers::of(one("tcpflags")?.u16()?),
            sequence: Numbers::of(one("tcpseq_raw")?.u32()?),
            acknowledgement: Numbers::of(one("tcpack_raw")?.u32()?),
            payload: Numbers::of(one("tcplen")?.u32()?),
            window: Numbers::of(one("rwnd_raw")?.u16()?),
            window_scale: Numbers::of(one("wscale")?.u8()?),
            timestamp_value: Numbers::of(one("tcptsval")?.u32()?),
            timestamp_echo: Numbers::of(one("tcptsecr")?.u32()?),
            sack: Lists::u32(&one("sack")?)?,
            subtypes: Lists::u8(&one("subtype")?)?,
            options_cut: truths("options_cut")?,
            malformed_subtype: Numbers::of(one("malformed_subtype")?.u8()?),
            malformed_length: Numbers::of(one("malformed_length")?.u8()?),
            dss_flags: Numbers::of(one("dss_flags")?.u8()?),
            dss_rawack: Numbers::of(one("dss_rawack")?.u64()?),
            dss_dsn: Numbers::of(one("dss_dsn")?.u64()?),
            dss_ssn: Numbers::of(one("dss_ssn")?.u32()?),
            dss_length: Numbers::of(one("dss_length")?.u16()?),
            checksum: Numbers::of(one("checksum")?.u16()?),
            control: ControlRows {
                version: Numbers::of(one("mptcpversion")?.u8()?),
                capable_flags: Numbers::of(one("capable_flags")?.u8()?),
                sendkey: Numbers::of(one("sendkey")?.u64()?),
                recvkey: Numbers::of(one("recvkey")?.u64()?),
                recvtok: Numbers::of(one("recvtok")?.u32()?),
                sendnonce: Numbers::of(one("sendnonce")?.u32()?),
                sendtrunchmac: Numbers::of(one("sendtrunchmac")?.u64()?),
                sendhmac: texts("sendhmac")?,
                addrid: Numbers::of(one("addrid")?.u8()?),
                backup: truths("backup")?,
                addaddr_ip: texts("addaddr_ip")?,
                addaddr_port: Numbers::of(one("addaddr_port")?.u16()?),
                addaddr_id: Numbers::of(one("addaddr_id")?.u8()?),
                addaddr_echo: truths("addaddr_echo")?,
                addaddr_hmac: Numbers::of(one("addaddr_hmac")?.u64()?),
                rmaddr_ids: Lists::u8(&one("rmaddr_ids")?)?,
                fail_dsn: Numbers::of(one("fail_dsn")?.u64()?),
                fastclose_key: Numbers::of(one("fastclose_key")?.u64()?),
                rst_flags: Numbers::of(one("rst_flags")?.u8()?),
                rst_reason: Numbers::of(one("rst_reason")?.u8()?),
            },
        })
    }

    /// The packet of a row; nothing if a cell is null that every packet has.
    pub(super) fn segment(&mut self, row: usize) -> Option<Fields> {
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

/// The only chunk of a column.
fn only<T: PolarsDataType>(column: &ChunkedArray<T>, kind: ArrowDataType) -> T::Array {
    column.rechunk().downcast_iter().next().cloned().unwrap_or_else(|| T::Array::full_null(0, kind))
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
