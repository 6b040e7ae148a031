//! `load_pcap FILE [--as NAME] [--interface NAME] [--copies first|last|all]`

use crate::arguments::choice;
use clap::{Arg, ArgMatches};

use super::session::is_name;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::Result;
use crate::packets::LoadedCapture;
use crate::terminal_text::escape;
use mptcp_trace::analysis::mptcp_connections;
use mptcp_trace::tracking::{CopiesWanted, PointOfView};
use mptcp_trace::units::counted;

/// Loads a capture.
pub struct LoadPcap;

impl Described for LoadPcap {
    fn name(&self) -> &'static str {
        "load_pcap"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["load"]
    }

    fn summary(&self) -> &'static str {
        "Load a capture or an exported table, or switch to a loaded one"
    }

    fn details(&self) -> &'static str {
        "The capture is dissected once and cached; the cache entry is valid as long as the file keeps its size and \
         modification time. If the capture cannot be read, the previous one stays loaded.\n\n\
         --as keeps the capture under a name (letters, digits, `_`, `-`, `.`) beside others; `load_pcap NAME` switches \
         back to it. A name takes precedence over a file of the same name; `./NAME` is the file. `captures` lists the \
         captures and drops names.\n\n\
         Packets are analyzed in time order, whatever their order in the file; packet ids, stream and connection \
         numbers follow the file.\n\n\
         If packets were recorded in several places, the file has several copies of most packets. Examples are \
         `tcpdump -i any` on a router, a bridge, a mirror port, and both ends in one file. The program says so and \
         counts each packet once. By default it takes the copy recorded nearest to the client, where the connection's \
         first packet passed first. With --copies last, it takes the one nearest to the server; with --copies all, \
         every copy. A packet seen only in the other place was lost between them: it counts, but no time is measured \
         on it. --interface keeps one interface's packets only, and numbers streams as in a file of these packets.\n\n\
         Wherever a capture is named, FILE@client and FILE@server stand for the packets recorded nearest to that end, \
         FILE@INTERFACE for those of one interface: `loss mptcp FILE@client 0 FILE@server`."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command
            .arg(
                arguments::capture("capture", "FILE")
                    .required(true)
                    .help("pcap or pcapng file; CSV file from `export`; or name of a loaded capture"),
            )
            .arg(
                Arg::new("as")
                    .long("as")
                    .value_name("NAME")
                    .value_parser(name)
                    .help("Keep the capture under this name"),
            )
            .arg(
                Arg::new("interface")
                    .long("interface")
                    .value_name("NAME")
                    .help("Only packets of this interface, by name or number from `list_interfaces`"),
            )
            .arg(
                Arg::new("copies")
                    .long("copies")
                    .value_name("WHICH")
                    .value_parser(choice::COPIES)
                    .help("Copies to count if packets were recorded in several places"),
            )
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "load_pcap examples/server.pcapng", purpose: "the server's side of the example" },
            Example { line: "load_pcap examples/server.pcapng --as server", purpose: "the same, kept under a name" },
            Example { line: "load_pcap examples/server.pcapng --interface sv1", purpose: "one interface only" },
        ]
    }
}

impl Command for LoadPcap {
    fn category(&self) -> Category {
        Category::Captures
    }

    fn reports(&self) -> bool {
        false
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let wanted = arguments::path(arguments, "capture")?;
        let interface = arguments.get_one::<String>("interface").cloned();
        let copies = arguments.get_one::<CopiesWanted>("copies").copied();
        if interface.is_some() || copies.is_some() {
            session.load_seen(wanted, PointOfView::with(interface, copies))?;
        } else {
            session.load(wanted)?;
        }
        let switched = session.current_name().map(str::to_string);
        let name = arguments.get_one::<String>("as");
        let replaced = match name {
            Some(name) => session.keep(name)?,
            None => None,
        };
        let capture = session.capture()?;
        let mut said = Vec::new();
        if let (Some(name), Some(before)) = (name, replaced) {
            said.push(format!("{name} no longer stands for {}", escape(&before.path.to_string_lossy())));
        }
        let file = capture.path.to_string_lossy();
        let file = escape(&file);
        let begun = match (switched, name) {
            (Some(switched), Some(name)) => format!("switched to {switched}, now also {name} ({file})"),
            (Some(switched), None) => format!("switched to {switched} ({file})"),
            (None, Some(name)) => format!("loaded {file} as {name}"),
            (None, None) => format!("loaded {file}"),
        };
        said.push(format!("{begun}: {}", content(capture)));
        Ok(Outcome::Done(said))
    }
}

/// A capture by its file, and its content.
#[must_use]
pub fn loaded(capture: &LoadedCapture) -> String {
    format!("{}: {}", escape(&capture.path.to_string_lossy()), content(capture))
}

fn content(capture: &LoadedCapture) -> String {
    format!(
        "{} of {}, {}, {}",
        counted(capture.segments.len(), "TCP packet"),
        counted(capture.facts.frames, "frame"),
        counted(capture.tracking.streams.len(), "TCP stream"),
        counted(mptcp_connections::count(capture), "MPTCP connection"),
    )
}

/// A name as typed.
pub(super) fn name(text: &str) -> std::result::Result<String, &'static str> {
    if is_name(text) {
        Ok(text.to_string())
    } else {
        Err("not a valid name; use letters, digits, `_`, `-` and `.`, but no leading `-`")
    }
}
