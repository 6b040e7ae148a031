//! Which of the three run modes the arguments ask for.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::cli::Cli;
use crate::commands::registry;
use crate::error::{Error, Result};
use crate::terminal_text::escape;
use crate::whole_file::is_capture;
use mptcp_trace::packets::capture_file::is_standard_input;

/// Task of the program.
#[derive(Debug, PartialEq, Eq)]
pub enum Mode {
    /// Ask for lines at the terminal.
    Prompt,
    /// Run the lines of a script.
    Script(Script),
    /// Run one command, already split into words.
    Command(Vec<OsString>),
    /// Run transcripts.
    Test(Vec<PathBuf>),
}

/// Where the lines of a script are.
#[derive(Debug, PartialEq, Eq)]
pub enum Script {
    /// In a file.
    File(PathBuf),
    /// On standard input.
    Stdin,
    /// Words of the command line, each a line.
    Lines(Vec<OsString>),
}

/// Chooses the mode; `at_terminal` tells whether standard input is a terminal.
///
/// # Errors
/// [`Error::Usage`] when the words name a capture instead of a command, or come beside `--batch`; when standard input is
/// both the capture and the script.
pub fn choose(cli: &Cli, at_terminal: bool) -> Result<Mode> {
    let mode = chosen(cli, at_terminal)?;
    if mode == Mode::Script(Script::Stdin) && cli.load.as_deref().is_some_and(is_standard_input) {
        let sentence = "standard input is the capture; give a command, or a script with `--batch FILE`";
        return Err(Error::Usage(sentence.to_string()));
    }
    Ok(mode)
}

fn chosen(cli: &Cli, at_terminal: bool) -> Result<Mode> {
    if let Some(path) = &cli.batch {
        if !cli.words.is_empty() {
            return Err(Error::Usage("both a command and `--batch` given; use one of them".to_string()));
        }
        let script = if path.as_os_str() == "-" { Script::Stdin } else { Script::File(path.clone()) };
        return Ok(Mode::Script(script));
    }
    if !cli.test.is_empty() {
        return Ok(Mode::Test(cli.test.clone()));
    }
    match cli.words.as_slice() {
        [] if at_terminal => Ok(Mode::Prompt),
        [] => Ok(Mode::Script(Script::Stdin)),
        words if words.first().is_some_and(|word| is_line(word)) => Ok(Mode::Script(Script::Lines(words.to_vec()))),
        [word] if !is_command(word) => single_word(word),
        words => Ok(Mode::Command(words.to_vec())),
    }
}

fn is_command(word: &OsStr) -> bool {
    word.to_str().is_some_and(|name| registry::command(name).is_some())
}

/// Whether a word is a command with its arguments, in quotes: other programs take each word as a line.
fn is_line(word: &OsStr) -> bool {
    let mut parts = word.to_str().unwrap_or_default().split_whitespace();
    let first = parts.next();
    first.is_some_and(|first| is_command(OsStr::new(first))) && parts.next().is_some() && !Path::new(word).exists()
}

/// A single word that is not a command: a script, or a mistake worth more than "unknown command".
fn single_word(word: &OsStr) -> Result<Mode> {
    let path = Path::new(word);
    if path.is_dir() {
        return Err(Error::Usage(format!("{} is a directory; name a script or a command", path.display())));
    }
    if path.is_file() {
        if is_binary(path) {
            return Err(Error::Usage(format!(
                "{path} is a capture, not a script; load it with `mptcpanalyzer --load {path}`",
                path = path.display()
            )));
        }
        return Ok(Mode::Script(Script::File(path.to_path_buf())));
    }
    if path.components().count() > 1 || path.extension().is_some() {
        return Err(neither(path));
    }
    Ok(Mode::Command(vec![word.to_os_string()]))
}

/// What to say of a line whose first word is not a command; where more `follows`, it may have been meant as a capture.
pub(super) fn unknown(word: &Path, follows: bool) -> Error {
    // No command has a dot.
    let is_path = word.components().count() > 1 || word.extension().is_some();
    if is_path && follows { neither(word) } else { registry::unknown(&word.to_string_lossy()) }
}

