//! tshark's text, read by polars, to the raw packet table.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use polars::prelude::*;
use polars_io::SerReader;
use polars_io::csv::read::{CsvEncoding, CsvParseOptions, CsvReadOptions};

use super::TsharkError;
use super::fields::Wanted;
use super::options::{self, Texts};
use mptcp_trace::interrupt;
use mptcp_trace::packets::frames::Frame;
use mptcp_trace::packets::option_form;
use mptcp_trace::packets::segment::{self, Malformed, SackBlocks, Segment, flag};
use mptcp_trace::packets::{Builder, CaptureFacts, Dissection, Interface};

use crate::packets::{Dissected, LoadError};
use mptcp_trace::Instant;
use mptcp_trace::units::counted;

/// The raw table of the TCP packets in tshark's text, built part by part while tshark still runs.
pub struct Rows<'a> {
    wanted: &'a Wanted,
    path: &'a Path,
    builder: Builder,
    /// Extra fields of the TCP packets so far.
    extra: Option<DataFrame>,
    interfaces: BTreeMap<u32, Interface>,
    /// Frames so far.
    frames: u64,
    /// TCP packets that could not be read.
    odd: u64,
}

impl<'a> Rows<'a> {
    /// No packet yet of the capture `path`.
    pub fn new(wanted: &'a Wanted, path: &'a Path) -> Self {
        Rows { wanted, path, builder: Builder::default(), extra: None, interfaces: BTreeMap::new(), frames: 0, odd: 0 }
    }

    /// Adds the packets in these whole lines.
    ///
    /// # Errors
    /// When the text is not what was asked for, polars refuses it, or on Ctrl-C.
    pub fn push(&mut self, lines: &[u8]) -> Result<(), LoadError> {
        interrupt::check().map_err(|_| LoadError::Interrupted)?;
        let text = parse(lines, self.wanted)?;
        let fields = Fields::new(&text)?;
        let mut tcp_rows: Vec<IdxSize> = Vec::new();
        for row in 0..text.height() {
            self.frames = self.frames.saturating_add(1);
            let abstime = self.time(&fields, row)?;
            self.builder.time(abstime);
            match packet(&fields, row, abstime) {
                Found::NotTcp => continue,
                Found::Odd => self.odd = self.odd.saturating_add(1),
                Found::Tcp(packet) => {
                    let interface = interface(&fields, row, &mut self.interfaces);
                    let Packet { segment, kinds } = *packet;
                    let frame = frame(&fields, row, interface.as_deref(), &segment, &kinds);
                    self.builder.push(&frame, segment);
                    tcp_rows.push(IdxSize::try_from(row).unwrap_or(IdxSize::MAX));
                }
            }
        }
        self.keep_extra(&text, &tcp_rows)?;
        Ok(self.builder.check_memory(self.path)?)
    }

    /// The time of the frame in `row`.
    fn time(&self, fields: &Fields, row: usize) -> Result<Instant, LoadError> {
        let garbled = |message| TsharkError::Garbled { path: self.path.to_path_buf(), message };
        if fields.number.get(row).is_none() {
            return Err(garbled(format!("line {} has no packet number", self.frames)).into());
        }
        let time = text_of(&fields.time, row);
        if time.is_empty() {
            // Wireshark shows pictures and other files as one frame without a time.
            let detail = " (its packets have no times)".to_string();
            return Err(LoadError::NotACapture { path: self.path.to_path_buf(), detail });
        }
        let wrong = || garbled(format!("`{}` in line {} is not a time", time.escape_default(), self.frames));
        Ok(nanoseconds(time).map(Instant::from_nanoseconds).ok_or_else(wrong)?)
    }

    /// Keeps the extra fields, each the text that tshark printed, of the rows that hold TCP.
    fn keep_extra(&mut self, text: &DataFrame, tcp_rows: &[IdxSize]) -> PolarsResult<()> {
        if self.wanted.extra == 0 {
            return Ok(());
        }
        let picked = IdxCa::from_slice(PlSmallStr::from_static("rows"), tcp_rows);
        let columns = text.columns().iter().rev().take(self.wanted.extra).rev();
        let columns = columns.map(|column| column.take(&picked)).collect::<PolarsResult<Vec<Column>>>()?;
        let part = DataFrame::new(tcp_rows.len(), columns)?;
        match &mut self.extra {
            Some(extra) => extra.vstack_mut(&part).map(|_| ()),
            None => {
                self.extra = Some(part);
                Ok(())
            }
        }
    }

