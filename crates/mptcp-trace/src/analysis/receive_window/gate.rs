//! When a receiver's window shuts and opens, told packet by packet: the same whether a capture is whole or still grows.

use super::{Offer, Plainness, ReceiveWindow, WindowLevel, carried};
use crate::StreamId;
use crate::analysis::events::EventKind;
use crate::packets::segment::{Dss, Segment, flag};
use crate::tracking::data::Numbers;
use crate::tracking::sequence::Positions;
use crate::tracking::{ByRole, PacketInStream, Role};

/// The windows of both directions of a connection.
#[derive(Debug, Clone, Default)]
pub struct Gates(ByRole<Gate>);

/// The window of one direction: that of the end which the data travel towards.
#[derive(Debug, Clone, Default)]
struct Gate {
    window: ReceiveWindow,
    plainness: Plainness,
    numbers: Numbers,
    /// Positions in the TCP stream that goes on as plain TCP.
    plain: Option<(StreamId, Positions)>,
    state: State,
    /// The sender has no more data: the window does not matter any more.
    over: bool,
}

/// Last report about a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum State {
    #[default]
    Open,
    /// There is room for less than a segment.
    Narrow,
    Zero,
}

impl Gates {
    /// Takes in the next packet of the connection, which travels towards `towards`. Tells when it shuts or opens the window
    /// of the end that sent it.
    pub fn push(&mut self, segment: &Segment, packet: &PacketInStream, towards: Role) -> Option<(EventKind, String)> {
        self.0.get_mut(towards).sends(segment);
        let end = towards.other();
        self.0.get_mut(end).offers(segment, packet, end)
    }
}

impl Gate {
    fn sends(&mut self, segment: &Segment) {
        self.window.sends(segment.payload().unwrap_or(0));
        self.over |= segment.dss().is_some_and(|dss| dss.has(Dss::DATA_FIN));
        self.over |= segment.has(flag::FIN) && matches!(self.window.level(), Some(WindowLevel::Stream(_)));
    }

    fn offers(&mut self, segment: &Segment, packet: &PacketInStream, end: Role) -> Option<(EventKind, String)> {
        let window = carried(segment, packet.window())?;
        let plain = self.plainness.push(segment);
        let data_ack = segment.dss().and_then(|dss| Some((dss.data_ack?, dss.has(Dss::DATA_ACK_8))));
        let stream = packet.stream;
        let (level, next) = match data_ack {
            Some((sent, wide)) => (WindowLevel::Data, self.numbers.working(sent, wide)),
            None if plain => (WindowLevel::Stream(stream), self.position(stream, segment.acknowledgement)),
            None => return None,
        };
        self.window.offers(Offer { level, next, window, stream });
        let state = match self.window.offered() {
            Some(0) => State::Zero,
            _ if self.window.is_shut() => State::Narrow,
            _ => State::Open,
        };
        // A window that was zero and is narrow is not told again: it is still shut.
        let shuts = state > self.state && !self.over;
        let opens = state == State::Open && self.state != State::Open;
        if !shuts && !opens {
            return None;
        }
        self.state = state;
        Some(if shuts { (EventKind::ZeroWindow, self.shuts(end)) } else { (EventKind::WindowOpen, self.opens(end)) })
    }

    fn position(&mut self, stream: StreamId, acknowledgement: u32) -> u64 {
        let (known, positions) = self.plain.get_or_insert_with(|| (stream, Positions::default()));
        if *known != stream {
            (*known, *positions) = (stream, Positions::default());
        }
        positions.position(acknowledgement)
    }

    fn shuts(&self, end: Role) -> String {
        let end = end.name();
        match self.window.offered().unwrap_or(0) {
            0 => format!("the receive window of the {end} is 0"),
            offered => {
                format!("the receive window of the {end} is {offered}, less than a segment of {}", self.window.full())
            }
        }
    }

    fn opens(&self, end: Role) -> String {
        let end = end.name();
        match self.window.offered() {
            Some(offered) => format!("the receive window of the {end} opens to {offered}"),
            None => format!("the receive window of the {end} opens, its scale was not captured"),
        }
    }
}
