//! A column of the packet table over time, for the subflows of an MPTCP connection.

use clap::ArgMatches;

use super::acks;
use super::column_over_time;
use super::registry::Plot;
use super::request::PlotRequest;
use super::subject::Subject;
use crate::arguments::{self, CaptureSource};
use crate::described::{Described, Example};
use crate::drawing::figure::Figure;
use crate::error::Result;

/// A column over time, by subflow.
pub struct MptcpAttr;

impl Described for MptcpAttr {
    fn name(&self) -> &'static str {
        "mptcp_attr"
    }

    fn summary(&self) -> &'static str {
        "Any numeric column of the packet table over time, by subflow"
    }

    fn details(&self) -> &'static str {
        "One mark per packet at the column's value, in the colour of its subflow. Directions are those of the \
         packets: a DATA_ACK appears in the direction away from the data's receiver."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(arguments::mptcp_stream()).arg(column_over_time::argument()).arg(acks::argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example {
                line: "plot mptcp_attr 0 dsn --towards server",
                purpose: "data sequence numbers of connection 0, by subflow",
            },
            Example {
                line: "plot mptcp_attr 0 rwnd --towards client -o window.png",
                purpose: "window offered by the server on each subflow",
            },
        ]
    }
}

impl Plot for MptcpAttr {
    fn figure(&self, arguments: &ArgMatches, request: &PlotRequest, source: &mut dyn CaptureSource) -> Result<Figure> {
        let capture = source.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        column_over_time::figure(&capture, &Subject::of_connection(&capture, connection, request), arguments, request)
    }
}
