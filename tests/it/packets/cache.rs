//! The cache of dissected captures: what it trusts, how it shares, what it lets go.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use mptcp_trace::Span;
use mptcp_trace::packets::native;
use mptcp_trace::packets::segment::Fields;
use mptcp_trace::packets::{Builder, CaptureFacts, Dissection, Interface};
use mptcpanalyzer::packets::Dissected;
use mptcpanalyzer::packets::cache::{Cache, CacheError, CacheKey, Lookup, Removed};
use polars::prelude::Column;

use crate::support::program::examples;

const DISSECTOR: &str = "tshark 4.0.17";

/// So many packets, those of an example over and over, and a further field whose every third cell is null.
pub fn dissection(rows: usize) -> Dissected {
    let example = examples().expect("the examples are shipped").join("client.pcapng");
    let packets = native::dissect(&example, native::DissectOptions::default()).expect("it is a capture").packets;
    let mut builder = Builder::default();
    for (row, (place, segment)) in (0..rows).zip(packets.segments.iter().enumerate().cycle()) {
        // Numbers that no compression makes small.
        let mixed = (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let sequence = (mixed >> 32) as u32;
        let abstime = segment.abstime + Span::from_nanoseconds((mixed >> 16) as i64);
        let mixed =
            Fields { packetid: row as u64 + 1, sequence, abstime, ..segment.fields(packets.segments.ends(segment)) };
        builder.push(&packets.frames.get(place), mixed);
    }
    let cells: Vec<_> = (0..rows).map(|row| (row % 3 != 2).then(|| format!("\u{1b}{row};\"é"))).collect();
    let facts = CaptureFacts {
        frames: rows as u64 + 7,
        dissector: DISSECTOR.to_string(),
        interfaces: vec![Interface { id: 0, name: Some("eth\u{1b}0".to_string()), packets: 3 }],
        not_understood: 0,
        truncated_at: Some(1234),
        warnings: vec!["cut short".to_string()],
    };
    let dissection = Dissection { packets: builder.finish(), facts };
    Dissected { dissection, extra: vec![Column::new("ip.dsfield.dscp".into(), cells)] }
}

/// A folder with a capture and a cache in it.
struct Place {
    folder: tempfile::TempDir,
    cache: Cache,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let (cache, warning) = Cache::open(Some(folder.path().join("a/cache")), 100);
        assert_eq!(warning, None);
        Place { folder, cache: cache.unwrap() }
    }

    fn capture(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, name).unwrap();
        path
    }

    fn key(&self, name: &str) -> CacheKey {
        CacheKey::of(&self.capture(name), DISSECTOR, &[]).unwrap()
    }

    fn entries(&self) -> Vec<PathBuf> {
        let mut paths: Vec<_> =
            fs::read_dir(&self.cache.directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "mptcpcache"));
        paths
    }
}

fn has(cache: &Cache, key: &CacheKey) -> bool {
    cache.get(key).hit().is_some()
}

#[test]
fn what_was_put_comes_back_cell_for_cell() {
    let place = Place::new();
    let (key, kept) = (place.key("a.pcap"), dissection(1000));
    assert!(matches!(place.cache.get(&key), Lookup::Miss));
    place.cache.put(&key, &kept).unwrap();
    let back = place.cache.get(&key).hit().unwrap();
    assert_eq!(back.dissection.facts, kept.dissection.facts);
    let (back, kept) = (back.raw().unwrap(), kept.raw().unwrap());
    assert_eq!(back.schema(), kept.schema());
    assert!(back.equals_missing(&kept));
}

/// A table of several parts, each of 16,384 rows.
#[test]
fn many_packets_come_back_in_their_order() {
    let place = Place::new();
    let key = place.key("a.pcap");
    for rows in [16_384, 16_385, 40_000] {
        let kept = dissection(rows);
        place.cache.put(&key, &kept).unwrap();
        let back = place.cache.get(&key).hit().unwrap();
        assert_eq!(back.dissection.facts, kept.dissection.facts);
        let packets = (&back.dissection.packets, &kept.dissection.packets);
        assert_eq!(packets.0.height(), rows);
        assert!(packets.0.segments.fields().eq(packets.1.segments.fields()));
        assert!(back.raw().unwrap().equals_missing(&kept.raw().unwrap()), "{rows} packets");
    }
    // Its last part is damaged, or the first two have changed places.
    let path = place.entries().remove(0);
    let whole = fs::read(&path).unwrap();
    let number = |at: usize| u32::from_le_bytes(whole[at..at + 4].try_into().unwrap()) as usize;
    let first = 32 + number(12);
    let second = first + 16 + number(first);
    let third = second + 16 + number(second);
    let swapped = [&whole[..first], &whole[second..third], &whole[first..second], &whole[third..]].concat();
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    for bytes in [swapped, damaged, whole[..third].to_vec()] {
        assert_ne!(bytes, whole);
        fs::write(&path, bytes).unwrap();
        assert!(matches!(place.cache.get(&key), Lookup::Damaged(_)));
    }
    fs::write(&path, &whole).unwrap();
    assert!(has(&place.cache, &key));
}

