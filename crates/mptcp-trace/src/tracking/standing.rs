//! How far both ends of a stream have come, and what a packet is by that: a keep-alive, a window probe, a RST or FIN that
//! its receiver does not act on.
//!
//! One look at each packet, in the order of the file, with a few numbers for each end.

use crate::packets::segment::{Segment, flag};
use crate::{Instant, PacketRow, Span};

/// Role of a packet in its stream, beyond its flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nature {
    /// Nothing more.
    #[default]
    Ordinary,
    /// A keep-alive (RFC 9293 §3.8.4): sequence number one before the next one, all of it acknowledged, and no byte or
    /// one that was sent before. Its byte is not data.
    KeepAlive,
    /// A zero-window probe (RFC 9293 §3.8.6.1): while the window is shut, a byte that was acknowledged before, none, or
    /// the next one, which the receiver did not take. Its byte is not data.
    WindowProbe,
    /// A zero-window probe with the next byte, which the receiver took: data sent for the first time.
    AcceptedProbe,
    /// A RST or FIN that its receiver does not act on: out of its window, or no answer to its SYN (RFC 9293 §3.10.7, RFC
    /// 5961 §3).
    Stray,
    /// The same, and it is known to be of an earlier use of the ports.
    Late,
    /// The ACK with which an end answers a RST out of its window (RFC 5961 §3.2).
    ChallengeAck,
    /// A copy of an earlier packet, made by the path: it repeats it in everything that a sender changes when it sends
    /// again.
    Duplicate,
    /// The same, but this sender changes nothing that would tell: the path or the sender repeated the packet.
    Alike,
}

impl Nature {
    /// Whether the packet's payload is none of the data that the stream carries.
    #[inline]
    #[must_use]
    pub fn is_without_data(self) -> bool {
        matches!(self, Nature::KeepAlive | Nature::WindowProbe) || self.is_stray()
    }

    /// Whether the packet is a RST or FIN that its receiver does not act on.
    #[inline]
    #[must_use]
    pub fn is_stray(self) -> bool {
        matches!(self, Nature::Stray | Nature::Late)
    }
}

/// Data sent and acknowledged by one end so far. All numbers are as sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standing {
    /// Sequence number of its SYN, until so much was sent that it tells nothing any more.
    first: Option<u32>,
    /// The next sequence number that it will send.
    next: Option<u32>,
    /// The next sequence number that it expects, by its acknowledgements.
    acknowledged: Option<u32>,
    /// What it acknowledged before anything of the other end was seen: the answer to its SYN was not captured.
    unsure: Option<u32>,
    /// How far its window ever reached.
    edge: u32,
    /// The window field of its latest acknowledgement is 0.
    shut: bool,
    /// It sent a FIN.
    fin: bool,
    /// A RST has ended it: nothing that comes later changes that.
    ended: bool,
    /// Its last data: a segment of one byte, and when it was sent.
    alone: Option<(u32, Instant)>,
    /// A probe with its next byte, of which it is not known whether the receiver took it: row and sequence number.
    probe: Option<(PacketRow, u32)>,
    /// A RST out of its window has just come.
    challenged: bool,
}

/// An byte beyond what was captured of an end may be acknowledged: some of its packets may be missing.
const MISSED: u32 = 1 << 30;
/// The same while nothing but its SYN was captured.
const MISSED_AFTER_SYN: u32 = 1 << 20;
/// A single byte that comes again sooner than this after it was sent is its retransmission: nothing else
/// tells it from a keep-alive, which waits for longer (RFC 9293 §3.8.4), as a first retransmission does not.
const KEEPALIVE_SOONEST: Span = Span::from_seconds(5);

