//! Where along its path was a connection recorded? A delay means something else at either end.

use serde::Serialize;

use crate::packets::segment::Segment;
use crate::tracking::{Capture, Connection, Role, Stream, Tracking};

/// Where a stream or connection was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapturePoint {
    /// At this end.
    At(Role),
    /// On the way, apart from both ends.
    Between,
}

/// The same as one direction sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// At the sender of the direction's data.
    Sender,
    /// At their receiver.
    Receiver,
    /// Apart from both.
    Between,
}

impl Place {
    /// As in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Place::Sender => "sender",
            Place::Receiver => "receiver",
            Place::Between => "between",
        }
    }
}

impl CapturePoint {
    /// How the direction towards `towards` sees it.
    #[must_use]
    pub fn seen(self, towards: Role) -> Place {
        match self {
            CapturePoint::At(role) if role == towards => Place::Receiver,
            CapturePoint::At(_) => Place::Sender,
            CapturePoint::Between => Place::Between,
        }
    }
}

/// Handshakes faster than this, in nanoseconds, do not tell: both ends are near.
const TOO_FAST: i64 = 100_000;
/// The near end answers at least this many times faster than the far one.
const FASTER: i64 = 4;
/// Time to live that hosts send with.
const INITIAL_TTL: [u8; 3] = [64, 128, 255];

/// Where a subflow was recorded, in the roles of its connection: told by which end answered the handshake at once, or
/// else by whose packets still have the time to live that hosts send with. `None` where neither tells.
#[must_use]
pub fn of_subflow(capture: &Capture, stream: &Stream) -> Option<CapturePoint> {
    let subflow = capture.tracking.subflow(stream.id)?;
    let point = by_handshake(&capture.segments, stream).or_else(|| by_time_to_live(capture, stream))?;
    Some(match point {
        CapturePoint::At(role) => CapturePoint::At(Tracking::mptcp_towards(subflow, role)),
        CapturePoint::Between => CapturePoint::Between,
    })
}

/// Where a connection was recorded: what its subflows agree on, those that do not tell left out.
#[must_use]
pub fn of_connection(capture: &Capture, connection: &Connection) -> Option<CapturePoint> {
    let streams = connection.subflows.iter().filter_map(|id| capture.tracking.stream(*id));
    let mut points = streams.filter_map(|stream| of_subflow(capture, stream));
    let first = points.next()?;
    points.all(|point| point == first).then_some(first)
}

fn by_handshake(segments: &[Segment], stream: &Stream) -> Option<CapturePoint> {
    let time = |row: Option<u32>| segments.get(row? as usize).map(|segment| segment.abstime);
    let answered = time(stream.syn_ack)?;
    // Of several SYNs the last one before the answer brought it about.
    let before = stream.packets.iter().take_while(|row| Some(**row) != stream.syn_ack);
    let syns = before.filter_map(|row| segments.get(*row as usize)).filter(|segment| segment.is_syn());
    let asked = syns.last()?.abstime;
    from_delays(answered.saturating_sub(asked), time(stream.third_ack)?.saturating_sub(answered))
}

/// From the times that server and client took to answer, as seen here.
fn from_delays(server: i64, client: i64) -> Option<CapturePoint> {
    if server < 0 || client < 0 || server.max(client) < TOO_FAST {
        return None;
    }
    Some(if client.saturating_mul(FASTER) <= server {
        CapturePoint::At(Role::Client)
    } else if server.saturating_mul(FASTER) <= client {
        CapturePoint::At(Role::Server)
    } else {
        CapturePoint::Between
    })
}

fn by_time_to_live(capture: &Capture, stream: &Stream) -> Option<CapturePoint> {
    let column = capture.dissection.table.column("ttl").ok()?.u8().ok()?;
    let unchanged = |sender: Role| {
        let packets = stream.packets.iter().filter(|row| {
            capture.tracking.packets.get(**row as usize).is_some_and(|p| stream.towards(p) == sender.other())
        });
        let mut values = packets.filter_map(|row| column.get(*row as usize)).peekable();
        values.peek()?;
        Some(values.all(|value| INITIAL_TTL.contains(&value)))
    };
    match (unchanged(Role::Client)?, unchanged(Role::Server)?) {
        (true, false) => Some(CapturePoint::At(Role::Client)),
        (false, true) => Some(CapturePoint::At(Role::Server)),
        // On one link both are unchanged; where both were changed, it was recorded on the way.
        (true, true) => None,
        (false, false) => Some(CapturePoint::Between),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_that_answers_at_once_is_near() {
        assert_eq!(from_delays(20_000_000, 40_000), Some(CapturePoint::At(Role::Client)));
        assert_eq!(from_delays(40_000, 20_000_000), Some(CapturePoint::At(Role::Server)));
        assert_eq!(from_delays(9_000_000, 11_000_000), Some(CapturePoint::Between));
        assert_eq!(from_delays(40_000, 9_000), None, "both ends are near");
        assert_eq!(from_delays(-1, 20_000_000), None, "the clock was set back");
    }

    #[test]
    fn a_direction_sees_its_own_ends() {
        assert_eq!(CapturePoint::At(Role::Client).seen(Role::Server), Place::Sender);
        assert_eq!(CapturePoint::At(Role::Client).seen(Role::Client), Place::Receiver);
        assert_eq!(CapturePoint::Between.seen(Role::Client), Place::Between);
    }
}
