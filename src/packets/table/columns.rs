//! From segments to one raw column.

use std::collections::HashMap;
use std::net::IpAddr;

use mptcp_trace::interrupt::interruptible;
use mptcp_trace::packets::Packets;
use mptcp_trace::packets::frames::Frame;
use polars::prelude::*;

use crate::packets::schema::ColumnSpec;
use mptcp_trace::packets::segment::{Control, Dss, Join, Mapping, Segment, flag, subtype};
use mptcp_trace::units::hexadecimal;
use mptcp_trace::{Instant, Span};

/// Makes the raw column of that name; after Ctrl-C it is shorter than the capture.
///
/// # Errors
/// When there is no such column, or polars refuses it.
pub fn column(spec: &ColumnSpec, packets: &Packets) -> PolarsResult<Column> {
    let make = Make { name: PlSmallStr::from_static(spec.name), packets };
    let column = match spec.name {
        "packetid" => make.u64(|s| Some(s.packetid)),
        "interface" => make.framed_text(|f| f.interface),
        "abstime" => make.instants(|s| s.abstime),
        "reltime" => make.spans(|s| s.abstime - packets.origin),
        "framelen" => make.framed_u32(|f| f.wire_length),
        "caplen" => make.framed_u32(|f| f.captured_length),
        "ipsrc" => make.addresses(|s| Some(s.source)),
        "ipdst" => make.addresses(|s| Some(s.destination)),
        "ttl" => make.framed_u8(|f| f.ttl),
        "iplen" => make.framed_u32(|f| f.ip_length),
        "ipid" => make.framed_u16(|f| f.ip_id),
        "sport" => make.u16(|s| Some(s.source_port)),
        "dport" => make.u16(|s| Some(s.destination_port)),
        "tcpflags" => make.u16(|s| Some(s.flags)),
        "tcpseq_raw" => make.u32(|s| Some(s.sequence)),
        "tcpack_raw" => make.u32(|s| s.has(flag::ACK).then_some(s.acknowledgement)),
        "tcplen" => make.u32(|s| s.payload),
        "tcphdrlen" => make.framed_u8(|f| f.header_length),
        "rwnd_raw" => make.u16(|s| Some(s.window)),
        "tcpoptions" => make.option_kinds(),
        "tcpmss" => make.framed_u16(|f| f.mss),
        "wscale" => make.u8(|s| s.window_scale),
        "tcptsval" => make.u32(|s| s.timestamps.map(|(value, _)| value)),
        "tcptsecr" => make.u32(|s| s.timestamps.map(|(_, echo)| echo)),
        "sack" => make.sack(),
        "subtype" => make.subtypes(),
        "mptcpversion" => make.u8(|s| s.capable().map(|c| c.version)),
        "capable_flags" => make.u8(|s| s.capable().map(|c| c.flags)),
        "sendkey" => make.u64(|s| s.capable()?.sender_key),
        "recvkey" => make.u64(|s| s.capable()?.receiver_key),
        "recvtok" => make.u32(|s| match s.join()? {
            Join::Syn { token, .. } => *token,
            _ => None,
        }),
        "sendnonce" => make.u32(|s| match s.join()? {
            Join::Syn { nonce, .. } | Join::SynAck { nonce, .. } => *nonce,
            Join::Ack { .. } => None,
        }),
        "sendtrunchmac" => make.u64(|s| match s.join()? {
            Join::SynAck { truncated_hmac, .. } => *truncated_hmac,
            _ => None,
        }),
        "sendhmac" => make.texts(|s| match s.join()? {
            Join::Ack { hmac } => hmac.as_ref().map(|bytes| hexadecimal(bytes)),
            _ => None,
        }),
        "addrid" => make.u8(address_id),
        "backup" => make.bool(backup),
        "dss_flags" => make.u8(|s| s.dss.map(|dss| dss.flags)),
        "datafin" => make.bool(|s| s.dss.map(|dss| dss.has(Dss::DATA_FIN))),
        "dss_rawack" => make.u64(|s| s.dss?.data_ack),
        "dss_dsn" => make.u64(|s| mapping(s).map(|m| m.dsn)),
        "dss_ssn" => make.u32(|s| mapping(s).map(|m| m.ssn)),
        // One packet has either a DSS mapping or the implicit one of MP_CAPABLE: the columns are shared.
        "dss_length" => make.u16(|s| mapping(s).map(|m| m.length).or(s.capable().and_then(|c| c.data_length))),
        "checksum" => make.u16(|s| mapping(s).and_then(|m| m.checksum).or(s.capable().and_then(|c| c.checksum))),
        "addaddr_ip" => make.addresses(|s| control(s)?.add_addr.as_ref()?.address),
        "addaddr_port" => make.u16(|s| control(s)?.add_addr.as_ref()?.port),
        "addaddr_id" => make.u8(|s| Some(control(s)?.add_addr.as_ref()?.address_id)),
        "addaddr_echo" => make.bool(|s| Some(control(s)?.add_addr.as_ref()?.echo)),
        "addaddr_hmac" => make.u64(|s| control(s)?.add_addr.as_ref()?.hmac),
        "rmaddr_ids" => make.lists_u8(|s| control(s)?.remove_addr.as_deref()),
        "fail_dsn" => make.u64(|s| control(s)?.fail),
        "fastclose_key" => make.u64(|s| control(s)?.fastclose),
        "rst_flags" => make.u8(|s| Some(control(s)?.reset?.flags)),
        "rst_reason" => make.u8(|s| control(s)?.reset?.reason),
        "options_cut" => make.bool(|s| Some(s.options_cut)),
        "malformed_subtype" => make.u8(|s| s.malformed?.subtype),
        "malformed_length" => make.u8(|s| Some(s.malformed?.length)),
        other => polars_bail!(ColumnNotFound: "no raw column `{other}`"),
    };
    Ok(column)
}

