//! The files that `plugin new` writes: a working plugin.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::manifest::{self, is_name};
use crate::error::{Error, Result};
use crate::terminal_text::escape;

/// The languages that there is a template for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    /// Python 3, its standard library alone.
    Python,
    /// A POSIX shell with awk.
    Shell,
}

impl Language {
    /// The executable's name and its text.
    fn executable(self) -> (&'static str, &'static str) {
        match self {
            Language::Python => ("plugin.py", include_str!("template/plugin.py")),
            Language::Shell => ("plugin.sh", include_str!("template/plugin.sh")),
        }
    }
}

/// Writes a plugin called `name` into a new folder of that name in `place`, and returns the folder.
///
/// # Errors
/// A name that is none, a folder that is there, files that cannot be written.
pub fn write(name: &str, place: &Path, language: Language) -> Result<PathBuf> {
    if !is_name(name) {
        return Err(Error::Usage(format!(
            "`{}` is not a valid plugin name; use lower-case letters, digits and `_`, beginning with a letter",
            escape(name)
        )));
    }
    let folder = place.join(name);
    if folder.symlink_metadata().is_ok() {
        return Err(Error::Failed(format!(
            "{} exists already; choose another name, or remove it",
            escape(&folder.to_string_lossy())
        )));
    }
    fs::create_dir_all(&folder).map_err(|error| Error::file("create", &folder, error))?;
    let (executable, text) = language.executable();
    let manifest = include_str!("template/plugin.toml").replace("EXECUTABLE", executable);
    write_file(&folder.join(manifest::FILE), &manifest.replace("NAME", name), false)?;
    write_file(&folder.join(executable), text, true)?;
    Ok(folder)
}

fn write_file(path: &Path, text: &str, executable: bool) -> Result<()> {
    let failed = |error| Error::file("write", path, error);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if executable { 0o777 } else { 0o666 });
    options.open(path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed)
}
