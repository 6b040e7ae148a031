//! THE list of commands: help, completion and the tests of examples all come from it.

use super::Command;
use super::list_mptcp_connections::ListMptcpConnections;
use super::list_subflows::ListSubflows;
use super::list_tcp_connections::ListTcpConnections;
use super::load_pcap::LoadPcap;
use super::mptcp_summary::MptcpSummaryCommand;
use super::tcp_summary::TcpSummaryCommand;

/// Every command, in the order in which `help` lists them within a category. A new command is one line here.
pub static COMMANDS: &[&dyn Command] = &[
    &LoadPcap,
    &ListTcpConnections,
    &TcpSummaryCommand,
    &ListMptcpConnections,
    &ListSubflows,
    &MptcpSummaryCommand,
];

/// Looks up a command by its name or an alias; `-` counts as `_`.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Command> {
    let wanted = name.replace('-', "_");
    COMMANDS.iter().copied().find(|command| command.name() == wanted || command.aliases().contains(&wanted.as_str()))
}
