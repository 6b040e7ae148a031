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
        "List, check and create plugins: commands and plots in any language"
    }

    fn details(&self) -> &'static str {
        "A plugin is a directory with a file `plugin.toml` and an executable. Plugins are searched in the directory \
         that `plugin path` prints, in `plugin_dirs` of the configuration and in `--plugin-dir DIR`, never in the \
         current directory. A plugin runs with all your permissions: install only those that you trust.\n\n\
         `plugin new NAME` creates a working plugin. `plugin check DIR` reports what is wrong with one, and runs the \
         examples of its manifest on its sample, or else on the loaded capture. Both make changed manifests known to \
         the running prompt."
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
            .subcommand(
                shared("check", "Check manifest, executable, handshake and examples of a plugin").arg(
                    directory("folder").required(true).help("Directory of the plugin, or name of an installed one"),
                ),
            )
            .subcommand(
                shared("new", "Create a working plugin to start from")
                    .arg(
                        Arg::new("plugin")
                            .value_name("NAME")
                            .required(true)
                            .help("Name of the plugin and of its command"),
                    )
                    .arg(directory("in").long("in").help("Create it in DIR instead of the plugin directory"))
                    .arg(
                        Arg::new("language")
                            .long("language")
                            .value_name("LANGUAGE")
                            .value_parser(value_parser!(Language))
                            .default_value("python")
                            .help("Language of its executable"),
                    ),
            )
            .subcommand(shared("path", "Print the plugin directory"))
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "plugin list", purpose: "installed plugins" },
            Example { line: "plugin new my_plugin --language shell", purpose: "create one in the plugin directory" },
            Example { line: "plugin path", purpose: "where to install plugins of others" },
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
            _ => Err(Error::Usage("no action given; use `plugin list`, `check`, `new` or `path`".to_string())),
        }
    }
}

fn new(arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
    let name = arguments.get_one::<String>("plugin").map(|name| name.replace('-', "_")).unwrap_or_default();
    let language = arguments.get_one::<Language>("language").copied().unwrap_or(Language::Python);
    if super::registry::COMMANDS.find(&name).is_some() {
        return Err(Error::Usage(format!("a command `{name}` exists already; choose another name")));
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
            vec![format!("wrote {shown}: `{name}` is now a command; edit its files, then run `plugin check {name}`")]
        }
        None => vec![
            format!("wrote {shown}: edit its files, then run `plugin check {shown}`"),
            format!("it is found with `--plugin-dir {shown}`, or once its folder is in {}", list::own(session)),
        ],
    };
    Ok(Outcome::Done(sentences))
}
