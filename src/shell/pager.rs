//! Results longer than the terminal go to a pager.

use std::env;
use std::io::{self, Write};
use std::process::{Child, Command, Stdio};

use super::ascii::Ascii;
use super::console::{Console, output_error};
use super::executor::is_interrupt;
use crate::children::{self, Beside};
use crate::error::{Error, Result};
use crate::locale;
use mptcp_trace::interrupt::{self, HandedOver};

/// Colours pass, what fits is only printed, and the screen keeps it afterwards.
const USUAL: &str = "less -R -F -X";

/// Has `work` write its results to the console, or to a pager once they are longer than the terminal: true when there was
/// a pager. Where no terminal shows the results there is nothing to page.
///
/// The errors are those of `work`. A pager that is left early has shown all that was wanted.
pub fn paged(console: &mut Console<'_>, work: impl FnOnce(&mut Console<'_>) -> Result<()>) -> (bool, Result<()>) {
    let (Some((columns, rows)), true) = ((console.size)(), console.shared) else { return (false, work(console)) };
    let program = program(env::var("PAGER").ok(), env::var_os("PATH").as_deref());
    let Some(program) = program else { return (false, work(console)) };
    let (size, colour, level) = (console.size, console.colour, console.level);
    let mut results = Paged {
        results: &mut *console.results,
        program,
        page: Page { columns, rows: rows.saturating_sub(1), column: 0, row: 0 },
        held: Vec::new(),
        to: To::Nowhere,
    };
    let done = {
        // What goes to a pager does not pass the console, and is for the same terminal.
        let mut ascii;
        let results: &mut dyn Write = if locale::has_utf8() {
            &mut results
        } else {
            ascii = Ascii::new(&mut results);
            &mut ascii
        };
        let messages = &mut *console.messages;
        work(&mut Console { results, messages, size, colour, level, shared: false })
    };
    let was_paged = match results.finish() {
        Ok(was_paged) => was_paged,
        Err(error) => return (false, Err(output_error(error))),
    };
    let done = match done {
        Err(Error::OutputClosed) if was_paged => Ok(()),
        Err(error) if was_paged && is_interrupt(&error) => Ok(()),
        other => other,
    };
    (was_paged, done)
}

/// The pager: what `PAGER` says, nothing where it is empty, and `less` where there is no `PAGER` but a `less`.
fn program(variable: Option<String>, path: Option<&std::ffi::OsStr>) -> Option<String> {
    match variable {
        Some(program) => (!program.trim().is_empty()).then_some(program),
        None => env::split_paths(path?).any(|folder| folder.join("less").is_file()).then(|| USUAL.to_string()),
    }
}

/// Used part of the terminal.
#[derive(Debug, Clone, Copy)]
struct Page {
    columns: u16,
    rows: u16,
    column: u16,
    row: u16,
}

impl Page {
    /// Counts what is written; true once it is more than a page.
    fn is_full_after(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            match byte {
                b'\n' => {
                    self.row = self.row.saturating_add(1);
                    self.column = 0;
                }
                // The further bytes of a character.
                0x80..=0xbf => {}
                _ => {
                    if self.column >= self.columns {
                        self.row = self.row.saturating_add(1);
                        self.column = 0;
                    }
                    self.column = self.column.saturating_add(1);
                }
            }
        }
        self.row > self.rows || (self.row == self.rows && self.column > 0)
    }
}

enum To {
    /// Held until there is more than a page, or all of it.
    Nowhere,
    /// It gets the keys, Ctrl-C among them.
    Pager { child: Child, _kept: (Beside, HandedOver) },
    /// There is no pager after all.
    Console,
}

struct Paged<'a> {
    results: &'a mut dyn Write,
    program: String,
    page: Page,
    held: Vec<u8>,
    to: To,
}

impl Paged<'_> {
    /// Waits for the pager, or prints what was held; true when there was a pager.
    fn finish(mut self) -> io::Result<bool> {
        match &mut self.to {
            To::Pager { child, .. } => {
                drop(child.stdin.take());
                child.wait().map(|_| true)
            }
            To::Nowhere => {
                self.results.write_all(&self.held)?;
                self.results.flush().map(|()| false)
            }
            To::Console => self.results.flush().map(|()| false),
        }
    }

    fn start(&mut self) {
        let mut command = Command::new("sh");
        let started = children::start_beside(command.arg("-c").arg(&self.program).stdin(Stdio::piped()));
        self.to = started
            .map_or(To::Console, |(child, running)| To::Pager { child, _kept: (running, interrupt::hand_over()) });
    }
}

impl Write for Paged<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if matches!(self.to, To::Nowhere) {
            self.held.extend_from_slice(bytes);
            if !self.page.is_full_after(bytes) {
                return Ok(bytes.len());
            }
            self.results.flush()?;
            self.start();
            let held = std::mem::take(&mut self.held);
            self.write_all(&held)?;
            return Ok(bytes.len());
        }
        match &mut self.to {
            To::Pager { child, .. } => match &mut child.stdin {
                Some(input) => input.write(bytes),
                None => Err(io::ErrorKind::BrokenPipe.into()),
            },
            To::Nowhere | To::Console => self.results.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Nowhere => Ok(()),
            To::Pager { child, .. } => child.stdin.as_mut().map_or(Ok(()), Write::flush),
            To::Console => self.results.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_full_when_the_terminal_is() {
        let full = |text: &str| Page { columns: 4, rows: 2, column: 0, row: 0 }.is_full_after(text.as_bytes());
        for fits in ["", "a\nb\n", "abcd\nb\n", "äöüß\nb\n", "abcdefgh"] {
            assert!(!full(fits), "{fits:?}");
        }
        for long in ["a\nb\nc", "a\nb\n\n", "abcde\nb\nc", "abcdefghi", "abcde\nf\n "] {
            assert!(full(long), "{long:?}");
        }
    }

    #[test]
    fn the_variable_goes_first_and_less_is_usual() {
        let folder = tempfile::tempdir().unwrap();
        let path = Some(folder.path().as_os_str());
        assert_eq!(program(None, path), None);
        std::fs::write(folder.path().join("less"), "").unwrap();
        assert_eq!(program(None, path).as_deref(), Some(USUAL));
        assert_eq!(program(Some("more -x".into()), path).as_deref(), Some("more -x"));
        assert_eq!(program(Some(" ".into()), path), None);
    }
}
