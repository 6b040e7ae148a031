//! Lines as statements: words quoted as in a POSIX shell, `;`, `> FILE`, `>> FILE`, `| PROGRAM`, and what a line may
//! begin with: `!`, `@` and `?`.

mod comparison;
mod expand;
mod open;
mod partial;
mod reader;

use std::ffi::OsString;

use crate::error::Result;
pub use crate::quoting::{join, quote};
pub use comparison::unquoted_comparison;
pub use open::Openness;
pub use partial::{CursorPlace, partial};
use reader::Reader;

/// One command of a line and where its result goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The words, the first of them the command.
    pub words: Vec<Word>,
    /// Where the result goes.
    pub output: Output,
    /// Where the sign of the output stands.
    pub behind: Behind,
}

/// Command before the `>` or `|` of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Behind {
    /// Number of words.
    pub words: usize,
    /// The sign follows the last of them without a blank.
    pub closely: bool,
}

/// Where the result of a statement goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Where results go anyway.
    Console,
    /// Into a file.
    File {
        /// Its name.
        target: Word,
        /// At its end instead of in place of what it held.
        append: bool,
    },
    /// To the standard input of what `sh -c` makes of this text.
    Pipe(Vec<u8>),
}

/// One word of a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Word {
    /// Its bytes without quotes, and whether each was quoted.
    bytes: Vec<(u8, bool)>,
    /// As typed.
    pub raw: Vec<u8>,
}

impl Word {
    /// A word that stands for itself.
    fn literal(bytes: &[u8]) -> Self {
        let bytes = bytes.iter().map(|byte| (*byte, true)).collect::<Vec<_>>();
        let raw = quote(&String::from_utf8_lossy(&plain(&bytes))).into_bytes();
        Word { bytes, raw }
    }

    /// The word without its quotes, nothing expanded.
    #[must_use]
    pub fn text(&self) -> OsString {
        from_bytes(plain(&self.bytes))
    }

    /// A file's name: `~/` at the start is the home directory.
    #[must_use]
    pub fn file_name(&self) -> OsString {
        expand::home(self)
    }

    /// Splits off a first byte that is an unquoted `sign`; `None` where the word begins otherwise.
    fn after(&self, sign: u8) -> Option<Word> {
        let rest = self.bytes.strip_prefix(&[(sign, false)])?;
        Some(Word { bytes: rest.to_vec(), raw: self.raw.get(1..).unwrap_or_default().to_vec() })
    }
}

impl Statement {
    /// The words with home directories and globs expanded; the first is a command's name and stays as it is.
    #[must_use]
    pub fn arguments(&self) -> Vec<OsString> {
        let Some((name, rest)) = self.words.split_first() else { return Vec::new() };
        std::iter::once(name.text()).chain(rest.iter().flat_map(expand::names)).collect()
    }

    /// The output part as typed.
    #[must_use]
    pub fn raw_output(&self) -> Vec<u8> {
        match &self.output {
            Output::Console => Vec::new(),
            Output::File { target, append } => {
                [if *append { b" >> ".as_slice() } else { b" > " }, &target.raw].concat()
            }
            Output::Pipe(text) => [b" | ", text.as_slice()].concat(),
        }
    }
}

/// The statements of `line`, which `;` and line ends keep apart. `#` starts a comment. What follows `!` or `shell` to
/// the end of the line is for `sh`, and so is what follows the first unquoted `|`.
///
/// # Errors
/// [`crate::error::Error::Usage`] when a quote is not closed, or `>` and `|` stand where they cannot.
pub fn statements(line: &[u8]) -> Result<Vec<Statement>> {
    let mut reader = Reader::new(line);
    let mut statements = Vec::new();
    while let Some(statement) = reader.statement()? {
        if !statement.words.is_empty() {
            statements.push(statement);
        }
    }
    Ok(statements)
}

fn plain(bytes: &[(u8, bool)]) -> Vec<u8> {
    bytes.iter().map(|(byte, _)| *byte).collect()
}

#[cfg(unix)]
pub(super) fn from_bytes(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

#[cfg(not(unix))]
pub(super) fn from_bytes(bytes: Vec<u8>) -> OsString {
    OsString::from(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests;
