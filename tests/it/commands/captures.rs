//! Several captures in one session: names, switching, files that change.
#![cfg(unix)]

use serde_json::{Value, json};

use crate::support::program::{Finished, Home, examples};
use crate::support::scenarios;
use crate::support::three_modes::{Prompt, Refusal, plain};

fn home() -> Home {
    let home = Home::new();
    copy(&home, "client.pcapng", "client.pcapng");
    copy(&home, "server.pcapng", "server.pcapng");
    home
}

/// Copies an example capture, over what is there.
fn copy(home: &Home, example: &str, name: &str) {
    std::fs::copy(examples().expect("the examples are shipped").join(example), home.path(name)).unwrap();
}

fn listed(done: &Finished) -> Value {
    serde_json::from_str(&done.results).unwrap_or_else(|error| panic!("{error}: {done:?}"))
}

/// TCP packets, TCP streams and MPTCP connections of a capture, as tshark counts them.
fn counts(home: &Home, name: &str) -> [usize; 3] {
    let distinct = |field: &str| {
        let values = scenarios::tshark(&home.path(name), &[field]);
        let values: Vec<String> = values.into_iter().filter(|value| !value.trim().is_empty()).collect();
        (values.len(), values.into_iter().collect::<std::collections::BTreeSet<_>>().len())
    };
    let ((packets, streams), (_, connections)) = (distinct("tcp.stream"), distinct("mptcp.stream"));
    [packets, streams, connections]
}

#[test]
fn captures_are_listed_with_their_counts() {
    let home = home();
    let lines = "captures --format json\n";
    let done = home.run(&[], lines);
    assert_eq!((done.code, listed(&done)), (Some(0), json!([])));

    let lines = "load_pcap server.pcapng --as far\nload_pcap client.pcapng\ncaptures --format json\n";
    let done = home.run(&[], lines);
    let line = |name: Option<&str>, file: &str, current: bool| {
        let [packets, streams, connections] = counts(&home, file);
        json!({
            "name": name, "file": file, "packets": packets, "tcp_streams": streams,
            "mptcp_connections": connections, "current": current,
            // By capinfos.
            "format": "pcapng", "link_type": "1", "snap_length": 140, "options_cut": false,
        })
    };
    assert_eq!(listed(&done), json!([line(None, "client.pcapng", true), line(Some("far"), "server.pcapng", false)]));
}

#[test]
fn names_switch_between_captures_and_win_over_files() {
    let home = home();
    // The server's side has another number of packets, by which the two are told apart.
    let [near, far] = ["client.pcapng", "server.pcapng"].map(|name| counts(&home, name)[0]);
    assert_ne!(near, far);
    let done = home.run(
        &["--load", "client.pcapng", "--format", "csv"],
        "load_pcap client.pcapng --as near\nload_pcap server.pcapng --as client.pcapng\ndump packetid -n 0\n\
         load_pcap near\ndump packetid -n 0\nload_pcap client.pcapng\ndump packetid -n 0\n\
         load_pcap ./client.pcapng\ndump packetid -n 0\n",
    );
    assert_eq!(done.code, Some(0), "{}", done.messages);
    let rows: Vec<usize> = done.results.split("packetid\n").skip(1).map(|table| table.lines().count()).collect();
    assert_eq!(rows, [far, near, far, near]);
    let said: Vec<&str> = done.messages.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        said,
        [
            "loaded client.pcapng as near",
            "warning",
            "loaded server.pcapng as client.pcapng",
            "switched to near (client.pcapng)",
            "switched to client.pcapng (server.pcapng)",
            "loaded client.pcapng",
        ]
    );
    let warning = "warning: client.pcapng is also a file: the name takes precedence, `./client.pcapng` is the file\n";
    assert!(done.messages.contains(warning), "{}", done.messages);
}

#[test]
fn a_name_given_again_is_said_to_be_replaced_and_a_forgotten_one_is_gone() {
    let home = home();
    let lines = "load_pcap client.pcapng --as a\nload_pcap server.pcapng --as a\nload_pcap a --as b\n\
                 captures --forget a\nload_pcap a\n";
    let done = home.run(&["--keep-going"], lines);
    assert_eq!(done.code, Some(1));
    for sentence in [
        "a no longer stands for client.pcapng\nloaded server.pcapng as a: ",
        "switched to a, now also b (server.pcapng): ",
        "<stdin>:5: a: no such file or capture name; names in use: b\n",
    ] {
        assert!(done.messages.contains(sentence), "{sentence}\n{}", done.messages);
    }
    assert!(done.results.contains("\ndropped a: server.pcapng\n"), "{}", done.results);
}

