//! Captures cut short and with bits flipped: no panic, no hang, bounded memory, and for those cut a warning that says
//! where reading stopped.
//!
//! The work is done by a second process, this test program itself, so that its memory can be measured and a hang ended.
//! `DAMAGE_EACH=200 DAMAGE_BYTES=0 cargo test --test it damaged -- --nocapture` is the long run: 200 cuts and 200
//! damaged copies of each whole capture.
#![cfg(target_os = "linux")]

use std::fs;
use std::hint::black_box;
use std::io::{Cursor, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mptcp_trace::ReadError;
use mptcp_trace::analysis::events::events;
use mptcp_trace::analysis::mptcp_connections::mptcp_connections;
use mptcp_trace::analysis::mptcp_summary::mptcp_summary;
use mptcp_trace::analysis::out_of_order::out_of_order;
use mptcp_trace::analysis::reinjections::reinjections;
use mptcp_trace::analysis::rtt::rtt;
use mptcp_trace::analysis::subflows::subflows;
use mptcp_trace::analysis::tcp_connections::tcp_connections;
use mptcp_trace::analysis::tcp_summary::tcp_summary;
use mptcp_trace::packets::Dissection;
use mptcp_trace::packets::native::{self, DissectOptions, Failure};
use mptcp_trace::tracking::Capture;
use mptcpanalyzer::analysis::diagnose::{diagnose_capture, diagnose_connection};
use mptcpanalyzer::packets::table;

use crate::packets::native_made::build::{gzip, lz4, zstd};
use crate::support::{program, scenarios};

/// Cuts, and damaged copies, of each capture, unless `DAMAGE_EACH` says otherwise.
const EACH: usize = 12;
/// Bytes of a capture that are damaged, unless `DAMAGE_BYTES` says otherwise; 0 means all.
const BYTES: usize = 100_000;
/// What the second process may need at most, bytes of resident memory. The largest capture needs about a tenth.
const MEMORY: u64 = 1 << 30;
/// Where the second process notes what it is doing.
const NOTES: &str = "DAMAGE_NOTES";

/// A generator of numbers that are the same for the same seed (splitmix64).
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// Every capture there is: the examples, and what lies beside the project.
fn captures() -> Vec<PathBuf> {
    let mut found = scenarios::captures();
    let examples = program::examples().into_iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    found.extend(
        examples.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "pcapng")),
    );
    found.retain(|path| fs::metadata(path).unwrap().len() > 0);
    found
}

/// Where records and blocks begin and end, the file's header being the first: told by their lengths alone. All captures
/// here are little-endian. The last one may go beyond the end of the file.
fn pieces(file: &[u8]) -> Vec<Range<usize>> {
    let word = |at: usize| file.get(at..at + 4).map(|bytes| u32::from_le_bytes(bytes.try_into().unwrap()) as usize);
    let is_blocks = file.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]);
    let mut pieces = Vec::new();
    if !is_blocks {
        pieces.push(0..24);
    }
    loop {
        let start = pieces.last().map_or(0, |piece: &Range<usize>| piece.end);
        let length = if is_blocks { word(start + 4) } else { word(start + 8).map(|length| length + 16) };
        match length {
            Some(length) if start < file.len() => pieces.push(start..start + length),
            _ => return pieces,
        }
    }
}

/// The start of a capture and as much from a random place in it, record by record; all of it where that is less than
/// `bytes`, or `bytes` is 0.
fn sample(file: &[u8], bytes: usize, random: &mut Random) -> Vec<u8> {
    if bytes == 0 || file.len() <= bytes {
        return file.to_vec();
    }
    let pieces = pieces(file);
    let end = pieces.iter().position(|piece| piece.end > bytes / 2).unwrap_or(pieces.len());
    let from = end + random.below(pieces.len() - end);
    let mut sample = file[..pieces[end].start].to_vec();
    for piece in &pieces[from..] {
        sample.extend(file.get(piece.clone()).unwrap_or(&file[piece.start.min(file.len())..]));
        if sample.len() > bytes {
            break;
        }
    }
    sample
}

fn dissect(file: Vec<u8>) -> Result<Dissection, Failure> {
    let source: Box<dyn Read + Send> = Box::new(Cursor::new(file));
    native::dissect_from(source, Path::new("damaged"), DissectOptions { partial: true })
}

/// Asks what a person would ask.
fn analyse(dissection: Dissection) {
    let capture = Capture::new(PathBuf::from("damaged"), dissection).expect("what was dissected is tracked");
    assert_eq!(table::raw(&capture.packets(), &[]).expect("the columns fit").height(), capture.segments.len());
    black_box(tcp_connections(&capture.tracking));
    black_box(mptcp_connections(&capture));
    black_box(diagnose_capture(&capture));
    if let Some(stream) = capture.tracking.streams.iter().next() {
        black_box(tcp_summary(&capture, stream));
    }
    if let Some(connection) = capture.tracking.connections.iter().next() {
        black_box(subflows(&capture, connection));
        black_box(mptcp_summary(&capture, connection));
        black_box(events(&capture, connection, None));
        black_box(reinjections(&capture, connection, None));
        black_box(rtt(&capture, connection));
        black_box(out_of_order(&capture, connection));
        black_box(diagnose_connection(&capture, connection, None));
    }
}

