//! A column of the packet table over time, for a TCP stream.

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

/// A column over time.
pub struct TcpAttr;

impl Described for TcpAttr {
    fn name(&self) -> &'static str {
        "tcp_attr"
    }

    fn summary(&self) -> &'static str {
        "Any numeric column of the packet table over time, for a TCP stream"
    }

    fn details(&self) -> &'static str {
        "One mark per packet at the column's value. Directions are those of the packets: a receive window appears in \
         the direction away from the end that announces it. --acks adds to sequence numbers what the other end \
         acknowledged and reported: ACKs, SACK blocks (as far as they report something new or something that came \
         twice), duplicate ACKs and windows of zero."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(arguments::tcp_stream()).arg(column_over_time::argument()).arg(acks::argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "plot tcp_attr 0 tcpseq --towards server", purpose: "sequence numbers of stream 0" },
            Example {
                line: "plot tcp_attr 0 tcpseq --towards server --acks",
                purpose: "with ACKs, SACK blocks, duplicate ACKs and zero windows, as in tcptrace",
            },
            Example { line: "plot tcp_attr 0 tcplen rwnd", purpose: "two columns, in panels of their own" },
            Example { line: "plot tcp_attr 1 rwnd -o window.svg", purpose: "both receive windows of stream 1" },
        ]
    }
}

impl Plot for TcpAttr {
    fn figure(&self, arguments: &ArgMatches, request: &PlotRequest, source: &mut dyn CaptureSource) -> Result<Figure> {
        let capture = source.capture()?;
        let stream = capture.tcp_stream(arguments::stream_id(arguments)?)?;
        column_over_time::figure(&capture, &Subject::of_stream(&capture, stream, request), arguments, request)
    }
}
