//! Raw columns about the frame around each segment, 10 bytes per packet.

use crate::PacketRow;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;

/// Frame around a segment in a table row, beyond what tracking needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Frame<'a> {
    /// Name of the interface.
    pub interface: Option<&'a str>,
    /// Its number in the file, which tells two of one name apart. Numbers beyond 254 are not kept.
    pub interface_id: Option<u32>,
    /// The link layer says that the capturing host sent it.
    pub outgoing: bool,
    /// Bytes on the wire.
    pub wire_length: Option<u32>,
    /// Bytes recorded.
    pub captured_length: Option<u32>,
    /// Time to live, or hop limit.
    pub ttl: Option<u8>,
    /// IP total length, or IPv6 payload length.
    pub ip_length: Option<u32>,
    /// IPv4 identification.
    pub ip_id: Option<u16>,
    /// TCP header length, bytes.
    pub header_length: Option<u8>,
    /// Kinds of all TCP options.
    pub option_kinds: &'a [u8],
    /// Maximum segment size option.
    pub mss: Option<u16>,
}

/// Values that distinguish copies of one packet, or show that they are copies, beyond the segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    /// The interface: place of its name in the table, and its number in the file (255 where there is none).
    pub interface: Option<(u32, u8)>,
    /// Time to live, or hop limit.
    pub ttl: Option<u8>,
    /// IPv4 identification.
    pub ip_id: Option<u16>,
    /// The link layer says that the capturing host sent it; most link layers do not say.
    pub outgoing: bool,
}

/// Places of texts and lists that come back again and again.
const NONE: u32 = u32::MAX;
/// Stands for no number of an interface.
const NO_ID: u8 = u8::MAX;

/// The frames of a capture's segments, in their order.
#[derive(Debug, Clone, Default)]
pub struct Frames {
    packed: Vec<Packed>,
    shapes: Shapes,
    interfaces: Interned<String>,
    option_kinds: Interned<Vec<u8>>,
}

/// A frame in 10 bytes: what differs from one to the next.
#[derive(Debug, Clone, Copy)]
struct Packed {
    wire_length: [u16; 2],
    /// Which [`Shape`] it has; the uppermost bit says whether it has an identification.
    shape: [u16; 2],
    ip_id: u16,
}

const _: () = assert!(size_of::<Packed>() == 10);

/// The uppermost bit of a shape's number.
const IP_ID: u32 = 1 << 31;

impl Packed {
    #[inline]
    fn of(wire_length: u32, shape: u32, ip_id: Option<u16>) -> Self {
        let shape = shape & !IP_ID | if ip_id.is_some() { IP_ID } else { 0 };
        Packed { wire_length: halves(wire_length), shape: halves(shape), ip_id: ip_id.unwrap_or_default() }
    }

    #[inline]
    fn renumbered(self, numbers: &[u32]) -> Self {
        let shape = whole(self.shape);
        let here = numbers.get((shape & !IP_ID) as usize).copied().unwrap_or(NONE);
        Packed { shape: halves(here & !IP_ID | shape & IP_ID), ..self }
    }

    #[inline]
    fn ip_id(self) -> Option<u16> {
        (whole(self.shape) & IP_ID != 0).then_some(self.ip_id)
    }
}

#[inline]
fn halves(number: u32) -> [u16; 2] {
    #[allow(clippy::cast_possible_truncation)] // Both halves are kept.
    let halves = [number as u16, (number >> 16) as u16];
    halves
}

#[inline]
fn whole([low, high]: [u16; 2]) -> u32 {
    u32::from(high) << 16 | u32::from(low)
}

/// What many frames have in common: each is kept once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Shape {
    /// Bytes on the wire that are not counted in the IP length.
    around_ip: u32,
    /// Bytes recorded, [`WHOLE`] where those are all.
    captured_length: u32,
    /// Where they are in [`Frames`], or [`NONE`].
    interface: u32,
    option_kinds: u32,
    mss: u16,
    ttl: u8,
    header_length: u8,
    interface_id: u8,
    /// Which numbers are there.
    present: u8,
}

/// Stands for as many recorded bytes as there were.
const WHOLE: u32 = u32::MAX;

/// Bits of [`Shape::present`].
mod present {
    pub const WIRE_LENGTH: u8 = 1;
    pub const CAPTURED_LENGTH: u8 = 1 << 1;
    pub const IP_LENGTH: u8 = 1 << 2;
    pub const MSS: u8 = 1 << 3;
    pub const TTL: u8 = 1 << 4;
    pub const HEADER_LENGTH: u8 = 1 << 5;
    pub const OUTGOING: u8 = 1 << 6;
}

impl Shape {
    #[inline]
    fn has(&self, bit: u8) -> bool {
        self.present & bit != 0
    }
}

