//! The packets of a connection one after the other, each with the data that it carries: what everything about the data
//! level is worked out from.

use super::Direction;
use super::flow::{Payload, SubflowDirection, place};
use super::mappings::{self, FirstPass, Flows, Read};
use super::numbers::Numbers;
use super::parted::{Batch, Parting};
use super::piped::piped;
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

/// Looks at the packets of a connection while they go by, each with its data.
pub trait Observer {
    /// Takes in the next packet.
    fn see(&mut self, laden: &Laden<'_, '_>);
}

/// Looks at nothing.
impl Observer for () {
    fn see(&mut self, _: &Laden<'_, '_>) {}
}

/// One after the other.
impl<A: Observer, B: Observer> Observer for (A, B) {
    #[inline]
    fn see(&mut self, laden: &Laden<'_, '_>) {
        self.0.see(laden);
        self.1.see(laden);
    }
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
        Self::collected(segments, tracking, connection, |_| {})
    }

    /// Collects them, and shows each packet with its data to an observer, as [`Mappings::walk`] does: they are returned with
    /// the totals of either direction.
    ///
    /// Mappings mostly come with their data or before, and then one pass over the packets does. At the first packet with data
    /// whose mapping has not come, this is given up; a new observer sees the packets in a second pass.
    #[must_use]
    pub fn walked<O: Observer + Send>(
        segments: &'a [Segment],
        tracking: &'a Tracking,
        connection: &'a Connection,
        observer: impl Fn() -> O + Sync,
    ) -> (Self, ByRole<Direction>, O) {
        let packets = connection.subflows.iter().filter_map(|id| tracking.stream(*id));
        let packets = packets.map(|stream| stream.packets.len()).sum();
        let seen = || Seen { walks: Walks::new(connection), sent: Vec::new(), observer: observer() };
        let look = |seen: &mut Seen<O>, batch: &Batch<'a>| seen.take(batch, tracking);
        let (mappings, seen) = piped(packets, seen, look, |hand_over| {
            let (mut parting, mut batch) = (Some(Parting::new(connection)), Batch::default());
            let mappings =
                Self::collected(segments, tracking, connection, |&Read { packet, data_ack, payload, flow }| {
                    let settled = !packet.elsewhere && flow.has_mapped(payload);
                    let Some(known) = parting.as_mut().filter(|_| settled) else {
                        parting = None;
                        return;
                    };
                    known.push(packet, data_ack, (flow, payload), &mut batch);
                    if batch.is_full() {
                        hand_over(&batch);
                        batch.clear();
                    }
                });
            hand_over(&batch);
            (mappings, parting.is_some())
        });
        let (mappings, settled) = mappings;
        if settled {
            let directions = mappings.totals(seen.walks);
            return (mappings, directions, seen.observer);
        }
        let mut observer = observer();
        let directions = mappings.walk(|laden| observer.see(laden));
        (mappings, directions, observer)
    }

    /// Collects them; `visit` is shown each packet meanwhile.
    pub(super) fn collected(
        segments: &'a [Segment],
        tracking: &'a Tracking,
        connection: &'a Connection,
        mut visit: impl FnMut(&Read<'_, 'a>),
    ) -> Self {
        let packets = || one_by_one(segments, tracking, connection);
        let mut reach = Reach::of(segments, tracking, connection);
        let (mut in_time_order, mut elsewhere, mut latest) = (true, false, Instant::MIN);
        let found = mappings::flows(packets, tracking, connection, |read| {
            let packet = read.packet;
            Reach::note(&mut reach, packet, read.data_ack);
            in_time_order &= latest <= packet.segment.abstime;
            latest = packet.segment.abstime;
            elsewhere |= packet.elsewhere;
            visit(read);
        });
        let here = || packets().filter(|packet| !packet.elsewhere);
        let here = elsewhere.then(|| mappings::flows(here, tracking, connection, |_| {}));
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
        let mut all = Single::new(self.connection);
        let (found, mut places) = self.all();
        let mut here = self.here.is_some().then(|| (self.in_one_place(), Single::new(self.connection)));
        let mut sent = Vec::new();
        interruptible(self.packets()).for_each(|packet| {
            sent.clear();
            let one_place = here.is_none();
            let of_all = all.push((found, &mut places), &packet, |piece| {
                if one_place {
                    note(&mut sent, &packet, piece);
                }
            });
            let data_ack = match &mut here {
                None => of_all,
                Some(_) if packet.elsewhere => None,
                Some(((found, places), here)) => {
                    here.push((found, places), &packet, |piece| note(&mut sent, &packet, piece))
                }
            };
            let acknowledged = data_ack.map(|next| acknowledgement(next, &packet, self.tracking));
            visit(&Laden { packet: &packet, sent: &sent, acknowledged });
        });
        self.totals(all.walks)
    }

    /// What is known of either direction after the second pass.
    fn totals(&self, all: Walks) -> ByRole<Direction> {
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

/// A DATA_ACK of that working number.
#[inline]
fn acknowledgement(next: u64, packet: &Travelling<'_>, tracking: &Tracking) -> Acknowledgement {
    let window = tracking.packets.get(packet.row).and_then(|place| place.window());
    Acknowledgement { row: packet.row, time: packet.segment.abstime, subflow: packet.subflow, next, window }
}

/// The second pass, and who sees it.
struct Seen<O> {
    walks: Walks,
    sent: Vec<SentRange>,
    observer: O,
}

impl<O: Observer> Seen<O> {
    /// Takes in the next packets.
    fn take(&mut self, batch: &Batch<'_>, tracking: &Tracking) {
        batch.each(|step, again, new| {
            self.sent.clear();
            self.walks.push(step, again, new, |piece| note(&mut self.sent, &step.packet, piece));
            let acknowledged = step.data_ack().map(|next| acknowledgement(next, &step.packet, tracking));
            self.observer.see(&Laden { packet: &step.packet, sent: &self.sent, acknowledged });
        });
    }
}

/// The second pass packet by packet.
struct Single<'a> {
    parting: Parting,
    batch: Batch<'a>,
    walks: Walks,
}

