//! Settings and names saved by `set`, `alias` and `macro` for later sessions: a file of the program's own beside the configuration, so
//! that a configuration with a person's comments is never written to.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Session;
use super::settings::Setting;
use super::shortcuts::ShortcutKind;
use crate::error::{Error, Result};
use crate::toml_file::Source;
use crate::whole_file::{self, Force};
use mptcp_trace::reading;

/// The file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Kept {
    set: BTreeMap<String, String>,
    alias: BTreeMap<String, String>,
    #[serde(rename = "macro")]
    macros: BTreeMap<String, String>,
}

const HEAD: &str = "# Written by `set`, `alias` and `macro` of mptcpanalyzer; comments here are lost.\n\n";

impl Session {
    /// Takes over the names that were kept, from the file that changes will be kept in.
    pub fn recall(&mut self, file: &Path) {
        self.kept_in = Some(file.to_path_buf());
        match read(file) {
            Ok(kept) => {
                self.shortcuts.aliases = kept.alias;
                self.shortcuts.macros = kept.macros;
            }
            Err(error) => self.warn(format!("{error}; the file is ignored")),
        }
    }

    /// Takes over the settings that were kept, which hold at the prompt alone: a script and a command of another shell do
    /// the same for everyone. What does not fit is left out, with a warning.
    pub fn recall_settings(&mut self) {
        // That it cannot be read was said with the names.
        let Some(Ok(kept)) = self.kept_in.as_deref().map(read) else { return };
        let file = self.kept_in.clone().unwrap_or_default();
        for (name, value) in &kept.set {
            let done = match Setting::find(name) {
                Some(setting) => setting.set(self, value),
                None => Err(Error::NotFound(format!("no setting is called {name}"))),
            };
            if let Err(error) = done {
                self.warn(format!("{}: {error}; remove it with `set --reset {name}`", file.display()));
            }
        }
    }

    /// Keeps the value of a setting, or with `None` keeps it no longer.
    pub fn keep_setting(&self, name: &str, value: Option<&str>) {
        self.change(|kept| put(&mut kept.set, name, value));
    }

    /// Keeps what an alias or a macro stands for, or with `None` keeps it no longer.
    pub fn keep_shortcut(&self, kind: ShortcutKind, name: &str, text: Option<&str>) {
        self.change(|kept| match kind {
            ShortcutKind::Alias => put(&mut kept.alias, name, text),
            ShortcutKind::Macro => put(&mut kept.macros, name, text),
        });
    }

    /// Changes the file. It is read again, because another session may have written it meanwhile.
    fn change(&self, change: impl FnOnce(&mut Kept)) {
        let Some(file) = self.kept_in.as_deref().filter(|_| self.keeps) else { return };
        let changed = read(file).and_then(|mut kept| {
            change(&mut kept);
            write(file, &kept)
        });
        if let Err(error) = changed {
            self.warn(format!("{error}; this holds until the program ends and is not saved"));
        }
    }
}

fn put(map: &mut BTreeMap<String, String>, name: &str, value: Option<&str>) {
    match value {
        Some(value) => map.insert(name.to_string(), value.to_string()),
        None => map.remove(name),
    };
}

fn read(file: &Path) -> Result<Kept> {
    let text = match reading::text(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Kept::default()),
        other => other.map_err(|source| Error::file("read", file, source))?,
    };
    Source::new(&file.to_string_lossy(), &text).whole().map_err(|mistake| Error::Failed(mistake.to_string()))
}

fn write(file: &Path, kept: &Kept) -> Result<()> {
    let text = toml::to_string(kept).map_err(|error| Error::Failed(format!("cannot write the settings: {error}")))?;
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory).map_err(|source| Error::file("create", directory, source))?;
    }
    whole_file::write(file, Force::NotGiven, |output| {
        let written = output.write_all(HEAD.as_bytes()).and_then(|()| output.write_all(text.as_bytes()));
        written.map_err(|source| Error::file("write", file, source))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::output::Format;

    fn session(file: &Path) -> Session {
        let mut session = Session::new(Config::default(), None);
        session.keeps = true;
        session.recall(file);
        session.recall_settings();
        session
    }

    #[test]
    fn what_is_kept_is_recalled_and_others_changes_survive() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("new/shell.toml");
        let (one, other) = (session(&file), session(&file));
        one.keep_setting("format", Some("json"));
        other.keep_shortcut(ShortcutKind::Alias, "c", Some("lc --format csv | grep \"7a\""));
        one.keep_shortcut(ShortcutKind::Macro, "s", Some("ls {1}"));
        one.keep_shortcut(ShortcutKind::Macro, "gone", Some("ls {1}"));
        one.keep_shortcut(ShortcutKind::Macro, "gone", None);
        let later = session(&file);
        assert_eq!(later.format, Format::Json);
        assert_eq!(later.shortcuts.find("c"), Some((ShortcutKind::Alias, "lc --format csv | grep \"7a\"")));
        assert_eq!(later.shortcuts.find("s"), Some((ShortcutKind::Macro, "ls {1}")));
        assert_eq!(later.shortcuts.find("gone"), None);
        assert!(later.take_warnings().is_empty() && one.take_warnings().is_empty());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("shell.toml");
        fs::write(&file, "[set]\nformat = json\n").unwrap();
        let broken = session(&file);
        let warnings = broken.take_warnings();
        assert!(
            warnings[0].contains("shell.toml:2: ") && warnings[0].ends_with("; the file is ignored"),
            "{warnings:?}"
        );
        broken.keep_setting("echo", Some("on"));
        assert!(broken.take_warnings()[0].ends_with("this holds until the program ends and is not saved"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "[set]\nformat = json\n");

        fs::write(&file, "[set]\nformat = 'xml'\nnope = '1'\necho = 'on'\n").unwrap();
        let partly = session(&file);
        assert!(partly.settings.echo);
        let warnings = partly.take_warnings();
        assert!(warnings[0].contains("format takes table, json, ndjson, csv, not xml"), "{warnings:?}");
        assert!(warnings[1].contains("no setting is called nope"), "{warnings:?}");
    }

    #[test]
    fn a_script_keeps_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("shell.toml");
        let mut session = session(&file);
        session.keeps = false;
        session.keep_setting("echo", Some("on"));
        assert!(!file.exists());
    }
}