/// The shapes that there are.
#[derive(Debug, Clone)]
struct Shapes {
    shapes: Vec<Shape>,
    numbers: HashMap<Shape, u32, RandomState>,
    /// Numbers by a few bits of the shape: most look-ups end here.
    recent: [u32; 128],
}

impl Default for Shapes {
    fn default() -> Self {
        Shapes { shapes: Vec::new(), numbers: HashMap::default(), recent: [NONE; 128] }
    }
}

impl Shapes {
    #[inline]
    fn number(&mut self, shape: Shape) -> u32 {
        let mixed = shape.around_ip ^ shape.option_kinds.rotate_left(3) ^ u32::from(shape.ttl).rotate_left(1);
        let mixed = mixed ^ shape.captured_length.wrapping_mul(0x9e37_79b1).rotate_left(7);
        let slot = mixed as usize % self.recent.len();
        let recent = self.recent.get(slot).copied().unwrap_or(NONE);
        if self.shapes.get(recent as usize) == Some(&shape) {
            return recent;
        }
        let next = u32::try_from(self.shapes.len()).unwrap_or(NONE);
        let number = *self.numbers.entry(shape).or_insert(next);
        if number == next {
            self.shapes.push(shape);
        }
        if let Some(recent) = self.recent.get_mut(slot) {
            *recent = number;
        }
        number
    }

    #[inline]
    fn of(&self, packed: Packed) -> Option<&Shape> {
        self.shapes.get((whole(packed.shape) & !IP_ID) as usize)
    }
}

/// Frames on their way from one thread to another.
#[derive(Debug, Default)]
pub(super) struct FrameBatch {
    packed: Vec<Packed>,
    /// What is new in them, where both number on their own.
    news: News,
}

/// What has a number of its own and was not there before.
#[derive(Debug, Default)]
struct News {
    shapes: Vec<Shape>,
    interfaces: Vec<String>,
    option_kinds: Vec<Vec<u8>>,
}

/// The numbers here of what another numbered.
#[derive(Debug, Default)]
pub(super) struct FrameNumbers {
    shapes: Vec<u32>,
    interfaces: Vec<u32>,
    option_kinds: Vec<u32>,
}

impl Frames {
    /// Appends one frame.
    #[inline]
    pub fn push(&mut self, frame: &Frame<'_>) {
        let mut there = 0;
        let mut set = |bit: u8, is: bool| there |= if is { bit } else { 0 };
        set(present::WIRE_LENGTH, frame.wire_length.is_some());
        set(present::CAPTURED_LENGTH, frame.captured_length.is_some());
        set(present::IP_LENGTH, frame.ip_length.is_some());
        set(present::MSS, frame.mss.is_some());
        set(present::TTL, frame.ttl.is_some());
        set(present::HEADER_LENGTH, frame.header_length.is_some());
        set(present::OUTGOING, frame.outgoing);
        let wire_length = frame.wire_length.unwrap_or_default();
        let captured_length = frame.captured_length.unwrap_or_default();
        let shape = Shape {
            around_ip: frame.ip_length.map_or(0, |length| wire_length.wrapping_sub(length)),
            captured_length: if captured_length == wire_length { WHOLE } else { captured_length },
            interface: frame.interface.map_or(NONE, |name| self.interfaces.place(name)),
            option_kinds: if frame.option_kinds.is_empty() {
                NONE
            } else {
                self.option_kinds.place(frame.option_kinds)
            },
            mss: frame.mss.unwrap_or_default(),
            ttl: frame.ttl.unwrap_or_default(),
            header_length: frame.header_length.unwrap_or_default(),
            interface_id: frame.interface_id.and_then(|id| u8::try_from(id).ok()).unwrap_or(NO_ID),
            present: there,
        };
        self.packed.push(Packed::of(wire_length, self.shapes.number(shape), frame.ip_id));
    }

    /// What takes in the frames that follow; this one knows nothing but identifications until [`Frames::go_on_after`].
    pub(super) fn ahead(&mut self) -> Self {
        let (interfaces, option_kinds) = (std::mem::take(&mut self.interfaces), std::mem::take(&mut self.option_kinds));
        Frames { packed: Vec::new(), shapes: std::mem::take(&mut self.shapes), interfaces, option_kinds }
    }

    /// Puts the frames so far into a batch.
    pub(super) fn hand_over(&mut self, batch: &mut FrameBatch) {
        batch.packed.append(&mut self.packed);
    }

    /// Appends the frames of a batch, and leaves it empty.
    pub(super) fn take_in(&mut self, batch: &mut FrameBatch) {
        self.packed.append(&mut batch.packed);
    }

