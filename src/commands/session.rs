//! State shared by commands: the configuration, the settings in force and the loaded captures.

pub mod captures;
mod kept;
mod points_of_view;
pub mod settings;
pub mod shortcuts;
mod told;

use crate::nearest::did_you_mean;
use crate::packets::LoadedCapture;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::analysis::checksums::{can_be_checked, checksums};
use crate::analysis::topology::Topology;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::output::Format;
use crate::packets::cache::Cache;
use crate::packets::{self, LoadError, LoadOptions};
use crate::whole_file;
use captures::Captures;
pub use captures::{FileState, Held};
use mptcp_trace::analysis::checksum::Verdicts;
use mptcp_trace::packets::capture_file::is_standard_input;
use mptcp_trace::tracking::PointOfView;
use mptcp_trace::tracking::{Capture, Connection};
use settings::Settings;
use shortcuts::Shortcuts;

/// Names that an error lists before it leaves the rest to `captures`.
const LISTED: usize = 8;

/// Whether `text` may name a capture: letters, digits, `_`, `-` and `.`; neither an option nor a directory.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let allowed = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.');
    text.chars().all(allowed) && !text.starts_with('-') && text.chars().any(|character| character != '.')
}

/// The state of the file `wanted`; standard input has none.
fn file_state(wanted: &Path) -> Option<FileState> {
    if is_standard_input(wanted) { None } else { FileState::of(wanted) }
}

/// Role of standard input in the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StandardInput {
    /// It may be a capture.
    #[default]
    Free,
    /// The commands come from it.
    Commands,
    /// A capture was read from it.
    Read,
}

/// The state that commands read and change.
#[derive(Debug)]
pub struct Session {
    /// The configuration as read at start.
    pub config: Config,
    /// Form of results when a command line does not say; starts as configured.
    pub format: Format,
    /// Unit prefixes for people; starts as configured.
    pub human_readable: bool,
    /// Where dissected captures are kept; `None` when no place could be found.
    pub cache: Option<Cache>,
    /// Dissect again even when the cache has the capture (`--no-cache`).
    pub regenerate: bool,
    /// Show progress on standard error; true only when it is a terminal.
    pub progress: bool,
    /// Kind of standard input.
    pub standard_input: StandardInput,
    /// The lines typed at the prompt, also in earlier sessions, the oldest first; empty outside of the prompt.
    pub history: Vec<String>,
    /// The changed setting.
    pub settings: Settings,
    /// Aliases and macros.
    pub shortcuts: Shortcuts,
    /// Whether what is set now is to hold in later sessions: at the prompt, not in scripts.
    pub keeps: bool,
    kept_in: Option<PathBuf>,
    /// Directories with plugins that the command line names (`--plugin-dir`).
    pub plugin_dirs: Vec<PathBuf>,
    /// Paths that `load_topo` loaded.
    pub topology: Option<Topology>,
    captures: Captures,
    /// Warnings since the executor last asked.
    warnings: RefCell<Vec<String>>,
    /// Notes of loading that the person has been given.
    noted: RefCell<BTreeSet<String>>,
}

impl Session {
    /// A session with nothing loaded.
    #[must_use]
    pub fn new(config: Config, cache: Option<Cache>) -> Self {
        Session {
            format: config.format,
            human_readable: config.human_readable,
            config,
            cache,
            regenerate: false,
            progress: false,
            standard_input: StandardInput::Free,
            history: Vec::new(),
            settings: Settings::default(),
            shortcuts: Shortcuts::default(),
            keeps: false,
            kept_in: None,
            plugin_dirs: Vec::new(),
            topology: None,
            captures: Captures::default(),
            warnings: RefCell::default(),
            noted: RefCell::default(),
        }
    }

    /// The current capture.
    ///
    /// # Errors
    /// [`Error::NothingLoaded`] before the first `load_pcap`.
    pub fn capture(&self) -> Result<&Arc<LoadedCapture>> {
        self.loaded().ok_or(Error::NothingLoaded)
    }

