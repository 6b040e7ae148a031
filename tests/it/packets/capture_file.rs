//! Counting and copying frames, against tshark and against files made by hand.

use std::fs;
use std::path::{Path, PathBuf};

use mptcp_trace::packets::capture_file::{CaptureFileError, Cause, FrameCount, count_frames};
use mptcpanalyzer::packets::copied_records::copy_frames;

use mptcp_trace::capture_format;
use mptcpanalyzer::whole_file::Force;

use crate::support::made::{block, pcap};
use crate::support::scenarios;

/// A section header with a section length, and one Ethernet interface.
fn section(length: i64) -> Vec<u8> {
    let mut body = vec![0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0];
    body.extend(length.to_le_bytes());
    [block(0x0a0d_0d0a, &body), block(1, &[1, 0, 0, 0, 0, 0, 0, 0])].concat()
}

/// An enhanced packet block of four bytes of data.
fn enhanced(mark: u8) -> Vec<u8> {
    let mut body = vec![0; 12];
    body.extend([4, 0, 0, 0, 4, 0, 0, 0, mark, mark, mark, mark]);
    block(6, &body)
}

fn written(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path
}

fn counted(folder: &Path, content: &[u8]) -> FrameCount {
    count_frames(&written(folder, "made.cap", content)).unwrap()
}

#[test]
fn frames_of_all_recorded_captures_are_as_many_as_wireshark_counts() {
    let mut files = 0;
    for path in scenarios::captures() {
        if fs::metadata(&path).unwrap().len() == 0 {
            assert!(matches!(count_frames(&path), Err(CaptureFileError::Unsupported(_))), "{}", path.display());
            continue;
        }
        let count = count_frames(&path).unwrap();
        assert_eq!(count.whole, scenarios::counted_by_capinfos(&path), "{}", path.display());
        assert_eq!(count.truncated.is_some(), path.to_string_lossy().contains("13c_truncated_file"), "{path:?}");
        files += 1;
    }
    assert!(files > 50 || scenarios::folder().is_none(), "only {files} captures found");
}

#[test]
fn captures_cut_short_say_how_many_frames_are_whole_and_how_they_end() {
    let Some(folder) = scenarios::folder() else { return };
    let folder = folder.join("13c_truncated_file");
    for (name, whole, cause) in [
        ("client.pcap", 2999, Cause::RecordData),
        ("client.pcapng", 848, Cause::RecordData),
        ("client_cut_in_record_header.pcap", 1000, Cause::RecordHeader),
        ("server.pcap", 3002, Cause::RecordData),
    ] {
        let count = count_frames(&folder.join(name)).unwrap();
        assert_eq!((count.whole, count.truncated.unwrap().cause), (whole, cause), "{name}");
    }
}

#[test]
fn a_file_cut_anywhere_has_the_frames_before_the_cut() {
    let folder = tempfile::tempdir().unwrap();
    // Header 24, then records of 16 + 4 and 16 + 6: they end at 44 and 66.
    let file = pcap(&[b"abcd", b"efghij"]);
    for cut in 4..=file.len() {
        let count = counted(folder.path(), &file[..cut]);
        let expected = match cut {
            0..24 => (0, Some((0, Cause::FileHeader))),
            24 => (0, None),
            25..40 => (0, Some((24, Cause::RecordHeader))),
            40..44 => (0, Some((24, Cause::RecordData))),
            44 => (1, None),
            45..60 => (1, Some((44, Cause::RecordHeader))),
            60..66 => (1, Some((44, Cause::RecordData))),
            _ => (2, None),
        };
        assert_eq!((count.whole, count.truncated.map(|end| (end.offset, end.cause))), expected, "cut at {cut}");
    }
    // Section 28, interface 20, packets of 36: they end at 48, 84 and 120.
    let file = [section(-1), enhanced(1), enhanced(2)].concat();
    for cut in 4..=file.len() {
        let count = counted(folder.path(), &file[..cut]);
        let (whole, clean) = (cut.saturating_sub(48) / 36, matches!(cut, 28 | 48 | 84 | 120));
        assert_eq!((count.whole, count.truncated.is_none()), (whole as u64, clean), "cut at {cut}");
    }
}

