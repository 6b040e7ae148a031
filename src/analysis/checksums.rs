//! Do the mappings of connections fit their checksums? Their payload is read from the file again, once for all of them.

use std::path::Path;

use mptcp_trace::analysis::checksum::{Checksums, Verdicts};
use mptcp_trace::tracking::{Capture, Connection};

use crate::packets::{self, LoadError};

/// Whether `connection` has mappings whose payload can be checked.
#[must_use]
pub fn can_be_checked(capture: &Capture, connection: &Connection) -> bool {
    connection.checksum_required == Some(true) && packets::has_payload(&capture.facts)
}

/// Checks the mappings of those of `connections` that use checksums. `tshark` reads the payload where it read the capture;
/// `memory` is the folder where its version is remembered.
///
/// # Errors
/// When the capture cannot be read again, and on Ctrl-C.
pub fn checksums<'a>(
    capture: &Capture,
    connections: impl IntoIterator<Item = &'a Connection>,
    tshark: &Path,
    memory: Option<&Path>,
) -> Result<Verdicts, LoadError> {
    let checked = connections.into_iter().filter(|connection| can_be_checked(capture, connection));
    let checked: Vec<&Connection> = checked.collect();
    if checked.is_empty() {
        return Ok(Verdicts::new());
    }
    let streams: Vec<_> = checked.iter().flat_map(|connection| connection.subflows.iter().copied()).collect();
    let mut checksums = Checksums::new(capture, checked);
    let sum = |packetid: u64, bytes: &[u8]| checksums.push(packetid, bytes);
    packets::payloads(&capture.path, &capture.facts, &streams, tshark, memory, sum)?;
    Ok(checksums.finish())
}
