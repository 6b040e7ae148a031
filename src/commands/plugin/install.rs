//! Making the commands and plots of plugins known.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::command::PluginCommand;
use crate::commands::{Command, Described, Example, Session, registry};
use crate::config::Places as XdgPlaces;
use crate::plots::registry::{self as plots, Plot};
use crate::plugin::Plugin;
use crate::plugin::discovery::{self, FoundPlugins, Places};
use crate::plugin::manifest::{Entry, Role};
use crate::plugin::plot::PluginPlot;

/// A plugin whose commands and plots are in the registries, which hold what lives as long as the program.
pub struct Kept {
    /// The plugin.
    pub plugin: &'static Plugin,
    /// Its commands.
    pub commands: Vec<&'static PluginCommand>,
    /// Its plots.
    pub plots: Vec<&'static PluginPlot>,
}

/// Every plugin that was ever known to this process: one that has not changed is not kept a second time.
static KEPT: Mutex<Vec<&'static Kept>> = Mutex::new(Vec::new());

/// Where the person wants plugins looked for.
pub fn places(session: &Session) -> Places {
    Places {
        given: session.plugin_dirs.clone(),
        configured: session.config.plugin_dirs.clone(),
        own: XdgPlaces::find().map(|places| places.plugin_dir),
    }
}

/// Time limit of a plugin.
pub fn limit(session: &Session) -> Duration {
    Duration::from_secs(session.config.plugin_timeout)
}

/// Looks for plugins, and makes their commands and plots those that the registries have beside the program's own.
/// Returns what the person must know: a plugin that cannot be used costs itself alone.
pub fn install(session: &Session) -> Vec<String> {
    install_found(session).1
}

/// The same with what was found.
pub fn install_found(session: &Session) -> (Vec<Plugin>, Vec<String>) {
    let FoundPlugins { plugins, mut warnings } = discovery::find(&places(session), limit(session));
    let (mut commands, mut drawn): (Vec<&'static dyn Command>, Vec<&'static dyn Plot>) = (Vec::new(), Vec::new());
    // The program's own alone, because what was added before is searched again.
    registry::COMMANDS.set_added(Vec::new());
    plots::PLOTS.set_added(Vec::new());
    for plugin in &plugins {
        let kept = keep(plugin);
        for command in &kept.commands {
            let taken = registry::COMMANDS
                .find(command.name())
                .or_else(|| commands.iter().copied().find(|other| other.name() == command.name()));
            match taken {
                Some(_) => warnings.push(refused(plugin, command.entry)),
                None => commands.push(*command),
            }
        }
        for plot in &kept.plots {
            let taken =
                plots::PLOTS.find(plot.name()).is_some() || drawn.iter().any(|other| other.name() == plot.name());
            if taken {
                warnings.push(refused(plugin, plot.entry));
            } else {
                drawn.push(*plot);
            }
        }
    }
    registry::COMMANDS.set_added(commands);
    plots::PLOTS.set_added(drawn);
    (plugins, warnings)
}

fn refused(plugin: &Plugin, entry: &Entry) -> String {
    let (kind, name) = (entry.kind_name(), &entry.name);
    format!(
        "{kind} `{name}` of plugin `{}` skipped: another {kind} has that name; rename it in {}",
        plugin.manifest.name,
        plugin.folder.join(crate::plugin::manifest::FILE).display()
    )
}

/// The commands and plots of `plugin`, for as long as the program lives.
pub fn keep(plugin: &Plugin) -> &'static Kept {
    let mut all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = all.iter().find(|kept| kept.plugin == plugin) {
        return kept;
    }
    let plugin: &'static Plugin = Box::leak(Box::new(plugin.clone()));
    let mut kept = Kept { plugin, commands: Vec::new(), plots: Vec::new() };
    for entry in &plugin.manifest.entries {
        let details = details(plugin, entry).leak();
        match entry.role {
            Role::Command => {
                let examples = entry.examples.iter().map(|e| Example { line: &e.line, purpose: &e.purpose });
                let examples = examples.collect::<Vec<_>>().leak();
                kept.commands.push(Box::leak(Box::new(PluginCommand { plugin, entry, details, examples })));
            }
            Role::Plot => {
                let examples = entry.examples.iter().map(|e| Example { line: plot_line(&e.line), purpose: &e.purpose });
                let examples = examples.collect::<Vec<_>>().leak();
                kept.plots.push(Box::leak(Box::new(PluginPlot { plugin, entry, details, examples })));
            }
        }
    }
    let kept: &'static Kept = Box::leak(Box::new(kept));
    all.push(kept);
    kept
}

/// The line with `plot` in front, as it is typed.
fn plot_line(line: &'static str) -> &'static str {
    if line.starts_with("plot ") { line } else { format!("plot {line}").leak() }
}

fn details(plugin: &Plugin, entry: &Entry) -> String {
    let manifest = &plugin.manifest;
    let folder = crate::terminal_text::escape(&plugin.folder.to_string_lossy()).into_owned();
    format!("{}\n\nFrom the plugin {} {} in {folder}.", entry.details, manifest.name, manifest.version)
        .trim()
        .to_string()
}
