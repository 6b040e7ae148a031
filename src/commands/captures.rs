//! `captures`

use clap::{Arg, ArgMatches};
use serde::Serialize;

use super::session::Held;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::error::Result;
use crate::output::{Report, Rows};
use mptcp_trace::analysis::mptcp_connections::count;
use mptcp_trace::packets::capture_file::{Description, describe};

/// Lists the loaded captures, and forgets names.
pub struct Captures;

impl Described for Captures {
    fn name(&self) -> &'static str {
        "captures"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["list_captures"]
    }

    fn summary(&self) -> &'static str {
        "List the loaded captures, or drop some"
    }

    fn details(&self) -> &'static str {
        "`load_pcap FILE --as NAME` keeps a capture under a name, as it was when loaded, until the name is dropped or \
         given to another capture. `load_pcap NAME` makes it the current one; any command that takes a capture accepts \
         its name.\n\n\
         The list also has captures without a name: the current one, and the last few that commands named by path. The \
         latter stay in memory until others replace them, and are read again if their file changes. Packets are TCP \
         packets. link_type has the numbers of tcpdump.org (LINKTYPE_), snap_length how many bytes of a frame were recorded \
         at most; both are null if the format is neither pcap nor pcapng. options_cut: TCP options of a packet are cut."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(
            Arg::new("name")
                .long("forget")
                .value_name("NAME")
                .num_args(1..)
                .value_delimiter(',')
                .help("Drop these names, then list the remaining captures"),
        )
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "captures", purpose: "loaded captures, with the current one marked" }]
    }
}

impl Command for Captures {
    fn category(&self) -> Category {
        Category::Captures
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let mut notes = Vec::new();
        for name in arguments.get_many::<String>("name").into_iter().flatten() {
            let capture = session.forget(name)?;
            notes.push(format!("dropped {name}: {}", capture.path.to_string_lossy()));
        }
        let (lines, more) = lines(session);
        notes.extend(more);
        notes.extend(lines.iter().filter_map(Line::cut));
        Ok(Outcome::Report(report(&lines).with_notes(notes)))
    }
}

/// One capture, as JSON prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Line {
    name: Option<String>,
    file: String,
    packets: u64,
    tcp_streams: u64,
    mptcp_connections: u64,
    format: Option<&'static str>,
    link_type: Option<String>,
    snap_length: Option<u32>,
    options_cut: bool,
    current: bool,
}

impl Line {
    /// What is missing of it, a sentence without full stop.
    fn cut(&self) -> Option<String> {
        self.options_cut.then(|| format!("{}: packets are cut within their TCP options", self.file))
    }
}

/// The captures: the current one if it has no name, those with a name, those remembered; and what else must be known.
fn lines(session: &Session) -> (Vec<Line>, Vec<String>) {
    let is_current = |held: &Held| session.current().is_some_and(|current| current.is(held));
    let nameless = session.current().filter(|current| !session.named().any(|(_, held)| held.is(current)));
    let named = session.named().map(|(name, held)| (Some(name), held));
    let mut notes = Vec::new();
    let lines: Vec<Line> = nameless
        .map(|held| (None, held))
        .into_iter()
        .chain(named)
        .chain(session.remembered().map(|held| (None, held)))
        .map(|(name, held)| {
            let capture = &held.capture;
            let file = capture.view.name(&capture.path.to_string_lossy());
            if held.outdated() {
                notes.push(format!("{file} has changed since it was loaded; the list shows it as loaded"));
            }
            let described = describe(&capture.path);
            Line {
                name: name.map(str::to_string),
                file,
                packets: capture.segments.len() as u64,
                tcp_streams: capture.tracking.streams.len() as u64,
                mptcp_connections: count(capture) as u64,
                format: described.as_ref().map(|described| described.format),
                link_type: described.as_ref().and_then(Description::link_type),
                snap_length: described.and_then(|described| described.snap_length),
                options_cut: capture.segments.iter().any(|segment| segment.options_cut()),
                current: is_current(held),
            }
        })
        .collect();
    if lines.is_empty() {
        notes.push("no capture is loaded; load one with `load_pcap FILE`".to_string());
    }
    (lines, notes)
}

/// A row a capture.
const ROWS: Rows = Rows {
    columns: &[
        "name",
        "file",
        "packets",
        "tcp_streams",
        "mptcp_connections",
        "format",
        "link_type",
        "snap_length",
        "options_cut",
        "current",
    ],
    ..Rows::FLAT
};

fn report(lines: &[Line]) -> Report {
    let columns = [
        ("name", ""),
        ("file", ""),
        ("packets", ""),
        ("tcp_streams", "TCP\nstreams"),
        ("mptcp_connections", "MPTCP\nconnections"),
        ("current", ""),
    ];
    Report::listing(lines, &columns).complete(&ROWS).declared("captures")
}
