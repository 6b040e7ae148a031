//! From octets to records and blocks, by their lengths.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use pcap_parser::{CB_MAGIC, DCB_MAGIC, EPB_MAGIC, SHB_MAGIC, SJE_MAGIC, SPB_MAGIC};

use super::{CaptureFileError, CaptureFormat, Cause, Truncation};
use crate::interrupt;

/// Blocks longer than this are damage: Wireshark refuses them too (128 MiB of packet and its options).
const LONGEST: u32 = 0x0801_0000;
/// Records of a pcap file longer than this are damage, as they are to Wireshark.
const LONGEST_RECORD: u32 = 0x0800_0000;

/// The packet block of the first pcapng drafts.
const OBSOLETE_PACKET: u32 = 2;
/// System events, in the three forms that Wireshark numbers.
const SYSTEM_EVENTS: [u32; 3] = [0x204, 0x216, 0x221];

/// What comes next in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// The header of the file, or of a pcapng section.
    Header,
    /// A frame with its number, from 1.
    Frame(u64),
    /// A block that is no frame: an interface, names, statistics.
    Other,
    /// Nothing whole any more.
    End,
}

/// Walks through a file piece by piece.
pub(super) struct Framing {
    path: PathBuf,
    reader: BufReader<File>,
    layout: Layout,
    /// The present piece as it stands in the file. Only grows as far as the file really has octets.
    piece: Vec<u8>,
    /// Offset of the octet after the present piece.
    offset: u64,
    frames: u64,
    truncation: Option<Truncation>,
    started: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Pcap { big_endian: bool },
    Pcapng { big_endian: bool },
}

impl Framing {
    pub(super) fn open(path: &Path) -> Result<Framing, CaptureFileError> {
        let failed = |source| CaptureFileError::file("read", path, source);
        let file = File::open(path).map_err(failed)?;
        let mut reader = BufReader::with_capacity(256 * 1024, file);
        let start = reader.fill_buf().map_err(failed)?;
        let layout = match CaptureFormat::of(start) {
            CaptureFormat::Pcap { big_endian, .. } => Layout::Pcap { big_endian },
            CaptureFormat::Pcapng => Layout::Pcapng { big_endian: false },
            CaptureFormat::Compressed(compression) => {
                return Err(CaptureFileError::Compressed { path: path.to_path_buf(), compression });
            }
            CaptureFormat::Other => return Err(CaptureFileError::Unsupported(path.to_path_buf())),
        };
        Ok(Framing {
            path: path.to_path_buf(),
            reader,
            layout,
            piece: Vec::new(),
            offset: 0,
            frames: 0,
            truncation: None,
            started: false,
        })
    }

    /// Frames seen.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Why [`Piece::End`] came before the end of the file, if it did.
    pub(super) fn truncation(&self) -> Option<Truncation> {
        self.truncation
    }

    /// The octets of the present piece.
    pub(super) fn piece(&mut self) -> &mut [u8] {
        &mut self.piece
    }

    pub(super) fn next_piece(&mut self) -> Result<Piece, CaptureFileError> {
        if self.frames.is_multiple_of(1024) {
            interrupt::check().map_err(|_| CaptureFileError::Interrupted)?;
        }
        if self.truncation.is_some() {
            return Ok(Piece::End);
        }
        self.piece.clear();
        let read = match self.layout {
            Layout::Pcap { big_endian } => self.next_record(big_endian),
            Layout::Pcapng { big_endian } => self.next_block(big_endian),
        };
        match read.map_err(|source| CaptureFileError::file("read", &self.path, source))? {
            Ok(piece) => {
                self.offset = self.offset.saturating_add(self.piece.len() as u64);
                self.started = true;
                Ok(piece)
            }
            Err(cause) => {
                self.truncation = Some(Truncation { offset: self.offset, cause });
                Ok(Piece::End)
            }
        }
    }

