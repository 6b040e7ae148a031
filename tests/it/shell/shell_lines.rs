//! What a line may be besides a command and its arguments: several commands, redirections, pipes, scripts, programs.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::program::{Finished, Home, examples, finish};
use crate::support::three_modes::{Prompt, Refusal};

/// Runs `lines` from standard input.
fn script(home: &Home, lines: &str) -> Finished {
    home.run(&[], lines)
}

fn read(home: &Home, name: &str) -> String {
    fs::read_to_string(home.path(name)).unwrap()
}

#[test]
fn a_result_goes_to_a_file_and_to_its_end() {
    let home = Home::new();
    let page = home.run(&["help", "quit"], "").results;
    let done = script(&home, "help quit > 'my page'; help quit >> log\nhelp quit >>log\n");
    assert_eq!((done.code, done.results.as_str(), done.messages.as_str()), (Some(0), "", ""));
    assert_eq!(read(&home, "my page"), page);
    assert_eq!(read(&home, "log"), format!("{page}{page}"));
}

#[test]
fn a_failure_leaves_the_file_as_it_was() {
    let home = Home::new();
    home.write("f", "old");
    let done = script(&home, "help nope > f\n");
    assert_eq!((done.code, read(&home, "f").as_str()), (Some(2), "old"), "{done:?}");
    assert_eq!(fs::read_dir(home.path("")).unwrap().filter(|e| !e.as_ref().unwrap().path().is_dir()).count(), 1);
    let done = script(&home, "help > /nowhere/f\n");
    assert_eq!(done.code, Some(1));
    assert!(done.messages.starts_with("<stdin>:1: cannot write /nowhere/f: "), "{done:?}");
    let done = script(&home, "help > /dev/full\n");
    assert!(done.messages.starts_with("<stdin>:1: cannot write /dev/full: "), "{done:?}");
}

#[test]
fn a_result_goes_through_a_program() {
    let home = Home::new();
    let done = script(&home, "help quit | grep Usage | tr a-z A-Z\n");
    assert_eq!((done.code, done.results.as_str()), (Some(0), "USAGE: QUIT\n"), "{done:?}");
    let done = script(&home, "help quit | grep zzz\nhelp\n");
    assert_eq!(
        (done.code, done.results.as_str(), done.messages.as_str()),
        (Some(1), "", "<stdin>:1: `grep zzz` ended with exit code 1\n")
    );
    // The failure is the command's, and the program sees an end of its input.
    let done = script(&home, "help nope | wc -c\n");
    assert_eq!((done.code, done.results.trim()), (Some(2), "0"), "{done:?}");
}

#[test]
fn a_program_that_reads_no_further_is_no_failure() {
    let home = Home::new();
    // More than a pipe holds.
    home.write("long", "help\n".repeat(200));
    let done = script(&home, "@long | head -n 1\nhelp quit | true\n");
    assert_eq!((done.code, done.messages.as_str()), (Some(0), ""), "{done:?}");
    assert_eq!(done.results.lines().count(), 1, "{done:?}");
}

#[test]
fn commands_after_one_that_failed_are_not_run() {
    let home = Home::new();
    let done = script(&home, "help quit > a; hlep; help quit > b\n");
    assert_eq!(
        (done.code, done.messages.as_str()),
        (Some(2), "<stdin>:1: unknown command `hlep`; did you mean `help`?\n")
    );
    assert!(home.path("a").is_file() && !home.path("b").exists());
    // A line that cannot be read does nothing at all.
    let done = script(&home, "help quit > c; help 'x\n");
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(!home.path("c").exists());
}

#[test]
fn lines_go_on_within_quotes_and_after_a_backslash() {
    let home = Home::new();
    let done = script(&home, "help \\\n  quit > a\n!printf '%s' 'x\ny'\nnope\n");
    assert!(read(&home, "a").contains("Usage: quit"));
    assert_eq!(done.results, "x\ny");
    assert_eq!(done.messages, "<stdin>:5: unknown command `nope`; `help` lists them all\n");
}

