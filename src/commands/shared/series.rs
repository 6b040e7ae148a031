//! Values over time as rows: instants counted from the first frame of the file, as `reltime` is.

use mptcp_trace::units::counted;

/// The note of an analysis that put packets in the order of time.
pub fn misplaced_note(packets: usize) -> Option<String> {
    (packets > 0).then(|| {
        format!("the file has {} after one recorded later: packets are taken in time order", counted(packets, "packet"))
    })
}
