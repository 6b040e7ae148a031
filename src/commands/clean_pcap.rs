//! `clean_pcap`: a capture with only the packets of MPTCP connections.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, ValueHint, value_parser};

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::{Error, Result};
use crate::packets::copied_records::copy_frames;
use crate::whole_file::refuse_capture;
use mptcp_trace::ConnectionId;
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::Capture;
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
                    .value_hint(ValueHint::AnyPath)
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
        let wanted = Frames::of(capture, connection);
        if wanted.is_empty {
            return Err(Error::NotFound(format!(
                "nothing written, because {} has no MPTCP connection; name another capture",
                input.display()
            )));
        }
        let copied = copy_frames(input, output, force, |number| wanted.contains(number))?;
        Ok(Outcome::Done(vec![format!(
            "wrote {} of {} to {}",
            copied.written,
            counted(copied.read, "packet"),
            output.display()
        )]))
    }
}

/// Numbers of frames.
struct Frames {
    /// A bit for each frame of the file.
    bits: Vec<u64>,
    is_empty: bool,
}

impl Frames {
    /// Those of all MPTCP connections, or of the one numbered `wanted`.
    fn of(capture: &Capture, wanted: Option<ConnectionId>) -> Self {
        let mut frames = Frames::up_to(capture.facts.frames);
        let belongs = |connection| wanted.is_none_or(|wanted| wanted == connection);
        for (segment, packet) in interruptible(capture.segments.iter().zip(&capture.tracking.packets)) {
            let subflow = capture.tracking.subflow(packet.stream);
            if subflow.is_some_and(|subflow| belongs(subflow.connection)) {
                frames.insert(segment.packetid());
            }
        }
        frames
    }

    /// None yet, with room for these.
    fn up_to(last: u64) -> Self {
        let words = usize::try_from(last / 64).unwrap_or(usize::MAX).saturating_add(1);
        Frames { bits: vec![0; words], is_empty: true }
    }

    fn place(number: u64) -> (usize, u64) {
        (usize::try_from(number / 64).unwrap_or(usize::MAX), 1 << (number % 64))
    }

    /// Takes in a frame; of a table that was exported, the number may be that of no frame.
    fn insert(&mut self, number: u64) {
        let (place, bit) = Self::place(number);
        self.is_empty = false;
        if let Some(word) = self.bits.get_mut(place) {
            *word |= bit;
        }
    }

    fn contains(&self, number: u64) -> bool {
        let (place, bit) = Self::place(number);
        self.bits.get(place).is_some_and(|word| word & bit != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_those_put_in() {
        let mut frames = Frames::up_to(1000);
        assert!(frames.is_empty && !frames.contains(1));
        [1, 63, 64, 1000, u64::MAX].into_iter().for_each(|number| frames.insert(number));
        let there: Vec<u64> = (0..2000).chain([u64::MAX]).filter(|number| frames.contains(*number)).collect();
        assert_eq!(there, [1, 63, 64, 1000]);
    }
}
