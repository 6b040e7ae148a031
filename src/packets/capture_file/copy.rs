//! A copy of a capture with only some of its frames.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::framing::{Framing, Piece};
use super::{CaptureFileError, Truncation};

/// What a copy holds.
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
/// `keep` is true. The format stays, and so does every octet of the records; of a pcapng file all blocks that are no
/// frames come along; of a compressed capture the copy is not compressed. A file that exists is replaced at once when the copy is complete, and left alone on failure.
///
/// # Errors
/// When a file cannot be read or written, `input` is no capture, or both are the same file.
pub fn copy_frames(input: &Path, output: &Path, mut keep: impl FnMut(u64) -> bool) -> Result<Copied, CaptureFileError> {
    let mut framing = Framing::open(input)?;
    let written_failed = |source| CaptureFileError::file("write", output, source);
    let target = Target::open(input, output)?;
    let mut writer = BufWriter::with_capacity(256 * 1024, target);
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
            writer.write_all(framing.piece()).map_err(written_failed)?;
        }
    }
    if framing.truncation().is_some_and(|truncation| truncation.leaves_nothing()) {
        return Err(CaptureFileError::Unsupported(input.to_path_buf()));
    }
    let target = writer.into_inner().map_err(|error| written_failed(error.into_error()))?;
    target.finish().map_err(written_failed)?;
    Ok(Copied { read: framing.frames(), written, truncated: framing.truncation() })
}

/// A section header may say how long its section is; with frames left out that is wrong, and all ones say "unknown".
fn forget_section_length(header: &mut [u8]) {
    if header.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a])
        && let Some(length) = header.get_mut(16..24)
    {
        length.fill(0xff);
    }
}

/// Where the copy goes.
enum Target {
    /// A regular file: written beside it under another name, then put in its place.
    Replaced { temporary: NamedTempFile, path: PathBuf },
    /// A pipe or a device cannot be replaced.
    Stream(File),
}

impl Target {
    fn open(input: &Path, output: &Path) -> Result<Target, CaptureFileError> {
        let failed = |source| CaptureFileError::file("write", output, source);
        match fs::metadata(output) {
            Ok(existing) if existing.is_dir() => Err(failed(io::Error::from(io::ErrorKind::IsADirectory))),
            Ok(existing) if existing.is_file() => {
                if is_same_file(input, output, &existing) {
                    return Err(CaptureFileError::SameFile(output.to_path_buf()));
                }
                // Through a link its target is replaced, not the link.
                Target::beside(output.canonicalize().map_err(failed)?).map_err(failed)
            }
            Ok(_) => File::options().write(true).open(output).map(Target::Stream).map_err(failed),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Target::beside(output.to_path_buf()).map_err(failed)
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn beside(path: PathBuf) -> io::Result<Target> {
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".mptcpanalyzer-").suffix(".part");
        // A result belongs to the person like any other file: the umask decides who may read it.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        Ok(Target::Replaced { temporary: builder.tempfile_in(directory)?, path })
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Target::Replaced { temporary, path } => {
                temporary.persist(path).map_err(|error| error.error)?;
                Ok(())
            }
            Target::Stream(mut file) => file.flush(),
        }
    }
}

impl Write for Target {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Target::Replaced { temporary, .. } => temporary.write(octets),
            Target::Stream(file) => file.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Target::Replaced { temporary, .. } => temporary.flush(),
            Target::Stream(file) => file.flush(),
        }
    }
}

#[cfg(unix)]
fn is_same_file(input: &Path, _output: &Path, existing: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(input).is_ok_and(|read| (read.dev(), read.ino()) == (existing.dev(), existing.ino()))
}

#[cfg(not(unix))]
fn is_same_file(input: &Path, output: &Path, _existing: &fs::Metadata) -> bool {
    matches!((input.canonicalize(), output.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
