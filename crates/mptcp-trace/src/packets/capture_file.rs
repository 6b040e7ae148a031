//! The frames of a capture file by their framing alone: how many there are, whether the last one is whole, and a
//! copy with only some of them.
//!
//! Only lengths are read here, never the content of a packet or of an option: a frame with a content that no parser
//! understands still has its number, and is copied byte for byte. What counts as a frame is what has a
//! `frame.number` in Wireshark.

pub mod boundary;
mod bytes;
mod description;
mod framing;
mod input;

use std::io;
use std::path::{Path, PathBuf};

pub use description::{Description, describe};
pub use framing::{ENHANCED_PACKET, Framing, INTERFACE, Layout, OBSOLETE_PACKET, Piece, SIMPLE_PACKET, word};
pub use input::Input;

/// Where and how the whole part of a capture file ends before the file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncation {
    /// Offset of the first byte that belongs to no whole record, from 0; of a compressed file, decompressed.
    pub offset: u64,
    /// The problem there.
    pub cause: Cause,
}

/// Problem at the end of the whole part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The file ends within the file header.
    FileHeader,
    /// The file ends within the header of a record or block.
    RecordHeader,
    /// The file ends within the data of a record or block.
    RecordData,
    /// The lengths contradict each other or are absurd: the file is damaged here, not only cut.
    Damaged,
    /// The compressed data cannot be decompressed any further: it is cut or damaged.
    Compression,
}

impl Truncation {
    /// Whether there is not even a whole file header, so that nothing at all can be told of the capture.
    #[must_use]
    pub fn leaves_nothing(&self) -> bool {
        self.cause == Cause::FileHeader || (self.cause == Cause::Compression && self.offset == 0)
    }
}

impl std::fmt::Display for Truncation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let offset = self.offset;
        match self.cause {
            Cause::FileHeader => write!(formatter, "the file ends within its header"),
            Cause::RecordHeader => write!(formatter, "the file ends within the header of a record, at byte {offset}"),
            Cause::RecordData => {
                write!(formatter, "the file ends within the data of the record that begins at byte {offset}")
            }
            Cause::Damaged => write!(formatter, "the file is damaged from byte {offset} on"),
            Cause::Compression => {
                write!(formatter, "the compressed file is cut or damaged and ends after {offset} bytes of the capture")
            }
        }
    }
}

/// Number of frames in a capture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameCount {
    /// Whole frames, whatever their protocol.
    pub whole: u64,
    /// Why there are no more, when the file does not end with a whole record.
    pub truncated: Option<Truncation>,
}

/// A capture file cannot be walked through or copied.
#[derive(Debug, thiserror::Error)]
pub enum CaptureFileError {
    /// The system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// The attempted action, a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Answer of the system.
        source: io::Error,
    },
    /// Neither pcap nor pcapng.
    #[error("{} is neither a pcap nor a pcapng file", .0.display())]
    Unsupported(PathBuf),
    /// Ctrl-C.
    #[error("interrupted: nothing was written")]
    Interrupted,
    /// The deadline passed before the data arrived.
    #[error("timed out")]
    NothingYet,
}

impl CaptureFileError {
    pub(super) fn file(action: &'static str, path: &Path, source: io::Error) -> Self {
        CaptureFileError::File { action, path: path.to_path_buf(), source }
    }
}

/// Whether `path` stands for standard input: `-`. A file of that name is `./-`.
#[must_use]
pub fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Counts the frames of the capture `path` by walking through it once; ends at the first damage and says where.
///
/// # Errors
/// When it cannot be read, or is not a pcap or pcapng file.
pub fn count_frames(path: &Path) -> Result<FrameCount, CaptureFileError> {
    let mut framing = Framing::open(path)?;
    while framing.next_piece()? != Piece::End {}
    Ok(FrameCount { whole: framing.frames(), truncated: framing.truncation() })
}
