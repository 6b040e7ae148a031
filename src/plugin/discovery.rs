//! Finding plugins. The current directory is never searched: what lies beside a capture must not be run.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::manifest::{self, Manifest};
use super::{Plugin, executable};
use crate::terminal_text::escape;

/// Folders that one place may hold; the rest are left out with a warning.
const MOST: usize = 256;

/// Where plugins may be. Each place is a plugin's folder, or a folder of such folders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Named on the command line.
    pub given: Vec<PathBuf>,
    /// Named in the configuration.
    pub configured: Vec<PathBuf>,
    /// The person's own place, which need not exist.
    pub own: Option<PathBuf>,
}

/// The result.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FoundPlugins {
    /// Plugins that can be used, each with a name of its own.
    pub plugins: Vec<Plugin>,
    /// One sentence for each that cannot.
    pub warnings: Vec<String>,
}

/// Looks for plugins in all places; of two with one name the first stays.
#[must_use]
pub fn find(places: &Places, limit: Duration) -> FoundPlugins {
    let mut found = FoundPlugins::default();
    let mut folders = Vec::new();
    for place in places.given.iter().chain(&places.configured) {
        match folders_of(place) {
            Ok(more) => folders.extend(more),
            Err(reason) => found.warnings.push(format!("no plugins read from {}: {reason}", shown(place))),
        }
    }
    if let Some(own) = &places.own
        && let Ok(more) = folders_of(own)
    {
        folders.extend(more);
    }
    let mut seen = HashSet::new();
    for folder in folders {
        let same = fs::canonicalize(&folder).unwrap_or_else(|_| folder.clone());
        if !seen.insert(same) {
            continue;
        }
        match open(&folder, limit) {
            Ok(plugin) => add(&mut found, plugin),
            Err(sentence) => found.warnings.push(format!("plugin skipped: {sentence}")),
        }
    }
    found
}

fn add(found: &mut FoundPlugins, plugin: Plugin) {
    let name = &plugin.manifest.name;
    match found.plugins.iter().find(|other| other.manifest.name == *name) {
        Some(other) => found.warnings.push(format!(
            "plugin in {} skipped, because another in {} is also called `{name}`; rename or remove one",
            shown(&plugin.folder),
            shown(&other.folder)
        )),
        None => found.plugins.push(plugin),
    }
}

/// The plugin in `folder`.
///
/// # Errors
/// One sentence, not escaped, that says what to do.
pub fn open(folder: &Path, limit: Duration) -> Result<Plugin, String> {
    let manifest = Manifest::read(folder).map_err(|error| error.to_string())?;
    let executable = executable::startable(folder, &manifest.executable).map_err(|error| error.to_string())?;
    Ok(Plugin { manifest, folder: folder.to_path_buf(), executable, limit })
}

/// The place itself when it is a plugin's folder, otherwise those in it that are, by name.
fn folders_of(place: &Path) -> Result<Vec<PathBuf>, String> {
    if place.as_os_str().is_empty() {
        return Err("the name is empty; name a directory".to_string());
    }
    if place.join(manifest::FILE).exists() {
        return Ok(vec![place.to_path_buf()]);
    }
    let entries = fs::read_dir(place).map_err(|error| format!("{error}; name an existing directory"))?;
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let mut folders: Vec<PathBuf> = paths.filter(|path| path.join(manifest::FILE).exists()).take(MOST).collect();
    folders.sort();
    Ok(folders)
}

fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy()).into_owned()
}
