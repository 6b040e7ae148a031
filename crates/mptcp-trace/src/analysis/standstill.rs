//! When did a subflow make no progress although data waited for an acknowledgement?

use crate::interrupt::interruptible;
use crate::packets::segment::{Segment, flag};
use crate::tracking::Role;
use crate::tracking::sequence::{Positions, RangeSet};
use crate::tracking::travelling::Travelling;
use crate::{Instant, PacketRow, Span};

/// Retransmissions without any progress that make a subflow stale. Linux calls one so after four timeouts
/// (`net.mptcp.stale_loss_cnt`); the first may come before the capture point notices.
const RETRANSMISSIONS: usize = 3;
/// A shorter time without progress is ordinary loss recovery.
const STANDSTILL: Span = Span::from_seconds(1);
/// Where answers came that acknowledged nothing: how many retransmissions after them have to be without one.
const UNANSWERED: usize = 2;
/// And for how long.
const SILENCE: Span = Span::from_milliseconds(500);

/// A time without any answer although data waited for an acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standstill {
    /// When the oldest of that data was sent, or the last answer came.
    pub from: Instant,
    /// When an answer came again, or the stream's last packet.
    pub until: Instant,
    /// Whether an answer came again.
    pub recovered: bool,
    /// Packets that sent data again meanwhile.
    pub retransmissions: Vec<u64>,
    /// Row of the first of them.
    pub row: PacketRow,
}

/// The standstills of one direction of a subflow, from its packets in the order of the file.
#[must_use]
pub fn standstills<'a>(packets: impl Iterator<Item = Travelling<'a>>, towards: Role) -> Vec<Standstill> {
    let mut progress = Progress::default();
    for packet in interruptible(packets) {
        progress.push(&packet, towards);
    }
    progress.finish()
}

/// The standstills of one direction of one subflow so far.
#[derive(Default)]
pub struct Progress {
    last: Instant,
    waiting: Waiting<PacketRow>,
    retransmissions: Vec<u64>,
    found: Vec<Standstill>,
}

impl Progress {
    /// Takes in the next packet of the subflow; the direction is that towards `towards`.
    #[inline]
    pub fn push(&mut self, packet: &Travelling<'_>, towards: Role) {
        self.last = packet.segment.abstime;
        if packet.towards == towards { self.sends(packet) } else { self.acknowledges(packet) }
    }

    /// What was found.
    #[must_use]
    pub fn finish(mut self) -> Vec<Standstill> {
        self.note(self.waiting.standstill(self.last), self.last, false);
        self.found
    }

    #[inline]
    fn sends(&mut self, packet: &Travelling<'_>) {
        let again = self.waiting.sends(packet.segment, packet.data, packet.row);
        if self.waiting.unanswered == 0 {
            self.retransmissions.clear();
        } else if again > 0 {
            self.retransmissions.push(packet.segment.packetid());
        }
    }

    #[inline]
    fn acknowledges(&mut self, packet: &Travelling<'_>) {
        let before = self.waiting.standstill(packet.segment.abstime);
        if self.waiting.acknowledges(packet.segment) {
            self.note(before, packet.segment.abstime, true);
        }
    }

    /// An answer came, or the capture is over.
    #[inline]
    fn note(&mut self, standstill: Option<(Instant, PacketRow)>, until: Instant, recovered: bool) {
        let retransmissions = std::mem::take(&mut self.retransmissions);
        if let Some((from, row)) = standstill {
            self.found.push(Standstill { from, until, recovered, retransmissions, row });
        }
    }
}

/// Data of one direction of a subflow that waits for its acknowledgement; `M` says where a packet is.
#[derive(Debug)]
pub struct Waiting<M> {
    data: Positions,
    sent: RangeSet,
    highest_sent: Option<u64>,
    acknowledged: Option<u64>,
    /// When the oldest unacknowledged data began to wait.
    since: Option<Instant>,
    /// When the receiver answered since, without acknowledging any of it.
    answered: Option<Instant>,
    /// Packets that sent data again since the oldest data began to wait.
    retransmissions: usize,
    /// Number of them after the last answer.
    unanswered: usize,
    /// The first of those, and when it was sent.
    first: Option<(M, Instant)>,
    /// Timestamp of the latest one.
    timestamp: Option<u32>,
    /// Last message of the receiver.
    heard: Heard,
    /// It said something: a capture may have the other direction alone.
    speaks: bool,
}

/// Values that distinguish acknowledgements without an advance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Heard {
    /// DATA_ACK as sent.
    data_ack: Option<u64>,
    /// The first SACK block: the one that the latest data is in (RFC 2018 §4).
    sack: Option<(u32, u32)>,
}

