//! The payload of some streams, by a run of tshark of its own: only checksums ask for it, so it is not kept.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Stdio;

use super::run::{base_command, judge};
use super::{Tshark, TsharkError};
use crate::children;
use crate::packets::LoadError;
use crate::temporary;
use mptcp_trace::StreamId;
use mptcp_trace::interrupt;

/// With more streams than this the filter takes all that have payload, and `visit` picks.
const LISTED_STREAMS: usize = 64;
/// A line longer than this is not a packet: the largest payload is far below.
const LONGEST_LINE: u64 = 8 * 1024 * 1024;

/// Calls `visit` with the packet id and the recorded payload of each packet with payload in `streams` (and maybe of
/// others), in the order of the file.
///
/// # Errors
/// When tshark cannot be run over `path`, or on Ctrl-C.
pub fn payloads(
    tshark: &Tshark,
    path: &Path,
    streams: &[StreamId],
    mut visit: impl FnMut(u64, &[u8]),
) -> Result<(), LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: path.to_path_buf(), source };
    let private = temporary::Directory::new().map_err(unreadable)?;
    let mut command = base_command(tshark, path, None, private.path());
    let filter = match streams {
        listed if listed.len() <= LISTED_STREAMS => {
            let each: Vec<String> = listed.iter().map(|stream| format!("tcp.stream == {stream}")).collect();
            format!("tcp.len > 0 && ({})", each.join(" || "))
        }
        _ => "tcp.len > 0".to_string(),
    };
    command.arg("-Y").arg(filter).args(["-T", "fields", "-E", "separator=/t", "-E", "occurrence=f"]);
    command.args(["-e", "frame.number", "-e", "tcp.payload"]);
    // What tshark says was said when the capture was loaded.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let (mut child, mut descendants) = children::start(&mut command)
        .map_err(|source| TsharkError::NotStarted { binary: tshark.binary.clone(), source })?;
    let read: Result<(), LoadError> = child.stdout.take().map_or(Ok(()), |stdout| {
        let mut lines = BufReader::with_capacity(1 << 17, stdout);
        let mut line = Vec::new();
        let mut bytes = Vec::new();
        loop {
            interrupt::check().map_err(|_| LoadError::Interrupted)?;
            line.clear();
            let count = lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(unreadable)?;
            if count == 0 {
                return Ok(());
            }
            if let Some(packetid) = parse(&line, &mut bytes) {
                visit(packetid, &bytes);
            }
        }
    });
    if read.is_err() {
        descendants.end();
    }
    let status = child.wait().map_err(unreadable)?;
    read?;
    judge(status, "cut short in the middle of a packet", path, 1).map(|_| ())
}

/// `17<TAB>68656c6c6f` to 17 and the bytes.
fn parse(line: &[u8], bytes: &mut Vec<u8>) -> Option<u64> {
    bytes.clear();
    let line = std::str::from_utf8(line).ok()?.trim_end_matches(['\r', '\n']);
    let (number, digits) = line.split_once('\t')?;
    for pair in digits.as_bytes().chunks_exact(2) {
        let [high, low] = pair else { return None };
        bytes.push(digit(*high)? << 4 | digit(*low)?);
    }
    number.parse().ok()
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_number_and_bytes() {
        let mut bytes = Vec::new();
        assert_eq!(parse(b"17\t68656c6c6f\n", &mut bytes), Some(17));
        assert_eq!(bytes, b"hello");
        assert_eq!(parse(b"18\t\n", &mut bytes), Some(18));
        assert_eq!(bytes, b"");
        assert_eq!(parse(b"19\t6g\n", &mut bytes), None);
        assert_eq!(parse(b"garbage\n", &mut bytes), None);
    }
}
