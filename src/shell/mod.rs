//! The shell: prompt, scripts and single commands, all through one executor.
//!
//! [`run`] is the whole program. `mode` chooses what to do, [`executor`] runs command lines, [`console`] is where
//! results and messages go, `prompt` and `script` feed lines to the executor.

mod again;
mod ascii;
pub mod completion;
pub mod console;
mod drawing;
pub mod executor;
mod feeding;
mod history;
mod line;
mod mode;
mod pager;
mod panics;
mod prompt;
mod redirect;
mod results;
mod save;
mod script;
mod shortcuts;
mod signals;
mod tasks;
mod transcript;

use std::ffi::OsString;
use std::io::{self, BufReader, IsTerminal};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};

use crate::analysis::sql::worker;
use crate::cli::Cli;
use crate::commands::load_pcap::loaded;
use crate::commands::session::StandardInput;
use crate::commands::{Session, grammar, plugin};
use crate::config::{Config, Places};
use crate::dataset::{self, process};
use crate::error::{Error, Result};
use crate::packets::cache::Cache;
use mptcp_trace::interrupt;
use mptcp_trace::memory;
use mptcp_trace::reading;

use console::Console;
use executor::Executor;
use mode::{Mode, Script};

/// Runs the program with `arguments` (the first is its own name) and returns its exit code.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let [_, first, directory] = arguments.as_slice()
        && first == worker::ARGUMENT
    {
        return worker::serve(Path::new(directory));
    }
    if let Ok(program) = std::env::current_exe() {
        worker::use_program(program.clone());
        process::use_program(program);
    }
    panics::install_hook();
    let (mut results, mut messages) = (ascii::for_terminal(io::stdout()), ascii::for_terminal(io::stderr()));
    let mut console = Console::standard(&mut results, &mut messages);
    if let [_, first] = arguments.as_slice()
        && first == dataset::worker::ARGUMENT
    {
        let _prepared = signals::handle(&mut console);
        let code = dataset::worker::serve();
        return if interrupt::requested() { signals::exit_code() } else { code };
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(refusal) => return refused(&refusal, &mut console),
    };
    console.level = cli.level();
    match panics::guard(|| start(&cli, &mut console)) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            // What a half-read file or a dying child had to say after a signal is no news.
            let news = !interrupt::requested() || executor::is_interrupt(&error);
            let error = if news { error } else { Error::Interrupted };
            console.error(&error);
            exit_code(&error)
        }
        Err(reason) => {
            console.error(&panics::as_error("mptcpanalyzer", &reason));
            1
        }
    }
}

/// The exit code of a process that `error` ends.
fn exit_code(error: &Error) -> u8 {
    if executor::is_interrupt(error) { signals::exit_code() } else { error.exit_code() }
}

/// Answers flags that clap did not take: help and version are answers, the rest are usage errors.
fn refused(refusal: &clap::Error, console: &mut Console<'_>) -> u8 {
    if !refusal.use_stderr() {
        return match console.text(&refusal.render()) {
            Ok(()) => 0,
            Err(error) => {
                console.error(&error);
                exit_code(&error)
            }
        };
    }
    let error = Error::Usage(format!("{}; see `mptcpanalyzer --help`", grammar::sentence(&Cli::command(), refusal)));
    console.error(&error);
    exit_code(&error)
}

