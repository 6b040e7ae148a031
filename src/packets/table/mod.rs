//! The packets of a capture as segments and as the raw columns of the packet table: both ways, the same content.

mod columns;
mod frames;
mod marks;
mod packet_table;
mod reader;

pub use frames::{Frame, Frames, Mark};
pub use marks::Marks;
pub use packet_table::{Builder, PacketTable};

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use polars::prelude::Column;

    use super::*;
    use crate::packets::schema;
    use crate::packets::segment::{
        AddAddr, Capable, Control, Dss, Join, Malformed, Mapping, Prio, ResetReason, SackBlocks, Segment, flag, subtype,
    };

    fn plain(packetid: u64) -> Segment {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut sack = SackBlocks::default();
        sack.push(4_294_967_290, 5);
        Segment {
            packetid,
            abstime: 1_795_246_227_412_753_001,
            source: address("10.0.1.1"),
            destination: address("2001:db8::2"),
            source_port: 46_458,
            destination_port: 5001,
            flags: flag::ACK,
            window: 65_535,
            sequence: u32::MAX,
            acknowledgement: 7,
            payload: Some(1400),
            timestamps: Some((1, 2)),
            window_scale: None,
            options_cut: false,
            malformed: None,
            sack,
            dss: None,
            control: None,
        }
    }

    fn with_control(packetid: u64, flags: u16, control: Control) -> Segment {
        Segment { flags, control: Some(Box::new(control)), ..plain(packetid) }
    }

    fn every_kind() -> Vec<Segment> {
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
            Segment { flags: flag::SYN, acknowledgement: 0, payload: None, window_scale: Some(10), ..plain(2) },
            Segment { dss: Some(dss), ..plain(3) },
            Segment { malformed: Some(Malformed { subtype: None, length: 2 }), ..plain(11) },
            Segment { malformed: Some(Malformed { subtype: Some(2), length: 3 }), ..plain(12) },
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
            Segment {
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
    fn segments_survive_the_table_unchanged() {
        let expected: Vec<Segment> = every_kind()
            .into_iter()
            // Without the ACK flag the number means nothing and is null in the table.
            .map(|s| if s.has(flag::ACK) { s } else { Segment { acknowledgement: 0, ..s } })
            .collect();
        let mut builder = Builder::default();
        for segment in &expected {
            builder.push(&Frame::default(), segment.clone());
        }
        let table = builder.finish(Vec::new());
        assert_eq!(*table.segments().unwrap(), *expected);
        let read = PacketTable::from(table.data_frame().unwrap().clone());
        assert_eq!(*read.segments().unwrap(), *expected);
    }

    #[test]
    fn the_table_has_the_columns_of_the_schema_with_their_types() {
        let table = Builder::default().finish(Vec::new());
        let table = table.data_frame().unwrap();
        let found: Vec<_> = table.columns().iter().map(|c| (c.name().to_string(), c.dtype().clone())).collect();
        let wanted: Vec<_> = schema::packet_columns().map(|c| (c.name.to_string(), c.kind.data_type())).collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn both_forms_answer_alike() {
        let mut builder = Builder::default();
        builder.time(1_795_246_227_000_000_000);
        let frame = Frame { interface: Some("eth0"), ip_id: Some(7), ..Frame::default() };
        builder.push(&frame, plain(3));
        builder.push(&Frame { interface: None, ..frame }, plain(4));
        let dissected = builder.finish(vec![Column::new("extra".into(), ["a", "b"])]);
        let read = PacketTable::from(dissected.data_frame().unwrap().clone());
        for table in [&dissected, &read] {
            assert_eq!((table.height(), table.origin()), (2, 1_795_246_227_000_000_000));
            assert_eq!([0, 1, 2].map(|row| table.interface(row)), [Some("eth0"), None, None]);
            assert_eq!(table.column("ipid").unwrap().u16().unwrap().get(1), Some(7));
            assert_eq!(table.column("extra").unwrap().str().unwrap().get(1), Some("b"));
            assert!(table.column("none").is_err());
        }
        assert_eq!(dissected.column("reltime").unwrap().duration().unwrap().physical().get(0), Some(412_753_001));
    }
}
