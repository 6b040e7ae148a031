//! How did a connection end, as far as the capture shows?

use serde::Serialize;

use crate::PacketRow;
use crate::interrupt::interruptible;
use crate::packets::segment::{Dss, Segment, flag};
use crate::tracking::travelling::{Travelling, signals};
use crate::tracking::{ByRole, Capture, Connection, Role};

/// Where a connection stands at the end of the capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Open, or its end was not captured.
    Open,
    /// One end sent DATA_FIN.
    HalfClosed,
    /// Both ends sent DATA_FIN, or after a fallback both ends a FIN.
    Closed,
    /// An end sent MP_FASTCLOSE.
    FastClosed,
    /// Every subflow was ended by a RST.
    Reset,
}

/// The end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Closing {
    /// Where it stands.
    pub state: ConnectionState,
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

/// The same, where at least the [signals](Segment::is_signal) among its packets are at hand.
#[must_use]
pub fn closing_among<'a>(
    capture: &Capture,
    connection: &Connection,
    packets: impl IntoIterator<Item = Travelling<'a>>,
) -> Closing {
    let mut data_fins: ByRole<Option<PacketRow>> = ByRole::default();
    let mut fins = ByRole { server: false, client: false };
    let mut fast_close = None;
    for packet in interruptible(packets) {
        if packet.segment.dss().is_some_and(|dss| dss.has(Dss::DATA_FIN)) {
            data_fins.get_mut(packet.towards).get_or_insert(packet.row);
        }
        *fins.get_mut(packet.towards) |= packet.ends_with(flag::FIN);
        if fast_closes(packet.segment, packet.towards, connection) {
            fast_close.get_or_insert((packet.row, packet.towards.other()));
        }
    }
    let streams = connection.subflows.iter().filter_map(|id| capture.tracking.stream(*id));
    let all_reset =
        streams.clone().next().is_some() && streams.clone().all(|s| s.ends.client.reset || s.ends.server.reset);
    let state = match (fast_close, data_fins.server, data_fins.client) {
        (Some(_), _, _) => ConnectionState::FastClosed,
        (None, Some(_), Some(_)) => ConnectionState::Closed,
        _ if fins.server && fins.client && !all_reset => ConnectionState::Closed,
        _ if all_reset => ConnectionState::Reset,
        (None, Some(_), None) | (None, None, Some(_)) => ConnectionState::HalfClosed,
        (None, None, None) => ConnectionState::Open,
    };
    Closing { state, data_fins, fast_close }
}
