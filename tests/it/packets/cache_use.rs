//! When tshark is started and when the cache answers, seen by counting the runs of tshark.
#![cfg(unix)]

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::packets::bad_tshark::home_with;
use crate::support::made;
use crate::support::program::{Finished, Home};

/// A home whose tshark writes a line to `runs` for each dissection.
fn counting() -> Home {
    home_with("echo run >> runs\nexec tshark \"$@\"")
}

fn load(home: &Home, flags: &[&str]) -> Finished {
    let words = [&["--config", "fake.toml"], flags, &["--load", "syn.pcap", "lt", "--format", "csv"]].concat();
    let done = home.run(&words, "");
    assert_eq!(done.code, Some(0), "{done:?}");
    done
}

fn runs(home: &Home) -> usize {
    std::fs::read_to_string(home.path("runs")).map_or(0, |text| text.lines().count())
}

fn entries(home: &Home) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(home.path("cache/mptcpanalyzer")).unwrap();
    let mut paths: Vec<_> = listed.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "mptcpcache"));
    paths
}

const ONE_STREAM: &str =
    "tcpstream,client_ip,client_port,server_ip,server_port,packets,mptcpstream\n0,192.0.2.1,12345,192.0.2.2,80,";

#[test]
fn the_second_load_starts_no_tshark() {
    let home = counting();
    let first = load(&home, &[]);
    assert!(first.results.starts_with(ONE_STREAM), "{first:?}");
    assert_eq!(runs(&home), 1);
    let second = load(&home, &[]);
    assert_eq!((second.results, second.messages.as_str()), (first.results, ""));
    assert_eq!((runs(&home), entries(&home).len()), (1, 1));
}

#[test]
fn the_second_load_does_not_even_ask_for_the_version() {
    let home = counting();
    load(&home, &[]);
    // A tshark that fails at everything, of the same size and time, so that it is taken for the one known.
    let (script, time) =
        (std::fs::read_to_string(home.path("fake")).unwrap(), std::fs::metadata(home.path("fake")).unwrap().modified());
    let broken = format!("{:<width$}\n", "#!/bin/sh\nexit 9", width = script.len() - 1);
    std::fs::write(home.path("fake"), broken).unwrap();
    File::options().append(true).open(home.path("fake")).unwrap().set_modified(time.unwrap()).unwrap();
    assert!(load(&home, &[]).results.starts_with(ONE_STREAM));
}

#[test]
fn a_capture_that_changed_is_dissected_again() {
    let home = counting();
    load(&home, &[]);
    let capture = home.path("syn.pcap");
    // Another time, the same bytes.
    let file = File::options().append(true).open(&capture).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
    load(&home, &[]);
    assert_eq!(runs(&home), 2, "touched");
    // More bytes, the same time.
    let more = made::pcap(&[&made::mptcp_syn(), &made::mptcp_syn_ack()]);
    std::fs::write(&capture, more).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
    let done = load(&home, &[]);
    assert_eq!(runs(&home), 3, "grown");
    assert_eq!(done.results, format!("{ONE_STREAM}2,0\n"));
}

#[test]
fn without_the_cache_it_is_dissected_each_time_and_kept_all_the_same() {
    let home = counting();
    for expected in 1..=3 {
        load(&home, &["--no-cache"]);
        assert_eq!(runs(&home), expected);
    }
    load(&home, &[]);
    assert_eq!(runs(&home), 3);
}

#[test]
fn a_damaged_entry_is_rebuilt_with_a_warning() {
    let home = counting();
    let whole = load(&home, &[]);
    let entry = entries(&home).remove(0);
    let bytes = std::fs::read(&entry).unwrap();
    let mut flipped = bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for (damaged, expected) in [(flipped, 2), (bytes[..bytes.len() / 2].to_vec(), 3), (vec![], 4)] {
        std::fs::write(&entry, damaged).unwrap();
        let done = load(&home, &[]);
        assert_eq!((&done.results, runs(&home)), (&whole.results, expected));
        assert_eq!(done.messages.lines().count(), 1, "{done:?}");
        assert!(done.messages.starts_with("warning: ") && done.messages.contains("dissected again"), "{done:?}");
        let again = load(&home, &[]);
        assert_eq!((again.messages.as_str(), runs(&home)), ("", expected), "it was rebuilt");
    }
}

#[test]
fn a_failed_dissection_is_not_kept() {
    let home = home_with("[ -e broken ] && exit 1\necho run >> runs\nexec tshark \"$@\"");
    home.write("broken", "");
    let done = home.run(&["--config", "fake.toml", "--load", "syn.pcap", "lt"], "");
    assert_eq!((done.code, entries(&home).len()), (Some(1), 0), "{done:?}");
    std::fs::remove_file(home.path("broken")).unwrap();
    load(&home, &[]);
    assert_eq!((runs(&home), entries(&home).len()), (1, 1));
}

/// What the cache remembers of tshark may be anything, where others write to its directory.
#[test]
fn what_is_remembered_of_tshark_is_read_only_from_files_of_its_size() {
    let home = counting();
    let whole = load(&home, &[]).results;
    let remembered = home.path("cache/mptcpanalyzer/tshark.json");
    for made in ["ln -s /dev/zero FILE", "mkfifo FILE", "truncate -s 1T FILE", "ln -s FILE FILE", "mkdir FILE"] {
        let script = format!("rm -rf FILE; {made}").replace("FILE", &remembered.display().to_string());
        assert!(std::process::Command::new("sh").args(["-c", &script]).status().unwrap().success());
        let started = std::time::Instant::now();
        assert_eq!(load(&home, &[]).results, whole, "{made}");
        assert!(started.elapsed() < Duration::from_secs(20), "{made}: {:?}", started.elapsed());
    }
}
