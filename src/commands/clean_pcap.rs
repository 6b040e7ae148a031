//! `clean_pcap`: a capture with only the packets of MPTCP connections.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, ValueHint, value_parser};
use polars::frame::DataFrame;

use super::{Category, Command, Example, Outcome, Session};
use crate::error::{Error, Result};
use crate::packets::{self, LoadOptions, capture_file};
use crate::tracking::Capture;

/// Writes a capture with only the packets of MPTCP connections.
pub struct CleanPcap;

impl Command for CleanPcap {
    fn name(&self) -> &'static str {
        "clean_pcap"
    }

    fn category(&self) -> Category {
        Category::Captures
    }

    fn summary(&self) -> &'static str {
        "Write a capture with only the packets of MPTCP connections"
    }

    fn details(&self) -> &'static str {
        "Keeps every packet of the TCP streams that belong to an MPTCP connection, or with --mptcpstream to that one \
         connection. Format, timestamps, interfaces and the octets of the packets stay as they are; the loaded capture \
         is not changed. pcap and pcapng files, not compressed."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let path = value_parser!(PathBuf);
        command
            .arg(
                Arg::new("input")
                    .value_name("IN")
                    .required(true)
                    .value_parser(path.clone())
                    .value_hint(ValueHint::FilePath)
                    .help("The capture to read"),
            )
            .arg(
                Arg::new("copy")
                    .value_name("OUT")
                    .required(true)
                    .value_parser(path)
                    .value_hint(ValueHint::FilePath)
                    .help("The capture to write"),
            )
            .arg(
                Arg::new("mptcpstream")
                    .long("mptcpstream")
                    .value_name("N")
                    .value_parser(value_parser!(u32))
                    .help("Keep only this MPTCP connection of IN"),
            )
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "clean_pcap examples/client.pcapng mptcp-only.pcapng",
            purpose: "a smaller capture to pass on, without other traffic",
        }]
    }

    fn reports(&self) -> bool {
        false
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let path = |name: &str| {
            arguments.get_one::<PathBuf>(name).ok_or_else(|| Error::Usage("clean_pcap needs IN and OUT".to_string()))
        };
        let (input, output) = (path("input")?, path("copy")?);
        let options = LoadOptions {
            tshark: &session.config.tshark,
            profile: session.config.wireshark_profile.as_deref(),
            extra_fields: &session.config.extra_fields,
            cache: session.cache.as_ref(),
            regenerate: session.regenerate,
            progress: session.progress,
        };
        let loaded = packets::load(input, &options)?;
        let mut sentences = loaded.warnings;
        let capture = Capture::new(input.clone(), loaded.dissection)?;
        sentences.extend(capture.dissection.facts.warnings.iter().cloned());
        let wanted = frames_of(capture.table()?, arguments.get_one::<u32>("mptcpstream").copied(), input)?;
        let copied = capture_file::copy_frames(input, output, |number| wanted.contains(&number))?;
        sentences.push(format!(
            "wrote {} of {} packets to {}",
            copied.written,
            copied.read,
            output.to_string_lossy().escape_debug()
        ));
        Ok(Outcome::Done(sentences))
    }
}

/// The frame numbers of all MPTCP connections in the tracked `table`, or of the one numbered `wanted`.
fn frames_of(table: &DataFrame, wanted: Option<u32>, path: &Path) -> Result<HashSet<u64>> {
    let failed = |source| Error::Table { action: "read the packet table", source };
    let packets = table.column("packetid").and_then(|column| column.u64()).map_err(failed)?;
    let streams = table.column("mptcpstream").and_then(|column| column.u32()).map_err(failed)?;
    let mut frames = HashSet::new();
    let mut present: Vec<u32> = Vec::new();
    for (packet, stream) in packets.iter().zip(streams.iter()) {
        let (Some(packet), Some(stream)) = (packet, stream) else { continue };
        if present.last() != Some(&stream) {
            present.push(stream);
        }
        if wanted.is_none_or(|wanted| wanted == stream) {
            frames.insert(packet);
        }
    }
    if !frames.is_empty() {
        return Ok(frames);
    }
    present.sort_unstable();
    present.dedup();
    let shown = path.to_string_lossy();
    let shown = shown.escape_debug();
    Err(Error::NotFound(match (wanted, present.first(), present.last()) {
        (Some(wanted), Some(first), Some(last)) => {
            format!(
                "{shown} has no MPTCP connection {wanted}; there are {} of them, from {first} to {last}",
                present.len()
            )
        }
        _ => format!("{shown} has no MPTCP connection, so nothing was written; name another capture"),
    }))
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

    fn frames(wanted: Option<u32>) -> Vec<u64> {
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
        assert_eq!(frames(Some(4)), [5, 12]);
    }

    #[test]
    fn an_unknown_connection_says_which_exist() {
        let said = frames_of(&table(), Some(1), Path::new("a.pcap")).unwrap_err();
        assert!(matches!(said, Error::NotFound(_)));
        assert_eq!(said.to_string(), "a.pcap has no MPTCP connection 1; there are 2 of them, from 0 to 4");
    }

    #[test]
    fn a_capture_without_mptcp_is_not_written_empty() {
        let table = df!("packetid" => [1_u64], "mptcpstream" => [None::<u32>]).unwrap();
        let said = frames_of(&table, None, Path::new("a.pcap")).unwrap_err().to_string();
        assert_eq!(said, "a.pcap has no MPTCP connection, so nothing was written; name another capture");
    }

    #[test]
    fn a_table_without_tracked_columns_is_an_error() {
        let table = df!("packetid" => [1_u64]).unwrap();
        assert!(matches!(frames_of(&table, None, Path::new("a.pcap")), Err(Error::Table { .. })));
    }
}