impl<'a> Single<'a> {
    fn new(connection: &Connection) -> Self {
        Single { parting: Parting::new(connection), batch: Batch::default(), walks: Walks::new(connection) }
    }

    /// Takes in the next packet, one of those that the first pass `found`; returns its DATA_ACK. `visit` sees each range of
    /// data that it carries.
    #[inline]
    fn push(
        &mut self,
        (found, places): (&FirstPass, &mut Places),
        packet: &Travelling<'a>,
        mut visit: impl FnMut(SentPiece),
    ) -> Option<u64> {
        let Placed { payload, data_ack } = places.next(packet)?;
        let flow = found.flows.get(packet.towards).get(packet.subflow)?;
        self.batch.clear();
        self.parting.push(packet, data_ack, (flow, payload), &mut self.batch);
        self.batch.each(|step, again, new| self.walks.push(step, again, new, &mut visit));
        data_ack
    }
}

/// Where the payloads of packets lie that come once more after the first pass, and the numbers that they have.
pub(super) struct Places {
    positions: ByRole<Vec<Positions>>,
    numbers: ByRole<Numbers>,
}

/// A packet that comes once more.
pub(super) struct Placed {
    /// Where its payload lies in its flow.
    pub payload: Payload,
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
        Some(Placed { payload: Payload { start, data }, data_ack: self.data_ack(packet) })
    }

    /// Takes in the numbers of the next packet as the first pass did; returns its DATA_ACK.
    #[inline]
    fn data_ack(&mut self, packet: &Travelling<'_>) -> Option<u64> {
        let dss = packet.segment.dss()?;
        let acknowledged = dss
            .data_ack
            .map(|data_ack| self.numbers.get_mut(packet.towards.other()).working(data_ack, dss.has(Dss::DATA_ACK_8)));
        if let Some(mapping) = dss.mapping {
            self.numbers.get_mut(packet.towards).working(mapping.dsn, dss.has(Dss::DSN_8));
        }
        acknowledged
    }

    /// The numbers of the data towards that end so far.
    pub(super) fn numbers(&self, towards: Role) -> Numbers {
        *self.numbers.get(towards)
    }
}
