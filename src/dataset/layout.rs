//! The files of a dataset.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use super::tables::{CAPTURES, Table};
use super::{SCHEMA_VERSION, compact, part};
use crate::error::{Error, Result};

/// What makes a folder a dataset.
const MARK: &str = "_dataset.json";
/// Where files under way are, each in a folder of the process that writes them.
const WORK: &str = "_work";
/// The file that those who use the dataset lock.
const USE: &str = "_lock";
/// The file that such a process holds locked as long as it lives.
const LOCK: &str = "lock";

/// Content of [`MARK`]: nothing that two processes would write differently.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    dataset: String,
    schema_version: u64,
}

/// The name of the part of a capture.
#[must_use]
pub fn part_name(capture: &str) -> String {
    format!("part-{capture}.parquet")
}

/// A folder with tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

/// Whether a folder is a dataset.
#[must_use]
pub fn is_dataset(folder: &Path) -> bool {
    folder.join(MARK).is_file()
}

impl Layout {
    /// The dataset in `root`.
    ///
    /// # Errors
    /// When there is none, or it is of another version.
    pub fn open(root: &Path) -> Result<Self> {
        let text = match fs::read_to_string(root.join(MARK)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let shown = root.display();
                return Err(Error::NotFound(format!(
                    "{shown} is not a dataset; make one with `analyze … --out {shown}`"
                )));
            }
            Err(error) => return Err(Error::file("read", root.join(MARK), error)),
        };
        let mark: Option<Mark> = serde_json::from_str(&text).ok();
        match mark {
            Some(Mark { schema_version, .. }) if schema_version == SCHEMA_VERSION => {
                Ok(Layout { root: root.to_path_buf() })
            }
            Some(Mark { schema_version, .. }) => Err(Error::Failed(format!(
                "{} has tables of version {schema_version}, this program those of version {SCHEMA_VERSION}; make a new \
                 dataset",
                root.display()
            ))),
            None => Err(Error::Failed(format!("{} is damaged; make a new dataset", root.join(MARK).display()))),
        }
    }

    /// The dataset in `root`, made where there is nothing yet.
    ///
    /// # Errors
    /// When the folder has something else in it, or cannot be made.
    pub fn create(root: &Path) -> Result<Self> {
        if is_dataset(root) {
            return Self::open(root);
        }
        let failed = |source| Error::file("create", root, source);
        fs::create_dir_all(root).map_err(failed)?;
        let layout = Layout { root: root.to_path_buf() };
        // Another process may be making the same one.
        let other = fs::read_dir(root).map_err(failed)?.flatten().find(|entry| entry.file_name() != WORK);
        if other.is_some() && !is_dataset(root) {
            let sentence = format!("{} has other files in it; name a new folder for the dataset", root.display());
            return Err(Error::Failed(sentence));
        }
        let work = layout.begin()?;
        let mark = Mark { dataset: "mptcpanalyzer".to_string(), schema_version: SCHEMA_VERSION };
        let text = serde_json::to_vec_pretty(&mark).unwrap_or_default();
        part::write_bytes(&text, work.folder(), &layout.root.join(MARK))?;
        Ok(layout)
    }

    /// Its folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of a table.
    #[must_use]
    pub fn table(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The part of a capture.
    #[must_use]
    pub fn part(&self, table: &str, capture: &str) -> PathBuf {
        self.table(table).join(part_name(capture))
    }

    /// The file without rows of a table.
    #[must_use]
    pub fn schema(&self, table: &str) -> PathBuf {
        self.table(table).join("schema.parquet")
    }

    /// Makes the folders of tables, each with the file that has its columns.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn prepare(&self, tables: &[&'static Table], labels: &[String], work: &Work) -> Result<()> {
        for table in tables {
            let folder = self.table(table.name);
            fs::create_dir_all(&folder).map_err(|source| Error::file("create", &folder, source))?;
            let frame = table.empty(labels).map_err(|source| Error::Table { action: "make an empty table", source })?;
            let bytes = part::Encoder::default().encode(table, frame)?;
            let path = self.schema(table.name);
            if fs::read(&path).ok().as_ref() != Some(&bytes) {
                part::write_bytes(&bytes, work.folder(), &path)?;
            }
        }
        Ok(())
    }

    /// Removes the parts of a capture, that of `captures` first: without it, the others do not count.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn remove(&self, tables: &[&'static Table], capture: &str) -> Result<()> {
        remove(&self.part(CAPTURES, capture))?;
        tables.iter().try_for_each(|table| remove(&self.part(table.name, capture)))
    }

    /// A folder of this process for files under way. Those of processes that are gone are removed.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn begin(&self) -> Result<Work> {
        let all = self.root.join(WORK);
        let failed = |source| Error::file("create", &all, source);
        fs::create_dir_all(&all).map_err(failed)?;
        // Until its folder has a lock that is held, another process would take it for one that was left.
        let making = File::open(&all).map_err(failed)?;
        let _making = Flock::lock(making, FlockArg::LockExclusive).map_err(|(_, error)| failed(error.into()))?;
        for other in fs::read_dir(&all).map_err(failed)?.flatten() {
            // Who cannot have the lock is alive. A folder without one is being made, or its lock was removed just now.
            if let Ok(file) = File::open(other.path().join(LOCK))
                && Flock::lock(file, FlockArg::LockExclusiveNonblock).is_ok()
            {
                let _ = fs::remove_dir_all(other.path());
            }
        }
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(&all).map_err(failed)?;
        let file = File::create(folder.path().join(LOCK)).map_err(failed)?;
        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| failed(error.into()))?;
        Ok(Work { folder, _lock: lock })
    }
}

