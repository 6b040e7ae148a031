//! From bytes to records and blocks, by their lengths.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::boundary;
use super::bytes::{Bytes, Span};
use super::input::Input;
use super::{CaptureFileError, Cause, Truncation};
use crate::capture_format::CaptureFormat;

/// Blocks longer than this are damage: Wireshark refuses them too (128 MiB of packet and its options).
const LONGEST: u32 = 0x0801_0000;
/// Records of a pcap file longer than this are damage, as they are to Wireshark.
const LONGEST_RECORD: u32 = 0x0800_0000;

/// Section header block (draft-ietf-opsawg-pcapng section 4.1), and the types of the other blocks below.
const SECTION: u32 = 0x0a0d_0d0a;
/// Interface description block.
pub const INTERFACE: u32 = 1;
/// The packet block of the first pcapng drafts.
pub const OBSOLETE_PACKET: u32 = 2;
/// Simple packet block.
pub const SIMPLE_PACKET: u32 = 3;
/// Enhanced packet block.
pub const ENHANCED_PACKET: u32 = 6;
/// systemd journal export block.
const JOURNAL: u32 = 9;
/// Custom blocks: to be copied, and not to be copied, by programs that do not know them.
const CUSTOM: [u32; 2] = [0x0000_0bad, 0x4000_0bad];
/// System events, in the three forms that Wireshark numbers.
const SYSTEM_EVENTS: [u32; 3] = [0x204, 0x216, 0x221];

/// The next part of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// The header of the file, or of a pcapng section.
    Header,
    /// A frame with its number, from 1.
    Frame(u64),
    /// A block that is not a frame: an interface, names, statistics.
    Other,
    /// Nothing whole any more.
    End,
}

/// Layout of the present part of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Records after one header.
    Pcap {
        /// Numbers have their most significant byte first.
        big_endian: bool,
        /// Timestamps in nanoseconds, else in microseconds.
        nanoseconds: bool,
    },
    /// Blocks.
    Pcapng {
        /// Numbers of this section have their most significant byte first.
        big_endian: bool,
    },
}

impl Layout {
    /// Whether numbers have their most significant byte first.
    #[must_use]
    pub fn big_endian(self) -> bool {
        match self {
            Layout::Pcap { big_endian, .. } | Layout::Pcapng { big_endian } => big_endian,
        }
    }
}

/// The 32-bit number at byte `at`.
#[inline]
pub fn word(bytes: &[u8], at: usize, big_endian: bool) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
}

/// Walks through a capture piece by piece.
pub struct Framing {
    /// The capture's name, for errors.
    path: PathBuf,
    bytes: Bytes,
    /// The file, where it can be read at any place.
    file: Option<Arc<File>>,
    compressed: bool,
    layout: Layout,
    /// Length of the present piece, which begins the window.
    length: usize,
    frames: u64,
    truncation: Option<Truncation>,
    started: bool,
}

/// Why there is no whole piece.
enum Stop {
    /// The rest of the file is not a whole piece.
    Cut(Cause),
    /// The system refused.
    Failed(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::Failed(error)
    }
}

impl Framing {
    /// The capture `path`, compressed or not; `-` is standard input.
    ///
    /// # Errors
    /// When it cannot be read or is neither pcap nor pcapng.
    pub fn open(path: &Path) -> Result<Framing, CaptureFileError> {
        let input = Input::open(path).map_err(|source| CaptureFileError::file("read", path, source))?;
        Framing::of(input, path)
    }

    /// The capture in `input`, called `path` in errors.
    ///
    /// # Errors
    /// When it is neither pcap nor pcapng.
    pub fn of(mut input: Input, path: &Path) -> Result<Framing, CaptureFileError> {
        let compressed = input.compression.is_some();
        let mut truncation = None;
        match input.bytes.fetch(4) {
            Err(source) if !compressed || source.kind() == ErrorKind::Interrupted => {
                return Err(CaptureFileError::file("read", path, source));
            }
            // Nothing can be decompressed: what is in it is not known.
            Err(_) if input.bytes.window().len() < 4 => {
                truncation = Some(Truncation { offset: 0, cause: Cause::Compression });
            }
            _ => {}
        }
        let layout = match CaptureFormat::of(input.bytes.window()) {
            CaptureFormat::Pcap { big_endian, nanoseconds } => Layout::Pcap { big_endian, nanoseconds },
            CaptureFormat::Pcapng => Layout::Pcapng { big_endian: false },
            _ if truncation.is_some() => Layout::Pcapng { big_endian: false },
            _ => return Err(CaptureFileError::Unsupported(path.to_path_buf())),
        };
        Ok(Framing {
            path: path.to_path_buf(),
            bytes: input.bytes,
            file: input.file.map(Arc::new),
            compressed,
            layout,
            length: 0,
            frames: 0,
            truncation,
            started: false,
        })
    }