    /// Puts the frames so far into a batch, with what is new in them: `told` are the numbers that are known.
    pub(super) fn hand_over_with_news(&mut self, batch: &mut FrameBatch, told: &mut [usize; 3]) {
        let [shapes, interfaces, option_kinds] = told;
        batch.news = News {
            shapes: news(&self.shapes.shapes, shapes),
            interfaces: news(&self.interfaces.values, interfaces),
            option_kinds: news(&self.option_kinds.values, option_kinds),
        };
        self.hand_over(batch);
    }

    /// Appends the frames of a batch with news, and leaves it empty; `numbers` are those of the one who made it.
    pub(super) fn take_in_with_news(&mut self, batch: &mut FrameBatch, numbers: &mut FrameNumbers) {
        let News { shapes, interfaces, option_kinds } = std::mem::take(&mut batch.news);
        numbers.interfaces.extend(interfaces.iter().map(|name| self.interfaces.place(name.as_str())));
        numbers.option_kinds.extend(option_kinds.iter().map(|kinds| self.option_kinds.place(kinds.as_slice())));
        let here = |numbers: &[u32], place: u32| numbers.get(place as usize).copied().unwrap_or(NONE);
        for shape in shapes {
            let interface = here(&numbers.interfaces, shape.interface);
            let option_kinds = here(&numbers.option_kinds, shape.option_kinds);
            numbers.shapes.push(self.shapes.number(Shape { interface, option_kinds, ..shape }));
        }
        self.packed.extend(batch.packed.drain(..).map(|packed| packed.renumbered(&numbers.shapes)));
    }

    /// Goes on where `ahead` is, whose frames were taken in.
    pub(super) fn go_on_after(&mut self, ahead: Self) {
        (self.shapes, self.interfaces, self.option_kinds) = (ahead.shapes, ahead.interfaces, ahead.option_kinds);
    }

    /// The frames of these rows, in this order.
    #[must_use]
    pub fn select(&self, rows: &[PacketRow]) -> Self {
        Frames {
            packed: rows.iter().filter_map(|row| self.packed.get(row.index()).copied()).collect(),
            shapes: self.shapes.clone(),
            interfaces: self.interfaces.clone(),
            option_kinds: self.option_kinds.clone(),
        }
    }

    /// What marks the frame of a row, without its texts. Interfaces have numbers of their own here, see
    /// [`Frames::interface_name`].
    #[inline]
    #[must_use]
    pub fn mark(&self, row: PacketRow) -> Mark {
        let Some(packed) = self.packed.get(row.index()) else { return Mark::default() };
        let Some(shape) = self.shapes.of(*packed) else { return Mark::default() };
        Mark {
            interface: (shape.interface != NONE).then_some((shape.interface, shape.interface_id)),
            ttl: shape.has(present::TTL).then_some(shape.ttl),
            ip_id: packed.ip_id(),
            outgoing: shape.has(present::OUTGOING),
        }
    }

    /// The name of the interface that a [`Mark`] numbers so.
    #[must_use]
    pub fn interface_name(&self, place: u32) -> Option<&str> {
        self.interfaces.get(place).map(String::as_str)
    }

    /// Time to live, or hop limit, of a row.
    #[must_use]
    pub fn ttl(&self, row: PacketRow) -> Option<u8> {
        self.mark(row).ttl
    }

    /// IPv4 identification of a row.
    #[must_use]
    pub fn ip_id(&self, row: PacketRow) -> Option<u16> {
        self.packed.get(row.index()).and_then(|packed| packed.ip_id())
    }

    /// Name of the interface that a row was recorded on; [`None`] where the file does not say.
    #[must_use]
    pub fn interface(&self, row: PacketRow) -> Option<&str> {
        let shape = self.packed.get(row.index()).and_then(|packed| self.shapes.of(*packed))?;
        self.interfaces.get(shape.interface).map(String::as_str)
    }

    /// The frame of a row; one with nothing in it beyond the last.
    #[must_use]
    pub fn get(&self, row: usize) -> Frame<'_> {
        let Some(packed) = self.packed.get(row) else { return Frame::default() };
        let Some(shape) = self.shapes.of(*packed) else { return Frame::default() };
        let wire_length = whole(packed.wire_length);
        let captured_length = if shape.captured_length == WHOLE { wire_length } else { shape.captured_length };
        Frame {
            wire_length: shape.has(present::WIRE_LENGTH).then_some(wire_length),
            captured_length: shape.has(present::CAPTURED_LENGTH).then_some(captured_length),
            ip_length: shape.has(present::IP_LENGTH).then_some(wire_length.wrapping_sub(shape.around_ip)),
            ip_id: packed.ip_id(),
            mss: shape.has(present::MSS).then_some(shape.mss),
            ttl: shape.has(present::TTL).then_some(shape.ttl),
            header_length: shape.has(present::HEADER_LENGTH).then_some(shape.header_length),
            interface: self.interfaces.get(shape.interface).map(String::as_str),
            interface_id: (shape.interface_id != NO_ID).then_some(shape.interface_id.into()),
            outgoing: shape.has(present::OUTGOING),
            option_kinds: self.option_kinds.get(shape.option_kinds).map_or(&[], Vec::as_slice),
        }
    }
}

