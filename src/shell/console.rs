//! Where results and messages go. Results alone go to standard output, everything else to standard error.

use std::io::{self, IsTerminal, Write};

use clap::builder::StyledStr;
use terminal_size::{Height, Width, terminal_size_of};

use crate::cli::Level;
use crate::error::{Error, Result};
use crate::terminal_text::{escape, folded};

/// The two streams of the program and what is known of the terminal behind them.
pub struct Console<'a> {
    /// Receives results.
    pub results: &'a mut dyn Write,
    /// Receives errors, warnings and reports of work done.
    pub messages: &'a mut dyn Write,
    /// Columns and lines of the terminal that shows the results; `None` when no terminal does.
    pub size: fn() -> Option<(u16, u16)>,
    /// Whether results may have colours.
    pub colour: bool,
    /// Level of messages.
    pub level: Level,
    /// Whether `results` is this process's own standard output, which programs started from here may share.
    pub shared: bool,
}

impl std::fmt::Debug for Console<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Console")
            .field("colour", &self.colour)
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

impl<'a> Console<'a> {
    /// The console over this process's standard output and error.
    #[must_use]
    pub fn standard(results: &'a mut dyn Write, messages: &'a mut dyn Write) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let capable = std::env::var_os("TERM").is_none_or(|value| value != "dumb");
        let colour = wanted && capable && io::stdout().is_terminal();
        Console { results, messages, size: standard_size, colour, level: Level::default(), shared: true }
    }

    /// The same console with results going to `results`, which is not a terminal.
    pub fn redirected<'b>(&'b mut self, results: &'b mut dyn Write) -> Console<'b> {
        Console {
            results,
            messages: &mut *self.messages,
            size: || None,
            colour: false,
            level: self.level,
            shared: false,
        }
    }

    /// Prints text for people on the results' stream.
    ///
    /// # Errors
    /// When the stream cannot be written; [`Error::OutputClosed`] when its reader is gone.
    pub fn text(&mut self, text: &StyledStr) -> Result<()> {
        let text = if self.colour { text.ansi().to_string() } else { text.to_string() };
        // The prompt that comes next wants a line of its own.
        let written = writeln!(self.results, "{}", text.trim_end_matches('\n'));
        written.and_then(|()| self.results.flush()).map_err(output_error)
    }

    /// Says what went wrong. A closed output is nobody's fault and is not mentioned.
    pub fn error(&mut self, error: &Error) {
        if !matches!(error, Error::OutputClosed) {
            self.say(Level::Error, "error: ", &error.to_string());
            self.usage(error);
        }
    }

    /// Says what went wrong in line `number` of the script `name`.
    pub fn error_at(&mut self, name: &str, number: u64, error: &Error) {
        if !matches!(error, Error::OutputClosed) {
            self.say(Level::Error, "", &format!("{name}:{number}: {error}"));
            self.usage(error);
        }
    }

    /// How the command is used whose arguments were wrong.
    fn usage(&mut self, error: &Error) {
        if let Error::Arguments { usage, .. } = error {
            self.say(Level::Error, "usage: ", usage);
        }
    }

    /// Says what the person must know although the work was done.
    pub fn warning(&mut self, sentence: &str) {
        self.say(Level::Warn, "warning: ", sentence);
    }

    /// Says what was done.
    pub fn note(&mut self, sentence: &str) {
        self.say(Level::Warn, "", sentence);
    }

    /// Says something about the running itself, at `level` and beyond.
    pub fn trace(&mut self, level: Level, sentence: &str) {
        self.say(level, "", sentence);
    }

    /// Where messages fold: at the edge of the terminal that shows them beside the results.
    fn message_width(&self) -> usize {
        (self.size)().filter(|_| io::stderr().is_terminal()).map_or(usize::MAX, |(columns, _)| columns.into())
    }

    /// Writes one message. There is nowhere to report a standard error that cannot be written to.
    fn say(&mut self, level: Level, prefix: &str, sentence: &str) {
        if level <= self.level {
            let colour = match prefix {
                "error: " => "\x1b[1;31m",
                "warning: " => "\x1b[1;33m",
                _ => "",
            };
            let coloured = self.colour && !colour.is_empty() && io::stderr().is_terminal();
            for (index, line) in
                folded(&format!("{prefix}{}", escape(sentence)), self.message_width()).iter().enumerate()
            {
                let _ = match line.strip_prefix(prefix).filter(|_| coloured && index == 0) {
                    Some(rest) => writeln!(self.messages, "{colour}{prefix}\x1b[0m{rest}"),
                    None => writeln!(self.messages, "{line}"),
                };
            }
            let _ = self.messages.flush();
        }
    }
}

/// The error for results that standard output did not take.
pub(super) fn output_error(source: io::Error) -> Error {
    Error::file("write to", "standard output", source)
}

fn standard_size() -> Option<(u16, u16)> {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    // A terminal that does not tell its size, such as a serial line, has the usual one.
    Some(terminal_size_of(stdout).map_or((80, 24), |(Width(columns), Height(lines))| (columns, lines)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_decides_what_is_said() {
        let (mut results, mut messages) = (Vec::new(), Vec::new());
        let mut console = Console {
            results: &mut results,
            messages: &mut messages,
            size: || None,
            colour: false,
            level: Level::Error,
            shared: false,
        };
        console.warning("hidden");
        console.error(&Error::Failed("shown\x07".to_string()));
        console.error(&Error::OutputClosed);
        console.level = Level::Warn;
        console.note("said");
        console.trace(Level::Info, "hidden");
        console.error_at("a.txt", 3, &Error::NothingLoaded);
        assert!(results.is_empty());
        assert_eq!(
            String::from_utf8(messages).unwrap(),
            "error: shown\\u{7}\nsaid\na.txt:3: no capture is loaded; use `load_pcap FILE` first, or start with \
             `--load FILE`\n"
        );
    }
}
