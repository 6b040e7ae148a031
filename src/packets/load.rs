//! Loading: from the cache when it has the capture as it is now, from a dissector otherwise.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::cache::{Cache, Key, Lookup};
use super::capture_file::{Cause, FrameCount, count_frames};
use super::tshark::{self, Request};
use super::{Dissection, LoadError, exported};
use crate::interrupt;
use crate::units::counted;

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

/// Loads `path`: a capture, or a table that this program exported.
///
/// # Errors
/// [`LoadError`], one sentence each.
pub fn load(path: &Path, options: &LoadOptions<'_>) -> Result<Loaded, LoadError> {
    check(path)?;
    // A pipe can be read only once, by tshark.
    if path.is_file() && exported::recognise(path) {
        return Ok(Loaded { dissection: exported::read(path)?, from_cache: false, warnings: Vec::new() });
    }
    let probed = tshark::probe(options.tshark, options.cache.map(|cache| cache.directory.as_path()));
    // Ctrl-C at a terminal ends a tshark that is asked for its version, too; that is no fault of tshark's.
    interrupt::check().map_err(|_| LoadError::Interrupted)?;
    let tshark = probed?;
    let mut asked = vec![format!("profile={}", options.profile.unwrap_or_default())];
    asked.extend(options.extra_fields.iter().map(|field| format!("field={field}")));
    // Before the dissection: a capture that is still being written misses next time.
    let key = Key::of(path, &tshark.name(), &asked).map_err(|source| unreadable(path, source))?;
    let mut warnings = Vec::new();
    if let Some(cache) = options.cache
        && !options.regenerate
    {
        match cache.get(&key) {
            Lookup::Hit(dissection) => return Ok(Loaded { dissection: *dissection, from_cache: true, warnings }),
            Lookup::Miss => {}
            Lookup::Damaged(sentence) => warnings.push(sentence),
        }
    }
    let counted = count(path)?;
    let request = Request {
        profile: options.profile,
        extra_fields: options.extra_fields,
        expected_frames: counted.map(|count| count.whole),
        progress: options.progress,
    };
    let mut dissection = tshark::dissect(&tshark, path, &request)?;
    dissection.facts.warnings.extend(counted.and_then(|count| cut_short(&count, &dissection)));
    if let Some(cache) = options.cache
        && let Err(error) = cache.put(&key, &dissection)
    {
        warnings.push(error.to_string());
    }
    Ok(Loaded { dissection, from_cache: false, warnings })
}

/// What can be told before a dissector is started.
fn check(path: &Path) -> Result<(), LoadError> {
    let metadata = fs::metadata(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => LoadError::Missing(path.to_path_buf()),
        _ => unreadable(path, source),
    })?;
    if metadata.is_dir() {
        return Err(LoadError::Directory(path.to_path_buf()));
    }
    if metadata.is_file() && metadata.len() == 0 {
        return Err(LoadError::Empty(path.to_path_buf()));
    }
    Ok(())
}

/// The frames of the file by its framing. Formats that only tshark reads have no count, and no harm comes of it; what
/// was read from a pipe would be lost to tshark.
fn count(path: &Path) -> Result<Option<FrameCount>, LoadError> {
    if !path.is_file() {
        return Ok(None);
    }
    let counted = count_frames(path).ok();
    match counted.and_then(|count| count.truncated) {
        // tshark takes the rest of such a file for a frame of some other format.
        Some(truncation) if truncation.cause == Cause::FileHeader => {
            Err(LoadError::NotACapture { path: path.to_path_buf(), detail: format!(" ({truncation})") })
        }
        _ => Ok(counted),
    }
}

fn unreadable(path: &Path, source: std::io::Error) -> LoadError {
    LoadError::Unreadable { path: path.to_path_buf(), source }
}

/// A file can end early where tshark takes no offence; it is said all the same.
fn cut_short(count: &FrameCount, dissection: &Dissection) -> Option<String> {
    let truncation = count.truncated?;
    let said = dissection.facts.warnings.iter().any(|warning| warning.contains("packet"));
    (!said).then(|| format!("{truncation}: {} up to there could be read", counted(count.whole, "whole packet")))
}
