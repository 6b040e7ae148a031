//! The throughput of an MPTCP connection over time, by subflow.

use clap::ArgMatches;

use super::directions::About;
use super::rates_over_time::{self, Carried, DETAILS};
use super::registry::Plot;
use super::request::PlotRequest;
use super::subject::Subject;
use crate::arguments::{self, CaptureSource};
use crate::described::{Described, Example};
use crate::drawing::figure::Figure;
use crate::error::Result;
use mptcp_trace::analysis::rates::stream_payload;
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::{ByRole, Capture, Role};

/// Throughput over time, by subflow.
pub struct MptcpTput;

impl Described for MptcpTput {
    fn name(&self) -> &'static str {
        "mptcp_tput"
    }

    fn summary(&self) -> &'static str {
        "Throughput of an MPTCP connection over time, by subflow and in total"
    }

    fn details(&self) -> &'static str {
        DETAILS
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        rates_over_time::with_arguments(command.arg(arguments::mptcp_stream()))
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "plot mptcp_tput 0 --towards server", purpose: "connection 0, upload" },
            Example {
                line: "plot mptcp_tput 0 --window 0.5 --window-type sliding -o rate.svg",
                purpose: "smoothed, into a file",
            },
        ]
    }
}

impl Plot for MptcpTput {
    fn about(&self, _: &ArgMatches) -> About {
        About::Data
    }

    fn figure(&self, arguments: &ArgMatches, request: &PlotRequest, source: &mut dyn CaptureSource) -> Result<Figure> {
        let capture = source.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        let subject = Subject::of_connection(&capture, connection, request);
        let names = ("throughput", "payload, with retransmissions and reinjections");
        rates_over_time::figure(&capture, &subject, names, &carried(&capture, &subject), (arguments, request))
    }
}

fn carried(capture: &Capture, subject: &Subject<'_>) -> ByRole<Vec<Carried>> {
    let mut carried = ByRole::<Vec<Carried>>::default();
    for flow in interruptible(&subject.flows) {
        let mut payload = stream_payload(capture, flow.stream);
        for towards in Role::BOTH {
            let parcels = std::mem::take(&mut payload.get_mut(flow.stream_role(towards)).payload);
            carried.get_mut(towards).push(Carried::by(flow, parcels));
        }
    }
    for towards in Role::BOTH {
        let parts = carried.get_mut(towards);
        let total = Carried::total(parts);
        parts.insert(0, total);
    }
    carried
}
