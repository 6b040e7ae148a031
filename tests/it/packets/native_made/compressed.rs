//! Compressed captures, and captures on standard input.

use std::io::Write;
use std::process::{Command, Stdio};

use mptcp_trace::packets::Dissection;
use mptcpanalyzer::packets::schema;

use super::build::{BEGIN, Frame, Pcap, Pcapng, gzip, lz4, plain, zstd};
use super::{dissect, written};
use crate::packets::native::{differences, natively};
use crate::support::columns_of::Columns;
use crate::support::program::Home;

/// Captures of every format, of some hundred packets, so that there is something to cut.
fn captures() -> Vec<(String, Vec<u8>)> {
    let frames: Vec<Frame> = (0..300_u32)
        .map(|at| {
            // Payload that does not compress away.
            let payload: Vec<u8> =
                (0..at * 5).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8 ^ at as u8).collect();
            Frame::from(plain(&[], &payload))
        })
        .collect();
    let mut files = Vec::new();
    for big_endian in [false, true] {
        for nanoseconds in [false, true] {
            let file = Pcap { big_endian, nanoseconds, link: 1 }.file(&frames);
            files.push((format!("pcap, big endian {big_endian}, nanoseconds {nanoseconds}"), file));
        }
        let blocks = frames.iter().fold(Pcapng::new(big_endian).interface(1, 0, &[]), |file, frame| {
            file.enhanced(0, u64::from(BEGIN) * 1_000_000, frame.clone())
        });
        files.push((format!("pcapng, big endian {big_endian}"), blocks.bytes));
    }
    files
}

type Compress = fn(&[u8]) -> Vec<u8>;
const COMPRESSIONS: [(&str, Compress); 3] = [("gzip", gzip), ("zstd", zstd), ("lz4", lz4)];

fn same(one: &Dissection, other: &Dissection, what: &str) {
    assert_eq!(differences(one, other), [], "{what}");
    assert_eq!(one.facts, other.facts, "{what}");
}

#[test]
fn each_format_in_each_compression() {
    for (name, file) in captures() {
        let plain = dissect(&file);
        assert_eq!((plain.height(), plain.facts.warnings.len()), (300, 0), "{name}");
        for (kind, compress) in COMPRESSIONS {
            same(&dissect(&compress(&file)), &plain, &format!("{name}, {kind}"));
            // In two parts, one after the other, as several tools write them.
            let (one, two) = file.split_at(file.len() / 3);
            same(&dissect(&[compress(one), compress(two)].concat()), &plain, &format!("{name}, {kind} in parts"));
        }
    }
}

/// tshark reads these compressions, too.
#[test]
fn tshark_sees_the_same_in_compressed_files() {
    let folder = tempfile::tempdir().unwrap();
    let (_, file) = captures().swap_remove(2);
    for (kind, compress) in COMPRESSIONS {
        let path = written(folder.path(), &format!("made.pcapng.{kind}"), &compress(&file));
        assert_eq!(differences(&natively(&path), &crate::packets::native::by_tshark(&path)), [], "{kind}");
    }
}

/// A compressed capture that is cut has the packets before the cut, and a warning that says where it ends.
#[test]
fn compressed_files_that_are_cut() {
    for (name, file) in captures() {
        let whole = dissect(&file);
        let column = |dissection: &Dissection| -> Vec<u64> {
            dissection.cells("packetid").u64().unwrap().iter().flatten().collect()
        };
        for (kind, compress) in COMPRESSIONS {
            let compressed = compress(&file);
            let cut = dissect(&compressed[..compressed.len() * 3 / 4]);
            let rows = cut.height();
            assert_eq!(column(&cut), column(&whole)[..rows], "{name}, {kind}");
            let [said] = &cut.facts.warnings[..] else { panic!("{name}, {kind}: {:?}", cut.facts.warnings) };
            let start = "the compressed file is cut or damaged and ends after ";
            assert!(said.starts_with(start) && said.ends_with(&counted(rows)), "{name}, {kind}: {said}");
        }
    }
}

/// A compressed capture of which nothing can be decompressed is none, and the reason is told.
#[test]
fn compressed_files_with_nothing_left() {
    let home = Home::new();
    let (_, file) = captures().swap_remove(0);
    for (kind, compress) in COMPRESSIONS {
        home.write("cut.pcap", &compress(&file)[..14]);
        let done = home.run(&["--load", "cut.pcap", "lt"], "");
        assert_eq!(
            (done.code, done.results.as_str(), done.messages.lines().count()),
            (Some(1), "", 1),
            "{kind}: {done:?}"
        );
        let says = "cut.pcap is not a readable capture (the compressed file is cut or damaged and ends after 0 bytes \
                    of the capture)";
        assert!(done.messages.contains(says), "{kind}: {done:?}");
    }
}

fn counted(rows: usize) -> String {
    let plural = if rows == 1 { "" } else { "s" };
    format!("{rows} whole packet{plural} read up to there")
}

/// What the program prints of the capture `name`, all rows and raw columns, with `input` on its standard input.
fn dumped(home: &Home, name: &str, input: Vec<u8>) -> String {
    let mut program: Command = home.program();
    program.args(["--load", name, "dump", "-n", "0", "--format", "csv"]);
    program.args(schema::packet_columns().map(|column| column.name));
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    // A thread of its own, or both would wait for the other.
    let writer = std::thread::spawn(move || pipe.write_all(&input));
    let done = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn each_format_from_standard_input() {
    let home = Home::new();
    for (name, file) in captures() {
        home.write("made.cap", &file);
        let expected = dumped(&home, "made.cap", Vec::new());
        assert_eq!(expected.lines().count(), 301, "{name}: a line of names and one a packet");
        for (kind, input) in
            [("plain", file.clone()), ("gzip", gzip(&file)), ("zstd", zstd(&file)), ("lz4", lz4(&file))]
        {
            assert!(dumped(&home, "-", input) == expected, "{name}, {kind}");
        }
    }
}