/// What `segment` in row `row` is, sent by `own` to `peer`; `window` is its scaled window, where the scale is known.
/// Beside it the row of an earlier probe that is now known to have been taken.
#[inline]
pub fn judge(
    segment: &Segment,
    row: PacketRow,
    window: Option<u32>,
    own: &mut Standing,
    peer: &mut Standing,
) -> (Nature, Option<PacketRow>) {
    if segment.has(flag::RST) {
        let acts = peer.ended || own.reset_acts_on(peer, segment) || peer.was_missed(segment);
        peer.ended |= acts;
        peer.challenged = !acts;
        return (if acts { Nature::Ordinary } else { Nature::Stray }, None);
    }
    if segment.has(flag::ACK) && !peer.may_be_acknowledged(segment.acknowledgement) {
        // Of an earlier use of the ports: it says nothing of this one.
        return (if segment.has(flag::FIN) { Nature::Stray } else { Nature::Ordinary }, None);
    }
    if segment.has(flag::FIN) && !peer.ended && !own.fin_acts_on(peer, segment) && !peer.was_missed(segment) {
        return (Nature::Stray, None);
    }
    let nature = own.look_at(segment, row, peer);
    let taken = if nature == Nature::Ordinary { own.send(segment) } else { None };
    if segment.payload().is_some_and(|length| length > 0) {
        // What is due now is an acknowledgement of data.
        peer.challenged = false;
    }
    let taken = if segment.has(flag::ACK) { own.acknowledge(segment, window, peer) } else { None }.or(taken);
    (nature, taken)
}

impl Standing {
    /// Whether an acknowledgement of this number can be one of what this end sent.
    fn may_be_acknowledged(&self, number: u32) -> bool {
        let (Some(first), Some(next)) = (self.first, self.next) else { return true };
        let sent = next.wrapping_sub(first);
        let missed = if sent > 1 { MISSED } else { MISSED_AFTER_SYN };
        number.wrapping_sub(first).wrapping_sub(1) < sent.saturating_add(missed)
    }

    /// Whether the other end acknowledges more than was captured of this one: then its window may have moved unseen, too.
    fn was_missed(&self, segment: &Segment) -> bool {
        let plausible = segment.has(flag::ACK) && self.may_be_acknowledged(segment.acknowledgement);
        plausible
            && self.acknowledged.is_some()
            && self.next.is_some_and(|next| is_beyond(segment.acknowledgement, next))
    }

    /// Whether `receiver` acts on a RST of this end.
    fn reset_acts_on(&self, receiver: &Standing, segment: &Segment) -> bool {
        match receiver.acknowledged {
            // RST one before the expected number, after a FIN: some ends send it in answer to an earlier ACK.
            Some(expected) => {
                receiver.expects(expected, segment.sequence, self)
                    || (self.fin && segment.sequence == expected.wrapping_sub(1))
            }
            None => {
                receiver.unsure == Some(segment.sequence)
                    || self.fits_the_beginning(receiver, segment, segment.sequence)
            }
        }
    }

    /// Whether `receiver` acts on a FIN of this end, now or when it came before.
    fn fin_acts_on(&self, receiver: &Standing, segment: &Segment) -> bool {
        let position = segment.sequence.wrapping_add(segment.payload().unwrap_or(0));
        match receiver.acknowledged {
            Some(expected) => receiver.expects(expected, position, self) || expected == position.wrapping_add(1),
            None => self.fits_the_beginning(receiver, segment, position),
        }
    }

    /// Whether a number is in the window of this end, which expects `expected`: as far as it allowed, or the other end
    /// went.
    fn expects(&self, expected: u32, number: u32, sender: &Standing) -> bool {
        let within = |end: u32| !is_beyond(number, end);
        !is_beyond(expected, number) && (within(self.edge) || sender.next.is_some_and(within))
    }

    /// Whether a RST or FIN of this end fits, when `receiver` has acknowledged nothing yet.
    fn fits_the_beginning(&self, receiver: &Standing, segment: &Segment, position: u32) -> bool {
        if let Some(next) = self.next {
            // It sent something in this use of the ports.
            let first = self.first.unwrap_or_else(|| next.wrapping_sub(MISSED));
            return !is_beyond(first, position) && !is_beyond(position, next.wrapping_add(MISSED_AFTER_SYN));
        }
        match (receiver.first, receiver.next) {
            // To a SYN a RST is valid only when it acknowledges it (RFC 9293 §3.10.7.3).
            (Some(first), Some(next)) => {
                let sent = next.wrapping_sub(first);
                segment.has(flag::ACK) && segment.acknowledgement.wrapping_sub(first).wrapping_sub(1) < sent
            }
            _ => true,
        }
    }

