//! THE list of columns of the packet table: short name, type, unit, Wireshark field, source.
//!
//! The raw columns ([`Origin::Packet`]) say what is in one packet and are filled by a dissector; the tracked ones
//! ([`Origin::Tracking`]) say what it means and are worked out by [`mptcp_trace::tracking`]. A cell that does not apply is
//! null, never 0 or -1. Keys and data sequence numbers are u64 from end to end.

use polars::prelude::{DataType, TimeUnit, TimeZone};

/// Raised whenever a raw column or its meaning changes, so that cached and exported tables of another shape are
/// rebuilt or refused instead of misread. Tracked columns do not count: they are worked out again whenever a capture
/// or a table is loaded, never read back.
pub const VERSION: u32 = 7;

/// The type of a column, as polars stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Unsigned, 8 bits.
    U8,
    /// Unsigned, 16 bits.
    U16,
    /// Unsigned, 32 bits.
    U32,
    /// Unsigned, 64 bits.
    U64,
    /// True or false.
    Bool,
    /// UTF-8 text.
    Text,
    /// A list of unsigned 8-bit numbers.
    ListU8,
    /// A list of unsigned 32-bit numbers.
    ListU32,
    /// A list of packet ids.
    ListU64,
    /// An instant, nanoseconds since 1970-01-01 UTC.
    Instant,
    /// A time span in nanoseconds.
    Span,
}

impl ColumnType {
    /// The polars data type.
    #[must_use]
    pub fn data_type(self) -> DataType {
        match self {
            ColumnType::U8 => DataType::UInt8,
            ColumnType::U16 => DataType::UInt16,
            ColumnType::U32 => DataType::UInt32,
            ColumnType::U64 => DataType::UInt64,
            ColumnType::Bool => DataType::Boolean,
            ColumnType::Text => DataType::String,
            ColumnType::ListU8 => DataType::List(Box::new(DataType::UInt8)),
            ColumnType::ListU32 => DataType::List(Box::new(DataType::UInt32)),
            ColumnType::ListU64 => DataType::List(Box::new(DataType::UInt64)),
            ColumnType::Instant => DataType::Datetime(TimeUnit::Nanoseconds, Some(TimeZone::UTC)),
            ColumnType::Span => DataType::Duration(TimeUnit::Nanoseconds),
        }
    }

    /// The name that `columns` and the reference print.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ColumnType::U8 => "u8",
            ColumnType::U16 => "u16",
            ColumnType::U32 => "u32",
            ColumnType::U64 => "u64",
            ColumnType::Bool => "bool",
            ColumnType::Text => "str",
            ColumnType::ListU8 => "list[u8]",
            ColumnType::ListU32 => "list[u32]",
            ColumnType::ListU64 => "list[u64]",
            ColumnType::Instant => "datetime[ns, UTC]",
            ColumnType::Span => "duration[ns]",
        }
    }
}

/// Source of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A dissector, from one packet alone.
    Packet,
    /// Tracking, from the packets together.
    Tracking,
}

/// One column of the packet table.
#[derive(Debug, Clone, Copy)]
pub struct ColumnSpec {
    /// Short name, as typed and as exported.
    pub name: &'static str,
    /// Type.
    pub kind: ColumnType,
    /// Unit, or empty where there is none.
    pub unit: &'static str,
    /// The Wireshark fields that the tshark dissector asks for to fill it; empty for tracked columns.
    pub fields: &'static [&'static str],
    /// Where the meaning is defined, or empty.
    pub source: &'static str,
    /// Part of the content that a path does not change, by which packets of two captures are matched.
    pub hashed: bool,
    /// Its source.
    pub origin: Origin,
    /// Printed as `0x` and lower-case hexadecimal: keys, tokens, raw 64-bit data sequence numbers.
    pub hexadecimal: bool,
    /// Names something and counts nothing (keys, tokens, random numbers, HMACs): text in every file, so that tables join.
    pub identifier: bool,
    /// One phrase.
    pub about: &'static str,
}

