//! How much time passed between the packets of a stream?

use serde::Serialize;

use crate::tracking::travelling::by_time;
use crate::tracking::{ByRole, Capture, Stream};
use crate::{Instant, Span};

/// Which packets count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Those with payload.
    Data,
    /// All, pure acknowledgements and handshakes included.
    All,
}

/// The time between two packets, one behind the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Interarrival {
    /// When the second one was recorded.
    pub time: Instant,
    /// Time after the first one.
    pub span: Span,
}

/// The time from each packet that counts to the next one of its direction, in the order of time; by the end of the
/// stream that they travel towards.
#[must_use]
pub fn interarrival(capture: &Capture, stream: &Stream, counted: Counted) -> ByRole<Vec<Interarrival>> {
    let mut latest = ByRole::<Option<Instant>>::default();
    let mut gaps = ByRole::<Vec<Interarrival>>::default();
    for packet in by_time(&capture.segments, &capture.tracking, stream) {
        if counted == Counted::Data && packet.segment.payload().unwrap_or(0) == 0 {
            continue;
        }
        let time = packet.segment.abstime;
        if let Some(before) = latest.get_mut(packet.towards).replace(time) {
            gaps.get_mut(packet.towards).push(Interarrival { time, span: time - before });
        }
    }
    gaps
}
