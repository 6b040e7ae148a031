//! Where the octets of a capture come from: a file or standard input, decompressed on the way.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::time::Instant;

use flate2::read::MultiGzDecoder;

use super::octets::Octets;
use super::{CaptureFormat, Compression};

/// Octets, and whether they were compressed.
pub struct Input {
    /// What the capture is made of.
    pub octets: Octets,
    /// How the source was compressed.
    pub compression: Option<Compression>,
}

impl Input {
    /// The file (or named pipe) `path`; `-` is standard input.
    ///
    /// # Errors
    /// When it cannot be opened or its start cannot be read.
    pub fn open(path: &Path) -> io::Result<Input> {
        if super::is_standard_input(path) {
            return Input::of(Box::new(io::stdin()));
        }
        Input::of(Box::new(File::open(path)?))
    }

    /// A source whose octets come in their own time, as they are: nothing is read of it yet, nor decompressed.
    pub fn growing(source: Box<dyn Read + Send>) -> Input {
        Input { octets: Octets::of(source), compression: None }
    }

    /// Waits until `deadline` for the octets that tell the format. False when they have not come yet.
    ///
    /// # Errors
    /// When the source cannot be read; [`ErrorKind::Interrupted`] on Ctrl-C.
    pub fn has_begun(&mut self, deadline: Option<Instant>) -> io::Result<bool> {
        self.octets.wait_until(deadline);
        match self.octets.fetch(4) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::TimedOut => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What came so far.
    pub fn start(&self) -> &[u8] {
        self.octets.window()
    }

    /// Any source.
    ///
    /// # Errors
    /// When its start cannot be read.
    pub fn of(mut source: Box<dyn Read + Send>) -> io::Result<Input> {
        let mut start = Vec::new();
        source.by_ref().take(4).read_to_end(&mut start)?;
        let format = CaptureFormat::of(&start);
        let source: Box<dyn Read + Send> = Box::new(io::Cursor::new(start).chain(source));
        let CaptureFormat::Compressed(compression) = format else {
            return Ok(Input { octets: Octets::of(source), compression: None });
        };
        let decoded: Box<dyn Read + Send> = match compression {
            Compression::Gzip => Box::new(MultiGzDecoder::new(source)),
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(source)?),
            Compression::Lz4 => Box::new(Lz4Frames::of(source)?),
        };
        Ok(Input { octets: Octets::of(decoded), compression: Some(compression) })
    }
}

/// Decodes LZ4 frames one after the other; the decoder stops behind each.
struct Lz4Frames {
    /// `None` after the last.
    frame: Option<lz4::Decoder<Ahead>>,
}

/// A source of which one octet may have been read ahead.
struct Ahead {
    octet: Option<u8>,
    source: Box<dyn Read + Send>,
}

impl Read for Ahead {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match (self.octet, room.first_mut()) {
            (Some(octet), Some(first)) => {
                *first = octet;
                self.octet = None;
                Ok(1)
            }
            _ => self.source.read(room),
        }
    }
}

impl Lz4Frames {
    fn of(source: Box<dyn Read + Send>) -> io::Result<Self> {
        Ok(Lz4Frames { frame: Some(lz4::Decoder::new(Ahead { octet: None, source })?) })
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
                source.octet = next.first().copied();
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

    fn read(compressed: Vec<u8>) -> (Option<Compression>, Vec<u8>, bool) {
        let mut input = Input::of(Box::new(io::Cursor::new(compressed))).unwrap();
        let mut found = Vec::new();
        loop {
            match input.octets.fetch(1) {
                Ok(true) => {}
                ended => return (input.compression, found, ended.is_ok()),
            }
            found.extend(input.octets.window());
            input.octets.pass(usize::MAX);
        }
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn lz4(content: &[u8]) -> Vec<u8> {
        let mut encoder = lz4::EncoderBuilder::new().build(Vec::new()).unwrap();
        encoder.write_all(content).unwrap();
        encoder.finish().0
    }

    fn zstd(content: &[u8]) -> Vec<u8> {
        zstd::encode_all(content, 1).unwrap()
    }

    #[test]
    fn each_compression_is_undone_and_one_part_follows_the_other() {
        let content: Vec<u8> = (0..3_000_000_u32).map(|n| (n / 1000 * 7) as u8).collect();
        let (one, two) = content.split_at(1_000_000);
        for (compression, compress) in
            [(Compression::Gzip, gzip as fn(&[u8]) -> Vec<u8>), (Compression::Zstd, zstd), (Compression::Lz4, lz4)]
        {
            let (found, octets, whole) = read([compress(one), compress(two)].concat());
            assert!(octets == content, "{compression:?}: {} octets", octets.len());
            assert_eq!((found, whole), (Some(compression), true));
        }
        assert_eq!(read(content[..10].to_vec()), (None, content[..10].to_vec(), true));
    }

    #[test]
    fn what_is_cut_is_an_error_after_what_there_is() {
        let content: Vec<u8> = (0..2_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for compress in [gzip as fn(&[u8]) -> Vec<u8>, zstd, lz4] {
            let compressed = compress(&content);
            let (_, octets, whole) = read(compressed[..compressed.len() / 2].to_vec());
            assert!(!whole && octets.len() > 500_000 && content.starts_with(&octets), "{} octets", octets.len());
        }
    }
}