    /// The table and the facts, the dissector's name left out.
    pub fn finish(self) -> Dissected {
        let mut warnings = Vec::new();
        if self.odd > 0 {
            warnings.push(format!(
                "{} skipped: ambiguous TCP header (TCP within TCP, or a header cut by the snap length)",
                counted(self.odd, "packet")
            ));
        }
        let facts = CaptureFacts {
            frames: self.frames,
            dissector: String::new(),
            interfaces: self.interfaces.into_values().collect(),
            not_understood: 0,
            truncated_at: None,
            warnings,
        };
        let extra = match self.extra {
            Some(extra) => extra.columns().iter().map(Column::rechunk).collect(),
            None => {
                let fields = self.wanted.fields.iter().rev().take(self.wanted.extra).rev();
                let empty = |field: &String| Column::full_null(field.into(), self.builder.height(), &DataType::String);
                fields.map(empty).collect()
            }
        };
        Dissected { dissection: Dissection { packets: self.builder.finish(), facts }, extra }
    }
}

/// Counts the packet for its interface and returns the interface's name, or its number when it has none. Where the file
/// names no interfaces, Linux cooked captures (version 2) have the index of one.
fn interface(fields: &Fields, row: usize, interfaces: &mut BTreeMap<u32, Interface>) -> Option<Arc<str>> {
    let id = fields.interface_id.get(row).or_else(|| fields.interface_index.get(row))?;
    let name = fields.interface_name.get(row).map(Interface::kept_name);
    let entry = interfaces.entry(id).or_insert_with(|| Interface { id, name: name.map(str::to_string), packets: 0 });
    entry.packets += 1;
    Some(name.map_or_else(|| Arc::from(id.to_string()), Arc::from))
}

fn frame<'a>(
    fields: &Fields,
    row: usize,
    interface: Option<&'a str>,
    segment: &segment::Fields,
    option_kinds: &'a [u8],
) -> Frame<'a> {
    let innermost = |v4: &StringChunked, v6: &StringChunked| -> Option<u32> {
        last_number(text_of(if segment.source.is_ipv4() { v4 } else { v6 }, row))
    };
    Frame {
        interface,
        interface_id: fields.interface_id.get(row),
        outgoing: false,
        wire_length: fields.wire_length.get(row),
        captured_length: fields.captured_length.get(row),
        ttl: innermost(&fields.ipv4_ttl, &fields.ipv6_hop_limit).and_then(|ttl| u8::try_from(ttl).ok()),
        ip_length: innermost(&fields.ipv4_length, &fields.ipv6_length),
        ip_id: if segment.source.is_ipv4() { last_number(text_of(&fields.ipv4_id, row)) } else { None },
        header_length: options::number(text_of(&fields.header_length, row)),
        option_kinds,
        mss: last_number(text_of(&fields.mss, row)),
    }
}

fn parse(lines: &[u8], wanted: &Wanted) -> PolarsResult<DataFrame> {
    let schema: Schema =
        wanted.fields.iter().map(|field| Field::new(PlSmallStr::from_str(field), data_type(field))).collect();
    let parsing = CsvParseOptions::default()
        .with_separator(b'\t')
        .with_quote_char(None)
        .with_encoding(CsvEncoding::LossyUtf8)
        .with_missing_is_null(true)
        .with_truncate_ragged_lines(true);
    let options = CsvReadOptions::default()
        .with_has_header(false)
        .with_schema(Some(Arc::new(schema)))
        // A field that occurs twice in a packet (`80,443`) is not a number: such a packet is looked at below.
        .with_ignore_errors(true)
        // tshark works beside it.
        .with_n_threads(Some(1))
        .with_parse_options(parsing);
    options.into_reader_with_file_handle(Cursor::new(lines)).finish()
}

/// Fields of which a packet has one at most are read as numbers; the others may hold several, joined by commas.
fn data_type(field: &str) -> DataType {
    match field {
        "frame.number" => DataType::UInt64,
        "frame.len" | "frame.cap_len" | "frame.interface_id" | "sll.ifindex" => DataType::UInt32,
        "tcp.seq_raw" | "tcp.ack_raw" | "tcp.len" => DataType::UInt32,
        "tcp.srcport" | "tcp.dstport" | "tcp.window_size_value" => DataType::UInt16,
        _ => DataType::String,
    }
}