impl<M> Default for Waiting<M> {
    fn default() -> Self {
        Waiting {
            data: Positions::default(),
            sent: RangeSet::default(),
            highest_sent: None,
            acknowledged: None,
            since: None,
            answered: None,
            retransmissions: 0,
            unanswered: 0,
            first: None,
            timestamp: None,
            heard: Heard::default(),
            speaks: false,
        }
    }
}

impl<M: Copy> Waiting<M> {
    /// Ranges that are held after [`Waiting::limit`] at most.
    const MOST_RANGES: usize = 1024;

    /// Takes in a packet of the direction, with so many bytes of data; returns how many of them had been sent before.
    /// Keep-alives and window probes have none: nothing waits for their acknowledgement.
    #[inline]
    pub fn sends(&mut self, segment: &Segment, data: u32, place: M) -> u64 {
        let length = u64::from(data);
        if length == 0 {
            return 0;
        }
        let start = self.data.position(segment.sequence).saturating_add(u64::from(segment.has(flag::SYN)));
        let end = start.saturating_add(length);
        let again = length.saturating_sub(self.sent.insert(start, end));
        self.highest_sent = Some(self.highest_sent.map_or(end, |highest| highest.max(end)));
        if self.since.is_none() {
            self.starts_over(Some(segment.abstime));
        }
        if again > 0 {
            self.retransmissions = self.retransmissions.saturating_add(1);
            self.unanswered = self.unanswered.saturating_add(1);
            if self.unanswered == 1 {
                self.first = Some((place, segment.abstime));
            }
            self.timestamp = segment.timestamps().map(|(value, _)| value);
        }
        again
    }

    /// Takes in a packet of the other direction; true when it acknowledges more than all before, or answers data that
    /// was sent again.
    #[inline]
    pub fn acknowledges(&mut self, segment: &Segment) -> bool {
        self.speaks = true;
        if !segment.has(flag::ACK) || self.highest_sent.is_none() {
            return false;
        }
        let answers = self.answers(segment);
        let position = self.data.position(segment.acknowledgement);
        if self.acknowledged.is_some_and(|known| position <= known) {
            if answers {
                self.answered = Some(segment.abstime);
                self.unanswered = 0;
            }
            return answers;
        }
        self.acknowledged = Some(position);
        let all = self.highest_sent.is_some_and(|highest| position >= highest);
        self.starts_over((!all).then_some(segment.abstime));
        true
    }

    /// Nothing waits from now on, or other data than before.
    fn starts_over(&mut self, since: Option<Instant>) {
        self.since = since;
        self.answered = None;
        self.retransmissions = 0;
        self.unanswered = 0;
    }

    /// Whether a packet that acknowledges nothing new still shows that data sent again reached the receiver, which may
    /// have no room for it (a window probe): then the path is well. By its timestamp it answers the newest of them (RFC
    /// 7323 §4.3); without, a bare ACK does that says nothing else new, or has a new SACK block. Other subflows bring about
    /// DATA_ACKs on this one, too, and those answer nothing.
    fn answers(&mut self, segment: &Segment) -> bool {
        let data_ack = segment.dss().and_then(|dss| dss.data_ack);
        let heard = Heard {
            data_ack: data_ack.or(self.heard.data_ack),
            sack: segment.sack().first().copied().or(self.heard.sack),
        };
        let before = std::mem::replace(&mut self.heard, heard);
        if self.unanswered == 0 || segment.flags() & (flag::SYN | flag::RST) != 0 {
            return false;
        }
        let echo = segment.timestamps().map(|(_, echo)| echo).zip(self.timestamp);
        if echo.is_some_and(|(echo, sent)| echo.wrapping_sub(sent) < 1 << 31) {
            return true;
        }
        let bare = segment.payload() == Some(0) && !segment.has(flag::FIN);
        bare && (before.data_ack == heard.data_ack || before.sack != heard.sack)
    }

    /// Since when nothing has come back, and the first packet that sent data again, if that makes the subflow stale now.
    #[inline]
    #[must_use]
    pub fn standstill(&self, now: Instant) -> Option<(Instant, M)> {
        let since = self.since.filter(|_| self.speaks).filter(|since| now - *since >= STANDSTILL)?;
        let (first, sent) = self.first.filter(|_| self.retransmissions >= RETRANSMISSIONS)?;
        match self.answered {
            None => Some((since, first)),
            Some(answered) => {
                let silent = self.unanswered >= UNANSWERED && now - sent >= SILENCE;
                silent.then_some((answered, first))
            }
        }
    }

