//! Arbitrary packets, tracked: nothing panics, and the sums agree with each other.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use mptcp_trace::packets::frames::Frame;
use mptcp_trace::packets::segment::{
    AddAddr, Capable, Control, Dss, Fields, Join, Mapping, Prio, ResetReason, SackBlocks, subtype,
};
use mptcp_trace::packets::{Builder, CaptureFacts, Dissection};
use mptcp_trace::Instant;
use mptcp_trace::tracking::Capture;
use mptcpanalyzer_fuzz::{ask_everything, check_sums};

/// One packet. Few endpoints and mostly near numbers, so that packets have to do with each other.
#[derive(Debug, Arbitrary)]
struct Packet {
    path: u8,
    back: bool,
    flags: u8,
    window: u16,
    sequence: Number32,
    acknowledgement: Number32,
    payload: Option<u16>,
    huge_payload: bool,
    options_cut: bool,
    scale: Option<u8>,
    sack: Option<(u32, u32)>,
    time: i32,
    ip_id: u8,
    ttl: u8,
    options: Options,
}

#[derive(Debug, Arbitrary)]
enum Number32 {
    Near(u8),
    BeforeTheWrap(u8),
    Any(u32),
}

impl Number32 {
    fn value(&self) -> u32 {
        match self {
            Number32::Near(number) => u32::from(*number),
            Number32::BeforeTheWrap(back) => u32::MAX - u32::from(*back),
            Number32::Any(number) => *number,
        }
    }
}

#[derive(Debug, Arbitrary)]
enum Number64 {
    /// From the IDSN that key number 0 gives in version 1, or key number 1.
    Near(bool, i8),
    Small(u8),
    BeforeTheWrap(u8),
    Any(u64),
}

/// Least significant 64 bits of the SHA-256 of eight zero bytes, and of seven zero bytes and a one.
const IDSNS: [u64; 2] = [0xe5b2_328d_e0e8_3dfc, 0x19ec_5090_83d0_0a50];

impl Number64 {
    fn value(&self) -> u64 {
        match self {
            Number64::Near(which, by) => IDSNS[usize::from(*which)].wrapping_add_signed(i64::from(*by)),
            Number64::Small(number) => u64::from(*number),
            Number64::BeforeTheWrap(back) => u64::MAX - u64::from(*back),
            Number64::Any(number) => *number,
        }
    }
}

#[derive(Debug, Arbitrary)]
enum Options {
    None,
    Dss(DataSignal),
    Capable {
        version: u8,
        flags: u8,
        sender: Option<u8>,
        receiver: Option<u8>,
        length: Option<u16>,
        dss: Option<DataSignal>,
    },
    JoinSyn {
        backup: bool,
        id: u8,
        token: Option<u8>,
        nonce: Option<u32>,
    },
    JoinSynAck {
        backup: bool,
        id: u8,
        hmac: Option<u64>,
        nonce: Option<u32>,
    },
    JoinAck {
        hmac: Option<[u8; 20]>,
    },
    Rest {
        add: Option<(u8, bool, Option<u32>, Option<u16>, Option<u64>)>,
        remove: Option<[u8; 2]>,
        prio: Option<(bool, Option<u8>)>,
        fail: Option<Number64>,
        close: Option<u64>,
        reset: Option<(u8, Option<u8>)>,
        dss: Option<DataSignal>,
        strange: Option<u8>,
    },
}

#[derive(Debug, Arbitrary)]
struct DataSignal {
    flags: u8,
    ack: Number64,
    dsn: Number64,
    ssn: Number32,
    length: u16,
    checksum: Option<u16>,
}

impl DataSignal {
    fn dss(&self) -> Dss {
        let mut dss = Dss { flags: self.flags & 0x1f, data_ack: None, mapping: None };
        let short = |number: u64, wide: bool| if wide { number } else { number & 0xffff_ffff };
        if dss.has(Dss::DATA_ACK) {
            dss.data_ack = Some(short(self.ack.value(), dss.has(Dss::DATA_ACK_8)));
        }
        if dss.has(Dss::MAPPING) {
            dss.mapping = Some(Mapping {
                dsn: short(self.dsn.value(), dss.has(Dss::DSN_8)),
                ssn: self.ssn.value(),
                length: self.length,
                checksum: self.checksum,
            });
        }
        dss
    }
}

/// The token that key number 0 or 1 gives in version 1.
fn token(which: u8) -> u32 {
    [0xaf55_70f5, 0xcd26_6215][usize::from(which % 2)]
}

