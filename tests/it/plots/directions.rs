//! Directions that plots show unless asked for others: those with data, recorded where they tell what the plot is about.

use std::collections::BTreeSet;
use std::path::Path;

use crate::analysis::merge::end_of;
use crate::support::program::Home;
use crate::support::scenarios;

/// Payload towards the server and towards the client, as tshark sums it up.
fn payload(path: &Path) -> [u64; 2] {
    let mut bytes = [0, 0];
    for line in scenarios::tshark(path, &["tcp.dstport", "tcp.len"]) {
        let (port, length) = line.split_once('\t').unwrap();
        bytes[usize::from(port != "5001")] += length.parse::<u64>().unwrap_or(0);
    }
    bytes
}

/// The directions in the plotted values, and what standard error says.
fn shown(home: &Home, path: &Path, words: &str) -> (BTreeSet<String>, String) {
    let line = ["-l", path.to_str().unwrap(), "plot"].into_iter().chain(words.split(' '));
    let done = home.run(&line.chain(["--format", "ndjson"]).collect::<Vec<_>>(), "");
    assert_eq!(done.code, Some(0), "{words}: {done:?}");
    let rows = done.results.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    (rows.map(|row| row["towards"].as_str().unwrap().to_string()).collect(), done.messages)
}

/// Recorded at the end that each file is named after.
#[test]
fn directions_that_say_little_are_left_out_and_named() {
    let Some(folder) = scenarios::folder() else { return };
    let home = Home::new();
    let (mut alone, mut both) = (0, 0);
    for (name, end) in [
        ("02_fullmesh", "client"),
        ("02_fullmesh", "server"),
        ("05_backup_failover", "server"),
        ("06_lossy", "client"),
        ("06_lossy", "server"),
        ("18b_slow_reader", "client"),
    ] {
        let path = end_of(&folder.join(name), end).unwrap();
        let bytes = payload(&path);
        for (plot, wrong_end) in [
            ("dsn 0", None),
            ("mptcp_tput 0", None),
            ("dss_len 0", None),
            // What only the sender knows is not known at the end that the data travels towards.
            ("rtt 0", Some(true)),
            ("flight 0", Some(true)),
            ("cwnd 0", Some(true)),
            ("ooo 0", Some(false)),
        ] {
            let roles = ["server", "client"];
            let worth = |at: usize| {
                let wrong = wrong_end.is_some_and(|arrives| (roles[at] == end) == arrives);
                if bytes[at] * 100 < bytes.iter().sum() { 2 } else { u32::from(wrong) }
            };
            let best = worth(0).min(worth(1));
            let expected: BTreeSet<String> =
                (0..2).filter(|at| worth(*at) == best).map(|at| roles[at].to_string()).collect();
            let (found, said) = shown(&home, &path, plot);
            let what = format!("{name} at the {end}, {plot}: {said}");
            // Where nothing of a direction waited, the other one is shown.
            if plot == "ooo 0" && found.is_disjoint(&expected) {
                continue;
            }
            assert!(!found.is_empty() && found.is_subset(&expected), "{what}: {found:?}, not {expected:?}");
            for at in 0..2 {
                let hint = format!("--towards {} shows it", roles[at]);
                assert_eq!(said.contains(&hint), !expected.contains(roles[at]), "{what}");
                assert_eq!(said.contains("less than 1 %") && said.contains(&hint), worth(at) == 2 && bytes[at] > 0);
            }
            alone += usize::from(expected.len() == 1);
            both += usize::from(expected.len() == 2);
        }
    }
    assert!(alone > 20 && both > 5, "{alone} {both}");
}

/// A download is recorded where it arrives: its few bytes of requests are not the figure.
#[test]
fn the_bulk_is_drawn_where_it_arrives_and_the_caption_says_what_that_means() {
    let Some(folder) = scenarios::folder() else { return };
    let home = Home::new();
    let path = end_of(&folder.join("18b_slow_reader"), "server").unwrap();
    let [up, down] = payload(&path);
    assert!(up > 100 * down, "{up} {down}");
    for (plot, says) in [
        ("flight 0", "Towards the server, in flight means arrived and not yet acknowledged by the server"),
        ("cwnd 0", "Towards the server, a round trip is only the server's time to acknowledge"),
        ("rtt 0", "Towards the server: recorded at the receiver, so these are only the server's response times"),
    ] {
        assert_eq!(shown(&home, &path, plot).0, BTreeSet::from(["server".to_string()]), "{plot}");
        let line = format!("plot {plot} -o x.svg --size 1600x900\n");
        let done = home.run(&["-l", path.to_str().unwrap()], &line);
        assert_eq!(done.code, Some(0), "{done:?}");
        let svg = std::fs::read_to_string(home.path("x.svg")).unwrap();
        assert!(svg.contains(says), "{plot}: {svg}");
    }
}

#[test]
fn what_is_asked_for_is_shown_and_without_a_caption_it_is_said() {
    let home = Home::new();
    for (end, other) in [("client", "server"), ("server", "client")] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{end}.pcapng"));
        for plot in ["flight 0", "cwnd 0", "rtt 0"] {
            for role in [end, other] {
                let asked = shown(&home, &path, &format!("{plot} --towards {role}"));
                assert_eq!((asked.0, asked.1.contains("Not shown")), (BTreeSet::from([role.to_string()]), false));
            }
            let (all, said) = shown(&home, &path, &format!("{plot} --towards both"));
            assert_eq!((all.len(), said.contains("Not shown")), (2, false), "{plot}: {said}");
        }
        let words = ["-l", path.to_str().unwrap(), "plot", "dsn", "0", "--style", "latex", "-o", "x.svg"];
        let said = home.run(&words, "").messages;
        let few = payload(&path)[1] * 100 < payload(&path)[0];
        assert_eq!(said.contains("warning: Not shown: data towards the client"), few, "{said}");
    }
}
