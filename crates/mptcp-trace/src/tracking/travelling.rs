//! Packets that belong together, each with the way it travels: of a connection, all subflows together, in the order of
//! the file; of one stream in the order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::role::Role;
use super::standing::Nature;
use super::{Connection, PacketInStream, Stream, Subflow, Tracking};
use crate::interrupt::interruptible;
use crate::packets::segment::{Mapping, Segment};
use crate::{Id, PacketRow, StreamId};

/// A packet of a connection: where it is, and which way it travels.
#[derive(Debug, Clone, Copy)]
pub struct Travelling<'a> {
    /// Row in the packet table.
    pub row: PacketRow,
    /// The packet.
    pub segment: &'a Segment,
    /// Its TCP stream.
    pub stream: StreamId,
    /// Index of its subflow in [`Connection::subflows`].
    pub subflow: usize,
    /// The end of the connection that it travels towards.
    pub towards: Role,
    /// The end of its TCP stream that it travels towards.
    pub tcp_towards: Role,
    /// It was recorded elsewhere alone ([`PacketInStream::elsewhere`]).
    pub elsewhere: bool,
    /// Role beyond its flags.
    pub nature: Nature,
    /// Bytes of its payload that are data of the stream; 0 where the packet does not tell.
    pub data: u32,
}

impl<'a> Travelling<'a> {
    /// A packet in row `row`, of the subflow of index `subflow`.
    #[inline]
    fn new(
        row: PacketRow,
        segment: &'a Segment,
        packet: &PacketInStream,
        (stream, subflow, part): (&Stream, usize, &Subflow),
    ) -> Self {
        let tcp_towards = stream.towards(packet);
        Travelling {
            row,
            segment,
            stream: stream.id,
            subflow,
            towards: Tracking::mptcp_towards(part, tcp_towards),
            tcp_towards,
            elsewhere: packet.elsewhere,
            nature: packet.nature,
            data: packet.data(segment).unwrap_or(0),
        }
    }

    /// Whether the packet of `connection` says more than which data it carries and acknowledges ([`Segment::is_signal`]), or
    /// has a mapping that lacks the checksum it should have. Few are.
    #[inline]
    #[must_use]
    pub fn is_signal(&self, connection: &Connection) -> bool {
        let lacks_checksum = |mapping: Mapping| mapping.checksum.is_none();
        self.segment.is_signal()
            || (connection.checksum_required == Some(true) && self.segment.mapping().is_some_and(lacks_checksum))
    }

    /// Whether the packet has this flag, FIN or RST, and its receiver acts on it.
    #[inline]
    #[must_use]
    pub fn ends_with(&self, flag: u16) -> bool {
        self.segment.has(flag) && !self.nature.is_stray()
    }
}

/// The packets of one subflow, by its index in [`Connection::subflows`], in the order of the file.
pub fn of_subflow<'a>(
    segments: &'a [Segment],
    tracking: &'a Tracking,
    connection: &Connection,
    index: usize,
) -> impl Iterator<Item = Travelling<'a>> + use<'a> {
    let id = connection.subflows.get(index).copied();
    let known = id.and_then(|id| Some((tracking.stream(id)?, tracking.subflow(id)?)));
    known.into_iter().flat_map(move |(stream, subflow)| {
        interruptible(&stream.packets).filter_map(move |row| {
            let segment = segments.get(row.index())?;
            let packet = tracking.packets.get(*row)?;
            Some(Travelling::new(*row, segment, packet, (stream, index, subflow)))
        })
    })
}

/// The packets of `connection` in the order of the file, one after the other, without a list of them.
pub fn one_by_one<'a>(
    segments: &'a [Segment],
    tracking: &'a Tracking,
    connection: &Connection,
) -> impl Iterator<Item = Travelling<'a>> + use<'a> {
    let scanned = scanned(segments, tracking, connection);
    let merged = scanned.is_none().then(|| merged(segments, tracking, connection));
    scanned.into_iter().flatten().chain(merged.into_iter().flatten())
}

/// The packets of `connection` that say more than which data they carry and acknowledge ([`Segment::is_signal`]), in the
/// order of the file, without a look at the others.
#[must_use]
pub fn signals<'a>(segments: &'a [Segment], tracking: &'a Tracking, connection: &Connection) -> Vec<Travelling<'a>> {
    of_rows(segments, tracking, connection, |stream| &stream.signals)
}

/// Most of what lies between the first and the last packet of a connection is often its own: then the rows between
/// are looked at one after the other. `None` where fewer than a quarter of them are.
fn scanned<'a>(
    segments: &'a [Segment],
    tracking: &'a Tracking,
    connection: &Connection,
) -> Option<impl Iterator<Item = Travelling<'a>> + use<'a>> {
    let streams = || connection.subflows.iter().filter_map(|id| tracking.stream(*id));
    let first = streams().filter_map(|stream| stream.packets.first()).min()?.index();
    let last = streams().filter_map(|stream| stream.packets.last()).max()?.index();
    let own: usize = streams().map(|stream| stream.packets.len()).sum();
    if own.saturating_mul(4) < last.saturating_sub(first) {
        return None;
    }
    let lowest = *connection.subflows.iter().min()?;
    let highest = *connection.subflows.iter().max()?;
    // Streams are numbered in the order of the file: where that is the order of time, there are no more between the
    // lowest and the highest than rows.
    if highest.index().checked_sub(lowest.index())? > last.saturating_sub(first) {
        return None;
    }
    let mut subflows = vec![None; highest.index().checked_sub(lowest.index())?.saturating_add(1)];
    for (index, id) in connection.subflows.iter().enumerate() {
        let known = (index, tracking.stream(*id)?, tracking.subflow(*id)?);
        *subflows.get_mut(id.index().checked_sub(lowest.index())?)? = Some(known);
    }
    let rows = (first..=last).map(PacketRow::at);
    Some(interruptible(rows).filter_map(move |row| {
        let packet = tracking.packets.get(row)?;
        let (index, stream, subflow) = (*subflows.get(packet.stream.index().checked_sub(lowest.index())?)?)?;
        let segment = segments.get(row.index())?;
        Some(Travelling::new(row, segment, packet, (stream, index, subflow)))
    }))
}