#[test]
fn programs_run_and_their_failure_is_a_commands() {
    let home = Home::new();
    let done = script(&home, "!echo a; echo b | tr b c\nshell printf '%s\\n' \"d e\" > made\nhelp quit | cat > copy\n");
    assert_eq!((done.code, done.results.as_str()), (Some(0), "a\nc\n"), "{done:?}");
    assert_eq!(read(&home, "made"), "d e\n");
    assert!(read(&home, "copy").contains("Usage: quit"));
    let done = script(&home, "!exit 3\n");
    assert_eq!((done.code, done.messages.as_str()), (Some(1), "<stdin>:1: `exit 3` ended with exit code 3\n"));
    // Lines of the script are not taken by a program that reads.
    assert_eq!(script(&home, "!cat\n!echo last\n").results, "last\n");
    // On the command line the words are taken as they are.
    let done = home.run(&["shell", "printf", "%s,", "a b", ";"], "");
    assert_eq!(done.results, "a b,;,");
    assert_eq!(home.run(&["shell", "echo $((1+1))"], "").results, "2\n");
    let done = home.run(&["shell", "no-such-program", "x"], "");
    assert!(done.messages.starts_with("error: cannot start no-such-program: "), "{done:?}");
}

#[test]
fn words_of_the_command_line_are_taken_as_they_are() {
    let home = Home::new();
    for word in [">", "a;b", "*", "|", "~"] {
        let done = home.run(&["help", word], "");
        assert_eq!(done.code, Some(2));
        assert!(done.messages.starts_with(&format!("error: unknown command `{word}`")), "{done:?}");
    }
}

#[test]
fn a_script_runs_from_a_script() {
    let home = Home::new();
    home.write("one.mptcp", "# first\n@two.mptcp\nhelp help > f\n");
    home.write("two.mptcp", "help quit\n");
    let done = script(&home, "run_script one.mptcp\n");
    assert_eq!((done.code, done.messages.as_str()), (Some(0), ""));
    assert!(done.results.contains("Usage: quit") && home.path("f").is_file());
    let done = script(&home, "@one.mptcp > all\n");
    assert_eq!((done.code, done.results.as_str()), (Some(0), ""));
    assert!(read(&home, "all").contains("Usage: quit"));

    home.write("two.mptcp", "\nhlep\n");
    let done = script(&home, "@one.mptcp\n");
    let sentence = "<stdin>:1: one.mptcp:2: two.mptcp:2: unknown command `hlep`; did you mean `help`?\n";
    assert_eq!((done.code, done.messages.as_str()), (Some(2), sentence));

    home.write("two.mptcp", "@one.mptcp\n");
    let done = script(&home, "@one.mptcp\n");
    assert_eq!(done.code, Some(1));
    assert!(done.messages.ends_with(": it runs itself recursively; remove that line\n"), "{done:?}");

    home.write("two.mptcp", "quit\n");
    let done = script(&home, "@one.mptcp\nhelp\n");
    assert_eq!((done.code, done.results.as_str()), (Some(0), ""));
    assert_eq!(script(&home, "@absent\n").code, Some(1));
}

#[test]
fn what_the_editor_leaves_is_run() {
    let home = Home::new();
    let editor = home.write("my editor", "#!/bin/sh\necho \"help quit\" > \"$2\"; exit $1\n");
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
    let edited = |code: &str, line: &str| {
        let mut program = home.program();
        program.env("EDITOR", "false").env("VISUAL", format!("\"{}\" {code}", editor.display()));
        finish(program, line)
    };
    let done = edited("0", "edit new.mptcp\n");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.results.contains("Usage: quit") && read(&home, "new.mptcp") == "help quit\n", "{done:?}");
    assert!(edited("0", "edit\n").results.contains("Usage: quit"));
    let done = edited("1", "edit\n");
    assert_eq!((done.code, done.results.as_str()), (Some(1), ""));
    assert!(done.messages.starts_with("<stdin>:1: nothing run, because the editor failed"), "{done:?}");
}

#[test]
fn globs_name_files() {
    let home = Home::new();
    home.write("only.mptcp", "help quit\n");
    assert!(script(&home, "run_script *.mptcp\n").results.contains("Usage: quit"));
    assert_eq!(script(&home, "run_script '*.mptcp'\n").code, Some(1));
    let done = script(&home, "run_script *.nope\n");
    assert!(done.messages.starts_with("<stdin>:1: cannot read *.nope: "), "{done:?}");
}

