//! Data of each packet at the data level.

use super::mappings::FirstPass;
use super::walk::{Mappings, Places};
use crate::PacketRow;
use crate::tracking::travelling::Travelling;

/// Data of one packet at the data level. Numbers are raw; the relative ones count from the IDSN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PacketData {
    /// 64-bit DSN of the first payload byte; `None` where no mapping covers it or its high half is not known.
    pub dsn: Option<u64>,
    /// The same relative to the IDSN, the first byte of data being 1; `None` without the sender's key.
    pub relative_dsn: Option<u64>,
    /// Row of the packet whose mapping covers the first payload byte: this packet, if its own does.
    pub mapping_row: Option<PacketRow>,
    /// 64-bit DATA_ACK; `None` where its high half is not known.
    pub data_ack: Option<u64>,
    /// The same relative to the IDSN of the acknowledged data; `None` without that end's key.
    pub relative_data_ack: Option<u64>,
}

/// Looks up the data of packets that come once more: all mappings and the high halves of all numbers are known now.
pub struct LookUp<'f> {
    found: &'f FirstPass,
    places: Places,
}

impl<'f> LookUp<'f> {
    /// Before the first packet.
    pub fn new(mappings: &'f Mappings<'_>) -> Self {
        let (found, places) = mappings.all();
        LookUp { found, places }
    }

    /// Data of the next packet.
    pub fn next(&mut self, packet: &Travelling<'_>) -> PacketData {
        let found = self.found;
        let mut data = PacketData::default();
        let (place, flow) = (self.places.next(packet), found.flows.get(packet.towards).get(packet.subflow));
        if let Some(working) = place.as_ref().and_then(|place| place.data_ack) {
            let numbering = found.numbers.get(packet.towards.other());
            data.data_ack = numbering.real(working);
            data.relative_data_ack = numbering.relative(working);
        }
        if packet.segment.payload().is_some_and(|length| length > 0)
            && let (Some(place), Some(flow)) = (place, flow)
            && let Some((dsn, row)) = flow.target(place.payload.start)
        {
            let numbering = found.numbers.get(packet.towards);
            data.dsn = numbering.real(dsn);
            data.relative_dsn = numbering.relative(dsn);
            // Linux repeats a mapping in each of the segments it covers.
            let own = flow.own(packet, place.payload.start, &mut self.places.numbers(packet.towards)) == Some(dsn);
            data.mapping_row = Some(if own { packet.row } else { row });
        }
        data
    }
}
