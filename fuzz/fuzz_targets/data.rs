//! Transfers over several subflows: mappings that overlap, retransmissions, reinjections, fallbacks. The sums of the data
//! level agree, no byte counts twice, numbers that wrap change nothing, and an honest sender's bytes are counted as a
//! model counts them that goes byte by byte.
#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use mptcp_trace::packets::segment::{Capable, Control, Dss, Fields, Join, Mapping, Segments, flag, subtype};
use mptcp_trace::tracking::data::data_level;
use mptcp_trace::tracking::derive;
use mptcp_trace::tracking::{Role, track};
use mptcp_trace::Instant;
use mptcpanalyzer_fuzz::{check_connection, check_sums};

use model::{Given, Payload, counts, model};

// It counts more than is compared here.
#[allow(dead_code)]
#[path = "../../tests/it/tracking/model.rs"]
mod model;

/// What happens, in order. Small numbers, so that things meet.
#[derive(Debug, Arbitrary)]
struct Plan {
    /// Protocol version 1, not 0.
    newer: bool,
    client_key: u8,
    /// MP_CAPABLE was captured; otherwise the first subflow is a join as well.
    from_the_start: bool,
    /// Subflows beside the first, 0 to 3.
    joined: u8,
    /// How far before the end of the numbers each subflow begins.
    before_the_wrap: [u8; 4],
    steps: Vec<Step>,
}

#[derive(Debug, Arbitrary)]
enum Step {
    /// The client gives a subflow data: new data, or from data that was given out before.
    Give { subflow: u8, again_from: Option<u8>, length: u8 },
    /// A subflow sends the next bytes that it has not sent yet.
    Send { subflow: u8, length: u8, lost: bool, option: Carried },
    /// A subflow sends bytes again.
    Again { subflow: u8, from: u8, length: u8, option: Carried },
    /// A packet without payload that carries a mapping.
    Announce { subflow: u8, option: Carried },
    /// The server acknowledges data.
    Acknowledge { subflow: u8, number: u8, wide: bool },
    /// No honest sender does this.
    Strange(u8, Strange),
}

/// Which mapping a packet carries.
#[derive(Debug, Arbitrary)]
enum Carried {
    Nothing,
    Nth { nth: u8, skip: u8, wide: bool },
    Own { wide: bool },
    DataFin,
}

#[derive(Debug, Arbitrary)]
enum Strange {
    /// Any payload under any mapping, either way.
    Mapped {
        back: bool,
        at: i16,
        payload: u8,
        dsn: i16,
        ssn: i16,
        length: u16,
        wide: bool,
        data_ack: Option<i16>,
    },
    /// Payload without an option, either way; what is acknowledged follows it.
    Bare {
        back: bool,
        at: i16,
        payload: u8,
        flags: u8,
        acknowledged: i16,
    },
    /// Data goes on as plain TCP.
    Infinite {
        back: bool,
        at: i16,
        payload: u8,
        dsn: i16,
    },
    Fail {
        back: bool,
        dsn: i16,
    },
    /// A handshake again, with payload in its SYN.
    Again {
        join: bool,
        payload: u8,
    },
}

/// Data that a subflow was given: where it begins in the subflow (from 0) and in the data (from 1), bytes.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    at: u32,
    dsn: u64,
    length: u32,
}

#[derive(Default)]
struct Sender {
    given: Given,
    chunks: Vec<Chunk>,
    sent: u32,
}

/// Other than any key of the client, which have a byte.
const SERVER_KEY: u64 = 1000;

struct World<'p> {
    plan: &'p Plan,
    /// Added to all numbers of subflows.
    shift: u32,
    idsn: u64,
    senders: Vec<Sender>,
    given: u64,
    segments: Vec<Fields>,
    payloads: Vec<Payload>,
    honest: bool,
}

impl<'p> World<'p> {
    fn new(plan: &'p Plan, shift: u32) -> Self {
        let version = u8::from(plan.newer);
        let idsn = derive(version, plan.client_key.into()).map_or(0, |derived| derived.idsn);
        let senders = (0..=plan.joined % 4).map(|_| Sender::default()).collect();
        let (given, segments, payloads) = (0, Vec::new(), Vec::new());
        let mut world = World { plan, shift, idsn, senders, given, segments, payloads, honest: true };
        for subflow in 0..world.senders.len() {
            world.handshake(subflow, subflow > 0 || !plan.from_the_start, 0);
        }
        for step in &plan.steps {
            world.step(step);
        }
        world
    }

    /// Where the client's numbers begin, and the server's.
    fn begin(&self, subflow: usize, by_client: bool) -> u32 {
        let back = if by_client { u32::from(self.plan.before_the_wrap[subflow]) } else { 40 };
        self.shift.wrapping_sub(back)
    }

