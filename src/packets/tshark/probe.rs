//! Version and known fields of the installed tshark, queried once per binary and remembered.

use std::collections::HashSet;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::{OLDEST, TsharkError};
use crate::nearest::nearest;
use crate::packets::regular;
use crate::{children, temporary};

/// A longer file does not remember a version; in bytes.
const LONGEST_ANSWER: u64 = 1 << 20;

/// A longer file does not remember the names of fields; in bytes, of which those of tshark 4 take seven million.
const LONGEST_FIELDS: u64 = 64 << 20;

/// An installed tshark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tshark {
    /// The program, with its directory.
    pub binary: PathBuf,
    /// Its version, `4.0.17`.
    pub version: String,
    /// Size and modification time (ns) of the program, to notice an upgrade.
    stamp: (u64, u128),
    /// Names of all fields it knows, one per line. There are a quarter of a million, and a capture that comes from the
    /// cache needs none, so they are asked for at the first use.
    #[serde(skip)]
    fields: OnceLock<String>,
    /// The directory that remembers answers.
    #[serde(skip)]
    memory: Option<PathBuf>,
}

impl Tshark {
    /// Dissector and version, as cache keys and `checkhealth` show it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("tshark {}", self.version)
    }

    /// Those of `asked` that it knows as fields.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn known<'a>(&self, asked: &HashSet<&'a str>) -> Result<HashSet<&'a str>, TsharkError> {
        Ok(self.fields()?.lines().filter_map(|name| asked.get(name).copied()).collect())
    }

    /// The known field nearest to a misspelt one.
    #[must_use]
    pub fn nearest(&self, field: &str) -> Option<&str> {
        nearest(field, self.fields().ok()?.lines())
    }

    fn fields(&self) -> Result<&str, TsharkError> {
        if let Some(fields) = self.fields.get() {
            return Ok(fields);
        }
        // The first line tells which tshark the names are of.
        let head = format!("{} {} {}\n", self.version, self.stamp.0, self.stamp.1);
        let file = self.memory.as_ref().map(|directory| directory.join("tshark-fields.txt"));
        let remembered = file.as_deref().and_then(|file| regular::read_text(file, LONGEST_FIELDS).ok());
        let fields = match remembered.as_deref().and_then(|text| text.strip_prefix(&head)) {
            Some(names) => names.to_string(),
            None => {
                let names = ask_fields(&self.binary)?;
                if let Some(file) = file {
                    remember(&file, format!("{head}{names}").as_bytes());
                }
                names
            }
        };
        Ok(self.fields.get_or_init(|| fields))
    }
}

/// Finds `binary` (a path, or a name looked up in `PATH`) and learns its version. The answer is kept in `memory` and
/// used again while the program file stays the same.
///
/// # Errors
/// When there is no such program, it is no tshark, or it is older than [`OLDEST`].
pub fn probe(binary: &Path, memory: Option<&Path>) -> Result<Tshark, TsharkError> {
    let binary = locate(binary)?;
    let stamp = stamp(&binary);
    let memory = memory.map(Path::to_path_buf);
    let file = memory.as_ref().map(|directory| directory.join("tshark.json"));
    if let Some(tshark) = file.as_deref().and_then(recall)
        && tshark.binary == binary
        && tshark.stamp == stamp
    {
        return Ok(Tshark { memory, ..tshark });
    }
    let version = ask_version(&binary)?;
    let tshark = Tshark { binary, version, stamp, fields: OnceLock::new(), memory };
    if let (Some(file), Ok(text)) = (file, serde_json::to_vec(&tshark)) {
        remember(&file, &text);
    }
    Ok(tshark)
}

fn recall(file: &Path) -> Option<Tshark> {
    serde_json::from_str(&regular::read_text(file, LONGEST_ANSWER).ok()?).ok()
}

/// Forgetting costs a second at the next start, so a directory that cannot be written is not an error here.
fn remember(file: &Path, text: &[u8]) {
    let Some(directory) = file.parent() else { return };
    let written = fs::create_dir_all(directory)
        .and_then(|()| temporary::beside(directory))
        .and_then(|mut temporary| temporary.write_all(text).map(|()| temporary));
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

/// Standard output of `binary`, and its last line on standard error.
fn ask(binary: &Path, arguments: &[&str]) -> Result<(String, String), TsharkError> {
    let output = children::output(Command::new(binary).args(arguments).stdin(Stdio::null()));
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

/// The names of all fields, one per line.
fn ask_fields(binary: &Path) -> Result<String, TsharkError> {
    let (answer, said) = ask(binary, &["-G", "fields"])?;
    let mut names = String::new();
    for line in answer.lines() {
        let mut parts = line.split('\t');
        if let Some(name) = (parts.next() == Some("F")).then(|| parts.nth(1)).flatten() {
            names.push_str(name);
            names.push('\n');
        }
    }
    if names.is_empty() {
        let said = if said.is_empty() { said } else { format!(" ({said})") };
        return Err(TsharkError::NotTshark { binary: binary.to_path_buf(), said });
    }
    Ok(names)
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
            "tshark not found as `no-such-tshark`; install it with `apt-get install tshark`, or set `tshark` in the \
             configuration"
        );
    }

    #[test]
    fn another_program_is_not_taken_for_tshark() {
        let error = probe(Path::new("true"), None).expect_err("true prints no version");
        assert!(matches!(error, TsharkError::NotTshark { .. }), "{error}");
    }

    #[test]
    fn fields_are_asked_for_once_for_each_tshark() {
        let memory = tempfile::tempdir().unwrap();
        let asked = HashSet::from(["tcp.seq_raw", "made.up"]);
        let known = || probe(Path::new("tshark"), Some(memory.path())).unwrap().known(&asked).unwrap();
        assert_eq!(known(), HashSet::from(["tcp.seq_raw"]));
        let file = memory.path().join("tshark-fields.txt");
        let head = fs::read_to_string(&file).unwrap().lines().next().unwrap().to_string();
        fs::write(&file, format!("{head}\nmade.up\n")).unwrap();
        assert_eq!(known(), HashSet::from(["made.up"]), "what is remembered is believed");
        fs::write(&file, format!("{head}1\nmade.up\n")).unwrap();
        assert_eq!(known(), HashSet::from(["tcp.seq_raw"]), "what is remembered of another tshark is not");
    }
}