fn control(segment: &Segment) -> Option<&Control> {
    segment.control.as_deref()
}

fn mapping(segment: &Segment) -> Option<Mapping> {
    segment.dss?.mapping
}

/// Of MP_JOIN, or else of MP_PRIO.
fn address_id(segment: &Segment) -> Option<u8> {
    match segment.join() {
        Some(Join::Syn { address_id, .. } | Join::SynAck { address_id, .. }) => Some(*address_id),
        _ => control(segment)?.prio?.address_id,
    }
}

/// Of MP_JOIN, or else of MP_PRIO.
fn backup(segment: &Segment) -> Option<bool> {
    match segment.join() {
        Some(Join::Syn { backup, .. } | Join::SynAck { backup, .. }) => Some(*backup),
        _ => control(segment)?.prio.map(|prio| prio.backup),
    }
}

/// Makes a column from a function of a segment, or of a frame.
struct Make<'a> {
    name: PlSmallStr,
    packets: &'a Packets,
}

/// Columns of numbers.
macro_rules! numbers {
    ($($of_segment:ident, $of_frame:ident: $chunked:ident, $type:ty;)*) => {
        $(
            #[allow(dead_code)] // Not every type occurs on both sides.
            fn $of_segment(self, value: impl Fn(&Segment) -> Option<$type>) -> Column {
                let values = self.segments().map(value);
                $chunked::from_iter_options(self.name, values).into_column()
            }

            #[allow(dead_code)]
            fn $of_frame(self, value: impl Fn(Frame<'_>) -> Option<$type>) -> Column {
                let values = self.frames().map(value);
                $chunked::from_iter_options(self.name, values).into_column()
            }
        )*
    };
}

impl<'a> Make<'a> {
    numbers! {
        u8, framed_u8: UInt8Chunked, u8;
        u16, framed_u16: UInt16Chunked, u16;
        u32, framed_u32: UInt32Chunked, u32;
        u64, framed_u64: UInt64Chunked, u64;
    }

    /// All, or those before Ctrl-C: the column is then thrown away.
    fn segments(&self) -> impl Iterator<Item = &'a Segment> + use<'a> {
        interruptible(&self.packets.segments)
    }

    /// As [`Make::segments`].
    fn frames(&self) -> impl Iterator<Item = Frame<'a>> + use<'a> {
        let packets = self.packets;
        interruptible(0..packets.segments.len()).map(|row| packets.frames.get(row))
    }

    fn bool(self, value: impl Fn(&Segment) -> Option<bool>) -> Column {
        let values = self.segments().map(value);
        BooleanChunked::from_iter_options(self.name, values).into_column()
    }

    fn instants(self, value: impl Fn(&Segment) -> Instant) -> Column {
        let values = self.segments().map(|segment| Some(value(segment).nanoseconds()));
        let numbers = Int64Chunked::from_iter_options(self.name, values);
        numbers.into_datetime(TimeUnit::Nanoseconds, Some(TimeZone::UTC)).into_column()
    }

    fn spans(self, value: impl Fn(&Segment) -> Span) -> Column {
        let values = self.segments().map(|segment| Some(value(segment).nanoseconds()));
        Int64Chunked::from_iter_options(self.name, values).into_duration(TimeUnit::Nanoseconds).into_column()
    }

    fn texts(self, value: impl Fn(&Segment) -> Option<String>) -> Column {
        let values = self.segments().map(value);
        StringChunked::from_iter_options(self.name, values).into_column()
    }

    fn framed_text(self, value: impl Fn(Frame<'a>) -> Option<&'a str>) -> Column {
        let values = self.frames().map(value);
        StringChunked::from_iter_options(self.name, values).into_column()
    }

    /// The same few addresses come back in every packet: their text is made once.
    fn addresses(self, value: impl Fn(&Segment) -> Option<IpAddr>) -> Column {
        let mut known: HashMap<IpAddr, PlSmallStr> = HashMap::new();
        let mut builder = StringChunkedBuilder::new(self.name.clone(), self.packets.segments.len());
        for segment in self.segments() {
            match value(segment) {
                Some(address) => builder
                    .append_value(known.entry(address).or_insert_with(|| PlSmallStr::from_string(address.to_string()))),
                None => builder.append_null(),
            }
        }
        builder.finish().into_column()
    }

    fn option_kinds(self) -> Column {
        let mut builder = self.list_builder::<UInt8Type>(DataType::UInt8);
        for frame in self.frames() {
            let kinds = frame.option_kinds;
            builder.append_opt_slice((!kinds.is_empty()).then_some(kinds));
        }
        builder.finish().into_column()
    }

    fn sack(self) -> Column {
        let mut builder = self.list_builder::<UInt32Type>(DataType::UInt32);
        let mut edges: Vec<u32> = Vec::new();
        for segment in self.segments() {
            edges.clear();
            edges.extend(segment.sack.as_slice().iter().flat_map(|(left, right)| [*left, *right]));
            builder.append_opt_slice((!edges.is_empty()).then_some(&edges));
        }
        builder.finish().into_column()
    }

    fn subtypes(self) -> Column {
        self.lists_u8(|segment| match control(segment) {
            Some(control) => Some(&control.subtypes),
            None => segment.dss.is_some().then_some(&[subtype::DSS]),
        })
    }

    fn lists_u8(self, value: impl Fn(&Segment) -> Option<&[u8]>) -> Column {
        let mut builder = self.list_builder::<UInt8Type>(DataType::UInt8);
        for segment in self.segments() {
            builder.append_opt_slice(value(segment));
        }
        builder.finish().into_column()
    }

    fn list_builder<T: PolarsNumericType>(&self, inner: DataType) -> ListPrimitiveChunkedBuilder<T> {
        ListPrimitiveChunkedBuilder::new(self.name.clone(), self.packets.segments.len(), 0, inner)
    }
}