/// The packets of each subflow, put together by their rows.
fn merged<'a>(
    segments: &'a [Segment],
    tracking: &'a Tracking,
    connection: &Connection,
) -> impl Iterator<Item = Travelling<'a>> + use<'a> {
    let mut subflows: Vec<_> = (0..connection.subflows.len())
        .map(|index| of_subflow(segments, tracking, connection, index).peekable())
        .collect();
    // The next row of each subflow but the current one, the lowest on top.
    let mut waiting: BinaryHeap<Reverse<(PacketRow, usize)>> = subflows
        .iter_mut()
        .enumerate()
        .filter_map(|(index, packets)| Some(Reverse((packets.peek()?.row, index))))
        .collect();
    let mut at_hand = waiting.pop().map(|Reverse((_, index))| index);
    std::iter::from_fn(move || {
        let packets = subflows.get_mut(at_hand?)?;
        let packet = packets.next();
        // Packets come in bursts: mostly the next one is of the same subflow.
        let next = packets.peek().map(|next| next.row);
        match (next, waiting.peek()) {
            (Some(next), Some(Reverse((other, _)))) if next > *other => {
                let Reverse((_, other)) = waiting.pop()?;
                waiting.push(Reverse((next, at_hand?)));
                at_hand = Some(other);
            }
            (Some(_), _) => {}
            (None, _) => at_hand = waiting.pop().map(|Reverse((_, index))| index),
        }
        packet
    })
}

/// The packets of `connection`.
#[must_use]
pub fn in_file_order<'a>(
    segments: &'a [Segment],
    tracking: &'a Tracking,
    connection: &Connection,
) -> Vec<Travelling<'a>> {
    of_rows(segments, tracking, connection, |stream| &stream.packets)
}

/// Some packets of each of the streams of `connection`, in the order of the file.
fn of_rows<'a>(
    segments: &'a [Segment],
    tracking: &'a Tracking,
    connection: &Connection,
    rows: impl Fn(&'a Stream) -> &'a [PacketRow],
) -> Vec<Travelling<'a>> {
    let mut travelling = Vec::new();
    for (index, id) in interruptible(connection.subflows.iter().enumerate()) {
        let (Some(stream), Some(subflow)) = (tracking.stream(*id), tracking.subflow(*id)) else { continue };
        for row in interruptible(rows(stream)) {
            let (Some(segment), Some(packet)) = (segments.get(row.index()), tracking.packets.get(*row)) else {
                continue;
            };
            travelling.push(Travelling::new(*row, segment, packet, (stream, index, subflow)));
        }
    }
    // A few sorted runs one after the other, which this sort merges in linear time.
    travelling.sort_by_key(|packet| packet.row);
    travelling
}

/// A packet of a stream, and which way it travels there.
#[derive(Debug, Clone, Copy)]
pub struct StreamPacket<'a> {
    /// Row in the packet table.
    pub row: PacketRow,
    /// The packet.
    pub segment: &'a Segment,
    /// The end of the *stream* that it travels towards.
    pub towards: Role,
    /// Role beyond its flags.
    pub nature: Nature,
    /// Bytes of its payload that are data of the stream; 0 where the packet does not tell.
    pub data: u32,
}

/// The packets of `stream` that were recorded in one place, in the order of the file.
pub fn of_stream<'a>(
    segments: &'a [Segment],
    tracking: &'a Tracking,
    stream: &'a Stream,
) -> impl Iterator<Item = StreamPacket<'a>> + use<'a> {
    interruptible(&stream.packets).filter_map(move |row| {
        let segment = segments.get(row.index())?;
        let packet = tracking.packets.get(*row).filter(|packet| !packet.elsewhere)?;
        let data = packet.data(segment).unwrap_or(0);
        Some(StreamPacket { row: *row, segment, towards: stream.towards(packet), nature: packet.nature, data })
    })
}

/// The packets of `stream` that were recorded in one place, in the order of time, mostly without a list of them.
pub fn by_time<'a>(
    segments: &'a [Segment],
    tracking: &'a Tracking,
    stream: &'a Stream,
) -> impl Iterator<Item = StreamPacket<'a>> + use<'a> {
    let is_sorted = of_stream(segments, tracking, stream).map(|packet| packet.segment.abstime).is_sorted();
    let of_file = is_sorted.then(|| of_stream(segments, tracking, stream));
    let moved = (!is_sorted).then(|| interruptible(in_time_order(segments, tracking, stream)));
    of_file.into_iter().flatten().chain(moved.into_iter().flatten())
}

/// The packets of `stream` that were recorded in one place; those of the same time in the order of the file.
#[must_use]
pub fn in_time_order<'a>(segments: &'a [Segment], tracking: &'a Tracking, stream: &'a Stream) -> Vec<StreamPacket<'a>> {
    let mut packets: Vec<_> = of_stream(segments, tracking, stream).collect();
    packets.sort_by_key(|packet| packet.segment.abstime);
    packets
}