    /// The current capture, if any: for the prompt and completion.
    #[must_use]
    pub fn loaded(&self) -> Option<&Arc<LoadedCapture>> {
        self.captures.current().map(|held| &held.capture)
    }

    /// The name by which the current capture was chosen, if it was by a name.
    #[must_use]
    pub fn current_name(&self) -> Option<&str> {
        self.captures.current_name()
    }

    /// The current capture with its file.
    #[must_use]
    pub fn current(&self) -> Option<&Held> {
        self.captures.current()
    }

    /// The names in use and the captures that they stand for, by name.
    pub fn named(&self) -> impl Iterator<Item = (&str, &Held)> {
        self.captures.all_named()
    }

    /// Leaves the memory of all captures to the end of the process, which takes it back as a whole and not piece by
    /// piece.
    pub fn abandon_captures(&mut self) {
        std::mem::forget(std::mem::take(&mut self.captures));
    }

    /// The captures without a name that are remembered from the last commands.
    pub fn remembered(&self) -> impl Iterator<Item = &Held> {
        let known =
            |held: &Held| self.current().into_iter().chain(self.named().map(|(_, held)| held)).any(|it| it.is(held));
        self.captures.recent().iter().filter(move |held| !known(held))
    }

    /// The capture that `wanted` stands for: a name in use, or else the path of a capture or of a table that this
    /// program exported. A file that a capture in memory was read from is not read again while it is unchanged (same
    /// canonical path, size, modification time and inode). Neither the current capture nor the names change. Behind an
    /// `@` stands the point of view from which its packets count ([`PointOfView::named`]).
    ///
    /// Everything that takes a capture as an argument ([`crate::arguments::capture`]) asks here. What the person must
    /// know of the loading goes to [`Session::warn`].
    ///
    /// # Errors
    /// [`Error::Load`]; [`Error::NotFound`] for what is neither a name nor a file; [`Error::Failed`] for standard input
    /// that is not to be had.
    pub fn resolve(&mut self, wanted: &Path) -> Result<Arc<LoadedCapture>> {
        self.find(wanted).map(|held| held.capture)
    }

    /// The same with the file that the capture was read from: for work that reads the file again.
    ///
    /// # Errors
    /// Those of [`Session::resolve`].
    pub fn find(&mut self, wanted: &Path) -> Result<Held> {
        if let Some(held) = self.by_name(wanted) {
            return Ok(held);
        }
        if let Some((base, view)) = points_of_view::split(wanted) {
            return self.find_seen(&base, view);
        }
        let file = file_state(wanted);
        let view = PointOfView::default();
        if let Some(held) = file.as_ref().and_then(|file| self.captures.of_file(file, &view)) {
            return Ok(held);
        }
        if file.is_some() {
            // Before the loading, so that there is never one more in memory.
            self.captures.make_room();
        }
        let held = self.read(wanted, file, view)?;
        if held.file.is_some() {
            self.captures.remember(held.clone());
        }
        Ok(held)
    }

    /// Makes the capture that `wanted` stands for the current one, as [`Session::resolve`] finds it. On failure the
    /// present one stays.
    ///
    /// # Errors
    /// Those of [`Session::resolve`].
    pub fn load(&mut self, wanted: &Path) -> Result<()> {
        if let Some(held) = self.by_name(wanted) {
            self.captures.choose(held, wanted.to_str());
            return Ok(());
        }
        let held = match points_of_view::split(wanted) {
            Some((base, view)) => self.find_seen(&base, view)?,
            None => self.read_unless_known(wanted, &PointOfView::default())?,
        };
        self.captures.choose(held, None);
        Ok(())
    }