#[test]
fn what_cannot_be_read_is_one_sentence_everywhere() {
    let home = Home::new();
    for (line, says) in [
        ("help >", "no file follows `>`: name one, or quote the `>` where it means greater than"),
        ("help > a | cat", "a result goes to one file or one program: leave one `>` or `|` out, or quote it"),
    ] {
        let refusal = Refusal { flags: &[], line, says, code: 2 };
        refusal.in_a_script(&home);
        refusal.at_the_prompt(&home);
    }
}

#[test]
fn at_the_prompt_programs_get_the_terminal() {
    let home = Home::new();
    let mut prompt = Prompt::open(&home, &[]);
    assert_eq!(prompt.answer("!test -t 0 && test -t 1 && echo both").trim(), "both");
    assert_eq!(prompt.answer("help quit | (test -t 1 && grep -c Usage)").trim(), "1");
    // A program that asks gets the answer.
    prompt.type_keys("!read x; echo \"got $x\"\r");
    prompt.until("\n");
    prompt.type_keys("word\r");
    prompt.until("got word");
    prompt.until("> ");
    // Ctrl-C is the program's.
    prompt.type_keys("!sh -c 'trap \"echo caught; exit 0\" INT; echo ready; sleep 30 & wait'\r");
    prompt.until("\r\nready");
    prompt.interrupt();
    prompt.until("caught");
    prompt.until("> ");
    prompt.type_keys("!echo on; exec sleep 30\r");
    prompt.until("\r\non");
    prompt.interrupt();
    prompt.until("error: interrupted");
    prompt.until("> ");
    // An open quote asks for more.
    prompt.type_keys("!echo 'one\r");
    prompt.type_keys("two'\r");
    prompt.until("one\r\ntwo");
    prompt.until("> ");
    prompt.leave();
}

#[test]
fn redirected_results_are_as_for_no_terminal() {
    let home = Home::new();
    let examples = crate::support::program::examples().expect("the examples are shipped");
    fs::copy(examples.join("client.pcapng"), home.path("client.pcapng")).unwrap();
    let plain = home.run(&["--load", "client.pcapng", "lc"], "").results;
    let mut program = home.program();
    program.args(["--load", "client.pcapng"]);
    // Too narrow for the table, and with colours.
    let mut prompt = Prompt::start_at_width(program, 60);
    assert!(!crate::support::three_modes::plain(&prompt.answer("lc")).contains("stream  version  client"));
    prompt.answer("lc > f; lc | cat > g; help > h");
    prompt.leave();
    assert_eq!((read(&home, "f"), read(&home, "g")), (plain.clone(), plain));
    assert!(!read(&home, "h").contains('\x1b'));
}

#[test]
fn an_expression_without_quotes_is_told() {
    let home = Home::new();
    let capture = examples().expect("the examples are shipped").join("client.pcapng");
    fs::copy(capture, home.path("client.pcapng")).unwrap();
    let done = script(&home, "load_pcap client.pcapng\ndump packetid --where retransmission>0\n");
    let hint = "warning: `>` writes the result to the file `0`; if it belongs to the expression, quote it: --where \
                'retransmission > 0'\n";
    assert_eq!((done.code, done.results.as_str()), (Some(0), ""), "{done:?}");
    assert!(done.messages.ends_with(hint), "{done:?}");
    // It is a redirection all the same, as in any shell.
    assert!(read(&home, "0").starts_with("packetid\n"), "{}", read(&home, "0"));
    let done = script(&home, "load_pcap client.pcapng\ndump packetid --where 'retransmission' > 0\n");
    assert!(!done.messages.contains("warning"), "{done:?}");
}

#[test]
fn ctrl_c_in_a_program_says_no_more_than_that() {
    let home = Home::new();
    let mut prompt = Prompt::open(&home, &[]);
    // `read` is sh itself: a program that is just being started may miss the signal.
    prompt.type_keys("!echo be''gun; read line\r");
    prompt.until("begun");
    prompt.interrupt();
    prompt.until("error: interrupted\r\n");
    prompt.until("> ");
    assert_eq!(prompt.answer("!echo x"), "x\n");
    prompt.leave();
}
