//! Which options break the rules of MPTCP, and what does that mean?

use std::collections::HashMap;

use super::{Finding, FindingKind, Subject};
use mptcp_trace::StreamId;
use mptcp_trace::analysis::irregular::{Irregularity, Watch};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::{Capture, Role, Tracking};
use mptcp_trace::units::counted;

/// Common parts of one finding's packets, besides its kind.
#[derive(PartialEq, Eq, Hash)]
struct IrregularPlace {
    finding: FindingKind,
    stream: StreamId,
    towards: Option<Role>,
    /// Irregularities that are told one by one; 0 for those of which a stream has one finding.
    one: u64,
}

/// One finding to be: the first irregularity, and the packets.
struct Found {
    place: (FindingKind, StreamId, Option<Role>),
    first: Vec<Irregularity>,
    packets: Vec<u64>,
}

/// Findings to be, in the order of their first packets.
#[derive(Default)]
struct Gathered {
    places: HashMap<IrregularPlace, usize>,
    found: Vec<Found>,
}

impl Gathered {
    fn note(&mut self, irregularity: Irregularity, stream: StreamId, towards: Option<Role>, packetid: u64) {
        let finding = kind(&irregularity);
        let one = match irregularity {
            Irregularity::AddressIdReused { .. } => packetid,
            Irregularity::Malformed(malformed) => {
                u64::from(malformed.length) << 8 | malformed.subtype.map_or(255, u64::from)
            }
            _ => 0,
        };
        let next = self.found.len();
        let at = *self.places.entry(IrregularPlace { finding, stream, towards, one }).or_insert(next);
        if at == next {
            let place = (finding, stream, towards);
            self.found.push(Found { place, first: vec![irregularity], packets: vec![packetid] });
        } else if let Some(found) = self.found.get_mut(at) {
            // Both keys of one packet.
            if found.packets.last() == Some(&packetid) && found.first.len() == 1 && found.packets.len() == 1 {
                found.first.push(irregularity);
            } else if found.packets.last() != Some(&packetid) {
                found.packets.push(packetid);
            }
        }
    }
}

/// Rule violations by the options of a connection's packets.
pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let mut watch = Watch::default();
    let mut gathered = Gathered::default();
    for packet in interruptible(&subject.passed.signals) {
        watch.push(packet.segment, packet.towards, subject.connection, |irregularity| {
            gathered.note(irregularity, packet.stream, Some(packet.towards), packet.segment.packetid());
        });
    }
    let findings = gathered.found.into_iter().map(finding);
    findings.map(|finding| finding.of(subject.connection)).collect()
}

/// Malformed options of streams that no connection has.
pub fn outside_of_connections(capture: &Capture) -> Vec<Finding> {
    let tracking: &Tracking = &capture.tracking;
    let mut gathered = Gathered::default();
    for (segment, packet) in interruptible(capture.segments.iter().zip(&tracking.packets)) {
        let Some(malformed) = segment.malformed() else { continue };
        if tracking.subflow(packet.stream).is_none() {
            gathered.note(Irregularity::Malformed(malformed), packet.stream, None, segment.packetid());
        }
    }
    gathered.found.into_iter().map(finding).collect()
}

fn kind(irregularity: &Irregularity) -> FindingKind {
    match irregularity {
        Irregularity::Malformed(_) => FindingKind::OptionMalformed,
        Irregularity::KeyChanged { .. } => FindingKind::KeysChanged,
        Irregularity::FastcloseKey { .. } => FindingKind::FastcloseKeyInvalid,
        Irregularity::ChecksumMissing { .. } => FindingKind::ChecksumMissing,
        Irregularity::EmptyMapping => FindingKind::EmptyMapping,
        Irregularity::AddressIdReused { .. } => FindingKind::AddressIdReused,
        Irregularity::PriorityOfId { .. } => FindingKind::MpPrioInvalid,
    }
}

fn finding(found: Found) -> Finding {
    let Found { place: (kind, stream, towards), first, packets } = found;
    let what = first.iter().map(Irregularity::detail).collect::<Vec<String>>().join("; ");
    let first = packets.first().copied().unwrap_or(0);
    let from = towards.map_or_else(String::new, |towards| format!(", sent by the {}", towards.other().name()));
    let more = match packets.len() {
        1 => String::new(),
        count => format!("; {} of the stream likewise", counted(count.saturating_sub(1), "later packet")),
    };
    let detail = format!("packet {first}{from}: {what}{more}");
    let (meaning, next) = explain(kind);
    let finding = if kind == FindingKind::EmptyMapping {
        Finding::notice(kind, detail, meaning, next)
    } else {
        Finding::problem(kind, detail, meaning, next)
    };
    let finding = finding.on(stream).shown_by(packets);
    match towards {
        Some(towards) => finding.going(towards),
        None => finding,
    }
}

/// Meaning of a finding, and advice.
fn explain(kind: FindingKind) -> (&'static str, &'static str) {
    match kind {
        FindingKind::OptionMalformed => (
            "the option is complete: the sender built it wrong, or it was damaged on the path; the receiver ignores it",
            "compare the option in a capture at its sender: if it is the same there, that stack or generator built it",
        ),
        FindingKind::KeysChanged => (
            "the keys in one of the packets were changed on the path: both ends derive different tokens, data \
             sequence numbers and HMACs, so joins fail",
            "compare MP_CAPABLE in captures at both ends to find the changed packet",
        ),
        FindingKind::FastcloseKeyInvalid => (
            "it was forged, or its sender mixed up the keys. The receiver must ignore it and the connection \
             continues, but a RST that carries it still ends its subflow",
            "compare the packet in a capture at its sender: if it is missing there, it came from elsewhere",
        ),
        FindingKind::ChecksumMissing => (
            "the sender built an invalid option, or the checksum was removed on the path; the receiver cannot check \
             the data, and falls back to TCP or resets the subflow",
            "compare the length of the option in a capture at its sender, and report it to the developers of that \
             stack",
        ),
        FindingKind::AddressIdReused => (
            "the sender must withdraw an id before assigning it to another address; the receiver should ignore the \
             new address",
            "look at `ip mptcp endpoint` and the path manager of the sender",
        ),
        FindingKind::MpPrioInvalid => (
            "the sender uses the version 0 form in a version 1 connection: the priority does not change",
            "report it to the developers of that stack; to change a subflow's priority, send MP_PRIO on that subflow",
        ),
        _ => (
            "this is not an infinite mapping, because those come with data: the connection does not fall back",
            "nothing; if data without MPTCP options follow, the connection fell back after all",
        ),
    }
}
