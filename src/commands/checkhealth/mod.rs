//! `checkhealth`: whether all that the program needs is there, line by line, and what to do where it is not.

use std::env;
use std::io::{self, IsTerminal};
use std::path::Path;

use clap::ArgMatches;
use serde::Serialize;

mod dissectors;
mod former_configuration;

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::config::{Config, Places};
use crate::error::Result;
use crate::locale;
use crate::output::Report;
use crate::packets::cache::Cache;
use mptcp_trace::units::counted;

/// Checks the surroundings of the program.
pub struct CheckHealth;

/// One line of the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    check: &'static str,
    state: State,
    detail: String,
    /// What to do; always there with a problem.
    advice: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Problem,
}

impl Check {
    fn fine(check: &'static str, detail: impl Into<String>) -> Check {
        Check { check, state: State::Ok, detail: detail.into(), advice: None }
    }

    fn problem(check: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Check {
        Check { check, state: State::Problem, detail: detail.into(), advice: Some(advice.into()) }
    }
}

impl Described for CheckHealth {
    fn name(&self) -> &'static str {
        "checkhealth"
    }

    fn summary(&self) -> &'static str {
        "Check the dissectors, configuration, cache, history and terminal"
    }

    fn details(&self) -> &'static str {
        "Each problem comes with advice. The exit code is 0 if captures can be read; problems with the cache, the \
         history or the terminal do not change it. Neither does a missing tshark that nothing needs."
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "checkhealth", purpose: "why a capture cannot be loaded" }]
    }
}

impl Command for CheckHealth {
    fn category(&self) -> Category {
        Category::Shell
    }

    fn run(&self, _: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let tshark = dissectors::tshark(&session.config);
        let unread = tshark.advice.clone();
        let checks = [
            dissectors::native(&session.config),
            tshark,
            configuration(&session.config),
            cache(session.cache.as_ref()),
            history(Places::find().as_ref()),
            terminal(),
            locale(locale::deciding(|name| env::var(name).ok())),
        ];
        let report = report(&checks);
        Ok(match unread {
            None => Outcome::Report(report),
            Some(advice) => Outcome::Failed { report, sentence: format!("captures cannot be read: {advice}") },
        })
    }
}

fn report(checks: &[Check]) -> Report {
    Report::listing(checks, &[("check", ""), ("state", ""), ("detail", ""), ("advice", "")]).declared("checkhealth")
}

fn configuration(config: &Config) -> Check {
    match (&config.file, Places::find()) {
        (Some(file), _) => Check::fine("configuration", format!("read from {}", file.display())),
        (None, Some(places)) => {
            let detail = format!("defaults, because there is no {}", places.config_file.display());
            let advice = places.config_file.parent().and_then(former_configuration::lines).map(|lines| {
                let into = match lines.as_slice() {
                    [] => "it has no setting that config.toml needs".to_string(),
                    lines => format!("write into config.toml: {}", lines.join("; ")),
                };
                format!("the file `config` of the Python program is not read; {into}")
            });
            Check { advice, ..Check::fine("configuration", detail) }
        }
        (None, None) => Check::problem(
            "configuration",
            "defaults, because there is no home directory",
            "set HOME, or name a file with `--config`",
        ),
    }
}

fn cache(cache: Option<&Cache>) -> Check {
    const NAME: &str = "cache";
    let Some(cache) = cache else {
        return Check::problem(
            NAME,
            "not in use: captures are dissected again on each load",
            "set `cache_dir` to a writable directory, and `cache_limit` above 0",
        );
    };
    let shown = cache.directory.display();
    match writable(&cache.directory).and_then(|()| cache.holdings()) {
        Ok(holdings) => Check::fine(
            NAME,
            format!(
                "{shown}: {}, {} of {} MiB",
                counted(holdings.entries, "capture"),
                holdings.bytes.div_ceil(1024 * 1024),
                cache.limit / (1024 * 1024)
            ),
        ),
        Err(error) => Check::problem(NAME, format!("{shown}: {error}"), "free some space, or set `cache_dir`"),
    }
}

