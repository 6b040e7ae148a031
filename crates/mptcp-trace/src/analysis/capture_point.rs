//! Where along its path was a connection recorded? A delay means something else at either end.

use serde::Serialize;

use crate::interrupt::interruptible;
use crate::packets::segment::Segment;
use crate::parallel::each;
use crate::tracking::copies::CopiedStream;
use crate::tracking::{ByRole, Capture, Connection, Role, Stream, Tracking};
use crate::{PacketRow, Span, StreamId};

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
pub enum SeenFrom {
    /// At the sender of the direction's data.
    Sender,
    /// At their receiver.
    Receiver,
    /// Apart from both.
    Between,
}

impl SeenFrom {
    /// As in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            SeenFrom::Sender => "sender",
            SeenFrom::Receiver => "receiver",
            SeenFrom::Between => "between",
        }
    }
}

impl CapturePoint {
    /// How the direction towards `towards` sees it.
    #[must_use]
    pub fn seen(self, towards: Role) -> SeenFrom {
        match self {
            CapturePoint::At(role) if role == towards => SeenFrom::Receiver,
            CapturePoint::At(_) => SeenFrom::Sender,
            CapturePoint::Between => SeenFrom::Between,
        }
    }
}

/// Handshakes faster than this do not tell: both ends are near.
const TOO_FAST: Span = Span::from_nanoseconds(100_000);
/// The near end answers at least this many times faster than the far one.
pub(super) const FASTER: i64 = 4;
/// Time to live that hosts send with.
const INITIAL_TTL: [u8; 3] = [64, 128, 255];

/// Where a subflow was recorded, in the roles of its connection: both halves of the handshake and times to live decide
/// together. `None` where they do not tell.
#[must_use]
pub fn of_subflow(capture: &Capture, stream: &Stream) -> Option<CapturePoint> {
    let subflow = capture.tracking.subflow(stream.id)?;
    let passed_on = |copied: &CopiedStream| copied.routed && copied.passed_on();
    if capture.copies.as_ref().and_then(|copies| copies.of_stream(stream.id)).is_some_and(passed_on) {
        // The packets were recorded as they came in and as they went out, with a time to live less: a router's.
        return Some(CapturePoint::Between);
    }
    let point = decide(handshake(&capture.segments, stream), initial_times_to_live(capture, stream))?;
    Some(match point {
        CapturePoint::At(role) => CapturePoint::At(Tracking::mptcp_towards(subflow, role)),
        CapturePoint::Between => CapturePoint::Between,
    })
}

/// Where a connection was recorded: what its subflows agree on, those that do not tell left out.
#[must_use]
pub fn of_connection(capture: &Capture, connection: &Connection) -> Option<CapturePoint> {
    agreed(of_subflows(capture, connection).into_iter())
}

/// Where each subflow of a connection was recorded, in their order.
#[must_use]
pub fn of_subflows(capture: &Capture, connection: &Connection) -> Vec<Option<CapturePoint>> {
    let of = |id: &StreamId| of_subflow(capture, capture.tracking.stream(*id)?);
    each(&connection.subflows, capture.tracking.packets_of(connection), of)
}

/// What subflows agree on, those that do not tell left out.
#[must_use]
pub fn agreed(points: impl Iterator<Item = Option<CapturePoint>>) -> Option<CapturePoint> {
    let mut points = points.flatten();
    let first = points.next()?;
    points.all(|point| point == first).then_some(first)
}

/// The times that server and client took to answer in the handshake, as seen here; `None` where a part is missing or the
/// clock was set back.
fn handshake(segments: &[Segment], stream: &Stream) -> Option<(Span, Span)> {
    let time = |row: Option<PacketRow>| segments.get(row?.index()).map(|segment| segment.abstime);
    let answered = time(stream.syn_ack)?;
    // Of several SYNs the last one before the answer brought it about.
    let before = stream.packets.iter().take_while(|row| Some(**row) != stream.syn_ack);
    let syns = before.filter_map(|row| segments.get(row.index())).filter(|segment| segment.is_syn());
    let asked = syns.last()?.abstime;
    let delays = (answered - asked, time(stream.third_ack)? - answered);
    (delays.0 >= Span::ZERO && delays.1 >= Span::ZERO).then_some(delays)
}

