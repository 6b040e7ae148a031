//! From segments to raw columns.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;

use mptcp_trace::interrupt::interruptible;
use mptcp_trace::packets::Packets;
use mptcp_trace::packets::frames::Frame;
use polars::prelude::*;

use super::numbers::{few_numbers, numbers};
use crate::packets::schema::ColumnSpec;
use mptcp_trace::packets::segment::{Control, Dss, Join, Mapping, Segment, flag, subtype};
use mptcp_trace::units::hexadecimal;
use mptcp_trace::{Instant, Span};

/// The raw columns of some rows.
pub struct RawColumns<'a> {
    packets: &'a Packets,
    rows: Range<usize>,
    /// Those of the rows whose packets have MPTCP options other than DSS, from 0: few, which many columns are about.
    controls: OnceCell<Vec<usize>>,
    /// The frames around the packets, where there are few rows.
    frames: OnceCell<Vec<Frame<'a>>>,
}

/// The frames of no more rows are kept while columns are made.
const FRAMES: usize = 1 << 17;

impl<'a> RawColumns<'a> {
    /// Columns of these rows.
    pub fn of(packets: &'a Packets, rows: Range<usize>) -> Self {
        let end = rows.end.min(packets.height());
        RawColumns { packets, rows: rows.start.min(end)..end, controls: OnceCell::new(), frames: OnceCell::new() }
    }

