//! The packets of a connection one after the other, each with the data that it carries: what everything about the data
//! level is worked out from.

use super::Direction;
use super::flow::{SubflowDirection, place};
use super::mappings::{self, FirstPass, Flows};
use super::numbers::Numbers;
use super::plain::Reason;
use super::sent::{SentPiece, Walks};
use super::sequence::{Acknowledgement, SentRange};
use super::unseen::Reach;
use crate::interrupt::interruptible;
use crate::packets::segment::{Dss, Segment};
use crate::tracking::role::{ByRole, Role};
use crate::tracking::sequence::Positions;
use crate::tracking::travelling::{Travelling, of_subflow, one_by_one};
use crate::tracking::{Connection, Tracking};
use crate::{Instant, PacketRow};

/// A packet and the data that it carries. Numbers are working ones, see [`Numbers`].
#[derive(Debug, Clone, Copy)]
pub struct Laden<'p, 'a> {
    /// The packet.
    pub packet: &'p Travelling<'a>,
    /// The data that it sends; none where it was recorded elsewhere alone.
    pub sent: &'p [SentRange],
    /// Its DATA_ACK; none where it was recorded elsewhere alone.
    pub acknowledged: Option<Acknowledgement>,
}

/// The mappings of a connection: the first pass over its packets. It tells what each packet carries when they come once
/// more.
pub struct Mappings<'a> {
    segments: &'a [Segment],
    tracking: &'a Tracking,
    connection: &'a Connection,
    found: FirstPass,
    /// Those of the packets that were recorded in one place, where not all were.
    here: Option<FirstPass>,
    reach: ByRole<Reach>,
    in_time_order: bool,
}

impl<'a> Mappings<'a> {
    /// Collects them.
    #[must_use]
    pub fn of(segments: &'a [Segment], tracking: &'a Tracking, connection: &'a Connection) -> Self {
        let packets = || one_by_one(segments, tracking, connection);
        let mut reach = Reach::of(segments, tracking, connection);
        let (mut in_time_order, mut elsewhere, mut latest) = (true, false, Instant::MIN);
        let found = mappings::flows(packets, tracking, connection, |packet, data_ack| {
            Reach::note(&mut reach, packet, data_ack);
            in_time_order &= latest <= packet.segment.abstime;
            latest = packet.segment.abstime;
            elsewhere |= packet.elsewhere;
        });
        let here = || packets().filter(|packet| !packet.elsewhere);
        let here = elsewhere.then(|| mappings::flows(here, tracking, connection, |_, _| {}));
        Mappings { segments, tracking, connection, found, here, reach, in_time_order }
    }

    /// Those of the packets that were recorded in one place: what times are measured on.
    fn here(&self) -> &FirstPass {
        self.here.as_ref().unwrap_or(&self.found)
    }

    /// Meaning of the working numbers of what the packets carry.
    #[must_use]
    pub fn numbers(&self) -> ByRole<Numbers> {
        self.here().numbers
    }

    /// Whether no packet stands in the file behind one recorded later.
    #[must_use]
    pub fn is_in_time_order(&self) -> bool {
        self.in_time_order
    }

