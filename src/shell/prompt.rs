//! The interactive prompt: reads lines from the terminal and feeds them to the executor until the person leaves.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{ErrorKind, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use nix::sys::termios::{FlushArg, tcflush};
use rustyline::completion::{Completer, Pair};
use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hint, Hinter, HistoryHinter};
use rustyline::history::DefaultHistory;
use rustyline::validate::Validator;
use rustyline::{ColorMode, CompletionType, Context, EditMode, Editor, Helper};

use unicode_width::UnicodeWidthStr;

use super::again;
use super::ascii::ascii;
use super::completion::{self, Snapshot};
use super::console::Console;
use super::executor::{Executor, guarded};
use super::history;
use super::line::Openness;
use super::panics;
use super::signals;
use crate::commands::Session;
use crate::commands::session::settings::{Colour, Editing, Settings};
use crate::error::{Error, Result};
use crate::locale;
use crate::terminal_text::escape;

/// What leaves a line without its hint, once the cursor is below both: the line again, and nothing behind it.
fn without_hint((plain, styled): (&str, &str), line: &str, hint: &str, columns: usize) -> String {
    let taken = plain.width() + line.width() + hint.width();
    let rows = taken.div_ceil(columns.max(1)).max(1);
    format!("\x1b[{rows}A\r\x1b[J{styled}{line}\n")
}

/// Characters of a file name that the prompt shows; the line needs room too.
const LONGEST_NAME: usize = 40;

/// What ends an Esc of vi, milliseconds.
const VI_ESCAPE: u16 = 25;

/// What begins the further lines of an open quote, as in a POSIX shell.
const CONTINUATION: &str = "> ";

/// How many lines in a row may be none: a terminal that sends only those is broken.
const MOST_UNREADABLE: usize = 100;

/// Why a typed line is dropped.
const NOT_UTF_8: &str = "the line was dropped, because it has a byte that is not UTF-8; set the terminal to UTF-8, \
                         or write the name with `*` or `?`";

/// Reads and runs lines until `quit`, Ctrl-D or the end of the terminal. No command's failure ends it.
///
/// # Errors
/// When the terminal cannot be read.
pub fn run(executor: &mut Executor, console: &mut Console<'_>) -> Result<u8> {
    let mut lines = Lines::open(executor.session.config.history_size, console)?;
    executor.session.history = lines.editor.history().iter().cloned().collect();
    console.note("Type `help` for a list of commands. Tab completes, Ctrl-D exits.");
    loop {
        let session = &executor.session;
        let name =
            session.current_name().map(str::to_string).or_else(|| session.loaded().map(|capture| capture.name()));
        lines.adapt(&session.settings);
        console.colour = match session.settings.color {
            Colour::Auto => lines.colour == ColorMode::Enabled,
            Colour::Always => true,
            Colour::Never => false,
        };
        let Some(mut line) = lines.read(name.as_deref(), session, console)? else { return Ok(0) };
        if line.trim().is_empty() {
            continue;
        }
        match guarded("!!", || again::expanded(&line, &session.history)) {
            Ok(None) => {}
            Ok(Some(again)) => {
                executor.note(console, &again);
                line = again;
            }
            Err(error) => {
                console.error(&error);
                continue;
            }
        }
        if lines.remember(&line, console) {
            executor.session.history.push(line.clone());
        }
        let known = executor.session.history.len();
        // Reading the line and expanding its words are no command's work: a mistake there must not end the prompt either.
        let done = guarded("the line", || executor.line(line.as_bytes(), console));
        // Lines that `history --run` ran are among those that the arrow keys go back to.
        for again in executor.session.history.iter().skip(known) {
            lines.remember(again, console);
        }
        match done {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) | Err(Error::OutputClosed) => return Ok(0),
            Err(error) => console.error(&error),
        }
    }
}

/// The line editor with its history.
struct Lines {
    editor: Editor<Assistant, DefaultHistory>,
    /// Where the history is kept; `None` once that place turned out unusable.
    history: Option<PathBuf>,
    /// Lines that could not be read since the last one that could.
    unreadable: usize,
    /// Colours as the terminal has them.
    colour: ColorMode,
}

impl Lines {
    fn open(history_size: usize, console: &mut Console<'_>) -> Result<Self> {
        let colour = if console.colour { ColorMode::Enabled } else { ColorMode::Disabled };
        let settings = rustyline::Config::builder()
            .max_history_size(history_size)
            .map_err(terminal_error)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .color_mode(colour)
            .build();
        let mut editor = Editor::with_config(settings).map_err(terminal_error)?;
        editor.set_helper(Some(Assistant::default()));
        let mut lines = Lines { editor, history: history::place().filter(|_| history_size > 0), unreadable: 0, colour };
        lines.recall(console);
        Ok(lines)
    }

