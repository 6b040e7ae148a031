//! Files written whole or not at all, and never over a capture by mistake: every output of the program goes through
//! here.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::error::{Error, Result};
use crate::roomy::Roomy;
use crate::temporary;
use crate::terminal_text::escape;
use mptcp_trace::capture_format::looks_like_a_capture;

/// Whether an output may replace a capture, the one thing that cannot be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// `--force` was given.
    Given,
    /// It was not.
    NotGiven,
    /// This kind of output has no such option: `>`, `>>`.
    Unavailable,
}

impl From<bool> for Force {
    fn from(given: bool) -> Self {
        if given { Force::Given } else { Force::NotGiven }
    }
}

/// Files that captures were read from.
static CAPTURES: Mutex<Option<HashSet<Identity>>> = Mutex::new(None);

/// Which file it is: device, inode, and when it was created, because the inode of a deleted file is soon another's.
type Identity = (u64, u64, Option<SystemTime>);

fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino(), metadata.created().ok())
}

/// Remembers that a capture was read from `path`: nothing replaces it without `--force`, whatever it looks like.
pub fn protect(path: &Path) {
    if let Ok(metadata) = fs::metadata(path)
        && metadata.is_file()
    {
        let mut captures = CAPTURES.lock().unwrap_or_else(PoisonError::into_inner);
        captures.get_or_insert_default().insert(identity(&metadata));
    }
}

fn is_protected(metadata: &Metadata) -> bool {
    let captures = CAPTURES.lock().unwrap_or_else(PoisonError::into_inner);
    captures.as_ref().is_some_and(|captures| captures.contains(&identity(metadata)))
}

/// Refuses to write to `path` when a capture was loaded from it, or when it looks like one, also by another path or
/// through a link. The one place that decides for all outputs.
///
/// # Errors
/// [`Error::Failed`], unless `force` is given.
pub fn refuse_capture(path: &Path, force: Force) -> Result<()> {
    let way_out = match force {
        Force::Given => return Ok(()),
        Force::NotGiven => "name another file, or add `--force` to replace it",
        Force::Unavailable => "name another file, or replace it with `--output FILE --force`",
    };
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    let named = escape(&path.to_string_lossy()).into_owned();
    if is_protected(&metadata) {
        return Err(Error::Failed(format!("{named} is a loaded capture; {way_out}")));
    }
    if metadata.is_file() && looks_like_a_capture(path) {
        return Err(Error::Failed(format!("{named} is a capture; {way_out}")));
    }
    Ok(())
}

/// What to say of a name that is an ending alone, such as `.parquet`: a hidden file, which nobody means.
#[must_use]
pub fn ending_alone(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy();
    let ending = name.strip_prefix('.').filter(|ending| !ending.is_empty() && !ending.contains('.'))?;
    let ending = escape(ending);
    Some(format!(".{ending} is an ending without a name; write, for example, result.{ending}"))
}

/// Whether `path` is a regular file that is a capture, by its content or because it is loaded.
#[must_use]
pub fn is_capture(path: &Path) -> bool {
    fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && (is_protected(&metadata) || looks_like_a_capture(path)))
}

/// Opens what is not a regular file, such as a device or a named pipe, for writing. A pipe that nobody reads is an error
/// at once instead of a wait without end.
///
/// # Errors
/// When it cannot be opened.
pub fn open_special(path: &Path) -> io::Result<File> {
    if path.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory; name a file in it"));
    }
    let opened = File::options().write(true).custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY).open(path);
    let file = opened.map_err(|error| match error.raw_os_error() {
        Some(nix::libc::ENXIO) => io::Error::new(error.kind(), "no reader on this pipe; start the reader first"),
        _ => error,
    })?;
    // Only the opening must not wait: a reader may well be slower than this program.
    let flags = nix::fcntl::OFlag::from_bits_truncate(nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_GETFL)?);
    nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_SETFL(flags - nix::fcntl::OFlag::O_NONBLOCK))?;
    Ok(file)
}

/// A file under way. A regular file takes its place only with [`WholeFile::finish`], so that a failure leaves what was
/// there; what cannot be replaced, a pipe or a device, is written to directly.
#[derive(Debug)]
pub struct WholeFile {
    /// As the person named it.
    named: PathBuf,
    force: Force,
    output: Output,
}

#[derive(Debug)]
enum Output {
    /// `existing` is the file that was there, by device and inode.
    Replaced {
        file: BufWriter<Roomy>,
        target: PathBuf,
        existing: Option<(u64, u64)>,
    },
    Stream(BufWriter<File>),
}

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 18;

impl WholeFile {
    /// Begins to write what will be the file `path`.
    ///
    /// # Errors
    /// When it is a capture and `force` is not given; when it cannot be written.
    pub fn create(path: &Path, force: Force) -> Result<Self> {
        refuse_capture(path, force)?;
        let failed = |source| Error::file("write", path, source);
        let named = path.to_path_buf();
        let existing = fs::metadata(path).ok();
        if existing.as_ref().is_some_and(|metadata| !metadata.is_file()) {
            let output = Output::Stream(BufWriter::with_capacity(BUFFER, open_special(path).map_err(failed)?));
            return Ok(WholeFile { named, force, output });
        }
        // A link stays a link: its target is what is replaced.
        let target = if existing.is_some() { fs::canonicalize(path).map_err(failed)? } else { named.clone() };
        let directory = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let temporary = temporary::beside(directory).map_err(failed)?;
        if let Some(metadata) = &existing {
            temporary.as_file().set_permissions(metadata.permissions()).map_err(failed)?;
        }
        let file = BufWriter::with_capacity(BUFFER, Roomy::of(temporary));
        let existing = existing.map(|metadata| (metadata.dev(), metadata.ino()));
        Ok(WholeFile { named, force, output: Output::Replaced { file, target, existing } })
    }