#[test]
fn a_capture_without_tcp_is_kept_as_well() {
    let place = Place::new();
    let key = place.key("a.pcap");
    place.cache.put(&key, &dissection(0)).unwrap();
    assert_eq!(place.cache.get(&key).hit().unwrap().height(), 0);
}

#[test]
fn whatever_differs_in_the_capture_or_the_question_misses() {
    let place = Place::new();
    let capture = place.capture("a.pcap");
    let key = |dissector: &str, fields: &[&str]| {
        let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
        CacheKey::of(&capture, dissector, &fields).unwrap()
    };
    let original = key(DISSECTOR, &["ip.ttl"]);
    place.cache.put(&original, &dissection(3)).unwrap();
    assert!(has(&place.cache, &key(DISSECTOR, &["ip.ttl"])));
    assert!(!has(&place.cache, &key("tshark 4.2.0", &["ip.ttl"])));
    assert!(!has(&place.cache, &key(DISSECTOR, &[])));
    assert!(!has(&place.cache, &key(DISSECTOR, &["ip.ttl", ""])));

    let file = File::options().append(true).open(&capture).unwrap();
    let written = file.metadata().unwrap().modified().unwrap();
    file.set_modified(written + Duration::from_nanos(1)).unwrap();
    assert!(!has(&place.cache, &key(DISSECTOR, &["ip.ttl"])), "touched");
    fs::write(&capture, "longer than before").unwrap();
    file.set_modified(written).unwrap();
    assert!(!has(&place.cache, &key(DISSECTOR, &["ip.ttl"])), "grown, same time");
    assert!(has(&place.cache, &original));
}

#[test]
fn the_same_file_by_another_name_hits() {
    let place = Place::new();
    place.cache.put(&place.key("a.pcap"), &dissection(3)).unwrap();
    let round_about = place.folder.path().join("a/../a.pcap");
    assert!(has(&place.cache, &CacheKey::of(&round_about, DISSECTOR, &[]).unwrap()));
}

#[test]
fn a_time_before_1970_is_a_time() {
    let place = Place::new();
    let capture = place.capture("a.pcap");
    let file = File::options().append(true).open(&capture).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH - Duration::from_millis(1500)).unwrap();
    let key = CacheKey::of(&capture, DISSECTOR, &[]).unwrap();
    place.cache.put(&key, &dissection(3)).unwrap();
    assert!(has(&place.cache, &CacheKey::of(&capture, DISSECTOR, &[]).unwrap()));
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_millis(1500)).unwrap();
    assert!(!has(&place.cache, &CacheKey::of(&capture, DISSECTOR, &[]).unwrap()));
}

#[cfg(unix)]
#[test]
fn names_that_are_no_text_are_told_apart() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    let paths = [b"x\xff.pcap", b"x\xfe.pcap"].map(|name| place.folder.path().join(OsStr::from_bytes(name)));
    let file = File::create(&paths[0]).unwrap();
    fs::write(&paths[1], "").unwrap();
    let same = file.metadata().unwrap().modified().unwrap();
    File::options().append(true).open(&paths[1]).unwrap().set_modified(same).unwrap();
    let keys = paths.map(|path| CacheKey::of(&path, DISSECTOR, &[]).unwrap());
    place.cache.put(&keys[0], &dissection(3)).unwrap();
    assert!(has(&place.cache, &keys[0]) && !has(&place.cache, &keys[1]));
}