#[test]
fn unknown_and_unfit_names() {
    let home = home();
    let flags = &["--load", "client.pcapng"][..];
    let says = "no capture named `far`; name one with `load_pcap FILE --as NAME`";
    Refusal { flags, line: "captures --forget far", says, code: 1 }.check(&home);
    let says = "invalid value 'a/b' for '--as <NAME>': not a valid name; use letters, digits, `_`, `-` and `.`, but \
                no leading `-`; see `help load_pcap`";
    Refusal { flags, line: "load_pcap client.pcapng --as a/b", says, code: 2 }.check(&home);
    // Without names, a path that is not there is only that.
    Refusal { flags, line: "load_pcap far", says: "far: no such file; check the path", code: 1 }.check(&home);

    let done = home.run(
        &["--keep-going"],
        "load_pcap client.pcapng --as client\nload_pcap cleint\nclean_pcap sever out.pcapng\ncaptures --forget clint\n",
    );
    let said: Vec<&str> = done.messages.lines().skip(1).collect();
    assert_eq!(
        said,
        [
            "<stdin>:2: cleint: no such file or capture name; did you mean `client`? names in use: client",
            "<stdin>:3: sever: no such file or capture name; names in use: client",
            "<stdin>:4: no capture named `clint`; did you mean `client`? names in use: client",
        ]
    );
}

/// A capture that a command asked for by its path is in memory until its file changes; tshark tells how often it ran.
#[test]
fn a_file_is_dissected_again_only_when_it_changed() {
    use std::os::unix::fs::PermissionsExt;
    let home = home();
    let counting =
        home.write("counting", "#!/bin/sh\ncase \"$*\" in *-r*) echo ran >> runs;; esac\nexec tshark \"$@\"\n");
    std::fs::set_permissions(&counting, std::fs::Permissions::from_mode(0o755)).unwrap();
    home.write("mine.toml", format!("dissector = \"tshark\"\ntshark = \"{}\"\ncache_limit = 0\n", counting.display()));
    let runs = || std::fs::read_to_string(home.path("runs")).unwrap_or_default().lines().count();
    let mut prompt = Prompt::open(&home, &["--config", "mine.toml", "--load", "client.pcapng"]);
    assert_eq!(runs(), 1);
    prompt.answer("load_pcap client.pcapng --as it");
    prompt.answer("clean_pcap ./client.pcapng one.pcapng");
    assert_eq!(runs(), 1, "the loaded capture is the same file");
    prompt.answer("clean_pcap server.pcapng two.pcapng");
    prompt.answer("clean_pcap server.pcapng three.pcapng");
    assert_eq!(runs(), 2, "the second time it was in memory");
    let table = prompt.answer("captures");
    assert!(table.contains("server.pcapng"), "{table}");

    copy(&home, "client.pcapng", "server.pcapng");
    let written = prompt.answer("clean_pcap server.pcapng four.pcapng");
    assert_eq!(runs(), 3);
    let [packets, ..] = counts(&home, "client.pcapng");
    // The terminal may have shown progress before.
    assert!(written.contains(&format!("wrote {packets} of ")), "{written}");

    // A name is what it was; the file is not copied by the old numbers.
    copy(&home, "server.pcapng", "client.pcapng");
    let said = prompt.answer("clean_pcap it five.pcapng");
    let warning = "warning: client.pcapng has changed since it was loaded as it; load it again with `--as it`";
    let error = "error: cannot copy client.pcapng: it changed since it was loaded, or was a pipe; load it again";
    assert_eq!(said.trim_end(), format!("{warning}\n{error}"));
    assert!(!home.path("five.pcapng").exists());
    let table = prompt.answer("captures");
    assert!(table.contains("client.pcapng has changed since it was loaded; the list shows it as loaded"), "{table}");
    prompt.leave();
}