/// Sets the session up and runs the chosen mode.
fn start(cli: &Cli, console: &mut Console<'_>) -> Result<u8> {
    let _prepared = signals::handle(console);
    let kept = Places::find().map(|places| places.shell_file);
    // Before the mode is chosen, because a word may be a plugin's command.
    let session = session(cli, kept.as_deref(), console)?;
    let mode = mode::choose(cli, io::stdin().is_terminal())?;
    if let Mode::Test(paths) = &mode {
        return test(paths, cli, console);
    }
    let mut executor = Executor::new(session);
    // `set` alone is about the prompt, wherever it is typed.
    let sets = |words: &[OsString]| words.first().is_some_and(|word| word == "set");
    if matches!(mode, Mode::Prompt) || matches!(&mode, Mode::Command(words) if sets(words)) {
        executor.session.recall_settings();
        flags(cli, &mut executor.session);
    }
    if matches!(mode, Mode::Prompt | Mode::Script(Script::Stdin)) {
        executor.session.standard_input = StandardInput::Commands;
    }
    executor.session.keeps = !matches!(mode, Mode::Script(_));
    executor.pages = !matches!(mode, Mode::Script(_));
    executor.tell_warnings(console);
    if matches!(mode, Mode::Prompt) {
        signals::at_prompt();
    }
    if let Some(path) = &cli.load
        && let Err(error) = executor.load(path, cli.view(), console)
    {
        if !matches!(mode, Mode::Prompt) {
            return Err(error);
        }
        console.error(&error);
    } else if let (Mode::Prompt, Some(_), Ok(capture)) = (&mode, &cli.load, executor.session.capture()) {
        executor.note(console, &format!("loaded {}", loaded(capture)));
    }
    match mode {
        Mode::Prompt => prompt::run(&mut executor, console),
        Mode::Command(words) => {
            let done = executor.words(words, console);
            executor.session.abandon_captures();
            match done? {
                ControlFlow::Continue(()) | ControlFlow::Break(()) => Ok(0),
            }
        }
        Mode::Test(paths) => test(&paths, cli, console),
        Mode::Script(Script::Stdin) => {
            let input = reading::standard_input().map_err(|source| Error::file("read", Path::new("-"), source))?;
            Ok(script::run(&mut executor, console, &mut BufReader::new(input), "<stdin>", cli.keep_going))
        }
        Mode::Script(Script::Lines(lines)) => {
            let text = lines.join(std::ffi::OsStr::new("\n")).into_encoded_bytes();
            Ok(script::run(&mut executor, console, &mut text.as_slice(), "command line", cli.keep_going))
        }
        Mode::Script(Script::File(path)) => {
            let file = reading::open(&path).map_err(|source| Error::file("read", &path, source))?;
            let name = path.display().to_string();
            Ok(script::run(&mut executor, console, &mut BufReader::new(file), &name, cli.keep_going))
        }
    }
}

/// Runs transcripts, each in a session of its own without what the person has set and named: a transcript says the same
/// for everyone. 1 when one of them failed.
fn test(paths: &[PathBuf], cli: &Cli, console: &mut Console<'_>) -> Result<u8> {
    let mut code = 0;
    for path in paths {
        let mut executor = Executor::new(session(cli, None, console)?);
        executor.session.progress = false;
        if let Some(path) = &cli.load {
            executor.load(path, cli.view(), console)?;
        }
        match transcript::run(path, &mut executor) {
            Ok(sentence) => console.note(&sentence),
            Err(error) if executor::is_interrupt(&error) => return Err(error),
            Err(error) => {
                console.error(&error);
                code = 1;
            }
        }
    }
    Ok(code)
}

/// A session as the configuration and the flags want it, and the file of what the person has set and named.
fn session(cli: &Cli, kept: Option<&Path>, console: &mut Console<'_>) -> Result<Session> {
    let config = Config::load(cli.config.as_deref())?;
    let directory = cli.cachedir.clone().or_else(|| config.cache_dir.clone());
    let (cache, warning) = Cache::open(directory, config.cache_limit);
    if let Some(warning) = warning {
        console.warning(&warning);
    }
    if let Some(limit) = cli.memory_limit.or(config.memory_limit) {
        memory::set_limit(limit);
    }
    let mut session = Session::new(config, cache);
    if let Some(kept) = kept {
        session.recall(kept);
    }
    session.plugin_dirs.clone_from(&cli.plugin_dir);
    for warning in plugin::install(&session) {
        console.warning(&warning);
    }
    session.regenerate = cli.no_cache;
    session.progress = io::stderr().is_terminal();
    session.config.dissector = cli.dissector.unwrap_or(session.config.dissector);
    flags(cli, &mut session);
    Ok(session)
}

/// Flags go before what was set.
fn flags(cli: &Cli, session: &mut Session) {
    session.human_readable |= cli.human_readable;
    if let Some(format) = cli.format {
        session.format = format;
    }
}
