//! Fate of each packet between two captures of one transfer.
//!
//! Every packet that one end sent is put beside the same packet as the other end's capture recorded it. Packets are the
//! same when what no path changes is the same: sequence and acknowledgement number, TCP timestamps (all of them relative
//! to the stream, because a middlebox may have shifted them), length and flags; addresses and ports do not count. Where several
//! packets are alike in all of that, the IPv4 identification, then the other options, then their order in time tell
//! them apart. What one end recorded as one large frame (segmentation offload) and the other as several is matched by
//! ranges of bytes.
//!
//! Linear in packets but for logarithms.

mod directions;
mod fate;
mod matching;
mod passing;
mod ranges;
mod shift;
mod side;
mod timestamps;
mod window;

use serde::Serialize;

use super::mapping::StreamPair;
pub use super::mapping::Which;
use crate::interrupt::interruptible;
use crate::interrupt::{self, Interrupted};
use crate::tracking::{Capture, Role};
use crate::{Instant, PacketRow, Span};
use directions::{Captures, MergedDirection};
use matching::Alike;

/// Fate of a packet, or of a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It was recorded at both ends.
    Received,
    /// The network delivered it again; the sender had sent it once.
    Duplicate,
    /// It was sent and did not arrive.
    Lost,
    /// It was sent, and would have arrived before the receiver's capture began or after it ended, or may have: whether it
    /// did is not known.
    OutsideCapture,
    /// It was sent, and the receiver's capture lacks it although it arrived: the receiver acknowledged what nothing else
    /// brought. Or that capture holds nothing of the direction that the sender's has.
    NotCapturedAtReceiver,
    /// It arrived and the sender's capture lacks it; or something on the path made it.
    NotCapturedAtSender,
}

impl Fate {
    /// The name that JSON and tables have for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Fate::Received => "received",
            Fate::Duplicate => "duplicate",
            Fate::Lost => "lost",
            Fate::OutsideCapture => "outside_capture",
            Fate::NotCapturedAtReceiver => "not_captured_at_receiver",
            Fate::NotCapturedAtSender => "not_captured_at_sender",
        }
    }
}

/// A packet, or a part of its payload, on its way from one end to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passage {
    /// Row in the capture near the sender.
    pub sender: Option<PacketRow>,
    /// Row in the capture near the receiver.
    pub receiver: Option<PacketRow>,
    /// When the sender's capture recorded it by its own clock.
    pub sent: Option<Instant>,
    /// When the receiver's capture recorded it, by its own clock.
    pub arrived: Option<Instant>,
    /// Where this part begins in the payload that the sender's capture recorded (the receiver's, where only that one
    /// has it), bytes.
    pub offset: u32,
    /// Bytes of payload in this part; of a packet that does not tell its length, 0.
    pub length: u32,
    /// Outcome.
    pub fate: Fate,
    /// It arrived behind something that was sent later on the same subflow (RFC 4737 §3.3). Only of those received.
    pub reordered: bool,
}

impl Passage {
    /// Receiver's time minus sender's, each by its own clock.
    #[must_use]
    pub fn delay(&self) -> Option<Span> {
        Some(self.arrived? - self.sent?)
    }
}

/// One direction of one stream.
#[derive(Debug, Clone)]
pub struct StreamPassages {
    /// The stream.
    pub pair: StreamPair,
    /// The end of the TCP stream that the packets travel towards.
    pub tcp_towards: Role,
    /// The end of the MPTCP connection that they travel towards, for subflows.
    pub mptcp_towards: Option<Role>,
    /// The capture near the sender.
    pub sender: Which,
    /// In the order in which they were sent; what only the receiver's capture has comes last.
    pub passages: Vec<Passage>,
}

impl StreamPassages {
    /// The end that packets travel towards: of the connection for subflows, of the stream for plain TCP.
    #[must_use]
    pub fn towards(&self) -> Role {
        self.mptcp_towards.unwrap_or(self.tcp_towards)
    }
}

/// Evidence for which capture was taken nearer to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SideEvidence {
    /// An answer comes later where the question was asked.
    RoundTrips,
    /// Nothing tells: the first capture is taken for the client's.
    Assumed,
}

/// Streams of two captures put together.
#[derive(Debug, Clone)]
pub struct Merged {
    /// The capture nearer to the client: of the connection, or of the stream when it is plain TCP.
    pub client: Which,
    /// Its evidence.
    pub evidence: SideEvidence,
    /// Both directions of each stream, in the order of the pairs; towards the stream's server first.
    pub flows: Vec<StreamPassages>,
}

/// Puts `pairs` of streams of two captures together: the subflows of one connection, or a single stream. Pairs that the
/// captures do not have are left out.
///
/// # Errors
/// [`Interrupted`] by Ctrl-C.
pub fn merge(first: &Capture, second: &Capture, pairs: &[StreamPair]) -> Result<Merged, Interrupted> {
    let captures = Captures { first, second };
    let mut votes = side::Votes::default();
    let mut streams = Vec::with_capacity(pairs.len());
    for pair in interruptible(pairs) {
        interrupt::check()?;
        let Some(directions) = with_alike(&captures, *pair) else { continue };
        let opened_by_server = captures.opened_by_server(*pair);
        votes.add(&directions, opened_by_server);
        streams.push((*pair, opened_by_server, directions));
    }
    let (client, evidence) = votes.decide();
    let recorded = (directions::recorded_span(first), directions::recorded_span(second));
    let mut flows = Vec::with_capacity(streams.len().saturating_mul(2));
    for (pair, opened_by_server, [to_server, to_client]) in interruptible(streams) {
        interrupt::check()?;
        let tcp_client = if opened_by_server { client.other() } else { client };
        let mut forth = passing::Passing::new(&to_server.0, &to_server.1, tcp_client, &captures);
        let mut back = passing::Passing::new(&to_client.0, &to_client.1, tcp_client.other(), &captures);
        forth.tell_lost_from_unseen(&back, recorded);
        back.tell_lost_from_unseen(&forth, recorded);
        for (tcp_towards, passing) in [(Role::Server, forth), (Role::Client, back)] {
            let mptcp_towards = captures.mptcp_towards(pair, tcp_towards);
            let sender = passing.sender;
            flows.push(StreamPassages { pair, tcp_towards, mptcp_towards, sender, passages: passing.passages() });
        }
    }
    Ok(Merged { client, evidence, flows })
}

/// Which of two captures was taken nearer to the client, without putting the packets together.
///
/// # Errors
/// [`Interrupted`] by Ctrl-C.
pub fn nearer_to_client(
    first: &Capture,
    second: &Capture,
    pairs: &[StreamPair],
) -> Result<(Which, SideEvidence), Interrupted> {
    let captures = Captures { first, second };
    let mut votes = side::Votes::default();
    for pair in interruptible(pairs) {
        interrupt::check()?;
        if let Some(directions) = with_alike(&captures, *pair) {
            votes.add(&directions, captures.opened_by_server(*pair));
        }
    }
    Ok(votes.decide())
}

/// Both directions of a stream, and which of their packets are alike.
fn with_alike(captures: &Captures<'_>, pair: StreamPair) -> Option<[(MergedDirection, Alike); 2]> {
    let directions = captures.directions(pair)?;
    Some(directions.map(|direction| {
        let alike = matching::alike(&direction);
        (direction, alike)
    }))
}
