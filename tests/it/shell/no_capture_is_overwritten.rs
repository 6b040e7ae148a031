//! A result never replaces a capture, unless `--force` is given: every output of the program, by every way to the file.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::program::{Home, examples};

fn home() -> Home {
    let home = Home::new();
    let examples = examples().expect("the examples are shipped");
    for name in ["client.pcapng", "server.pcapng"] {
        home.write(name, std::fs::read(examples.join(name)).unwrap());
    }
    home
}

/// Runs `line` with the client's capture loaded and expects it to be refused, the file `kept` as it was.
fn refused(home: &Home, line: &str, kept: &Path) {
    let before = std::fs::read(kept).unwrap();
    let done = home.run(&["--load", "client.pcapng", "-b", "-"], &format!("{line}\n"));
    assert_eq!(done.code, Some(1), "{line}: {done:?}");
    let said = done.messages.lines().last().unwrap_or_default();
    assert!(said.contains("capture; name another file"), "{line}: {said}");
    assert!(std::fs::read(kept).unwrap() == before, "{line} changed the capture");
    let left = std::fs::read_dir(home.path(".")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.ends_with(".part")), "{line} left {left:?}");
}

const OUTPUTS: [&str; 12] = [
    "lc -o TARGET",
    "lc --output=TARGET --format json",
    "lc > TARGET",
    "lc >> TARGET",
    "mptcp_summary 0 --csv > TARGET",
    "plot dsn 0 -o TARGET --format svg",
    "plot dsn 0 --out TARGET --format csv",
    "plot dsn 0 --format png > TARGET",
    "history --save TARGET",
    "export TARGET --format csv",
    "export TARGET --format parquet",
    "clean_pcap client.pcapng TARGET",
];

#[test]
fn no_output_replaces_a_loaded_capture() {
    let home = home();
    std::os::unix::fs::symlink("client.pcapng", home.path("link")).unwrap();
    std::fs::hard_link(home.path("client.pcapng"), home.path("hard")).unwrap();
    std::fs::create_dir(home.path("sub")).unwrap();
    for output in OUTPUTS.iter().filter(|output| !output.contains("--csv")) {
        for target in ["client.pcapng", "link", "hard", "./sub/../client.pcapng"] {
            refused(&home, &output.replace("TARGET", target), &home.path("client.pcapng"));
        }
    }
}

#[test]
fn nor_one_that_only_looks_like_a_capture() {
    let home = home();
    let compressed = zstd::encode_all(std::fs::read(home.path("server.pcapng")).unwrap().as_slice(), 1).unwrap();
    home.write("compressed", compressed);
    home.write("old.pcap", b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00");
    for output in ["lc -o TARGET", "lc > TARGET", "lc >> TARGET", "export TARGET --format csv"] {
        for target in ["server.pcapng", "compressed", "old.pcap"] {
            refused(&home, &output.replace("TARGET", target), &home.path(target));
        }
    }
    // How files begin that `editcap -F FORMAT` writes; and names that alone tell.
    let foreign: [(&str, &[u8]); 9] = [
        ("5views", b"\xaa\xaa\xaa\xaa\x20\0\0\0\0\0\x01\0"),
        ("k12text", b"+---------+---------------+----------+"),
        ("lanalyzer", b"\x01\x10\x4c\0\x01\x05Trace "),
        ("nettl", b"TR\0d\0\0\0\0\0\0\0\x80"),
        ("ngsniffer", b"TRSNIFF data    \x1a"),
        ("ngwsniffer", b"XCP\x00002.001\0"),
        ("visual", b"\x05VNF\x56\x15\0\0"),
        ("transfer.pcap.xz", b"\xfd7zXZ\0"),
        ("TRANSFER.ERF", b"\0\0\0\0\0\0\0\0\x9b\x04\x80"),
    ];
    for (name, start) in foreign {
        home.write(name, start);
        refused(&home, &format!("lc -o {name}"), &home.path(name));
    }
}

#[test]
fn a_second_loaded_capture_and_one_that_may_not_be_written_are_kept_too() {
    let home = home();
    let lines = "load_pcap server.pcapng --as far\nload_pcap client.pcapng\n";
    for output in ["clean_pcap client.pcapng server.pcapng", "export server.pcapng --format arrow"] {
        refused(&home, &format!("{lines}{output}"), &home.path("server.pcapng"));
    }
    // A table that was loaded in the place of a capture is one, whatever it looks like.
    let table = home.run(&["--load", "client.pcapng", "export", "table.csv"], "");
    assert_eq!(table.code, Some(0), "{table:?}");
    refused(&home, "load_pcap table.csv\nlc -o table.csv", &home.path("table.csv"));
    let read_only = std::fs::Permissions::from_mode(0o400);
    std::fs::set_permissions(home.path("server.pcapng"), read_only).unwrap();
    refused(&home, "lc -o server.pcapng", &home.path("server.pcapng"));
}

#[test]
fn force_and_ordinary_files_go_through() {
    let home = home();
    home.write("result.json", "old");
    let lines = "lc -o result.json\nlc -o server.pcapng --force --format json\nlc > result.txt\nlc >> result.txt\n";
    let done = home.run(&["--load", "client.pcapng", "-b", "-"], lines);
    assert_eq!(done.code, Some(0), "{done:?}");
    for name in ["result.json", "server.pcapng"] {
        assert!(std::fs::read_to_string(home.path(name)).unwrap().starts_with('['), "{name}");
    }
    assert!(std::fs::read_to_string(home.path("result.txt")).unwrap().lines().count() > 4);
}

#[test]
fn errors_of_writing_name_the_file_that_was_asked_for() {
    let home = home();
    std::fs::create_dir(home.path("folder")).unwrap();
    for (line, named) in [
        ("lc -o absent/x.json", "absent/x.json"),
        ("export absent/x.csv", "absent/x.csv"),
        ("clean_pcap client.pcapng absent/x.pcapng", "absent/x.pcapng"),
        ("plot dsn 0 -o absent/x.svg", "absent/x.svg"),
        ("lc -o /dev/full", "/dev/full"),
        ("export /dev/full --format csv", "/dev/full"),
        ("lc -o folder", "folder"),
        ("export folder --format csv", "folder"),
    ] {
        let done = home.run(&["--load", "client.pcapng", "-b", "-"], &format!("{line}\n"));
        let said = done.messages.lines().last().unwrap_or_default().to_string();
        assert_eq!(done.code, Some(1), "{line}: {done:?}");
        assert!(said.contains(&format!("cannot write {named}: ")), "{line}: {said}");
        assert!(!said.contains(".mptcpanalyzer-"), "{line}: {said}");
    }
}