    /// Sets until when [`Framing::next_piece`] waits for what has not come; without one it waits for ever.
    pub fn wait_until(&mut self, deadline: Option<Instant>) {
        self.bytes.wait_until(deadline);
    }

    /// Whether the capture is compressed.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// The file, where its pieces can be looked at in any order.
    #[must_use]
    pub fn file(&self) -> Option<&Arc<File>> {
        self.file.as_ref()
    }

    /// Another walk through the same file, which knows the present layout; [`Framing::go_to`] puts it somewhere. `None`
    /// where the file cannot be read at any place.
    #[must_use]
    pub fn beside(&self) -> Option<Framing> {
        let file = Arc::clone(self.file.as_ref()?);
        Some(Framing {
            path: self.path.clone(),
            bytes: Bytes::of_span(Span::of(&file, self.next_offset(), None)),
            file: Some(file),
            compressed: false,
            layout: self.layout,
            length: 0,
            frames: self.frames,
            truncation: None,
            started: true,
        })
    }

    /// Goes on with the piece that begins at `offset`, as frame `frames` + 1. What is read is near to what begins before
    /// `end`, if that is given.
    pub fn go_to(&mut self, offset: u64, end: Option<u64>, frames: u64) {
        if let Some(file) = &self.file {
            self.bytes.go_to(Span::of(file, offset, end));
        }
        (self.length, self.frames) = (0, frames);
    }

    /// Goes on to where a piece seems to begin, as [`boundary::find`] tells; false where none does.
    ///
    /// # Errors
    /// When the file cannot be read, or on Ctrl-C.
    pub fn go_to_boundary(&mut self, near: boundary::Near) -> io::Result<bool> {
        self.bytes.fetch(1)?;
        let found = boundary::find(self.bytes.window(), self.layout, near);
        self.bytes.pass(found.unwrap_or(0));
        Ok(found.is_some())
    }

    /// Offset of the piece after the present one.
    #[inline]
    #[must_use]
    pub fn next_offset(&self) -> u64 {
        self.bytes.offset().saturating_add(self.length as u64)
    }

    /// Frames seen.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Why [`Piece::End`] came before the end of the file, if it did.
    #[must_use]
    pub fn truncation(&self) -> Option<Truncation> {
        self.truncation
    }