#[test]
fn bytes_changed_anywhere_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    for file in [pcap(&[b"abcd", b"efghij"]), [section(-1), enhanced(1), enhanced(2)].concat()] {
        for at in 4..file.len() {
            for value in [0x00, 0x7f, 0xff, file[at] ^ 0x80] {
                let mut damaged = file.clone();
                damaged[at] = value;
                assert!(counted(folder.path(), &damaged).whole <= 2, "byte {at} set to {value}");
            }
        }
    }
}

#[test]
fn every_kind_of_block_that_tshark_numbers_is_a_frame() {
    let folder = tempfile::tempdir().unwrap();
    let packet: &[u8] = &[0; 60];
    let lengths: &[u8] = &[60, 0, 0, 0, 60, 0, 0, 0];
    for (name, block) in [
        ("simple", block(3, &[&lengths[..4], packet].concat())),
        ("obsolete", block(2, &[&[0; 12], lengths, packet].concat())),
        ("names", block(4, &[0; 4])),
        ("statistics", block(5, &[0; 12])),
        ("journal", block(9, b"__REALTIME_TIMESTAMP=1000000\nMESSAGE=x\n")),
        ("custom", block(0x0bad, &[0x9f, 0x86, 1, 0, 1, 2, 3, 4])),
        ("custom not copied", block(0x4000_0bad, &[0x9f, 0x86, 1, 0, 1, 2, 3, 4])),
        ("unknown", block(0x0001_2345, &[0; 8])),
    ] {
        let path = written(folder.path(), "made.pcapng", &[section(-1), block, enhanced(1)].concat());
        let numbered = scenarios::tshark(&path, &["frame.number"]).len() as u64;
        assert_eq!(count_frames(&path).unwrap(), FrameCount { whole: numbered, truncated: None }, "{name}");
    }
}

#[test]
fn a_copy_has_the_wanted_frames_with_their_times_in_the_same_format() {
    let Some(folder) = scenarios::folder() else { return };
    let out = tempfile::tempdir().unwrap();
    let fields = ["frame.time_epoch", "frame.len", "frame.cap_len", "frame.interface_id", "tcp.seq_raw", "tcp.srcport"];
    for name in ["01_basic/client.pcapng", "13c_truncated_file/client.pcap", "10b_ipv6_tun_raw/client.pcapng"] {
        let input = folder.join(name);
        let output = out.path().join("out.cap");
        let copied = copy_frames(&input, &output, Force::Given, |number| number % 3 == 1).unwrap();
        let all = scenarios::tshark(&input, &fields);
        let wanted: Vec<String> = all.iter().step_by(3).cloned().collect();
        assert_eq!((copied.read, copied.written), (all.len() as u64, wanted.len() as u64), "{name}");
        assert_eq!(scenarios::tshark(&output, &fields), wanted, "{name}");
        assert_eq!(format_of(&output), format_of(&input));
        assert_eq!(count_frames(&output).unwrap().truncated, None);
    }
}

#[test]
fn a_copy_of_all_frames_is_the_same_file_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    for file in [pcap(&[b"abcd", b"efghij"]), [section(-1), enhanced(1), block(5, &[0; 12]), enhanced(2)].concat()] {
        let input = written(folder.path(), "in.cap", &file);
        let output = folder.path().join("out.cap");
        copy_frames(&input, &output, Force::Given, |_| true).unwrap();
        assert_eq!(fs::read(&output).unwrap(), file);
    }
}