    /// Reads the history of earlier sessions; there is none at first.
    fn recall(&mut self, console: &mut Console<'_>) {
        let Some(path) = self.history.clone() else { return };
        match self.editor.load_history(&path) {
            Ok(()) => {}
            Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::NotFound => {
                if let Some(directory) = path.parent()
                    && let Err(error) = std::fs::create_dir_all(directory)
                {
                    self.give_up_history("created", &error, console);
                }
            }
            Err(error) => self.give_up_history("read", &error, console),
        }
    }

    /// Keeps a line for this session and, at once so that a crash does not lose it, for later ones. False for a line
    /// that is not kept: one that begins with a blank, or the same as the one before.
    fn remember(&mut self, line: &str, console: &mut Console<'_>) -> bool {
        let added = self.editor.add_history_entry(line).unwrap_or(false);
        let Some(path) = self.history.clone().filter(|_| added) else { return added };
        if let Err(error) = self.editor.append_history(&path) {
            self.give_up_history("written", &error, console);
        }
        added
    }

    fn give_up_history(&mut self, participle: &str, error: &dyn std::fmt::Display, console: &mut Console<'_>) {
        if let Some(path) = self.history.take() {
            let path = path.display();
            console.warning(&format!("{path} cannot be {participle} ({error}): the history is not saved"));
        }
    }

    /// Takes over what was set.
    fn adapt(&mut self, settings: &Settings) {
        self.editor.set_edit_mode(match settings.editing {
            Editing::Emacs => EditMode::Emacs,
            Editing::Vi => EditMode::Vi,
        });
        if settings.editing == Editing::Vi {
            // A key that sends several characters sends them at once; Esc alone must not be waited for.
            self.editor.set_keyseq_timeout(Some(VI_ESCAPE));
        }
        self.editor.set_color_mode(match settings.color {
            Colour::Auto => self.colour,
            Colour::Always => ColorMode::Forced,
            Colour::Never => ColorMode::Disabled,
        });
    }

    /// Takes the hint away from a line that Ctrl-C ended: it would stay, as if it had been typed.
    fn take_hint_away(&mut self, plain: &str, styled: &str) {
        let hinted = self.editor.helper_mut().and_then(|assistant| assistant.hinted.take());
        let Some((line, hint)) = hinted else { return };
        let styled = if self.editor.config_mut().color_mode() == ColorMode::Disabled { plain } else { styled };
        let mut output = std::io::stdout();
        let _ = output.write_all(without_hint((plain, styled), &line, &hint, columns()).as_bytes());
        let _ = output.flush();
    }

    /// The next line; `None` when the person leaves.
    fn read(&mut self, capture: Option<&str>, session: &Session, console: &mut Console<'_>) -> Result<Option<String>> {
        if let Some(assistant) = self.editor.helper_mut() {
            let snapshot = panics::guard(|| Snapshot::of(session, Some(&assistant.snapshot)));
            assistant.snapshot = snapshot.unwrap_or_default();
        }
        let first = prompt_for(capture);
        let mut begun = String::new();
        loop {
            let plain = if begun.is_empty() { &first } else { CONTINUATION };
            let styled = format!("\x1b[1m{plain}\x1b[0m");
            if let Some(assistant) = self.editor.helper_mut() {
                assistant.begun.clone_from(&begun);
            }
            let read = {
                let _idle = signals::idle();
                self.editor.readline(&(plain, styled.as_str()))
            };
            match read {
                Ok(line) => {
                    self.unreadable = 0;
                    begun.push_str(&line);
                    // A line with an open quote, or a backslash at its end, goes on after Enter.
                    if !panics::guard(|| Openness::of(begun.as_bytes())).unwrap_or(false) {
                        return Ok(Some(begun));
                    }
                    begun.push('\n');
                }
                Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => {
                    self.take_hint_away(plain, &styled);
                    begun.clear();
                }
                // What was begun is dropped, as by Ctrl-C; the prompt stays.
                Err(ReadlineError::Eof) if !begun.is_empty() => begun.clear(),
                Err(ReadlineError::Eof) => return Ok(None),
                Err(ReadlineError::Io(error))
                    if error.kind() == ErrorKind::InvalidData && self.unreadable < MOST_UNREADABLE =>
                {
                    self.unreadable += 1;
                    // What is left of the line would be taken for one of its own, and run.
                    let _ = tcflush(std::io::stdin(), FlushArg::TCIFLUSH);
                    console.error(&Error::Usage(NOT_UTF_8.to_string()));
                }
                Err(error) => return Err(terminal_error(error)),
            }
        }
    }
}

