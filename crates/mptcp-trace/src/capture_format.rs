//! Format of a capture file by its first bytes, through compression.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// Layout of a capture file, told by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureFormat {
    /// The classic format of libpcap.
    Pcap {
        /// Numbers in the file have their most significant byte first.
        big_endian: bool,
        /// Timestamps in nanoseconds, else in microseconds.
        nanoseconds: bool,
    },
    /// pcapng, the block format.
    Pcapng,
    /// A compressed file; what is in it is not known.
    Compressed(Compression),
    /// Something else; tshark may know it.
    Other,
}

/// Compressions that are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// gzip, `.gz`.
    Gzip,
    /// Zstandard, `.zst`.
    Zstd,
    /// LZ4 frames, `.lz4`.
    Lz4,
}

impl CaptureFormat {
    /// Tells the format by the first four bytes.
    #[must_use]
    pub fn of(start: &[u8]) -> CaptureFormat {
        let pcap = |big_endian, nanoseconds| CaptureFormat::Pcap { big_endian, nanoseconds };
        match start {
            [0xd4, 0xc3, 0xb2, 0xa1, ..] => pcap(false, false),
            [0xa1, 0xb2, 0xc3, 0xd4, ..] => pcap(true, false),
            [0x4d, 0x3c, 0xb2, 0xa1, ..] => pcap(false, true),
            [0xa1, 0xb2, 0x3c, 0x4d, ..] => pcap(true, true),
            [0x0a, 0x0d, 0x0d, 0x0a, ..] => CaptureFormat::Pcapng,
            [0x1f, 0x8b, ..] => CaptureFormat::Compressed(Compression::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => CaptureFormat::Compressed(Compression::Zstd),
            [0x04, 0x22, 0x4d, 0x18, ..] => CaptureFormat::Compressed(Compression::Lz4),
            _ => CaptureFormat::Other,
        }
    }
}

/// Whether `path` is a regular file that begins like a capture, compressed or not, or that is not empty and has a
/// capture's name: of some formats and compressions nothing else tells. What cannot be read and is not named so does
/// not look like one.
#[must_use]
pub fn looks_like_a_capture(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0)
        && (is_named_like_a_capture(path)
            || File::open(path).is_ok_and(|file| begins_like_a_capture(Box::new(file)).unwrap_or(false)))
}

/// Whether the name ends as those of captures do, with the ending of a compression or without.
fn is_named_like_a_capture(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let mut endings = name.rsplit('.').skip_while(|ending| COMPRESSED.contains(ending));
    endings.next().is_some_and(|ending| CAPTURES.contains(&ending)) && name.contains('.')
}

/// Endings of compressed files.
const COMPRESSED: [&str; 7] = ["gz", "zst", "lz4", "xz", "bz2", "lzma", "zip"];

/// Endings of captures.
const CAPTURES: [&str; 9] = ["pcap", "pcapng", "cap", "ntar", "erf", "ncf", "ncfx", "snoop", "5vw"];

fn begins_like_a_capture(source: Box<dyn Read + Send>) -> io::Result<bool> {
    let (format, source) = detect(source)?;
    let mut source = match format {
        CaptureFormat::Pcap { .. } | CaptureFormat::Pcapng => return Ok(true),
        CaptureFormat::Compressed(compression) => compression.decoded(source)?,
        CaptureFormat::Other => source,
    };
    let mut start = Vec::new();
    source.by_ref().take(12).read_to_end(&mut start)?;
    let native = matches!(CaptureFormat::of(&start), CaptureFormat::Pcap { .. } | CaptureFormat::Pcapng);
    Ok(native || FOREIGN.iter().any(|magic| start.starts_with(magic)))
}

/// How captures begin that only tshark reads.
const FOREIGN: [&[u8]; 14] = [
    // The modified libpcap format, snoop, and the two of Microsoft's Network Monitor.
    &[0xa1, 0xb2, 0xcd, 0x34],
    &[0x34, 0xcd, 0xb2, 0xa1],
    b"snoop\0\0\0",
    b"RTSS",
    b"GMBU",
    // 5Views, LANalyzer (both its first records), Sniffer for DOS and for Windows, Observer.
    &[0xaa, 0xaa, 0xaa, 0xaa],
    &[0x01, 0x10, 0x4c, 0x00],
    &[0x07, 0x10, 0x4c, 0x00],
    b"TRSNIFF data",
    b"XCP\0",
    b"ObserverPktB",
    // Visual Networks, HP-UX nettl, and the text of Tektronix K12.
    b"\x05VNF",
    b"TR\0d\0",
    b"+---------+-",
];

