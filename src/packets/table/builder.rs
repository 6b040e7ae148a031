//! From segments to the raw columns.

use std::collections::HashMap;
use std::net::IpAddr;

use polars::prelude::*;

use crate::packets::schema::{self, Kind};
use crate::packets::segment::{Dss, Join, Segment, flag, subtype};

/// What a table row says of the frame around a segment, beyond what tracking needs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Frame<'a> {
    /// Name or number of the interface.
    pub interface: Option<&'a str>,
    /// Nanoseconds since the first frame of the file, of any protocol.
    pub reltime: i64,
    /// Octets on the wire.
    pub wire_length: Option<u32>,
    /// Octets recorded.
    pub captured_length: Option<u32>,
    /// Time to live, or hop limit.
    pub ttl: Option<u8>,
    /// IP total length, or IPv6 payload length.
    pub ip_length: Option<u32>,
    /// IPv4 identification.
    pub ip_id: Option<u16>,
    /// TCP header length, octets.
    pub header_length: Option<u8>,
    /// Kinds of all TCP options.
    pub option_kinds: &'a [u8],
    /// Maximum segment size option.
    pub mss: Option<u16>,
}

/// One column under construction.
enum Cells {
    U8(Vec<Option<u8>>),
    U16(Vec<Option<u16>>),
    U32(Vec<Option<u32>>),
    U64(Vec<Option<u64>>),
    Bool(Vec<Option<bool>>),
    Text(Vec<Option<PlSmallStr>>),
    ListU8(ListPrimitiveChunkedBuilder<UInt8Type>),
    ListU32(ListPrimitiveChunkedBuilder<UInt32Type>),
    Nanoseconds(Vec<Option<i64>>, Kind),
}

impl Cells {
    fn new(name: &str, kind: Kind) -> Self {
        let name = PlSmallStr::from_str(name);
        match kind {
            Kind::U8 => Cells::U8(Vec::new()),
            Kind::U16 => Cells::U16(Vec::new()),
            Kind::U32 => Cells::U32(Vec::new()),
            Kind::U64 => Cells::U64(Vec::new()),
            Kind::Bool => Cells::Bool(Vec::new()),
            Kind::Text => Cells::Text(Vec::new()),
            Kind::ListU8 => Cells::ListU8(ListPrimitiveChunkedBuilder::new(name, 0, 0, DataType::UInt8)),
            // No raw column lists packet ids.
            Kind::ListU32 | Kind::ListU64 => {
                Cells::ListU32(ListPrimitiveChunkedBuilder::new(name, 0, 0, DataType::UInt32))
            }
            Kind::Instant | Kind::Span => Cells::Nanoseconds(Vec::new(), kind),
        }
    }
}

fn empty_columns() -> Vec<Cells> {
    schema::packet_columns().map(|column| Cells::new(column.name, column.kind)).collect()
}

/// Builds the raw table row by row.
#[derive(Default)]
pub struct Builder {
    columns: Option<Vec<Cells>>,
    addresses: HashMap<IpAddr, PlSmallStr>,
    rows: usize,
}

/// Takes the columns one after the other, in the order of the schema.
struct Row<'a>(std::slice::IterMut<'a, Cells>);

macro_rules! put {
    ($name:ident, $variant:ident, $type:ty) => {
        fn $name(&mut self, value: Option<$type>) {
            if let Some(Cells::$variant(cells)) = self.0.next() {
                cells.push(value);
            } else {
                debug_assert!(false, concat!("the schema has another column here than a ", stringify!($type)));
            }
        }
    };
}

impl Row<'_> {
    put!(u8, U8, u8);
    put!(u16, U16, u16);
    put!(u32, U32, u32);
    put!(u64, U64, u64);
    put!(bool, Bool, bool);
    put!(text, Text, PlSmallStr);

    fn list_u8(&mut self, values: Option<&[u8]>) {
        if let Some(Cells::ListU8(cells)) = self.0.next() {
            cells.append_opt_slice(values);
        }
    }

    fn list_u32(&mut self, values: &[(u32, u32)]) {
        if let Some(Cells::ListU32(cells)) = self.0.next() {
            let edges: Vec<u32> = values.iter().flat_map(|(left, right)| [*left, *right]).collect();
            cells.append_opt_slice((!edges.is_empty()).then_some(&edges));
        }
    }

    fn nanoseconds(&mut self, value: i64) {
        if let Some(Cells::Nanoseconds(cells, _)) = self.0.next() {
            cells.push(Some(value));
        }
    }
}

impl Builder {
    /// Appends one packet.
    pub fn push(&mut self, frame: &Frame<'_>, segment: &Segment) {
        let source = self.address(segment.source);
        let destination = self.address(segment.destination);
        let columns = self.columns.get_or_insert_with(empty_columns);
        let mut row = Row(columns.iter_mut());
        row.u64(Some(segment.packetid));
        row.text(frame.interface.map(PlSmallStr::from_str));
        row.nanoseconds(segment.abstime);
        row.nanoseconds(frame.reltime);
        row.u32(frame.wire_length);
        row.u32(frame.captured_length);
        row.text(Some(source));
        row.text(Some(destination));
        row.u8(frame.ttl);
        row.u32(frame.ip_length);
        row.u16(frame.ip_id);
        row.u16(Some(segment.source_port));
        row.u16(Some(segment.destination_port));
        row.u16(Some(segment.flags));
        row.u32(Some(segment.sequence));
        row.u32(segment.has(flag::ACK).then_some(segment.acknowledgement));
        row.u32(segment.payload);
        row.u8(frame.header_length);
        row.u16(Some(segment.window));
        row.list_u8((!frame.option_kinds.is_empty()).then_some(frame.option_kinds));
        row.u16(frame.mss);
        row.u8(segment.window_scale);
        row.u32(segment.timestamps.map(|(value, _)| value));
        row.u32(segment.timestamps.map(|(_, echo)| echo));
        row.list_u32(segment.sack.as_slice());
        mptcp(&mut row, segment);
        row.bool(Some(segment.options_cut));
        debug_assert!(row.0.next().is_none(), "a column of the schema was not filled");
        self.rows += 1;
    }

