//! Tasks that commands leave to the shell: scripts, programs, the editor.

use std::env;
use std::fs;
use std::io::{BufReader, Write};
use std::ops::ControlFlow;
use std::path::Path;

use super::console::Console;
use super::executor::Executor;
use super::{redirect, script};
use crate::commands::shared::task::Task;
use crate::error::{Error, Result};
use crate::temporary;
use mptcp_trace::reading;

/// Scripts that run one another deeper than this run in circles.
const DEEPEST: u32 = 20;

impl Executor {
    /// Does what a command left to do.
    ///
    /// # Errors
    /// Why it failed; a script's error names its line.
    pub(super) fn task(&mut self, task: Task, console: &mut Console<'_>) -> Result<ControlFlow<()>> {
        match task {
            Task::Script(path) => self.script(&path, console),
            Task::Lines(lines) => {
                self.note(console, &lines);
                self.session.history.push(lines.clone());
                self.deeper(|executor| executor.line(lines.as_bytes(), console))
            }
            Task::Program(words) => redirect::run(&words, console).map(|()| ControlFlow::Continue(())),
            Task::Edit(Some(path)) => {
                edit(&path, console)?;
                self.script(&path, console)
            }
            Task::Edit(None) => self.edit_last_line(console),
        }
    }

    fn script(&mut self, path: &Path, console: &mut Console<'_>) -> Result<ControlFlow<()>> {
        let file = reading::open(path).map_err(|source| Error::file("read", path, source))?;
        let name = path.display().to_string();
        // What a script sets holds as long as the captures that it loads.
        let keeps = std::mem::take(&mut self.session.keeps);
        let done = self.deeper(|executor| script::nested(executor, console, &mut BufReader::new(file), &name));
        self.session.keeps = keeps;
        done
    }

    fn edit_last_line(&mut self, console: &mut Console<'_>) -> Result<ControlFlow<()>> {
        let failed = |error| Error::file("write", env::temp_dir(), error);
        let mut file = temporary::file(".mptcp").map_err(failed)?;
        // The last line is this very command.
        let last = self.session.history.iter().rev().find(|line| line.split_whitespace().next() != Some("edit"));
        writeln!(file, "{}", last.map_or("", String::as_str)).map_err(failed)?;
        // An editor may put another file in its place.
        edit(file.path(), console)?;
        let text = fs::read(file.path()).map_err(|source| Error::file("read", file.path(), source))?;
        self.deeper(|executor| script::nested(executor, console, &mut text.as_slice(), "edited"))
    }

    /// Does what may come back here, up to a depth that only lines that run themselves reach.
    ///
    /// # Errors
    /// Those of `work`.
    pub(super) fn deeper(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<ControlFlow<()>>,
    ) -> Result<ControlFlow<()>> {
        if self.depth >= DEEPEST {
            return Err(Error::Failed("it runs itself recursively; remove that line".to_string()));
        }
        self.depth = self.depth.saturating_add(1);
        let done = work(self);
        self.depth = self.depth.saturating_sub(1);
        done
    }
}

/// Opens the person's editor on `path`; its name may come with arguments of its own, which sh takes apart.
fn edit(path: &Path, console: &mut Console<'_>) -> Result<()> {
    let named = |variable| env::var(variable).ok().filter(|value| !value.trim().is_empty());
    let editor = named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| "vi".to_string());
    redirect::edit(&editor, path, console)
        .map_err(|error| Error::Failed(format!("nothing run, because the editor failed (set $EDITOR?): {error}")))
}