    fn next_record(&mut self, big_endian: bool) -> io::Result<Result<Piece, Cause>> {
        if !self.started {
            return Ok(if self.fill(24)? { Ok(Piece::Header) } else { Err(Cause::FileHeader) });
        }
        if !self.fill(16)? {
            return Ok(if self.piece.is_empty() { Ok(Piece::End) } else { Err(Cause::RecordHeader) });
        }
        let Some(length) = self.word(8, big_endian).filter(|length| *length <= LONGEST_RECORD) else {
            return Ok(Err(Cause::Damaged));
        };
        if !self.fill(length as usize)? {
            return Ok(Err(Cause::RecordData));
        }
        Ok(Ok(self.frame()))
    }

    fn next_block(&mut self, big_endian: bool) -> io::Result<Result<Piece, Cause>> {
        if !self.fill(8)? {
            return Ok(match (self.piece.is_empty(), self.started) {
                (true, true) => Ok(Piece::End),
                (_, true) => Err(Cause::RecordHeader),
                (_, false) => Err(Cause::FileHeader),
            });
        }
        // The type of a section header reads the same either way; it says how the rest of the section reads.
        let is_section = self.word(0, big_endian) == Some(SHB_MAGIC);
        let mut big_endian = big_endian;
        if is_section {
            if !self.fill(4)? {
                return Ok(Err(if self.started { Cause::RecordHeader } else { Cause::FileHeader }));
            }
            big_endian = match self.piece.get(8..12) {
                Some([0x1a, 0x2b, 0x3c, 0x4d]) => true,
                Some([0x4d, 0x3c, 0x2b, 0x1a]) => false,
                _ => return Ok(Err(Cause::Damaged)),
            };
            self.layout = Layout::Pcapng { big_endian };
        }
        let (Some(kind), Some(length)) = (self.word(0, big_endian), self.word(4, big_endian)) else {
            return Ok(Err(Cause::Damaged));
        };
        let shortest = if is_section { 28 } else { 12 };
        // A length that is no multiple of four is against the rules, but Wireshark reads on after its padding.
        let Some(padded) = length.checked_next_multiple_of(4).filter(|_| (shortest..=LONGEST).contains(&length)) else {
            return Ok(Err(Cause::Damaged));
        };
        if !self.fill((padded as usize).saturating_sub(self.piece.len()))? {
            return Ok(Err(if self.started { Cause::RecordData } else { Cause::FileHeader }));
        }
        if self.word(self.piece.len().saturating_sub(4), big_endian) != Some(length) {
            return Ok(Err(Cause::Damaged));
        }
        Ok(Ok(match kind {
            SHB_MAGIC => Piece::Header,
            EPB_MAGIC if !self.holds_packet(20, big_endian) => return Ok(Err(Cause::Damaged)),
            OBSOLETE_PACKET if !self.holds_packet(20, big_endian) => return Ok(Err(Cause::Damaged)),
            // Wireshark numbers all records that it shows, custom blocks and journal entries among them.
            EPB_MAGIC | SPB_MAGIC | OBSOLETE_PACKET | SJE_MAGIC | CB_MAGIC | DCB_MAGIC => self.frame(),
            kind if SYSTEM_EVENTS.contains(&kind) => self.frame(),
            _ => Piece::Other,
        }))
    }

    /// Whether the captured length at `at` fits into the block (28 octets of head, 4 of tail).
    fn holds_packet(&self, at: usize, big_endian: bool) -> bool {
        let room = self.piece.len().checked_sub(32);
        matches!((self.word(at, big_endian), room), (Some(length), Some(room)) if length as usize <= room)
    }

    fn frame(&mut self) -> Piece {
        self.frames = self.frames.saturating_add(1);
        Piece::Frame(self.frames)
    }

    /// Appends `count` octets to the piece; false when the file ends before.
    fn fill(&mut self, count: usize) -> io::Result<bool> {
        let wanted = count as u64;
        Ok((&mut self.reader).take(wanted).read_to_end(&mut self.piece)? as u64 == wanted)
    }

    fn word(&self, at: usize, big_endian: bool) -> Option<u32> {
        let octets = self.piece.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if big_endian { u32::from_be_bytes(octets) } else { u32::from_le_bytes(octets) })
    }
}