/// Declares [`Fields`]: the columns of the parsed text by name; a field that this tshark lacks is all null.
macro_rules! fields {
    ($($name:ident: $type:ident = $field:literal,)*) => {
        struct Fields {
            $($name: fields!(@type $type),)*
        }

        impl Fields {
            fn new(text: &DataFrame) -> PolarsResult<Self> {
                Ok(Fields { $($name: fields!(@read $type, text, $field),)* })
            }
        }
    };
    (@type text) => { StringChunked };
    (@type u16) => { UInt16Chunked };
    (@type u32) => { UInt32Chunked };
    (@type u64) => { UInt64Chunked };
    (@read text, $text:expr, $field:literal) => { one($text, $field, &DataType::String)?.str()?.clone() };
    (@read u16, $text:expr, $field:literal) => { one($text, $field, &DataType::UInt16)?.u16()?.clone() };
    (@read u32, $text:expr, $field:literal) => { one($text, $field, &DataType::UInt32)?.u32()?.clone() };
    (@read u64, $text:expr, $field:literal) => { one($text, $field, &DataType::UInt64)?.u64()?.clone() };
}

fields! {
    number: u64 = "frame.number",
    interface_name: text = "frame.interface_name",
    interface_id: u32 = "frame.interface_id",
    interface_index: u32 = "sll.ifindex",
    time: text = "frame.time_epoch",
    wire_length: u32 = "frame.len",
    captured_length: u32 = "frame.cap_len",
    protocols: text = "frame.protocols",
    ipv4_source: text = "ip.src",
    ipv4_destination: text = "ip.dst",
    ipv6_source: text = "ipv6.src",
    ipv6_destination: text = "ipv6.dst",
    ipv4_ttl: text = "ip.ttl",
    ipv6_hop_limit: text = "ipv6.hlim",
    ipv4_length: text = "ip.len",
    ipv6_length: text = "ipv6.plen",
    ipv4_id: text = "ip.id",
    source_port: u16 = "tcp.srcport",
    destination_port: u16 = "tcp.dstport",
    flags: text = "tcp.flags",
    sequence: u32 = "tcp.seq_raw",
    acknowledgement: u32 = "tcp.ack_raw",
    payload: u32 = "tcp.len",
    header_length: text = "tcp.hdr_len",
    window: u16 = "tcp.window_size_value",
    mss: text = "tcp.options.mss_val",
    window_scale: text = "tcp.options.wscale.shift",
    timestamp_value: text = "tcp.options.timestamp.tsval",
    timestamp_echo: text = "tcp.options.timestamp.tsecr",
    sack_left: text = "tcp.options.sack_le",
    sack_right: text = "tcp.options.sack_re",
    option_kinds: text = "tcp.option_kind",
    option_lengths: text = "tcp.option_len",
    option_bytes: text = "tcp.options",
    subtypes: text = "tcp.options.mptcp.subtype",
    version: text = "tcp.options.mptcp.version",
    mptcp_flags: text = "tcp.options.mptcp.flags",
    backup: text = "tcp.options.mptcp.backup.flag",
    address_ids: text = "tcp.options.mptcp.addrid",
    sender_key: text = "tcp.options.mptcp.sendkey",
    receiver_key: text = "tcp.options.mptcp.recvkey",
    token: text = "tcp.options.mptcp.recvtok",
    nonce: text = "tcp.options.mptcp.sendrand",
    truncated_hmac: text = "tcp.options.mptcp.sendtrunchmac",
    hmac: text = "tcp.options.mptcp.sendhmac",
    add_addr_hmac: text = "tcp.options.mptcp.addaddrtrunchmac",
    data_ack: text = "tcp.options.mptcp.rawdataack",
    dsn: text = "tcp.options.mptcp.rawdataseqno",
    ssn: text = "tcp.options.mptcp.subflowseqno",
    data_length: text = "tcp.options.mptcp.datalvllen",
    checksum: text = "tcp.options.mptcp.checksum",
    reset_reason: text = "tcp.options.mptcp.rst_reason",
    echo: text = "tcp.options.mptcp.echo",
    advertised_ipv4: text = "tcp.options.mptcp.ipv4",
    advertised_ipv6: text = "tcp.options.mptcp.ipv6",
    advertised_port: text = "tcp.options.mptcp.port",
}

/// The column of a field in one piece, or one of nulls.
fn one(text: &DataFrame, field: &str, data_type: &DataType) -> PolarsResult<Series> {
    match text.column(field) {
        Ok(column) => Ok(column.as_materialized_series().rechunk()),
        Err(_) => Ok(Series::full_null(PlSmallStr::from_str(field), text.height(), data_type)),
    }
}

fn text_of(column: &StringChunked, row: usize) -> &str {
    column.get(row).unwrap_or("")
}

/// Content found in a frame.
enum Found {
    NotTcp,
    /// TCP whose fields occur several times, or whose header was cut before the flags.
    Odd,
    Tcp(Box<Packet>),
}

