//! Did a receive window hold the sender back?

use super::{Finding, FindingKind, Subject};
use crate::analysis::volume::seconds;
use crate::tracking::ByRole;
use crate::tracking::data::data_level;
use crate::tracking::{Role, SubflowKind};

/// A smaller share of a direction's time is not worth a line.
const SHARE: f64 = 0.1;
/// A shorter time is not worth a line either, seconds.
const SHORTEST: f64 = 0.05;

/// One direction at the data level: the window counts from DATA_ACK (RFC 8684 §3.3.4).
#[derive(Default)]
struct Direction {
    /// One past the highest octet sent.
    next: u64,
    /// DATA_ACK plus window, the highest seen.
    edge: u64,
    /// Largest payload sent: less room than this is none.
    largest: u64,
    /// Since when there is no room.
    shut: Option<i64>,
    limited: i64,
    first: Option<i64>,
    last: i64,
    shown_by: Vec<u64>,
}

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let (capture, connection) = (subject.capture, subject.connection);
    if !subject
        .connection
        .subflows
        .iter()
        .any(|id| capture.tracking.subflow(*id).is_some_and(|subflow| subflow.kind == SubflowKind::Initial))
    {
        return Vec::new();
    }
    let level = data_level(&capture.segments, &capture.tracking, connection);
    let mut directions: ByRole<Direction> = ByRole::default();
    for (packet, data) in subject.packets.iter().zip(&level.packets) {
        let segment = packet.segment;
        let sent = directions.get_mut(packet.towards);
        if let Some(dsn) = data.relative_dsn {
            sent.sends(segment.abstime, dsn, u64::from(segment.payload.unwrap_or(0)));
        }
        let window = capture.tracking.packets.get(packet.row as usize).and_then(|packet| packet.window());
        if let (Some(acknowledged), Some(window)) = (data.relative_data_ack, window) {
            let opposite = directions.get_mut(packet.towards.other());
            opposite.opens(segment.abstime, segment.packetid, acknowledged.saturating_add(u64::from(window)));
        }
    }
    Role::BOTH.iter().filter_map(|role| directions.get(*role).describe(subject, *role)).collect()
}

impl Direction {
    fn sends(&mut self, now: i64, dsn: u64, length: u64) {
        self.first.get_or_insert(now);
        self.last = now;
        self.largest = self.largest.max(length);
        self.next = self.next.max(dsn.saturating_add(length));
        self.judge(now);
    }

    fn opens(&mut self, now: i64, packetid: u64, edge: u64) {
        let had_room = self.shut.is_none();
        self.edge = self.edge.max(edge);
        self.judge(now);
        if had_room && self.shut.is_some() {
            self.shown_by.push(packetid);
        }
    }

    fn judge(&mut self, now: i64) {
        let room = self.edge.saturating_sub(self.next);
        let shut = self.edge > 0 && self.next > 0 && room < self.largest;
        match (self.shut, shut) {
            (None, true) => self.shut = Some(now),
            (Some(since), false) => {
                self.limited = self.limited.saturating_add(now.saturating_sub(since));
                self.shut = None;
            }
            _ => {}
        }
    }

    fn describe(&self, subject: &Subject<'_>, towards: Role) -> Option<Finding> {
        let duration = seconds(self.first.map(|first| (first, self.last)));
        let limited = seconds(Some((0, self.limited)));
        if limited < SHORTEST || limited < duration * SHARE {
            return None;
        }
        let detail = format!(
            "towards the {}, the receive window left no room for a full packet during {limited:.3} s of {duration:.3} s",
            towards.name()
        );
        let meaning = "the receiver's buffer bounds the transfer: its application reads slowly, or the buffer is too small for \
                       paths of so different delay";
        Some(
            Finding::notice(
                FindingKind::WindowLimited,
                detail,
                meaning,
                "look at how fast the receiving application reads, and at `net.ipv4.tcp_rmem` there",
            )
            .of(subject.connection)
            .going(towards)
            .shown_by(self.shown_by.iter().copied()),
        )
    }
}
