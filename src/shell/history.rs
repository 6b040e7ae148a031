//! Where the lines typed at the prompt are kept from one session to the next.

use std::path::PathBuf;

use directories::ProjectDirs;

/// The history file in the XDG state directory, or in the data directory where the system has no such place; `None`
/// without a home directory.
#[must_use]
pub fn place() -> Option<PathBuf> {
    let directories = ProjectDirs::from("", "", "mptcpanalyzer")?;
    let directory = directories.state_dir().unwrap_or_else(|| directories.data_dir());
    Some(directory.join("history"))
}
