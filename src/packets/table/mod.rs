//! The packets of a capture as the raw columns of the packet table and back: both ways, the same content; and the
//! tracked columns.

mod columns;
mod frames;
mod numbers;
mod reader;
mod tracked;

use std::ops::Range;

use mptcp_trace::packets::{Builder, Packets};
use polars::prelude::*;

pub use columns::RawColumns;
pub use tracked::{DataColumns, TrackedColumns};

use super::schema;
use mptcp_trace::{Instant, Span};

/// The raw columns of [`schema::COLUMNS`] of some packets, one row each, then `extra`, which are as long.
///
/// # Errors
/// When polars refuses them.
pub fn raw(packets: &Packets, extra: &[Column]) -> PolarsResult<DataFrame> {
    raw_rows(packets, extra, 0..packets.height())
}

/// Some rows of [`raw`].
///
/// # Errors
/// As [`raw`].
pub fn raw_rows(packets: &Packets, extra: &[Column], rows: Range<usize>) -> PolarsResult<DataFrame> {
    let raw = RawColumns::of(packets, rows.clone());
    let mut columns = schema::packet_columns().map(|spec| raw.column(spec)).collect::<PolarsResult<Vec<_>>>()?;
    let begin = i64::try_from(rows.start).unwrap_or(i64::MAX);
    columns.extend(extra.iter().map(|column| column.slice(begin, rows.len())));
    DataFrame::new(rows.len(), columns)
}

/// The packets of a table of raw columns, and its further columns.
///
/// # Errors
/// When a column is missing, has another type, or a cell that every packet has is null.
pub fn read(table: &DataFrame) -> PolarsResult<(Packets, Vec<Column>)> {
    let mut reader = Reader::default();
    reader.take(table)?;
    Ok(reader.finish())
}

/// Packets from tables of raw columns, one after the other.
#[derive(Default)]
pub struct Reader {
    builder: Builder,
    /// What relative times count from.
    origin: Option<Instant>,
    /// Of the rows so far, once there were some.
    extra: Option<Vec<Column>>,
}

impl Reader {
    /// Takes in the next rows.
    ///
    /// # Errors
    /// As [`read`], and when the further columns are not those of the rows before.
    pub fn take(&mut self, table: &DataFrame) -> PolarsResult<()> {
        let (mut rows, frames) = (reader::Rows::of(table)?, frames::FrameRows::of(table)?);
        let relative = table.column("reltime")?.to_physical_repr();
        let relative = reader::Numbers::of(relative.i64()?);
        for row in 0..table.height() {
            let packet = rows.segment(row).ok_or_else(
                || polars_err!(ComputeError: "row {} of the packet table has no number, address or port", row + 1),
            )?;
            let since = |row| Span::from_nanoseconds(relative.get(row).unwrap_or(0));
            self.origin.get_or_insert_with(|| packet.abstime - since(row));
            self.builder.push(&frames.frame(row), packet);
        }
        let extra = table.columns().iter().filter(|column| schema::find(column.name()).is_none());
        let extra: Vec<Column> = extra.cloned().collect();
        let Some(own) = &mut self.extra else {
            self.extra = Some(extra);
            return Ok(());
        };
        if !own.iter().map(Column::name).eq(extra.iter().map(Column::name)) {
            polars_bail!(ComputeError: "its parts have different columns");
        }
        for (own, further) in own.iter_mut().zip(&extra) {
            own.append(further)?;
        }
        Ok(())
    }

