//! `load_pcap FILE`

use std::path::PathBuf;

use clap::{Arg, ArgMatches, ValueHint, value_parser};

use super::{Category, Command, Example, Outcome, Session};
use crate::error::{Error, Result};
use crate::terminal_text::escape;

/// Loads a capture.
pub struct LoadPcap;

impl Command for LoadPcap {
    fn name(&self) -> &'static str {
        "load_pcap"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["load"]
    }

    fn category(&self) -> Category {
        Category::Captures
    }

    fn summary(&self) -> &'static str {
        "Load a capture, or a table that `export` wrote"
    }

    fn details(&self) -> &'static str {
        "The capture is dissected once and kept in the cache, which is valid while the file keeps its size and \
         modification time. The capture loaded before stays loaded when this one cannot be read."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::FilePath)
                .help("A pcap or pcapng file, or a CSV, Parquet or Arrow file that `export` wrote"),
        )
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "load_pcap examples/server.pcapng", purpose: "look at the server's side of the example" }]
    }

    fn reports(&self) -> bool {
        false
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let file =
            arguments.get_one::<PathBuf>("file").ok_or_else(|| Error::Usage("name the file to load".to_string()))?;
        let mut said: Vec<String> =
            session.load(file)?.into_iter().map(|warning| format!("warning: {warning}")).collect();
        let capture = session.capture()?;
        let tracking = &capture.tracking;
        said.push(format!(
            "loaded {}: {} TCP packets of {} frames, {} TCP streams, {} MPTCP connections",
            escape(&file.to_string_lossy()),
            capture.segments.len(),
            capture.dissection.facts.frames,
            tracking.streams.len(),
            tracking.connections.len(),
        ));
        Ok(Outcome::Done(said))
    }
}
