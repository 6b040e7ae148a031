//! Dissection in this process: what tshark finds in the packets that this program is about, at the speed of the disk.
//!
//! A capture is read once from its start to its end, so that it may be a pipe; nothing is kept of a packet but its
//! segment. What is not understood is counted, and said.

mod file;
mod interfaces;
mod ip;
mod layers;
mod link;
mod mptcp;
mod options;
mod tally;
mod tcp;
mod tunnel;
mod view;

use std::path::Path;

use super::capture_file::{CaptureFileError, Cause, Framing};
use super::progress::{Progress, Unit};
use super::table::{Builder, Frame};
use super::{CaptureFacts, Dissection, Interface, LoadError};
use file::{Next, Packets, Recorded};
use layers::Found;
pub use link::LINKS;
use tally::Tally;
use tcp::Tcp;

/// Dissector and version, as cache keys and `checkhealth` show it.
#[must_use]
pub fn name() -> String {
    format!("native {}", env!("CARGO_PKG_VERSION"))
}

/// Why a capture was not dissected.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It has something that is not understood.
    #[error(transparent)]
    Beyond(Beyond),
    /// It cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// What is not understood; tshark may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Beyond {
    /// The file is neither pcap nor pcapng.
    #[error("its format is neither pcap nor pcapng")]
    Format,
    /// The pcap file is of a version before 2.4, which orders its records otherwise.
    #[error("its pcap version is before 2.4")]
    Version,
    /// The number of the link type of a packet.
    #[error("it has packets of link type {0}")]
    LinkType(u32),
}

/// How a capture is to be dissected.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request {
    /// Leave out packets of a link type that is not understood, instead of giving up at the first.
    pub partial: bool,
    /// Show progress on standard error.
    pub progress: bool,
}

/// Dissects `path`; `-` is standard input.
///
/// # Errors
/// [`Failure`], one sentence each.
pub fn dissect(path: &Path, request: Request) -> Result<Dissection, Failure> {
    let framing = Framing::open(path).map_err(failure)?;
    let mut packets = Packets::of(framing);
    let mut builder = Builder::default();
    let mut tally = Tally::default();
    let size = std::fs::metadata(path).ok().filter(|file| file.is_file() && !packets.is_compressed());
    let mut progress = Progress::new(Unit::Bytes, size.map(|file| file.len()), request.progress);
    loop {
        if packets.frames().is_multiple_of(4096) {
            progress.show(packets.offset());
        }
        let packet = match packets.next().map_err(failure)? {
            Next::End => break,
            Next::OtherFrame => continue,
            Next::Packet(packet) => packet,
        };
        tally.time = packet.time.unwrap_or(tally.time);
        if packet.time.is_some() {
            builder.time(tally.time);
        }
        let link = match packet.link {
            Ok(link) => link,
            Err(Beyond::LinkType(number)) if request.partial => {
                tally.unknown_link(number);
                continue;
            }
            Err(beyond) => return Err(Failure::Beyond(beyond)),
        };
        match layers::dissect(link, packet.view()) {
            Found::Other => {}
            Found::LaterFragment => tally.later_fragments += 1,
            Found::Unopened => tally.unopened += 1,
            Found::Tcp(ip, content) => match tcp::read(&ip, content) {
                Some(tcp) => push(&mut builder, &mut tally, &packet, &ip, tcp),
                None => tally.odd += 1,
            },
        }
    }
    if let Some(truncation) = packets.truncation().filter(|truncation| truncation.cause == Cause::FileHeader) {
        let detail = format!(" ({truncation})");
        return Err(LoadError::NotACapture { path: path.to_path_buf(), detail }.into());
    }
    let facts = CaptureFacts {
        frames: packets.frames(),
        dissector: name(),
        interfaces: interfaces(&packets, &tally),
        warnings: tally.warnings(packets.truncation(), packets.frames()),
    };
    Ok(Dissection { table: builder.finish(Vec::new()), facts })
}

/// Reads `path` once more and calls `visit` with the packet id and the recorded payload of each TCP packet with payload,
/// in the order of the file.
///
/// # Errors
/// When it cannot be read, or on Ctrl-C.
pub fn payloads(path: &Path, mut visit: impl FnMut(u64, &[u8])) -> Result<(), LoadError> {
    let unreadable = |error| match error {
        CaptureFileError::File { path, source, .. } => LoadError::Unreadable { path, source },
        CaptureFileError::Interrupted => LoadError::Interrupted,
        other => LoadError::NotACapture { path: path.to_path_buf(), detail: format!(" ({other})") },
    };
    let mut packets = Packets::of(Framing::open(path).map_err(unreadable)?);
    loop {
        let packet = match packets.next().map_err(unreadable)? {
            Next::End => return Ok(()),
            Next::OtherFrame => continue,
            Next::Packet(packet) => packet,
        };
        if let Ok(Found::Tcp(ip, content)) = packet.link.map(|link| layers::dissect(link, packet.view()))
            && let Some(tcp) = tcp::read(&ip, content)
            && tcp.segment.payload.is_some_and(|length| length > 0)
        {
            visit(packet.number, content.octets.get(usize::from(tcp.header_length)..).unwrap_or(&[]));
        }
    }
}

/// Appends one packet to the table.
#[inline]
fn push(builder: &mut Builder, tally: &mut Tally, packet: &Recorded<'_>, ip: &ip::Ip, tcp: Tcp) {
    let Tcp { mut segment, header_length, kinds, mss } = tcp;
    segment.packetid = packet.number;
    segment.abstime = tally.time;
    if packet.time.is_none() {
        tally.untimed += 1;
    }
    if let Some((place, _)) = packet.interface {
        tally.packet_of(place);
    }
    let frame = Frame {
        interface: packet.interface.map(|(_, interface)| interface.name.as_str()),
        wire_length: Some(packet.wire_length),
        captured_length: u32::try_from(packet.octets.len()).ok(),
        ttl: Some(ip.ttl),
        ip_length: Some(ip.length),
        ip_id: ip.id,
        header_length: Some(header_length),
        option_kinds: kinds.as_slice(),
        mss,
    };
    builder.push(&frame, segment);
}

/// The interfaces that TCP packets were recorded on.
fn interfaces(packets: &Packets, tally: &Tally) -> Vec<Interface> {
    let counted = (0_u32..).zip(packets.interfaces()).zip(tally.packets_by_interface());
    let with_packets = counted.filter(|(_, packets)| **packets > 0);
    with_packets
        .map(|((id, interface), packets)| Interface { id, name: Some(interface.name.clone()), packets: *packets })
        .collect()
}

fn failure(error: CaptureFileError) -> Failure {
    match error {
        CaptureFileError::Interrupted => LoadError::Interrupted.into(),
        CaptureFileError::File { path, source, .. } => LoadError::Unreadable { path, source }.into(),
        CaptureFileError::Unsupported(_) | CaptureFileError::SameFile(_) => Failure::Beyond(Beyond::Format),
    }
}
