//! From a capture file to its packets: where each was recorded, when, and its bytes.

use super::Beyond;
use super::interfaces::{InterfaceDescription, half};
use super::link::Link;
use super::view::View;
use crate::Instant;
use crate::packets::capture_file::{
    CaptureFileError, ENHANCED_PACKET, Framing, INTERFACE, Layout, OBSOLETE_PACKET, Piece, SIMPLE_PACKET, Truncation,
    word,
};

/// A packet as it stands in the file.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// Number of the frame, from 1.
    pub number: u64,
    /// When it was recorded; simple packets do not say.
    pub time: Option<Instant>,
    /// Bytes on the wire.
    pub wire_length: u32,
    /// Where it was recorded: number of the interface in the whole file, from 0, and what is known of it. pcap does not
    /// say.
    pub interface: Option<(usize, &'a InterfaceDescription)>,
    /// The link type, or why it is not understood.
    pub link: Result<Link, Beyond>,
    /// Recorded bytes.
    pub bytes: &'a [u8],
}

impl<'a> Recorded<'a> {
    /// The whole packet. Some programs give the smaller of the two lengths as the one on the wire.
    #[inline]
    #[must_use]
    pub fn view(&self) -> View<'a> {
        let length = usize::try_from(self.wire_length).unwrap_or(usize::MAX).max(self.bytes.len());
        View { bytes: self.bytes, length }
    }
}

/// The next part.
#[derive(Debug, Clone, Copy)]
pub enum Next<'a> {
    /// A packet.
    Packet(Recorded<'a>),
    /// A frame without a packet: a journal entry, a custom block.
    OtherFrame,
    /// Nothing whole any more.
    End,
}

/// What the headers of a file have told so far: it is the same as long as no other comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headers {
    layout: Layout,
    section: usize,
    interfaces: usize,
}

/// Goes through the packets of a capture.
pub struct Packets {
    framing: Framing,
    /// Link type of a pcap file.
    link: Result<Link, Beyond>,
    /// Interfaces of all sections, one after the other.
    interfaces: Vec<InterfaceDescription>,
    /// Where those of the present section begin.
    section: usize,
}

impl Packets {
    /// The packets that `framing` finds.
    #[must_use]
    pub fn of(framing: Framing) -> Self {
        Packets { framing, link: Err(Beyond::Format), interfaces: Vec::new(), section: 0 }
    }

    /// The interfaces described so far, those of all sections.
    #[must_use]
    pub fn interfaces(&self) -> &[InterfaceDescription] {
        &self.interfaces
    }

    /// Sets until when [`Packets::next`] waits for what has not come; without a deadline it waits for ever.
    pub fn wait_until(&mut self, deadline: Option<std::time::Instant>) {
        self.framing.wait_until(deadline);
    }