/// Who else may use a dataset while this lives: nobody.
#[derive(Debug)]
pub struct Alone(#[allow(dead_code)] Flock<File>);

/// Who else may use a dataset while this lives: others that analyse or read.
#[derive(Debug)]
pub struct Together(#[allow(dead_code)] Flock<File>);

impl Layout {
    /// Has the dataset for this process alone, and finishes what a killed one had begun.
    ///
    /// # Errors
    /// When others use it, or what was begun cannot be done.
    pub fn alone(&self) -> Result<Alone> {
        let sentence = "the dataset is in use by another process; try again when that is done";
        let lock = self.lock(FlockArg::LockExclusiveNonblock, sentence)?;
        compact::finish(self)?;
        Ok(Alone(lock))
    }

    /// Keeps others from compacting the dataset.
    ///
    /// # Errors
    /// When one does, or what a killed one had begun cannot be done.
    pub fn together(&self) -> Result<Together> {
        let sentence = "the dataset is being compacted; try again when that is done";
        if compact::is_begun(self) {
            self.alone()?;
        }
        Ok(Together(self.lock(FlockArg::LockSharedNonblock, sentence)?))
    }

    fn lock(&self, kind: FlockArg, refused: &str) -> Result<Flock<File>> {
        let path = self.root.join(USE);
        // One that may only be read is enough for those who read.
        let opened = File::options().append(true).create(true).open(&path).or_else(|_| File::open(&path));
        let file = opened.map_err(|source| Error::file("lock", &path, source))?;
        Flock::lock(file, kind).map_err(|(_, error)| match error {
            nix::errno::Errno::EWOULDBLOCK => Error::Failed(refused.to_string()),
            error => Error::file("lock", &path, error.into()),
        })
    }
}

/// Removes a file that may be gone already.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::file("remove", path, error)),
        _ => Ok(()),
    }
}

/// A folder for files under way, gone with this value.
#[derive(Debug)]
pub struct Work {
    folder: tempfile::TempDir,
    _lock: Flock<File>,
}

impl Work {
    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// The Parquet files of a table's folder, in order of their names; none where there is no such folder.
///
/// # Errors
/// When it cannot be listed.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |source| Error::file("list", folder, source);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|ending| ending == "parquet") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
