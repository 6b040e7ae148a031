//! `plugin.toml`: what a plugin says of itself.

mod argument;
mod entry;
mod fields;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::protocol;
use crate::terminal_text::escape;
use crate::toml_file::{Mistake, Source};
pub use argument::{Argument, ArgumentType};
pub(super) use entry::fill_in;
pub use entry::{Entry, Example, PacketsForm, PacketsWanted, Role};
use fields::Fields;

/// The name of the file.
pub const FILE: &str = "plugin.toml";
/// No manifest is this long, in bytes.
const LONGEST: u64 = 1 << 20;
/// Commands and plots that one plugin may have.
const ENTRIES: usize = 64;

/// A manifest that was read and found sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The plugin's name: lower-case letters, digits and `_`.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// Purpose, one line.
    pub summary: String,
    /// Executable, relative to the manifest's directory.
    pub executable: String,
    /// A capture or exported table in the folder that `plugin check` runs the examples on.
    pub sample: Option<String>,
    /// Its commands, then its plots.
    pub entries: Vec<Entry>,
}

/// A manifest that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// No such file, or not to be read.
    #[error("cannot read {}: {reason}", escape(&path.to_string_lossy()))]
    Unreadable {
        /// The manifest.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Something in it is wrong.
    #[error(transparent)]
    Wrong(#[from] Mistake),
}

impl Manifest {
    /// Reads the manifest in `folder`.
    ///
    /// # Errors
    /// [`ManifestError`], one sentence that names the file and the line.
    pub fn read(folder: &Path) -> Result<Manifest, ManifestError> {
        let path = folder.join(FILE);
        let text = text(&path).map_err(|reason| ManifestError::Unreadable { path: path.clone(), reason })?;
        Ok(parse(&text, &path)?)
    }
}

/// The file's text; a pipe or a device in its place is not waited for.
fn text(path: &Path) -> Result<String, String> {
    let facts = fs::metadata(path).map_err(|error| error.to_string())?;
    if !facts.is_file() || facts.len() > LONGEST {
        return Err("it is not a file of at most 1 MiB".to_string());
    }
    let mut text = String::new();
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(LONGEST).read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}

/// Whether `name` can name a plugin, a command, a plot or an argument.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_lowercase())
        && characters.all(|character| matches!(character, 'a'..='z' | '0'..='9' | '_'))
        && name.len() <= 64
}

/// The requirement of [`is_name`], in words.
const A_NAME: &str = "a name of lower-case letters, digits and `_` that begins with a letter, in quotes";

/// Whether `path` stays below the folder that it is relative to, links left aside.
#[must_use]
pub fn stays_inside(path: &str) -> bool {
    let parts = Path::new(path).components();
    !path.is_empty() && parts.into_iter().all(|part| matches!(part, std::path::Component::Normal(_)))
}

/// The requirement of [`stays_inside`], in words.
const INSIDE: &str = "the path of a file in the plugin's folder, neither absolute nor with `..`, in quotes";

fn parse(text: &str, path: &Path) -> Result<Manifest, Mistake> {
    let source = Source::new(&path.to_string_lossy(), text);
    let known = ["name", "version", "protocol", "summary", "executable", "sample", "command", "plot"];
    let mut fields = Fields::of(&source, &known)?;
    let spoken = fields.need("protocol", "the version of the protocol, 1", |_: &u32| true)?;
    if spoken != protocol::VERSION {
        let ours = protocol::VERSION;
        return Err(fields.wrong(format!(
            "the plugin uses protocol version {spoken}, this program version {ours}; install matching versions"
        )));
    }
    let mut manifest = Manifest {
        name: fields.need("name", A_NAME, |name: &String| is_name(name))?,
        version: fields.line("version", "the plugin's version, in quotes")?.unwrap_or_default(),
        summary: fields.line("summary", "one line of text, in quotes")?.unwrap_or_default(),
        executable: fields.need("executable", INSIDE, |path: &String| stays_inside(path))?,
        sample: fields.take("sample", INSIDE, |path: &String| stays_inside(path))?,
        entries: Vec::new(),
    };
    for (key, role) in [("command", Role::Command), ("plot", Role::Plot)] {
        for fields in fields.tables(key, entry::KEYS)? {
            let start = fields.offset;
            let entry = entry::read(fields, role, &source)?;
            if manifest.entries.iter().any(|other| other.role == role && other.name == entry.name) {
                return Err(
                    source.wrong(start, format!("two entries of {key} are called `{}`; rename one", entry.name))
                );
            }
            manifest.entries.push(entry);
        }
    }
    if manifest.entries.is_empty() || manifest.entries.len() > ENTRIES {
        return Err(fields.wrong("a plugin has 1 to 64 commands and plots: write `[[command]]` or `[[plot]]`"));
    }
    Ok(manifest)
}

#[cfg(test)]
mod tests;