/// What the loading has to say comes out before the command's own words, also when the command then fails.
#[test]
fn warnings_of_loading_are_told_once_by_the_command_that_loaded() {
    let home = home();
    let whole = std::fs::read(home.path("client.pcapng")).unwrap();
    home.write("cut.pcapng", &whole[..400_002]);
    let lines = "clean_pcap cut.pcapng out.pcapng\nclean_pcap cut.pcapng out.pcapng --force\nclean_pcap cut.pcapng no/out.pcapng\n";
    let done = home.run(&[], lines);
    let said: Vec<&str> = done.messages.lines().collect();
    assert_eq!(said.len(), 4, "{done:?}");
    assert!(said[0].starts_with("warning: ") && said[0].contains(" whole packets "), "{done:?}");
    assert!(said[1].starts_with("wrote ") && said[1] == said[2] && said[3].starts_with("<stdin>:3: "), "{done:?}");

    let done = home.run(&[], "clean_pcap cut.pcapng no/out.pcapng\n");
    let said: Vec<&str> = done.messages.lines().collect();
    assert!(said.len() == 2 && said[0].starts_with("warning: ") && said[1].starts_with("<stdin>:1: "), "{done:?}");

    // load_pcap says it whenever the person loads it.
    let done =
        home.run(&["--load", "cut.pcapng"], "load_pcap cut.pcapng\nload_pcap cut.pcapng --as cut\nload_pcap cut\n");
    assert_eq!(done.messages.matches("warning: ").count(), 3, "{done:?}");
}

#[test]
fn the_prompt_shows_and_completes_names() {
    let home = home();
    let mut prompt = Prompt::open(&home, &["--load", "client.pcapng"]);
    let said = prompt.answer("load_pcap client.pcapng --as near");
    assert!(said.contains("loaded client.pcapng as near: 5445 TCP packets of 5462 frames, 2 TCP streams"), "{said}");
    assert!(prompt.seen.ends_with("mptcpanalyzer [near]> "), "{:?}", prompt.seen);
    prompt.answer("load_pcap server.pcapng --as far");
    assert!(prompt.seen.ends_with("mptcpanalyzer [far]> "), "{:?}", prompt.seen);

    // Names come before files.
    prompt.type_keys("load_pcap \t");
    prompt.until("\r\n");
    prompt.until("load_pcap ");
    let shown = plain(&prompt.seen);
    let offered = shown.rsplit_once('\u{7}').map_or(&*shown, |(_, offered)| offered);
    let places: Vec<_> = ["far   server.pcapng", "near  client.pcapng", "  client.pcapng "]
        .iter()
        .map(|word| offered.find(word))
        .collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{offered:?}");
    prompt.type_keys("ne\t");
    prompt.until("near");
    prompt.type_keys("\r");
    assert!(prompt.printed().starts_with("switched to near (client.pcapng): "));
    assert!(prompt.seen.ends_with("mptcpanalyzer [near]> "), "{:?}", prompt.seen);

    prompt.type_keys("captures --forget n\t");
    prompt.until("near");
    prompt.type_keys("\r");
    assert!(prompt.printed().contains("dropped near: client.pcapng"));
    // It stays loaded, under its file's name.
    assert!(prompt.seen.ends_with("mptcpanalyzer [client.pcapng]> "), "{:?}", prompt.seen);
    prompt.leave();
}

/// The payload is read from the file when it is needed; the packets of another file must not be taken for these.
#[test]
fn checksums_of_a_file_that_changed_are_not_checked() {
    let Some(folder) = scenarios::folder() else { return };
    let home = Home::new();
    let replace = |scenario: &str| {
        std::fs::copy(folder.join(scenario).join("server.pcapng"), home.path("it.pcapng")).unwrap();
    };
    replace("08a_mpfail_single");
    let mut prompt = Prompt::open(&home, &["--load", "it.pcapng", "--format", "ndjson"]);
    assert!(prompt.answer("diagnose").contains("checksum_failure"));
    replace("08c_csum_ok");
    let shown = prompt.answer("diagnose");
    let warning = "warning: checksums not checked: it.pcapng changed since it was loaded, or was a pipe; load it \
                   again\n";
    assert!(shown.starts_with(warning) && shown.matches("warning").count() == 1, "{shown}");
    assert!(shown.contains("mp_fail") && !shown.contains("checksum_failure"), "{shown}");
    prompt.leave();
}
