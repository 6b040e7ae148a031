//! Many connections like the recorded ones, each with addresses, keys and tokens of its own.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use mptcp_trace::packets::segment::{Control, Dss, Fields, Join};
use mptcp_trace::tracking::derive;
use mptcp_trace::tracking::{Capture, Connection, Role, Tracking};
use mptcp_trace::{ConnectionId, Span};

/// What becomes of one recorded capture in its `copy`-th copy.
struct Copy<'a> {
    capture: &'a Capture,
    copy: u32,
    /// Bytes that data sequence numbers move by, for each connection and sender.
    shifts: HashMap<(ConnectionId, Role), u64>,
    tokens: HashMap<u32, u32>,
    time: i64,
}

/// The captures one after the other, `rounds` times.
pub fn multiplied(captures: &[Capture], rounds: u32) -> impl Iterator<Item = Fields> {
    let mut time = 0;
    let all = (0..rounds).flat_map(move |_| captures.iter());
    let copies = (0_u32..).zip(all).map(move |(copy, capture)| {
        let times = || capture.segments.iter().map(|segment| segment.abstime.nanoseconds());
        let start = times().min().unwrap_or(0);
        let made = Copy::new(capture, copy, time - start + 1_700_000_000_000_000_000);
        time += times().max().unwrap_or(0) - start + 1_000_000;
        made
    });
    let segments = copies.flat_map(|copy| (0..copy.capture.segments.len()).map(move |row| copy.segment(row)));
    (1..).zip(segments).map(|(packetid, segment)| Fields { packetid, ..segment })
}

/// Another key for each copy.
fn key(key: u64, copy: u32) -> u64 {
    key ^ (u64::from(copy) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl<'a> Copy<'a> {
    fn new(capture: &'a Capture, copy: u32, time: i64) -> Self {
        let mut made = Copy { capture, copy, shifts: HashMap::new(), tokens: HashMap::new(), time };
        for connection in &capture.tracking.connections {
            for role in Role::BOTH {
                made.learn(connection, role);
            }
        }
        made
    }

    fn learn(&mut self, connection: &Connection, role: Role) {
        let host = connection.hosts.get(role);
        let (Some(old), Some(version)) = (host.key, connection.version) else { return };
        if let (Some(before), Some(now)) = (derive(version, old), derive(version, key(old, self.copy))) {
            self.shifts.insert((connection.id, role), now.idsn.wrapping_sub(before.idsn));
            self.tokens.insert(before.token, now.token);
        }
    }

    fn segment(&self, row: usize) -> Fields {
        let segment = &self.capture.segments[row];
        let mut segment = segment.fields(self.capture.segments.ends(segment));
        segment.source = self.address(segment.source);
        segment.destination = self.address(segment.destination);
        segment.abstime += Span::from_nanoseconds(self.time);
        let tracking = &self.capture.tracking;
        let packet = &tracking.packets.as_slice()[row];
        let Some(subflow) = tracking.subflow(packet.stream) else { return segment };
        let towards = Tracking::mptcp_towards(subflow, tracking.stream(packet.stream).unwrap().towards(packet));
        let shift = |sender: Role| self.shifts.get(&(subflow.connection, sender)).copied().unwrap_or(0);
        if let Some(dss) = &mut segment.dss {
            let (wide_ack, wide_dsn) = (dss.has(Dss::DATA_ACK_8), dss.has(Dss::DSN_8));
            dss.data_ack = dss.data_ack.map(|number| moved(number, shift(towards), wide_ack));
            if let Some(mapping) = &mut dss.mapping {
                mapping.dsn = moved(mapping.dsn, shift(towards.other()), wide_dsn);
            }
        }
        if let Some(control) = &mut segment.control {
            self.control(control, shift(towards));
        }
        segment
    }

    fn control(&self, control: &mut Control, acknowledged: u64) {
        if let Some(capable) = &mut control.capable {
            capable.sender_key = capable.sender_key.map(|old| key(old, self.copy));
            capable.receiver_key = capable.receiver_key.map(|old| key(old, self.copy));
        }
        if let Some(Join::Syn { token: Some(token), .. }) = &mut control.join {
            *token = self.tokens.get(token).copied().unwrap_or(*token);
        }
        control.fail = control.fail.map(|number| number.wrapping_add(acknowledged));
        control.fastclose = control.fastclose.map(|old| key(old, self.copy));
    }

    /// The recorded addresses are in 10.0.0.0/16; each copy has a network of that size of its own.
    fn address(&self, address: IpAddr) -> IpAddr {
        let IpAddr::V4(address) = address else { return address };
        let [_, _, c, d] = address.octets();
        let network = self.copy + (10 << 8);
        Ipv4Addr::new((network >> 8) as u8, network as u8, c, d).into()
    }
}

fn moved(number: u64, shift: u64, wide: bool) -> u64 {
    let sum = number.wrapping_add(shift);
    if wide { sum } else { sum & 0xffff_ffff }
}
