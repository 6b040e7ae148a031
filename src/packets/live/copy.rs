//! Incoming packets, also written to a file.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::LiveError;
use crate::whole_file::open_special;

/// A file that what comes is written to, byte for byte.
#[derive(Debug, Clone)]
pub struct CopyFile(Arc<Mutex<Written>>);

#[derive(Debug)]
struct Written {
    path: PathBuf,
    file: File,
    /// It was not there before.
    new: bool,
    begun: bool,
    failed: Option<io::Error>,
}

impl CopyFile {
    /// Makes the file `path`, which may be there already only with `force`.
    ///
    /// # Errors
    /// [`LiveError::Exists`], [`LiveError::Copy`].
    pub fn create(path: &Path, force: bool) -> Result<Self, LiveError> {
        let failed = |source: io::Error| match source.kind() {
            ErrorKind::AlreadyExists => LiveError::Exists(path.to_path_buf()),
            _ => LiveError::Copy { path: path.to_path_buf(), source },
        };
        let new = !path.exists();
        let mut options = OpenOptions::new();
        options.write(true);
        let special = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
        // A file that is to be replaced keeps its content until there is something to replace it with.
        let options = if force { options.create(true).truncate(false) } else { options.create_new(true) };
        let file = if force && special { open_special(path) } else { options.open(path) }.map_err(failed)?;
        let written = Written { path: path.to_path_buf(), file, new, begun: false, failed: None };
        Ok(CopyFile(Arc::new(Mutex::new(written))))
    }

    fn write(&self, bytes: &[u8]) {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Written { file, begun, failed, .. } = &mut *written;
        if failed.is_some() {
            return;
        }
        // Pipes and devices have no length that could be set.
        let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
        let emptied = if *begun || !is_file { Ok(()) } else { file.set_len(0) };
        *begun = true;
        *failed = emptied.and_then(|()| file.write_all(bytes)).err();
    }

    /// Why it is not whole, if it is not. A file into which nothing came is not left behind.
    #[must_use]
    pub fn close(&self) -> Option<String> {
        let written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let empty = written.file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0);
        if written.new && empty {
            let _ = std::fs::remove_file(&written.path);
        }
        let error = written.failed.as_ref()?;
        Some(format!("{} is incomplete: {error}", written.path.display()))
    }
}

/// Writes what is read to the copy.
pub struct Copying {
    source: Box<dyn Read + Send>,
    copy: CopyFile,
}

impl Copying {
    /// Reads `source` and writes to `copy`.
    #[must_use]
    pub fn of(source: Box<dyn Read + Send>, copy: &CopyFile) -> Self {
        Copying { source, copy: copy.clone() }
    }
}

impl Read for Copying {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(room)?;
        if count > 0 {
            self.copy.write(room.get(..count).unwrap_or(&[]));
        }
        Ok(count)
    }
}