    fn packet(&mut self, subflow: usize, by_client: bool, flags: u16, at: u32, payload: u32) -> &mut Fields {
        let address = |last: usize| IpAddr::V4(Ipv4Addr::new(10, 0, 0, last as u8));
        let (client, server) = ((address(1 + subflow), 40_000), (address(100), 80));
        let (from, to) = if by_client { (client, server) } else { (server, client) };
        let sequence = self.begin(subflow, by_client).wrapping_add(at);
        let acknowledgement = self.begin(subflow, !by_client).wrapping_add(1);
        self.segments.push(Fields {
            packetid: self.segments.len() as u64 + 1,
            abstime: Instant::from_nanoseconds(self.segments.len() as i64),
            flags,
            window: 1000,
            sequence,
            acknowledgement,
            payload: Some(payload),
            ..Fields::between(from, to)
        });
        self.segments.last_mut().expect("it was just put there")
    }

    fn handshake(&mut self, subflow: usize, join: bool, payload: u32) {
        let version = u8::from(self.plan.newer);
        let key = Some(u64::from(self.plan.client_key));
        let capable = |sender_key, receiver_key| Control {
            capable: Some(Capable { version, flags: 1, sender_key, receiver_key, ..Capable::default() }),
            subtypes: vec![subtype::MP_CAPABLE],
            ..Control::default()
        };
        let joining = |join| Control { join: Some(join), subtypes: vec![subtype::MP_JOIN], ..Control::default() };
        let token = derive(version, SERVER_KEY).map(|derived| derived.token);
        let (syn, answer, ack) = if join {
            let syn = Join::Syn { backup: false, address_id: 1, token, nonce: None };
            let answer = Join::SynAck { backup: false, address_id: 0, truncated_hmac: None, nonce: None };
            (joining(syn), joining(answer), None)
        } else {
            let first = if self.plan.newer { None } else { key };
            (capable(first, None), capable(Some(SERVER_KEY), None), Some(capable(key, Some(SERVER_KEY))))
        };
        let syn_packet = self.packet(subflow, true, flag::SYN, 0, payload);
        syn_packet.acknowledgement = 0;
        syn_packet.control = Some(Box::new(syn));
        self.packet(subflow, false, flag::SYN | flag::ACK, 0, 0).control = Some(Box::new(answer));
        self.packet(subflow, true, flag::ACK, 1, 0).control = ack.map(Box::new);
    }

    fn step(&mut self, step: &Step) {
        let count = self.senders.len();
        let of = |subflow: &u8| usize::from(*subflow) % count;
        match step {
            Step::Give { subflow, again_from, length } => self.give(of(subflow), *again_from, *length),
            Step::Send { subflow, length, lost, option } => {
                let sender = &mut self.senders[of(subflow)];
                let from = sender.sent;
                sender.sent = (from + u32::from(*length)).min(sender.given.content.len() as u32);
                let length = sender.sent - from;
                if length > 0 && !lost {
                    self.send(of(subflow), from, length, option);
                }
            }
            Step::Again { subflow, from, length, option } => {
                let sent = self.senders[of(subflow)].sent;
                if sent > 0 {
                    let from = u32::from(*from) % sent;
                    self.send(of(subflow), from, u32::from(*length).min(sent - from), option);
                }
            }
            Step::Announce { subflow, option } => self.send(of(subflow), self.senders[of(subflow)].sent, 0, option),
            Step::Acknowledge { subflow, number, wide } => {
                let number = self.as_sent(1 + u64::from(*number) % (self.given + 1), *wide);
                let flags = Dss::DATA_ACK | if *wide { Dss::DATA_ACK_8 } else { 0 };
                let packet = self.packet(of(subflow), false, flag::ACK, 1, 0);
                packet.dss = Some(Dss { flags, data_ack: Some(number), mapping: None });
            }
            Step::Strange(subflow, strange) => {
                self.honest = false;
                self.strange(of(subflow), strange);
            }
        }
    }

    fn give(&mut self, subflow: usize, again_from: Option<u8>, length: u8) {
        let (dsn, length) = match again_from {
            Some(from) if self.given > 0 => {
                let dsn = 1 + u64::from(from) % self.given;
                (dsn, u64::from(length).min(self.given + 1 - dsn))
            }
            _ => {
                self.given += u64::from(length);
                (self.given + 1 - u64::from(length), u64::from(length))
            }
        };
        if length > 0 {
            let sender = &mut self.senders[subflow];
            sender.chunks.push(Chunk { at: sender.given.content.len() as u32, dsn, length: length as u32 });
            sender.given.content.extend(dsn..dsn + length);
        }
    }

    fn as_sent(&self, relative: u64, wide: bool) -> u64 {
        let number = self.idsn.wrapping_add(relative);
        if wide { number } else { number & 0xffff_ffff }
    }

    fn send(&mut self, subflow: usize, from: u32, length: u32, option: &Carried) {
        let dss = self.dss(subflow, from, option);
        self.packet(subflow, true, flag::ACK, 1 + from, length).dss = dss;
        if length > 0 {
            let (from, length) = (from as usize, length as usize);
            self.payloads.push(Payload { row: self.segments.len() - 1, subflow, from, length });
        }
    }

