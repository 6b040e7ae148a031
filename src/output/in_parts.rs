//! Many rows are formatted in parts, by several threads, and written in their order.

use std::io::{self, Write};
use std::ops::Range;

use mptcp_trace::parallel::each;

/// Rows of a part.
const ROWS: usize = 1 << 12;
/// Parts that are held at once.
const PARTS: usize = 16;

/// Writes what `format` makes of all rows, part by part.
pub(super) fn in_parts(
    rows: usize,
    output: &mut dyn Write,
    format: impl Fn(Range<usize>) -> io::Result<Vec<u8>> + Sync,
) -> io::Result<()> {
    let parts: Vec<Range<usize>> =
        (0..rows).step_by(ROWS).map(|first| first..rows.min(first.saturating_add(ROWS))).collect();
    for parts in parts.chunks(PARTS) {
        let mut made = each(parts, rows, |part| format(part.clone())).into_iter();
        for part in parts {
            // After Ctrl-C they are not all there.
            let bytes = made.next().unwrap_or_else(|| format(part.clone()))?;
            output.write_all(&bytes)?;
        }
    }
    Ok(())
}
