//! The executable of a plugin: a file inside its own directory.

use std::fs;
use std::path::{Path, PathBuf};

use super::manifest::stays_inside;
use crate::terminal_text::escape;

/// A file of a plugin that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// A path or a link that leads elsewhere.
    #[error("{path} is outside the plugin's directory; put the file itself into the directory")]
    Outside {
        /// The file, escaped.
        path: String,
    },
    /// No file, or not to be read.
    #[error("{path}: {reason}; check the name in plugin.toml")]
    Missing {
        /// The file, escaped.
        path: String,
        /// Why.
        reason: String,
    },
    /// Without the permission to be started.
    #[error("{path} is not executable; run `chmod +x {path}`")]
    NotExecutable {
        /// The file, escaped.
        path: String,
    },
}

/// The file `name` of the plugin in `folder`, all links resolved.
///
/// # Errors
/// [`FileError`].
pub fn inside(folder: &Path, name: &str) -> Result<PathBuf, FileError> {
    let path = folder.join(name);
    let shown = escape(&path.to_string_lossy()).into_owned();
    if !stays_inside(name) {
        return Err(FileError::Outside { path: shown });
    }
    let missing = |reason: String| FileError::Missing { path: shown.clone(), reason };
    let real = fs::canonicalize(&path).map_err(|error| missing(error.to_string()))?;
    let folder = fs::canonicalize(folder).map_err(|error| missing(error.to_string()))?;
    if !real.starts_with(&folder) {
        return Err(FileError::Outside { path: shown });
    }
    if !real.is_file() {
        return Err(missing("it is not a file".to_string()));
    }
    Ok(real)
}

/// The same for a file that is to be started.
///
/// # Errors
/// [`FileError`].
pub fn startable(folder: &Path, name: &str) -> Result<PathBuf, FileError> {
    let real = inside(folder, name)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&real).map_or(0, |facts| facts.permissions().mode());
        if mode & 0o111 == 0 {
            let path = escape(&folder.join(name).to_string_lossy()).into_owned();
            return Err(FileError::NotExecutable { path });
        }
    }
    Ok(real)
}
