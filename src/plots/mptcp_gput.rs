//! The goodput of an MPTCP connection over time, by subflow.

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
use mptcp_trace::analysis::rates::{FirstSent, Parcel, first_sent};
use mptcp_trace::tracking::{ByRole, Role};
use mptcp_trace::units;

/// Goodput over time, by subflow.
pub struct MptcpGput;

impl Described for MptcpGput {
    fn name(&self) -> &'static str {
        "mptcp_gput"
    }

    fn summary(&self) -> &'static str {
        "Goodput of an MPTCP connection over time, by subflow and in total"
    }

    fn details(&self) -> &'static str {
        DETAILS
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        rates_over_time::with_arguments(command.arg(arguments::mptcp_stream()))
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "plot mptcp_gput 0 --towards server", purpose: "connection 0, upload" },
            Example {
                line: "plot mptcp_gput 0 --window 0.2 --format csv -o goodput.csv",
                purpose: "the rates themselves",
            },
        ]
    }
}

impl Plot for MptcpGput {
    fn about(&self, _: &ArgMatches) -> About {
        About::Data
    }

    fn figure(&self, arguments: &ArgMatches, request: &PlotRequest, source: &mut dyn CaptureSource) -> Result<Figure> {
        let capture = source.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        let subject = Subject::of_connection(&capture, connection, request);
        let FirstSent { parcels, unmapped } = first_sent(&capture, connection);
        let carried = carried(parcels, &subject);
        let names = ("goodput", "each data byte counted on the subflow that first carried it, repeated data excluded");
        let mut figure = rates_over_time::figure(&capture, &subject, names, &carried, (arguments, request))?;
        for towards in request.directions() {
            let unmapped = *unmapped.get(towards);
            if unmapped > 0 {
                figure = figure.with_caption(format!(
                    "Towards the {}, {} without a mapping omitted, because a mapping is needed to tell what is new.",
                    towards.name(),
                    units::bytes(unmapped)
                ));
            }
        }
        Ok(figure)
    }
}

fn carried(mut first: ByRole<Vec<Vec<Parcel>>>, subject: &Subject<'_>) -> ByRole<Vec<Carried>> {
    let mut of = |towards: Role| {
        let by_subflow = first.get_mut(towards);
        let flows = subject.flows.iter().filter_map(|flow| {
            let parcels = by_subflow.get_mut(flow.index as usize).map(std::mem::take)?;
            Some(Carried::by(flow, parcels))
        });
        let mut parts: Vec<Carried> = flows.collect();
        let total = Carried::total(&parts);
        parts.insert(0, total);
        parts
    };
    ByRole { server: of(Role::Server), client: of(Role::Client) }
}
