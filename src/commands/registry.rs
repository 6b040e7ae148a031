//! THE list of commands: help, completion and the tests of examples all come from it.

use super::Command;
use crate::described::Registry;
use crate::error::Error;
use crate::nearest::did_you_mean;
use crate::plots::registry::PLOTS;

/// Every command, in the order in which `help` lists them within a category. A new command is one line here.
pub static COMMANDS: Registry<dyn Command> = Registry::new(&[
    &super::load_pcap::LoadPcap,
    &super::live::LiveCommand,
    &super::captures::Captures,
    &super::clean_pcap::CleanPcap,
    &super::analyze::Analyze,
    &super::dataset::Dataset,
    &super::list_interfaces::ListInterfaces,
    &super::list_tcp_connections::ListTcpConnections,
    &super::tcp_summary::TcpSummaryCommand,
    &super::retransmissions::Retransmissions,
    &super::map_tcp_connection::MapTcpConnection,
    &super::list_mptcp_connections::ListMptcpConnections,
    &super::list_subflows::ListSubflows,
    &super::mptcp_summary::MptcpSummaryCommand,
    &super::map_mptcp_connection::MapMptcpConnection,
    &super::load_topo::LoadTopo,
    &super::mptcp_required_buffer::MptcpRequiredBuffer,
    &super::handshakes::Handshakes,
    &super::addresses::Addresses,
    &super::traffic::TrafficCommand,
    &super::bursts::Bursts,
    &super::handovers::Handovers,
    &super::events::Events,
    &super::diagnose::Diagnose,
    &super::clock::ClockCommand,
    &super::print_owds::PrintOwds,
    &super::loss::LossCommand,
    &super::summary_extended::SummaryExtended,
    &super::qualify_reinjections::QualifyReinjections,
    &super::merge::MergeCommand,
    &super::plot::PlotCommand,
    &super::list_available_plots::ListAvailablePlots,
    &super::study::StudyCommand,
    &super::list_studies::ListStudies,
    &super::export::Export,
    &super::dump::Dump,
    &super::sql::Sql,
    &super::columns::Columns,
    &super::list_reinjections::ListReinjections,
    &super::rtt::RttCommand,
    &super::ooo::OutOfOrderCommand,
    &super::plugin::PluginsCommand,
    &super::checkhealth::CheckHealth,
    &super::clean_cache::CleanCache,
    &super::shell::Shell,
    &super::run_script::RunScript,
    &super::edit::Edit,
    &super::history::History,
    &super::set::Set,
    &super::alias::Alias,
    &super::macro_command::Macro,
    &super::completions::Completions,
    &super::man::ManualPage,
    &super::help::Help,
    &super::quit::Quit,
]);

/// Names that the commands of other programs have, which are not listed: cmd2's, and the Python mptcpanalyzer's.
const FORMERLY: [(&str, &str); 4] =
    [("EOF", "quit"), ("eof", "quit"), ("shortcuts", "alias"), ("live_analysis", "live")];

/// The command of that name or alias, or of another program's name for it.
#[must_use]
pub fn command(name: &str) -> Option<&'static dyn Command> {
    let former = || FORMERLY.iter().find(|(former, _)| *former == name).map(|(_, name)| *name);
    COMMANDS.find(name).or_else(|| COMMANDS.find(former()?))
}

/// The error for a name that no command answers to, with the name that was probably meant.
#[must_use]
pub fn unknown(name: &str) -> Error {
    if let Some(plot) = PLOTS.find(name) {
        return Error::Usage(format!("`{name}` is a plot, not a command; type `plot {}`", plot.name()));
    }
    let advice = did_you_mean(name, COMMANDS.names()).unwrap_or_else(|| "`help` lists them all".to_string());
    Error::Usage(format!("unknown command `{name}`; {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_well_formed() {
        let mut seen = std::collections::HashSet::new();
        for name in COMMANDS.names() {
            assert!(seen.insert(name), "{name} is registered twice");
            assert!(!name.contains('-'), "{name} has a `-`, which is read as `_`");
        }
        for command in COMMANDS.own() {
            assert!(!command.summary().is_empty() && !command.summary().ends_with('.'), "{}", command.name());
        }
    }

    #[test]
    fn aliases_are_found() {
        assert_eq!(COMMANDS.find("?").map(|command| command.name()), Some("help"));
        assert_eq!(COMMANDS.find("exit").map(|command| command.name()), Some("quit"));
        assert!(COMMANDS.find("hlep").is_none());
    }

    #[test]
    fn typos_get_a_suggestion() {
        assert_eq!(unknown("hlep").to_string(), "unknown command `hlep`; did you mean `help`?");
        assert_eq!(unknown("zzz").to_string(), "unknown command `zzz`; `help` lists them all");
    }
}