const fn raw(name: &'static str, kind: ColumnType, fields: &'static [&'static str], about: &'static str) -> ColumnSpec {
    ColumnSpec {
        name,
        kind,
        unit: "",
        fields,
        source: "",
        hashed: false,
        origin: Origin::Packet,
        hexadecimal: false,
        identifier: false,
        about,
    }
}

const fn tracked(name: &'static str, kind: ColumnType, about: &'static str) -> ColumnSpec {
    ColumnSpec { origin: Origin::Tracking, ..raw(name, kind, &[], about) }
}

impl ColumnSpec {
    const fn unit(self, unit: &'static str) -> Self {
        ColumnSpec { unit, ..self }
    }
    const fn source(self, source: &'static str) -> Self {
        ColumnSpec { source, ..self }
    }
    const fn hashed(self) -> Self {
        ColumnSpec { hashed: true, ..self }
    }
    const fn hexadecimal(self) -> Self {
        ColumnSpec { hexadecimal: true, ..self }
    }
    const fn identifier(self) -> Self {
        ColumnSpec { hexadecimal: !matches!(self.kind, ColumnType::Text), identifier: true, ..self }
    }
}

/// The unit of sequence numbers: they number bytes, and no amount is in them.
const NUMBER: &str = "byte number";
const SUBTYPE: &str = "tcp.options.mptcp.subtype";
const FLAGS: &str = "tcp.options.mptcp.flags";
const ADDRESS_ID: &str = "tcp.options.mptcp.addrid";

/// Every column, in table order.
pub const COLUMNS: &[ColumnSpec] = &[
    // The frame.
    raw("packetid", ColumnType::U64, &["frame.number"], "frame number in the file, from 1"),
    raw(
        "interface",
        ColumnType::Text,
        &["frame.interface_name", "frame.interface_id", "sll.ifindex"],
        "recording interface; its index if a cooked capture (version 2) has no name",
    ),
    raw("abstime", ColumnType::Instant, &["frame.time_epoch"], "time of recording").unit("UTC"),
    raw("reltime", ColumnType::Span, &["frame.time_epoch"], "time since the first frame of the file").unit("s"),
    raw("framelen", ColumnType::U32, &["frame.len"], "length on the wire").unit("B"),
    raw("caplen", ColumnType::U32, &["frame.cap_len"], "recorded length; less than framelen if cut").unit("B"),
    // IP.
    raw("ipsrc", ColumnType::Text, &["ip.src", "ipv6.src"], "source address, IPv4 or IPv6"),
    raw("ipdst", ColumnType::Text, &["ip.dst", "ipv6.dst"], "destination address, IPv4 or IPv6"),
    raw("ttl", ColumnType::U8, &["ip.ttl", "ipv6.hlim"], "time to live, or hop limit").unit("hops"),
    raw("iplen", ColumnType::U32, &["ip.len", "ipv6.plen"], "IP total length, or IPv6 payload length").unit("B"),
    raw("ipid", ColumnType::U16, &["ip.id"], "IPv4 identification; IPv6 has none").source("RFC 791 §3.1"),
    // TCP.
    raw("sport", ColumnType::U16, &["tcp.srcport"], "source port").source("RFC 9293 §3.1"),
    raw("dport", ColumnType::U16, &["tcp.dstport"], "destination port").source("RFC 9293 §3.1"),
    raw("tcpflags", ColumnType::U16, &["tcp.flags"], "flags, FIN is the lowest bit").source("RFC 9293 §3.1").hashed(),
    raw("tcpseq_raw", ColumnType::U32, &["tcp.seq_raw"], "sequence number as sent")
        .unit(NUMBER)
        .source("RFC 9293 §3.1"),
    raw("tcpack_raw", ColumnType::U32, &["tcp.ack_raw"], "acknowledgement number as sent; null without ACK")
        .unit(NUMBER)
        .source("RFC 9293 §3.1"),
    raw("tcplen", ColumnType::U32, &["tcp.len"], "payload length; null if unknown from the packet").unit("B").hashed(),
    raw("tcphdrlen", ColumnType::U8, &["tcp.hdr_len"], "TCP header length").unit("B"),
    raw("rwnd_raw", ColumnType::U16, &["tcp.window_size_value"], "window field, not scaled")
        .unit("2^wscale B")
        .source("RFC 9293 §3.1"),
    raw("tcpoptions", ColumnType::ListU8, &["tcp.option_kind"], "kinds of the TCP options, in order"),
    raw("tcpmss", ColumnType::U16, &["tcp.options.mss_val"], "maximum segment size option")
        .unit("B")
        .source("RFC 9293 §3.7.1"),
    raw("wscale", ColumnType::U8, &["tcp.options.wscale.shift"], "window scale option")
        .unit("bits")
        .source("RFC 7323 §2"),
    raw("tcptsval", ColumnType::U32, &["tcp.options.timestamp.tsval"], "timestamp option, value")
        .unit("ticks")
        .source("RFC 7323 §3")
        .hashed(),
    raw("tcptsecr", ColumnType::U32, &["tcp.options.timestamp.tsecr"], "timestamp option, echo")
        .unit("ticks")
        .source("RFC 7323 §3")
        .hashed(),
    raw(
        "sack",
        ColumnType::ListU32,
        &["tcp.options.sack_le", "tcp.options.sack_re"],
        "edges of the SACK blocks as sent: left, right, left, …",
    )
    .unit(NUMBER)
    .source("RFC 2018 §3"),
    // MPTCP options.
    raw("subtype", ColumnType::ListU8, &[SUBTYPE, "tcp.option_len"], "MPTCP option subtypes, in order")
        .source("RFC 8684 §8")
        .hashed(),
    raw("mptcpversion", ColumnType::U8, &["tcp.options.mptcp.version", SUBTYPE], "version in MP_CAPABLE")
        .source("RFC 8684 §3.1"),
    raw("capable_flags", ColumnType::U8, &[FLAGS, SUBTYPE], "flags of MP_CAPABLE: 0x80 checksum, 0x20 no joins here")
        .source("RFC 8684 §3.1")
        .hashed(),
    raw("sendkey", ColumnType::U64, &["tcp.options.mptcp.sendkey"], "key of the packet's sender")
        .source("RFC 8684 §3.1")
        .hashed()
        .identifier(),
    raw("recvkey", ColumnType::U64, &["tcp.options.mptcp.recvkey"], "key of the packet's receiver, in MP_CAPABLE")
        .source("RFC 8684 §3.1")
        .hashed()
        .identifier(),
    raw("recvtok", ColumnType::U32, &["tcp.options.mptcp.recvtok"], "token of the connection that MP_JOIN joins")
        .source("RFC 8684 §3.2")
        .hashed()
        .identifier(),
    raw("sendnonce", ColumnType::U32, &["tcp.options.mptcp.sendrand"], "random number in MP_JOIN")
        .source("RFC 8684 §3.2")
        .hashed()
        .identifier(),
    raw(
        "sendtrunchmac",
        ColumnType::U64,
        &["tcp.options.mptcp.sendtrunchmac"],
        "truncated HMAC in the MP_JOIN SYN/ACK",
    )
    .source("RFC 8684 §3.2")
    .hashed()
    .identifier(),
    raw("sendhmac", ColumnType::Text, &["tcp.options.mptcp.sendhmac"], "HMAC in the MP_JOIN ACK")
        .source("RFC 8684 §3.2")
        .hashed()
        .identifier(),
    raw("addrid", ColumnType::U8, &[ADDRESS_ID, SUBTYPE], "address id in MP_JOIN or MP_PRIO").source("RFC 8684 §3.2"),
    raw("backup", ColumnType::Bool, &["tcp.options.mptcp.backup.flag", FLAGS], "backup flag of MP_JOIN or MP_PRIO")
        .source("RFC 8684 §3.3.8")
        .hashed(),
    raw("dss_flags", ColumnType::U8, &[FLAGS, SUBTYPE], "flags of DSS: 1 A, 2 a, 4 M, 8 m, 16 F")
        .source("RFC 8684 §3.3")
        .hashed(),
    raw("datafin", ColumnType::Bool, &[FLAGS, SUBTYPE], "DATA_FIN flag of DSS").source("RFC 8684 §3.3.3"),
    raw("dss_rawack", ColumnType::U64, &["tcp.options.mptcp.rawdataack"], "DATA_ACK as sent, 32 or 64 bits")
        .unit(NUMBER)
        .source("RFC 8684 §3.3.2")
        .hashed()
        .hexadecimal(),
    raw(
        "dss_dsn",
        ColumnType::U64,
        &["tcp.options.mptcp.rawdataseqno", SUBTYPE],
        "DSN of the mapping as sent, 32 or 64 bits",
    )
    .unit(NUMBER)
    .source("RFC 8684 §3.3.1")
    .hashed()
    .hexadecimal(),
    raw(
        "dss_ssn",
        ColumnType::U32,
        &["tcp.options.mptcp.subflowseqno"],
        "subflow sequence number of the mapping, relative",
    )
    .unit(NUMBER)
    .source("RFC 8684 §3.3.1")
    .hashed(),
    raw("dss_length", ColumnType::U16, &["tcp.options.mptcp.datalvllen"], "data-level length of the mapping")
        .unit("B")
        .source("RFC 8684 §3.3.1")
        .hashed(),
    raw("checksum", ColumnType::U16, &["tcp.options.mptcp.checksum", "tcp.options"], "checksum in DSS or MP_CAPABLE")
        .source("RFC 8684 §3.3.1")
        .hashed(),
    raw(
        "addaddr_ip",
        ColumnType::Text,
        &["tcp.options.mptcp.ipv4", "tcp.options.mptcp.ipv6"],
        "address advertised by ADD_ADDR",
    )
    .source("RFC 8684 §3.4.1"),
    raw("addaddr_port", ColumnType::U16, &["tcp.options.mptcp.port"], "port advertised by ADD_ADDR")
        .source("RFC 8684 §3.4.1"),
    raw("addaddr_id", ColumnType::U8, &[ADDRESS_ID, SUBTYPE], "address id in ADD_ADDR")
        .source("RFC 8684 §3.4.1")
        .hashed(),
    raw("addaddr_echo", ColumnType::Bool, &["tcp.options.mptcp.echo"], "whether the ADD_ADDR is an echo")
        .source("RFC 8684 §3.4.1")
        .hashed(),
    raw("addaddr_hmac", ColumnType::U64, &["tcp.options.mptcp.addaddrtrunchmac"], "truncated HMAC in ADD_ADDR")
        .source("RFC 8684 §3.4.1")
        .hashed()
        .identifier(),
    raw("rmaddr_ids", ColumnType::ListU8, &[ADDRESS_ID, "tcp.option_len"], "address ids in REMOVE_ADDR")
        .source("RFC 8684 §3.4.2")
        .hashed(),
    raw("fail_dsn", ColumnType::U64, &["tcp.options.mptcp.rawdataseqno", SUBTYPE], "DSN in MP_FAIL")
        .unit(NUMBER)
        .source("RFC 8684 §3.7")
        .hashed()
        .hexadecimal(),
    raw("fastclose_key", ColumnType::U64, &["tcp.options.mptcp.recvkey", SUBTYPE], "receiver's key in MP_FASTCLOSE")
        .source("RFC 8684 §3.5")
        .hashed()
        .identifier(),
    raw("rst_flags", ColumnType::U8, &[FLAGS, SUBTYPE], "flags of MP_TCPRST: 1 transient")
        .source("RFC 8684 §3.6")
        .hashed(),
    raw("rst_reason", ColumnType::U8, &["tcp.options.mptcp.rst_reason"], "reason in MP_TCPRST")
        .source("RFC 8684 §3.6")
        .hashed(),
    raw("options_cut", ColumnType::Bool, &["tcp.option_kind", "tcp.option_len"], "TCP options cut by the snap length"),
    raw("malformed_subtype", ColumnType::U8, &["tcp.options"], "subtype of the first malformed MPTCP option")
        .source("RFC 8684 §3"),
    raw(
        "malformed_length",
        ColumnType::U8,
        &["tcp.options"],
        "length of the first MPTCP option with an invalid length",
    )
    .unit("B")
    .source("RFC 8684 §3"),
    // Tracked.
    tracked("tcpstream", ColumnType::U32, "TCP stream, numbered as Wireshark's tcp.stream"),
    tracked("tcpdest", ColumnType::Text, "destination role in the TCP stream: client or server"),
    tracked("tcpseq", ColumnType::U32, "sequence number relative to the stream's first, as in Wireshark").unit(NUMBER),
    tracked(
        "tcpack",
        ColumnType::U32,
        "acknowledgement number relative to the other direction's first; null without ACK",
    )
    .unit(NUMBER),
    tracked("rwnd", ColumnType::U32, "scaled receive window; null if the scale was not captured").unit("B"),
    tracked(
        "mptcpstream",
        ColumnType::U32,
        "MPTCP connection of the whole stream, numbered as Wireshark's mptcp.stream; subflows joined by data sequence \
         numbers alone have the number of the first",
    ),
    tracked("mptcpstream_wireshark", ColumnType::U32, "Wireshark's mptcp.stream, for the whole stream"),
    tracked("mptcpdest", ColumnType::Text, "destination role in the MPTCP connection: client or server"),
    tracked("expected_token", ColumnType::U32, "token derived from the key in this packet")
        .source("RFC 8684 §3.2")
        .identifier(),
    tracked("dsn", ColumnType::U64, "DSN of the first payload byte relative to the IDSN; the first data byte is 1")
        .unit(NUMBER)
        .source("RFC 8684 §3.3.1"),
    tracked("dsnraw64", ColumnType::U64, "DSN of the first payload byte, all 64 bits")
        .unit(NUMBER)
        .source("RFC 8684 §3.3.1")
        .hexadecimal(),
    tracked("related_mapping", ColumnType::U64, "packet whose mapping covers the first payload byte")
        .source("RFC 8684 §3.3.1"),
    tracked("dack", ColumnType::U64, "DATA_ACK relative to the IDSN of the acknowledged data")
        .unit(NUMBER)
        .source("RFC 8684 §3.3.2"),
    tracked("reinjection_of", ColumnType::ListU64, "packets of other subflows that sent this packet's data before"),
    tracked("reinjected_in", ColumnType::ListU64, "packets of other subflows that sent this packet's data again"),
    tracked(
        "retransmission",
        ColumnType::Bool,
        "whether some payload was sent before under the same sequence numbers; null without payload",
    )
    .source("RFC 9293 §3.8.1"),
    tracked("duplicate_of", ColumnType::U64, "packet of which this is a copy, made by the path"),
];

/// The column of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static ColumnSpec> {
    COLUMNS.iter().find(|column| column.name == name)
}

/// The column that one of Wireshark's fields is. Of several that have something of it there is none, but for the time of
/// a frame, which is first of all an instant.
#[must_use]
pub fn of_wireshark(field: &str) -> Option<&'static ColumnSpec> {
    let mut found = COLUMNS.iter().filter(|column| column.fields.contains(&field));
    let first = found.next()?;
    (found.next().is_none() || field == "frame.time_epoch").then_some(first)
}

/// The unit of a column of that name, if it has one.
#[must_use]
pub fn unit(name: &str) -> Option<&'static str> {
    find(name).map(|spec| spec.unit).filter(|unit| !unit.is_empty())
}

/// The columns that a dissector fills, in table order.
pub fn packet_columns() -> impl Iterator<Item = &'static ColumnSpec> {
    COLUMNS.iter().filter(|column| column.origin == Origin::Packet)
}
