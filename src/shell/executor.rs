//! Runs command lines. Prompt, scripts and single commands all come through here.

use std::cell::Cell;
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use clap::ArgMatches;
use clap::error::ErrorKind;

use super::console::Console;
use super::drawing;
use super::line::{Output, Statement};
use super::results::copied;
use super::{line, mode, pager, panics, redirect, shortcuts};
use crate::cli::Level;
use crate::commands::session::settings::Colour;
use crate::commands::shared::paths;
use crate::commands::shared::rearranged::{missing_capture, rearranged};
use crate::commands::{Command, Outcome, Session, grammar, registry};
use crate::error::{Error, Result};
use crate::output::Report;
use crate::packets::LoadError;
use crate::whole_file;
use mptcp_trace::interrupt;
use mptcp_trace::tracking::PointOfView;

/// The session and the way to run commands on it.
#[derive(Debug)]
pub struct Executor {
    /// Shared by the commands.
    pub session: Session,
    /// Nesting depth of scripts.
    pub(super) depth: u32,
    /// Whether a person reads what is printed, page by page.
    pub(super) pages: bool,
    /// Since when a pager shows the result of the command that runs.
    paged: Cell<Option<Instant>>,
}

/// True for the errors that Ctrl-C causes.
#[must_use]
pub fn is_interrupt(error: &Error) -> bool {
    matches!(error, Error::Interrupted | Error::Load(LoadError::Interrupted))
}

impl Executor {
    /// An executor on `session`.
    #[must_use]
    pub fn new(session: Session) -> Self {
        Executor { session, depth: 0, pages: false, paged: Cell::new(None) }
    }

    /// Loads a capture as the `--load` flag wants it; warnings go to the console.
    ///
    /// # Errors
    /// Why it could not be loaded.
    pub fn load(&mut self, path: &Path, view: Option<PointOfView>, console: &mut Console<'_>) -> Result<()> {
        interrupt::clear();
        let loaded = guarded("--load", || match view {
            Some(view) => self.session.load_seen(path, view),
            None => self.session.load(path),
        });
        self.tell_warnings(console);
        loaded
    }

    /// Says what the work left to say, whether or not it succeeded.
    pub(super) fn tell_warnings(&mut self, console: &mut Console<'_>) {
        for warning in self.session.take_warnings() {
            console.warning(&warning);
        }
    }

