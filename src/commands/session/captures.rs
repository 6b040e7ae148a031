//! The captures that a session holds: the current one, those kept under names, and the last few that were asked for by
//! their paths.

use crate::packets::LoadedCapture;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use mptcp_trace::tracking::PointOfView;

/// Captures asked for by path that are remembered: enough for two comparisons in turn. Each holds all its packets.
const REMEMBERED: usize = 4;

/// State of a file when it was read: while it is unchanged, it need not be read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileState {
    /// The canonical path.
    path: PathBuf,
    /// Bytes.
    size: u64,
    modified: SystemTime,
    /// Another file put in its place has another one, even within the resolution of the file system's clock.
    inode: u64,
}

impl FileState {
    /// The state of `path` now. `None` for what can be read only once (a pipe), or not at all. Take it before reading:
    /// a file that is still being written then counts as changed.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let canonical = fs::canonicalize(path).ok()?;
        let metadata = fs::metadata(&canonical).ok().filter(fs::Metadata::is_file)?;
        let (size, modified, inode) = (metadata.len(), metadata.modified().ok()?, metadata.ino());
        Some(FileState { path: canonical, size, modified, inode })
    }

    /// Whether the file is no longer what it was, or gone.
    #[must_use]
    pub fn changed(&self) -> bool {
        FileState::of(&self.path).as_ref() != Some(self)
    }
}

/// A capture and the file that it was read from.
#[derive(Debug, Clone)]
pub struct Held {
    /// The capture.
    pub capture: Arc<LoadedCapture>,
    /// Its file as it was; `None` where it could be read only once.
    pub file: Option<FileState>,
}

impl Held {
    /// Whether the file changed since; the capture is what it was.
    #[must_use]
    pub fn outdated(&self) -> bool {
        self.file.as_ref().is_some_and(FileState::changed)
    }

    /// Whether reading the file again gives the same bytes: not when it changed, nor for a pipe.
    #[must_use]
    pub fn rereadable(&self) -> bool {
        self.file.as_ref().is_some_and(|file| !file.changed())
    }

    /// Whether both are the same capture in memory.
    #[must_use]
    pub fn is(&self, other: &Held) -> bool {
        Arc::ptr_eq(&self.capture, &other.capture)
    }
}

/// The captures of a session.
#[derive(Debug, Default)]
pub struct Captures {
    current: Option<Held>,
    /// The name by which the current capture was chosen.
    chosen_name: Option<String>,
    named: BTreeMap<String, Held>,
    /// Names whose file is known to have changed.
    outdated: BTreeSet<String>,
    /// The least recently used first.
    recent: Vec<Held>,
}

impl Captures {
    /// The current capture.
    #[must_use]
    pub fn current(&self) -> Option<&Held> {
        self.current.as_ref()
    }

    /// The name by which the current capture was chosen, while the name still stands for it.
    #[must_use]
    pub fn current_name(&self) -> Option<&str> {
        let name = self.chosen_name.as_deref()?;
        let named = self.named.get(name)?;
        self.current.as_ref().is_some_and(|current| current.is(named)).then_some(name)
    }

    /// Makes a capture the current one, chosen by `name` if it was.
    pub fn choose(&mut self, held: Held, name: Option<&str>) {
        self.current = Some(held);
        self.chosen_name = name.map(str::to_string);
    }

    /// The capture kept under `name`.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Held> {
        self.named.get(name)
    }

    /// The names and what they stand for, by name.
    pub fn all_named(&self) -> impl Iterator<Item = (&str, &Held)> {
        self.named.iter().map(|(name, held)| (name.as_str(), held))
    }

    /// Keeps a capture under `name` and returns what the name stood for before.
    pub fn keep(&mut self, name: &str, held: Held) -> Option<Held> {
        self.outdated.remove(name);
        self.named.insert(name.to_string(), held)
    }

    /// Forgets a name and returns what it stood for.
    pub fn forget(&mut self, name: &str) -> Option<Held> {
        self.named.remove(name)
    }

    /// Whether the file of a name has changed since, and this was not asked before.
    pub fn newly_outdated(&mut self, name: &str) -> bool {
        self.named.get(name).is_some_and(Held::outdated) && self.outdated.insert(name.to_string())
    }

    /// The captures that are remembered, the least recently used first.
    #[must_use]
    pub fn recent(&self) -> &[Held] {
        &self.recent
    }

    /// A capture in memory that was read from this very file as it is now, and is seen from this point of view.
    pub fn of_file(&mut self, file: &FileState, view: &PointOfView) -> Option<Held> {
        let same = |held: &&Held| held.file.as_ref() == Some(file) && held.capture.view == *view;
        if let Some(place) = self.recent.iter().position(|held| same(&held)) {
            let held = self.recent.remove(place);
            self.recent.push(held.clone());
            return Some(held);
        }
        self.current.iter().chain(self.named.values()).find(same).cloned()
    }

    /// A capture in memory that was read from this very file as it is now, seen from wherever.
    #[must_use]
    pub fn of_file_seen_from_anywhere(&self, file: &FileState) -> Option<&Held> {
        let held = self.current.iter().chain(self.named.values()).chain(&self.recent);
        held.into_iter().find(|held| held.file.as_ref() == Some(file))
    }

    /// Makes room for one more remembered capture: outdated ones go first, then the least recently used.
    pub fn make_room(&mut self) {
        self.recent.retain(|held| !held.outdated());
        let surplus = (self.recent.len() + 1).saturating_sub(REMEMBERED);
        self.recent.drain(..surplus);
    }

    /// Remembers a capture for the next commands.
    pub fn remember(&mut self, held: Held) {
        self.make_room();
        self.recent.push(held);
    }
}
