//! Capture files that were rotated while recording (`tcpdump -C`, `-G`; `dumpcap -b`), put together again.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use mptcp_trace::Instant;
use mptcp_trace::interrupt;
use mptcp_trace::packets::Builder;
use mptcp_trace::packets::capture_file::{
    ENHANCED_PACKET, Framing, INTERFACE, Layout, OBSOLETE_PACKET, Piece, SIMPLE_PACKET, Truncation, word,
};
use mptcp_trace::packets::native::{Failure, Walk, Walked};

use super::copied_records::forget_section_length;
use crate::error::{Error, Result};

/// Interface statistics block (pcapng, section 4.6).
const STATISTICS: u32 = 5;

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 18;

/// A file that was not read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The file.
    pub path: PathBuf,
    /// Where it ends; `None` where there is nothing in it.
    pub truncation: Option<Truncation>,
}

/// Writes to `output` the capture that was recorded into `parts`, in the order of their first packets: of pcap files the
/// header once, and of pcapng files each interface once. Records stay as they are, so that frames have the numbers that
/// they would have in one file. Compressed parts are decompressed.
///
/// # Errors
/// When a file cannot be read or written, or is not a capture; when the parts have different formats or link types.
pub fn join(parts: &[PathBuf], output: &Path) -> Result<Vec<Cut>> {
    let mut cut = Vec::new();
    let mut begun = Vec::new();
    for path in parts {
        interrupt::check()?;
        let size = fs::metadata(path).map_err(|source| Error::file("read", path, source))?.len();
        if size == 0 {
            cut.push(Cut { path: path.clone(), truncation: None });
        } else {
            begun.push((first_time(path)?, path));
        }
    }
    // Those without packets come last.
    begun.sort_by_key(|(time, path)| (time.is_none(), *time, path.as_path()));
    let failed = |source| Error::file("write", output, source);
    let writer = BufWriter::with_capacity(BUFFER, File::create(output).map_err(failed)?);
    let mut whole =
        Whole { writer, output, layout: None, header: Vec::new(), interfaces: HashMap::new(), described: 0 };
    for (_, path) in begun {
        let truncation = whole.append(path)?;
        cut.extend(truncation.map(|truncation| Cut { path: path.clone(), truncation: Some(truncation) }));
    }
    whole.writer.flush().map_err(failed)?;
    Ok(cut)
}

/// When the first packet of a file was recorded; `None` where it has none.
fn first_time(path: &Path) -> Result<Option<Instant>> {
    let mut walk = Walk::of(Framing::open(path)?, true);
    let mut builder = Builder::default();
    loop {
        let walked = walk.step(&mut builder).map_err(|failure| match failure {
            Failure::Read(error) => Error::Failed(error.to_string()),
            Failure::Beyond(beyond) => Error::Failed(format!("{} is not a capture ({beyond})", path.display())),
        })?;
        if builder.origin().is_some() || matches!(walked, Walked::End) {
            return Ok(builder.origin());
        }
    }
}

/// The whole under way.
struct Whole<'a> {
    writer: BufWriter<File>,
    output: &'a Path,
    /// Of the first file.
    layout: Option<Layout>,
    /// Its header.
    header: Vec<u8>,
    /// Interface description blocks of the present section, each with the numbers of those that are described so.
    interfaces: HashMap<Vec<u8>, Vec<u32>>,
    /// How many they are.
    described: u32,
}

/// One of the parts.
struct Part<'a> {
    path: &'a Path,
    /// Of each of its interfaces the number in the whole.
    numbers: Vec<u32>,
    /// How many are described by each block.
    alike: HashMap<Vec<u8>, usize>,
    /// Its first section, which goes on where the part before ended.
    goes_on: bool,
}

