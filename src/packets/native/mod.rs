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
use super::table::{Builder, Frame};
use super::{CaptureFacts, Dissection, Interface, LoadError};
use file::{Next, Packets, Recorded};
use layers::Found;
use tally::Tally;
use tcp::Tcp;
use view::View;

/// Dissector and version, as cache keys and `checkhealth` show it.
#[must_use]
pub fn name() -> String {
    format!("native {}", env!("CARGO_PKG_VERSION"))
}

/// Why a capture was not dissected.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It has something, named here, that is not understood; tshark may.
    #[error("{0}")]
    Beyond(String),
    /// It cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// How a capture is to be dissected.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request {
    /// Leave out packets of a link type that is not understood, instead of giving up at the first.
    pub partial: bool,
}

/// Dissects `path`; `-` is standard input.
///
/// # Errors
/// [`Failure`], one sentence each.
pub fn dissect(path: &Path, request: Request) -> Result<Dissection, Failure> {
    let framing = Framing::open(path).map_err(|error| failure(error, path))?;
    let mut packets = Packets::of(framing);
    let mut builder = Builder::default();
    let mut tally = Tally::default();
    loop {
        let packet = match packets.next().map_err(|error| failure(error, path))? {
            Next::End => break,
            Next::OtherFrame => continue,
            Next::Packet(packet) => packet,
        };
        tally.time = packet.time.unwrap_or(tally.time);
        if packet.time.is_some() {
            builder.time(tally.time);
        }
        let Some(link) = packet.link else {
            if !request.partial {
                return Err(Failure::Beyond(format!("link type {}", packet.link_number)));
            }
            tally.unknown_link(packet.link_number);
            continue;
        };
        let length = usize::try_from(packet.wire_length).unwrap_or(usize::MAX).max(packet.octets.len());
        match layers::dissect(link, View { octets: packet.octets, length }) {
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

fn failure(error: CaptureFileError, path: &Path) -> Failure {
    match error {
        CaptureFileError::Interrupted => LoadError::Interrupted.into(),
        CaptureFileError::File { path, source, .. } => LoadError::Unreadable { path, source }.into(),
        CaptureFileError::Unsupported(_) | CaptureFileError::SameFile(_) => {
            Failure::Beyond(format!("the format of {}", path.display()))
        }
    }
}
