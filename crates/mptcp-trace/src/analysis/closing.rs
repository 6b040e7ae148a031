//! How did a connection end, as far as the capture shows?

use serde::Serialize;

use crate::PacketRow;
use crate::interrupt::interruptible;
use crate::packets::segment::{Dss, Segment};
use crate::tracking::travelling::{Travelling, signals};
use crate::tracking::{ByRole, Capture, Connection, Role, Stream};

/// Where a connection stands at the end of the capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Open, or its end was not captured.
    Open,
    /// One end sent DATA_FIN.
    HalfClosed,
    /// Both ends sent DATA_FIN; or, as after a fallback, every subflow ended, one of them with the FIN of both ends.
    Closed,
    /// An end sent MP_FASTCLOSE.
    FastClosed,
    /// Every subflow was ended by a RST.
    Reset,
}

/// How a connection was released: what ended it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Release {
    /// Both ends sent DATA_FIN (RFC 8684 §3.3.3).
    DataFin,
    /// Without that, every subflow ended and one did with the FIN of both ends, as after a fallback.
    Fin,
    /// An end sent MP_FASTCLOSE (RFC 8684 §3.5).
    Fastclose,
    /// Every subflow was ended by a RST.
    Reset,
    /// It was not: at the end of the capture it is still open.
    Open,
}

impl ConnectionState {
    /// How it came about.
    fn release(self, both_data_fins: bool) -> Release {
        match self {
            ConnectionState::Open | ConnectionState::HalfClosed => Release::Open,
            ConnectionState::Closed if both_data_fins => Release::DataFin,
            ConnectionState::Closed => Release::Fin,
            ConnectionState::FastClosed => Release::Fastclose,
            ConnectionState::Reset => Release::Reset,
        }
    }
}

/// The end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Closing {
    /// Where it stands.
    pub state: ConnectionState,
    /// How it was released.
    pub release: Release,
    /// Row of the first DATA_FIN towards either end.
    #[serde(skip)]
    pub data_fins: ByRole<Option<PacketRow>>,
    /// Row of the first MP_FASTCLOSE and the end that sent it.
    #[serde(skip)]
    pub fast_close: Option<(PacketRow, Role)>,
}

/// Whether a packet towards that end of the connection closes it by MP_FASTCLOSE. With a key that is not its receiver's it
/// closes nothing (RFC 8684 §3.5); a key that is not known is taken for right.
#[must_use]
pub fn fast_closes(segment: &Segment, towards: Role, connection: &Connection) -> bool {
    let receivers = connection.hosts.get(towards).key;
    let key = segment.control().and_then(|control| control.fastclose);
    key.is_some_and(|key| receivers.is_none_or(|receivers| receivers == key))
}

/// Looks how `connection` ended.
#[must_use]
pub fn closing(capture: &Capture, connection: &Connection) -> Closing {
    closing_among(capture, connection, signals(&capture.segments, &capture.tracking, connection))
}

/// The same, where at least the [signals](crate::Segment::is_signal) among its packets are at hand.
#[must_use]
pub fn closing_among<'a>(
    capture: &Capture,
    connection: &Connection,
    packets: impl IntoIterator<Item = Travelling<'a>>,
) -> Closing {
    let mut data_fins: ByRole<Option<PacketRow>> = ByRole::default();
    let mut fast_close = None;
    for packet in interruptible(packets) {
        if packet.segment.dss().is_some_and(|dss| dss.has(Dss::DATA_FIN)) {
            data_fins.get_mut(packet.towards).get_or_insert(packet.row);
        }
        if fast_closes(packet.segment, packet.towards, connection) {
            fast_close.get_or_insert((packet.row, packet.towards.other()));
        }
    }
    let streams = connection.subflows.iter().filter_map(|id| capture.tracking.stream(*id));
    let reset = |stream: &Stream| stream.ends.client.reset || stream.ends.server.reset;
    let finished = |stream: &Stream| stream.ends.client.fin && stream.ends.server.fin;
    // A SYN without an answer opened nothing.
    let unanswered = |stream: &Stream| stream.syn.is_some() && stream.syn_ack.is_none() && !reset(stream);
    let all_reset = streams.clone().next().is_some() && streams.clone().all(reset);
    // One subflow may end while others go on.
    let all_ended = streams.clone().all(|stream| finished(stream) || reset(stream) || unanswered(stream));
    let finished = all_ended && streams.clone().any(finished);
    let state = match (fast_close, data_fins.server, data_fins.client) {
        (Some(_), _, _) => ConnectionState::FastClosed,
        (None, Some(_), Some(_)) => ConnectionState::Closed,
        _ if finished && !all_reset => ConnectionState::Closed,
        _ if all_reset => ConnectionState::Reset,
        (None, Some(_), None) | (None, None, Some(_)) => ConnectionState::HalfClosed,
        (None, None, None) => ConnectionState::Open,
    };
    let release = state.release(data_fins.server.is_some() && data_fins.client.is_some());
    Closing { state, release, data_fins, fast_close }
}
