//! The commands: one a file, one line each in [`registry`].
//!
//! A command parses its arguments with clap, asks [`crate::analysis`] and returns a value. It never prints: the
//! executor in [`crate::shell`] renders the returned [`Report`] in the form the person chose.

mod addresses;
mod alias;
mod analyze;
mod bursts;
mod captures;
mod checkhealth;
mod clean_cache;
mod clean_pcap;
mod clock;
pub mod columns;
mod completions;
mod dataset;
mod diagnose;
pub mod dump;
mod edit;
mod events;
pub mod export;
pub mod grammar;
mod handovers;
mod handshakes;
mod help;
mod history;
mod list_available_plots;
mod list_interfaces;
mod list_mptcp_connections;
mod list_reinjections;
mod list_studies;
mod list_subflows;
mod list_tcp_connections;
mod live;
pub mod load_pcap;
mod load_topo;
mod loss;
mod macro_command;
mod man;
mod map_mptcp_connection;
mod map_tcp_connection;
mod merge;
mod mptcp_required_buffer;
mod mptcp_summary;
mod ooo;
mod plot;
pub mod plugin;
mod print_owds;
mod qualify_reinjections;
mod quit;
pub mod registry;
mod retransmissions;
mod rtt;
mod run_script;
pub mod session;
mod set;
pub mod shared;
mod shell;
mod sql;
mod study;
mod summary_extended;
mod tcp_summary;
mod traffic;

use clap::ArgMatches;
use clap::builder::StyledStr;

pub use crate::described::{Described, Example};
use crate::error::Result;
use crate::output::Report;
pub use session::Session;

/// The groups that `help` lists commands under, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Loading, exporting and cutting captures.
    Captures,
    /// TCP streams.
    Tcp,
    /// MPTCP connections and subflows.
    Mptcp,
    /// Two captures of one transfer.
    TwoCaptures,
    /// Plots.
    Plots,
    /// Many captures at once.
    Studies,
    /// The packet table itself.
    Packets,
    /// Commands and plots of plugins.
    Plugins,
    /// The shell and its surroundings.
    Shell,
}

impl Category {
    /// The heading that `help` prints.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Category::Captures => "Captures",
            Category::Tcp => "TCP",
            Category::Mptcp => "MPTCP",
            Category::TwoCaptures => "Two captures",
            Category::Plots => "Plots",
            Category::Studies => "Studies",
            Category::Packets => "Packet table",
            Category::Plugins => "Plugins",
            Category::Shell => "Shell",
        }
    }
}

/// Outcome of a command.
#[derive(Debug)]
pub enum Outcome {
    /// Facts to render in the chosen form.
    Report(Report),
    /// Facts that are shown although they make the command a failed one, for the reason in the sentence.
    Failed {
        /// The facts.
        report: Report,
        /// The problem and the advice.
        sentence: String,
    },
    /// Text for people on standard output; its styles are dropped where there is no terminal.
    Text(StyledStr),
    /// A figure to draw into a file or on a screen.
    Drawing(Box<shared::drawing::Drawing>),
    /// Results that come one after the other.
    Feed(Box<dyn shared::feed::Feed>),
    /// A file whose content is the result, and whether that is binary; it vanishes afterwards.
    Copied(crate::temporary::Temporary, bool),
    /// Work done, with sentences for standard error (may be empty).
    Done(Vec<String>),
    /// Work that only the shell can do.
    Task(shared::task::Task),
    /// The person wants to leave the shell.
    Quit,
}

/// One command of the shell.
pub trait Command: Described {
    /// The group it is listed under.
    fn category(&self) -> Category;
    /// Whether it returns a [`Report`] and so takes `--format`, `--output` and `--human-readable`.
    fn reports(&self) -> bool {
        true
    }
    /// Does the work.
    ///
    /// # Errors
    /// One sentence that says what to do next.
    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome>;
}
