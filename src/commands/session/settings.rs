//! Settings: one list, from which `set`, its help and its completion come from.

use crate::arguments::choice::CORRECTION;
use clap::ValueEnum;

use super::Session;
use crate::drawing::style::Style;
use crate::error::{Error, Result};
use crate::output::Format;
use crate::spreadsheet;
use mptcp_trace::analysis::clock::Correction;

/// When results have colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Colour {
    /// At a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Everywhere but in redirected results.
    Always,
    /// Nowhere.
    Never,
}

/// The keys that edit a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Editing {
    /// Those of Emacs.
    #[default]
    Emacs,
    /// Those of vi.
    Vi,
}

/// Values of settings that have no other place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Say how long each command took.
    pub timing: bool,
    /// Default of `--clock`; `None`: the least correction that leaves no delay below zero.
    pub clock: Option<Correction>,
    /// Default of a plot's `--style`.
    pub style: Option<String>,
    /// Show what is longer than the terminal in a pager.
    pub pager: bool,
    /// When results have colours.
    pub color: Colour,
    /// Show the lines of scripts as they run.
    pub echo: bool,
    /// Rows of the answer of a query at most.
    pub sql_limit: u64,
    /// Keep silent about work that was done.
    pub quiet: bool,
    /// The keys that edit a line.
    pub editing: Editing,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            timing: false,
            clock: None,
            style: None,
            pager: true,
            color: Colour::Auto,
            echo: false,
            sql_limit: 1_000_000,
            quiet: false,
            editing: Editing::Emacs,
        }
    }
}

/// One thing that can be set.
pub struct Setting {
    /// The name.
    pub name: &'static str,
    /// Another name.
    pub alias: Option<&'static str>,
    /// Purpose, a phrase.
    pub about: &'static str,
    /// The values it takes; none where any text may do.
    pub values: &'static [&'static str],
    /// The value in force.
    pub get: fn(&Session) -> String,
    /// Takes one of `values` over, or a text that it likes.
    put: fn(&mut Session, &str) -> Result<()>,
}

const SWITCH: &[&str] = &["on", "off"];

