//! What would be a wrong number, or work left undone, without a word.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::{analyze, folder_of_forty, folder_of_small, parts, rows, small, tables};
use crate::support::program::Home;

#[test]
fn a_closed_report_stops_the_work_and_says_so() {
    let home = Home::new();
    let folder = folder_of_forty(&home);
    let out = home.path("dataset");
    let words = ["analyze", folder.to_str().unwrap(), "--out", out.to_str().unwrap(), "--report", "ndjson"];
    let mut program = home.program();
    program.args(words).args(["-j", "1"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with('{'), "{line}");
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    // Where all were done before anybody noticed, nothing is undone.
    if rows(&out, "captures").len() < 40 {
        assert_eq!(done.status.code(), Some(1), "{said}");
        assert!(said.contains("run the same line again"), "{said}");
    }
    assert_eq!(home.run(&words, "").code, Some(0));
    assert_eq!(rows(&out, "captures").len(), 40);
}

/// The rows of the other tables are still there, in large files.
#[test]
fn rows_are_not_doubled_where_the_captures_were_lost() {
    let home = Home::new();
    let folder = folder_of_small(&home);
    let out = home.path("dataset");
    let text = out.to_str().unwrap();
    assert_eq!(analyze(&home, &[&folder], &out, &[]).code, Some(0));
    let before: Vec<_> = tables().into_iter().map(|table| rows(&out, table)).collect();
    assert_eq!(home.run(&["dataset", "compact", text], "").code, Some(0));
    let large = parts(&out, "captures").into_iter().find(|path| path.to_string_lossy().contains("compact-")).unwrap();
    fs::remove_file(large).unwrap();
    let again = analyze(&home, &[&folder], &out, &[]);
    assert_eq!(again.code, Some(0), "{}", again.messages);
    assert_eq!(tables().into_iter().map(|table| rows(&out, table)).collect::<Vec<_>>(), before);
    let verified = home.run(&["dataset", "verify", text], "");
    assert_eq!(verified.code, Some(0), "{}", verified.results);
}

#[test]
fn files_are_not_in_a_dataset_alone_and_joined() {
    let home = Home::new();
    let folder = home.path("captures");
    fs::create_dir(&folder).unwrap();
    for name in ["t.pcap0", "t.pcap1"] {
        fs::copy(small().pop().unwrap(), folder.join(name)).unwrap();
    }
    let (alone, joined) = (["--include", "t.*"], ["--include", "t.*", "--joined", "t.*"]);
    for (out, first, second) in [("one", &alone[..], &joined[..]), ("other", &joined[..], &alone[..])] {
        let out = home.path(out);
        let done = analyze(&home, &[&folder], &out, first);
        assert_eq!(done.code, Some(0), "{}", done.messages);
        let before = rows(&out, "captures");
        let refused = analyze(&home, &[&folder], &out, second);
        assert_ne!(refused.code, Some(0));
        assert!(refused.messages.contains("would count twice"), "{}", refused.messages);
        assert_eq!(rows(&out, "captures"), before);
        assert_eq!(analyze(&home, &[&folder], &out, first).code, Some(0));
    }
}

#[test]
fn queries_say_what_is_missing() {
    let home = Home::new();
    let capture = small().pop().unwrap();
    let out = home.path("dataset");
    assert_eq!(analyze(&home, &[&capture], &out, &[]).code, Some(0));
    for (query, said) in [
        ("SELECT COUNT(*) FROM bursts", "does not have the table `bursts`; run `analyze … --out"),
        ("SELECT COUNT(*) FROM rtt_samples", "--tables rtt_samples`"),
        ("SELECT joined_buy FROM connections", "did you mean `joined_by`? `sql --dataset "),
        ("SELECT * FROM conections", "did you mean `connections`?"),
        (
            "SELECT MIN(tcp_packets), MAX(tcp_packets) FROM captures",
            "would both be called `tcp_packets`; name them with AS",
        ),
    ] {
        let done = home.run(&["sql", "--dataset", out.to_str().unwrap(), query], "");
        assert_ne!(done.code, Some(0), "{query}");
        assert!(done.messages.contains(said), "{query}: {}", done.messages);
    }
}
