//! Where the bytes of a capture come from: a file or standard input, decompressed on the way.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::time::Instant;

use super::bytes::Bytes;
use crate::capture_format::{self, CaptureFormat, Compression};
use crate::reading;

/// Bytes, and whether they were compressed.
pub struct Input {
    /// Parts of the capture.
    pub bytes: Bytes,
    /// Compression of the source.
    pub compression: Option<Compression>,
    /// The file, where it can be read at any place and is not compressed.
    pub file: Option<File>,
}

impl Input {
    /// The file (or named pipe) `path`; `-` is standard input.
    ///
    /// # Errors
    /// When it cannot be opened or its start cannot be read.
    pub fn open(path: &Path) -> io::Result<Input> {
        if super::is_standard_input(path) {
            return Input::of(Box::new(reading::standard_input()?));
        }
        let file = reading::open(path)?;
        let plain = if file.waits() { Bytes::of } else { Bytes::at_hand };
        let again = file.again();
        let input = Input::read_by(Box::new(file), plain)?;
        Ok(Input { file: again.filter(|_| input.compression.is_none()), ..input })
    }

    /// A source whose bytes come in their own time, as they are: nothing is read of it yet, nor decompressed.
    pub fn growing(source: Box<dyn Read + Send>) -> Input {
        Input { bytes: Bytes::of(source), compression: None, file: None }
    }

    /// Waits until `deadline` for the bytes that tell the format. False when they have not come yet.
    ///
    /// # Errors
    /// When the source cannot be read; [`ErrorKind::Interrupted`] on Ctrl-C.
    pub fn has_begun(&mut self, deadline: Option<Instant>) -> io::Result<bool> {
        self.bytes.wait_until(deadline);
        match self.bytes.fetch(4) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::TimedOut => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Input so far.
    pub fn start(&self) -> &[u8] {
        self.bytes.window()
    }

    /// Any source.
    ///
    /// # Errors
    /// When its start cannot be read.
    pub fn of(source: Box<dyn Read + Send>) -> io::Result<Input> {
        Input::read_by(source, Bytes::of)
    }

    /// Any source, which is read so where it is not compressed.
    fn read_by(source: Box<dyn Read + Send>, plain: fn(Box<dyn Read + Send>) -> Bytes) -> io::Result<Input> {
        let (format, source) = capture_format::detect(source)?;
        let CaptureFormat::Compressed(compression) = format else {
            return Ok(Input { bytes: plain(source), compression: None, file: None });
        };
        Ok(Input { bytes: Bytes::of(compression.decoded(source)?), compression: Some(compression), file: None })
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
            match input.bytes.fetch(1) {
                Ok(true) => {}
                ended => return (input.compression, found, ended.is_ok()),
            }
            found.extend(input.bytes.window());
            input.bytes.pass(usize::MAX);
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
            let (found, bytes, whole) = read([compress(one), compress(two)].concat());
            assert!(bytes == content, "{compression:?}: {} bytes", bytes.len());
            assert_eq!((found, whole), (Some(compression), true));
        }
        assert_eq!(read(content[..10].to_vec()), (None, content[..10].to_vec(), true));
    }

    #[test]
    fn what_is_cut_is_an_error_after_what_there_is() {
        let content: Vec<u8> = (0..2_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for compress in [gzip as fn(&[u8]) -> Vec<u8>, zstd, lz4] {
            let compressed = compress(&content);
            let (_, bytes, whole) = read(compressed[..compressed.len() / 2].to_vec());
            assert!(!whole && bytes.len() > 500_000 && content.starts_with(&bytes), "{} bytes", bytes.len());
        }
    }
}
