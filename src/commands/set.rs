//! `set [NAME [VALUE]]`

use clap::builder::{PossibleValue, PossibleValuesParser, ValueParser};
use clap::{Arg, ArgMatches, ValueHint};
use serde::Serialize;

use super::session::settings::{SETTINGS, Setting};
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::error::{Error, Result};
use crate::output::{Report, Rows};

/// Shows and changes settings.
#[derive(Debug, Clone, Copy)]
pub struct Set;

#[derive(Clone, Serialize)]
struct Record {
    setting: &'static str,
    value: String,
    about: &'static str,
    values: &'static [&'static str],
}

impl Described for Set {
    fn name(&self) -> &'static str {
        "set"
    }

    fn summary(&self) -> &'static str {
        "Show the settings, or change one"
    }

    fn details(&self) -> &'static str {
        "`set` lists all settings, `set NAME` shows one and `set NAME VALUE` changes it. Changes at the prompt also \
         apply to the prompt of later sessions: they are saved in shell.toml beside the configuration, which is not \
         written to. Scripts and single commands have the settings of the configuration, so that they do the same for \
         everyone. Changes in a script last until the program ends. Program options take precedence over saved settings, \
         and these over the configuration."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let reset = Arg::new("reset")
            .long("reset")
            .value_name("NAME")
            .num_args(1..)
            .value_parser(PossibleValuesParser::new(resettable()))
            .help("Restore the values from the configuration; `all` stands for all settings");
        command
            .arg(reset)
            .disable_help_subcommand(true)
            .subcommand_value_name("NAME")
            .subcommand_help_heading("Settings")
            .subcommands(SETTINGS.iter().map(definition))
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "set", purpose: "current settings" },
            Example { line: "set format json", purpose: "print results as JSON from now on" },
            Example { line: "set --reset format", purpose: "and back" },
            Example { line: "set --reset all", purpose: "all settings as configured" },
        ]
    }
}

impl Command for Set {
    fn category(&self) -> Category {
        Category::Shell
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        if let Some(names) = arguments.get_many::<String>("reset") {
            let fresh = Session::new(session.config.clone(), None);
            let named: Vec<&String> = names.collect();
            let all = named.iter().any(|name| *name == ALL);
            let is_named = |setting: &Setting| {
                named.iter().any(|name| Setting::find(name).is_some_and(|it| it.name == setting.name))
            };
            let mut said = Vec::new();
            for setting in SETTINGS.iter().filter(|setting| all || is_named(setting)) {
                session.keep_setting(setting.name, None);
                let (before, after) = ((setting.get)(session), (setting.get)(&fresh));
                // Of all, those that were as they are need no word.
                if before != after || !all {
                    said.push(change(setting, &after, session)?);
                }
            }
            if said.is_empty() {
                said.push("all settings are those of the configuration".to_string());
            }
            return Ok(Outcome::Done(said));
        }
        let Some((name, arguments)) = arguments.subcommand() else {
            return report(SETTINGS.iter(), session);
        };
        let setting = Setting::find(name).ok_or_else(|| Error::Usage(format!("no setting is called {name}")))?;
        let Some(value) = arguments.get_one::<String>("value") else {
            return report(std::iter::once(setting), session);
        };
        let said = change(setting, value, session)?;
        session.keep_setting(setting.name, Some(value));
        Ok(Outcome::Done(vec![said]))
    }
}

/// What stands for every setting.
const ALL: &str = "all";

/// Names that `--reset` takes.
fn resettable() -> Vec<PossibleValue> {
    let named = |setting: &Setting| PossibleValue::new(setting.name).aliases(setting.alias);
    std::iter::once(PossibleValue::new(ALL)).chain(SETTINGS.iter().map(named)).collect()
}

/// The clap definition of one setting.
fn definition(setting: &'static Setting) -> clap::Command {
    let parser: ValueParser = if setting.values.is_empty() {
        ValueParser::string()
    } else {
        PossibleValuesParser::new(setting.values).into()
    };
    let value = Arg::new("value").value_name("VALUE").value_parser(parser).help("New value");
    let value = if setting.values.is_empty() { value.value_hint(ValueHint::FilePath) } else { value };
    clap::Command::new(setting.name).about(setting.about).aliases(setting.alias).arg(value)
}

/// Changes a setting and says so.
fn change(setting: &Setting, value: &str, session: &mut Session) -> Result<String> {
    let before = (setting.get)(session);
    setting.set(session, value)?;
    Ok(format!("{} is {} (was {before})", setting.name, (setting.get)(session)))
}

fn report(settings: impl Iterator<Item = &'static Setting>, session: &Session) -> Result<Outcome> {
    let record = |setting: &'static Setting| Record {
        setting: setting.name,
        value: (setting.get)(session),
        about: setting.about,
        values: setting.values,
    };
    let records: Vec<Record> = settings.map(record).collect();
    Ok(Outcome::Report(
        Report::listing(&records, &[("setting", ""), ("value", ""), ("about", "")]).complete(&Rows::FLAT),
    ))
}
