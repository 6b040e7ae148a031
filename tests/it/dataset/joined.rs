//! Files that were rotated while recording are one capture.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{Rows, analyze, base, rows};
use crate::support::program::Home;
use crate::support::scenarios;

/// Columns of `captures` that say which files were read, and not what is in them.
const OF_FILES: [&str; 7] = ["name", "path", "files", "size_bytes", "mtime", "options", "content_xxh3"];

/// Cuts a capture with Wireshark's own program, in the format `form`. The files are named so that their order by name is
/// not that of their packets. `None` where the program is missing.
fn cut(capture: &Path, folder: &Path, how: [&str; 2], form: &str) -> Option<Vec<PathBuf>> {
    fs::create_dir(folder).unwrap();
    let status = Command::new("editcap").args(["-F", form]).args(how).arg(capture).arg(folder.join("x.cap")).output();
    let Ok(output) = status else {
        println!("skipped: editcap is missing");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let count = files.len();
    let renamed = files.into_iter().enumerate().map(|(number, file)| {
        let name = folder.join(format!("part{:03}.pcap", (number + count / 2) % count));
        fs::rename(file, &name).unwrap();
        name
    });
    Some(renamed.collect())
}

/// The rows of a table without what says of which files they are.
fn comparable(dataset: &Path, table: &str) -> Rows {
    let mut rows = rows(dataset, table);
    for row in &mut rows {
        row.remove("capture");
        if table == "captures" {
            OF_FILES.iter().for_each(|name| drop(row.remove(*name)));
        }
    }
    rows
}

fn one(dataset: &Path) -> serde_json::Map<String, Value> {
    let rows = rows(dataset, "captures");
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.into_iter().next().unwrap()
}

fn captures() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut captures: Vec<PathBuf> = scenarios::recorded().into_iter().step_by(7).collect();
    captures.extend(["client.pcapng", "two_paths.pcapng"].map(|name| here.join("examples").join(name)));
    captures.retain(|path| path.is_file());
    captures
}

#[test]
fn the_parts_of_a_capture_give_the_numbers_of_the_whole() {
    let mut compared = 0;
    for capture in captures() {
        for (how, form) in [(["-c", "17"], "pcap"), (["-c", "40"], "pcapng"), (["-i", "1"], "pcapng")] {
            let home = Home::new();
            let folder = home.path("parts");
            // Wireshark writes no pcap file of a capture with several link types.
            let several = capture.extension().is_some_and(|ending| ending == "pcapng") && form == "pcap";
            if several {
                continue;
            }
            let Some(files) = cut(&capture, &folder, how, form) else { return };
            let whole = cut(&capture, &home.path("whole"), ["-c", "100000000"], form).unwrap();
            let (of_whole, of_parts) = (home.path("of_whole"), home.path("of_parts"));
            let alone = analyze(&home, &[&whole[0]], &of_whole, &[]);
            assert_eq!(alone.code, Some(0), "{}", alone.messages);
            let done = analyze(&home, &[&folder], &of_parts, &["--joined", "part*"]);
            assert_eq!(done.code, Some(0), "{}: {}", capture.display(), done.messages);
            for table in base() {
                let (expected, found) = (comparable(&of_whole, table), comparable(&of_parts, table));
                assert_eq!(found, expected, "{}, {how:?}, {form}: {table}", capture.display());
                compared += expected.len();
            }
            let row = one(&of_parts);
            assert_eq!(row["files"], files.len());
            let sizes = files.iter().map(|file| fs::metadata(file).unwrap().len()).sum::<u64>();
            assert_eq!(row["size_bytes"], sizes);
            assert_eq!(row["name"], folder.join("part*").to_str().unwrap());
            let left: Vec<_> = fs::read_dir(of_parts.join("_work")).unwrap().collect();
            assert!(left.is_empty(), "{left:?}");
        }
    }
    assert!(compared > 500, "{compared}");
}

