//! Files of the cache, read with suspicion: the directory may be one that others write to.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens `path` for reading when it is a regular file. A link or a pipe that somebody put there is neither followed nor
/// waited for.
///
/// # Errors
/// When it is something else, or the system refuses.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let not_a_file = || io::Error::other("it is not a file");
    let mut options = File::options();
    options.read(true).custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK);
    let file = options.open(path).map_err(|error| match error.raw_os_error() {
        Some(nix::libc::ELOOP | nix::libc::ENXIO) => not_a_file(),
        _ => error,
    })?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(not_a_file()) }
}

/// The text of the regular file `path`, which has at most `most` bytes.
///
/// # Errors
/// When it is longer, is not text, is not a regular file, or the system refuses.
pub(super) fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let file = open(path)?;
    let too_long = || io::Error::other("it is too long");
    if file.metadata()?.len() > most {
        return Err(too_long());
    }
    let mut text = String::new();
    file.take(most).read_to_string(&mut text)?;
    Ok(text)
}
