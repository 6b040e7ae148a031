//! Data that a DATA_ACK covers and no captured packet carried: what went over subflows that the capture does not hold.

use super::numbers::Numbers;
use crate::packets::segment::{Dss, Segment};
use crate::tracking::role::{ByRole, Role};
use crate::tracking::travelling::Travelling;
use crate::tracking::{Connection, Tracking};
use crate::{Instant, PacketRow, Span};

/// A DATA_ACK farther from all others is not this connection's, bytes.
const NEAR: u64 = 1 << 30;
/// Of a capture begun in mid-connection, data under way at its beginning are acknowledged within this time:
/// several times what a loss costs.
const SETTLED: Span = Span::from_seconds(1);

/// How far the DATA_ACKs of one direction reach.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reach {
    /// Until then DATA_ACKs may cover data sent before the capture.
    settled: Option<Instant>,
    /// The first byte of all, where the sender's key tells it; a working number.
    first: Option<u64>,
    /// The lowest DATA_ACK.
    lowest: Option<u64>,
    /// The highest until `settled`.
    before: Option<u64>,
    /// Data of this direction were captured.
    carries: bool,
    /// One past the last byte that a DATA_ACK covers; a working number.
    next: Option<u64>,
    /// Number of DATA_FIN as sent, and whether it has all 64 bits.
    fin: Option<(u64, bool)>,
}

impl Reach {
    /// Of both directions, before the first packet.
    pub fn of(segments: &[Segment], tracking: &Tracking, connection: &Connection) -> ByRole<Self> {
        let settled = settled(segments, tracking, connection);
        let of = |sender: Role| Reach {
            settled,
            first: Numbers::new(connection.hosts.get(sender).idsn).first(),
            ..Reach::default()
        };
        ByRole { server: of(Role::Client), client: of(Role::Server) }
    }

    /// Takes in a packet of either direction, and its DATA_ACK as a working number.
    #[inline]
    pub fn note(reaches: &mut ByRole<Self>, packet: &Travelling<'_>, data_ack: Option<u64>) {
        reaches.get_mut(packet.towards).carries |= packet.segment.payload().is_some_and(|length| length > 0);
        if let Some(data_ack) = data_ack {
            reaches.get_mut(packet.towards.other()).acknowledges(packet.segment.abstime, data_ack);
        }
        if let Some(dss) = packet.segment.dss().filter(|dss| dss.has(Dss::DATA_FIN))
            && let Some(mapping) = dss.mapping
        {
            let last = mapping.dsn.wrapping_add(u64::from(mapping.length).saturating_sub(1));
            reaches.get_mut(packet.towards).fin = Some((last, dss.has(Dss::DSN_8)));
        }
    }

    #[inline]
    fn acknowledges(&mut self, time: Instant, data_ack: u64) {
        if self.next.or(self.first).is_some_and(|known| known.abs_diff(data_ack) >= NEAR) {
            return;
        }
        self.lowest = Some(self.lowest.map_or(data_ack, |lowest| lowest.min(data_ack)));
        if self.settled.is_some_and(|settled| time <= settled) {
            self.before = self.before.max(Some(data_ack));
        }
        self.next = Some(self.next.map_or(data_ack, |next| next.max(data_ack)));
    }

    /// The bytes of data that DATA_ACKs cover and the capture can be asked for (start, end exclusive; working numbers).
    /// `None` without DATA_ACKs.
    pub fn range(&self, numbers: &Numbers) -> Option<(u64, u64)> {
        let fin = self.fin.map(|(fin, wide)| {
            let mut numbers = *numbers;
            numbers.working(fin, wide)
        });
        let end = self.next?;
        // Data under way when the capture began concern only the subflows that it has.
        let begun = self.before.filter(|_| self.carries).or(self.lowest);
        let start = self.first.or(begun)?;
        // A DATA_ACK below the first byte covers none.
        Some((start, fin.map_or(end, |fin| end.min(fin)).max(start)))
    }
}

/// When the data sent before the capture have been acknowledged; `None` where it has the beginning of all subflows.
fn settled(segments: &[Segment], tracking: &Tracking, connection: &Connection) -> Option<Instant> {
    let streams = || connection.subflows.iter().filter_map(|id| tracking.stream(*id));
    if connection.roles_known || streams().all(|stream| stream.syn.is_some() || stream.syn_ack.is_some()) {
        return None;
    }
    let time = |row: &PacketRow| segments.get(row.index()).map(|segment| segment.abstime);
    let first = streams().filter_map(|stream| stream.packets.first().and_then(time)).min()?;
    let last = streams().filter_map(|stream| stream.packets.last().and_then(time)).max()?;
    Some(first + SETTLED.min((last - first) / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_acknowledged_below_the_first_byte_covers_nothing() {
        // RFC 8684 §3.1: the IDSN stands for the SYN, so that the first byte of data is the one after it.
        let numbers = Numbers::new(Some(1000));
        let first = numbers.first().unwrap();
        for (data_ack, covered) in [(first - 1, 0), (first, 0), (first + 5, 5)] {
            let mut reach = Reach { first: Some(first), ..Reach::default() };
            reach.acknowledges(Instant::EPOCH, data_ack);
            assert_eq!(reach.range(&numbers), Some((first, first + covered)), "{data_ack}");
        }
    }
}