/// Everything that can be set, by name.
pub static SETTINGS: &[Setting] = &[
    Setting {
        name: "clock",
        alias: None,
        about: "default for --clock: clock error to correct",
        values: &["auto", "none", "offset", "skew"],
        get: |session| session.settings.clock.map_or("auto", Correction::name).to_string(),
        put: |session, value| {
            session.settings.clock = CORRECTION.named(value);
            Ok(())
        },
    },
    Setting {
        name: "color",
        alias: Some("colour"),
        about: "colour of results; also: colour",
        values: &["auto", "always", "never"],
        get: |session| name(session.settings.color),
        put: |session, value| {
            session.settings.color = Colour::from_str(value, false).unwrap_or_default();
            Ok(())
        },
    },
    Setting {
        name: "csv_text",
        alias: None,
        about: "CSV text that a spreadsheet would run as a formula: inert or exact",
        values: &["inert", "exact"],
        get: |_| if spreadsheet::formulas_are_kept() { "exact" } else { "inert" }.to_string(),
        put: |_, value| {
            spreadsheet::keep_formulas(value == "exact");
            Ok(())
        },
    },
    Setting {
        name: "echo",
        alias: None,
        about: "print script lines as they run",
        values: SWITCH,
        get: |session| switch(session.settings.echo),
        put: |session, value| {
            session.settings.echo = value == "on";
            Ok(())
        },
    },
    Setting {
        name: "editing",
        alias: None,
        about: "key bindings of the prompt",
        values: &["emacs", "vi"],
        get: |session| name(session.settings.editing),
        put: |session, value| {
            session.settings.editing = Editing::from_str(value, false).unwrap_or_default();
            Ok(())
        },
    },
    Setting {
        name: "format",
        alias: None,
        about: "default for --format",
        values: &["table", "json", "ndjson", "csv"],
        get: |session| name(session.format),
        put: |session, value| {
            session.format = Format::from_str(value, false).unwrap_or_default();
            Ok(())
        },
    },
    Setting {
        name: "human_readable",
        alias: Some("human"),
        about: "unit prefixes for sizes and rates in tables; also: human",
        values: SWITCH,
        get: |session| switch(session.human_readable),
        put: |session, value| {
            session.human_readable = value == "on";
            Ok(())
        },
    },
    Setting {
        name: "pager",
        alias: None,
        about: "show results longer than the terminal in a pager",
        values: SWITCH,
        get: |session| switch(session.settings.pager),
        put: |session, value| {
            session.settings.pager = value == "on";
            Ok(())
        },
    },
    Setting {
        name: "quiet",
        alias: None,
        about: "no progress messages",
        values: SWITCH,
        get: |session| switch(session.settings.quiet),
        put: |session, value| {
            session.settings.quiet = value == "on";
            Ok(())
        },
    },
    Setting {
        name: "sql_limit",
        alias: None,
        about: "maximum number of rows in a query's answer",
        values: &[],
        get: |session| session.settings.sql_limit.to_string(),
        put: |session, value| {
            let rows = value.parse().ok().filter(|rows| (1..=u64::from(u32::MAX - 1)).contains(rows));
            let wrong =
                || Error::Usage(format!("sql_limit takes a number of rows, 1 to {}, not {value}", u32::MAX - 1));
            session.settings.sql_limit = rows.ok_or_else(wrong)?;
            Ok(())
        },
    },
    Setting {
        name: "style",
        alias: None,
        about: "default for --style: default, dark, print, latex or a file",
        values: &[],
        get: |session| session.settings.style.clone().unwrap_or_else(|| "default".to_string()),
        put: |session, value| {
            Style::find(value).map_err(|error| Error::Usage(error.to_string()))?;
            session.settings.style = (value != "default").then(|| value.to_string());
            Ok(())
        },
    },
    Setting {
        name: "timing",
        alias: None,
        about: "print the time that each command took",
        values: SWITCH,
        get: |session| switch(session.settings.timing),
        put: |session, value| {
            session.settings.timing = value == "on";
            Ok(())
        },
    },
];

impl Setting {
    /// The setting of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Setting> {
        let wanted = name.replace('-', "_");
        SETTINGS.iter().find(|setting| setting.name == wanted || setting.alias == Some(wanted.as_str()))
    }

    /// Puts `value` in force.
    ///
    /// # Errors
    /// [`Error::Usage`] with the values that it takes.
    pub fn set(&self, session: &mut Session, value: &str) -> Result<()> {
        if !self.values.is_empty() && !self.values.contains(&value) {
            return Err(Error::Usage(format!("{} takes {}, not {value}", self.name, self.values.join(", "))));
        }
        (self.put)(session, value)
    }
}

fn switch(on: bool) -> String {
    if on { "on" } else { "off" }.to_string()
}

fn name(value: impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn every_value_that_is_offered_is_taken_and_read_back() {
        let mut session = Session::new(Config::default(), None);
        for setting in SETTINGS {
            let free = if setting.name == "sql_limit" { "1000" } else { "print" };
            for value in setting.values.iter().chain(setting.values.is_empty().then_some(&free)) {
                setting.set(&mut session, value).unwrap();
                assert_eq!((setting.get)(&session), *value, "{}", setting.name);
            }
        }
        spreadsheet::keep_formulas(false);
        assert_eq!((session.settings.timing, session.human_readable, session.format), (false, false, Format::Csv));
        assert_eq!(session.settings.style.as_deref(), Some("print"));
    }

    #[test]
    fn other_values_are_refused() {
        let mut session = Session::new(Config::default(), None);
        let refuse = |name: &str, value: &str, session: &mut Session| {
            Setting::find(name).unwrap().set(session, value).unwrap_err().to_string()
        };
        assert_eq!(refuse("human", "yes", &mut session), "human_readable takes on, off, not yes");
        assert!(refuse("style", "no-such-style", &mut session).contains("no-such-style"));
        assert!(Setting::find("nope").is_none());
    }
}