/// A capture cut at `length` has what was before the cut, and says where it ends.
fn check_cut(file: &[u8], pieces: &[Range<usize>], length: usize) {
    let cut_piece = pieces.iter().position(|piece| piece.start < length && length < piece.end);
    let dissected = dissect(file[..length].to_vec());
    if length < 4 || cut_piece == Some(0) {
        let refused = matches!(&dissected, Err(Failure::Read(ReadError::NotACapture { .. }) | Failure::Beyond(_)));
        assert!(refused, "{dissected:?}");
        return;
    }
    let dissection = dissected.expect("the start of a capture is one");
    let place = cut_piece.map(|piece| pieces[piece].start);
    let said: Vec<&String> = dissection.facts.warnings.iter().filter(|said| said.contains("the file ends")).collect();
    match place {
        Some(place) => {
            assert_eq!(said.len(), 1, "cut in the record at {place}: {:?}", dissection.facts.warnings);
            assert!(
                said[0].contains(&format!("byte {place}:")) || said[0].contains(&format!("byte {place} ")),
                "{said:?}"
            );
        }
        None => assert!(said.is_empty(), "cut between records: {said:?}"),
    }
    analyse(dissection);
}

/// Flips some bits, half of them near the start of records, where the lengths, addresses and options are.
fn flip(file: &mut [u8], pieces: &[Range<usize>], random: &mut Random) {
    // Between one and thousands, few as often as many.
    let most = 1 << random.below(13);
    for _ in 0..=random.below(most) {
        let at = if random.below(2) == 0 {
            random.below(file.len())
        } else {
            pieces[random.below(pieces.len())].start + random.below(130)
        };
        if let Some(byte) = file.get_mut(at) {
            *byte ^= 1 << random.below(8);
        }
    }
}

/// A damaged capture is read as far as it goes, or refused.
fn check_damaged(file: Vec<u8>) {
    match dissect(file) {
        Ok(dissection) => analyse(dissection),
        Err(Failure::Beyond(_) | Failure::Read(ReadError::NotACapture { .. })) => {}
        Err(Failure::Read(other)) => panic!("{other}"),
    }
}

/// Damages one capture `each` times in each way. What it is about to do is noted first.
fn damage(path: &Path, each: usize, bytes: usize, note: impl Fn(&str)) {
    let label = scenarios::label(path);
    let whole = fs::read(path).unwrap();
    let mut random = Random(whole.len() as u64);
    let mut slowest = Duration::ZERO;
    for round in 0..each {
        let seed = random.next();
        let mut random = Random(seed);
        let file = sample(&whole, bytes, &mut random);
        let pieces = pieces(&file);
        let length = random.below(file.len());
        note(&format!("{label}, round {round}, seed {seed:#x}, {} bytes cut at {length}", file.len()));
        let begin = Instant::now();
        check_cut(&file, &pieces, length);
        let mut damaged = file.clone();
        flip(&mut damaged, &pieces, &mut random);
        note(&format!("{label}, round {round}, seed {seed:#x}, bits flipped"));
        check_damaged(damaged);
        slowest = slowest.max(begin.elapsed());
    }
    // Compressed: damage to what is decompressed, and to the lengths of blocks.
    let small = sample(&whole, BYTES, &mut random);
    for (kind, compress) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zstd), ("lz4", lz4)] {
        let compressed = compress(&small);
        for round in 0..each.div_ceil(4) {
            let seed = random.next();
            note(&format!("{label}, {kind}, round {round}, seed {seed:#x}"));
            let mut random = Random(seed);
            check_damaged(compressed[..random.below(compressed.len())].to_vec());
            let mut damaged = compressed.clone();
            flip(&mut damaged, std::slice::from_ref(&(0..compressed.len())), &mut random);
            check_damaged(damaged);
        }
    }
    println!("{label}: {each} times, the slowest took {slowest:?}");
}

/// The most memory that this process ever had, bytes.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[test]
#[ignore = "the work of the second process, started by the test below"]
fn second_process() {
    let Ok(notes) = std::env::var(NOTES) else { return };
    let (each, bytes) = (setting("DAMAGE_EACH", EACH), setting("DAMAGE_BYTES", BYTES));
    for path in captures() {
        damage(&path, each, bytes, |what| fs::write(&notes, what).unwrap());
        let peak = peak_memory();
        assert!(peak < MEMORY, "{} took {peak} bytes of memory", path.display());
    }
    println!("at most {} MiB of memory", peak_memory() >> 20);
}

#[test]
fn damaged_captures_are_read_as_far_as_they_go() {
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes");
    let output = folder.path().join("output");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "packets::damaged::second_process", "--ignored", "--nocapture"]).env(NOTES, &notes);
    let file = fs::File::create(&output).unwrap();
    command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
    let mut child = command.spawn().unwrap();
    // A hang is when the note stays the same for long; most rounds take milliseconds.
    let patience = Duration::from_secs(120);
    let (mut last, mut since) = (String::new(), Instant::now());
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        let now = fs::read_to_string(&notes).unwrap_or_default();
        if now != last {
            (last, since) = (now, Instant::now());
        }
        if since.elapsed() > patience {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("still busy after {patience:?}: {last}");
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let said = fs::read_to_string(&output).unwrap();
    assert!(status.success(), "{}\n{said}", fs::read_to_string(&notes).unwrap_or_default());
    println!("{said}");
    assert!(said.contains("1 passed"), "{said}");
}

/// What the walk through records of this test says is what the file says.
#[test]
fn the_pieces_of_the_examples_are_those_that_capinfos_counts() {
    let Some(folder) = program::examples() else { return };
    let path = folder.join("client.pcapng");
    let file = fs::read(&path).unwrap();
    let packets = pieces(&file).iter().filter(|piece| file[piece.start] == 6).count();
    assert_eq!(packets as u64, scenarios::counted_by_capinfos(&path));
}