    /// Reads a capture for one who wants to look at it: what there is to say of it is said also when it is in memory.
    fn read_unless_known(&mut self, wanted: &Path, view: &PointOfView) -> Result<Held> {
        let file = file_state(wanted);
        let known = file.as_ref().filter(|_| !self.regenerate).and_then(|file| self.captures.of_file(file, view));
        match known {
            Some(held) => {
                self.tell_of(&held.capture);
                Ok(held)
            }
            None => self.read(wanted, file, view.clone()),
        }
    }

    /// Keeps the current capture under `name` as well, and returns the other capture that the name stood for.
    ///
    /// # Errors
    /// [`Error::NothingLoaded`].
    pub fn keep(&mut self, name: &str) -> Result<Option<Arc<LoadedCapture>>> {
        let held = self.captures.current().ok_or(Error::NothingLoaded)?.clone();
        if FileState::of(Path::new(name)).is_some() {
            self.warn(format!("{name} is also a file: the name takes precedence, `./{name}` is the file"));
        }
        let replaced = self.captures.keep(name, held.clone()).filter(|before| !before.is(&held));
        self.captures.choose(held, Some(name));
        Ok(replaced.map(|before| before.capture))
    }

    /// Makes a capture that was not read from a file the current one, and keeps it under `name`. `file` is one from which
    /// its packets can be read again.
    pub fn take_in(&mut self, name: &str, capture: LoadedCapture, file: Option<&Path>) {
        self.tell_of(&capture);
        let held = Held { capture: Arc::new(capture), file: file.and_then(FileState::of) };
        self.captures.keep(name, held.clone());
        self.captures.choose(held, Some(name));
    }

    /// Forgets `name` and returns the capture that it stood for, which stays loaded if it is the current one.
    ///
    /// # Errors
    /// [`Error::NotFound`] that says which names there are.
    pub fn forget(&mut self, name: &str) -> Result<Arc<LoadedCapture>> {
        match self.captures.forget(name) {
            Some(held) => Ok(held.capture),
            None => Err(self.unknown_name(name)),
        }
    }

    /// Tells the person something on standard error that does not stop the work. The executor prints it, in front of
    /// the result, whether the command succeeds or not; the same sentence only once.
    pub fn warn(&self, sentence: impl Into<String>) {
        let (sentence, mut warnings) = (sentence.into(), self.warnings.borrow_mut());
        if !warnings.contains(&sentence) {
            warnings.push(sentence);
        }
    }

    /// Takes the pending message, so that it is shown only once.
    #[must_use]
    pub fn take_warnings(&self) -> Vec<String> {
        self.warnings.take()
    }

    fn warn_all(&self, sentences: &[String]) {
        sentences.iter().for_each(|sentence| self.warn(sentence));
    }

    /// Tells what must be known of a capture's packets.
    fn tell_of(&self, capture: &Capture) {
        self.warn_all(&told::of(capture));
    }

    fn by_name(&mut self, wanted: &Path) -> Option<Held> {
        let name = wanted.to_str()?;
        let held = self.captures.named(name)?.clone();
        if self.captures.newly_outdated(name) {
            let file = held.capture.path.display();
            self.warn(format!("{file} has changed since it was loaded as {name}; load it again with `--as {name}`"));
        }
        Some(held)
    }

    /// Reads a capture as seen from a point of view; `file` is its state before.
    fn read(&mut self, path: &Path, file: Option<FileState>, view: PointOfView) -> Result<Held> {
        if is_standard_input(path) {
            self.take_standard_input()?;
        }
        let options = LoadOptions {
            dissector: self.config.dissector,
            tshark: &self.config.tshark,
            profile: self.config.wireshark_profile.as_deref(),
            extra_fields: &self.config.extra_fields,
            cache: self.cache.as_ref(),
            regenerate: self.regenerate,
            progress: self.progress,
        };
        let loaded = match packets::load(path, &options) {
            Err(LoadError::Missing(path)) => return Err(self.missing(path)),
            other => other?,
        };
        let mut capture = LoadedCapture::seen_from(path.to_path_buf(), loaded.dissected, view, loaded.tracker)?;
        capture.label_addresses(&self.config.interfaces);
        whole_file::protect(path);
        self.tell_of(&capture);
        self.warn_all(&loaded.warnings);
        if let Some(note) = loaded.note
            && self.noted.borrow_mut().insert(note.clone())
        {
            self.warn(note);
        }
        Ok(Held { capture: Arc::new(capture), file })
    }

