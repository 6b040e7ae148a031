//! A copy of a capture with only some of its frames.

use std::io::Write;
use std::path::Path;

use mptcp_trace::packets::capture_file::{CaptureFileError, Framing, Piece, Truncation};

use crate::error::{Error, Result};
use crate::whole_file::{Force, WholeFile};

/// Content of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Whole frames of the capture that was read.
    pub read: u64,
    /// Frames written.
    pub written: u64,
    /// Why there were no more to read, when the capture does not end with a whole record.
    pub truncated: Option<Truncation>,
}

/// Writes to `output` the capture `input` with only the frames for whose number (Wireshark's `frame.number`, from 1)
/// `keep` is true. The format stays, and so does every byte of the records; of a pcapng file all blocks that are not
/// frames come along; of a compressed capture the copy is not compressed. A file that exists is replaced when the copy is
/// complete, and left alone on failure; one that is a capture only with `force`.
///
/// # Errors
/// When a file cannot be read or written, or `input` is not a capture.
pub fn copy_frames(input: &Path, output: &Path, force: Force, mut keep: impl FnMut(u64) -> bool) -> Result<Copied> {
    let mut framing = Framing::open(input)?;
    let mut writer = WholeFile::create(output, force)?;
    let mut written: u64 = 0;
    loop {
        let wanted = match framing.next_piece()? {
            Piece::End => break,
            Piece::Header => {
                forget_section_length(framing.piece_mut());
                true
            }
            Piece::Other => true,
            Piece::Frame(number) => {
                let wanted = keep(number);
                written = written.saturating_add(u64::from(wanted));
                wanted
            }
        };
        if wanted {
            writer.write_all(framing.piece()).map_err(|source| Error::file("write", output, source))?;
        }
    }
    if framing.truncation().is_some_and(|truncation| truncation.leaves_nothing()) {
        return Err(CaptureFileError::Unsupported(input.to_path_buf()).into());
    }
    writer.finish()?;
    Ok(Copied { read: framing.frames(), written, truncated: framing.truncation() })
}

/// A section header may say how long its section is; with frames left out or added that is wrong, and all ones
/// say "unknown".
pub fn forget_section_length(header: &mut [u8]) {
    if header.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a])
        && let Some(length) = header.get_mut(16..24)
    {
        length.fill(0xff);
    }
}