fn history(places: Option<&Places>) -> Check {
    const NAME: &str = "history";
    let Some(places) = places else {
        return Check::problem(NAME, "no home directory to save it in", "set HOME or XDG_STATE_HOME");
    };
    let shown = places.state_dir.display();
    match std::fs::create_dir_all(&places.state_dir).and_then(|()| writable(&places.state_dir)) {
        Ok(()) => Check::fine(NAME, format!("kept in {shown}")),
        Err(error) => {
            Check::problem(NAME, format!("{shown}: {error}"), "make that directory writable, or set XDG_STATE_HOME")
        }
    }
}

/// Whether a file can be made in `directory`; the file is gone afterwards.
fn writable(directory: &Path) -> io::Result<()> {
    tempfile::Builder::new().prefix(".checkhealth-").tempfile_in(directory).map(drop)
}

fn terminal() -> Check {
    const NAME: &str = "terminal";
    if !io::stdout().is_terminal() {
        return Check::fine(NAME, "standard output is not a terminal: no colour, no folding");
    }
    let width = terminal_size::terminal_size().map_or(0, |(width, _)| width.0);
    let kind = env::var("TERM").unwrap_or_default();
    let colour = if env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) || kind == "dumb" {
        "no colour"
    } else {
        "colour"
    };
    let detail = format!("{width} columns, {colour}");
    if width < 80 {
        Check::problem(NAME, detail, "widen the window to at least 80 columns, because tables fold below that")
    } else {
        Check::fine(NAME, detail)
    }
}

/// By the variable that decides it.
fn locale(set: Option<(&'static str, String)>) -> Check {
    const NAME: &str = "locale";
    let advice = "set LANG to a UTF-8 locale, for example `export LANG=C.UTF-8`";
    match set {
        Some((name, value)) => {
            let detail = format!("{name}={value}");
            if locale::is_utf8(&value) {
                Check::fine(NAME, detail)
            } else {
                Check::problem(NAME, format!("{detail}: plots and signs are drawn in ASCII"), advice)
            }
        }
        None => {
            let detail = "none of LC_ALL, LC_CTYPE and LANG is set: plots and signs are drawn in ASCII";
            Check::problem(NAME, detail, advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Cell;
    use serde_json::json;

    #[test]
    fn a_locale_without_utf8_is_a_problem() {
        let check = |value: &str| locale(Some(("LANG", value.to_string())));
        assert_eq!(check("de_DE.UTF-8"), Check::fine("locale", "LANG=de_DE.UTF-8"));
        assert_eq!(check("C").state, State::Problem);
        assert_eq!(locale(None).state, State::Problem);
    }

    #[test]
    fn a_cache_is_described_and_one_that_is_gone_is_a_problem() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Cache::open(Some(folder.path().join("c")), 7).0.unwrap();
        let check = cache(Some(&opened));
        assert_eq!(
            (check.state, check.detail),
            (State::Ok, format!("{}: 0 captures, 0 of 7 MiB", opened.directory.display()))
        );
        std::fs::remove_dir_all(&opened.directory).unwrap();
        assert_eq!(cache(Some(&opened)).state, State::Problem);
        assert_eq!(cache(None).state, State::Problem);
    }

    #[test]
    fn a_history_that_cannot_be_kept_is_a_problem() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let places = |state_dir| Places {
            config_file: file.clone(),
            shell_file: file.clone(),
            cache_dir: file.clone(),
            state_dir,
            plugin_dir: file.clone(),
        };
        assert_eq!(history(Some(&places(file.join("state")))).state, State::Problem);
        assert_eq!(history(Some(&places(folder.path().join("state")))).state, State::Ok);
        assert_eq!(history(None).state, State::Problem);
    }

    #[test]
    fn a_check_is_a_record_with_four_keys() {
        let report = report(&[Check::problem("tshark", "gone", "install it"), Check::fine("cache", "fine")]);
        assert_eq!(
            report.data.value().unwrap(),
            json!([
                {"check": "tshark", "state": "problem", "detail": "gone", "advice": "install it"},
                {"check": "cache", "state": "ok", "detail": "fine", "advice": null}
            ])
        );
        assert_eq!(report.tables[0].rows[1][3], Cell::Null);
    }
}
