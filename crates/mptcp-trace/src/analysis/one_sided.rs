//! Of which streams does the capture hold one direction only, though the other end must have spoken?

use crate::interrupt::interruptible;
use crate::packets::segment::flag;
use crate::tracking::{Capture, Connection, Role, Stream};

/// The end whose packets alone were captured although they acknowledge the other end's. `None` where both ends' packets
/// were captured, or nothing shows that the other end spoke: a SYN may have got no answer.
#[must_use]
pub fn speaker(capture: &Capture, stream: &Stream) -> Option<Role> {
    let mut speaker = None;
    let mut answers = false;
    for row in interruptible(&stream.packets) {
        let (segment, packet) = (capture.segments.get(row.index())?, capture.tracking.packets.get(*row)?);
        let sender = stream.towards(packet).other();
        if speaker.is_some_and(|known| known != sender) {
            return None;
        }
        speaker = Some(sender);
        answers |= segment.flags() & (flag::ACK | flag::RST) == flag::ACK;
    }
    speaker.filter(|_| answers)
}

/// The subflows of a connection of which one direction only was captured.
pub fn subflows<'a>(capture: &'a Capture, connection: &'a Connection) -> impl Iterator<Item = &'a Stream> + 'a {
    let streams = connection.subflows.iter().filter_map(|id| capture.tracking.stream(*id));
    streams.filter(|stream| speaker(capture, stream).is_some())
}