/// Large enough for two threads.
#[test]
fn parts_of_a_large_copy_are_in_the_order_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let frames: Vec<Vec<u8>> = (0_usize..20_000).map(|at| vec![at.to_le_bytes()[0]; at * 7_919 % 1_500]).collect();
    let of = |step: usize| {
        let frames: Vec<&[u8]> = frames.iter().step_by(step).map(Vec::as_slice).collect();
        pcap(&frames)
    };
    assert!(of(1).len() > 12 << 20);
    let input = written(folder.path(), "in.pcap", &of(1));
    let output = folder.path().join("out.pcap");
    for step in [1, 3] {
        let copied = copy_frames(&input, &output, Force::Given, |number| (number - 1) % step == 0).unwrap();
        assert_eq!((copied.read, copied.written), (20_000, 20_000_u64.div_ceil(step)));
        assert!(fs::read(&output).unwrap() == of(usize::try_from(step).unwrap()), "every {step}");
    }
}

#[test]
fn frames_left_out_take_the_length_of_their_section_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let input = written(folder.path(), "in.pcapng", &[section(92), enhanced(1), enhanced(2)].concat());
    let output = folder.path().join("out.pcapng");
    copy_frames(&input, &output, Force::NotGiven, |number| number == 2).unwrap();
    assert_eq!(fs::read(&output).unwrap(), [section(-1), enhanced(2)].concat());
}

#[test]
fn what_cannot_be_copied_is_refused_and_nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let inside = |name: &str| folder.path().join(name);
    let input = written(folder.path(), "in.pcap", &pcap(&[b"abcd"]));
    let refused = |input: &Path, output: &Path| copy_frames(input, output, Force::NotGiven, |_| true).unwrap_err();

    assert!(refused(&input, &input).to_string().contains("is a capture; name another file"));
    fs::hard_link(&input, inside("linked.pcap")).unwrap();
    assert!(refused(&input, &inside("linked.pcap")).to_string().contains("is a capture; name another file"));
    assert!(refused(&input, folder.path()).to_string().starts_with("cannot write "));
    assert!(refused(&input, &inside("none/out.pcap")).to_string().starts_with("cannot write "));
    assert!(refused(&inside("none.pcap"), &inside("out.pcap")).to_string().starts_with("cannot read "));

    let gzip = written(folder.path(), "in.pcap.gz", &[0x1f, 0x8b, 8, 0]);
    assert!(refused(&gzip, &inside("out.pcap")).to_string().contains("is neither a pcap nor a pcapng file"));
    let header_only = written(folder.path(), "cut.pcap", &pcap(&[])[..20]);
    assert!(refused(&header_only, &inside("out.pcap")).to_string().contains("is neither a pcap nor a pcapng file"));

    let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["cut.pcap", "in.pcap", "in.pcap.gz", "linked.pcap"]);
    assert_eq!(fs::read(&input).unwrap(), pcap(&[b"abcd"]));
}

#[cfg(target_os = "linux")]
#[test]
fn a_device_is_written_to_and_not_replaced() {
    use std::os::unix::fs::FileTypeExt;
    let folder = tempfile::tempdir().unwrap();
    let input = written(folder.path(), "in.pcap", &pcap(&[b"abcd"]));
    let full = copy_frames(&input, Path::new("/dev/full"), Force::NotGiven, |_| true).unwrap_err().to_string();
    assert!(full.starts_with("cannot write /dev/full: "), "{full}");
    assert_eq!(copy_frames(&input, Path::new("/dev/null"), Force::NotGiven, |_| true).unwrap().written, 1);
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}

#[test]
fn a_copy_of_a_compressed_capture_is_not_compressed() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let file = pcap(&[b"abcd", b"efghij"]);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&file).unwrap();
    let compressed = encoder.finish().unwrap();
    let input = written(folder.path(), "in.pcap.gz", &compressed);
    assert_eq!(count_frames(&input).unwrap(), FrameCount { whole: 2, truncated: None });
    let output = folder.path().join("out.pcap");
    copy_frames(&input, &output, Force::NotGiven, |_| true).unwrap();
    assert_eq!(fs::read(&output).unwrap(), file);

    let input = written(folder.path(), "cut.pcap.gz", &compressed[..compressed.len() - 9]);
    assert_eq!(count_frames(&input).unwrap().truncated.unwrap().cause, Cause::Compression);
}

fn format_of(path: &Path) -> capture_format::CaptureFormat {
    capture_format::detect(Box::new(fs::File::open(path).unwrap())).unwrap().0
}
