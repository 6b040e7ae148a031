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