#[test]
fn joined_files_are_analyzed_again_when_one_has_changed() {
    let home = Home::new();
    let (folder, out) = (home.path("parts"), home.path("dataset"));
    let capture = captures().into_iter().find(|path| path.ends_with("client.pcapng")).unwrap();
    let Some(files) = cut(&capture, &folder, ["-c", "30"], "pcap") else { return };
    assert!(files.len() > 3, "{files:?}");
    let run = || {
        let done = analyze(&home, &[&folder], &out, &["--joined", "part*", "--report", "ndjson"]);
        let said: Value = serde_json::from_str(done.results.lines().next().unwrap()).unwrap();
        (said["status"].as_str().unwrap().to_string(), said["error"].as_str().unwrap_or_default().to_string())
    };
    assert_eq!(run().0, "ok");
    assert_eq!(run().0, "skipped");
    let before = one(&out);
    // Another time alone: another content may have the same size.
    let bytes = fs::read(&files[1]).unwrap();
    fs::write(&files[1], &bytes).unwrap();
    assert_eq!(run().0, "ok");
    assert_eq!(one(&out)["content_xxh3"], before["content_xxh3"]);
    // A part that is cut, and one that has just been begun.
    fs::write(&files[1], &bytes[..bytes.len() - 5]).unwrap();
    let (status, error) = run();
    assert_eq!(status, "partial");
    let name = files[1].to_str().unwrap();
    assert!(error.starts_with(&format!("{name} could be read up to byte ")), "{error}");
    assert_eq!(one(&out)["frames"], before["frames"].as_u64().unwrap() - 1);
    fs::write(&files[1], "").unwrap();
    assert_eq!(run(), ("partial".to_string(), format!("{name} is empty; copy it again")));
    assert_eq!(one(&out)["frames"], before["frames"].as_u64().unwrap() - 30);
    // Without the first part, the handshake is missing.
    fs::write(&files[1], &bytes).unwrap();
    fs::remove_file(&files[0]).unwrap();
    assert_eq!(run().0, "ok");
    assert_eq!(rows(&out, "connections")[0]["begins_midstream"], true);
    // Compressed or not.
    let packed = Command::new("gzip").arg(&files[2]).status();
    if packed.is_ok_and(|status| status.success()) {
        let before = one(&out);
        assert_eq!(run().0, "ok");
        assert_eq!(one(&out)["content_xxh3"], before["content_xxh3"]);
    }
}

#[test]
fn what_cannot_be_joined_costs_one_row() {
    let home = Home::new();
    let (folder, other) = (home.path("parts"), home.path("other"));
    let capture = captures().into_iter().find(|path| path.ends_with("client.pcapng")).unwrap();
    let Some(files) = cut(&capture, &folder, ["-c", "30"], "pcap") else { return };
    let others = cut(&capture, &other, ["-c", "30"], "pcapng").unwrap();
    fs::copy(&others[0], folder.join("single.pcapng")).unwrap();
    let run = |out: &str| {
        let out = home.path(out);
        let done = analyze(&home, &[&folder], &out, &["--joined", "part*"]);
        assert_eq!(done.code, Some(3), "{}", done.messages);
        let rows = rows(&out, "captures");
        assert_eq!(rows.len(), 2, "{rows:?}");
        assert!(rows.iter().any(|row| row["status"] == "ok"));
        let bad = rows.into_iter().find(|row| row["status"] == "error").unwrap();
        bad["error"].as_str().unwrap().to_string()
    };
    fs::copy(&others[1], &files[1]).unwrap();
    let error = run("mixed");
    assert!(
        error.ends_with("cannot be joined: a pcap file cannot be joined to a pcapng file; name it by another pattern"),
        "{error}"
    );
    fs::write(&files[1], "no capture").unwrap();
    let error = run("text");
    assert!(
        error.contains(files[1].to_str().unwrap()) && error.contains("is neither a pcap nor a pcapng file"),
        "{error}"
    );
    fs::remove_file(&files[1]).unwrap();
    nix::unistd::mkfifo(&files[1], nix::sys::stat::Mode::S_IRWXU).unwrap();
    let error = run("pipe");
    assert!(error.ends_with("is not a regular file; copy it into one"), "{error}");
}