    /// All of them, and the further columns.
    #[must_use]
    pub fn finish(self) -> (Packets, Vec<Column>) {
        let packets = self.builder.finish();
        // Of a table only the packets that it holds are known.
        let origin = self.origin.unwrap_or(Instant::EPOCH);
        let earliest = packets.segments.iter().map(|segment| segment.abstime).fold(origin, Instant::min);
        (Packets { origin, earliest, ..packets }, self.extra.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use mptcp_trace::packets::frames::Frame;
    use mptcp_trace::packets::segment::{
        AddAddr, Capable, Control, Dss, Fields, Join, Malformed, Mapping, Prio, ResetReason, SackBlocks, flag, subtype,
    };

    fn plain(packetid: u64) -> Fields {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut sack = SackBlocks::default();
        sack.push(4_294_967_290, 5);
        Fields {
            packetid,
            abstime: Instant::from_nanoseconds(1_795_246_227_412_753_001),
            flags: flag::ACK,
            window: 65_535,
            sequence: u32::MAX,
            acknowledgement: 7,
            payload: Some(1400),
            timestamps: Some((1, 2)),
            sack,
            ..Fields::between((address("10.0.1.1"), 46_458), (address("2001:db8::2"), 5001))
        }
    }

    fn with_control(packetid: u64, flags: u16, control: Control) -> Fields {
        Fields { flags, control: Some(Box::new(control)), ..plain(packetid) }
    }

    fn every_kind() -> Vec<Fields> {
        let mapping = Mapping { dsn: u64::MAX - 1, ssn: 9, length: 1400, checksum: Some(0xffff) };
        let dss = Dss { flags: 0x1f, data_ack: Some(u64::MAX), mapping: Some(mapping) };
        let capable = Capable {
            version: 1,
            flags: 0x81,
            sender_key: Some(u64::MAX),
            receiver_key: Some(1 << 63),
            data_length: Some(40),
            checksum: Some(0x0c2f),
        };
        let subtypes = |list: &[u8]| list.to_vec();
        vec![
            plain(1),
            Fields { flags: flag::SYN, acknowledgement: 0, payload: None, window_scale: Some(10), ..plain(2) },
            Fields { dss: Some(dss), ..plain(3) },
            Fields { malformed: Some(Malformed { subtype: None, length: 2 }), ..plain(11) },
            Fields { malformed: Some(Malformed { subtype: Some(2), length: 3 }), ..plain(12) },
            with_control(
                4,
                flag::ACK,
                Control { capable: Some(capable), subtypes: subtypes(&[0]), ..Control::default() },
            ),
            with_control(
                5,
                flag::SYN,
                Control {
                    join: Some(Join::Syn { backup: true, address_id: 2, token: Some(u32::MAX), nonce: None }),
                    subtypes: subtypes(&[1]),
                    ..Control::default()
                },
            ),
            with_control(
                6,
                flag::SYN | flag::ACK,
                Control {
                    join: Some(Join::SynAck {
                        backup: false,
                        address_id: 0,
                        truncated_hmac: Some(u64::MAX),
                        nonce: Some(3),
                    }),
                    subtypes: subtypes(&[1]),
                    ..Control::default()
                },
            ),
            with_control(
                7,
                flag::ACK,
                Control {
                    join: Some(Join::Ack { hmac: Some([0xab; 20]) }),
                    subtypes: subtypes(&[1]),
                    ..Control::default()
                },
            ),
            with_control(
                8,
                flag::ACK,
                Control {
                    add_addr: Some(AddAddr {
                        address_id: 9,
                        echo: false,
                        address: "10.0.2.2".parse().ok(),
                        port: Some(6001),
                        hmac: Some(u64::MAX),
                    }),
                    subtypes: subtypes(&[3]),
                    ..Control::default()
                },
            ),
            Fields {
                dss: Some(Dss { flags: 1, data_ack: Some(5), mapping: None }),
                ..with_control(
                    9,
                    flag::ACK,
                    Control {
                        remove_addr: Some(vec![3, 4]),
                        prio: Some(Prio { backup: true, address_id: Some(1) }),
                        fail: Some(u64::MAX),
                        subtypes: subtypes(&[subtype::DSS, subtype::REMOVE_ADDR, subtype::MP_PRIO, subtype::MP_FAIL]),
                        ..Control::default()
                    },
                )
            },
            with_control(
                10,
                flag::RST,
                Control {
                    fastclose: Some(u64::MAX),
                    reset: Some(ResetReason { flags: 1, reason: Some(6) }),
                    subtypes: subtypes(&[7, 8]),
                    ..Control::default()
                },
            ),
        ]
    }

    #[test]
    fn packets_survive_the_table_unchanged() {
        let expected: Vec<Fields> = every_kind()
            .into_iter()
            // Without the ACK flag the number means nothing and is null in the table.
            .map(|s| if s.flags & flag::ACK != 0 { s } else { Fields { acknowledgement: 0, ..s } })
            .collect();
        let full = Frame {
            interface: Some("eth0"),
            wire_length: Some(u32::MAX),
            captured_length: Some(0),
            ttl: Some(255),
            ip_length: Some(7),
            ip_id: Some(0),
            header_length: Some(60),
            option_kinds: &[2, 4, 8, 1, 3],
            mss: Some(1460),
            ..Frame::default()
        };
        let frames = [full, Frame::default(), Frame { interface: Some("eth1"), ip_id: None, ..full }];
        let mut builder = Builder::default();
        let begin = Instant::from_nanoseconds(1_795_246_227_000_000_000);
        builder.time(begin);
        for (segment, frame) in expected.iter().zip(frames.iter().cycle()) {
            builder.push(frame, segment.clone());
        }
        let packets = builder.finish();
        let further = Column::new("further".into(), vec!["a"; expected.len()]);
        let table = raw(&packets, std::slice::from_ref(&further)).unwrap();
        let (read, extra) = read(&table).unwrap();
        assert!(read.segments.fields().eq(expected.iter().cloned()));
        assert_eq!((read.origin, read.earliest), (begin, begin));
        assert_eq!(extra, [further]);
        for row in 0..expected.len() {
            assert_eq!(read.frames.get(row), frames[row % frames.len()]);
        }
    }

    #[test]
    fn the_table_has_the_columns_of_the_schema_with_their_types() {
        let table = raw(&Packets::default(), &[]).unwrap();
        let found: Vec<_> = table.columns().iter().map(|c| (c.name().to_string(), c.dtype().clone())).collect();
        let wanted: Vec<_> = schema::packet_columns().map(|c| (c.name.to_string(), c.kind.data_type())).collect();
        assert_eq!(found, wanted);
    }
}
