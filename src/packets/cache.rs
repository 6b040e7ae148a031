//! The cache of dissected captures: keyed, written atomically, shared by processes.

use std::path::PathBuf;

/// A directory of dissected captures.
#[derive(Debug, Clone)]
pub struct Cache {
    /// Where the entries lie.
    pub directory: PathBuf,
    /// Octets beyond which the least recently used entries go.
    pub limit: u64,
}

impl Cache {
    /// Opens the cache in `directory`, or in the XDG place when `None`; without a cache there is a warning.
    #[must_use]
    pub fn open(directory: Option<PathBuf>, limit_mib: u64) -> (Option<Cache>, Option<String>) {
        (directory.map(|directory| Cache { directory, limit: limit_mib.saturating_mul(1 << 20) }), None)
    }
}
