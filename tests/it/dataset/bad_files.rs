//! Captures that are none, are damaged, or take too much: one row each, and no harm to the others.

use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::{analyze, rows, small};
use crate::support::program::Home;

#[test]
fn every_kind_of_bad_file_has_one_row() {
    let home = Home::new();
    let folder = home.path("captures");
    fs::create_dir(&folder).unwrap();
    let good = small().pop().unwrap();
    let bytes = fs::read(&good).unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    write("good.pcap", &bytes);
    write("garbage.pcap", &[0x7f; 4096]);
    write("empty.pcap", b"");
    write("text.pcap", b"not a capture\n");
    write("header_only.pcap", &bytes[..24]);
    write("half_header.pcap", &bytes[..10]);
    write("cut.pcap", &bytes[..bytes.len() - 5]);
    write("damaged.pcap.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    write("with\nline feed.pcap", &bytes);
    fs::write(folder.join(std::ffi::OsStr::from_bytes(b"not\xffutf8.pcap")), &bytes).unwrap();
    write("locked.pcap", &bytes);
    fs::set_permissions(folder.join("locked.pcap"), fs::Permissions::from_mode(0o000)).unwrap();
    symlink("circle.pcap", folder.join("circle.pcap")).unwrap();
    symlink("gone", folder.join("dangling.pcap")).unwrap();
    symlink(&folder, folder.join("folder.pcap")).unwrap();
    nix::unistd::mkfifo(&folder.join("pipe.pcap"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let sparse = File::create(folder.join("sparse.pcap")).unwrap();
    sparse.set_len(10 << 30).unwrap();
    let out = home.path("dataset");
    let done = analyze(&home, &[&folder], &out, &["--root", folder.to_str().unwrap(), "--timeout", "60"]);
    assert_eq!(done.code, Some(3), "{}", done.messages);
    let captures = rows(&out, "captures");
    let status = |name: &str| {
        let row = captures.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no row of {name:?}"));
        row["status"].as_str().unwrap().to_string()
    };
    for (name, wanted) in [
        ("good.pcap", "ok"),
        ("garbage.pcap", "error"),
        ("empty.pcap", "error"),
        ("text.pcap", "error"),
        ("header_only.pcap", "ok"),
        ("half_header.pcap", "error"),
        ("cut.pcap", "partial"),
        ("damaged.pcap.gz", "error"),
        ("with\nline feed.pcap", "ok"),
        ("not\\xffutf8.pcap", "ok"),
        ("circle.pcap", "error"),
        ("dangling.pcap", "error"),
        ("pipe.pcap", "error"),
        ("sparse.pcap", "error"),
    ] {
        assert_eq!(status(name), wanted, "{name}");
    }
    // Root reads everything.
    let readable = nix::unistd::geteuid().is_root();
    assert_eq!(status("locked.pcap"), if readable { "ok" } else { "error" });
    assert_eq!(captures.len(), 15, "the link to the folder is not followed");
    for row in &captures {
        assert_eq!(row["error"].is_null(), row["status"] == "ok", "{row:?}");
    }
    let connections = rows(&out, "connections");
    let good = captures.iter().find(|row| row["name"] == "good.pcap").unwrap();
    let alike = captures.iter().find(|row| row["name"] == "not\\xffutf8.pcap").unwrap();
    let of = |capture: &serde_json::Map<String, serde_json::Value>| {
        connections.iter().filter(|row| row["capture"] == capture["capture"]).count()
    };
    assert!(of(good) > 0 && of(good) == of(alike));
    // A script sees no control characters of names.
    assert!(!done.results.contains("with\nline"), "{}", done.results);
}

#[test]
fn too_little_time_and_too_little_memory_are_said() {
    let home = Home::new();
    let many = home.path("many.pcap");
    fs::write(&many, large(400_000)).unwrap();
    let run = |out: &str, options: &[&str]| {
        let out = home.path(out);
        let done = analyze(&home, &[Path::new(&many), &small()[0]], &out, options);
        assert_eq!(done.code, Some(3), "{}", done.messages);
        let captures = rows(&out, "captures");
        let of_large = captures.iter().find(|row| row["path"] == many.to_str().unwrap()).unwrap();
        let other = captures.iter().find(|row| row["path"] != many.to_str().unwrap()).unwrap();
        (of_large["status"].clone(), other["status"].clone())
    };
    assert_eq!(run("memory", &["--memory", "64MiB"]), ("memory".into(), "ok".into()));
    let (of_large, _) = run("time", &["--timeout", "0.02"]);
    assert_eq!(of_large, "timeout");
}

/// A capture with so many packets of different streams.
fn large(packets: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(0xa1b2_c3d4_u32.to_le_bytes());
    bytes.extend([2, 0, 4, 0]);
    bytes.extend([0; 8]);
    bytes.extend(65535_u32.to_le_bytes());
    // Raw IPv4.
    bytes.extend(101_u32.to_le_bytes());
    for number in 0..packets {
        let mut packet = vec![0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0];
        packet.extend((0x0a00_0000 | (number >> 4)).to_be_bytes());
        packet.extend([10, 255, 255, 1]);
        packet.extend([0x9c, u8::try_from(number & 15).unwrap(), 0, 80]);
        packet.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 255, 255, 0, 0, 0, 0]);
        bytes.extend((number / 1000).to_le_bytes());
        bytes.extend((number % 1000 * 1000).to_le_bytes());
        bytes.extend(40_u32.to_le_bytes());
        bytes.extend(40_u32.to_le_bytes());
        bytes.extend(packet);
    }
    bytes
}
