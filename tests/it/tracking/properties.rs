//! The data level against a model that goes byte by byte, over made-up transfers: any split of data into subflows,
//! mappings and segments, lost, sent again by TCP or under new numbers.

use std::net::{IpAddr, Ipv4Addr};

use mptcp_trace::packets::segment::{Capable, Control, Dss, Fields, Join, Mapping, Segments, flag, subtype};
use mptcp_trace::tracking::data::{RepeatKind, data_level};
use mptcp_trace::tracking::derive;
use mptcp_trace::tracking::{Tracking, track};
use mptcp_trace::{ConnectionId, Instant};
use proptest::prelude::*;

use super::model::{Again, Given, Payload, counts, model};

/// How the numbers of the data begin.
#[derive(Debug, Clone, Copy)]
enum Beginning {
    /// MP_CAPABLE was captured with this client key.
    Key(u64),
    /// Only joins were: data begins after this number, whatever key it came from.
    Unknown(u64),
}

/// A client key whose IDSN is 69 below a multiple of 2^32: `printf %016x 2371058 | xxd -r -p | sha256sum` ends in
/// 3f85e31fe8ffffffbb.
const KEY_BEFORE_A_WRAP: u64 = 2_371_058;

#[derive(Debug, Clone)]
enum Step {
    /// The sender gives a subflow data to send: new data, or from data that was given out before.
    Append { subflow: u8, again_from: Option<u16>, length: u8 },
    /// A subflow sends the next bytes that it has not sent yet.
    Send { subflow: u8, length: u8, lost: bool, option: Carried },
    /// A subflow sends bytes again.
    Again { subflow: u8, from: u16, length: u8, lost: bool, option: Carried },
    /// A packet without payload that carries a mapping.
    Announce { subflow: u8, option: Carried },
    /// The receiver acknowledges data.
    Acknowledge { subflow: u8, number: u16, wide: bool },
}

/// Which mapping a packet carries.
#[derive(Debug, Clone)]
enum Carried {
    Nothing,
    Whole {
        index: u8,
        wide: bool,
        data_fin: bool,
    },
    Part {
        index: u8,
        skip: u8,
        length: u8,
        wide: bool,
    },
    /// That of the data it carries, as most senders do it.
    Own {
        wide: bool,
    },
    OnlyDataFin,
}

#[derive(Debug, Clone)]
struct Plan {
    beginning: Beginning,
    isns: Vec<u32>,
    steps: Vec<Step>,
}