    /// Since when nothing has come back for at least as long as a [`Standstill`] takes although data were sent again, the
    /// first packet that did, and whether it was sent again as often as a standstill needs.
    #[inline]
    #[must_use]
    pub fn unanswered(&self, now: Instant) -> Option<(Instant, M, bool)> {
        if let Some((since, first)) = self.standstill(now) {
            return Some((since, first, true));
        }
        let since = self.answered.or(self.since).filter(|since| self.speaks && now - *since >= STANDSTILL)?;
        self.first.filter(|_| self.unanswered > 0).map(|(first, _)| (since, first, false))
    }

    /// Keeps what is held small: where data came with more gaps than anything but an attack has, they count as sent.
    pub fn limit(&mut self) {
        if self.sent.ranges() > Self::MOST_RANGES
            && let Some((start, end)) = self.sent.span()
        {
            self.sent.insert(start, end);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::packets::segment::{Dss, Fields};
    use crate::time::short::at_ms;

    /// A packet at a time in milliseconds.
    fn packet(time: i64, sequence: u32, acknowledgement: u32, payload: u32) -> Fields {
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Fields {
            abstime: at_ms(time),
            flags: flag::ACK,
            sequence,
            acknowledgement,
            payload: Some(payload),
            ..Fields::between((host, 1), (host, 2))
        }
    }

    fn with_data_ack(segment: Fields, data_ack: u64) -> Fields {
        Fields { dss: Some(Dss { flags: Dss::DATA_ACK, data_ack: Some(data_ack), mapping: None }), ..segment }
    }

    /// Sends 500 bytes at second 0 and again at each second until 6; `answer` says what comes back 10 ms later. Returns
    /// the standstill at second 7.
    fn sent_again(answer: impl Fn(i64) -> Option<Fields>) -> Option<(Instant, u64)> {
        let mut waiting = Waiting::default();
        let _ = waiting.acknowledges(&Segment::alone(with_data_ack(packet(0, 1, 1001, 0), 77)));
        waiting.sends(&Segment::alone(packet(0, 1, 1, 1000)), 1000, 0);
        assert!(waiting.acknowledges(&Segment::alone(with_data_ack(packet(0, 1, 1001, 0), 77))));
        for second in 0..=6_i64 {
            let sent = Fields { timestamps: Some((second as u32 * 1000, 9)), ..packet(second * 1000, 1001, 1, 500) };
            waiting.sends(&Segment::alone(sent), 500, second as u64);
            if let Some(answer) = answer(second) {
                let _ = waiting.acknowledges(&Segment::alone(answer));
            }
        }
        waiting.standstill(at_ms(7000))
    }

    #[test]
    fn data_sent_again_without_an_answer_stands_still() {
        assert_eq!(sent_again(|_| None), Some((at_ms(0), 1)));
    }

    #[test]
    fn a_receiver_that_answers_does_not_stand_still() {
        let window_probe = |second: i64| Some(with_data_ack(packet(second * 1000 + 10, 1, 1001, 0), 77));
        assert_eq!(sent_again(window_probe), None);
        // Plain TCP has no DATA_ACK.
        assert_eq!(sent_again(|second| Some(packet(second * 1000 + 10, 1, 1001, 0))), None);
        // Other subflows move the DATA_ACK; the timestamp says that the retransmission came all the same.
        let answer = |second: i64| with_data_ack(packet(second * 1000 + 10, 1, 1001, 0), 78 + second as u64);
        let echoing = |second: i64| Some(Fields { timestamps: Some((5, second as u32 * 1000)), ..answer(second) });
        assert_eq!(sent_again(echoing), None);
    }

    #[test]
    fn what_other_subflows_bring_about_answers_nothing() {
        let window_update =
            |second: i64| Some(with_data_ack(packet(second * 1000 + 10, 1, 1001, 0), 78 + second as u64));
        assert_eq!(sent_again(window_update), Some((at_ms(0), 1)));
        // Data of the other direction, sent again for the same reason.
        let data = |second: i64| Some(with_data_ack(packet(second * 1000 + 10, 1, 1001, 700), 77));
        assert_eq!(sent_again(data), Some((at_ms(0), 1)));
    }

    #[test]
    fn a_path_that_breaks_after_answers_stands_still_from_then_on() {
        let answers_at_first =
            |second: i64| (second < 3).then(|| with_data_ack(packet(second * 1000 + 10, 1, 1001, 0), 77));
        assert_eq!(sent_again(answers_at_first), Some((at_ms(2010), 3)));
    }
}
