//! The cache of dissected captures: keyed, written atomically, shared by processes.
//!
//! One entry is one file: a head, the key and the facts as JSON, the table as Arrow IPC. It is written under
//! a temporary name and renamed, so that a reader meets a whole entry or none, and it is believed only when its
//! checksum fits and the key in it is the wanted one in full; all else is dissected again. Writers take turns under a
//! lock file, which is what makes a temporary file that a writer meets one that a killed process left behind.

mod entry;
mod key;

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::{Dissected, regular};
use crate::config::Places;
pub use key::CacheKey;
use std::os::unix::fs::OpenOptionsExt;

/// Ending of the names of entries; nothing else in the directory is ever removed, but for temporary files.
const ENTRY: &str = "mptcpcache";
/// Ending of the names of entries being written.
const TEMPORARY: &str = "mptcpcache-part";
const LOCK: &str = "mptcpanalyzer.lock";
/// How long a writer waits for its turn before it does without.
const PATIENCE: Duration = Duration::from_secs(10);
const MIB: u64 = 1024 * 1024;

/// A directory of dissected captures.
#[derive(Debug, Clone)]
pub struct Cache {
    /// Where the entries lie.
    pub directory: PathBuf,
    /// Bytes beyond which the least recently used entries go.
    pub limit: u64,
}

/// Cache entry of a key.
#[derive(Debug)]
pub enum Lookup {
    /// The capture as it is now.
    Hit(Box<Dissected>),
    /// Nothing.
    Miss,
    /// Something that cannot be trusted; a sentence for the person. The next [`Cache::put`] replaces it.
    Damaged(String),
}

impl Lookup {
    /// The dissection, when there is one that can be trusted.
    #[must_use]
    pub fn hit(self) -> Option<Dissected> {
        match self {
            Lookup::Hit(dissected) => Some(*dissected),
            Lookup::Miss | Lookup::Damaged(_) => None,
        }
    }
}

/// An entry could not be kept; it costs nothing but the time of the next dissection.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The system refused: read-only, full, gone.
    #[error("dissected capture not cached in {}: {source}; free some space or set `cache_dir`", directory.display())]
    File {
        /// The cache's directory.
        directory: PathBuf,
        /// Answer of the system.
        source: io::Error,
    },
    /// One entry alone is larger than the whole cache may be.
    #[error(
        "dissected capture not cached, because it takes {size} MiB and `cache_limit` is {limit} MiB; raise the limit"
    )]
    TooLarge {
        /// Size of the entry in MiB, rounded up.
        size: u64,
        /// The limit in MiB.
        limit: u64,
    },
    /// Other processes write to the cache all the time.
    #[error("dissected capture not cached, because another process has held {} for 10 seconds; load it again later", .0.display())]
    Busy(PathBuf),
    /// polars or JSON refused the table.
    #[error("dissected capture not cached: {0}")]
    Encode(String),
}

/// The removed thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    /// Entries, and left-overs of entries.
    pub entries: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

/// Content of the cache.
pub type Holdings = Removed;

impl Cache {
    /// Opens the cache in `directory`, or without one in the XDG place, and creates it when it is not there. Where
    /// none can be used the second value is a warning that says why; a limit of 0 MiB asks for no cache.
    #[must_use]
    pub fn open(directory: Option<PathBuf>, limit_mib: u64) -> (Option<Cache>, Option<String>) {
        if limit_mib == 0 {
            return (None, None);
        }
        let Some(directory) = directory.or_else(|| Places::find().map(|places| places.cache_dir)) else {
            let warning = "no cache, because there is no home directory; set `cache_dir`";
            return (None, Some(warning.to_string()));
        };
        let cache = Cache { directory, limit: limit_mib.saturating_mul(MIB) };
        match create_private(&cache.directory).and_then(|()| cache.lock_file()) {
            Ok(_) => (Some(cache), None),
            Err(error) => {
                let place = cache.directory.display();
                let warning = format!("cannot use the cache {place} ({error}); set `cache_dir` to another directory");
                (None, Some(warning))
            }
        }
    }