#[test]
fn an_entry_damaged_anywhere_is_never_believed() {
    let place = Place::new();
    let key = place.key("a.pcap");
    place.cache.put(&key, &dissection(20)).unwrap();
    let path = place.entries().remove(0);
    let whole = fs::read(&path).unwrap();
    // Every byte of the head and the JSON, and many of the table.
    for at in (0..1200).chain((1200..whole.len()).step_by(37)) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, &bytes).unwrap();
        assert!(matches!(place.cache.get(&key), Lookup::Damaged(_)), "byte {at} of {}", whole.len());
    }
    for length in (0..64).chain((64..whole.len()).step_by(101)) {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(matches!(place.cache.get(&key), Lookup::Damaged(_)), "cut to {length} of {}", whole.len());
    }
    fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
    assert!(matches!(place.cache.get(&key), Lookup::Damaged(_)), "one byte more");

    let Lookup::Damaged(warning) = place.cache.get(&key) else { panic!("believed") };
    assert!(warning.contains(&path.display().to_string()) && warning.ends_with("dissected again"), "{warning}");
    place.cache.put(&key, &dissection(20)).unwrap();
    assert!(has(&place.cache, &key), "a damaged entry is replaced");
}

#[test]
fn an_entry_of_another_key_under_the_name_of_this_one_misses() {
    let place = Place::new();
    let (one, other) = (place.key("a.pcap"), place.key("b.pcap"));
    place.cache.put(&one, &dissection(3)).unwrap();
    let first = place.entries().remove(0);
    place.cache.put(&other, &dissection(4)).unwrap();
    let second = place.entries().into_iter().find(|path| *path != first).unwrap();
    fs::copy(&second, &first).unwrap();
    assert!(matches!(place.cache.get(&one), Lookup::Miss));
}

#[test]
fn the_least_recently_used_go_when_the_limit_is_reached() {
    let mut place = Place::new();
    let keys = ["a.pcap", "b.pcap", "c.pcap"].map(|name| place.key(name));
    place.cache.put(&keys[0], &dissection(100)).unwrap();
    let size = fs::metadata(&place.entries()[0]).unwrap().len();
    place.cache.limit = size * 5 / 2;
    place.cache.put(&keys[1], &dissection(100)).unwrap();
    assert!(has(&place.cache, &keys[0]), "used after the second was written");
    place.cache.put(&keys[2], &dissection(100)).unwrap();
    assert_eq!(keys.map(|key| has(&place.cache, &key)), [true, false, true]);
}

#[test]
fn an_entry_beyond_the_limit_is_not_kept_and_costs_no_other() {
    let mut place = Place::new();
    let (small, large) = (place.key("a.pcap"), place.key("b.pcap"));
    place.cache.put(&small, &dissection(10)).unwrap();
    place.cache.limit = 1024 * 1024;
    let error = place.cache.put(&large, &dissection(100_000)).unwrap_err();
    assert!(matches!(error, CacheError::TooLarge { limit: 1, size: 2.. }), "{error}");
    assert!(has(&place.cache, &small) && !has(&place.cache, &large));
    assert_eq!(place.entries().len(), 1);
}

#[test]
fn cleaning_removes_what_is_ours_and_nothing_else() {
    let place = Place::new();
    place.cache.put(&place.key("a.pcap"), &dissection(10)).unwrap();
    let size = fs::metadata(&place.entries()[0]).unwrap().len();
    fs::write(place.cache.directory.join("left.mptcpcache-part"), "12345").unwrap();
    let foreign = place.cache.directory.join("thesis.txt");
    fs::write(&foreign, "mine").unwrap();
    assert_eq!(place.cache.holdings().unwrap(), Removed { entries: 1, bytes: size });
    assert_eq!(place.cache.clean().unwrap(), Removed { entries: 2, bytes: size + 5 });
    assert_eq!(place.cache.clean().unwrap(), Removed { entries: 0, bytes: 0 });
    assert_eq!(fs::read_to_string(foreign).unwrap(), "mine");
}

#[test]
fn what_a_killed_process_left_behind_goes_with_the_next_entry() {
    let place = Place::new();
    let left = place.cache.directory.join(".tmpAbC.mptcpcache-part");
    fs::write(&left, "half").unwrap();
    place.cache.put(&place.key("a.pcap"), &dissection(10)).unwrap();
    assert!(!left.exists() && place.entries().len() == 1);
}

