//! `--test FILE`: transcripts of users.

use std::path::Path;

use crate::support::program::{Home, examples, finish};

#[test]
fn the_example_is_true() {
    if examples().is_none() {
        return;
    }
    let home = Home::new();
    let mut program = home.program();
    program.current_dir(env!("CARGO_MANIFEST_DIR")).args(["--test", "examples/tour.transcript"]);
    let done = finish(program, "");
    assert_eq!((done.code, done.results.as_str()), (Some(0), ""), "{done:?}");
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/tour.transcript")).unwrap();
    let commands = text.lines().filter(|line| line.starts_with("mptcpanalyzer")).count();
    let sentence = format!("examples/tour.transcript: {commands} commands printed as expected\n");
    assert!(done.messages.ends_with(&sentence), "{done:?}");
}

#[test]
fn the_first_difference_is_one_sentence() {
    let home = Home::new();
    home.write("good", "mptcpanalyzer> help quit | head -n 3\nLeave the program\n\nUsage: /qu.t/\n");
    home.write("bad", "words\n(mptcpanalyzer) hlep\nerror: unknown command `hlep`; did you mean `help`?\n(mptcpanalyzer) !echo a; echo b\na\nc\n");
    home.write("left", "mptcpanalyzer> quit\nmptcpanalyzer> help\n");
    home.write("none", "no commands\n");
    let good = home.run(&["--test", "good"], "");
    assert_eq!((good.code, good.messages.as_str()), (Some(0), "good: 1 command printed as expected\n"), "{good:?}");
    for (file, says) in [
        ("bad", "bad:6: `!echo a; echo b` printed `b`, but `c` was expected"),
        ("left", "left:2: `quit` already left the program"),
        ("none", "none has no command; begin command lines with `mptcpanalyzer> `"),
        ("absent", "cannot read absent: no such file; check the path"),
    ] {
        let done = home.run(&["--test", file], "");
        assert_eq!((done.code, done.results.as_str()), (Some(1), ""), "{done:?}");
        assert_eq!(done.messages, format!("error: {says}\n"));
    }
    // All files are run, and one that fails is a failure.
    let done = home.run(&["--test", "bad", "good"], "");
    assert_eq!((done.code, done.messages.lines().count()), (Some(1), 2), "{done:?}");
    assert_eq!(home.run(&["--test", "good", "--batch", "x"], "").code, Some(2));
}

#[test]
fn a_transcript_has_a_session_of_its_own() {
    let home = Home::new();
    assert_eq!(home.run(&["set", "format", "json"], "").code, Some(0));
    let table = "mptcpanalyzer> list_available_plots | head -n 1\nplot /.*/ shows\nmptcpanalyzer> set format csv\nformat is csv (was table)\n";
    home.write("one", table);
    let done = home.run(&["--test", "one", "one"], "");
    assert_eq!(done.code, Some(0), "{done:?}");
    // What was set is still there.
    assert!(home.run(&["set", "format"], "").results.contains("\"value\": \"json\""));
}
