use crate::packets::LoadedCapture;
use crate::whole_file::Force;
use std::fs;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::*;
use crate::delimiter::Delimiter;
use crate::packets::exported::{TableForm, write};
use crate::packets::table::raw;
use mptcp_trace::Instant;
use mptcp_trace::packets::Builder;
use mptcp_trace::packets::frames::Frame;
use mptcp_trace::packets::segment::{Fields, flag};

/// A folder of exported tables, which load without a dissector.
struct Folder {
    directory: TempDir,
}

impl Folder {
    fn new() -> Self {
        Folder { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a table of so many packets and returns its path.
    fn table(&self, name: &str, packets: u64) -> PathBuf {
        let mut builder = Builder::default();
        for packetid in 1..=packets {
            builder.push(&Frame::default(), segment(packetid));
        }
        let path = self.path(name);
        write(&raw(&builder.finish(), &[]).unwrap(), &path, TableForm::Csv, Delimiter::COMMA, Force::Given).unwrap();
        path
    }
}

fn segment(packetid: u64) -> Fields {
    let address = |last: u8| IpAddr::from([192, 0, 2, last]);
    Fields {
        packetid,
        abstime: Instant::from_nanoseconds(1_700_000_000_000_000_000),
        flags: flag::ACK,
        window: 100,
        sequence: 1,
        acknowledgement: 1,
        ..Fields::between((address(1), 40_000), (address(2), 80))
    }
}

fn session() -> Session {
    Session::new(Config::default(), None)
}

/// The packets of what `wanted` stands for.
fn packets(session: &mut Session, wanted: &Path) -> usize {
    session.resolve(wanted).unwrap().segments.len()
}

fn current(session: &Session) -> usize {
    session.capture().unwrap().segments.len()
}

fn same(session: &mut Session, path: &Path, capture: &Arc<LoadedCapture>) -> bool {
    Arc::ptr_eq(&session.resolve(path).unwrap(), capture)
}

#[test]
fn names_are_letters_digits_and_three_marks() {
    for name in ["client", "a.pcapng", "2", "run_2-b.x", "größe", ".hidden"] {
        assert!(is_name(name), "{name}");
    }
    for text in ["", "a b", "a/b", "./a", "-x", "--as", ".", "..", "a\u{1b}", "a,b", "~", "a\u{202e}"] {
        assert!(!is_name(text), "{text:?}");
    }
}

#[test]
fn a_name_brings_its_capture_back() {
    let folder = Folder::new();
    let mut session = session();
    assert!(matches!(session.capture(), Err(Error::NothingLoaded)));
    assert!(matches!(session.keep("none"), Err(Error::NothingLoaded)));
    session.load(&folder.table("one.arrow", 1)).unwrap();
    assert_eq!((session.keep("first").unwrap().is_none(), session.current_name()), (true, Some("first")));
    let first = session.capture().unwrap().clone();
    session.load(&folder.table("two.arrow", 2)).unwrap();
    assert_eq!((current(&session), session.current_name()), (2, None));
    // A name asked for by a command does not switch.
    assert!(same(&mut session, Path::new("first"), &first));
    assert_eq!(current(&session), 2);
    session.load(Path::new("first")).unwrap();
    assert!(Arc::ptr_eq(session.capture().unwrap(), &first));
    assert_eq!(session.current_name(), Some("first"));
}

#[test]
fn a_name_given_again_stands_for_the_new_capture() {
    let folder = Folder::new();
    let mut session = session();
    session.load(&folder.table("one.arrow", 1)).unwrap();
    session.keep("it").unwrap();
    assert!(session.keep("it").unwrap().is_none(), "nothing was replaced");
    session.load(&folder.table("two.arrow", 2)).unwrap();
    let replaced = session.keep("it").unwrap().unwrap();
    assert_eq!((replaced.segments.len(), packets(&mut session, Path::new("it"))), (1, 2));
    assert_eq!(session.named().count(), 1);
}

#[test]
fn a_forgotten_name_leaves_the_current_capture() {
    let folder = Folder::new();
    let mut session = session();
    session.load(&folder.table("one.arrow", 1)).unwrap();
    session.keep("it").unwrap();
    assert_eq!(session.forget("it").unwrap().segments.len(), 1);
    assert_eq!((current(&session), session.current_name(), session.named().count()), (1, None, 0));
    let error = session.forget("it").unwrap_err().to_string();
    assert_eq!(error, "no capture named `it`; name one with `load_pcap FILE --as NAME`");
}

#[test]
fn what_is_neither_name_nor_file_says_which_names_there_are() {
    let folder = Folder::new();
    let mut session = session();
    let says = |session: &mut Session, wanted: &str| session.resolve(Path::new(wanted)).unwrap_err().to_string();
    assert_eq!(says(&mut session, "clinet"), "clinet: no such file; check the path");
    session.load(&folder.table("one.arrow", 1)).unwrap();
    session.keep("client").unwrap();
    session.keep("server").unwrap();
    assert_eq!(
        says(&mut session, "clinet"),
        "clinet: no such file or capture name; did you mean `client`? names in use: client, server"
    );
    assert_eq!(says(&mut session, "zzz"), "zzz: no such file or capture name; names in use: client, server");
    assert_eq!(says(&mut session, "./clinet"), "./clinet: no such file; check the path");
    assert_eq!(
        session.forget("sever").unwrap_err().to_string(),
        "no capture named `sever`; did you mean `server`? names in use: client, server"
    );
    for number in 0..20 {
        session.keep(&format!("n{number:02}")).unwrap();
    }
    assert_eq!(
        says(&mut session, "zzz"),
        "zzz: no such file or capture name; names in use: client, n00, n01, n02, n03, n04, n05, n06 and more, see \
         `captures`"
    );
}

#[test]
fn an_unchanged_file_is_read_once_and_a_changed_one_again() {
    let folder = Folder::new();
    let mut session = session();
    let path = folder.table("one.arrow", 1);
    let first = session.resolve(&path).unwrap();
    fs::create_dir(folder.path("sub")).unwrap();
    assert!(same(&mut session, &folder.path("sub/../one.arrow"), &first), "the canonical path counts");
    assert!(session.loaded().is_none());
    assert_eq!(session.remembered().count(), 1);

    // Another size.
    folder.table("one.arrow", 3);
    let second = session.resolve(&path).unwrap();
    assert_eq!((first.segments.len(), second.segments.len()), (1, 3));
    assert_eq!(session.remembered().count(), 1, "the old one is gone");

    // The same size, another time.
    let later = SystemTime::now() + Duration::from_secs(5);
    fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
    assert!(!same(&mut session, &path, &second));

    fs::remove_file(&path).unwrap();
    assert!(matches!(session.resolve(&path), Err(Error::Load(LoadError::Missing(_)))));
}

#[test]
fn captures_with_and_without_name_are_reused_while_their_file_is_unchanged() {
    let folder = Folder::new();
    let mut session = session();
    let path = folder.table("one.arrow", 1);
    session.load(&path).unwrap();
    let loaded = session.capture().unwrap().clone();
    assert!(same(&mut session, &path, &loaded));
    session.keep("it").unwrap();
    session.load(&folder.table("two.arrow", 2)).unwrap();
    assert!(same(&mut session, &path, &loaded));
    assert_eq!(session.remembered().count(), 0, "they are held already");

    // The name keeps what it was given; the path is what the file is now.
    folder.table("one.arrow", 3);
    assert_eq!((packets(&mut session, Path::new("it")), packets(&mut session, &path)), (1, 3));
}

#[test]
fn a_name_whose_file_changed_warns_once() {
    let folder = Folder::new();
    let mut session = session();
    let path = folder.table("one.arrow", 1);
    session.load(&path).unwrap();
    session.keep("it").unwrap();
    session.resolve(Path::new("it")).unwrap();
    assert_eq!(session.take_warnings(), Vec::<String>::new());
    folder.table("one.arrow", 2);
    session.resolve(Path::new("it")).unwrap();
    session.load(Path::new("it")).unwrap();
    let shown = path.display();
    assert_eq!(
        session.take_warnings(),
        [format!("{shown} has changed since it was loaded as it; load it again with `--as it`")]
    );
    session.load(&path).unwrap();
    session.keep("it").unwrap();
    assert_eq!((packets(&mut session, Path::new("it")), session.take_warnings()), (2, vec![]));
}

#[test]
fn the_least_recently_used_go_first() {
    let folder = Folder::new();
    let mut session = session();
    let paths: Vec<PathBuf> = (1..=5).map(|packets| folder.table(&format!("{packets}.arrow"), packets)).collect();
    let held: Vec<_> = paths[..4].iter().map(|path| session.resolve(path).unwrap()).collect();
    assert!(same(&mut session, &paths[0], &held[0]));
    session.resolve(&paths[4]).unwrap();
    assert_eq!(session.remembered().count(), 4);
    let remembered: Vec<usize> = session.remembered().map(|held| held.capture.segments.len()).collect();
    assert_eq!(remembered, [3, 4, 1, 5], "the second went, the first was used since");
    assert_eq!(Arc::strong_count(&held[1]), 1, "nobody but this test has it in memory");
}

#[test]
fn a_failed_load_changes_nothing() {
    let folder = Folder::new();
    let mut session = session();
    session.load(&folder.table("one.arrow", 1)).unwrap();
    session.keep("it").unwrap();
    assert!(session.load(&folder.path("absent.arrow")).is_err());
    assert!(session.resolve(&folder.path("")).is_err());
    assert_eq!((current(&session), session.current_name(), session.named().count()), (1, Some("it"), 1));
}

#[test]
fn the_same_warning_is_told_once() {
    let session = session();
    session.warn("one");
    session.warn("two".to_string());
    session.warn("one");
    assert_eq!(session.take_warnings(), ["one", "two"]);
    assert_eq!(session.take_warnings(), Vec::<String>::new());
}