    /// The same few addresses come back in every packet: their text is made once.
    fn address(&mut self, address: IpAddr) -> PlSmallStr {
        self.addresses.entry(address).or_insert_with(|| PlSmallStr::from_string(address.to_string())).clone()
    }

    /// The table: all raw columns of the schema, one row per packet pushed.
    ///
    /// # Errors
    /// When polars refuses the columns.
    pub fn finish(self) -> PolarsResult<DataFrame> {
        let cells = self.columns.unwrap_or_else(empty_columns);
        let columns: PolarsResult<Vec<Column>> =
            schema::packet_columns().zip(cells).map(|(spec, cells)| column(spec.name, cells)).collect();
        DataFrame::new(self.rows, columns?)
    }
}

fn mptcp(row: &mut Row<'_>, segment: &Segment) {
    let control = segment.control.as_deref();
    let capable = control.and_then(|c| c.capable);
    let join = control.and_then(|c| c.join.as_ref());
    let dss = segment.dss;
    let mapping = dss.and_then(|dss| dss.mapping);

    match control {
        Some(control) => row.list_u8(Some(&control.subtypes)),
        None => row.list_u8(dss.map(|_| [subtype::DSS]).as_ref().map(|list| list.as_slice())),
    }
    row.u8(capable.map(|c| c.version));
    row.u8(capable.map(|c| c.flags));
    row.u64(capable.and_then(|c| c.sender_key));
    row.u64(capable.and_then(|c| c.receiver_key));
    let prio = control.and_then(|c| c.prio);
    let (mut token, mut nonce, mut truncated, mut digest) = (None, None, None, None);
    let (mut address_id, mut backup) = (prio.and_then(|p| p.address_id), prio.map(|p| p.backup));
    match join {
        Some(Join::Syn { backup: b, address_id: id, token: t, nonce: n }) => {
            (backup, address_id, token, nonce) = (Some(*b), Some(*id), *t, *n);
        }
        Some(Join::SynAck { backup: b, address_id: id, truncated_hmac: h, nonce: n }) => {
            (backup, address_id, truncated, nonce) = (Some(*b), Some(*id), *h, *n);
        }
        Some(Join::Ack { hmac }) => digest = *hmac,
        None => {}
    }
    row.u32(token);
    row.u32(nonce);
    row.u64(truncated);
    row.text(digest.map(|digest| hexadecimal(&digest)));
    row.u8(address_id);
    row.bool(backup);
    row.u8(dss.map(|dss| dss.flags));
    row.bool(dss.map(|dss| dss.has(Dss::DATA_FIN)));
    row.u64(dss.and_then(|dss| dss.data_ack));
    row.u64(mapping.map(|m| m.dsn));
    row.u32(mapping.map(|m| m.ssn));
    // One packet has either a DSS mapping or the implicit one of MP_CAPABLE: the columns are shared.
    row.u16(mapping.map(|m| m.length).or(capable.and_then(|c| c.data_length)));
    row.u16(mapping.and_then(|m| m.checksum).or(capable.and_then(|c| c.checksum)));
    let add_addr = control.and_then(|c| c.add_addr.as_ref());
    row.text(add_addr.and_then(|a| a.address).map(|a| PlSmallStr::from_string(a.to_string())));
    row.u16(add_addr.and_then(|a| a.port));
    row.u8(add_addr.map(|a| a.address_id));
    row.bool(add_addr.map(|a| a.echo));
    row.u64(add_addr.and_then(|a| a.hmac));
    row.list_u8(control.and_then(|c| c.remove_addr.as_deref()));
    row.u64(control.and_then(|c| c.fail));
    row.u64(control.and_then(|c| c.fastclose));
    let reset = control.and_then(|c| c.reset);
    row.u8(reset.map(|r| r.flags));
    row.u8(reset.and_then(|r| r.reason));
}

fn hexadecimal(octets: &[u8]) -> PlSmallStr {
    PlSmallStr::from_string(octets.iter().map(|octet| format!("{octet:02x}")).collect())
}

fn column(name: &str, cells: Cells) -> PolarsResult<Column> {
    let name = PlSmallStr::from_str(name);
    Ok(match cells {
        Cells::U8(cells) => Column::new(name, cells),
        Cells::U16(cells) => Column::new(name, cells),
        Cells::U32(cells) => Column::new(name, cells),
        Cells::U64(cells) => Column::new(name, cells),
        Cells::Bool(cells) => Column::new(name, cells),
        Cells::Text(cells) => {
            StringChunked::from_iter_options(name, cells.iter().map(|cell| cell.as_ref().map(PlSmallStr::as_str)))
                .into_column()
        }
        Cells::ListU8(mut cells) => cells.finish().into_column(),
        Cells::ListU32(mut cells) => cells.finish().into_column(),
        Cells::Nanoseconds(cells, kind) => {
            let numbers = Int64Chunked::from_iter_options(name, cells.into_iter());
            match kind {
                Kind::Instant => numbers.into_datetime(TimeUnit::Nanoseconds, Some(TimeZone::UTC)).into_column(),
                _ => numbers.into_duration(TimeUnit::Nanoseconds).into_column(),
            }
        }
    })
}