    /// Bytes of the capture that were passed; of a compressed one, decompressed.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.bytes.offset()
    }

    /// The layout of the present piece.
    #[inline]
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The bytes of the present piece.
    #[inline]
    #[must_use]
    pub fn piece(&self) -> &[u8] {
        self.bytes.window().get(..self.length).unwrap_or(&[])
    }

    /// The same, to be changed.
    pub fn piece_mut(&mut self) -> &mut [u8] {
        self.bytes.window_mut().get_mut(..self.length).unwrap_or(&mut [])
    }

    /// Ends the walk before the present piece, because its content contradicts the rest of the file.
    pub fn refuse(&mut self) {
        self.frames = self.frames.saturating_sub(1);
        self.length = 0;
        self.truncation = Some(Truncation { offset: self.bytes.offset(), cause: Cause::Damaged });
    }

    /// Goes on to the next piece.
    ///
    /// # Errors
    /// When the file cannot be read, or on Ctrl-C; [`CaptureFileError::NothingYet`] at the deadline, and then the same
    /// piece may be asked for again.
    #[inline]
    pub fn next_piece(&mut self) -> Result<Piece, CaptureFileError> {
        if self.truncation.is_some() {
            return Ok(Piece::End);
        }
        self.bytes.pass(self.length);
        self.length = 0;
        let read = match self.layout {
            Layout::Pcap { big_endian, .. } => self.next_record(big_endian),
            Layout::Pcapng { .. } => self.next_block(),
        };
        match read {
            Ok(piece) => {
                self.started = true;
                Ok(piece)
            }
            Err(stop) => self.stop(stop),
        }
    }

    #[cold]
    fn stop(&mut self, stop: Stop) -> Result<Piece, CaptureFileError> {
        let cause = match stop {
            Stop::Cut(cause) => cause,
            Stop::Failed(error) if error.kind() == ErrorKind::Interrupted => {
                self.length = 0;
                return Err(CaptureFileError::Interrupted);
            }
            Stop::Failed(error) if error.kind() == ErrorKind::TimedOut => {
                // The head of a block may have come without the rest: none of it is passed.
                self.length = 0;
                return Err(CaptureFileError::NothingYet);
            }
            Stop::Failed(_) if self.compressed && self.started => Cause::Compression,
            Stop::Failed(_) if self.compressed => Cause::FileHeader,
            Stop::Failed(source) => return Err(CaptureFileError::file("read", &self.path, source)),
        };
        self.length = 0;
        self.truncation = Some(Truncation { offset: self.bytes.offset(), cause });
        Ok(Piece::End)
    }

    #[inline]
    fn next_record(&mut self, big_endian: bool) -> Result<Piece, Stop> {
        if !self.started {
            return if self.whole(24)? { Ok(Piece::Header) } else { Err(Stop::Cut(Cause::FileHeader)) };
        }
        if !self.whole(16)? {
            return if self.bytes.window().is_empty() { Ok(Piece::End) } else { Err(Stop::Cut(Cause::RecordHeader)) };
        }
        match self.word(8, big_endian) {
            Some(length) if length <= LONGEST_RECORD => {
                if !self.whole((length as usize).saturating_add(16))? {
                    return Err(Stop::Cut(Cause::RecordData));
                }
                Ok(self.frame())
            }
            _ => Err(Stop::Cut(Cause::Damaged)),
        }
    }

    #[inline]
    fn next_block(&mut self) -> Result<Piece, Stop> {
        if !self.whole(12)? {
            return match (self.bytes.window().is_empty(), self.started) {
                (true, true) => Ok(Piece::End),
                (_, true) => Err(Stop::Cut(Cause::RecordHeader)),
                (_, false) => Err(Stop::Cut(Cause::FileHeader)),
            };
        }
        // The type of a section header reads the same either way; it says how the rest of the section reads.
        let is_section = self.word(0, false) == Some(SECTION);
        if is_section {
            let big_endian = match self.bytes.window().get(8..12) {
                Some([0x1a, 0x2b, 0x3c, 0x4d]) => true,
                Some([0x4d, 0x3c, 0x2b, 0x1a]) => false,
                _ => return Err(Stop::Cut(Cause::Damaged)),
            };
            self.layout = Layout::Pcapng { big_endian };
        }
        let big_endian = self.layout.big_endian();
        let (Some(kind), Some(length)) = (self.word(0, big_endian), self.word(4, big_endian)) else {
            return Err(Stop::Cut(Cause::Damaged));
        };
        let shortest = if is_section { 28 } else { 12 };
        // A length that is not a multiple of four is against the rules, but Wireshark reads on after its padding.
        let Some(padded) = length.checked_next_multiple_of(4).filter(|_| (shortest..=LONGEST).contains(&length)) else {
            return Err(Stop::Cut(Cause::Damaged));
        };
        if !self.whole(padded as usize)? {
            return Err(Stop::Cut(if self.started { Cause::RecordData } else { Cause::FileHeader }));
        }
        if self.word(self.length.saturating_sub(4), big_endian) != Some(length) {
            return Err(Stop::Cut(Cause::Damaged));
        }
        Ok(match kind {
            SECTION => Piece::Header,
            ENHANCED_PACKET if !self.holds_packet(20, big_endian) => return Err(Stop::Cut(Cause::Damaged)),
            OBSOLETE_PACKET if !self.holds_packet(20, big_endian) => return Err(Stop::Cut(Cause::Damaged)),
            // Wireshark numbers all records that it shows, custom blocks and journal entries among them.
            ENHANCED_PACKET | SIMPLE_PACKET | OBSOLETE_PACKET | JOURNAL => self.frame(),
            custom if CUSTOM.contains(&custom) => self.frame(),
            kind if SYSTEM_EVENTS.contains(&kind) => self.frame(),
            _ => Piece::Other,
        })
    }

    /// Whether the captured length at `at` fits into the block (28 bytes of head, 4 of tail).
    fn holds_packet(&self, at: usize, big_endian: bool) -> bool {
        let room = self.length.checked_sub(32);
        matches!((self.word(at, big_endian), room), (Some(length), Some(room)) if length as usize <= room)
    }

    #[inline]
    fn frame(&mut self) -> Piece {
        self.frames = self.frames.saturating_add(1);
        Piece::Frame(self.frames)
    }

    /// Makes the piece `count` bytes long; false when the file ends before.
    #[inline]
    fn whole(&mut self, count: usize) -> io::Result<bool> {
        let whole = self.bytes.fetch(count)?;
        if whole {
            self.length = count;
        }
        Ok(whole)
    }

    #[inline]
    fn word(&self, at: usize, big_endian: bool) -> Option<u32> {
        word(self.bytes.window(), at, big_endian)
    }
}
