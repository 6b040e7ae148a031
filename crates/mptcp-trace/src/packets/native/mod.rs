//! Dissection in this process: what tshark finds in the packets that this program is about, at the speed of the disk.
//!
//! A capture is read once from its start to its end, so that it may be a pipe; nothing is kept of a packet but its
//! segment. What is not understood is counted, and said.

mod file;
mod frame;
mod interfaces;
mod ip;
mod layers;
mod link;
mod mptcp;
mod options;
mod pipeline;
mod spans;
mod tally;
mod tcp;
mod tunnel;
mod view;
mod walk;

use std::io::Read;
use std::path::Path;

use super::capture_file::{CaptureFileError, Framing, Input};
use super::{Dissection, SoFar};
use crate::PacketRow;
use crate::error::{Error, ReadError};
pub use frame::dissect_frame;
pub use link::LINKS;

use file::{Next, Packets};
use layers::FrameContent;
use tcp::Tcp;
pub use walk::{Walk, Walked};

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
    Read(#[from] ReadError),
}

impl Failure {
    /// The same as an error of the capture `path`.
    pub(crate) fn of(self, path: &Path) -> Error {
        match self {
            Failure::Read(ReadError::Interrupted) => Error::Interrupted,
            Failure::Read(error) => error.into(),
            Failure::Beyond(beyond) => {
                ReadError::NotACapture { path: path.to_path_buf(), detail: format!(": {beyond}") }.into()
            }
        }
    }
}

/// Unsupported parts, which tshark may support.
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

/// Watches a dissection while it goes on.
pub trait Watcher {
    /// So many bytes of the capture were read, of `whole` where that is known.
    fn progress(&mut self, read: u64, whole: Option<u64>) {
        let _ = (read, whole);
    }

    /// There are more packets: those from row `first` on.
    fn packets(&mut self, packets: SoFar<'_>, first: PacketRow) {
        let _ = (packets, first);
    }
}

/// Nobody watches.
impl Watcher for () {}

/// Options of a dissection.
#[derive(Debug, Clone, Copy, Default)]
pub struct DissectOptions {
    /// Leave out packets of a link type that is not understood, instead of giving up at the first.
    pub partial: bool,
}

/// Dissects `path`; `-` is standard input.
///
/// # Errors
/// [`Failure`], one sentence each.
pub fn dissect(path: &Path, request: DissectOptions) -> Result<Dissection, Failure> {
    dissect_watched(path, request, &mut ())
}

/// As [`dissect`]; `watcher` is told of progress and of packets, some thousand at a time.
///
/// # Errors
/// [`Failure`], one sentence each.
pub fn dissect_watched(path: &Path, request: DissectOptions, watcher: &mut dyn Watcher) -> Result<Dissection, Failure> {
    let walk = Walk::of(Framing::open(path).map_err(failure)?, request.partial);
    let size = std::fs::metadata(path).ok().filter(|file| file.is_file() && !walk.is_compressed());
    pipeline::to_the_end(walk, path, size.map(|file| file.len()), watcher)
}

/// Dissects a capture, compressed or not, that comes from `source`; `name` is what errors call it.
///
/// # Errors
/// [`Failure`], one sentence each.
pub fn dissect_from(source: Box<dyn Read + Send>, name: &Path, request: DissectOptions) -> Result<Dissection, Failure> {
    let input = Input::of(source).map_err(|source| ReadError::Unreadable { path: name.to_path_buf(), source })?;
    let walk = Walk::of(Framing::of(input, name).map_err(failure)?, request.partial);
    pipeline::to_the_end(walk, name, None, &mut ())
}

/// Reads `path` again and calls `visit` with the packet id and the recorded payload of each TCP packet with payload,
/// in the order of the file.
///
/// # Errors
/// When it cannot be read, or on Ctrl-C.
pub fn payloads(path: &Path, mut visit: impl FnMut(u64, &[u8])) -> Result<(), ReadError> {
    let unreadable = |error| match error {
        CaptureFileError::File { path, source, .. } => ReadError::Unreadable { path, source },
        CaptureFileError::Interrupted => ReadError::Interrupted,
        other => ReadError::NotACapture { path: path.to_path_buf(), detail: format!(" ({other})") },
    };
    let mut packets = Packets::of(Framing::open(path).map_err(unreadable)?);
    let mut tcp = Tcp::default();
    loop {
        let packet = match packets.next().map_err(unreadable)? {
            Next::End => return Ok(()),
            Next::OtherFrame => continue,
            Next::Packet(packet) => packet,
        };
        if let Ok(FrameContent::Tcp(ip, content)) = packet.link.map(|link| layers::dissect(link, packet.view()))
            && tcp.read(&ip, content)
            && tcp.fields.payload.is_some_and(|length| length > 0)
        {
            visit(packet.number, content.bytes.get(usize::from(tcp.header_length)..).unwrap_or(&[]));
        }
    }
}

fn failure(error: CaptureFileError) -> Failure {
    match error {
        CaptureFileError::Interrupted => ReadError::Interrupted.into(),
        CaptureFileError::File { path, source, .. } => ReadError::Unreadable { path, source }.into(),
        CaptureFileError::Unsupported(_) | CaptureFileError::NothingYet => Failure::Beyond(Beyond::Format),
    }
}
