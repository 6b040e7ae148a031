//! What the head of a capture file says of it, before its first frame.

use std::path::Path;

use super::framing::{Framing, INTERFACE, Layout, Piece, word};

/// Format, link types and snap length of a capture file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// `pcap` (microseconds), `nsecpcap` (nanoseconds) or `pcapng`, as Wireshark's tools call them; through compression.
    pub format: &'static str,
    /// Link types (LINKTYPE_ of tcpdump.org) of the file, or of its interfaces before the first frame, each once, in order.
    pub link_types: Vec<u32>,
    /// Most bytes of a frame that were recorded, the greatest of its interfaces; `None` without a limit.
    pub snap_length: Option<u32>,
}

/// Link types that are told apart; more are not looked at.
const MOST: usize = 64;

/// Describes a regular file; `None` where it is neither pcap nor pcapng, or cannot be read.
#[must_use]
pub fn describe(path: &Path) -> Option<Description> {
    if !path.is_file() {
        return None;
    }
    let mut framing = Framing::open(path).ok()?;
    let mut interfaces: Vec<(u32, u32)> = Vec::new();
    loop {
        match framing.next_piece().ok()? {
            Piece::Frame(_) | Piece::End => break,
            Piece::Header => {
                if let Layout::Pcap { big_endian, .. } = framing.layout() {
                    let header = framing.piece();
                    // The upper bits tell of a checksum behind each frame.
                    let link = word(header, 20, big_endian)? & 0x03ff_ffff;
                    interfaces.push((link, word(header, 16, big_endian)?));
                }
            }
            Piece::Other => {
                let big_endian = framing.layout().big_endian();
                let block = framing.piece();
                if word(block, 0, big_endian) == Some(INTERFACE) && interfaces.len() < MOST {
                    // Two bytes of link type, two that are reserved, in the order of the section.
                    let both = word(block, 8, big_endian)?;
                    let link = if big_endian { both >> 16 } else { both & 0xffff };
                    interfaces.push((link, word(block, 12, big_endian)?));
                }
            }
        }
    }
    let format = match framing.layout() {
        Layout::Pcap { nanoseconds: false, .. } => "pcap",
        Layout::Pcap { nanoseconds: true, .. } => "nsecpcap",
        Layout::Pcapng { .. } => "pcapng",
    };
    let mut link_types: Vec<u32> = Vec::new();
    for (link, _) in &interfaces {
        if !link_types.contains(link) {
            link_types.push(*link);
        }
    }
    let unlimited = interfaces.iter().any(|(_, most)| *most == 0);
    let snap_length = interfaces.iter().map(|(_, most)| *most).max().filter(|_| !unlimited);
    Some(Description { format, link_types, snap_length })
}

impl Description {
    /// The link types as text, separated by commas; `None` without any.
    #[must_use]
    pub fn link_type(&self) -> Option<String> {
        let numbers: Vec<String> = self.link_types.iter().map(u32::to_string).collect();
        (!numbers.is_empty()).then(|| numbers.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(bytes: &[u8]) -> Option<Description> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        describe(file.path())
    }

    /// A section header, and interfaces by link type and snap length, by the draft of pcapng.
    fn pcapng(big_endian: bool, interfaces: &[(u16, u32)]) -> Vec<u8> {
        let word = |value: u32| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        let half = |value: u16| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        let mut file = [0x0a0d_0d0a, 28, 0x1a2b_3c4d].map(word).concat();
        file.extend([half(1), half(0)].concat());
        file.extend([u32::MAX, u32::MAX, 28].map(word).concat());
        for (link, snap) in interfaces {
            file.extend([1, 20].map(word).concat());
            file.extend([half(*link), half(0)].concat());
            file.extend([*snap, 20].map(word).concat());
        }
        file
    }

    #[test]
    fn the_head_of_a_file_is_what_was_put_there() {
        for big_endian in [false, true] {
            let found = described(&pcapng(big_endian, &[(1, 96), (113, 262_144), (1, 128)])).unwrap();
            assert_eq!((found.format, found.link_types.as_slice()), ("pcapng", [1, 113].as_slice()));
            assert_eq!((found.snap_length, found.link_type().as_deref()), (Some(262_144), Some("1,113")));
            assert_eq!(described(&pcapng(big_endian, &[(1, 96), (1, 0)])).unwrap().snap_length, None);
            let word = |value: u32| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
            for (magic, format) in [(0xa1b2_c3d4_u32, "pcap"), (0xa1b2_3c4d, "nsecpcap")] {
                // Version 2.4, two words that are 0, the snap length, the link type with a checksum behind each frame.
                let version = if big_endian { 0x0002_0004 } else { 0x0004_0002 };
                let header = [magic, version, 0, 0, 128, 0x1400_0065].map(word).concat();
                let found = described(&header).unwrap();
                assert_eq!((found.format, found.snap_length), (format, Some(128)));
                assert_eq!(found.link_type().as_deref(), Some("101"));
            }
        }
        let empty = described(&pcapng(false, &[])).unwrap();
        assert_eq!((empty.link_type(), empty.snap_length), (None, None));
        assert_eq!(described(b"something else"), None);
        assert_eq!(describe(Path::new("-")), None);
    }
}