impl Whole<'_> {
    /// Appends the records of a part; says where it ends if it is cut.
    fn append(&mut self, path: &Path) -> Result<Option<Truncation>> {
        let mut framing = Framing::open(path)?;
        let mut part = Part { path, numbers: Vec::new(), alike: HashMap::new(), goes_on: self.layout.is_some() };
        loop {
            match framing.next_piece()? {
                Piece::End => return Ok(framing.truncation()),
                Piece::Header => self.header(&mut framing, &mut part)?,
                Piece::Frame(_) | Piece::Other => match framing.layout() {
                    Layout::Pcap { .. } => self.write(framing.piece())?,
                    Layout::Pcapng { big_endian } => self.block(&mut framing, big_endian, &mut part)?,
                },
            }
        }
    }

    fn header(&mut self, framing: &mut Framing, part: &mut Part<'_>) -> Result<()> {
        let (layout, header) = (framing.layout(), framing.piece());
        let first_of_part = std::mem::replace(&mut part.goes_on, false);
        let goes_on = match (self.layout, layout) {
            (Some(Layout::Pcap { .. }), Layout::Pcapng { .. }) | (Some(Layout::Pcapng { .. }), Layout::Pcap { .. }) => {
                return Err(refused(part.path, "a pcap file cannot be joined to a pcapng file"));
            }
            (Some(Layout::Pcap { .. }), _) => {
                // Format, version and link type; the bytes between are not the same where only the snap length is not.
                let same = |range: std::ops::Range<usize>| header.get(range.clone()) == self.header.get(range);
                if !same(0..8) || !same(20..24) {
                    return Err(refused(
                        part.path,
                        "its format or link type is another one than that of the file before",
                    ));
                }
                true
            }
            (before, _) => first_of_part && before == Some(layout),
        };
        if !goes_on {
            self.layout = Some(layout);
            self.header = header.to_vec();
            self.interfaces.clear();
            self.described = 0;
            part.numbers.clear();
            part.alike.clear();
            forget_section_length(framing.piece_mut());
            self.write(framing.piece())?;
        }
        Ok(())
    }

    /// A block of a section, whose interfaces have other numbers in the whole where an earlier part has further ones.
    fn block(&mut self, framing: &mut Framing, big_endian: bool, part: &mut Part<'_>) -> Result<()> {
        let kind = word(framing.piece(), 0, big_endian);
        if kind == Some(INTERFACE) {
            return self.interface(framing.piece(), part);
        }
        let place = match kind {
            Some(ENHANCED_PACKET | STATISTICS) => 8..12,
            Some(OBSOLETE_PACKET) => 8..10,
            Some(SIMPLE_PACKET) if part.numbers.first().is_some_and(|number| *number != 0) => {
                return Err(refused(part.path, "its packets do not say on which interface they were recorded"));
            }
            _ => return self.write(framing.piece()),
        };
        if let Some(field) = framing.piece_mut().get_mut(place) {
            renumber(field, big_endian, &part.numbers);
        }
        self.write(framing.piece())
    }

    fn interface(&mut self, block: &[u8], part: &mut Part<'_>) -> Result<()> {
        // Two of a part that are described alike are still two.
        let alike = part.alike.entry(block.to_vec()).or_default();
        let known = self.interfaces.entry(block.to_vec()).or_default();
        if let Some(number) = known.get(*alike) {
            part.numbers.push(*number);
            *alike += 1;
            return Ok(());
        }
        known.push(self.described);
        part.numbers.push(self.described);
        *alike += 1;
        self.described = self.described.saturating_add(1);
        self.write(block)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.writer.write_all(bytes).map_err(|source| Error::file("write", self.output, source))
    }
}

/// Puts the number that an interface has in the whole in place of that in its part.
fn renumber(field: &mut [u8], big_endian: bool, numbers: &[u32]) {
    let own = if big_endian { read(field.iter()) } else { read(field.iter().rev()) };
    let Some(number) = numbers.get(own) else { return };
    let lowest_first = number.to_le_bytes();
    if big_endian {
        field.iter_mut().rev().zip(lowest_first).for_each(|(to, byte)| *to = byte);
    } else {
        field.iter_mut().zip(lowest_first).for_each(|(to, byte)| *to = byte);
    }
}

/// The number of these bytes, the highest first.
fn read<'a>(bytes: impl Iterator<Item = &'a u8>) -> usize {
    bytes.fold(0, |number, byte| number << 8 | usize::from(*byte))
}

fn refused(path: &Path, reason: &str) -> Error {
    Error::Failed(format!("{} cannot be joined: {reason}; name it by another pattern", path.display()))
}
