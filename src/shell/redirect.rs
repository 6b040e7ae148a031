//! Results on their way to a file or to another program.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use super::console::{Console, output_error};
use super::executor::is_interrupt;
use super::line;
use crate::error::{Error, Result};
use crate::whole_file::{self, Force};
use mptcp_trace::interrupt;

use crate::children;

/// Source of the results.
type Work<'w> = dyn FnMut(&mut Console<'_>) -> Result<ControlFlow<()>> + 'w;

/// `> path`: the file is replaced once `work` has succeeded, so that a failure leaves what it held.
///
/// # Errors
/// Those of `work`, or why the file cannot be written.
pub fn to_file(path: &Path, console: &mut Console<'_>, work: &mut Work<'_>) -> Result<ControlFlow<()>> {
    let mut flow = ControlFlow::Continue(());
    whole_file::write(path, Force::Unavailable, |output| {
        flow = work(&mut console.redirected(output))?;
        Ok(())
    })?;
    Ok(flow)
}

/// `>> path`. Unlike `>` it cannot be whole or nothing: what `work` has written when it fails stays at the end of the
/// file, as with any shell, for undoing it could undo what another program has appended meanwhile.
///
/// # Errors
/// Those of `work`, or why the file cannot be written.
pub fn append(path: &Path, console: &mut Console<'_>, work: &mut Work<'_>) -> Result<ControlFlow<()>> {
    whole_file::refuse_capture(path, Force::Unavailable)?;
    let failed = |source| Error::file("write", path, source);
    let special = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
    let opened = match special {
        true => whole_file::open_special(path),
        false => OpenOptions::new().append(true).create(true).open(path),
    };
    let mut output = BufWriter::new(opened.map_err(failed)?);
    let flow = work(&mut console.redirected(&mut output)).map_err(|error| whole_file::naming(path, error))?;
    output.flush().map_err(failed)?;
    Ok(flow)
}

/// `| text`: what `work` produces is the standard input of `sh -c text`. A program that closes it early has all that it
/// wants.
///
/// # Errors
/// Those of `work`; [`Error::Failed`] when the program ends with another exit code than 0.
pub fn to_program(text: &[u8], console: &mut Console<'_>, work: &mut Work<'_>) -> Result<ControlFlow<()>> {
    console.results.flush().map_err(output_error)?;
    let (stdout, printed) = output_for(console)?;
    let started = children::start_beside(sh(text).stdin(Stdio::piped()).stdout(stdout));
    let (mut child, _running) = started.map_err(cannot_start)?;
    let done = match child.stdin.take() {
        Some(input) => {
            let mut input = BufWriter::new(input);
            let done = work(&mut console.redirected(&mut input));
            let flushed = input.flush().map_err(output_error);
            done.and_then(|flow| flushed.map(|()| flow))
        }
        None => Ok(ControlFlow::Continue(())),
    };
    let status = child.wait().map_err(cannot_start)?;
    copy(printed, console)?;
    let flow = match done {
        Err(Error::OutputClosed) => ControlFlow::Continue(()),
        // What was interrupted is a program that the person looked at the result with, and is done with.
        Err(error) if is_interrupt(&error) && status.success() => ControlFlow::Continue(()),
        other => other?,
    };
    ended(&String::from_utf8_lossy(text), status).map(|()| flow)
}

/// Starts a program that gets the terminal and waits for its end.
///
/// # Errors
/// [`Error::Failed`] when it cannot be started or ends with another exit code than 0.
pub fn run(words: &[OsString], console: &mut Console<'_>) -> Result<()> {
    let (program, shown) = match words {
        [text] => (sh(text.as_encoded_bytes()), text.to_string_lossy().into_owned()),
        [name, arguments @ ..] => {
            let mut program = Command::new(name);
            program.args(arguments);
            (program, line::join(words))
        }
        [] => return Ok(()),
    };
    match (start(program, &shown, console)?, words) {
        (Err(error), [name, _, ..]) => Err(Error::Failed(format!("cannot start {}: {error}", name.to_string_lossy()))),
        (Err(error), _) => Err(cannot_start(error)),
        (Ok(ended), _) => ended,
    }
}

/// The same for an editor, named as the person names it, with the file that it is to open.
///
/// # Errors
/// As those of [`run`].
pub fn edit(editor: &str, path: &Path, console: &mut Console<'_>) -> Result<()> {
    let mut program = sh(format!("{editor} \"$1\"").as_bytes());
    program.arg(editor).arg(path);
    start(program, editor, console)?.map_err(cannot_start)?
}

/// How a program ended that got the terminal, or why it could not be started; called `shown` when it fails.
///
/// # Errors
/// When what it printed cannot be handed on.
fn start(mut program: Command, shown: &str, console: &mut Console<'_>) -> Result<io::Result<Result<()>>> {
    console.results.flush().map_err(output_error)?;
    let (stdout, printed) = output_for(console)?;
    // Only a person's keyboard is handed on: what else is on standard input are lines of a script.
    let stdin = if io::IsTerminal::is_terminal(&io::stdin()) { Stdio::inherit() } else { Stdio::null() };
    let status = {
        let _other = interrupt::hand_over();
        children::start_beside(program.stdin(stdin).stdout(stdout)).and_then(|(mut child, _running)| child.wait())
    };
    copy(printed, console)?;
    Ok(status.map(|status| ended(shown, status)))
}

fn sh(text: &[u8]) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(line::from_bytes(text.to_vec()));
    command
}

fn cannot_start(error: io::Error) -> Error {
    Error::Failed(format!("cannot run sh: {error}"))
}

/// Standard output of a program, and where that can be read afterwards when it is not our own.
fn output_for(console: &Console<'_>) -> Result<(Stdio, Option<File>)> {
    if console.shared {
        return Ok((Stdio::inherit(), None));
    }
    let file = tempfile::tempfile().and_then(|file| Ok((file.try_clone()?, file)));
    let (for_program, for_us) = file.map_err(|error| Error::file("write", std::env::temp_dir(), error))?;
    Ok((for_program.into(), Some(for_us)))
}

fn copy(printed: Option<File>, console: &mut Console<'_>) -> Result<()> {
    let Some(mut printed) = printed else { return Ok(()) };
    printed.rewind().and_then(|()| io::copy(&mut printed, console.results)).map(drop).map_err(output_error)
}

fn ended(shown: &str, status: ExitStatus) -> Result<()> {
    match status.code() {
        Some(0) => Ok(()),
        _ if by_interrupt(status) || interrupt::requested() => Err(Error::Interrupted),
        Some(code) => Err(Error::Failed(format!("`{shown}` ended with exit code {code}"))),
        None => Err(Error::Failed(format!("`{shown}` was ended by a signal"))),
    }
}

/// Whether Ctrl-C ended a program, or ended what sh ran, of which sh has a code of its own.
fn by_interrupt(status: ExitStatus) -> bool {
    #[cfg(unix)]
    if std::os::unix::process::ExitStatusExt::signal(&status) == Some(2) {
        return true;
    }
    status.code() == Some(130)
}
