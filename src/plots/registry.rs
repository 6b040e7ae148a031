//! THE list of plots: help, completion, `list_available_plots` and the tests of examples all come from it.

use clap::ArgMatches;

use super::directions::About;
use super::request::PlotRequest;
use crate::arguments::CaptureSource;
use crate::described::{Described, Registry};
use crate::drawing::figure::Figure;
use crate::error::Result;

/// One plot; its examples begin with `plot`.
pub trait Plot: Described {
    /// Makes the figure. What the request leaves out (directions, times, subflows) is not in it.
    ///
    /// # Errors
    /// One sentence that says what to do next.
    fn figure(&self, arguments: &ArgMatches, request: &PlotRequest, source: &mut dyn CaptureSource) -> Result<Figure>;

    /// Whether `--origin` changes anything about it. Where it does not, the help is silent about it, and it is refused.
    fn takes_origin(&self) -> bool {
        true
    }

    /// What it is about, as asked for by `arguments`: decides which directions it shows when none is asked for.
    fn about(&self, _arguments: &ArgMatches) -> About {
        About::Packets
    }
}

/// Every plot, in the order in which they are listed. A new plot is one line here.
pub static PLOTS: Registry<dyn Plot> = Registry::new(&[
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
]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_plot_has_an_example() {
        let mut seen = std::collections::HashSet::new();
        for name in PLOTS.names() {
            assert!(seen.insert(name), "{name} is registered twice");
        }
        for plot in PLOTS.own() {
            assert!(!plot.summary().is_empty() && !plot.summary().ends_with('.'), "{}", plot.name());
            assert!(!plot.examples().is_empty(), "{}", plot.name());
        }
    }
}
