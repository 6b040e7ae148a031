//! `plugin check`: what is wrong with a plugin, from the manifest to the answers.

use crate::packets::LoadedCapture;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ArgMatches;
use serde::Serialize;

use super::install::{Kept, install, install_found, keep, limit, places};
use crate::arguments::CaptureSource;
use crate::commands::{Example, Outcome, Session, grammar, plot};
use crate::error::{Error, Result};
use crate::output::Report;
use crate::plots::request::PlotRequest;
use crate::plugin::manifest::Entry;
use crate::plugin::plot::use_of;
use crate::plugin::{Plugin, discovery, executable, host, request};

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
struct Check {
    check: String,
    state: &'static str,
    detail: String,
}

/// The state of what does not work.
const PROBLEM: &str = "problem";

impl Check {
    fn of(check: impl Into<String>, result: std::result::Result<String, String>) -> Self {
        let (state, detail) = match result {
            Ok(detail) => ("ok", detail),
            Err(detail) => (PROBLEM, detail),
        };
        Check { check: check.into(), state, detail }
    }

    fn left_out(check: impl Into<String>, why: &str) -> Self {
        Check { check: check.into(), state: "not run", detail: why.to_string() }
    }
}

pub(super) fn check(wanted: &Path, session: &mut Session) -> Result<Outcome> {
    let folder = folder(wanted, session)?;
    let checks = match discovery::open(&folder, limit(session)) {
        Ok(plugin) => checks(&plugin, session),
        Err(sentence) => vec![Check::of("manifest", Err(sentence))],
    };
    install(session).into_iter().for_each(|warning| session.warn(warning));
    let problems: Vec<String> = checks
        .iter()
        .filter(|check| check.state == PROBLEM)
        .map(|check| format!("{}: {}", check.check, check.detail))
        .collect();
    if !problems.is_empty() {
        return Err(Error::Failed(problems.join("; ")));
    }
    Ok(Outcome::Report(Report::listing(&checks, &[("check", ""), ("state", ""), ("detail", "")])))
}

/// The folder of that path, or else of the plugin of that name.
fn folder(wanted: &Path, session: &Session) -> Result<PathBuf> {
    if wanted.is_dir() {
        return Ok(wanted.to_path_buf());
    }
    let (plugins, _) = install_found(session);
    let name = wanted.to_string_lossy().replace('-', "_");
    if let Some(plugin) = plugins.iter().find(|plugin| plugin.manifest.name == name) {
        return Ok(plugin.folder.clone());
    }
    // One that is installed and broken has no name, but its folder may have it.
    let own = places(session).own.map(|own| own.join(wanted)).filter(|folder| folder.is_dir());
    own.ok_or_else(|| {
        let shown = wanted.display();
        Error::NotFound(format!(
            "{shown} is neither a directory nor an installed plugin; check the name with `plugin \
                                 list`"
        ))
    })
}

fn checks(plugin: &Plugin, session: &mut Session) -> Vec<Check> {
    let manifest = &plugin.manifest;
    let names: Vec<String> =
        manifest.entries.iter().map(|entry| format!("{} {}", entry.kind_name(), entry.name)).collect();
    let mut checks = vec![
        Check::of("manifest", Ok(format!("{} {}: {}", manifest.name, manifest.version, names.join(", ")))),
        Check::of("executable", Ok(manifest.executable.clone())),
        Check::of("handshake", handshake(plugin, session)),
    ];
    if checks.iter().any(|check| check.state == PROBLEM) {
        return checks;
    }
    let mut sample = None;
    if let Some(name) = &manifest.sample {
        let loaded = executable::inside(&plugin.folder, name)
            .map_err(|error| error.to_string())
            .and_then(|path| session.resolve(&path).map_err(|error| error.to_string()));
        checks.push(Check::of("sample", loaded.as_ref().map(|_| name.clone()).map_err(String::clone)));
        sample = loaded.ok();
    }
    let kept = keep(plugin);
    let mut source = Sample { capture: sample, session };
    for command in &kept.commands {
        examples(kept, command.entry, command.examples, &mut source, &mut checks, |words| {
            let matches = matches(grammar::definition(*command), &command.entry.name, words)?;
            Ok((matches, None))
        });
    }
    for drawn in &kept.plots {
        let lines: Vec<Example> = drawn.examples.iter().map(|example| after_plot(*example)).collect();
        examples(kept, drawn.entry, &lines, &mut source, &mut checks, |words| {
            let definition = plot::definition(*drawn).no_binary_name(true);
            let matches = matches(definition, &drawn.entry.name, words)?;
            let request = PlotRequest::of(&matches).map_err(|error| error.to_string())?;
            Ok((matches, Some(request)))
        });
    }
    checks
}

