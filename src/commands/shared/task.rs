//! Work that a command leaves to the shell, because it runs lines or needs the terminal.

use std::ffi::OsString;
use std::path::PathBuf;

/// Task of the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Run the commands in this file.
    Script(PathBuf),
    /// Run these lines as if they were typed.
    Lines(String),
    /// Start a program, which gets the terminal: one word is text for `sh -c`, several are a program and its arguments.
    Program(Vec<OsString>),
    /// Open an editor on this file, or on the last line of the history, and run what it leaves.
    Edit(Option<PathBuf>),
}
