//! What is in flight, and the window above it, while the moments of one direction go by.

use super::super::request::{Clockwork, PlotRequest, value};
use crate::drawing::figure::Point;
use mptcp_trace::Instant;
use mptcp_trace::analysis::flight::Moment;
use mptcp_trace::tracking::Capture;

/// The points of a line of steps, and the packet that brought each about.
pub type Steps = (Vec<Point>, Vec<u64>);

/// Bytes that hold from their time until the next one, kept only at changes.
#[derive(Default)]
struct Held {
    changes: Vec<(Point, u64)>,
    last: Option<Point>,
}

impl Held {
    fn push(&mut self, point: Point, packet: u64) {
        if self.changes.last().is_none_or(|(before, _)| before.y != point.y) {
            self.changes.push((point, packet));
        }
        self.last = Some(point);
    }

    fn finish(mut self, request: &PlotRequest) -> Steps {
        // The last value lasts, which no packet brings about.
        let lasting = self.last.filter(|last| self.changes.last().is_none_or(|(change, _)| change.x < last.x));
        self.changes.extend(lasting.map(|last| (last, 0)));
        request.steps_with(self.changes).into_iter().unzip()
    }
}

/// One direction, of a subflow or at the data level.
pub struct Course<'a> {
    capture: &'a Capture,
    clockwork: Clockwork,
    request: &'a PlotRequest,
    flight: Held,
    window: Held,
    /// The last moment: when, the window, and its packet.
    last: Option<(Instant, Option<u64>, u64)>,
    shown: bool,
}

/// The lines of one direction.
pub struct InFlight {
    /// What is in flight.
    pub flight: Steps,
    /// The window, which holds until the end.
    pub window: Steps,
    /// Whether anything is in flight at a time that is shown.
    pub shown: bool,
}

impl<'a> Course<'a> {
    /// Before the first moment.
    pub fn new(capture: &'a Capture, request: &'a PlotRequest) -> Self {
        let (flight, window) = (Held::default(), Held::default());
        Course { capture, clockwork: Clockwork::of(capture), request, flight, window, last: None, shown: false }
    }

    /// Takes in the next moment.
    pub fn push(&mut self, moment: &Moment) {
        let Some(segment) = self.capture.segments.get(moment.row.index()) else { return };
        let (x, packet) = (self.clockwork.seconds(moment.time), segment.packetid());
        self.flight.push(Point { x, y: value(moment.in_flight()) }, packet);
        if let Some(window) = moment.window {
            self.window.push(Point { x, y: value(window) }, packet);
        }
        self.shown |= moment.in_flight() > 0 && self.request.shows(x);
        self.last = Some((moment.time, moment.window, packet));
    }

    /// The lines; the last packet was recorded at `end`.
    pub fn finish(mut self, end: Option<Instant>) -> InFlight {
        if let (Some((time, Some(window), packet)), Some(end)) = (self.last, end)
            && time < end
        {
            self.window.push(Point { x: self.clockwork.seconds(end), y: value(window) }, packet);
        }
        let (flight, window) = (self.flight.finish(self.request), self.window.finish(self.request));
        InFlight { flight, window, shown: self.shown }
    }
}