    /// Whether the capture is compressed.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        self.framing.is_compressed()
    }

    /// Frames so far.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.framing.frames()
    }

    /// Bytes of the capture so far.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.framing.offset()
    }

    /// Why [`Next::End`] came before the end of the file, if it did.
    #[must_use]
    pub fn truncation(&self) -> Option<Truncation> {
        self.framing.truncation()
    }

    /// Another walk through the same file, see [`Framing::beside`].
    #[must_use]
    pub fn beside(&self) -> Option<Packets> {
        let framing = self.framing.beside()?;
        Some(Packets { framing, link: self.link, interfaces: self.interfaces.clone(), section: self.section })
    }

    /// The walk through records and blocks.
    pub fn framing(&mut self) -> &mut Framing {
        &mut self.framing
    }

    /// What is known of the file's headers.
    #[must_use]
    pub fn headers(&self) -> Headers {
        Headers { layout: self.framing.layout(), section: self.section, interfaces: self.interfaces.len() }
    }

    /// Offset of what follows the present frame.
    #[inline]
    #[must_use]
    pub fn next_offset(&self) -> u64 {
        self.framing.next_offset()
    }

    /// Goes on to the next frame.
    ///
    /// # Errors
    /// When the file cannot be read, or on Ctrl-C; [`CaptureFileError::NothingYet`] at the deadline.
    #[inline]
    pub fn next(&mut self) -> Result<Next<'_>, CaptureFileError> {
        loop {
            match self.framing.next_piece()? {
                Piece::End => return Ok(Next::End),
                Piece::Header => self.header(),
                Piece::Other => self.block(),
                Piece::Frame(number) => {
                    if let Layout::Pcap { big_endian, nanoseconds } = self.framing.layout() {
                        return Ok(self.record(number, big_endian, nanoseconds).map_or(Next::OtherFrame, Next::Packet));
                    }
                    // Looked at twice, because a packet of an interface that was not described ends the file.
                    if !self.is_of_known_interface() {
                        self.framing.refuse();
                        return Ok(Next::End);
                    }
                    return Ok(self.packet(number).map_or(Next::OtherFrame, Next::Packet));
                }
            }
        }
    }

    fn header(&mut self) {
        match self.framing.layout() {
            Layout::Pcap { big_endian, .. } => {
                let header = self.framing.piece();
                let old = half(header, 4, big_endian) <= Some(2) && half(header, 6, big_endian) < Some(4);
                // The upper bits tell of a checksum behind each frame.
                let number = word(header, 20, big_endian).unwrap_or(0) & 0x03ff_ffff;
                self.link = if old { Err(Beyond::Version) } else { Link::of(number).ok_or(Beyond::LinkType(number)) };
            }
            Layout::Pcapng { .. } => self.section = self.interfaces.len(),
        }
    }

    fn block(&mut self) {
        let big_endian = self.framing.layout().big_endian();
        let block = self.framing.piece();
        if word(block, 0, big_endian) == Some(INTERFACE)
            && let Some(interface) = InterfaceDescription::read(block, big_endian)
        {
            self.interfaces.push(interface);
        }
    }

    #[inline]
    fn record(&self, number: u64, big_endian: bool, nanoseconds: bool) -> Option<Recorded<'_>> {
        let record = self.framing.piece();
        let (seconds, fraction) = (word(record, 0, big_endian)?, word(record, 4, big_endian)?);
        let unit = if nanoseconds { 1 } else { 1000 };
        Some(Recorded {
            number,
            time: Some(Instant::from_nanoseconds(i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * unit)),
            wire_length: word(record, 12, big_endian)?,
            interface: None,
            link: self.link,
            bytes: record.get(16..)?,
        })
    }

    /// Place of the interface of the present packet block; `None` for blocks of other kinds.
    #[inline]
    fn place(&self) -> Option<usize> {
        let (block, big_endian) = (self.framing.piece(), self.framing.layout().big_endian());
        let id = match word(block, 0, big_endian)? {
            ENHANCED_PACKET => word(block, 8, big_endian)?,
            OBSOLETE_PACKET => half(block, 8, big_endian)?.into(),
            SIMPLE_PACKET => 0,
            _ => return None,
        };
        Some(self.section.saturating_add(usize::try_from(id).unwrap_or(usize::MAX)))
    }

    #[inline]
    fn is_of_known_interface(&self) -> bool {
        self.place().is_none_or(|place| place < self.interfaces.len())
    }

    #[inline]
    fn packet(&self, number: u64) -> Option<Recorded<'_>> {
        let (block, big_endian) = (self.framing.piece(), self.framing.layout().big_endian());
        let place = self.place()?;
        let interface = self.interfaces.get(place)?;
        let recorded = |time, wire_length, bytes| Recorded {
            number,
            time,
            wire_length,
            interface: Some((place, interface)),
            link: interface.link,
            bytes,
        };
        if word(block, 0, big_endian)? == SIMPLE_PACKET {
            let wire_length = word(block, 8, big_endian)?;
            let snapped = if interface.snap_length == 0 { u32::MAX } else { interface.snap_length };
            let length = usize::try_from(wire_length.min(snapped)).ok()?;
            let room = block.get(12..block.len().checked_sub(4)?)?;
            return Some(recorded(None, wire_length, room.get(..length).unwrap_or(room)));
        }
        let (high, low) = (word(block, 12, big_endian)?, word(block, 16, big_endian)?);
        let time = interface.clock.instant(u64::from(high) << 32 | u64::from(low));
        let length = usize::try_from(word(block, 20, big_endian)?).ok()?;
        Some(recorded(time, word(block, 24, big_endian)?, block.get(28..)?.get(..length)?))
    }
}
