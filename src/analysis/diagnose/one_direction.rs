//! Does the capture hold one direction only?

use super::{Finding, FindingKind};
use mptcp_trace::analysis::one_sided::speaker;
use mptcp_trace::tracking::Capture;

/// With fewer packets a stream says nothing of how the capture was taken: the end of one that was closed before, or the
/// beginning of one that the capture's end cut off.
const PACKETS: usize = 3;

pub fn find(capture: &Capture) -> Option<Finding> {
    let streams = || capture.tracking.streams.iter().filter(|stream| stream.packets.len() >= PACKETS);
    let one_sided: Vec<_> = streams().filter_map(|stream| Some((stream, speaker(capture, stream)?))).collect();
    let (first, by) = *one_sided.first()?;
    let total = streams().count();
    let detail = format!(
        "for {}, the capture has packets of one end only, which acknowledge data not in the capture; the first is tcp \
         {}, from {}",
        if total == 1 { "its TCP stream".to_string() } else { format!("{} of {total} TCP streams", one_sided.len()) },
        first.id,
        first.endpoint(by)
    );
    let shown = one_sided.iter().filter_map(|(stream, _)| capture.segments.get(stream.packets.first()?.index()));
    Some(
        Finding::notice(
            FindingKind::OneDirectionOnly,
            detail,
            "a capture filter or mirror port covered one direction only, or the return path was another one: round \
             trips, losses and answers cannot be determined",
            "capture both directions: no `src` or `dst` in the filter, and both directions of a mirrored port",
        )
        .shown_by(shown.map(|segment| segment.packetid())),
    )
}