fn terminal_error(error: ReadlineError) -> Error {
    let error = match error {
        ReadlineError::Io(error) => error,
        #[cfg(unix)]
        ReadlineError::Errno(error) => std::io::Error::from(error),
        other => std::io::Error::other(other),
    };
    if error.kind() == ErrorKind::BrokenPipe {
        return Error::OutputClosed;
    }
    Error::Failed(format!("cannot read from the terminal: {error}"))
}

/// The prompt, with the name of the loaded capture made harmless and short.
fn prompt_for(capture: Option<&str>) -> String {
    let Some(name) = capture else { return "mptcpanalyzer> ".to_string() };
    let name = escape(name);
    let mut shown: String = name.chars().take(LONGEST_NAME).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    format!("mptcpanalyzer [{shown}]> ")
}

/// Callbacks of the line editor while a line is typed.
#[derive(Default, Helper)]
struct Assistant {
    snapshot: Snapshot,
    /// The lines above, which this one goes on.
    begun: String,
    /// The line as it stands, and the hint behind it.
    hinted: RefCell<Option<(String, String)>>,
    history: HistoryHinter,
}

/// Candidates of completion, as this terminal can show them.
fn shown(text: String) -> String {
    if locale::has_utf8() { text } else { ascii(&text).into_owned() }
}

/// Columns of the terminal now.
fn columns() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| width.0.into())
}

/// Text shown behind the cursor.
enum Suggestion {
    /// The rest of an earlier line, which the right arrow key takes over.
    Line(String),
    /// The arguments that the command still wants.
    Usage(String),
}

impl Hint for Suggestion {
    fn display(&self) -> &str {
        match self {
            Suggestion::Line(text) | Suggestion::Usage(text) => text,
        }
    }

    fn completion(&self) -> Option<&str> {
        match self {
            Suggestion::Line(text) => Some(text),
            Suggestion::Usage(_) => None,
        }
    }
}

impl Hinter for Assistant {
    type Hint = Suggestion;

    fn hint(&self, line: &str, position: usize, context: &Context<'_>) -> Option<Suggestion> {
        if position < line.len() {
            return None;
        }
        // A line can be typed without a hint.
        let hint = panics::guard(|| {
            if !self.begun.is_empty() {
                return None;
            }
            let earlier = self.history.hint(line, position, context).map(Suggestion::Line);
            earlier.or_else(|| completion::usage(line).map(Suggestion::Usage))
        })
        .unwrap_or_default();
        *self.hinted.borrow_mut() = hint.as_ref().map(|hint| (line.to_string(), hint.display().to_string()));
        hint
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let above = self.begun.len();
        let whole = format!("{}{line}", self.begun);
        let completed = panics::guard(|| completion::complete(&self.snapshot, &whole, above + position, columns()));
        // A word that began on a line above cannot be replaced from here.
        let completed = completed.ok().and_then(|(start, candidates)| Some((start.checked_sub(above)?, candidates)));
        let (start, candidates) = completed.unwrap_or((position, Vec::new()));
        let pairs = candidates
            .into_iter()
            .map(|candidate| Pair { display: shown(candidate.display), replacement: candidate.replacement })
            .collect();
        Ok((start, pairs))
    }
}

impl Validator for Assistant {}

impl Highlighter for Assistant {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[2m{hint}\x1b[0m"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_taken_from_all_its_rows() {
        assert_eq!(without_hint(("> ", "> "), "rtt ", "MPTCPSTREAM", 80), "\x1b[1A\r\x1b[J> rtt \n");
        assert_eq!(without_hint(("> ", "> "), "rtt ", "MPTCPSTREAM", 17), "\x1b[1A\r\x1b[J> rtt \n");
        assert_eq!(without_hint(("> ", "> "), "rtt ", "MPTCPSTREAM", 16), "\x1b[2A\r\x1b[J> rtt \n");
    }

    #[test]
    fn prompt_shows_a_harmless_name() {
        assert_eq!(prompt_for(None), "mptcpanalyzer> ");
        assert_eq!(prompt_for(Some("client.pcapng")), "mptcpanalyzer [client.pcapng]> ");
        assert_eq!(prompt_for(Some("a\x1b]0;x\x07")), "mptcpanalyzer [a\\u{1b}]0;x\\u{7}]> ");
        let long = "é".repeat(100);
        assert_eq!(prompt_for(Some(&long)).chars().count(), "mptcpanalyzer [".len() + 41 + "]> ".len());
    }
}
