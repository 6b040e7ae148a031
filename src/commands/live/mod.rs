//! `live INTERFACE`

mod leave;
mod report;
mod watch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, ValueHint, value_parser};

use super::load_pcap::name;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Report, Table};
use crate::packets::live::{Source, Wanted, interfaces};
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
        "Watch MPTCP connections on an interface as packets come"
    }

    fn details(&self) -> &'static str {
        "Shows the events of all connections as `events` has them, as soon as they are certain, and at the end of each \
         --interval in which packets came what each connection and subflow carried: payload octets a second towards the \
         server and the client (retransmissions and reinjections included), packets a second, and octets that were sent \
         again on their subflow. What belongs to no connection, and attempts that nobody answers, is summed \
         up as plain TCP. Of more than 20 events of one kind in a connection and interval the rest is counted; other formats \
         have each. Intervals lie side by side from \
         the first frame on. Checksums are not checked; packets that the path doubled count as sent again.\n\n\
         In JSON and CSV each event is a `record` called `event`, and each direction of a connection, of its subflows and \
         of plain TCP one called `rate`: without `tcpstream` it is that of the whole connection, without `mptcpstream` \
         as well that of plain TCP.\n\n\
         tcpdump or dumpcap captures (--with, or `capture_program` in the configuration); it needs the permission to, \
         this program needs none. INTERFACE may also be `-`, a capture that comes on standard input (`ssh HOST tcpdump -U \
         -w - tcp | mptcpanalyzer live -`), or the path of a named pipe or a file, with a `/` in it. Without INTERFACE \
         the interfaces are listed.\n\n\
         The filter is `tcp` unless --filter gives another (pcap-filter(7)). It misses TCP behind a VLAN tag that the \
         kernel leaves in the packet: `--filter 'tcp or (vlan and tcp)'` takes that, where the link has VLANs. Without \
         --whole 256 octets of each packet are captured, which hold all headers.\n\n\
         Ctrl-C, --duration, --packets or the end of what comes ends it. The packets, the last --keep of them, are then \
         the current capture, under the name live:INTERFACE or the one that --as gives. --write keeps all that came in a \
         file, too: with --whole, commands that read payload have it there. Of open streams 65536 are watched, and \
         16384 that nobody has answered; beyond that those are forgotten that were idle for longest. A packet that is \
         kept takes about 250 octets of memory."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let seconds = |name, letter, about| {
            Arg::new(name).long(name).short(letter).value_name("SECONDS").value_parser(seconds).help(about)
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
                    .help("A network interface, `-`, or the path of a pipe; without it the interfaces are listed"),
            )
            .arg(seconds("interval", 'i', "Show what was carried this often").default_value("1"))
            .arg(seconds("duration", 'd', "End after this time"))
            .arg(count("packets", "End after this many TCP packets"))
            .arg(
                Arg::new("filter")
                    .long("filter")
                    .short('f')
                    .value_name("FILTER")
                    .default_value("tcp")
                    .help("Which packets to capture, see pcap-filter(7)"),
            )
            .arg(flag("whole", "Capture whole packets, not only their headers"))
            .arg(count(
                "keep",
                "Keep this many packets, the last ones, for the commands that follow [default: 1000000]",
            ))
            .arg(file("write", "FILE", "Also write what is captured to FILE"))
            .arg(arguments::force().help("Let --write replace a file, and --output a capture"))
            .arg(
                Arg::new("as")
                    .long("as")
                    .value_name("NAME")
                    .value_parser(name)
                    .help("The name under which the packets are kept"),
            )
            .arg(
                file("with", "PROGRAM", "Capture with this program: dumpcap, or one that is called like tcpdump")
                    .value_hint(ValueHint::CommandName),
            )
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "live", purpose: "see which interfaces there are" },
            Example {
                line: "live ./examples/client.pcapng --interval 0.5",
                purpose: "watch what comes through a pipe, here a file",
            },
            Example {
                line: "live ./examples/client.pcapng --format ndjson --as today",
                purpose: "the same for a program, and keep it under a name",
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
        let source = Source::of(source);
        if source == Source::StandardInput {
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

/// A time as typed, at least a millisecond.
fn seconds(text: &str) -> std::result::Result<Duration, &'static str> {
    let duration = text.parse().ok().and_then(|seconds: f64| Duration::try_from_secs_f64(seconds).ok());
    let fits = |duration: &Duration| (Duration::from_millis(1)..=Duration::from_secs(1 << 30)).contains(duration);
    duration.filter(fits).ok_or("a time is given in seconds, at least 0.001")
}

fn list(program: Option<&Path>) -> Result<Outcome> {
    let (found, by) = interfaces(program)?;
    let mut table = Table::new(&["interface", "about"]);
    table.rows.extend(
        found.iter().map(|listed| {
            vec![Cell::Text(listed.interface.clone()), listed.about.clone().map_or(Cell::Null, Cell::Text)]
        }),
    );
    let note = format!("as {by} lists them; `live INTERFACE` captures on one");
    Ok(Outcome::Report(Report::new(&found, vec![table]).with_notes(vec![note])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_above_zero() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "-1", "x", "inf", "NaN", "1e300", "0.0001"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