    /// The file, where its parts may be written in any order: those that [`WholeFile::place`] gives a place. `None` where
    /// they have to be in order.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn in_any_order(&self) -> Result<Option<File>> {
        match &self.output {
            Output::Replaced { file, .. } => {
                file.get_ref().file().map(Some).map_err(|source| Error::file("write", &self.named, source))
            }
            Output::Stream(_) => Ok(None),
        }
    }

    /// Where the next `length` bytes begin, which the caller writes.
    ///
    /// # Errors
    /// When what is before them cannot be written.
    pub fn place(&mut self, length: usize) -> Result<u64> {
        let place = match &mut self.output {
            Output::Replaced { file, .. } => file.flush().map(|()| file.get_mut().place(length)),
            Output::Stream(_) => Err(io::ErrorKind::NotSeekable.into()),
        };
        place.map_err(|source| Error::file("write", &self.named, source))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// When it cannot be written, or has become a capture meanwhile.
    pub fn finish(self) -> Result<()> {
        let WholeFile { named, force, output } = self;
        let failed = |source| Error::file("write", &named, source);
        match output {
            Output::Stream(mut file) => file.flush().map_err(failed),
            Output::Replaced { file, target, existing } => {
                let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
                let temporary = file.finish().map_err(failed)?;
                if fs::metadata(&target).is_ok_and(|now| existing != Some((now.dev(), now.ino()))) {
                    refuse_capture(&target, force)?;
                }
                temporary.persist(&target).map_err(failed)
            }
        }
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.output {
            Output::Replaced { file, .. } => file.write(bytes),
            Output::Stream(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.output {
            Output::Replaced { file, .. } => file.flush(),
            Output::Stream(file) => file.flush(),
        }
    }
}

/// Fills the file `path` with what `fill` writes, as [`WholeFile`] does.
///
/// # Errors
/// Those of [`WholeFile`], or the error of `fill`.
pub fn write(path: &Path, force: Force, fill: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let mut file = WholeFile::create(path, force)?;
    fill(&mut file).map_err(|error| naming(path, error))?;
    file.finish()
}

/// The error with the name of the file where it speaks of the output at large.
#[must_use]
pub fn naming(path: &Path, error: Error) -> Error {
    match error {
        Error::File { path: stream, source, .. } if STREAMS.iter().any(|name| stream == Path::new(name)) => {
            Error::file("write", path, source)
        }
        other => other,
    }
}

/// Name of a nameless output in errors.
const STREAMS: [&str; 2] = ["standard output", "the output"];

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(directory: &Path) -> Vec<String> {
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn put(path: &Path, content: &[u8]) -> Result<()> {
        write(path, Force::NotGiven, |output| output.write_all(content).map_err(|e| Error::file("write", "x", e)))
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.csv");
        put(&path, b"old").unwrap();
        let failure = write(&path, Force::NotGiven, |output| {
            output.write_all(b"half").unwrap();
            Err(Error::NothingLoaded)
        });
        assert!(matches!(failure, Err(Error::NothingLoaded)));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names_in(directory.path()), ["x.csv"]);
    }

    #[test]
    fn links_and_devices_stay_what_they_are() {
        let directory = tempfile::tempdir().unwrap();
        let (target, link) = (directory.path().join("target"), directory.path().join("link"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        put(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"new");
        put(Path::new("/dev/null"), b"x").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn a_missing_directory_is_named() {
        let error = put(Path::new("/no/such/dir/x.json"), b"").unwrap_err();
        assert!(error.to_string().starts_with("cannot write /no/such/dir/x.json: "), "{error}");
    }

    #[test]
    fn a_capture_is_replaced_by_force_alone() {
        let directory = tempfile::tempdir().unwrap();
        let (path, link, other) =
            (directory.path().join("a"), directory.path().join("link"), directory.path().join("h"));
        let capture = b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00";
        fs::write(&path, capture).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        fs::hard_link(&path, &other).unwrap();
        for name in [&path, &link, &other, &directory.path().join(".").join("a")] {
            let error = put(name, b"new").unwrap_err().to_string();
            assert!(error.ends_with("is a capture; name another file, or add `--force` to replace it"), "{error}");
            assert_eq!(fs::read(&path).unwrap(), capture);
        }
        write(&path, Force::Given, |output| output.write_all(b"x").map_err(|e| Error::file("write", "x", e))).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"x");
    }

    #[test]
    fn what_a_capture_was_loaded_from_is_protected_whatever_it_looks_like() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("table.csv");
        fs::write(&path, "packetid").unwrap();
        protect(&path);
        let error = put(&path, b"new").unwrap_err().to_string();
        assert!(error.contains("table.csv is a loaded capture; name another file"), "{error}");
    }

    #[test]
    fn a_pipe_without_a_reader_is_refused_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pipe");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let error = put(&path, b"x").unwrap_err().to_string();
        assert!(error.ends_with("no reader on this pipe; start the reader first"), "{error}");
    }
}
