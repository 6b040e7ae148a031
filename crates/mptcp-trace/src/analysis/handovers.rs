//! When did data move from one subflow to another because the first one stopped?
//!
//! A subflow that carried the data of a direction stops there by a signal (RST, FIN, REMOVE_ADDR, MP_PRIO), or it falls
//! silent: what it sent stays without an answer. The data then go on over another subflow. A scheduler that merely prefers
//! another subflow hands nothing over.

mod carrying;
mod silence;
mod stops;

use serde::Serialize;

use super::availability::availability;
use super::capture_point::{CapturePoint, of_connection};
use super::joins::joins;
use crate::interrupt::interruptible;
use crate::tracking::data::{DataPacket, Mappings};
use crate::tracking::travelling::signals;
use crate::tracking::{Capture, Connection, Role};
use crate::{Instant, PacketRow, Span, StreamId};
use carrying::Carrying;

/// A subflow carries the data of a direction if it did so within this time, or was the last one that did. After MP_PRIO it
/// may go on as long.
const IN_USE: Span = Span::from_seconds(1);

/// Why a subflow stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A RST that its receiver acts on.
    Reset,
    /// The same after MP_FAIL on the subflow: a checksum had failed (RFC 8684 §3.7).
    MpFail,
    /// The FIN of the end that sends the data, before its DATA_FIN.
    Fin,
    /// REMOVE_ADDR withdraws one of its addresses (RFC 8684 §3.4.2).
    RemoveAddr,
    /// MP_PRIO made it a backup (RFC 8684 §3.3.8).
    Backup,
    /// What it sent, or would have carried, stays without an answer for a second or more.
    Silent,
}

/// Data of one direction that moved to another subflow.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Handover {
    /// The end of the connection that the data travels towards.
    pub towards: Role,
    /// TCP stream of the subflow that stopped.
    pub from: StreamId,
    /// TCP stream of the subflow that carried data next.
    pub to: StreamId,
    /// Why it stopped.
    pub cause: Cause,
    /// The packet that shows it; of a silence the first one that sent data again, `None` where that was not captured.
    pub packetid: Option<u64>,
    /// When it stopped, seconds since the first frame of the file. A silence begins with the last answer, or with the
    /// oldest data that got none; where the data arrive, with the last packet that did.
    pub stopped: f64,
    /// Its last new data until then.
    pub last_data: Option<f64>,
    /// When the next new data came, on the other subflow.
    pub resumed: f64,
    /// From the one to the other, seconds.
    pub gap: f64,
    /// The other subflow had carried data of this direction before.
    pub carried_before: bool,
    /// When the first subflow carried new data again: it had not stopped for good.
    pub returned: Option<f64>,
}

/// A subflow that stopped carrying data of a direction.
#[derive(Debug, Clone, Copy)]
struct Stop {
    /// Index of the subflow.
    subflow: usize,
    cause: Cause,
    from: Instant,
    /// When it could carry data again.
    until: Option<Instant>,
    row: Option<PacketRow>,
}

/// The handovers of a connection in the order of time.
#[must_use]
pub fn handovers(capture: &Capture, connection: &Connection) -> Vec<Handover> {
    let mut course = Course::new(connection);
    if course.0.is_some() {
        let (segments, tracking) = (&capture.segments, &capture.tracking);
        let see = |course: &mut Course, packet: &DataPacket<'_>| course.push(capture, packet);
        (course, _) = Mappings::carried_at_once(segments, tracking, connection, |_| Course::new(connection), see);
    }
    course.finish(capture, connection, of_connection(capture, connection))
}

/// The data of a connection while its packets come in the order of time; nothing where one subflow alone carries them.
pub(super) struct Course(Option<carrying::Course>);

impl Course {
    /// Before the first packet.
    pub fn new(connection: &Connection) -> Self {
        Course((connection.subflows.len() > 1).then(|| carrying::Course::new(connection)))
    }

    /// Takes in the next packet.
    #[inline]
    pub fn push(&mut self, capture: &Capture, packet: &DataPacket<'_>) {
        if let Some(course) = &mut self.0 {
            course.push(capture, packet);
        }
    }

    /// The handovers, after the last packet. `point` is where the connection was recorded.
    pub fn finish(self, capture: &Capture, connection: &Connection, point: Option<CapturePoint>) -> Vec<Handover> {
        self.0.map_or_else(Vec::new, |course| of(capture, connection, course, point))
    }
}

fn of(
    capture: &Capture,
    connection: &Connection,
    course: carrying::Course,
    point: Option<CapturePoint>,
) -> Vec<Handover> {
    let packets = signals(&capture.segments, &capture.tracking, connection);
    let available = availability(capture, connection, &joins(capture, connection), &packets);
    let carrying = course.finish(point, &available);
    let stops = stops::of(connection, (&packets, &available), &carrying);
    let mut found: Vec<(Instant, Handover)> = Vec::new();
    for towards in Role::BOTH {
        let own = carrying.get(towards);
        let mut stops: Vec<Stop> = stops.get(towards).iter().chain(&own.silences).copied().collect();
        stops.sort_by_key(|stop| stop.from);
        // When a signal stopped each subflow for good.
        let mut gone: Vec<Instant> = vec![Instant::MAX; connection.subflows.len()];
        for stop in stops.iter().rev().filter(|stop| !matches!(stop.cause, Cause::Silent | Cause::Backup)) {
            gone.get_mut(stop.subflow).into_iter().for_each(|at| *at = stop.from);
        }
        // By subflow, until when it has stopped.
        let mut stopped: Vec<Option<Instant>> = vec![None; connection.subflows.len()];
        for stop in interruptible(stops) {
            let Some(until) = stopped.get_mut(stop.subflow) else { continue };
            if until.is_some_and(|until| stop.from <= until) {
                continue;
            }
            if let Some(handover) = handover(capture, connection, (towards, stop), (own, &gone)) {
                *until = Some(stop.until.unwrap_or(Instant::MAX));
                found.push((stop.from, handover));
            }
        }
    }
    found.sort_by_key(|(from, _)| *from);
    found.into_iter().map(|(_, handover)| handover).collect()
}

fn handover(
    capture: &Capture,
    connection: &Connection,
    (towards, stop): (Role, Stop),
    (carrying, gone): (&Carrying, &[Instant]),
) -> Option<Handover> {
    let since = |time: Instant| (time - capture.origin()).seconds();
    if !carrying.is_in_use(stop.subflow, stop.from) {
        return None;
    }
    let (resumed, to) = carrying.next_on_another(stop.subflow, stop.from, gone)?;
    // It was well again before anything else was needed.
    if stop.until.is_some_and(|until| resumed >= until) {
        return None;
    }
    let returned = stop.until.and_then(|until| carrying.next_on(stop.subflow, until));
    let packet = stop.row.and_then(|row| capture.segments.get(row.index()));
    Some(Handover {
        towards,
        from: *connection.subflows.get(stop.subflow)?,
        to: *connection.subflows.get(to)?,
        cause: stop.cause,
        packetid: packet.map(|packet| packet.packetid()),
        stopped: since(stop.from),
        last_data: carrying.last_on(stop.subflow, stop.from).map(since),
        resumed: since(resumed),
        gap: (resumed - stop.from).seconds(),
        carried_before: carrying.last_on(to, stop.from).is_some(),
        returned: returned.map(since),
    })
}
