//! Transcripts: commands with what they print, run as a test.
//!
//! A line with the prompt, `mptcpanalyzer> ` or `(mptcpanalyzer) `, is a command; what follows up to the next one is what
//! it must print. Text between two slashes is a regular expression, `\/` is a slash. What stands before the first
//! command is not read.

mod expectation;

use std::cell::RefCell;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::rc::Rc;

use super::console::Console;
use super::executor::{Executor, is_interrupt};
use super::line::Openness;
use crate::cli::Level;
use crate::error::{Error, Result};
use mptcp_trace::reading;
use mptcp_trace::units::counted;

/// Signs in front of a command.
const PROMPTS: [&str; 2] = ["mptcpanalyzer> ", "(mptcpanalyzer) "];

/// One command of a transcript.
#[derive(Debug, PartialEq, Eq)]
struct Step<'t> {
    /// Its line, from 1.
    number: usize,
    command: String,
    /// Expected output, with the number of each line.
    expected: Vec<(usize, &'t str)>,
}

/// Runs the transcript at `path`; returns a sentence on what was run.
///
/// # Errors
/// The first difference, with its line.
pub fn run(path: &Path, executor: &mut Executor) -> Result<String> {
    let text = reading::text(path).map_err(|source| Error::file("read", path, source))?;
    let name = path.display();
    let steps = steps(&text);
    if steps.is_empty() {
        return Err(Error::Usage(format!("{name} has no command; begin command lines with `{}`", PROMPTS[0])));
    }
    for (index, step) in steps.iter().enumerate() {
        let (printed, flow) = printed(&step.command, executor)?;
        let lines: Vec<&str> = printed.lines().collect();
        expectation::check(&lines, &step.expected, step.number, &step.command)
            .map_err(|(line, what)| Error::Failed(format!("{name}:{line}: {what}")))?;
        if let (ControlFlow::Break(()), Some(next)) = (flow, steps.get(index.saturating_add(1))) {
            let sentence = format!("{name}:{}: `{}` already left the program", next.number, step.command);
            return Err(Error::Failed(sentence));
        }
    }
    Ok(format!("{name}: {} printed as expected", counted(steps.len(), "command")))
}

/// The commands of a transcript with what they must print. A command with an open quote goes on in lines with `> `.
fn steps(text: &str) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    let mut lines = (1..).zip(text.lines()).peekable();
    while let Some((number, line)) = lines.next() {
        match command(line) {
            Some(command) => {
                let mut command = command.to_string();
                while Openness::of(command.as_bytes()) {
                    let Some((_, more)) = lines.next_if(|(_, next)| next.starts_with("> ")) else { break };
                    command.push('\n');
                    command.push_str(more.strip_prefix("> ").unwrap_or(more));
                }
                steps.push(Step { number, command, expected: Vec::new() });
            }
            None => {
                if let Some(step) = steps.last_mut() {
                    step.expected.push((number, line));
                }
            }
        }
    }
    steps
}

/// The command behind a prompt, which may name the loaded capture.
fn command(line: &str) -> Option<&str> {
    if let Some((_, command)) = line.strip_prefix("mptcpanalyzer [").and_then(|rest| rest.split_once("]> ")) {
        return Some(command);
    }
    PROMPTS.iter().find_map(|prompt| line.strip_prefix(prompt).or_else(|| (line == prompt.trim_end()).then_some("")))
}

/// All that a command prints, results and messages in the order in which they come.
fn printed(command: &str, executor: &mut Executor) -> Result<(String, ControlFlow<()>)> {
    let both = Rc::new(RefCell::new(Vec::new()));
    let (mut results, mut messages) = (Shared(both.clone()), Shared(both.clone()));
    let mut console = Console {
        results: &mut results,
        messages: &mut messages,
        size: || None,
        colour: false,
        level: Level::Warn,
        shared: false,
    };
    let flow = match executor.line(command.as_bytes(), &mut console) {
        Err(error) if is_interrupt(&error) => return Err(error),
        Err(error) => {
            console.error(&error);
            ControlFlow::Continue(())
        }
        Ok(flow) => flow,
    };
    let bytes = both.take();
    Ok((String::from_utf8_lossy(&bytes).into_owned(), flow))
}

/// One of two writers into the same text.
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_begin_commands() {
        let text =
            "a title\n\nmptcpanalyzer> help\nline\nmptcpanalyzer [x y]> lc\n(mptcpanalyzer) !echo 'a\n> b'\n> c\n";
        assert_eq!(
            steps(text),
            [
                Step { number: 3, command: "help".into(), expected: vec![(4, "line")] },
                Step { number: 5, command: "lc".into(), expected: vec![] },
                Step { number: 6, command: "!echo 'a\nb'".into(), expected: vec![(8, "> c")] },
            ]
        );
        assert_eq!(command("mptcpanalyzer>"), Some(""));
        assert_eq!(command(" mptcpanalyzer> x"), None);
    }
}
