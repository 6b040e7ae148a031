//! `plugin list|check|new|path`, and the commands that plugins bring.

mod check;
mod command;
mod install;
mod list;

use std::path::PathBuf;

use clap::{Arg, ArgMatches, ValueHint, value_parser};

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::error::{Error, Result};
use crate::plugin::template::{self, Language};
pub use install::install;

/// Manages plugins.
pub struct PluginsCommand;

impl Described for PluginsCommand {
    fn name(&self) -> &'static str {
        "plugin"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["plugins"]
    }

    fn summary(&self) -> &'static str {
        "List, check and begin plugins: commands and plots in any language"
    }

    fn details(&self) -> &'static str {
        "A plugin is a folder with a file `plugin.toml` and an executable. Folders are looked for in the directory that \
         `plugin path` names, in `plugin_dirs` of the configuration and in `--plugin-dir DIR`, never in the current \
         directory. A plugin is a program that may do all that you may do: install those that you trust.\n\n\
         `plugin new NAME` writes one that works at once, `plugin check DIR` says what is wrong with one, and runs \
         the examples of its manifest on its sample, or else on the capture that is loaded. Both make changed \
         manifests known to the running prompt."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let shared = |name: &'static str, about: &'static str| clap::Command::new(name).about(about);
        let directory = |id: &'static str| {
            Arg::new(id).value_name("DIR").value_parser(value_parser!(PathBuf)).value_hint(ValueHint::DirPath)
        };
        command
            .subcommand_required(true)
            .subcommand_value_name("ACTION")
            .subcommand_help_heading("Actions")
            .disable_help_subcommand(true)
            .subcommand(shared("list", "List the plugins with their commands and plots"))
            .subcommand(shared("check", "Check manifest, executable, handshake and examples of a plugin").arg(
                directory("folder").required(true).help("The plugin's folder, or the name of one that is installed"),
            ))
            .subcommand(
                shared("new", "Write a plugin that works, to begin with")
                    .arg(Arg::new("plugin").value_name("NAME").required(true).help("Its name, also of its command"))
                    .arg(directory("in").long("in").help("Make its folder in DIR instead of where plugins are found"))
                    .arg(
                        Arg::new("language")
                            .long("language")
                            .value_name("LANGUAGE")
                            .value_parser(value_parser!(Language))
                            .default_value("python")
                            .help("The language of its executable"),
                    ),
            )
            .subcommand(shared("path", "Print where your plugins are found"))
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "plugin list", purpose: "what is installed" },
            Example { line: "plugin new my_plugin --language shell", purpose: "begin one where it is found" },
            Example { line: "plugin path", purpose: "where to put the folders of others" },
        ]
    }
}

impl Command for PluginsCommand {
    fn category(&self) -> Category {
        Category::Plugins
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        match arguments.subcommand() {
            Some(("list", _)) => list::list(session),
            Some(("check", arguments)) => {
                let folder = crate::arguments::path(arguments, "folder")?.to_path_buf();
                check::check(&folder, session)
            }
            Some(("new", arguments)) => new(arguments, session),
            Some(("path", _)) => list::path(session),
            _ => Err(Error::Usage("say what to do: `plugin list`, `check`, `new` or `path`".to_string())),
        }
    }
}

fn new(arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
    let name = arguments.get_one::<String>("plugin").map(|name| name.replace('-', "_")).unwrap_or_default();
    let language = arguments.get_one::<Language>("language").copied().unwrap_or(Language::Python);
    if super::registry::COMMANDS.find(&name).is_some() {
        return Err(Error::Usage(format!("a command `{name}` is there already; choose another name")));
    }
    let named = arguments.get_one::<PathBuf>("in").cloned();
    let Some(place) = named.clone().or_else(|| install::places(session).own) else {
        return Err(Error::Failed("there is no home directory: name a directory with --in DIR".to_string()));
    };
    let folder = template::write(&name, &place, language)?;
    let warnings = install(session);
    warnings.into_iter().for_each(|warning| session.warn(warning));
    let shown = folder.display();
    let sentences = match super::registry::COMMANDS.find(&name) {
        Some(_) => {
            vec![format!("wrote {shown}: `{name}` is a command now; edit its files, then `plugin check {name}`")]
        }
        None => vec![
            format!("wrote {shown}: edit its files, then `plugin check {shown}`"),
            format!("it is found with `--plugin-dir {shown}`, or once its folder is in {}", list::own(session)),
        ],
    };
    Ok(Outcome::Done(sentences))
}