#[test]
fn a_place_that_cannot_be_used_costs_only_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    // A file where a directory must be: refused to everyone, root included.
    let (cache, warning) = Cache::open(Some(folder.path().join("file/cache")), 100);
    let warning = warning.unwrap();
    assert!(
        cache.is_none()
            && warning.contains("cannot use the cache")
            && warning.ends_with("set `cache_dir` to another directory")
    );

    let place = Place::new();
    let key = place.key("a.pcap");
    fs::remove_dir_all(&place.cache.directory).unwrap();
    assert!(matches!(place.cache.put(&key, &dissection(3)), Err(CacheError::File { .. })));
    assert!(!has(&place.cache, &key));

    let (cache, warning) = Cache::open(Some(folder.path().join("none")), 0);
    assert!(cache.is_none() && warning.is_none(), "a limit of nothing is a wish, not a fault");
    assert!(!folder.path().join("none").exists());
}

#[test]
fn a_missing_capture_has_no_key() {
    assert_eq!(
        CacheKey::of(Path::new("/no/such.pcap"), DISSECTOR, &[]).unwrap_err().kind(),
        std::io::ErrorKind::NotFound
    );
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_look_into_the_cache() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.cache.put(&place.key("a.pcap"), &dissection(3)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&place.cache.directory), mode(&place.entries()[0])), (0o700, 0o600));
}

#[test]
fn two_processes_and_two_threads_at_once_all_succeed() {
    let place = Place::new();
    let capture = place.capture("a.pcap");
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["packets::cache::put_and_get_as_another_process", "--exact", "--ignored"])
            .env("MPTCPANALYZER_TEST_CACHE", &place.cache.directory)
            .env("MPTCPANALYZER_TEST_CAPTURE", &capture)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let others = [start(), start()];
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| put_and_get(&place.cache, &capture));
        }
    });
    for other in others {
        let done = other.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success() && said.contains("1 passed"), "{said}");
    }
    let left: Vec<_> = fs::read_dir(&place.cache.directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "one entry and the lock, not {left:?}");
}

#[test]
#[ignore = "started as a process of its own by the test above"]
fn put_and_get_as_another_process() {
    let variable = |name: &str| PathBuf::from(std::env::var_os(name).unwrap());
    let (cache, warning) = Cache::open(Some(variable("MPTCPANALYZER_TEST_CACHE")), 100);
    assert_eq!(warning, None);
    put_and_get(&cache.unwrap(), &variable("MPTCPANALYZER_TEST_CAPTURE"));
}

fn put_and_get(cache: &Cache, capture: &Path) {
    let key = CacheKey::of(capture, DISSECTOR, &[]).unwrap();
    let kept = dissection(500);
    for _ in 0..20 {
        cache.put(&key, &kept).unwrap();
        assert!(cache.get(&key).hit().unwrap().raw().unwrap().equals_missing(&kept.raw().unwrap()));
    }
}

/// One that claims lengths which it does not have is refused by its head, before gigabytes of nothing are read.
#[test]
fn a_sparse_entry_is_refused_unread() {
    let place = Place::new();
    let key = place.key("a.pcap");
    place.cache.put(&key, &dissection(20)).unwrap();
    let path = place.entries().remove(0);
    let started = std::time::Instant::now();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(1 << 40).unwrap();
    assert!(matches!(place.cache.get(&key), Lookup::Damaged(_)), "its head tells another length");
    // A head that fits, of an entry that the cache would never have kept.
    let mut head = b"mptcp\0\r\n".to_vec();
    head.extend(2_u32.to_le_bytes());
    head.extend(0_u32.to_le_bytes());
    head.extend(((1_u64 << 40) - 32).to_le_bytes());
    head.extend(0_u64.to_le_bytes());
    std::os::unix::fs::FileExt::write_all_at(&file, &head, 0).unwrap();
    let Lookup::Damaged(warning) = place.cache.get(&key) else { panic!("believed") };
    assert!(warning.contains("larger than `cache_limit`"), "{warning}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn a_link_or_a_pipe_in_place_of_an_entry_is_neither_followed_nor_waited_for() {
    let place = Place::new();
    let key = place.key("a.pcap");
    place.cache.put(&key, &dissection(3)).unwrap();
    let path = place.entries().remove(0);
    for made in ["mv ENTRY ENTRY.kept; ln -s ENTRY.kept ENTRY", "rm ENTRY; mkfifo ENTRY", "rm ENTRY; mkdir ENTRY"] {
        let script = made.replace("ENTRY", &path.display().to_string());
        assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
        let Lookup::Damaged(warning) = place.cache.get(&key) else { panic!("{made}: believed") };
        assert!(warning.contains("it is not a file"), "{warning}");
    }
}