    /// Takes standard input for a capture.
    ///
    /// # Errors
    /// [`Error::Failed`] when the commands come from it, or it was read already.
    pub fn take_standard_input(&mut self) -> Result<()> {
        let sentence = match std::mem::replace(&mut self.standard_input, StandardInput::Read) {
            StandardInput::Free => return Ok(()),
            StandardInput::Commands => {
                self.standard_input = StandardInput::Commands;
                "standard input holds the commands, not a capture; name a file (one called `-` is `./-`)"
            }
            StandardInput::Read => "standard input was read already; keep a capture from it with `--as NAME`",
        };
        Err(Error::Failed(sentence.to_string()))
    }

    /// The error for what is not a file, and could have been meant for a name.
    fn missing(&self, path: PathBuf) -> Error {
        match path.to_str().filter(|text| is_name(text)) {
            Some(typed) if self.named().next().is_some() => {
                Error::NotFound(format!("{typed}: no such file or capture name{}", self.names_in_use(typed)))
            }
            _ => LoadError::Missing(path).into(),
        }
    }

    fn unknown_name(&self, name: &str) -> Error {
        Error::NotFound(format!("no capture named `{name}`{}", self.names_in_use(name)))
    }

    /// The end of a sentence that `name` began.
    fn names_in_use(&self, name: &str) -> String {
        let names: Vec<&str> = self.named().map(|(name, _)| name).collect();
        if names.is_empty() {
            return "; name one with `load_pcap FILE --as NAME`".to_string();
        }
        let shown = names.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
        let more = if names.len() > LISTED { " and more, see `captures`" } else { "" };
        let guess =
            did_you_mean(name, names.iter().copied()).map_or_else(|| ";".to_string(), |guess| format!("; {guess}"));
        format!("{guess} names in use: {shown}{more}")
    }

    /// Checks the mappings of connections against their checksums, for which their payload is read again, once for all of
    /// them. Those without checksums are not among the answer, nor any whose payload is not there: in an exported table, in a
    /// pipe or a file that changed.
    ///
    /// # Errors
    /// [`Error::Load`] when the capture cannot be read again.
    pub fn checksums<'a>(&self, connections: impl IntoIterator<Item = &'a Connection>) -> Result<Verdicts> {
        let capture = self.capture()?.as_ref();
        let checked = connections.into_iter().filter(|connection| can_be_checked(capture, connection));
        let checked: Vec<&Connection> = checked.collect();
        if checked.is_empty() {
            return Ok(Verdicts::new());
        }
        if !self.current().is_some_and(Held::rereadable) {
            // The packets in the file are not those of the capture.
            let file = capture.path.display();
            self.warn(format!(
                "checksums not checked: {file} changed since it was loaded, or was a pipe; load it again"
            ));
            return Ok(Verdicts::new());
        }
        let memory = self.cache.as_ref().map(|cache| cache.directory.as_path());
        Ok(checksums(capture, checked, &self.config.tshark, memory)?)
    }
}

#[cfg(test)]
mod tests;

impl crate::arguments::CaptureSource for Session {
    fn capture(&self) -> Result<Arc<LoadedCapture>> {
        Session::capture(self).cloned()
    }

    fn resolve(&mut self, wanted: &Path) -> Result<Arc<LoadedCapture>> {
        Session::resolve(self, wanted)
    }

    fn warn(&self, sentence: String) {
        Session::warn(self, sentence);
    }
}