    fn dss(&mut self, subflow: usize, from: u32, option: &Carried) -> Option<Dss> {
        let chunks = &self.senders[subflow].chunks;
        let (chunk, wide) = match option {
            Carried::Nothing => return None,
            Carried::Own { wide } => (*chunks.iter().rfind(|chunk| chunk.at <= from)?, *wide),
            Carried::Nth { nth, skip, wide } => {
                let whole = *chunks.get(usize::from(*nth) % chunks.len().max(1))?;
                let skip = u32::from(*skip) % whole.length;
                let (at, dsn) = (whole.at + skip, whole.dsn + u64::from(skip));
                (Chunk { at, dsn, length: whole.length - skip }, *wide)
            }
            Carried::DataFin => {
                let mapping = Mapping { dsn: self.as_sent(self.given + 1, true), ssn: 0, length: 1, checksum: None };
                let flags = Dss::MAPPING | Dss::DSN_8 | Dss::DATA_FIN;
                return Some(Dss { flags, data_ack: None, mapping: Some(mapping) });
            }
        };
        self.senders[subflow].given.mapped.extend((chunk.at..chunk.at + chunk.length).map(|byte| byte as usize));
        let dsn = self.as_sent(chunk.dsn, wide);
        let mapping = Mapping { dsn, ssn: chunk.at + 1, length: chunk.length as u16, checksum: None };
        let flags = Dss::MAPPING | if wide { Dss::DSN_8 } else { 0 };
        Some(Dss { flags, data_ack: None, mapping: Some(mapping) })
    }

    fn strange(&mut self, subflow: usize, strange: &Strange) {
        let at = |at: i16| i32::from(at).cast_unsigned();
        let number = |dsn: i16| i64::from(dsn).cast_unsigned();
        match *strange {
            Strange::Mapped { back, at: begin, payload, dsn, ssn, length, wide, data_ack } => {
                let mapping = Mapping { dsn: self.as_sent(number(dsn), wide), ssn: at(ssn), length, checksum: None };
                let data_ack = data_ack.map(|ack| self.as_sent(number(ack), wide));
                let flags = Dss::MAPPING
                    | if wide { Dss::DSN_8 | Dss::DATA_ACK_8 } else { 0 }
                    | if data_ack.is_some() { Dss::DATA_ACK } else { 0 };
                self.packet(subflow, !back, flag::ACK, at(begin), payload.into()).dss =
                    Some(Dss { flags, data_ack, mapping: Some(mapping) });
            }
            Strange::Bare { back, at: begin, payload, flags, acknowledged } => {
                let number = self.begin(subflow, back).wrapping_add(at(acknowledged));
                let packet = self.packet(subflow, !back, flags.into(), at(begin), payload.into());
                packet.acknowledgement = number;
            }
            Strange::Infinite { back, at: begin, payload, dsn } => {
                let mapping =
                    Mapping { dsn: self.as_sent(number(dsn), true), ssn: at(begin), length: 0, checksum: None };
                self.packet(subflow, !back, flag::ACK, at(begin), payload.into()).dss =
                    Some(Dss { flags: Dss::MAPPING | Dss::DSN_8, data_ack: None, mapping: Some(mapping) });
            }
            Strange::Fail { back, dsn } => {
                let fail = Some(self.as_sent(number(dsn), true));
                let control = Control { fail, subtypes: vec![subtype::MP_FAIL], ..Control::default() };
                self.packet(subflow, !back, flag::ACK, 1, 0).control = Some(Box::new(control));
            }
            Strange::Again { join, payload } => self.handshake(subflow, join, payload.into()),
        }
    }
}

fuzz_target!(|plan: Plan| {
    let world = World::new(&plan, 1 << 30);
    let segments: Segments = world.segments.iter().cloned().collect();
    let tracking = track(&segments);
    check_sums(&segments, &tracking);
    // The same with numbers that wrap in the middle.
    let wrapping = World::new(&plan, 0);
    let wrapping: Segments = wrapping.segments.into_iter().collect();
    let tracking_wrapping = track(&wrapping);
    assert_eq!(tracking.connections.len(), tracking_wrapping.connections.len());
    for (connection, other) in tracking.connections.iter().zip(&tracking_wrapping.connections) {
        assert_eq!(connection.subflows, other.subflows);
        check_connection(&wrapping, &tracking_wrapping, other);
        let level = data_level(&segments, &tracking, connection);
        let other = data_level(&wrapping, &tracking_wrapping, other);
        for role in Role::BOTH {
            assert_eq!(counts(level.directions.get(role)), counts(other.directions.get(role)), "numbers that wrap");
        }
        if world.honest {
            assert_eq!(tracking.connections.len(), 1, "one connection was made");
            let given: Vec<&Given> = world.senders.iter().map(|sender| &sender.given).collect();
            let expected = model(&given, world.payloads.iter().copied());
            assert_eq!(counts(&level.directions.server), expected.counts, "the model counts otherwise");
        }
    }
});
