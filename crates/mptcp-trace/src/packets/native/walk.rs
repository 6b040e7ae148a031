//! A capture taken in packet by packet: the step that loading a file and watching a capture grow share.

use super::file::{Next, Packets, Recorded};
use super::layers::{self, FrameContent};
use super::tally::Tally;
use super::tcp::Tcp;
use super::{Beyond, Failure, failure, ip, link, name};
use crate::Instant;
use crate::packets::capture_file::{CaptureFileError, Framing, Truncation};
use crate::packets::frames::Frame;
use crate::packets::{Builder, CaptureFacts, Interface};

/// Result of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walked {
    /// A TCP packet, which is now the last of the table.
    Tcp,
    /// A frame of something else.
    Other,
    /// Nothing that is whole has come by the deadline.
    NothingYet,
    /// There is no more.
    End,
}

/// Goes through a capture once, and counts what the table does not show.
pub struct Walk {
    packets: Packets,
    tally: Tally,
    /// The packet that was read last.
    tcp: Tcp,
    /// Leave out packets of a link type that is not understood, instead of giving up at the first.
    partial: bool,
}

impl Walk {
    /// Begins with the first of the frames that `framing` finds.
    #[must_use]
    pub fn of(framing: Framing, partial: bool) -> Self {
        Walk { packets: Packets::of(framing), tally: Tally::default(), tcp: Tcp::default(), partial }
    }

    /// Another walk through the same file, which knows the same and has counted nothing; `None` where the file cannot be
    /// read at any place.
    pub(super) fn beside(&self) -> Option<Walk> {
        let packets = self.packets.beside()?;
        Some(Walk { packets, tally: Tally::default(), tcp: Tcp::default(), partial: self.partial })
    }

    /// The walk through the file.
    pub(super) fn file(&mut self) -> &mut Packets {
        &mut self.packets
    }

    /// What was counted so far, which begins at nothing again.
    pub(super) fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// Counts what another walk has counted behind this one, and goes on as after those frames.
    pub(super) fn go_on_after(&mut self, tally: Tally, time: Option<Instant>) {
        self.tally.time = time.unwrap_or(self.tally.time);
        self.tally.add(tally);
    }

    /// When the latest frame was recorded.
    pub(super) fn time(&self) -> Instant {
        self.tally.time
    }

    /// Takes the next frame; a TCP packet is put at the end of `builder`.
    ///
    /// # Errors
    /// When the capture cannot be read, on Ctrl-C, and for a link type that is not understood.
    #[inline]
    pub fn step(&mut self, builder: &mut Builder) -> Result<Walked, Failure> {
        let packet = match self.packets.next() {
            Ok(Next::Packet(packet)) => packet,
            Ok(Next::OtherFrame) => return Ok(Walked::Other),
            Ok(Next::End) => return Ok(Walked::End),
            Err(CaptureFileError::NothingYet) => return Ok(Walked::NothingYet),
            Err(error) => return Err(failure(error)),
        };
        let tally = &mut self.tally;
        tally.time = packet.time.unwrap_or(tally.time);
        if packet.time.is_some() {
            builder.time(tally.time);
        }
        let link = match packet.link {
            Ok(link) => link,
            Err(Beyond::LinkType(number)) if self.partial => {
                tally.unknown_link(number);
                return Ok(Walked::Other);
            }
            Err(beyond) => return Err(Failure::Beyond(beyond)),
        };
        match layers::dissect(link, packet.view()) {
            FrameContent::Other => {}
            FrameContent::LaterFragment => tally.later_fragments += 1,
            FrameContent::Unopened => tally.unopened += 1,
            FrameContent::Tcp(ip, content) => match self.tcp.read(&ip, content) {
                true => {
                    push(builder, tally, &packet, &ip, &mut self.tcp);
                    return Ok(Walked::Tcp);
                }
                false => tally.odd += 1,
            },
        }
        Ok(Walked::Other)
    }

    /// Sets until when [`Walk::step`] waits for what has not come; without a deadline it waits for ever.
    pub fn wait_until(&mut self, deadline: Option<std::time::Instant>) {
        self.packets.wait_until(deadline);
    }

    /// Whether the capture is compressed.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        self.packets.is_compressed()
    }

    /// Frames so far, of any protocol.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.packets.frames()
    }

    /// Bytes of the capture so far.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.packets.offset()
    }

    /// Why the end came within a record, if it did.
    #[must_use]
    pub fn truncation(&self) -> Option<Truncation> {
        self.packets.truncation()
    }

    /// Facts besides the packets. `truncation` is what is to be said of the end.
    #[must_use]
    pub fn facts(&self, truncation: Option<Truncation>) -> CaptureFacts {
        CaptureFacts {
            frames: self.frames(),
            dissector: name(),
            interfaces: self.interfaces(),
            not_understood: self.tally.not_understood(),
            truncated_at: truncation.map(|truncation| truncation.offset),
            warnings: self.tally.warnings(truncation, self.frames()),
        }
    }

    /// The interfaces that TCP packets were recorded on; those of cooked captures by their index.
    fn interfaces(&self) -> Vec<Interface> {
        if self.packets.interfaces().is_empty() {
            let counted = self.tally.packets_by_index();
            return counted.map(|(id, packets)| Interface { id, name: None, packets }).collect();
        }
        let counted = (0_u32..).zip(self.packets.interfaces()).zip(self.tally.packets_by_interface());
        let with_packets = counted.filter(|(_, packets)| **packets > 0);
        with_packets
            .map(|((id, interface), packets)| Interface { id, name: Some(interface.name.clone()), packets: *packets })
            .collect()
    }
}

/// Appends one packet to the table.
#[inline]
fn push(builder: &mut Builder, tally: &mut Tally, packet: &Recorded<'_>, ip: &ip::Ip, tcp: &mut Tcp) {
    let Tcp { fields, header_length, kinds, mss } = tcp;
    fields.packetid = packet.number;
    fields.abstime = tally.time;
    if packet.time.is_none() {
        tally.untimed += 1;
    }
    let (interface, interface_id) = match packet.interface {
        Some((place, interface)) => {
            tally.packet_of(place);
            (Some(interface.name.as_str()), u32::try_from(place).ok())
        }
        None => (link::interface_index(packet).map(|index| tally.packet_of_index(index)), None),
    };
    let frame = Frame {
        interface,
        interface_id,
        outgoing: link::is_outgoing(packet),
        wire_length: Some(packet.wire_length),
        captured_length: u32::try_from(packet.bytes.len()).ok(),
        ttl: Some(ip.ttl),
        ip_length: Some(ip.length),
        ip_id: ip.id,
        header_length: Some(*header_length),
        option_kinds: kinds.as_slice(),
        mss: *mss,
    };
    builder.take(&frame, fields);
}
