//! Temporary files and directories that are gone when the program ends, however it ends.
//!
//! Their names say whose they are, so that a start removes what a killed process left in the temporary directory.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::{NamedTempFile, TempDir};

/// Prefix of all temporary file names.
const PREFIX: &str = "mptcpanalyzer-";

/// What is there now, for an end without unwinding. Locked while something is made, so that nothing is made unseen.
static LIVING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Keeps a path in [`LIVING`] as long as it lives.
#[derive(Debug)]
struct Registered(PathBuf);

impl Registered {
    /// What `make` makes, whose path is then known.
    fn made<T>(make: impl FnOnce() -> io::Result<T>, path: impl FnOnce(&T) -> &Path) -> io::Result<(T, Self)> {
        let mut living = living();
        let made = make()?;
        let path = path(&made).to_path_buf();
        living.push(path.clone());
        Ok((made, Registered(path)))
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        living().retain(|other| *other != self.0);
    }
}

fn living() -> MutexGuard<'static, Vec<PathBuf>> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes all temporary files and directories of this process, because it is about to end without unwinding. Nothing
/// more is made: who wants to waits for the end.
pub fn remove_all() {
    let mut living = living();
    remove(living.drain(..));
    std::mem::forget(living);
}

fn remove(paths: impl Iterator<Item = PathBuf>) {
    for path in paths {
        // What is gone already is what is wanted.
        let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
    }
}

/// Owner of a temporary file: the process id, and the namespace in which that number means this process.
fn owner() -> String {
    let namespace = fs::metadata("/proc/self/ns/pid").map_or(0, |metadata| metadata.ino());
    format!("{namespace}-{}-", std::process::id())
}

/// Removes from the temporary directory what processes of this person left there that are gone.
pub fn sweep() {
    sweep_in(&std::env::temp_dir());
}

fn sweep_in(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let own = owner();
    let namespace = own.split('-').next().unwrap_or("0");
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        let mut parts = rest.split('-');
        let (Some(theirs), Some(process)) = (parts.next(), parts.next().and_then(|id| id.parse::<u32>().ok())) else {
            continue;
        };
        let mine = entry.metadata().is_ok_and(|metadata| metadata.uid() == nix::unistd::geteuid().as_raw());
        if theirs == namespace && mine && process != std::process::id() && !is_running(process) {
            // The metadata are those of a link itself, and a link is removed as a file.
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let _ = if is_directory { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
        }
    }
}

fn is_running(process: u32) -> bool {
    // Signal 0 asks whether there is such a process, also one of somebody else.
    i32::try_from(process).is_ok_and(|id| {
        !matches!(nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), None), Err(nix::errno::Errno::ESRCH))
    })
}

/// A temporary file.
#[derive(Debug)]
pub struct Temporary {
    // Removed first, forgotten then.
    file: NamedTempFile,
    registered: Registered,
}

impl Temporary {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The open file.
    #[must_use]
    pub fn as_file(&self) -> &File {
        self.file.as_file()
    }

    /// The same file opened again, at its start.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn reopen(&self) -> io::Result<File> {
        self.file.reopen()
    }

    /// Makes it the file `target`, in one step.
    ///
    /// # Errors
    /// When the system refuses; it is then gone.
    pub fn persist(self, target: &Path) -> io::Result<()> {
        let Temporary { file, registered } = self;
        let done = file.persist(target).map(drop).map_err(|error| error.error);
        drop(registered);
        done
    }
}

impl Write for Temporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Through the file itself: errors of the other way name the temporary file.
        self.as_file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.as_file().flush()
    }
}

/// A file in the temporary directory, for this person alone.
///
/// # Errors
/// When it cannot be created.
pub fn file(suffix: &str) -> io::Result<Temporary> {
    let prefix = format!("{PREFIX}{}", owner());
    made(tempfile::Builder::new().prefix(&prefix).suffix(suffix), &std::env::temp_dir(), 0o600)
}

/// A file that will be moved to a name in `directory`, with the permissions of an ordinary new file: the umask decides
/// who may read it.
///
/// # Errors
/// When it cannot be created.
pub fn beside(directory: &Path) -> io::Result<Temporary> {
    let prefix = format!(".{PREFIX}{}", owner());
    made(tempfile::Builder::new().prefix(&prefix).suffix(".part"), directory, 0o666)
}

/// A new file in `directory`. Its errors do not name it: people are told of the file that they asked for.
fn made(builder: &tempfile::Builder<'_, '_>, directory: &Path, mode: u32) -> io::Result<Temporary> {
    let refusal = Cell::new(None);
    let open = |path: &Path| {
        let opened = File::options().read(true).write(true).create_new(true).mode(mode).open(path);
        opened.inspect_err(|error| refusal.set(error.raw_os_error()))
    };
    let made = Registered::made(|| builder.make_in(directory, open), NamedTempFile::path);
    let made = made.map_err(|error| refusal.get().map_or(error, io::Error::from_raw_os_error));
    made.map(|(file, registered)| Temporary { file, registered })
}

/// A temporary directory, for this person alone.
#[derive(Debug)]
pub struct Directory {
    // Removed first, forgotten then.
    directory: TempDir,
    _registered: Registered,
}

impl Directory {
    /// Makes one.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn new() -> io::Result<Self> {
        let prefix = format!("{PREFIX}{}", owner());
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).permissions(fs::Permissions::from_mode(0o700));
        let (directory, registered) = Registered::made(|| builder.tempdir(), TempDir::path)?;
        Ok(Directory { directory, _registered: registered })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_takes_what_gone_processes_left_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let namespace = owner().split('-').next().unwrap().to_string();
        // No process has the highest number that a process id can be written with.
        let gone = format!("{PREFIX}{namespace}-2147483646-abc");
        let other_namespace = format!("{PREFIX}1-2147483646-abc");
        let own = format!("{PREFIX}{}abc", owner());
        let foreign = "mptcpanalyzer-notes".to_string();
        for name in [&gone, &other_namespace, &own, &foreign] {
            fs::write(directory.path().join(name), "x").unwrap();
        }
        let gone_directory = directory.path().join(format!("{gone}-d"));
        fs::create_dir(&gone_directory).unwrap();
        fs::write(gone_directory.join("x"), "x").unwrap();
        sweep_in(directory.path());
        let mut left: Vec<String> =
            fs::read_dir(directory.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        let mut wanted = vec![other_namespace, own, foreign];
        wanted.sort();
        assert_eq!(left, wanted);
    }

    #[test]
    fn an_abrupt_end_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let part = beside(directory.path()).unwrap();
        assert!(part.path().exists());
        let path = part.path().to_path_buf();
        // Other tests run beside this one, and have temporary files of their own.
        let own: Vec<PathBuf> = living().extract_if(.., |other| *other == path).collect();
        assert_eq!(own, [path.as_path()]);
        remove(own.into_iter());
        assert!(!path.exists());
    }
}
