//! `live INTERFACE`

mod leave;
mod report;
mod watch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, ValueHint, value_parser};

use super::load_pcap::name;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments::{self, duration};
use crate::error::Result;
use crate::output::Report;
use crate::packets::live::{PacketSource, Wanted, interfaces};
use watch::{Limits, Watch};

/// Packets that are kept when the line does not say.
const KEPT: usize = 1_000_000;

/// Shows what happens on an interface.
pub struct LiveCommand;

impl Described for LiveCommand {
    fn name(&self) -> &'static str {
        "live"
    }

    fn summary(&self) -> &'static str {
        "Watch MPTCP connections live on a network interface"
    }

    fn details(&self) -> &'static str {
        "Shows the events of all connections as `events` does, as soon as they are certain. After each --interval \
         with packets, it shows the rates of each connection and subflow. These are payload bytes per second towards \
         the server and the client (repeated data included), packets per second, and bytes sent again on their \
         subflow. Packets outside MPTCP connections, and unanswered attempts, are summed up as plain TCP. More than 20 \
         events of one kind per connection and interval are only counted; other formats list each. Intervals follow \
         each other from the first frame. Checksums are not checked; packets duplicated by the path count as sent \
         again.\n\n\
         In JSON and CSV, each event is a `record` called `event`; each direction of a connection, of its subflows and \
         of plain TCP is one called `rate`. A rate without `tcpstream` is that of the whole connection; one also \
         without `mptcpstream` is that of plain TCP.\n\n\
         tcpdump or dumpcap captures the packets (--with, or `capture_program` in the configuration); it needs \
         permission to capture, this program does not. INTERFACE may also be `-` for a capture on standard input (`ssh \
         HOST tcpdump -U -w - tcp | mptcpanalyzer live -`), or the path of a named pipe or file that contains a `/`. \
         Without INTERFACE, the interfaces are listed.\n\n\
         The filter is `tcp` unless --filter gives another (pcap-filter(7)). It misses TCP behind a VLAN tag that the \
         kernel leaves in the packet; on links with VLANs, use `--filter 'tcp or (vlan and tcp)'`. Without --whole, \
         256 bytes of each packet are captured, enough for all headers.\n\n\
         Stops at Ctrl-C, after --duration or --packets, or at end of input. The packets, the last --keep of them, \
         then become the current capture, named live:INTERFACE or as --as says. --write also saves everything to a \
         file; with --whole, commands that read payload can use it. At most 65536 open streams are watched, and 16384 \
         unanswered ones; beyond that, the longest-idle ones are dropped. Each kept packet takes about 250 bytes of \
         memory."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let seconds = |name, letter, about| {
            Arg::new(name).long(name).short(letter).value_name("SECONDS").value_parser(duration::parse).help(about)
        };
        let count = |name, about| {
            Arg::new(name).long(name).value_name("N").value_parser(value_parser!(u64).range(1..)).help(about)
        };
        let flag = |name, about| Arg::new(name).long(name).action(ArgAction::SetTrue).help(about);
        let file = |name, value, about| {
            Arg::new(name)
                .long(name)
                .value_name(value)
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::FilePath)
                .help(about)
        };
        command
            .arg(
                Arg::new("interface")
                    .value_name("INTERFACE")
                    .help("Network interface, `-`, or path of a pipe; if omitted, the interfaces are listed"),
            )
            .arg(seconds("interval", 'i', "Show rates this often").default_value("1"))
            .arg(seconds("duration", 'd', "Stop after this time"))
            .arg(count("packets", "Stop after this many TCP packets"))
            .arg(
                Arg::new("filter")
                    .long("filter")
                    .short('f')
                    .value_name("FILTER")
                    .default_value("tcp")
                    .help("Packets to capture, see pcap-filter(7)"),
            )
            .arg(flag("whole", "Capture whole packets instead of headers only"))
            .arg(count("keep", "Keep the last N packets for later commands [default: 1000000]"))
            .arg(file("write", "FILE", "Also write the captured packets to FILE"))
            .arg(arguments::force().help("Allow --write to replace a file, and --output a capture"))
            .arg(Arg::new("as").long("as").value_name("NAME").value_parser(name).help("Name for the captured packets"))
            .arg(
                file("with", "PROGRAM", "Capture program: dumpcap, or one with tcpdump's options")
                    .value_hint(ValueHint::CommandName),
            )
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "live", purpose: "list the interfaces" },
            Example { line: "live ./examples/client.pcapng --interval 0.5", purpose: "watch a pipe, here a file" },
            Example {
                line: "live ./examples/client.pcapng --format ndjson --as today",
                purpose: "the same for a program, kept under a name",
            },
        ]
    }
}

impl Command for LiveCommand {
    fn category(&self) -> Category {
        Category::Captures
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let program = arguments.get_one::<PathBuf>("with").or(session.config.capture_program.as_ref()).cloned();
        let Some(source) = arguments.get_one::<String>("interface") else {
            return list(program.as_deref());
        };
        let source = PacketSource::of(source);
        if source == PacketSource::StandardInput {
            session.take_standard_input()?;
        }
        let wanted = Wanted {
            source,
            program,
            filter: arguments.get_one::<String>("filter").cloned().unwrap_or_default(),
            whole: arguments.get_flag("whole"),
        };
        let copy = arguments.get_one::<PathBuf>("write").cloned();
        let keep = arguments.get_one::<u64>("keep").and_then(|keep| usize::try_from(*keep).ok());
        let limits = Limits {
            interval: arguments.get_one::<Duration>("interval").copied().unwrap_or(Duration::from_secs(1)),
            duration: arguments.get_one::<Duration>("duration").copied(),
            packets: arguments.get_one::<u64>("packets").copied(),
            keep: keep.unwrap_or(KEPT),
        };
        let name = arguments.get_one::<String>("as").cloned();
        let copy = copy.map(|path| (path, arguments.get_flag("force")));
        Ok(Outcome::Feed(Box::new(Watch::begin(&wanted, limits, copy, name)?)))
    }
}

fn list(program: Option<&Path>) -> Result<Outcome> {
    let (found, by) = interfaces(program)?;
    let note = format!("listed by {by}; `live INTERFACE` captures on one");
    Ok(Outcome::Report(Report::listing(&found, &[("interface", ""), ("about", "")]).with_notes(vec![note])))
}
