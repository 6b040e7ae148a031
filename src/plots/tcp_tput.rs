//! The throughput of a TCP stream over time.

use clap::ArgMatches;

use super::directions::About;
use super::rates_over_time::{self, Carried, DETAILS};
use super::registry::Plot;
use super::request::PlotRequest;
use super::subject::Subject;
use crate::arguments::{self, CaptureSource};
use crate::described::{Described, Example};
use crate::drawing::figure::{Figure, Role as FigureRole, RoleKind};
use crate::error::Result;
use mptcp_trace::analysis::rates::{self, stream_payload};
use mptcp_trace::tracking::ByRole;

/// Throughput over time.
pub struct TcpTput;

impl Described for TcpTput {
    fn name(&self) -> &'static str {
        "tcp_tput"
    }

    fn summary(&self) -> &'static str {
        "Throughput of a TCP stream over time, and its retransmitted part"
    }

    fn details(&self) -> &'static str {
        DETAILS
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        rates_over_time::with_arguments(command.arg(arguments::tcp_stream()))
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "plot tcp_tput 0 --towards server", purpose: "stream 0, upload" },
            Example {
                line: "plot tcp_tput 1 --window 0.5 --window-type sliding -o rate.svg",
                purpose: "smoothed, into a file",
            },
        ]
    }
}

impl Plot for TcpTput {
    fn about(&self, _: &ArgMatches) -> About {
        About::Data
    }

    fn figure(&self, arguments: &ArgMatches, request: &PlotRequest, source: &mut dyn CaptureSource) -> Result<Figure> {
        let capture = source.capture()?;
        let stream = capture.tcp_stream(arguments::stream_id(arguments)?)?;
        let subject = Subject::of_stream(&capture, stream, request);
        let series = |carried: rates::Carried| {
            vec![
                Carried { name: "throughput".to_string(), look: FigureRole::subflow(0), parcels: carried.payload },
                Carried {
                    name: "retransmitted part".to_string(),
                    look: FigureRole::of(RoleKind::Retransmission),
                    parcels: carried.retransmitted,
                },
            ]
        };
        let carried = stream_payload(&capture, stream);
        let carried = ByRole { server: series(carried.server), client: series(carried.client) };
        let names = ("throughput", "payload, retransmissions included");
        rates_over_time::figure(&capture, &subject, names, &carried, (arguments, request))
    }
}
