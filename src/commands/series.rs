//! Values over time as rows: instants counted from the first frame of the file, as `reltime` is.

use crate::packets::cells::{Cells, Value};
use crate::tracking::Capture;
use crate::units::counted;

/// When the first frame of the file was recorded, nanoseconds since 1970; zero for an empty capture.
pub fn origin(capture: &Capture) -> i64 {
    let Some(first) = capture.segments.first() else { return 0 };
    let column = capture.dissection.table.column("reltime").ok().and_then(|column| Cells::of(column).ok());
    match column.as_ref().map(|column| column.value(0)) {
        Some(Value::Span(since)) => first.abstime.saturating_sub(since),
        _ => first.abstime,
    }
}

/// Seconds from `origin` to `time`.
pub fn reltime(time: i64, origin: i64) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let nanoseconds = time.saturating_sub(origin) as f64;
    nanoseconds / 1e9
}

/// The note of an analysis that put packets in the order of time.
pub fn misplaced_note(packets: usize) -> Option<String> {
    (packets > 0).then(|| {
        format!(
            "the file has {} after one recorded later: the order of time was used, not the file's",
            counted(packets, "packet")
        )
    })
}