    /// Looks up the dissection of `key`, and marks it as used now.
    #[must_use]
    pub fn get(&self, key: &CacheKey) -> Lookup {
        let path = self.path_of(key);
        let mut file = match regular::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Lookup::Miss,
            Err(error) => return Lookup::Damaged(damaged(&path, &error.to_string())),
        };
        match entry::read(&mut file, key, self.limit) {
            Ok(Some(dissected)) => {
                // The order of eviction; that it cannot be written down is not a reason to do without the entry.
                let _ = file.set_modified(SystemTime::now());
                Lookup::Hit(Box::new(dissected))
            }
            Ok(None) => Lookup::Miss,
            Err(reason) => Lookup::Damaged(damaged(&path, &reason)),
        }
    }

    /// Keeps `dissected` under `key` in place of what was there, and lets the least recently used entries go when
    /// the directory grows beyond its limit.
    ///
    /// # Errors
    /// [`CacheError`]; what was in the cache before is still there.
    pub fn put(&self, key: &CacheKey, dissected: &Dissected) -> Result<(), CacheError> {
        let failed = |source| CacheError::File { directory: self.directory.clone(), source };
        let _turn = self.take_turn()?;
        self.remove_temporary();
        let mut builder = tempfile::Builder::new();
        let suffix = format!(".{TEMPORARY}");
        builder.suffix(&suffix);
        let mut temporary = builder.tempfile_in(&self.directory).map_err(failed)?;
        let size = entry::write(temporary.as_file_mut(), key, dissected).map_err(|error| match error {
            entry::WriteError::File(source) => failed(source),
            entry::WriteError::Encode(reason) => CacheError::Encode(reason),
        })?;
        if size > self.limit {
            return Err(CacheError::TooLarge { size: size.div_ceil(MIB), limit: self.limit / MIB });
        }
        let path = self.path_of(key);
        temporary.persist(&path).map_err(|error| failed(error.error))?;
        self.evict(&path);
        Ok(())
    }

    /// Removes all entries, and what killed processes left behind; other files in the directory stay.
    ///
    /// # Errors
    /// When an entry cannot be removed, or another process keeps writing.
    pub fn clean(&self) -> Result<Removed, CacheError> {
        let failed = |source| CacheError::File { directory: self.directory.clone(), source };
        let _turn = self.take_turn()?;
        let mut removed = Removed::default();
        for file in self.files(&[ENTRY, TEMPORARY]).map_err(failed)? {
            fs::remove_file(&file.path).map_err(failed)?;
            removed.entries = removed.entries.saturating_add(1);
            removed.bytes = removed.bytes.saturating_add(file.size);
        }
        Ok(removed)
    }

    /// Counts what the cache holds.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn holdings(&self) -> io::Result<Holdings> {
        let files = self.files(&[ENTRY])?;
        let bytes = files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.size));
        Ok(Holdings { entries: files.len() as u64, bytes })
    }

    fn path_of(&self, key: &CacheKey) -> PathBuf {
        self.directory.join(format!("{}.{ENTRY}", key.digest()))
    }

    fn lock_file(&self) -> io::Result<File> {
        let mut options = File::options();
        options.write(true).create(true).truncate(false);
        options.mode(0o600);
        // A link or a pipe that somebody put there is neither followed nor waited for.
        options.custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK);
        options.open(self.directory.join(LOCK))
    }

    /// Waits for the lock, which goes with the returned file.
    fn take_turn(&self) -> Result<File, CacheError> {
        let failed = |source| CacheError::File { directory: self.directory.clone(), source };
        let file = self.lock_file().map_err(failed)?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(TryLockError::WouldBlock) => return Err(CacheError::Busy(self.directory.clone())),
                // Some network file systems have no locks. The rename still keeps entries whole.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }

    /// Removes what killed processes left behind; only a holder of the lock may.
    fn remove_temporary(&self) {
        for file in self.files(&[TEMPORARY]).unwrap_or_default() {
            let _ = fs::remove_file(file.path);
        }
    }

    /// Lets the least recently used entries go until the rest fits; `newest` was just written and stays.
    fn evict(&self, newest: &Path) {
        let Ok(mut files) = self.files(&[ENTRY]) else { return };
        let mut sum = files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.size));
        files.sort_by_key(|file| file.used);
        for file in files.iter().filter(|file| file.path != newest) {
            if sum <= self.limit {
                break;
            }
            if fs::remove_file(&file.path).is_ok() {
                sum = sum.saturating_sub(file.size);
            }
        }
    }

    /// The files in the directory that are ours by their ending.
    fn files(&self, endings: &[&str]) -> io::Result<Vec<Kept>> {
        let mut found = Vec::new();
        for listed in fs::read_dir(&self.directory)? {
            let path = listed?.path();
            let ours = path.extension().is_some_and(|ending| endings.iter().any(|wanted| ending == *wanted));
            // Another process may have removed it since.
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            if ours && metadata.is_file() {
                let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                found.push(Kept { path, size: metadata.len(), used });
            }
        }
        Ok(found)
    }
}

/// One file in the directory.
struct Kept {
    path: PathBuf,
    size: u64,
    used: SystemTime,
}

fn damaged(path: &Path, reason: &str) -> String {
    format!("cache entry {} ignored ({reason}); the capture is dissected again", path.display())
}

/// Creates a directory that only its owner may enter, for captures are private; one that exists stays as it is.
fn create_private(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}