    /// What a packet of this end without RST is.
    fn look_at(&mut self, segment: &Segment, row: PacketRow, peer: &Standing) -> Nature {
        let challenged = std::mem::take(&mut self.challenged);
        if segment.flags() & (flag::SYN | flag::FIN) != 0 {
            return Nature::Ordinary;
        }
        let (Some(next), Some(length)) = (self.next, segment.payload().filter(|length| *length <= 1)) else {
            return Nature::Ordinary;
        };
        if length == 0 && segment.sequence == next {
            let repeats = challenged && self.acknowledged == Some(segment.acknowledgement);
            return if repeats { Nature::ChallengeAck } else { Nature::Ordinary };
        }
        // All that was sent is acknowledged: nothing is due.
        if peer.acknowledged != Some(next) || self.fin {
            return Nature::Ordinary;
        }
        if segment.sequence == next && peer.shut {
            self.probe = Some((row, next));
            return Nature::WindowProbe;
        }
        if segment.sequence != next.wrapping_sub(1) {
            return Nature::Ordinary;
        }
        if peer.shut {
            return Nature::WindowProbe;
        }
        let soon = |sent: Instant| segment.abstime - sent < KEEPALIVE_SOONEST;
        let again = length == 1 && self.alone.is_some_and(|(one, sent)| one == segment.sequence && soon(sent));
        if again { Nature::Ordinary } else { Nature::KeepAlive }
    }

    /// Takes in what a packet of this end adds. Returns the row of a probe that must have been taken, because this end
    /// goes on behind it.
    fn send(&mut self, segment: &Segment) -> Option<PacketRow> {
        if segment.has(flag::SYN) {
            self.first = Some(segment.sequence);
        }
        self.fin |= segment.has(flag::FIN);
        let length = segment.payload().unwrap_or(0);
        let control = u32::from(segment.has(flag::SYN)).wrapping_add(u32::from(segment.has(flag::FIN)));
        let end = segment.sequence.wrapping_add(length).wrapping_add(control);
        let before = self.next;
        if before.is_none_or(|next| is_beyond(end, next)) {
            self.next = Some(end);
            self.first = self.first.filter(|first| end.wrapping_sub(*first) < MISSED);
        }
        if length > 0 {
            self.alone = (length == 1).then_some((segment.sequence, segment.abstime));
        }
        let (row, number) = self.probe?;
        let goes_on = segment.sequence == number.wrapping_add(1);
        if goes_on || (length > 0 && is_beyond(end, number)) {
            self.probe = None;
        }
        goes_on.then_some(row)
    }

    /// Takes in what a packet of this end acknowledges. Returns the row of a probe of `peer` that it takes.
    fn acknowledge(&mut self, segment: &Segment, window: Option<u32>, peer: &mut Standing) -> Option<PacketRow> {
        let number = segment.acknowledgement;
        if peer.next.is_none()
            && let Some(first) = self.first
        {
            // Linux of MPTCP version 0 sends ACKs before the answer, with the SYN's own sequence number.
            self.unsure = Some(number).filter(|_| segment.sequence != first);
            return None;
        }
        if self.acknowledged.is_some_and(|known| is_beyond(known, number)) {
            // A late one: its window is outdated.
            return None;
        }
        // Without the scale the window is at most this.
        let window = window.unwrap_or(u32::from(segment.window) << 14);
        let edge = number.wrapping_add(window);
        if self.acknowledged.is_none() || is_beyond(edge, self.edge) {
            self.edge = edge;
        }
        self.acknowledged = Some(number);
        self.shut = segment.window == 0;
        let (row, probed) = peer.probe?;
        if number != probed.wrapping_add(1) {
            return None;
        }
        peer.probe = None;
        peer.next = Some(number);
        peer.alone = None;
        Some(row)
    }
}

/// Whether a sequence number lies beyond another (RFC 9293 §3.4).
fn is_beyond(number: u32, other: u32) -> bool {
    // Reinterpreted, the difference is the signed distance.
    #[allow(clippy::cast_possible_wrap)]
    let distance = number.wrapping_sub(other) as i32;
    distance > 0
}

#[cfg(test)]
mod tests;