/// Those from number `told` on, which are told then.
fn news<T: Clone>(values: &[T], told: &mut usize) -> Vec<T> {
    let news = values.get(*told..).unwrap_or(&[]).to_vec();
    *told = values.len();
    news
}

/// Each distinct value once.
#[derive(Debug, Clone)]
struct Interned<T> {
    values: Vec<T>,
    places: HashMap<T, u32, RandomState>,
    /// Places by a few bits of the value: most look-ups end here.
    recent: [u32; 64],
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Interned { values: Vec::new(), places: HashMap::default(), recent: [NONE; 64] }
    }
}

impl<T: Clone + Eq + Hash> Interned<T> {
    #[inline]
    fn place<Q>(&mut self, value: &Q) -> u32
    where
        T: Borrow<Q> + for<'a> From<&'a Q>,
        Q: AsRef<[u8]> + Eq + Hash + ?Sized,
    {
        let bytes = value.as_ref();
        let mixed = bytes.iter().fold(bytes.len(), |mixed, byte| mixed.wrapping_mul(31) ^ usize::from(*byte));
        let slot = mixed % self.recent.len();
        let recent = self.recent.get(slot).copied().unwrap_or(NONE);
        if self.get(recent).is_some_and(|known| known.borrow() == value) {
            return recent;
        }
        let place = self.search(value);
        if let Some(recent) = self.recent.get_mut(slot) {
            *recent = place;
        }
        place
    }

    fn search<Q>(&mut self, value: &Q) -> u32
    where
        T: Borrow<Q> + for<'a> From<&'a Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some(place) = self.places.get(value) {
            return *place;
        }
        let place = u32::try_from(self.values.len()).unwrap_or(NONE);
        let value = T::from(value);
        self.values.push(value.clone());
        self.places.insert(value, place);
        place
    }

    fn get(&self, place: u32) -> Option<&T> {
        self.values.get(place as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_as_they_were() {
        let full = Frame {
            interface: Some("eth0"),
            interface_id: Some(3),
            outgoing: true,
            wire_length: Some(u32::MAX),
            captured_length: Some(0),
            ttl: Some(255),
            ip_length: Some(7),
            ip_id: Some(0),
            header_length: Some(60),
            option_kinds: &[2, 4, 8, 1, 3],
            mss: Some(1460),
        };
        let pushed = [
            full,
            Frame::default(),
            Frame { ttl: None, ip_id: None, interface: Some(""), outgoing: false, ..full },
            Frame { wire_length: None, captured_length: None, header_length: None, option_kinds: &[1], ..full },
            Frame { ip_length: None, mss: None, interface: Some("eth1"), interface_id: None, ..full },
        ];
        let mut frames = Frames::default();
        pushed.iter().for_each(|frame| frames.push(frame));
        for (row, frame) in pushed.iter().enumerate() {
            assert_eq!(frames.get(row), *frame);
        }
        assert_eq!(frames.get(pushed.len()), Frame::default());
        let marks: Vec<Mark> = (0..5).map(|row| frames.mark(PacketRow(row))).collect();
        assert_eq!(marks[0], Mark { interface: Some((0, 3)), ttl: Some(255), ip_id: Some(0), outgoing: true });
        assert_eq!((marks[1], marks[2].ttl, marks[2].ip_id), (Mark::default(), None, None));
        assert_eq!(marks[4].interface.map(|(place, id)| (frames.interface_name(place), id)), Some((Some("eth1"), 255)));
        let chosen = frames.select(&[PacketRow(4), PacketRow(0), PacketRow(9)]);
        assert_eq!([0, 1, 2].map(|row| chosen.get(row)), [pushed[4], pushed[0], Frame::default()]);
    }

    #[test]
    fn many_distinct_lists_are_told_apart() {
        let mut frames = Frames::default();
        let lists: Vec<Vec<u8>> = (0..500_u16).map(|n| vec![(n % 7) as u8, (n / 7) as u8, n as u8]).collect();
        for _ in 0..3 {
            lists.iter().for_each(|list| frames.push(&Frame { option_kinds: list, ..Frame::default() }));
        }
        for row in 0..1500 {
            assert_eq!(frames.get(row).option_kinds, lists[row % 500]);
        }
        assert!(frames.option_kinds.values.len() <= 500);
    }
}
