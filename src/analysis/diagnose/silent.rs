//! Did a subflow fall silent while the others went on? What the sender's capture shows as a standstill, the
//! receiver's shows so.

use super::{Finding, FindingKind, Subject};
use mptcp_trace::analysis::capture_point::SeenFrom;
use mptcp_trace::packets::segment::flag;
use mptcp_trace::tracking::{Role, Travelling};
use mptcp_trace::units::counted;
use mptcp_trace::{Instant, Span};

/// A shorter silence may be the scheduler's choice.
const SILENCE: Span = Span::from_seconds(1);
/// Bytes that a subflow must have carried before, and the others meanwhile, to speak of silence.
const CARRIED: u64 = 100_000;

/// One direction of one subflow.
#[derive(Clone, Default)]
struct Flow {
    carried: u64,
    last: Option<(Instant, u64)>,
    /// Data of all subflows when this one was last heard.
    others_at_last: u64,
    closed: bool,
}

/// The silences of one direction's subflows, while the packets of the connection go by.
#[derive(Default)]
pub struct Quiet {
    flows: Vec<Flow>,
    total: u64,
    now: Instant,
    found: Vec<Silence>,
}

/// A subflow was silent while the others went on.
struct Silence {
    /// Its index.
    subflow: usize,
    /// When it was heard last, and with which packet.
    last: (Instant, u64),
    until: Instant,
    /// Bytes that the others carried meanwhile.
    others: u64,
    /// It was heard again.
    ended: bool,
}

impl Quiet {
    /// Before the first packet.
    pub fn new(subflows: usize) -> Self {
        Quiet { flows: vec![Flow::default(); subflows], ..Quiet::default() }
    }

    /// Takes in the next packet; the direction is that towards `towards`.
    pub fn push(&mut self, packet: &Travelling<'_>, towards: Role) {
        self.now = packet.segment.abstime;
        if packet.towards == towards {
            self.found.extend(self.silence(packet.subflow, true));
            self.total += u64::from(packet.data);
        }
        let Some(flow) = self.flows.get_mut(packet.subflow) else { return };
        if packet.towards == towards {
            flow.carried += u64::from(packet.data);
            flow.last = Some((self.now, packet.segment.packetid()));
            flow.others_at_last = self.total;
        }
        flow.closed |= packet.ends_with(flag::FIN) || packet.ends_with(flag::RST);
    }

    fn silence(&self, subflow: usize, ended: bool) -> Option<Silence> {
        let flow = self.flows.get(subflow)?;
        let last = flow.last?;
        let others = self.total.saturating_sub(flow.others_at_last);
        if flow.closed || flow.carried < CARRIED || others < CARRIED || self.now - last.0 < SILENCE {
            return None;
        }
        Some(Silence { subflow, last, until: self.now, others, ended })
    }
}

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let of = |towards: Role| {
        let quiet = subject.passed.quiet.get(towards);
        let to_the_end = (0..quiet.flows.len()).filter_map(|subflow| quiet.silence(subflow, false));
        let to_the_end: Vec<Silence> = to_the_end.collect();
        let silences = quiet.found.iter().chain(&to_the_end);
        silences.filter_map(|silence| describe(subject, towards, silence)).collect::<Vec<Finding>>()
    };
    Role::BOTH.into_iter().flat_map(of).collect()
}

fn describe(subject: &Subject<'_>, towards: Role, silence: &Silence) -> Option<Finding> {
    let Silence { subflow, last: (last, packetid), until: now, others, ended } = *silence;
    let own = subject.available.get(subflow)?;
    // Once the others can carry data again, a backup falls silent.
    if own.is_changed(now) || own.is_backup(last) {
        return None;
    }
    let until = if ended { format!("until {}", subject.time(now)) } else { "to the end of the capture".to_string() };
    let detail = format!(
        "towards the {}, the subflow carried nothing from {} {until} ({:.1} s), while the others carried {}",
        towards.name(),
        subject.time(last),
        (now - last).seconds(),
        counted(others, "byte")
    );
    let (meaning, next) = match subject.place(subflow, towards) {
        Some(SeenFrom::Sender) => (
            "the sender's scheduler preferred the others; less likely, the path was down too briefly to cause \
             retransmissions",
            "compare round trips and losses of the subflows (`rtt`, `tcp_summary`)",
        ),
        _ => (
            "its path was down, or the sender's scheduler stopped using it",
            "capture at the sender and look for retransmissions in that time",
        ),
    };
    Some(
        Finding::notice(FindingKind::SubflowSilent, detail, meaning, next)
            .of(subject.connection)
            .on(own.tcpstream)
            .going(towards)
            .shown_by([packetid]),
    )
}
