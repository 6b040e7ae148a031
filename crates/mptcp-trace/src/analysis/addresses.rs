//! Which addresses did the ends advertise and withdraw, and what came of it?

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;

use crate::interrupt::interruptible;
use crate::packets::segment::AddAddr;
use crate::tracking::authentication::{HmacVerdict, WrongPart, verify_add_addr, wrong_part};
use crate::tracking::travelling::{Travelling, signals};
use crate::tracking::{Capture, Connection, Role, SubflowKind};
use crate::{PacketRow, StreamId};

/// One advertisement, copies of it put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advertisement {
    /// The advertisement.
    pub option: AddAddr,
    /// The end that advertised it.
    pub by: Role,
    /// Rows of the ADD_ADDR and its copies.
    pub rows: Vec<PacketRow>,
    /// The TCP stream of the first.
    pub tcpstream: StreamId,
    /// Row of the first echo.
    pub echo: Option<PacketRow>,
    /// Verdict on its HMAC (RFC 8684 §3.4.1); version 0 has none.
    pub verdict: HmacVerdict,
    /// Where the HMAC is wrong, the part of the right one that it is.
    pub wrong_part: Option<WrongPart>,
    /// Its id stood for another address, which was not withdrawn: the peer ignores it.
    pub reuses: bool,
    /// The peer asked to join at the address after it was advertised.
    pub joined: bool,
    /// The advertiser itself asked to join from the address.
    pub joined_from: bool,
    /// Row of the REMOVE_ADDR that withdrew it.
    pub removed: Option<PacketRow>,
}

/// The advertisements of a connection, in the order of their first packet.
#[must_use]
pub fn advertisements(capture: &Capture, connection: &Connection) -> Vec<Advertisement> {
    advertisements_among(capture, connection, signals(&capture.segments, &capture.tracking, connection))
}

/// The same, where at least the [signals](crate::Segment::is_signal) among its packets are at hand.
#[must_use]
pub fn advertisements_among<'a>(
    capture: &Capture,
    connection: &Connection,
    packets: impl IntoIterator<Item = Travelling<'a>>,
) -> Vec<Advertisement> {
    let mut found = Found::default();
    for packet in interruptible(packets) {
        let Some(control) = packet.segment.control() else { continue };
        if let Some(option) = &control.add_addr {
            if option.echo { found.echo(option, &packet) } else { found.advertise(option, &packet, connection) }
        }
        for id in control.remove_addr.iter().flatten() {
            found.remove(*id, &packet);
        }
    }
    let joins = Joins::of(capture, connection);
    for advertisement in interruptible(&mut found.all) {
        advertisement.joined = joins.go_to(advertisement);
        advertisement.joined_from = joins.come_from(advertisement);
    }
    found.all
}

/// The same address under the same id by the same end: an echo and a copy repeat these, not the HMAC.
type Identity = (Role, u8, Option<IpAddr>, Option<u16>);

fn identity(by: Role, option: &AddAddr) -> Identity {
    (by, option.address_id, option.address, option.port)
}

/// Advertisements found so far, and where they are among all.
#[derive(Default)]
struct Found {
    all: Vec<Advertisement>,
    /// The latest of each, until it is removed.
    valid: HashMap<Identity, usize>,
    without_echo: HashMap<Identity, VecDeque<usize>>,
    /// Those under an id that are not removed, in their order.
    under: HashMap<(Role, u8), Vec<usize>>,
}

impl Found {
    fn advertise(&mut self, option: &AddAddr, packet: &Travelling<'_>, connection: &Connection) {
        let by = packet.towards.other();
        let identity = identity(by, option);
        if let Some(first) = self.valid.get(&identity).and_then(|at| self.all.get_mut(*at)) {
            first.rows.push(packet.row);
            return;
        }
        let before = self.under.get(&(by, option.address_id)).and_then(|under| self.all.get(*under.last()?));
        let reuses = before.is_some_and(|before| before.option.address != option.address);
        let at = self.all.len();
        self.valid.insert(identity, at);
        self.without_echo.entry(identity).or_default().push_back(at);
        self.under.entry((by, option.address_id)).or_default().push(at);
        self.all.push(Advertisement {
            option: option.clone(),
            by,
            rows: vec![packet.row],
            tcpstream: packet.stream,
            echo: None,
            verdict: verify_add_addr(connection, by, option),
            wrong_part: wrong_part(connection, by, option),
            reuses,
            joined: false,
            joined_from: false,
            removed: None,
        });
    }

    fn echo(&mut self, option: &AddAddr, packet: &Travelling<'_>) {
        let wanted = self.without_echo.get_mut(&identity(packet.towards, option)).and_then(VecDeque::pop_front);
        if let Some(advertisement) = wanted.and_then(|at| self.all.get_mut(at)) {
            advertisement.echo = Some(packet.row);
        }
    }

    fn remove(&mut self, id: u8, packet: &Travelling<'_>) {
        let by = packet.towards.other();
        let latest = self.under.get_mut(&(by, id)).and_then(Vec::pop);
        if let Some(advertisement) = latest.and_then(|at| self.all.get_mut(at)) {
            advertisement.removed = Some(packet.row);
            self.valid.remove(&identity(by, &advertisement.option));
        }
    }
}

/// Where the joins of a connection go to and come from; the row is that of the latest stream's first packet.
#[derive(Default)]
struct Joins {
    to_address: HashMap<(Role, IpAddr), PacketRow>,
    to_port: HashMap<(Role, IpAddr, u16), PacketRow>,
    /// By the address id that the SYN/ACK tells: behind address translation the address is another one.
    to_id: HashMap<(Role, u8), PacketRow>,
    from_address: HashSet<(Role, IpAddr)>,
    from_id: HashMap<(Role, u8), PacketRow>,
}

impl Joins {
    fn of(capture: &Capture, connection: &Connection) -> Self {
        let mut joins = Joins::default();
        for id in interruptible(&connection.subflows) {
            let (Some(subflow), Some(stream)) = (capture.tracking.subflow(*id), capture.tracking.stream(*id)) else {
                continue;
            };
            let (SubflowKind::Join(handshake), Some(row)) = (&subflow.kind, stream.packets.first()) else { continue };
            let address_ids = handshake.address_ids;
            let (host, opener) = (subflow.opened_towards, subflow.opened_towards.other());
            joins.to_address.insert((host, stream.server.address), *row);
            joins.to_port.insert((host, stream.server.address, stream.server.port), *row);
            joins.from_address.insert((opener, stream.client.address));
            if let Some(id) = address_ids.server {
                joins.to_id.insert((host, id), *row);
            }
            if let Some(id) = address_ids.client {
                joins.from_id.insert((opener, id), *row);
            }
        }
        joins
    }

    fn go_to(&self, advertisement: &Advertisement) -> bool {
        let (by, option) = (advertisement.by, &advertisement.option);
        let to = option.address.and_then(|address| match option.port {
            Some(port) => self.to_port.get(&(by, address, port)),
            None => self.to_address.get(&(by, address)),
        });
        later(to, advertisement) || later(self.to_id.get(&(by, option.address_id)), advertisement)
    }

    fn come_from(&self, advertisement: &Advertisement) -> bool {
        let (by, option) = (advertisement.by, &advertisement.option);
        option.address.is_some_and(|address| self.from_address.contains(&(by, address)))
            || later(self.from_id.get(&(by, option.address_id)), advertisement)
    }
}

fn later(row: Option<&PacketRow>, advertisement: &Advertisement) -> bool {
    row.is_some_and(|row| advertisement.rows.first().is_some_and(|first| row > first))
}