    /// The connection.
    pub(super) fn connection(&self) -> &'a Connection {
        self.connection
    }

    /// The packets.
    pub(super) fn packets(&self) -> impl Iterator<Item = Travelling<'a>> + use<'a> {
        one_by_one(self.segments, self.tracking, self.connection)
    }

    /// All packets' flows, and where each packet's payload lies in them.
    pub(super) fn all(&self) -> (&FirstPass, Places) {
        (&self.found, Places::of(&self.found.flows, self.connection))
    }

    /// The same for the packets that were recorded in one place.
    pub(super) fn in_one_place(&self) -> (&FirstPass, Places) {
        (self.here(), Places::of(&self.here().flows, self.connection))
    }

    /// The data that bytes of a subflow carry, as ranges of working numbers, neighbours put together; `bytes` are positions
    /// ([`Positions`]) of the subflow of that index, from the first on, and of a range with very many mappings, the first
    /// `most` count. What has no data sequence numbers is left out.
    #[must_use]
    pub fn carried_by(&self, towards: Role, subflow: usize, bytes: (u64, u64), most: usize) -> Vec<(u64, u64)> {
        let mut parts = Vec::new();
        if let Some(flow) = self.here().flows.get(towards).get(subflow) {
            flow.some_mapped_into(bytes.0, bytes.1, most, &mut parts);
        }
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for part in parts.into_iter().filter(|part| part.carriage.is_numbered()) {
            let end = part.dsn.saturating_add(part.length);
            match ranges.last_mut() {
                Some(last) if last.1 == part.dsn => last.1 = end,
                _ => ranges.push((part.dsn, end)),
            }
        }
        ranges
    }

    /// Evidence that the connection continued as plain TCP (RFC 8684 §3.7), and the packet that shows it first.
    #[must_use]
    pub fn fallback(&self) -> Option<(Reason, PacketRow)> {
        let initial = self.found.initial.as_ref()?;
        let signs = initial.signs();
        let packets = || of_subflow(self.segments, self.tracking, self.connection, initial.index);
        let unmapped = if signs.has_bare_data() { initial.first_unmapped(packets(), &self.found.flows) } else { None };
        signs.reason(unmapped.map(|packet| (packet.row.into(), packet.row)))
    }

    /// The second pass: shows `visit` each packet of the connection, in the order of the file, and what it carries. Returns
    /// the totals of either direction.
    pub fn walk(&self, mut visit: impl FnMut(&Laden<'_, 'a>)) -> ByRole<Direction> {
        let mut all = Walks::new(&self.found.flows, self.connection);
        let mut here = self.here.as_ref().map(|here| Walks::new(&here.flows, self.connection));
        let mut numbers = Numbers::of(self.connection);
        let mut sent = Vec::new();
        interruptible(self.packets()).for_each(|packet| {
            sent.clear();
            let mut acknowledged = None;
            if let Some(here) = &mut here {
                all.push(&packet, |_| {});
                if !packet.elsewhere {
                    here.push(&packet, |stretch| note(&mut sent, &packet, stretch));
                    acknowledged = data_ack(&mut numbers, &packet, self.tracking);
                }
            } else {
                all.push(&packet, |stretch| note(&mut sent, &packet, stretch));
                acknowledged = data_ack(&mut numbers, &packet, self.tracking);
            }
            visit(&Laden { packet: &packet, sent: &sent, acknowledged });
        });
        self.totals(all)
    }

    /// The totals of either direction alone; `visit` is shown each packet.
    pub(super) fn directions(&self, mut visit: impl FnMut(&Travelling<'a>)) -> ByRole<Direction> {
        let mut all = Walks::new(&self.found.flows, self.connection);
        interruptible(self.packets()).for_each(|packet| {
            visit(&packet);
            all.push(&packet, |_| {});
        });
        self.totals(all)
    }

    /// What is known of either direction after the second pass.
    fn totals(&self, all: Walks<'_>) -> ByRole<Direction> {
        let of = |role: Role| Direction {
            acknowledged: self.found.courses.get(role).acknowledged(),
            covered: self.reach.get(role).range(self.found.numbers.get(role)),
            numbers: *self.found.numbers.get(role),
            ..Direction::default()
        };
        let mut totals = ByRole { server: of(Role::Server), client: of(Role::Client) };
        all.finish(&mut totals);
        totals
    }
}

/// Adds a range of data that a packet sends. What several packets had sent before comes in parts.
#[inline]
fn note(sent: &mut Vec<SentRange>, packet: &Travelling<'_>, SentPiece { start, end, sending, carriage }: SentPiece) {
    let numbered = carriage.is_numbered();
    match sent.last_mut() {
        Some(last) if (last.sending, last.end, last.numbered) == (sending, start, numbered) => last.end = end,
        _ => {
            let (row, time, subflow) = (packet.row, packet.segment.abstime, packet.subflow);
            sent.push(SentRange { row, time, subflow, start, end, sending, numbered });
        }
    }
}

/// Takes in the numbers of the next packet as the first pass did; returns its DATA_ACK.
#[inline]
fn next_data_ack(numbers: &mut ByRole<Numbers>, packet: &Travelling<'_>) -> Option<u64> {
    let dss = packet.segment.dss()?;
    let acknowledged = dss
        .data_ack
        .map(|data_ack| numbers.get_mut(packet.towards.other()).working(data_ack, dss.has(Dss::DATA_ACK_8)));
    if let Some(mapping) = dss.mapping {
        numbers.get_mut(packet.towards).working(mapping.dsn, dss.has(Dss::DSN_8));
    }
    acknowledged
}

#[inline]
fn data_ack(numbers: &mut ByRole<Numbers>, packet: &Travelling<'_>, tracking: &Tracking) -> Option<Acknowledgement> {
    let next = next_data_ack(numbers, packet)?;
    let window = tracking.packets.get(packet.row).and_then(|place| place.window());
    Some(Acknowledgement { row: packet.row, time: packet.segment.abstime, subflow: packet.subflow, next, window })
}

/// Where the payloads of packets lie that come once more after the first pass, and the numbers that they have.
pub(super) struct Places {
    positions: ByRole<Vec<Positions>>,
    numbers: ByRole<Numbers>,
}

/// A packet that comes once more.
pub(super) struct Placed {
    /// Position of the first byte of its payload.
    pub start: u64,
    /// Bytes of data in it.
    pub data: u64,
    /// Its DATA_ACK, a working number.
    pub data_ack: Option<u64>,
}

impl Places {
    fn of(flows: &Flows, connection: &Connection) -> Self {
        let starts = |flows: &[SubflowDirection]| flows.iter().map(SubflowDirection::start).collect();
        let positions = ByRole { server: starts(&flows.server), client: starts(&flows.client) };
        Places { positions, numbers: Numbers::of(connection) }
    }

    /// Takes in the next packet.
    pub(super) fn next(&mut self, packet: &Travelling<'_>) -> Option<Placed> {
        let positions = self.positions.get_mut(packet.towards).get_mut(packet.subflow)?;
        let (start, data) = place(positions, packet);
        Some(Placed { start, data, data_ack: next_data_ack(&mut self.numbers, packet) })
    }

    /// The numbers of the data towards that end so far.
    pub(super) fn numbers(&self, towards: Role) -> Numbers {
        *self.numbers.get(towards)
    }
}