    /// Runs one line of text, which may have several commands; a blank one or a comment does nothing.
    ///
    /// # Errors
    /// Why a command did not do its work; those after it were not run. Nothing was when the line cannot be read.
    pub fn line(&mut self, line: &[u8], console: &mut Console<'_>) -> Result<ControlFlow<()>> {
        for (index, statement) in line::statements(line)?.iter().enumerate() {
            if index > 0 && interrupt::requested() {
                return Err(Error::Interrupted);
            }
            if self.statement(statement, console)? == ControlFlow::Break(()) {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Runs one statement, its results going where it says.
    fn statement(&mut self, statement: &Statement, console: &mut Console<'_>) -> Result<ControlFlow<()>> {
        if let Some(line) = shortcuts::expanded(statement, &self.session.shortcuts)? {
            console.trace(Level::Debug, &format!("standing for: {}", String::from_utf8_lossy(&line)));
            return self.deeper(|executor| executor.line(&line, console));
        }
        if let Some(sentence) = line::unquoted_comparison(statement) {
            console.warning(&sentence);
        }
        let words = statement.arguments();
        let mut work = |console: &mut Console<'_>| self.words(words.clone(), console);
        match &statement.output {
            Output::Console => work(console),
            Output::File { target, append: false } => {
                redirect::to_file(Path::new(&target.file_name()), console, &mut work)
            }
            Output::File { target, append: true } => {
                redirect::append(Path::new(&target.file_name()), console, &mut work)
            }
            Output::Pipe(program) => redirect::to_program(program, console, &mut work),
        }
    }

    /// Runs one command given as words.
    ///
    /// # Errors
    /// Why the command did not do its work.
    pub fn words(&mut self, mut words: Vec<OsString>, console: &mut Console<'_>) -> Result<ControlFlow<()>> {
        if words.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        let first = words.remove(0);
        let name = first.to_string_lossy().into_owned();
        // `FILE COMMAND` on the program's command line.
        if !words.is_empty() && registry::command(&name).is_none() && whole_file::is_capture(Path::new(&first)) {
            mode::one_capture(&words)?;
            guarded("load_pcap", || self.session.load(Path::new(&first)))?;
            return self.words(words, console);
        }
        let Some(command) = registry::command(&name) else {
            if self.session.shortcuts.find(&name).is_none() {
                return Err(mode::unknown(Path::new(&first), !words.is_empty()));
            }
            let line = format!("{} {}", line::quote(&name), line::join(&words));
            return self.line(line.as_bytes(), console);
        };
        console.trace(Level::Debug, &format!("running: {}", line::join(&[&[OsString::from(&name)], &*words].concat())));
        let started = Instant::now();
        let usual = console.colour;
        console.colour = self.coloured(console);
        let flow = self.run(command, words, console);
        console.colour = usual;
        let level = if self.session.settings.timing { Level::Error } else { Level::Info };
        // What a person reads in a pager takes the person's time.
        let taken = self.paged.take().map_or_else(|| started.elapsed(), |paged| paged.duration_since(started));
        console.trace(level, &format!("{} took {:.3} s", command.name(), taken.as_secs_f64()));
        flow
    }

    /// Whether results have colours now.
    fn coloured(&self, console: &Console<'_>) -> bool {
        match self.session.settings.color {
            Colour::Auto => console.colour,
            Colour::Always => console.shared,
            Colour::Never => false,
        }
    }

    /// Says what was done, unless the person wants silence.
    pub(super) fn note(&self, console: &mut Console<'_>, sentence: &str) {
        if !self.session.settings.quiet {
            console.note(sentence);
        }
    }

    fn run(
        &mut self,
        command: &dyn Command,
        words: Vec<OsString>,
        console: &mut Console<'_>,
    ) -> Result<ControlFlow<()>> {
        interrupt::clear();
        let mut definition = grammar::with_defaults(grammar::definition(command), &self.session);
        if let Some(sentence) = grammar::unquoted_condition(&words) {
            return Err(Error::Arguments { sentence, usage: grammar::usage(definition, &words) });
        }
        let matches = match definition.try_get_matches_from_mut(&words) {
            Ok(matches) => matches,
            Err(refusal) if refusal.kind() == ErrorKind::DisplayHelp => {
                self.page(console, |console| console.text(&refusal.render()))?;
                return Ok(ControlFlow::Continue(()));
            }
            Err(refusal) => {
                if let Some(missing) = missing_capture(&grammar::definition(command), &words, &self.session) {
                    return Err(LoadError::Missing(missing).into());
                }
                let refusal = match rearranged(&grammar::definition(command), &words, &refusal, &self.session) {
                    Some(Ok(meant)) => {
                        if let Some(capture) = &meant.load {
                            guarded("load_pcap", || self.session.load(capture))?;
                        }
                        return self.execute(command, &meant.matches, console);
                    }
                    Some(Err(refusal)) => refusal,
                    None => refusal,
                };
                let (sentence, name) = (grammar::sentence(&definition, &refusal), grammar::topic(&definition, &words));
                let sentence = match sentence.ends_with('?') {
                    // The guess is what to do.
                    true => sentence,
                    false => format!("{sentence}; see `help {name}`"),
                };
                return Err(Error::Arguments { sentence, usage: grammar::usage(definition, &words) });
            }
        };
        self.execute(command, &matches, console)
    }

    /// Runs a command whose arguments are read.
    fn execute(
        &mut self,
        command: &dyn Command,
        matches: &ArgMatches,
        console: &mut Console<'_>,
    ) -> Result<ControlFlow<()>> {
        let outcome = guarded(command.name(), || command.run(matches, &mut self.session));
        self.tell_warnings(console);
        let outcome = outcome?;
        // Loops over packets end early after Ctrl-C: what they found is not shown.
        if matches!(outcome, Outcome::Report(_) | Outcome::Failed { .. } | Outcome::Drawing(_)) {
            interrupt::check()?;
        }
        let outcome = match outcome {
            Outcome::Report(report) => Outcome::Report(paths::named(report, matches, &mut self.session)),
            other => other,
        };
        match outcome {
            Outcome::Quit => return Ok(ControlFlow::Break(())),
            Outcome::Task(task) => return self.task(task, console),
            Outcome::Drawing(drawing) => {
                guarded(command.name(), || drawing::deliver(&drawing, &self.session, console))?;
            }
            Outcome::Feed(feed) => return self.feed(feed, matches, console),
            Outcome::Text(text) => self.page(console, |console| console.text(&text))?,
            Outcome::Copied(file, binary) => guarded(command.name(), || copied(file.path(), binary, console))?,
            Outcome::Done(sentences) => sentences.iter().for_each(|sentence| self.note(console, sentence)),
            Outcome::Report(report) => self.show(&report, command, matches, console)?,
            Outcome::Failed { report, sentence } => {
                self.show(&report, command, matches, console)?;
                return Err(Error::Failed(sentence));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Shows the result of `command` where the line wants it.
    fn show(
        &self,
        report: &Report,
        command: &dyn Command,
        matches: &ArgMatches,
        console: &mut Console<'_>,
    ) -> Result<()> {
        let deliver = |console: &mut Console<'_>| self.deliver(report, matches, console);
        guarded(command.name(), || self.page(console, deliver))
    }

    /// Has `work` print, in a pager when it is long and a person wants that.
    fn page(&self, console: &mut Console<'_>, work: impl FnOnce(&mut Console<'_>) -> Result<()>) -> Result<()> {
        if !(self.pages && self.session.settings.pager) {
            return work(console);
        }
        let begun = Instant::now();
        let (was_paged, done) = pager::paged(console, work);
        if was_paged {
            self.paged.set(Some(begun));
        }
        done
    }
}

/// Runs `work`, turning a panic into an error, and any failure after Ctrl-C into an interruption: what a dying child
/// process or a half-written output had to say is then no news.
pub(super) fn guarded<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let result = panics::guard(work).unwrap_or_else(|reason| Err(panics::as_error(what, &reason)));
    match result {
        Err(error) if interrupt::requested() && !is_interrupt(&error) => Err(Error::Interrupted),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn execute(line: &str) -> (Result<ControlFlow<()>>, String, String) {
        let (mut results, mut messages) = (Vec::new(), Vec::new());
        let mut console = Console {
            results: &mut results,
            messages: &mut messages,
            size: || None,
            colour: false,
            level: Level::Warn,
            shared: false,
        };
        let flow = Executor::new(Session::new(Config::default(), None)).line(line.as_bytes(), &mut console);
        (flow, String::from_utf8(results).unwrap(), String::from_utf8(messages).unwrap())
    }

    #[test]
    fn blank_lines_and_comments_do_nothing() {
        for line in ["", "   ", "# help"] {
            let (flow, results, messages) = execute(line);
            assert_eq!(
                (flow.unwrap(), results.as_str(), messages.as_str()),
                (ControlFlow::Continue(()), "", ""),
                "{line}"
            );
        }
    }

    #[test]
    fn help_is_a_result_and_quit_leaves() {
        let (flow, results, messages) = execute("help --help");
        assert_eq!((flow.unwrap(), messages.as_str()), (ControlFlow::Continue(()), ""));
        assert!(results.contains("Usage: help"), "{results}");
        assert_eq!(execute("EXIT".to_lowercase().as_str()).0.unwrap(), ControlFlow::Break(()));
    }

    #[test]
    fn wrong_lines_are_usage_errors_of_one_sentence() {
        for (line, sentence) in [
            ("hlep", "unknown command `hlep`; did you mean `help`?"),
            ("quit now", "unexpected argument 'now' found; see `help quit`"),
            ("help 'x", "a quote or a final backslash is left open: close it, or put `\\` before a literal quote"),
        ] {
            let error = execute(line).0.unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
            assert_eq!(error.to_string(), sentence);
        }
    }

    #[test]
    fn a_failed_load_is_reported() {
        let error = {
            let (mut results, mut messages) = (Vec::new(), Vec::new());
            let mut console = Console {
                results: &mut results,
                messages: &mut messages,
                size: || None,
                colour: false,
                level: Level::Warn,
                shared: false,
            };
            let mut executor = Executor::new(Session::new(Config::default(), None));
            executor.load(Path::new("/no/such.pcap"), None, &mut console).unwrap_err()
        };
        assert_eq!(error.to_string(), "/no/such.pcap: no such file; check the path");
    }

    /// Fails in ways that registered commands must not.
    struct Faulty;

    impl crate::described::Described for Faulty {
        fn name(&self) -> &'static str {
            "faulty"
        }
        fn summary(&self) -> &'static str {
            "Fail"
        }
        fn examples(&self) -> &'static [crate::commands::Example] {
            &[]
        }
        fn arguments(&self, command: clap::Command) -> clap::Command {
            command
                .arg(clap::Arg::new("panic").long("panic").action(clap::ArgAction::SetTrue))
                .arg(clap::Arg::new("warn").long("warn").action(clap::ArgAction::SetTrue))
        }
    }

    impl Command for Faulty {
        fn category(&self) -> crate::commands::Category {
            crate::commands::Category::Shell
        }
        fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
            if arguments.get_flag("warn") {
                session.warn("mind\x1b the gap");
            }
            assert!(!arguments.get_flag("panic"), "lost my way");
            Ok(Outcome::Report(Report::new(&[1, 2], Vec::new())))
        }
    }

    fn run_faulty(words: &[&str]) -> (Result<ControlFlow<()>>, String) {
        let (mut results, mut messages) = (Vec::new(), Vec::new());
        let mut console = Console {
            results: &mut results,
            messages: &mut messages,
            size: || None,
            colour: false,
            level: Level::Warn,
            shared: false,
        };
        let mut executor = Executor::new(Session::new(Config::default(), None));
        let flow = executor.run(&Faulty, words.iter().map(OsString::from).collect(), &mut console);
        (flow, String::from_utf8(messages).unwrap())
    }

    #[test]
    fn a_panic_is_an_error_of_one_sentence() {
        let error = run_faulty(&["--panic"]).0.unwrap_err();
        assert_eq!(error.exit_code(), 1);
        assert!(error.to_string().starts_with("internal error in `faulty` (lost my way"), "{error}");
    }

    #[test]
    fn warnings_are_told_whether_the_command_succeeds_or_not() {
        let (flow, messages) = run_faulty(&["--warn", "--panic"]);
        assert!(flow.is_err());
        assert_eq!(messages, "warning: mind\\u{1b} the gap\n");
        assert_eq!(run_faulty(&["--warn"]).1, "warning: mind\\u{1b} the gap\n");
    }

    #[test]
    fn output_goes_to_the_named_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.json");
        let (flow, messages) = run_faulty(&["--output", path.to_str().unwrap()]);
        assert_eq!(flow.unwrap(), ControlFlow::Continue(()));
        assert_eq!(messages, format!("wrote {}\n", path.display()));
        assert!(path.is_file());
        let absent = directory.path().join("absent/x.json");
        let error = run_faulty(&["-o", absent.to_str().unwrap()]).0.unwrap_err();
        assert!(error.to_string().starts_with(&format!("cannot write {}: ", absent.display())), "{error}");
    }
}