/// Refuses several captures before a command: it asks one.
pub(super) fn one_capture(words: &[OsString]) -> Result<()> {
    match words {
        [word, _, ..] if registry::command(&word.to_string_lossy()).is_none() && is_capture(Path::new(word)) => {
            Err(Error::Usage(
                "two captures stand before the command; name one, or both behind a command over two captures"
                    .to_string(),
            ))
        }
        _ => Ok(()),
    }
}

/// What to say of a word that is where a command or a capture is expected, and that is neither.
fn neither(path: &Path) -> Error {
    let path_shown = escape(&path.to_string_lossy()).into_owned();
    Error::Usage(if path.exists() {
        format!("{path_shown} is neither a command nor a capture; `help` lists the commands")
    } else {
        format!("{path_shown} is neither a command nor a file; check the path")
    })
}

/// True when the file starts like a capture, a compressed one, or an exported table. A file that cannot be read is
/// left to the script reader, which says why.
fn is_binary(path: &Path) -> bool {
    const MAGIC: [&[u8]; 10] = [
        b"\xa1\xb2\xc3\xd4", // pcap, both byte orders, microseconds and nanoseconds
        b"\xd4\xc3\xb2\xa1",
        b"\xa1\xb2\x3c\x4d",
        b"\x4d\x3c\xb2\xa1",
        b"\x0a\x0d\x0d\x0a", // pcapng
        b"\x1f\x8b",         // gzip
        b"\x28\xb5\x2f\xfd", // zstd
        b"\x04\x22\x4d\x18", // LZ4
        b"PAR1",             // Parquet
        b"ARROW1",           // Arrow IPC
    ];
    let mut start = Vec::new();
    // A pipe can be read only once, by its reader.
    let regular = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let read = regular.then(|| std::fs::File::open(path).and_then(|file| file.take(8).read_to_end(&mut start)));
    read.is_some_and(|read| read.is_ok()) && MAGIC.iter().any(|magic| start.starts_with(magic))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn mode(words: &[&str], at_terminal: bool) -> Result<Mode> {
        choose(&Cli::try_parse_from(std::iter::once("x").chain(words.iter().copied())).unwrap(), at_terminal)
    }

    #[test]
    fn no_words_mean_prompt_or_standard_input() {
        assert_eq!(mode(&[], true).unwrap(), Mode::Prompt);
        assert_eq!(mode(&["--load", "x"], true).unwrap(), Mode::Prompt);
        assert_eq!(mode(&[], false).unwrap(), Mode::Script(Script::Stdin));
        assert_eq!(mode(&["-b", "-"], true).unwrap(), Mode::Script(Script::Stdin));
    }

    #[test]
    fn one_file_is_a_script_unless_it_is_a_command_or_a_capture() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_string();
        std::fs::write(path("lines"), "help\n").unwrap();
        std::fs::write(path("x.pcapng"), b"\x0a\x0d\x0d\x0a\0\0\0\x1c").unwrap();
        assert_eq!(mode(&[&path("lines")], true).unwrap(), Mode::Script(Script::File(path("lines").into())));
        assert_eq!(mode(&["-b", &path("no")], true).unwrap(), Mode::Script(Script::File(path("no").into())));
        assert_eq!(mode(&["help"], true).unwrap(), Mode::Command(vec!["help".into()]));
        assert_eq!(mode(&["hepl"], true).unwrap(), Mode::Command(vec!["hepl".into()]));
        let hint = mode(&[&path("x.pcapng")], true).unwrap_err();
        assert!(matches!(hint, Error::Usage(_)) && hint.to_string().contains("--load"), "{hint}");
        let hint = mode(&[&path("missing.mptcp")], true).unwrap_err();
        assert!(hint.to_string().contains("neither a command nor a file"), "{hint}");
        let hint = mode(&[directory.path().to_str().unwrap()], true).unwrap_err();
        assert!(hint.to_string().contains("is a directory"), "{hint}");
    }

    #[test]
    fn standard_input_is_the_capture_or_the_script() {
        assert!(matches!(mode(&["-l", "-"], false), Err(Error::Usage(_))));
        assert!(matches!(mode(&["-l", "-", "-b", "-"], false), Err(Error::Usage(_))));
        assert_eq!(mode(&["-l", "-", "lt"], false).unwrap(), Mode::Command(vec!["lt".into()]));
    }

    #[test]
    fn a_script_and_a_command_at_once_are_refused() {
        assert!(matches!(mode(&["-b", "x", "help"], true), Err(Error::Usage(_))));
    }
}