/// The place that the halves of the handshake and the times to live of either end's packets (whether they are as hosts
/// send them) allow. A router near an end answers nothing itself, but what it passes on has lost a hop: a packet whose time
/// to live is not an initial one was not recorded where it was sent.
fn decide(delays: Option<(Span, Span)>, initial: ByRole<Option<bool>>) -> Option<CapturePoint> {
    let near = delays.and_then(|(server, client)| {
        if client * FASTER <= server {
            Some(Role::Client)
        } else if server * FASTER <= client {
            Some(Role::Server)
        } else {
            None
        }
    });
    let elsewhere = initial.client == Some(false) && initial.server == Some(false);
    match delays {
        _ if elsewhere => Some(CapturePoint::Between),
        Some((server, client)) if server.max(client) >= TOO_FAST => Some(match near {
            Some(role) if *initial.get(role) != Some(false) => CapturePoint::At(role),
            _ => CapturePoint::Between,
        }),
        // Both ends are near: only where times to live say the same as the handshake does, it is believed.
        Some(_) => near.filter(|role| tells(*role, &initial)).map(CapturePoint::At),
        // Without a handshake the first router looks like the end itself only by its times to live.
        None => Role::BOTH.into_iter().find(|role| tells(*role, &initial)).map(CapturePoint::At),
    }
}

/// Whether this end's packets alone have the time to live that they were sent with.
fn tells(role: Role, initial: &ByRole<Option<bool>>) -> bool {
    *initial.get(role) == Some(true) && *initial.get(role.other()) == Some(false)
}

/// Whether most packets of either end have a time to live that hosts send with; `None` where it was not recorded. A few
/// may be of somebody else, as the RSTs of a middlebox are.
fn initial_times_to_live(capture: &Capture, stream: &Stream) -> ByRole<Option<bool>> {
    let mut counted = ByRole::<(usize, usize)>::default();
    for row in interruptible(&stream.packets) {
        let packet = capture.tracking.packets.get(*row).filter(|packet| !packet.elsewhere);
        let (Some(packet), Some(ttl)) = (packet, capture.frames.ttl(*row)) else { continue };
        let (initial, all) = counted.get_mut(stream.towards(packet).other());
        *initial += usize::from(INITIAL_TTL.contains(&ttl));
        *all += 1;
    }
    let most = |(initial, all): (usize, usize)| (all > 0).then_some(initial * 2 > all);
    ByRole { server: most(counted.server), client: most(counted.client) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::short::ns;

    const UNKNOWN: ByRole<Option<bool>> = ByRole { client: None, server: None };
    const CLIENT: Option<CapturePoint> = Some(CapturePoint::At(Role::Client));
    const SERVER: Option<CapturePoint> = Some(CapturePoint::At(Role::Server));
    const BETWEEN: Option<CapturePoint> = Some(CapturePoint::Between);

    fn initial(client: bool, server: bool) -> ByRole<Option<bool>> {
        ByRole { client: Some(client), server: Some(server) }
    }

    fn told(server: i64, client: i64, initial: ByRole<Option<bool>>) -> Option<CapturePoint> {
        decide(Some((ns(server), ns(client))), initial)
    }

    #[test]
    fn the_end_that_answers_at_once_is_near() {
        // On one link both ends' packets have the time to live that they were sent with.
        for times in [UNKNOWN, initial(true, true)] {
            assert_eq!(told(20_000_000, 40_000, times), CLIENT);
            assert_eq!(told(40_000, 20_000_000, times), SERVER);
            assert_eq!(told(9_000_000, 11_000_000, times), BETWEEN);
            assert_eq!(told(40_000, 9_000, times), None, "both ends are near");
            assert_eq!(decide(None, times), None);
        }
    }

    #[test]
    fn a_router_near_an_end_is_not_that_end() {
        assert_eq!(told(40_000_000, 4_000_000, initial(false, false)), BETWEEN);
        assert_eq!(told(40_000_000, 50_000, initial(false, true)), BETWEEN, "one hop from the client");
        assert_eq!(told(50_000, 40_000_000, initial(true, false)), BETWEEN, "one hop from the server");
        assert_eq!(told(40_000, 30_000, initial(false, false)), BETWEEN);
        // The end itself: nothing has lost a hop there.
        assert_eq!(told(40_000_000, 50_000, initial(true, false)), CLIENT);
        assert_eq!(told(50_000, 40_000_000, initial(false, true)), SERVER);
        // Between near ends: the first router looks like the client by its times to live, but not by its handshake.
        assert_eq!(told(74_000, 28_000, initial(true, false)), None);
        assert_eq!(told(80_000, 9_000, initial(true, false)), CLIENT);
        assert_eq!(decide(None, initial(false, false)), BETWEEN);
    }

    #[test]
    fn a_direction_sees_its_own_ends() {
        assert_eq!(CapturePoint::At(Role::Client).seen(Role::Server), SeenFrom::Sender);
        assert_eq!(CapturePoint::At(Role::Client).seen(Role::Client), SeenFrom::Receiver);
        assert_eq!(CapturePoint::Between.seen(Role::Client), SeenFrom::Between);
    }
}
