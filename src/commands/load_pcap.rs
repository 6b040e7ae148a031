//! `load_pcap FILE [--as NAME] [--interface NAME] [--copies first|last|all]`

use crate::arguments::choice;
use clap::{Arg, ArgMatches};

use super::session::is_name;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::Result;
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
        "Load a capture, or a table that `export` wrote, or switch to a loaded one"
    }

    fn details(&self) -> &'static str {
        "The capture is dissected once and kept in the cache, which is valid while the file keeps its size and \
         modification time. The capture loaded before stays loaded when this one cannot be read.\n\n\
         --as keeps the capture under a name (letters, digits, `_`, `-`, `.`) beside others; `load_pcap NAME` then \
         switches back to it. A name goes before a file that is called the same; `./NAME` is the file. `captures` \
         lists the captures and forgets names.\n\n\
         Packets count in the order of time, whatever their order in the file; their ids, and the numbers of streams and \
         connections, are the file's.\n\n\
         Where packets were recorded in several places (`tcpdump -i any` on a router, a bridge, a mirror port, both ends \
         in one file), the file holds most of them several times. That is said, and each packet counts once. Of its \
         copies counts the one recorded where the connection's first packet passed first, nearest to the client; with \
         --copies last the one nearest to the server; with --copies all every copy. What the other place alone recorded \
         was lost between them: it counts, too, but no time is measured on it. --interface keeps the packets of one \
         interface alone, and numbers streams as a file of these packets would.\n\n\
         Wherever a capture is named, FILE@client and FILE@server stand for what was recorded nearest to either end and \
         nothing else, FILE@INTERFACE for what one interface recorded: `loss mptcp FILE@client 0 FILE@server`."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command
            .arg(
                arguments::capture("capture", "FILE")
                    .required(true)
                    .help("A pcap or pcapng file, a CSV file that `export` wrote, or the name of a loaded capture"),
            )
            .arg(
                Arg::new("as")
                    .long("as")
                    .value_name("NAME")
                    .value_parser(name)
                    .help("Also keep the capture under this name"),
            )
            .arg(
                Arg::new("interface")
                    .long("interface")
                    .value_name("NAME")
                    .help("Only packets recorded on this interface; `list_interfaces` has their names and numbers"),
            )
            .arg(
                Arg::new("copies")
                    .long("copies")
                    .value_name("WHICH")
                    .value_parser(choice::COPIES)
                    .help("Which copies count of packets that were recorded in several places"),
            )
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "load_pcap examples/server.pcapng", purpose: "look at the server's side of the example" },
            Example { line: "load_pcap examples/server.pcapng --as server", purpose: "and keep it under a name" },
            Example { line: "load_pcap examples/server.pcapng --interface sv1", purpose: "what one interface saw" },
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
        let tracking = &capture.tracking;
        said.push(format!(
            "{begun}: {} of {}, {}, {}",
            counted(capture.segments.len(), "TCP packet"),
            counted(capture.facts.frames, "frame"),
            counted(tracking.streams.len(), "TCP stream"),
            counted(mptcp_connections::count(capture), "MPTCP connection"),
        ));
        Ok(Outcome::Done(said))
    }
}

/// A name as typed.
pub(super) fn name(text: &str) -> std::result::Result<String, &'static str> {
    if is_name(text) {
        Ok(text.to_string())
    } else {
        Err("names are made of letters, digits, `_`, `-` and `.`, and do not begin with `-`")
    }
}