    /// Makes a column; after Ctrl-C it is shorter than its rows.
    ///
    /// # Errors
    /// When there is no such column, or polars refuses it.
    pub fn column(&self, spec: &ColumnSpec) -> PolarsResult<Column> {
        let make = Make { name: PlSmallStr::from_static(spec.name), of: self };
        let ends = |segment: &Segment| self.packets.segments.ends(segment);
        let column = match spec.name {
            "packetid" => make.u64(|s| Some(s.packetid())),
            "interface" => make.framed_text(|f| f.interface),
            "abstime" => make.instants(|s| s.abstime),
            "reltime" => make.spans(|s| s.abstime - self.packets.origin),
            "framelen" => make.framed_u32(|f| f.wire_length),
            "caplen" => make.framed_u32(|f| f.captured_length),
            "ipsrc" => make.addresses(|s| ends(s).source.address),
            "ipdst" => make.addresses(|s| ends(s).destination.address),
            "ttl" => make.framed_u8(|f| f.ttl),
            "iplen" => make.framed_u32(|f| f.ip_length),
            "ipid" => make.framed_u16(|f| f.ip_id),
            "sport" => make.u16(|s| Some(ends(s).source.port)),
            "dport" => make.u16(|s| Some(ends(s).destination.port)),
            "tcpflags" => make.u16(|s| Some(s.flags())),
            "tcpseq_raw" => make.u32(|s| Some(s.sequence)),
            "tcpack_raw" => make.u32(|s| s.has(flag::ACK).then_some(s.acknowledgement)),
            "tcplen" => make.u32(|s| s.payload()),
            "tcphdrlen" => make.framed_u8(|f| f.header_length),
            "rwnd_raw" => make.u16(|s| Some(s.window)),
            "tcpoptions" => make.option_kinds(),
            "tcpmss" => make.framed_u16(|f| f.mss),
            "wscale" => make.u8(|s| s.window_scale()),
            "tcptsval" => make.u32(|s| s.timestamps().map(|(value, _)| value)),
            "tcptsecr" => make.u32(|s| s.timestamps().map(|(_, echo)| echo)),
            "sack" => make.sack(),
            "subtype" => make.subtypes(),
            "mptcpversion" => make.few_u8(|c| Some(c.capable?.version)),
            "capable_flags" => make.few_u8(|c| Some(c.capable?.flags)),
            "sendkey" => make.few_u64(|c| c.capable?.sender_key),
            "recvkey" => make.few_u64(|c| c.capable?.receiver_key),
            "recvtok" => make.few_u32(|c| match c.join.as_ref()? {
                Join::Syn { token, .. } => *token,
                _ => None,
            }),
            "sendnonce" => make.few_u32(|c| match c.join.as_ref()? {
                Join::Syn { nonce, .. } | Join::SynAck { nonce, .. } => *nonce,
                Join::Ack { .. } => None,
            }),
            "sendtrunchmac" => make.few_u64(|c| match c.join.as_ref()? {
                Join::SynAck { truncated_hmac, .. } => *truncated_hmac,
                _ => None,
            }),
            "sendhmac" => make.few_texts(|c| match c.join.as_ref()? {
                Join::Ack { hmac } => hmac.as_ref().map(|bytes| format!("0x{}", hexadecimal(bytes))),
                _ => None,
            }),
            "addrid" => make.few_u8(address_id),
            "backup" => make.few_bool(backup),
            "dss_flags" => make.u8(|s| s.dss().map(|dss| dss.flags)),
            "datafin" => make.bool(|s| s.dss().map(|dss| dss.has(Dss::DATA_FIN))),
            "dss_rawack" => make.u64(|s| s.dss()?.data_ack),
            "dss_dsn" => make.u64(|s| mapping(s).map(|m| m.dsn)),
            "dss_ssn" => make.u32(|s| mapping(s).map(|m| m.ssn)),
            // One packet has either a DSS mapping or the implicit one of MP_CAPABLE: the columns are shared.
            "dss_length" => make.u16(|s| mapping(s).map(|m| m.length).or(s.capable().and_then(|c| c.data_length))),
            "checksum" => make.u16(|s| mapping(s).and_then(|m| m.checksum).or(s.capable().and_then(|c| c.checksum))),
            "addaddr_ip" => make.few_texts(|c| Some(c.add_addr.as_ref()?.address?.to_string())),
            "addaddr_port" => make.few_u16(|c| c.add_addr.as_ref()?.port),
            "addaddr_id" => make.few_u8(|c| Some(c.add_addr.as_ref()?.address_id)),
            "addaddr_echo" => make.few_bool(|c| Some(c.add_addr.as_ref()?.echo)),
            "addaddr_hmac" => make.few_u64(|c| c.add_addr.as_ref()?.hmac),
            "rmaddr_ids" => make.few_lists(|c| c.remove_addr.as_deref()),
            "fail_dsn" => make.few_u64(|c| c.fail),
            "fastclose_key" => make.few_u64(|c| c.fastclose),
            "rst_flags" => make.few_u8(|c| Some(c.reset?.flags)),
            "rst_reason" => make.few_u8(|c| c.reset?.reason),
            "options_cut" => make.bool(|s| Some(s.options_cut())),
            "malformed_subtype" => make.u8(|s| s.malformed()?.subtype),
            "malformed_length" => make.u8(|s| Some(s.malformed()?.length)),
            other => polars_bail!(ColumnNotFound: "no raw column `{other}`"),
        };
        Ok(column)
    }

    fn height(&self) -> usize {
        self.rows.len()
    }

    /// All, or those before Ctrl-C: the column is then thrown away.
    fn segments(&self) -> impl Iterator<Item = &'a Segment> + use<'a> {
        interruptible(self.packets.segments.get(self.rows.clone()).unwrap_or(&[]))
    }

    /// As [`RawColumns::segments`].
    fn frames(&self) -> impl Iterator<Item = Frame<'a>> {
        let packets = self.packets;
        let (kept, left) = if self.rows.len() <= FRAMES {
            let kept = || interruptible(self.rows.clone()).map(|row| packets.frames.get(row)).collect();
            (self.frames.get_or_init(kept).as_slice(), 0..0)
        } else {
            (&[][..], self.rows.clone())
        };
        kept.iter().copied().chain(interruptible(left).map(|row| packets.frames.get(row)))
    }

    /// The values of rows with MPTCP options other than DSS, where there is one.
    fn few<T>(&self, value: impl Fn(&Control) -> Option<T>) -> impl Iterator<Item = (usize, T)> {
        self.controls().filter_map(move |(row, control)| Some((row, value(control)?)))
    }

    /// The rows with MPTCP options other than DSS, and these options.
    fn controls(&self) -> impl Iterator<Item = (usize, &'a Control)> {
        let rows = self.controls.get_or_init(|| {
            let all = self.segments().enumerate();
            all.filter_map(|(row, segment)| segment.control().is_some().then_some(row)).collect()
        });
        let (packets, first) = (self.packets, self.rows.start);
        interruptible(rows).filter_map(move |row| Some((*row, control(packets.segments.get(first + *row)?)?)))
    }
}

