//! `load_topo FILE`

use std::io::ErrorKind;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, ValueHint};

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::analysis::topology::{self, Topology};
use crate::arguments;
use crate::error::{Error, Result};
use crate::output::{Cell, Report, Rows, Table};
use crate::packets::LoadError;
use crate::terminal_text::escape;
use crate::whole_file::is_capture;
use mptcp_trace::reading;

/// Loads the paths between two hosts from a file.
pub struct LoadTopo;

impl Described for LoadTopo {
    fn name(&self) -> &'static str {
        "load_topo"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["load_topology"]
    }

    fn summary(&self) -> &'static str {
        "Load a topology: paths with rate, one-way delays and loss, for `mptcp_required_buffer`"
    }

    fn details(&self) -> &'static str {
        "The file is JSON: an object with a list `subflows` (or `paths`), or the list itself. Keys of a path: `name`; \
         `rate` (bit/s, or a text such as \"20M\"); `fowd` and `bowd`, the one-way delays forward and back, or `owd` for \
         both, or `rtt` (milliseconds); `loss` (a share from 0 to 1); `rto` (milliseconds). Without `rate`, it follows from \
         `cwnd` (packets), `mss` (bytes) and the round trip. `snd_buffer` of `sender` and `rcv_buffer` of `receiver` are in \
         kB. examples/topology.json is one.\n\n\
         Files that mptcp-pm wrote are read, too: their keys are those of the kernel's tcp_info (`delivery_rate`, \
         `snd_cwnd`), and their times are microseconds. Other keys are ignored.\n\n\
         Rates are shown in bytes per second, delays in seconds."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(
            Arg::new("topology")
                .value_name("FILE")
                .required(true)
                .value_parser(clap::value_parser!(PathBuf))
                .value_hint(ValueHint::FilePath)
                .help("JSON file with the paths"),
        )
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "load_topo examples/topology.json", purpose: "two paths, Wi-Fi and LTE" }]
    }
}

impl Command for LoadTopo {
    fn category(&self) -> Category {
        Category::Mptcp
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let path = arguments::path(arguments, "topology")?;
        let shown = escape(&path.to_string_lossy()).into_owned();
        if is_capture(path) {
            let sentence =
                format!("{shown} is a capture, not a topology; see `help load_topo`, or load it with `load_pcap`");
            return Err(Error::Failed(sentence));
        }
        let text = reading::text(path).map_err(|source| match source.kind() {
            ErrorKind::NotFound => LoadError::Missing(path.to_path_buf()).into(),
            ErrorKind::InvalidData => {
                Error::Failed(format!("{shown} is not a topology: it is not text; see `help load_topo`"))
            }
            _ => Error::file("read", path, source),
        })?;
        let topology = topology::parse(&text)
            .map_err(|what| Error::Failed(format!("{shown} is not a topology: {what}; see `help load_topo`")))?;
        let report = report(&topology);
        session.topology = Some(topology);
        Ok(Outcome::Report(report))
    }
}

/// A row a path.
const ROWS: Rows = Rows {
    columns: &["path", "rate", "forward_delay", "backward_delay", "rtt", "rto", "loss"],
    seconds: &["forward_delay", "backward_delay", "rtt", "rto"],
    levels: &[("paths", "")],
    ..Rows::FLAT
};

fn report(topology: &Topology) -> Report {
    let mut table = Table::headed(&[
        ("path", ""),
        ("rate", ""),
        ("forward_delay", "delay\nforward"),
        ("backward_delay", "delay\nback"),
        ("rtt", "round\ntrip"),
        ("loss", ""),
    ]);
    table.title = topology.name.clone();
    let seconds = |seconds: Option<f64>| seconds.map_or(Cell::Null, Cell::microseconds);
    for path in &topology.paths {
        table.rows.push(vec![
            Cell::Text(path.path.clone()),
            path.facts.rate.map_or(Cell::Null, Cell::BytesPerSecond),
            seconds(path.forward_delay),
            seconds(path.backward_delay),
            seconds(path.facts.rtt),
            path.facts.loss.map_or(Cell::Null, Cell::Share),
        ]);
    }
    Report::new(topology, vec![table]).complete(&ROWS).declared("load_topo").with_notes(topology.notes.clone())
}
