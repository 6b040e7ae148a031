//! `clean_pcap`: a capture with only the packets of MPTCP connections.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, ValueHint, value_parser};
use polars::frame::DataFrame;

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::{Error, Result};
use crate::whole_file::refuse_capture;
use mptcp_trace::ConnectionId;
use mptcp_trace::units::counted;

/// Writes a capture with only the packets of MPTCP connections.
pub struct CleanPcap;

impl Described for CleanPcap {
    fn name(&self) -> &'static str {
        "clean_pcap"
    }

    fn summary(&self) -> &'static str {
        "Copy only the packets of MPTCP connections to a new capture"
    }

    fn details(&self) -> &'static str {
        "Keeps every packet of TCP streams that belong to an MPTCP connection; with --mptcpstream, to that connection \
         only. Format, timestamps, interfaces and packet bytes are unchanged, and so is the loaded capture. Takes \
         uncompressed pcap and pcapng files."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command
            .arg(arguments::capture("capture", "IN").required(true))
            .arg(
                Arg::new("copy")
                    .value_name("OUT")
                    .required(true)
                    .value_parser(value_parser!(PathBuf))
                    .value_hint(ValueHint::FilePath)
                    .help("Capture to write"),
            )
            .arg(
                Arg::new("mptcpstream")
                    .long("mptcpstream")
                    .value_name("N")
                    .value_parser(value_parser!(u32))
                    .help("Only this MPTCP connection of IN"),
            )
            .arg(arguments::force())
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "clean_pcap examples/client.pcapng mptcp-only.pcapng",
            purpose: "a smaller capture without other traffic",
        }]
    }
}

impl Command for CleanPcap {
    fn category(&self) -> Category {
        Category::Captures
    }

    fn reports(&self) -> bool {
        false
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let output = arguments::path(arguments, "copy")?;
        let held = session.find(arguments::path(arguments, "capture")?)?;
        let capture = &held.capture;
        let input = &capture.path;
        if !held.rereadable() {
            // Its frames are not those that were numbered.
            return Err(Error::Failed(format!(
                "cannot copy {}: it changed since it was loaded, or was a pipe; load it again",
                input.display()
            )));
        }
        let connection = arguments.get_one::<u32>("mptcpstream").copied().map(ConnectionId);
        if let Some(id) = connection {
            capture.mptcp_connection(id)?;
        }
        let force = arguments::forced(arguments);
        refuse_capture(output, force)?;
        let wanted = frames_of(&capture.columns_of(&["packetid", "mptcpstream"])?, connection, input)?;
        let copied =
            crate::packets::copied_records::copy_frames(input, output, force, |number| wanted.contains(&number))?;
        Ok(Outcome::Done(vec![format!(
            "wrote {} of {} to {}",
            copied.written,
            counted(copied.read, "packet"),
            output.display()
        )]))
    }
}

/// The frame numbers of all MPTCP connections in the tracked `table`, or of the one numbered `wanted`.
fn frames_of(table: &DataFrame, wanted: Option<ConnectionId>, path: &Path) -> Result<HashSet<u64>> {
    let failed = |source| Error::Table { action: "read the packet table", source };
    let packets = table.column("packetid").and_then(|column| column.u64()).map_err(failed)?;
    let streams = table.column("mptcpstream").and_then(|column| column.u32()).map_err(failed)?;
    let belongs = |connection| wanted.is_none_or(|wanted| wanted == ConnectionId(connection));
    let frames: HashSet<u64> = packets
        .iter()
        .zip(streams.iter())
        .filter(|(_, stream)| stream.is_some_and(belongs))
        .filter_map(|(packet, _)| packet)
        .collect();
    if frames.is_empty() {
        let path = path.display();
        return Err(Error::NotFound(format!(
            "nothing written, because {path} has no MPTCP connection; name another capture"
        )));
    }
    Ok(frames)
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::df;

    fn table() -> DataFrame {
        df!(
            "packetid" => [2_u64, 3, 5, 8, 9, 12],
            "mptcpstream" => [Some(0_u32), None, Some(4), Some(0), None, Some(4)],
        )
        .unwrap()
    }

    fn frames(wanted: Option<ConnectionId>) -> Vec<u64> {
        let mut frames: Vec<u64> = frames_of(&table(), wanted, Path::new("a.pcap")).unwrap().into_iter().collect();
        frames.sort_unstable();
        frames
    }

    #[test]
    fn packets_outside_mptcp_are_left_out() {
        assert_eq!(frames(None), [2, 5, 8, 12]);
    }

    #[test]
    fn one_connection_alone_can_be_kept() {
        assert_eq!(frames(Some(ConnectionId(4))), [5, 12]);
    }

    #[test]
    fn a_capture_without_mptcp_is_not_written_empty() {
        let table = df!("packetid" => [1_u64], "mptcpstream" => [None::<u32>]).unwrap();
        let said = frames_of(&table, None, Path::new("a.pcap")).unwrap_err().to_string();
        assert_eq!(said, "nothing written, because a.pcap has no MPTCP connection; name another capture");
    }

    #[test]
    fn a_table_without_tracked_columns_is_an_error() {
        let table = df!("packetid" => [1_u64]).unwrap();
        assert!(matches!(frames_of(&table, None, Path::new("a.pcap")), Err(Error::Table { .. })));
    }
}