fn control(segment: &Segment) -> Option<&Control> {
    segment.control()
}

fn mapping(segment: &Segment) -> Option<Mapping> {
    segment.mapping()
}

/// Of MP_JOIN, or else of MP_PRIO.
fn address_id(control: &Control) -> Option<u8> {
    match &control.join {
        Some(Join::Syn { address_id, .. } | Join::SynAck { address_id, .. }) => Some(*address_id),
        _ => control.prio?.address_id,
    }
}

/// Of MP_JOIN, or else of MP_PRIO.
fn backup(control: &Control) -> Option<bool> {
    match &control.join {
        Some(Join::Syn { backup, .. } | Join::SynAck { backup, .. }) => Some(*backup),
        _ => control.prio.map(|prio| prio.backup),
    }
}

/// Makes a column from a function of a segment, of a frame, or of the options that few packets have.
struct Make<'r, 'a> {
    name: PlSmallStr,
    of: &'r RawColumns<'a>,
}

/// Columns of numbers.
macro_rules! of_numbers {
    ($($of_segment:ident, $of_frame:ident, $of_control:ident: $number:ident, $type:ty;)*) => {
        $(
            #[allow(dead_code)] // Not every type occurs everywhere.
            fn $of_segment(self, value: impl Fn(&Segment) -> Option<$type>) -> Column {
                numbers::<$number>(self.name, self.of.height(), self.of.segments().map(value)).into_column()
            }

            #[allow(dead_code)]
            fn $of_frame(self, value: impl Fn(Frame<'_>) -> Option<$type>) -> Column {
                numbers::<$number>(self.name, self.of.height(), self.of.frames().map(value)).into_column()
            }

            #[allow(dead_code)]
            fn $of_control(self, value: impl Fn(&Control) -> Option<$type>) -> Column {
                let mut few = self.of.few(value).peekable();
                if few.peek().is_none() {
                    return self.none(&<$number>::get_static_dtype());
                }
                few_numbers::<$number>(self.name, self.of.height(), few).into_column()
            }
        )*
    };
}

impl<'a> Make<'_, 'a> {
    of_numbers! {
        u8, framed_u8, few_u8: UInt8Type, u8;
        u16, framed_u16, few_u16: UInt16Type, u16;
        u32, framed_u32, few_u32: UInt32Type, u32;
        u64, framed_u64, few_u64: UInt64Type, u64;
    }

    fn bool(self, value: impl Fn(&Segment) -> Option<bool>) -> Column {
        let values = self.of.segments().map(value);
        BooleanChunked::from_iter_options(self.name, values).into_column()
    }

    /// A column without any value, which takes no room.
    fn none(&self, kind: &DataType) -> Column {
        Column::full_null(self.name.clone(), self.of.height(), kind)
    }

    fn few_bool(self, value: impl Fn(&Control) -> Option<bool>) -> Column {
        let mut few = self.of.few(value).peekable();
        if few.peek().is_none() {
            return self.none(&DataType::Boolean);
        }
        let values = spread(self.of.height(), few);
        BooleanChunked::from_iter_options(self.name, values).into_column()
    }

    fn instants(self, value: impl Fn(&Segment) -> Instant) -> Column {
        let numbers = self.nanoseconds(|segment| value(segment).nanoseconds());
        numbers.into_datetime(TimeUnit::Nanoseconds, Some(TimeZone::UTC)).into_column()
    }

    fn spans(self, value: impl Fn(&Segment) -> Span) -> Column {
        let numbers = self.nanoseconds(|segment| value(segment).nanoseconds());
        numbers.into_duration(TimeUnit::Nanoseconds).into_column()
    }

    fn nanoseconds(self, value: impl Fn(&Segment) -> i64) -> Int64Chunked {
        let values = self.of.segments().map(|segment| Some(value(segment)));
        numbers(self.name, self.of.height(), values)
    }

    fn few_texts(self, value: impl Fn(&Control) -> Option<String>) -> Column {
        let mut few = self.of.few(value).peekable();
        if few.peek().is_none() {
            return self.none(&DataType::String);
        }
        let values = spread(self.of.height(), few);
        StringChunked::from_iter_options(self.name, values).into_column()
    }

    fn framed_text(self, value: impl Fn(Frame<'a>) -> Option<&'a str>) -> Column {
        let values = self.of.frames().map(value);
        StringChunked::from_iter_options(self.name, values).into_column()
    }

    /// The same few addresses come back in every packet, mostly the two of the packets before: their text is made once.
    fn addresses(self, value: impl Fn(&Segment) -> IpAddr) -> Column {
        let mut known: HashMap<IpAddr, PlSmallStr> = HashMap::new();
        let mut last: [Option<(IpAddr, PlSmallStr)>; 2] = [None, None];
        let mut builder = StringChunkedBuilder::new(self.name.clone(), self.of.height());
        for address in self.of.segments().map(value) {
            if let Some((_, text)) = last.iter().flatten().find(|(known, _)| *known == address) {
                builder.append_value(text);
                continue;
            }
            let text = known.entry(address).or_insert_with(|| PlSmallStr::from_string(address.to_string())).clone();
            builder.append_value(&text);
            last.swap(0, 1);
            last[0] = Some((address, text));
        }
        builder.finish().into_column()
    }

    fn option_kinds(self) -> Column {
        let mut builder = self.list_builder::<UInt8Type>(DataType::UInt8);
        for frame in self.of.frames() {
            let kinds = frame.option_kinds;
            builder.append_opt_slice((!kinds.is_empty()).then_some(kinds));
        }
        builder.finish().into_column()
    }

    fn sack(self) -> Column {
        let mut builder = self.list_builder::<UInt32Type>(DataType::UInt32);
        let mut edges: Vec<u32> = Vec::new();
        for segment in self.of.segments() {
            edges.clear();
            edges.extend(segment.sack().iter().flat_map(|(left, right)| [*left, *right]));
            builder.append_opt_slice((!edges.is_empty()).then_some(&edges));
        }
        builder.finish().into_column()
    }

    fn subtypes(self) -> Column {
        let mut builder = self.list_builder::<UInt8Type>(DataType::UInt8);
        for segment in self.of.segments() {
            builder.append_opt_slice(match control(segment) {
                Some(control) => Some(&control.subtypes),
                None => segment.dss().is_some().then_some(&[subtype::DSS]),
            });
        }
        builder.finish().into_column()
    }

    fn few_lists(self, value: impl Fn(&Control) -> Option<&[u8]>) -> Column {
        let mut found = self.of.controls().filter_map(|(row, control)| Some((row, value(control)?))).peekable();
        if found.peek().is_none() {
            return self.none(&DataType::List(Box::new(DataType::UInt8)));
        }
        let mut builder = self.list_builder::<UInt8Type>(DataType::UInt8);
        for row in 0..self.of.height() {
            builder.append_opt_slice(found.next_if(|(of, _)| *of == row).map(|(_, list)| list));
        }
        builder.finish().into_column()
    }

    fn list_builder<T: PolarsNumericType>(&self, inner: DataType) -> ListPrimitiveChunkedBuilder<T> {
        ListPrimitiveChunkedBuilder::new(self.name.clone(), self.of.height(), 0, inner)
    }
}

/// A cell for every row from cells of some, in order.
fn spread<T>(height: usize, few: impl Iterator<Item = (usize, T)>) -> impl Iterator<Item = Option<T>> {
    let mut few = few.peekable();
    (0..height).map(move |row| few.next_if(|(of, _)| *of == row).map(|(_, value)| value))
}