/// The example as the arguments of `plot`.
fn after_plot(example: Example) -> Example {
    Example { line: example.line.strip_prefix("plot ").unwrap_or(example.line).trim_start(), ..example }
}

/// Request of a line: its arguments, and for a plot its restrictions.
type Asked = std::result::Result<(ArgMatches, Option<PlotRequest>), String>;

/// Runs the examples of one command or plot.
fn examples(
    kept: &Kept,
    entry: &Entry,
    lines: &[Example],
    source: &mut Sample<'_>,
    checks: &mut Vec<Check>,
    ask: impl Fn(Vec<String>) -> Asked,
) {
    if lines.is_empty() {
        let why = "no `examples` for it in the manifest";
        checks.push(Check::left_out(format!("{} {}", entry.kind_name(), entry.name), why));
    }
    for example in lines {
        let wants = entry.packets.is_some() || entry.connections;
        if wants && source.capture().is_err() {
            let why = "no capture: load one first, or name a `sample` in the manifest";
            checks.push(Check::left_out(example.line, why));
            continue;
        }
        let words = shlex::split(example.line).ok_or_else(|| "a quote is left open".to_string());
        let shown = words.and_then(&ask).and_then(|(matches, request)| {
            let selection = request.as_ref().map(Into::into);
            use_of(kept.plugin, entry, &matches, selection, source).map_err(|error| error.to_string())
        });
        checks.push(Check::of(example.line, shown.map(|shown| shown.in_words())));
    }
}

/// The arguments of an example, which begins with the `name` of what it is an example of.
fn matches(mut definition: clap::Command, name: &str, words: Vec<String>) -> std::result::Result<ArgMatches, String> {
    match words.split_first() {
        Some((first, rest)) if first.replace('-', "_") == name => {
            definition.try_get_matches_from_mut(rest).map_err(|refusal| grammar::sentence(&definition, &refusal))
        }
        _ => Err(format!("an example must begin with `{name}`, or with `plot {name}` for a plot")),
    }
}

/// The session with a plugin's own sample as its capture, if it has one.
struct Sample<'a> {
    capture: Option<Arc<LoadedCapture>>,
    session: &'a mut Session,
}

impl CaptureSource for Sample<'_> {
    fn capture(&self) -> Result<Arc<LoadedCapture>> {
        match &self.capture {
            Some(capture) => Ok(capture.clone()),
            None => self.session.capture().cloned(),
        }
    }

    fn resolve(&mut self, wanted: &Path) -> Result<Arc<LoadedCapture>> {
        self.session.resolve(wanted)
    }

    fn warn(&self, sentence: String) {
        self.session.warn(sentence);
    }
}

fn handshake(plugin: &Plugin, session: &Session) -> std::result::Result<String, String> {
    let directory = request::private_directory().map_err(|error| error.to_string())?;
    let spoken = host::greet(plugin, directory.path());
    spoken.said.into_iter().for_each(|line| session.warn(format!("{}: {line}", plugin.manifest.name)));
    spoken.answer.map_err(|error| error.to_string())?;
    let hello = spoken.hello.ok_or("it did not answer the greeting")?;
    let version = match hello.version.as_str() {
        "" => String::new(),
        said if *said == plugin.manifest.version => format!(", {said}"),
        said => format!(", {said} (the manifest says {})", plugin.manifest.version),
    };
    Ok(format!("protocol {}{version}", hello.protocol))
}