fn carried() -> impl Strategy<Value = Carried> {
    prop_oneof![
        2 => Just(Carried::Nothing),
        2 => (any::<u8>(), any::<bool>(), any::<bool>())
            .prop_map(|(index, wide, data_fin)| Carried::Whole { index, wide, data_fin }),
        2 => (any::<u8>(), 0..20_u8, 1..30_u8, any::<bool>())
            .prop_map(|(index, skip, length, wide)| Carried::Part { index, skip, length, wide }),
        4 => any::<bool>().prop_map(|wide| Carried::Own { wide }),
        1 => Just(Carried::OnlyDataFin),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let subflow = 0..4_u8;
    prop_oneof![
        3 => (subflow.clone(), proptest::option::weighted(0.3, any::<u16>()), 1..40_u8)
            .prop_map(|(subflow, again_from, length)| Step::Append { subflow, again_from, length }),
        6 => (subflow.clone(), 1..40_u8, proptest::bool::weighted(0.15), carried())
            .prop_map(|(subflow, length, lost, option)| Step::Send { subflow, length, lost, option }),
        2 => (subflow.clone(), any::<u16>(), 1..40_u8, proptest::bool::weighted(0.1), carried())
            .prop_map(|(subflow, from, length, lost, option)| Step::Again { subflow, from, length, lost, option }),
        1 => (subflow.clone(), carried()).prop_map(|(subflow, option)| Step::Announce { subflow, option }),
        1 => (subflow, any::<u16>(), any::<bool>())
            .prop_map(|(subflow, number, wide)| Step::Acknowledge { subflow, number, wide }),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    let near_the_end_of_32_bits = any::<u64>().prop_map(|number| number | 0xffff_ff80);
    let beginning = prop_oneof![
        any::<u64>().prop_map(Beginning::Key),
        Just(Beginning::Key(KEY_BEFORE_A_WRAP)),
        near_the_end_of_32_bits.prop_map(Beginning::Unknown),
        (0..200_u64).prop_map(|back| Beginning::Unknown(u64::MAX - back)),
        any::<u64>().prop_map(Beginning::Unknown),
    ];
    let isn = prop_oneof![any::<u32>(), (0..150_u32).prop_map(|back| u32::MAX - back)];
    (beginning, proptest::collection::vec(isn, 1..=4), proptest::collection::vec(step(), 0..80))
        .prop_map(|(beginning, isns, steps)| Plan { beginning, isns, steps })
}

/// Data given to a subflow: where it begins in the subflow (from 0) and in the data (from 1), bytes.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    at: usize,
    dsn: u64,
    length: usize,
}

/// One subflow of the model.
#[derive(Debug, Default)]
struct Sender {
    isn: u32,
    given: Given,
    chunks: Vec<Chunk>,
    /// Bytes sent at least once, captured or not.
    sent: usize,
}

struct World {
    plan: Plan,
    idsn: u64,
    senders: Vec<Sender>,
    /// Data bytes given out so far.
    given: u64,
    segments: Vec<Fields>,
    payloads: Vec<Payload>,
    /// Row and number of each acknowledgement.
    acknowledgements: Vec<(usize, u64)>,
    /// Some number of 64 bits was captured, or the key.
    real_numbers_known: bool,
    capable_done: bool,
}

const SERVER_KEY: u64 = 7;

impl World {
    fn new(plan: &Plan) -> Self {
        let idsn = match plan.beginning {
            Beginning::Key(key) => derive(1, key).unwrap().idsn,
            Beginning::Unknown(idsn) => idsn,
        };
        let senders: Vec<Sender> = plan.isns.iter().map(|isn| Sender { isn: *isn, ..Sender::default() }).collect();
        let mut world = World {
            plan: plan.clone(),
            idsn,
            senders,
            given: 0,
            segments: Vec::new(),
            payloads: Vec::new(),
            acknowledgements: Vec::new(),
            real_numbers_known: matches!(plan.beginning, Beginning::Key(_)),
            capable_done: false,
        };
        for subflow in 0..world.senders.len() {
            world.handshake(subflow);
        }
        for step in plan.steps.clone() {
            world.step(&step);
        }
        world
    }

    fn keyed(&self) -> bool {
        matches!(self.plan.beginning, Beginning::Key(_))
    }

    fn segment(&self, subflow: usize, by_client: bool, flags: u16) -> Fields {
        let address = |last: usize| IpAddr::V4(Ipv4Addr::new(10, 0, 0, u8::try_from(last).unwrap()));
        let (client, server) = ((address(1 + subflow), 40_000), (address(100), 80));
        let (from, to) = if by_client { (client, server) } else { (server, client) };
        Fields {
            packetid: self.segments.len() as u64 + 1,
            abstime: Instant::from_nanoseconds(self.segments.len() as i64),
            flags,
            window: 1000,
            ..Fields::between(from, to)
        }
    }

    fn handshake(&mut self, subflow: usize) {
        let isn = self.senders[subflow].isn;
        let with = |mut segment: Fields, sequence: u32, control: Control| {
            segment.sequence = sequence;
            segment.acknowledgement = 1;
            segment.control = Some(Box::new(control));
            segment
        };
        let capable = |sender_key, receiver_key| Control {
            capable: Some(Capable { version: 1, flags: 1, sender_key, receiver_key, ..Capable::default() }),
            subtypes: vec![subtype::MP_CAPABLE],
            ..Control::default()
        };
        let (syn, syn_ack, ack) = match self.plan.beginning {
            Beginning::Key(key) if subflow == 0 => {
                (capable(None, None), capable(Some(SERVER_KEY), None), Some(capable(Some(key), Some(SERVER_KEY))))
            }
            _ => {
                let join = |join| Control { join: Some(join), subtypes: vec![subtype::MP_JOIN], ..Control::default() };
                let token = derive(1, SERVER_KEY).map(|derived| derived.token);
                let syn = Join::Syn { backup: false, address_id: 1, token, nonce: None };
                let answer = Join::SynAck { backup: false, address_id: 0, truncated_hmac: None, nonce: None };
                (join(syn), join(answer), None)
            }
        };
        self.segments.push(with(self.segment(subflow, true, flag::SYN), isn, syn));
        let mut answer = with(self.segment(subflow, false, flag::SYN | flag::ACK), 0, syn_ack);
        answer.acknowledgement = isn.wrapping_add(1);
        self.segments.push(answer);
        if let Some(ack) = ack {
            self.segments.push(with(self.segment(subflow, true, flag::ACK), isn.wrapping_add(1), ack));
        }
    }

    fn step(&mut self, step: &Step) {
        let count = self.senders.len();
        let of = |subflow: &u8| usize::from(*subflow) % count;
        match step {
            Step::Append { subflow, again_from, length } => self.append(of(subflow), *again_from, *length),
            Step::Send { subflow, length, lost, option } => {
                let sender = &mut self.senders[of(subflow)];
                let from = sender.sent;
                let to = (from + usize::from(*length)).min(sender.given.content.len());
                sender.sent = to;
                if from < to {
                    self.packet(of(subflow), from, to - from, *lost, option);
                }
            }
            Step::Again { subflow, from, length, lost, option } => {
                let sender = &self.senders[of(subflow)];
                if sender.sent > 0 {
                    let from = usize::from(*from) % sender.sent;
                    let to = (from + usize::from(*length)).min(sender.sent);
                    self.packet(of(subflow), from, to - from, *lost, option);
                }
            }
            Step::Announce { subflow, option } => {
                let from = self.senders[of(subflow)].sent;
                self.packet(of(subflow), from, 0, false, option);
            }
            Step::Acknowledge { subflow, number, wide } => {
                let number = 1 + u64::from(*number) % (self.given + 1);
                self.acknowledgements.push((self.segments.len(), number));
                self.real_numbers_known |= wide;
                let sent = self.as_sent(number, *wide);
                let flags = Dss::DATA_ACK | if *wide { Dss::DATA_ACK_8 } else { 0 };
                let mut segment = self.segment(of(subflow), false, flag::ACK);
                segment.sequence = 1;
                segment.acknowledgement = self.senders[of(subflow)].isn.wrapping_add(1);
                segment.dss = Some(Dss { flags, data_ack: Some(sent), mapping: None });
                self.segments.push(segment);
            }
        }
    }

    fn append(&mut self, subflow: usize, again_from: Option<u16>, length: u8) {
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
        let sender = &mut self.senders[subflow];
        sender.chunks.push(Chunk { at: sender.given.content.len(), dsn, length: length as usize });
        sender.given.content.extend(dsn..dsn + length);
    }

    fn as_sent(&self, relative: u64, wide: bool) -> u64 {
        let number = self.idsn.wrapping_add(relative);
        if wide { number } else { number & 0xffff_ffff }
    }

    fn packet(&mut self, subflow: usize, from: usize, length: usize, lost: bool, option: &Carried) {
        if lost {
            return;
        }
        let mut segment = self.segment(subflow, true, flag::ACK);
        segment.sequence = self.senders[subflow].isn.wrapping_add(1 + u32::try_from(from).unwrap());
        segment.acknowledgement = 1;
        segment.payload = Some(u32::try_from(length).unwrap());
        let first = self.senders[subflow].chunks.first().copied();
        let own = matches!(option, Carried::Own { .. });
        // Segmentation offload copies the option onto each segment of the first burst.
        let copy = matches!(option, Carried::Own { wide: true }) && from > 0;
        if let (true, Beginning::Key(key), 0, Some(first)) =
            (own && length > 0 && (copy || (from == 0 && !self.capable_done)), self.plan.beginning, subflow, first)
            && first.dsn == 1
            && from < first.length
        {
            // The first data may be mapped by MP_CAPABLE itself.
            self.capable_done = true;
            let data_length = Some(u16::try_from(first.length).unwrap());
            let (sender_key, receiver_key) = (Some(key), Some(SERVER_KEY));
            let capable = Capable { version: 1, flags: 1, sender_key, receiver_key, data_length, checksum: None };
            let subtypes = vec![subtype::MP_CAPABLE];
            segment.control = Some(Box::new(Control { capable: Some(capable), subtypes, ..Control::default() }));
            self.senders[subflow].given.mapped.extend(0..first.length);
        } else {
            segment.dss = self.dss(subflow, from, option);
        }
        if length > 0 {
            self.payloads.push(Payload { row: self.segments.len(), subflow, from, length });
        }
        self.segments.push(segment);
    }

    fn dss(&mut self, subflow: usize, from: usize, option: &Carried) -> Option<Dss> {
        let chunks = &self.senders[subflow].chunks;
        let nth = |index: u8| chunks.get(usize::from(index) % chunks.len().max(1)).copied();
        let (chunk, wide, data_fin) = match option {
            Carried::Nothing => return None,
            Carried::Whole { index, wide, data_fin } => (nth(*index)?, *wide, *data_fin),
            Carried::Own { wide } => (*chunks.iter().rfind(|chunk| chunk.at <= from)?, *wide, false),
            Carried::Part { index, skip, length, wide } => {
                let whole = nth(*index)?;
                let skip = usize::from(*skip).min(whole.length - 1);
                let length = usize::from(*length).min(whole.length - skip);
                (Chunk { at: whole.at + skip, dsn: whole.dsn + skip as u64, length }, *wide, false)
            }
            Carried::OnlyDataFin => {
                let mapping = Mapping { dsn: self.as_sent(self.given + 1, true), ssn: 0, length: 1, checksum: None };
                self.real_numbers_known = true;
                let flags = Dss::MAPPING | Dss::DSN_8 | Dss::DATA_FIN;
                return Some(Dss { flags, data_ack: None, mapping: Some(mapping) });
            }
        };
        self.senders[subflow].given.mapped.extend(chunk.at..chunk.at + chunk.length);
        self.real_numbers_known |= wide;
        let mapping = Mapping {
            dsn: self.as_sent(chunk.dsn, wide),
            ssn: u32::try_from(chunk.at).unwrap() + 1,
            length: u16::try_from(chunk.length).unwrap() + u16::from(data_fin),
            checksum: None,
        };
        let flags = Dss::MAPPING | if wide { Dss::DSN_8 } else { 0 } | if data_fin { Dss::DATA_FIN } else { 0 };
        Some(Dss { flags, data_ack: None, mapping: Some(mapping) })
    }
}

fn check(world: &World, segments: &Segments, tracking: &Tracking) -> Result<(), TestCaseError> {
    let given: Vec<&Given> = world.senders.iter().map(|sender| &sender.given).collect();
    let expected = model(&given, world.payloads.iter().copied());
    prop_assert_eq!(tracking.connections.len(), 1);
    let connection = tracking.connection(ConnectionId(0)).unwrap();
    prop_assert_eq!(connection.subflows.len(), world.senders.len());
    let level = data_level(segments, tracking, connection);
    let direction = &level.directions.server;
    prop_assert_eq!(counts(direction), expected.counts);

    prop_assert_eq!(level.rows.len(), world.segments.len());
    let real = |relative: u64| world.real_numbers_known.then(|| world.idsn.wrapping_add(relative));
    let from_idsn = |relative: u64| world.keyed().then_some(relative);
    for (row, data) in level.rows.iter().zip(&level.packets) {
        let wanted = expected.dsn.get(&(row.index())).copied().flatten();
        prop_assert_eq!(data.dsn, wanted.and_then(real), "raw DSN of row {}", row);
        prop_assert_eq!(data.relative_dsn, wanted.and_then(from_idsn), "DSN of row {}", row);
        prop_assert_eq!(data.mapping_row.is_some(), wanted.is_some(), "mapping of row {}", row);
        let acknowledged = world.acknowledgements.iter().find(|(at, _)| at == &(row.index())).map(|(_, n)| *n);
        prop_assert_eq!(data.data_ack, acknowledged.and_then(real), "raw DATA_ACK of row {}", row);
        prop_assert_eq!(data.relative_data_ack, acknowledged.and_then(from_idsn), "DATA_ACK of row {}", row);
    }
    if world.real_numbers_known {
        let mut again: Vec<Again> = Vec::new();
        for repeat in &direction.repeats {
            for byte in 0..repeat.length {
                let number = direction.numbers.real(repeat.dsn + byte).expect("they are known");
                let data = number.wrapping_sub(world.idsn);
                let same = repeat.kind == RepeatKind::SameSubflow;
                again.push((repeat.row.index(), same, data, repeat.original_row.index()));
            }
        }
        again.sort_unstable();
        prop_assert_eq!(again, expected.again);
    }
    let found = mptcp_trace::tracking::retransmitted(segments, tracking);
    for (row, found) in found.iter().enumerate() {
        prop_assert_eq!(*found, expected.retransmission.get(&row).copied(), "retransmission of row {}", row);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_data_level_counts_as_the_model_does(plan in plan()) {
        let world = World::new(&plan);
        let segments: Segments = world.segments.iter().cloned().collect();
        check(&world, &segments, &track(&segments))?;
    }
}
