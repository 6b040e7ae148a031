//! How much time passed between the packets of a stream?

use crate::tracking::travelling::in_time_order;
use crate::tracking::{ByRole, Capture, Stream};

/// Which packets count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Those with payload.
    Data,
    /// All, pure acknowledgements and handshakes included.
    All,
}

/// Times from each packet that counts to the next one of its direction, nanoseconds, in the order of time; by the end
/// of the stream that they travel towards.
#[must_use]
pub fn interarrival(capture: &Capture, stream: &Stream, counted: Counted) -> ByRole<Vec<i64>> {
    let mut latest = ByRole::<Option<i64>>::default();
    let mut spans = ByRole::<Vec<i64>>::default();
    for packet in in_time_order(&capture.segments, &capture.tracking, stream) {
        if counted == Counted::Data && packet.segment.payload.unwrap_or(0) == 0 {
            continue;
        }
        let time = packet.segment.abstime;
        if let Some(before) = latest.get_mut(packet.towards).replace(time) {
            spans.get_mut(packet.towards).push(time.saturating_sub(before));
        }
    }
    spans
}
