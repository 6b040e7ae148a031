//! What the installed tshark is and which fields it knows, asked once per binary and remembered.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::{OLDEST, TsharkError};

/// An installed tshark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tshark {
    /// The program, with its directory.
    pub binary: PathBuf,
    /// Its version, `4.0.17`.
    pub version: String,
    /// Names of the fields it knows, of the protocols that matter here.
    fields: BTreeSet<String>,
    /// Size and modification time (ns) of the program, to notice an upgrade.
    stamp: (u64, u128),
}

impl Tshark {
    /// Dissector and version, as cache keys and `checkhealth` show it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("tshark {}", self.version)
    }

    /// Whether it knows this field.
    #[must_use]
    pub fn knows(&self, field: &str) -> bool {
        self.fields.contains(field)
    }

    /// The known field nearest to a misspelt one.
    #[must_use]
    pub fn nearest(&self, field: &str) -> Option<&str> {
        self.fields
            .iter()
            .map(|known| (strsim::jaro_winkler(field, known), known))
            .filter(|(likeness, _)| *likeness > 0.85)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, known)| known.as_str())
    }
}

/// Finds `binary` (a path, or a name looked up in `PATH`) and learns its version and fields. The answer is kept in
/// `memory` and used again while the program file stays the same.
///
/// # Errors
/// When there is no such program, it is no tshark, or it is older than [`OLDEST`].
pub fn probe(binary: &Path, memory: Option<&Path>) -> Result<Tshark, TsharkError> {
    let binary = locate(binary)?;
    let stamp = stamp(&binary);
    let remembered = memory.map(|directory| directory.join("tshark.json"));
    if let Some(tshark) = remembered.as_deref().and_then(recall)
        && tshark.binary == binary
        && tshark.stamp == stamp
    {
        return Ok(tshark);
    }
    let version = ask_version(&binary)?;
    let fields = ask_fields(&binary)?;
    let tshark = Tshark { binary, version, fields, stamp };
    if let Some(file) = remembered {
        remember(&file, &tshark);
    }
    Ok(tshark)
}

fn recall(file: &Path) -> Option<Tshark> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

/// Forgetting costs a second at the next start, so a directory that cannot be written is no error here.
fn remember(file: &Path, tshark: &Tshark) {
    let Some(directory) = file.parent() else { return };
    let written = fs::create_dir_all(directory)
        .and_then(|()| tempfile::NamedTempFile::new_in(directory))
        .and_then(|temporary| serde_json::to_writer(&temporary, tshark).map(|()| temporary).map_err(Into::into));
    if let Ok(temporary) = written {
        let _ = temporary.persist(file);
    }
}

fn locate(binary: &Path) -> Result<PathBuf, TsharkError> {
    let missing = || TsharkError::NotFound(binary.to_path_buf());
    if binary.components().count() > 1 {
        return if binary.is_file() { Ok(binary.to_path_buf()) } else { Err(missing()) };
    }
    let path = std::env::var_os("PATH").ok_or_else(missing)?;
    std::env::split_paths(&path).map(|directory| directory.join(binary)).find(|file| file.is_file()).ok_or_else(missing)
}

fn stamp(binary: &Path) -> (u64, u128) {
    let Ok(metadata) = fs::metadata(binary) else { return (0, 0) };
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    (metadata.len(), modified.map_or(0, |time| time.as_nanos()))
}

/// What `binary` answers on standard output, and the last thing it says on standard error.
fn ask(binary: &Path, arguments: &[&str]) -> Result<(String, String), TsharkError> {
    let output = Command::new(binary).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|source| match source.kind() {
        ErrorKind::NotFound => TsharkError::NotFound(binary.to_path_buf()),
        _ => TsharkError::NotStarted { binary: binary.to_path_buf(), source },
    })?;
    let messages = String::from_utf8_lossy(&output.stderr);
    let said = messages.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    Ok((String::from_utf8_lossy(&output.stdout).into_owned(), said.trim().to_string()))
}

fn ask_version(binary: &Path) -> Result<String, TsharkError> {
    let (answer, said) = ask(binary, &["--version"])?;
    let said = if said.is_empty() { said } else { format!(" ({said})") };
    let foreign = || TsharkError::NotTshark { binary: binary.to_path_buf(), said: said.clone() };
    let version = parse_version(&answer).ok_or_else(foreign)?;
    let numbers = version_numbers(&version).ok_or_else(foreign)?;
    if numbers < OLDEST { Err(TsharkError::TooOld { version }) } else { Ok(version) }
}

/// The version in `TShark (Wireshark) 4.0.17 (Git …).`
fn parse_version(answer: &str) -> Option<String> {
    let line = answer.lines().find(|line| line.starts_with("TShark"))?;
    let word = line.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    Some(word.trim_end_matches('.').to_string())
}

fn version_numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn ask_fields(binary: &Path) -> Result<BTreeSet<String>, TsharkError> {
    let (answer, _) = ask(binary, &["-G", "fields"])?;
    let names = answer.lines().filter_map(|line| {
        let mut parts = line.split('\t');
        (parts.next() == Some("F")).then(|| parts.nth(1)).flatten()
    });
    Ok(names.map(str::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_read_from_both_spellings() {
        let debian = "TShark (Wireshark) 4.0.17 (Git v4.0.17 packaged as 4.0.17-0+deb12u3).\n\nCopyright";
        assert_eq!(parse_version(debian).as_deref(), Some("4.0.17"));
        assert_eq!(parse_version("TShark (Wireshark) 3.4.2.\n").as_deref(), Some("3.4.2"));
        assert_eq!(parse_version("Running as user root\nTShark (Wireshark) 4.4.1.").as_deref(), Some("4.4.1"));
        assert_eq!(parse_version("GNU bash, version 5.2"), None);
        assert_eq!(version_numbers("3.4.2"), Some((3, 4)));
        assert_eq!(version_numbers("4.5.0rc1-12-gabc"), Some((4, 5)));
    }

    #[test]
    fn a_program_that_is_not_there_is_named_with_the_way_out() {
        let error = probe(Path::new("no-such-tshark"), None).expect_err("not installed");
        assert_eq!(
            error.to_string(),
            "tshark was not found as `no-such-tshark`; install it with `apt-get install tshark`, \
             or set `tshark` in the configuration"
        );
    }

    #[test]
    fn another_program_is_not_taken_for_tshark() {
        let error = probe(Path::new("true"), None).expect_err("true prints no version");
        assert!(matches!(error, TsharkError::NotTshark { .. }), "{error}");
    }
}