/// The format of `source`, and the source as it was.
///
/// # Errors
/// When its start cannot be read.
pub fn detect(mut source: Box<dyn Read + Send>) -> io::Result<(CaptureFormat, Box<dyn Read + Send>)> {
    let mut start = Vec::new();
    source.by_ref().take(4).read_to_end(&mut start)?;
    let format = CaptureFormat::of(&start);
    Ok((format, Box::new(io::Cursor::new(start).chain(source))))
}

impl Compression {
    /// `source`, decompressed.
    ///
    /// # Errors
    /// When the decoder cannot be set up.
    pub fn decoded(self, source: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Compression::Gzip => Box::new(MultiGzDecoder::new(source)),
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(source)?),
            Compression::Lz4 => Box::new(Lz4Frames::of(source)?),
        })
    }
}

/// Decodes LZ4 frames one after the other; the decoder stops behind each.
struct Lz4Frames {
    /// `None` after the last.
    frame: Option<lz4::Decoder<Ahead>>,
}

/// A source of which one byte may have been read ahead.
struct Ahead {
    byte: Option<u8>,
    source: Box<dyn Read + Send>,
}

impl Read for Ahead {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match (self.byte, room.first_mut()) {
            (Some(byte), Some(first)) => {
                *first = byte;
                self.byte = None;
                Ok(1)
            }
            _ => self.source.read(room),
        }
    }
}

impl Lz4Frames {
    fn of(source: Box<dyn Read + Send>) -> io::Result<Self> {
        Ok(Lz4Frames { frame: Some(lz4::Decoder::new(Ahead { byte: None, source })?) })
    }
}

impl Read for Lz4Frames {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while let Some(frame) = &mut self.frame {
            let count = frame.read(room)?;
            if count > 0 || room.is_empty() {
                return Ok(count);
            }
            let Some((mut source, whole)) = self.frame.take().map(lz4::Decoder::finish) else { break };
            whole.map_err(|_| io::Error::from(ErrorKind::UnexpectedEof))?;
            let mut next = [0];
            if source.read(&mut next)? == 1 {
                source.byte = next.first().copied();
                self.frame = Some(lz4::Decoder::new(source)?);
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn captures_are_told_through_compression() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        let looks = |content: &[u8]| {
            std::fs::write(&path, content).unwrap();
            looks_like_a_capture(&path)
        };
        let capture: &[u8] = &[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(capture).unwrap();
        let mut lz4 = lz4::EncoderBuilder::new().build(Vec::new()).unwrap();
        lz4.write_all(capture).unwrap();
        assert!(looks(capture));
        assert!(looks(&gzip.finish().unwrap()));
        assert!(looks(&lz4.finish().0));
        assert!(looks(&zstd::encode_all(capture, 1).unwrap()));
        assert!(looks(b"snoop\0\0\0\0\0\0\x02"));
        assert!(!looks(b"packetid,reltime"));
        assert!(!looks(&zstd::encode_all(&b"packetid"[..], 1).unwrap()));
        assert!(!looks(b""));
        assert!(!looks_like_a_capture(directory.path()));
    }

    #[test]
    fn formats_are_told_by_their_magic() {
        let little = CaptureFormat::Pcap { big_endian: false, nanoseconds: false };
        assert_eq!(CaptureFormat::of(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0]), little);
        let big_nanoseconds = CaptureFormat::Pcap { big_endian: true, nanoseconds: true };
        assert_eq!(CaptureFormat::of(&[0xa1, 0xb2, 0x3c, 0x4d]), big_nanoseconds);
        assert_eq!(CaptureFormat::of(b"\n\r\r\n"), CaptureFormat::Pcapng);
        assert_eq!(CaptureFormat::of(&[0x1f, 0x8b, 8]), CaptureFormat::Compressed(Compression::Gzip));
        assert_eq!(CaptureFormat::of(&[0x28, 0xb5, 0x2f, 0xfd]), CaptureFormat::Compressed(Compression::Zstd));
        assert_eq!(CaptureFormat::of(&[0x04, 0x22, 0x4d, 0x18]), CaptureFormat::Compressed(Compression::Lz4));
        assert_eq!(CaptureFormat::of(b"packetid,"), CaptureFormat::Other);
        assert_eq!(CaptureFormat::of(&[0xd4, 0xc3, 0xb2]), CaptureFormat::Other);
        assert_eq!(CaptureFormat::of(&[]), CaptureFormat::Other);
    }
}
