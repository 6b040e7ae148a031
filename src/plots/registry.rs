//! THE list of plots: help, completion, `list_available_plots` and the tests of examples all come from it.

use std::sync::{PoisonError, RwLock};

use clap::ArgMatches;

use super::figure::Figure;
use super::request::Request;
use crate::arguments::Source;
use crate::error::{Error, Result};

/// One worked line of a plot: what follows `plot`, and what it is good for.
pub type Example = (&'static str, &'static str);

/// One plot.
pub trait Plot: Sync {
    /// The name, words joined by `_`.
    fn name(&self) -> &'static str;
    /// Other names it answers to.
    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }
    /// What it shows, one line, no full stop.
    fn summary(&self) -> &'static str;
    /// Further paragraphs of help: what the marks mean.
    fn details(&self) -> &'static str {
        ""
    }
    /// Adds its own arguments to `command`, which has those that all plots share.
    fn arguments(&self, command: clap::Command) -> clap::Command;
    /// Worked examples; each is run by the tests with an example capture loaded.
    fn examples(&self) -> &'static [Example];
    /// Makes the figure. What the request leaves out (directions, times, subflows) is not in it.
    ///
    /// # Errors
    /// One sentence that says what to do next.
    fn figure(&self, arguments: &ArgMatches, request: &Request, source: &mut dyn Source) -> Result<Figure>;
}

/// Every plot, in the order in which they are listed. A new plot is one line here.
pub static PLOTS: &[&dyn Plot] = &[
    &super::dsn::Dsn,
    &super::owd::Owd,
    &super::rtt::Rtt,
    &super::reinject::Reinject,
    &super::ooo::Ooo,
    &super::aggr_benefit::AggrBenefit,
    &super::scheduler::Scheduler,
    &super::ladder::Ladder,
    &super::tcp_attr::TcpAttr,
    &super::mptcp_attr::MptcpAttr,
    &super::tcp_tput::TcpTput,
    &super::mptcp_tput::MptcpTput,
    &super::mptcp_gput::MptcpGput,
    &super::acksize::AckSizePlot,
    &super::interarrival::Interarrival,
    &super::dss_len::DssLen,
    &super::flight::Flight,
    &super::cwnd::CongestionWindow,
];

/// Plots of plugins, which are known only once the program runs.
static ADDED: RwLock<Vec<&'static dyn Plot>> = RwLock::new(Vec::new());

/// Makes `plots` those that stand beside [`PLOTS`], in place of those before.
pub fn set_added(plots: Vec<&'static dyn Plot>) {
    *ADDED.write().unwrap_or_else(PoisonError::into_inner) = plots;
}

/// Every plot, those of plugins last.
pub fn all() -> impl Iterator<Item = &'static dyn Plot> {
    let added = ADDED.read().unwrap_or_else(PoisonError::into_inner).clone();
    PLOTS.iter().copied().chain(added)
}

/// The plot of that name or alias.
///
/// # Errors
/// [`Error::Usage`] with the nearest name.
pub fn find(name: &str) -> Result<&'static dyn Plot> {
    let plot = all().find(|plot| plot.name() == name || plot.aliases().contains(&name));
    plot.ok_or_else(|| Error::Usage(format!("no plot `{name}`; `list_available_plots` names them all")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_plot_has_an_example() {
        let mut seen = std::collections::HashSet::new();
        for plot in PLOTS {
            for name in std::iter::once(plot.name()).chain(plot.aliases().iter().copied()) {
                assert!(seen.insert(name), "{name} is registered twice");
            }
            assert!(!plot.summary().is_empty() && !plot.summary().ends_with('.'), "{}", plot.name());
            assert!(!plot.examples().is_empty(), "{}", plot.name());
        }
    }
}
