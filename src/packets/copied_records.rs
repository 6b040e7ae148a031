//! A copy of a capture with only some of its frames.
//!
//! Two threads take turns: while one writes a part, the other reads the next one. Each writes what it has read itself,
//! because that is still near to its processor.

use std::fs;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;

use mptcp_trace::packets::capture_file::{CaptureFileError, Framing, Piece, Truncation};

use crate::error::{Error, Result};
use crate::whole_file::{Force, WholeFile};

/// Bytes that are written together, or some more.
const PART: usize = 1 << 18;

/// Bytes of a capture that are worth another thread.
const LARGE: u64 = 8 << 20;

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
pub fn copy_frames(input: &Path, output: &Path, force: Force, keep: impl FnMut(u64) -> bool + Send) -> Result<Copied> {
    let framing = Framing::open(input)?;
    let file = WholeFile::create(output, force)?;
    let in_any_order = file.in_any_order()?;
    let failed = |source| Error::file("write", output, source);
    let copy = Mutex::new(Copy { framing, file, keep, written: 0, over: false });
    let work = || -> Result<()> {
        let mut part = Vec::with_capacity(PART);
        loop {
            let mut copy = copy.lock().unwrap_or_else(PoisonError::into_inner);
            copy.gather(&mut part)?;
            if part.is_empty() {
                return Ok(());
            }
            match &in_any_order {
                None => copy.file.write_all(&part).map_err(failed)?,
                Some(file) => {
                    let place = copy.file.place(part.len())?;
                    drop(copy);
                    file.write_all_at(&part, place).map_err(failed)?;
                }
            }
        }
    };
    let helped = in_any_order.is_some() && fs::metadata(input).is_ok_and(|metadata| metadata.len() >= LARGE);
    if helped && thread::available_parallelism().is_ok_and(|processors| processors.get() > 1) {
        thread::scope(|scope| {
            let helper = thread::Builder::new().name("copy".to_string()).spawn_scoped(scope, work);
            let done = work();
            // Where the system starts no thread, this one does all.
            let helped = helper.map_or(Ok(()), |helper| helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
            done.and(helped)
        })?;
    } else {
        work()?;
    }
    let Copy { framing, file, written, .. } = copy.into_inner().unwrap_or_else(PoisonError::into_inner);
    if framing.truncation().is_some_and(|truncation| truncation.leaves_nothing()) {
        return Err(CaptureFileError::Unsupported(input.to_path_buf()).into());
    }
    file.finish()?;
    Ok(Copied { read: framing.frames(), written, truncated: framing.truncation() })
}

/// A copy under way.
struct Copy<K> {
    framing: Framing,
    file: WholeFile,
    keep: K,
    written: u64,
    /// Nothing is left to be gathered.
    over: bool,
}

impl<K: FnMut(u64) -> bool> Copy<K> {
    /// Puts what is written next into `part`: nothing at the end, and after an error.
    fn gather(&mut self, part: &mut Vec<u8>) -> Result<()> {
        part.clear();
        while !self.over && part.len() < PART {
            // Until the next piece is there.
            self.over = true;
            let wanted = match self.framing.next_piece()? {
                Piece::End => break,
                Piece::Header => {
                    forget_section_length(self.framing.piece_mut());
                    true
                }
                Piece::Other => true,
                Piece::Frame(number) => {
                    let wanted = (self.keep)(number);
                    self.written = self.written.saturating_add(u64::from(wanted));
                    wanted
                }
            };
            self.over = false;
            if wanted {
                part.extend_from_slice(self.framing.piece());
            }
        }
        Ok(())
    }
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
