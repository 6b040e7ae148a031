//! Loading: from the cache when it has the capture as it is now, from a dissector otherwise.

use std::path::Path;

use super::cache::Cache;
use super::{Dissection, LoadError};

/// How a capture is to be loaded.
#[derive(Debug, Clone, Copy)]
pub struct LoadOptions<'a> {
    /// The tshark binary.
    pub tshark: &'a Path,
    /// Wireshark profile; none means an empty private configuration.
    pub profile: Option<&'a str>,
    /// Further Wireshark fields.
    pub extra_fields: &'a [String],
    /// Where dissected captures are kept.
    pub cache: Option<&'a Cache>,
    /// Do not read the cache, only write it.
    pub regenerate: bool,
    /// Show progress on standard error.
    pub progress: bool,
}

/// A dissection and how it came about.
#[derive(Debug)]
pub struct Loaded {
    /// The packets.
    pub dissection: Dissection,
    /// Whether the cache had it.
    pub from_cache: bool,
    /// Trouble that cost nothing but the cache.
    pub warnings: Vec<String>,
}

/// Loads `path`.
///
/// # Errors
/// [`LoadError`], one sentence each.
pub fn load(path: &Path, options: &LoadOptions<'_>) -> Result<Loaded, LoadError> {
    let _ = options;
    Err(LoadError::Missing(path.to_path_buf()))
}