struct Packet {
    segment: segment::Fields,
    kinds: Vec<u8>,
}

fn packet(fields: &Fields, row: usize, abstime: Instant) -> Found {
    let protocols = text_of(&fields.protocols, row);
    let Some(layers) = layers_before_tcp(protocols) else { return Found::NotTcp };
    match tcp(fields, row, abstime, layers) {
        Some(packet) => Found::Tcp(Box::new(packet)),
        None => Found::Odd,
    }
}

/// The protocols below TCP, or `None` when the frame carries no TCP of its own: an ICMP error quotes the header of
/// the packet it is about, and Wireshark dissects the quotation as TCP.
fn layers_before_tcp(protocols: &str) -> Option<&str> {
    let mut end = 0;
    for layer in protocols.split(':') {
        match layer {
            "tcp" => return Some(protocols.get(..end).unwrap_or("")),
            "icmp" | "icmpv6" => return None,
            _ => end += layer.len() + 1,
        }
    }
    None
}

fn tcp(fields: &Fields, row: usize, abstime: Instant, layers: &str) -> Option<Packet> {
    let flags: u16 = options::number(fields.flags.get(row)?)?;
    let (source, destination) = addresses(fields, row, layers)?;
    let texts = texts(fields, row);
    let options = options::options(&texts, flags);
    let lefts: Vec<u32> = options::numbers(text_of(&fields.sack_left, row));
    let rights: Vec<u32> = options::numbers(text_of(&fields.sack_right, row));
    let mut sack = SackBlocks::default();
    for (left, right) in lefts.into_iter().zip(rights) {
        sack.push(left, right);
    }
    // Of options that should stand once the last counts, as it does for receivers.
    let timestamp_value = last_number(text_of(&fields.timestamp_value, row));
    let timestamp_echo = last_number(text_of(&fields.timestamp_echo, row));
    let segment = segment::Fields {
        packetid: fields.number.get(row)?,
        abstime,
        source,
        destination,
        source_port: fields.source_port.get(row)?,
        destination_port: fields.destination_port.get(row)?,
        flags,
        window: fields.window.get(row)?,
        sequence: fields.sequence.get(row)?,
        // Without the ACK flag the number on the wire means nothing.
        acknowledgement: if flags & flag::ACK == 0 { 0 } else { fields.acknowledgement.get(row)? },
        payload: fields.payload.get(row).and_then(Segment::believable),
        timestamps: timestamp_value.zip(timestamp_echo),
        window_scale: last_number(text_of(&fields.window_scale, row)),
        options_cut: options.cut || header_is_cut(fields, row, &options.kinds),
        malformed: malformed(fields, row, flags),
        sack,
        dss: options.dss,
        control: options.control,
    };
    Some(Packet { segment, kinds: options.kinds })
}

/// The first malformed option of MPTCP. tshark's list of options ends at some of them, so the bytes tell.
fn malformed(fields: &Fields, row: usize, flags: u16) -> Option<Malformed> {
    let digits = text_of(&fields.option_bytes, row);
    // The kind, in hexadecimal: most packets of other transfers have none.
    if !digits.contains("1e") {
        return None;
    }
    let bytes: Vec<u8> = digits
        .as_bytes()
        .chunks_exact(2)
        .map_while(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    let header: usize = options::number(text_of(&fields.header_length, row)).unwrap_or(20);
    option_form::first_malformed(&bytes, header.saturating_sub(20), flags)
}

/// True when the header announces more bytes of options than were recorded. Frames are recorded from their start, so
/// a frame recorded whole has its options whole.
fn header_is_cut(fields: &Fields, row: usize, kinds: &[u8]) -> bool {
    let (Some(wire), Some(captured)) = (fields.wire_length.get(row), fields.captured_length.get(row)) else {
        return false;
    };
    let header: usize = options::number(text_of(&fields.header_length, row)).unwrap_or(20);
    // Two digits a byte.
    let recorded = text_of(&fields.option_bytes, row).len() / 2;
    let ended = kinds.contains(&0);
    captured < wire && !ended && recorded < header.saturating_sub(20)
}

fn addresses(fields: &Fields, row: usize, layers: &str) -> Option<(IpAddr, IpAddr)> {
    let innermost = layers.split(':').rfind(|layer| matches!(*layer, "ip" | "ipv6"))?;
    let (source, destination) = match innermost {
        "ip" => (&fields.ipv4_source, &fields.ipv4_destination),
        _ => (&fields.ipv6_source, &fields.ipv6_destination),
    };
    let last = |column: &StringChunked| column.get(row)?.rsplit(',').next()?.parse().ok();
    Some((last(source)?, last(destination)?))
}

fn texts(fields: &Fields, row: usize) -> Texts<'_> {
    let subtypes = text_of(&fields.subtypes, row);
    let kinds = text_of(&fields.option_kinds, row);
    let lengths = text_of(&fields.option_lengths, row);
    if subtypes.is_empty() {
        return Texts { kinds, lengths, bytes: text_of(&fields.option_bytes, row), ..Texts::default() };
    }
    Texts {
        kinds,
        lengths,
        bytes: text_of(&fields.option_bytes, row),
        subtypes,
        version: text_of(&fields.version, row),
        flags: text_of(&fields.mptcp_flags, row),
        backup: text_of(&fields.backup, row),
        address_ids: text_of(&fields.address_ids, row),
        sender_key: text_of(&fields.sender_key, row),
        receiver_key: text_of(&fields.receiver_key, row),
        token: text_of(&fields.token, row),
        nonce: text_of(&fields.nonce, row),
        truncated_hmac: text_of(&fields.truncated_hmac, row),
        hmac: text_of(&fields.hmac, row),
        add_addr_hmac: text_of(&fields.add_addr_hmac, row),
        data_ack: text_of(&fields.data_ack, row),
        dsn: text_of(&fields.dsn, row),
        ssn: text_of(&fields.ssn, row),
        data_length: text_of(&fields.data_length, row),
        checksum: text_of(&fields.checksum, row),
        reset_reason: text_of(&fields.reset_reason, row),
        echo: text_of(&fields.echo, row),
        ipv4: text_of(&fields.advertised_ipv4, row),
        ipv6: text_of(&fields.advertised_ipv6, row),
        port: text_of(&fields.advertised_port, row),
    }
}