impl Packet {
    fn segment(&self, row: usize) -> Fields {
        let path = self.path % 4;
        let client: IpAddr = match path {
            3 => IpAddr::V6(Ipv6Addr::LOCALHOST),
            path => IpAddr::V4(Ipv4Addr::new(10, 0, 0, path)),
        };
        let server: IpAddr = match path {
            3 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            _ => IpAddr::V4(Ipv4Addr::new(10, 0, 0, 100)),
        };
        let (from, to) = if self.back { ((server, 80), (client, 4000)) } else { ((client, 4000), (server, 80)) };
        let mut sack = SackBlocks::default();
        if let Some((left, right)) = self.sack {
            sack.push(left, right);
        }
        let payload = self.payload.map(u32::from);
        let (dss, control) = self.options.take_apart();
        Fields {
            packetid: row as u64 + 1,
            abstime: Instant::from_nanoseconds(self.time.into()),
            flags: u16::from(self.flags),
            window: self.window,
            sequence: self.sequence.value(),
            acknowledgement: self.acknowledgement.value(),
            // As much as a packet can have, which the dissectors see to.
            payload: if self.huge_payload { payload.map(|length| length * 8) } else { payload },
            window_scale: self.scale,
            options_cut: self.options_cut,
            sack,
            dss,
            control: control.map(Box::new),
            ..Fields::between(from, to)
        }
    }
}

impl Options {
    fn take_apart(&self) -> (Option<Dss>, Option<Control>) {
        let mut control = Control::default();
        let dss = match self {
            Options::None => return (None, None),
            Options::Dss(signal) => return (Some(signal.dss()), None),
            Options::Capable { version, flags, sender, receiver, length, dss } => {
                let key = |which: &u8| u64::from(*which % 3);
                control.subtypes.push(subtype::MP_CAPABLE);
                control.capable = Some(Capable {
                    version: *version % 3,
                    flags: *flags,
                    sender_key: sender.as_ref().map(key),
                    receiver_key: receiver.as_ref().map(key),
                    data_length: *length,
                    checksum: None,
                });
                dss.as_ref()
            }
            Options::JoinSyn { backup, id, token: which, nonce } => {
                control.subtypes.push(subtype::MP_JOIN);
                let token = which.map(|which| if which > 250 { u32::from(which) } else { token(which) });
                control.join = Some(Join::Syn { backup: *backup, address_id: *id, token, nonce: *nonce });
                None
            }
            Options::JoinSynAck { backup, id, hmac, nonce } => {
                control.subtypes.push(subtype::MP_JOIN);
                control.join =
                    Some(Join::SynAck { backup: *backup, address_id: *id, truncated_hmac: *hmac, nonce: *nonce });
                None
            }
            Options::JoinAck { hmac } => {
                control.subtypes.push(subtype::MP_JOIN);
                control.join = Some(Join::Ack { hmac: *hmac });
                None
            }
            Options::Rest { add, remove, prio, fail, close, reset, dss, strange } => {
                let mut note = |there: bool, kind: u8| {
                    if there {
                        control.subtypes.push(kind);
                    }
                };
                note(add.is_some(), subtype::ADD_ADDR);
                note(remove.is_some(), subtype::REMOVE_ADDR);
                note(prio.is_some(), subtype::MP_PRIO);
                note(fail.is_some(), subtype::MP_FAIL);
                note(close.is_some(), subtype::MP_FASTCLOSE);
                note(reset.is_some(), subtype::MP_TCPRST);
                note(strange.is_some(), strange.unwrap_or_default());
                control.add_addr = add.map(|(address_id, echo, address, port, hmac)| AddAddr {
                    address_id,
                    echo,
                    address: address.map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))),
                    port,
                    hmac,
                });
                control.remove_addr = remove.map(Vec::from);
                control.prio = prio.map(|(backup, address_id)| Prio { backup, address_id });
                control.fail = fail.as_ref().map(Number64::value);
                control.fastclose = *close;
                control.reset = reset.map(|(flags, reason)| ResetReason { flags: flags & 15, reason });
                dss.as_ref()
            }
        };
        if dss.is_some() {
            control.subtypes.insert(0, subtype::DSS);
        }
        (dss.map(DataSignal::dss), (!control.subtypes.is_empty()).then_some(control))
    }
}

fuzz_target!(|packets: Vec<Packet>| {
    let mut builder = Builder::default();
    for (row, packet) in packets.iter().enumerate() {
        let ip_id = Some(packet.ip_id.into());
        builder.push(&Frame { ttl: Some(packet.ttl), ip_id, ..Frame::default() }, packet.segment(row));
    }
    let dissection = Dissection { packets: builder.finish(), facts: CaptureFacts::default() };
    let capture = Capture::new(PathBuf::from("fuzz"), dissection).expect("any packets are tracked");
    assert!(capture.segments.len() <= packets.len());
    check_sums(&capture.segments, &capture.tracking);
    ask_everything(&capture);
});