/// The last number of an aggregated field: the innermost header's.
fn last_number<T: TryFrom<u64>>(text: &str) -> Option<T> {
    options::number(text.rsplit(',').next()?)
}

/// `1795246227.412753000` to nanoseconds, exactly.
fn nanoseconds(text: &str) -> Option<i64> {
    const SECOND: i64 = 1_000_000_000;
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (seconds, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let seconds = seconds.parse::<i64>().ok()?.checked_mul(SECOND)?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if fraction.len() > 9 {
        // A damaged file may say more than a second, which tshark prints as it is; as negative from 2^31 on.
        let fraction = fraction.parse::<i64>().ok().filter(|fraction| *fraction <= 1 << 31)?;
        return seconds.checked_add(if negative { (1 << 32) - fraction } else { fraction });
    }
    let mut nanoseconds = 0_i64;
    for digit in fraction.bytes().chain(std::iter::repeat(b'0')).take(9) {
        nanoseconds = nanoseconds * 10 + i64::from(digit - b'0');
    }
    let total = seconds.checked_add(nanoseconds)?;
    Some(if negative { -total } else { total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_read_to_the_nanosecond() {
        assert_eq!(nanoseconds("1795246424.334593171"), Some(1_795_246_424_334_593_171));
        assert_eq!(nanoseconds("0.5"), Some(500_000_000));
        assert_eq!(nanoseconds("-1.000000001"), Some(-1_000_000_001));
        assert_eq!(nanoseconds("7"), Some(7_000_000_000));
        // What tshark 4.0.17 prints for 1.5 and 2.5 million microseconds: the latter is 2^32 - 1794967296 nanoseconds.
        assert_eq!(nanoseconds("1735689600.1500000000"), Some(1_735_689_601_500_000_000));
        assert_eq!(nanoseconds("-1735689600.1794967296"), Some(1_735_689_602_500_000_000));
        assert_eq!(nanoseconds("1.99999999999999999999"), None);
        assert_eq!(nanoseconds("Nov 21, 2026"), None);
        assert_eq!(nanoseconds("99999999999999.0"), None);
    }

    #[test]
    fn a_quotation_in_an_icmp_error_is_not_a_tcp_packet() {
        assert_eq!(layers_before_tcp("eth:ethertype:ip:icmp:ip:tcp"), None);
        assert_eq!(layers_before_tcp("eth:ethertype:ipv6:icmpv6:ipv6:tcp"), None);
        assert_eq!(layers_before_tcp("eth:ethertype:ip:udp:dns"), None);
        assert_eq!(layers_before_tcp("sll:ethertype:ip:tcp:mptcp"), Some("sll:ethertype:ip:"));
        assert_eq!(layers_before_tcp("raw:ip:ipv6:tcp"), Some("raw:ip:ipv6:"));
    }
}
