//! The history at the prompt, and the pager.
#![cfg(unix)]

use crate::support::program::Home;
use crate::support::three_modes::Prompt;

const CTRL_R: &str = "\x12";

#[test]
fn lines_are_listed_searched_saved_and_run_again() {
    let home = Home::new();
    let mut prompt = Prompt::open(&home, &[]);
    prompt.answer("help quit");
    prompt.answer("list_available_plots --format csv");
    let listed = prompt.answer("history --format csv");
    assert_eq!(
        listed.lines().collect::<Vec<_>>(),
        ["number,line", "1,help quit", "2,list_available_plots --format csv", "3,history --format csv"]
    );
    assert_eq!(prompt.answer("history PLOTS --format csv").lines().nth(1), Some("2,list_available_plots --format csv"));
    let again = prompt.answer("history -r 1");
    assert!(again.starts_with("help quit\n") && again.contains("Usage: quit"), "{again}");
    // What was run again is the newest line, for the arrow keys as well.
    assert_eq!(prompt.answer("history --format csv -n 2").lines().nth(1), Some("6,help quit"));
    prompt.type_keys("\x1b[A\x1b[A\r");
    assert!(prompt.printed().contains("Usage: quit"));
    assert_eq!(prompt.answer("history help --save h.mptcp").trim(), "wrote 3 lines to h.mptcp");
    prompt.leave();
    assert_eq!(std::fs::read_to_string(home.path("h.mptcp")).unwrap(), "help quit\n".repeat(3));

    // The next session has them before its own.
    let mut prompt = Prompt::open(&home, &[]);
    assert_eq!(prompt.answer("history -n 2 --format csv").lines().last(), Some("10,history -n 2 --format csv"));
    // Ctrl-R finds a line by a part of it.
    prompt.type_keys(CTRL_R);
    prompt.type_keys("available");
    prompt.until("list_available_plots --format csv");
    prompt.type_keys("\r");
    prompt.until("plot,aliases,shows");
    prompt.until("> ");
    prompt.leave();
}

#[test]
fn two_exclamation_marks_are_the_last_line() {
    let home = Home::new();
    let mut prompt = Prompt::open(&home, &[]);
    assert_eq!(prompt.answer("!!").trim(), "error: no earlier line to rerun");
    prompt.answer("help quit");
    let again = prompt.answer("!!");
    assert!(again.starts_with("help quit\n") && again.contains("Usage: quit"), "{again}");
    assert_eq!(prompt.answer("!! | grep -c Usage"), "help quit | grep -c Usage\n1\n");
    // A program is not a line of the history.
    assert_eq!(prompt.answer("!echo x"), "x\n");
    assert_eq!(prompt.answer("!!"), "!echo x\nx\n");
    let lines = prompt.answer("history --format csv");
    assert_eq!(lines, "number,line\n1,help quit\n2,help quit | grep -c Usage\n3,!echo x\n4,history --format csv\n");
    prompt.leave();

    let done = home.run(&[], "!!\n");
    assert_eq!(done.code, Some(2));
    assert!(done.messages.starts_with("<stdin>:1: `!!` works only at the start of a line at the prompt"));
}

/// What a pager that marks each line makes of `line`.
fn paged(setup: &str, line: &str) -> String {
    let home = Home::new();
    let mut program = home.program();
    program.env("NO_COLOR", "1").env("PAGER", "sed 's/^/P:/'");
    let mut prompt = Prompt::start_at_width(program, 80);
    prompt.answer(setup);
    let shown = prompt.answer(line);
    prompt.leave();
    shown
}

#[test]
fn what_is_longer_than_the_terminal_goes_to_the_pager() {
    // The help of all commands is longer than the 50 lines of the terminal, a page on one is not.
    let shown = paged("set pager on", "help; help quit");
    assert!(shown.contains("P:Captures\n") && shown.contains("\nP:  load_pcap"), "{shown}");
    assert!(shown.contains("\nUsage: quit"), "{shown}");
    assert!(!paged("set pager off", "help").contains("P:"));
    assert!(!paged("set pager on", "help | cat").contains("P:"));
}

#[test]
fn a_pager_that_is_left_early_is_no_failure() {
    let home = Home::new();
    let mut program = home.program();
    program.env("NO_COLOR", "1").env("PAGER", "head -n 1");
    let mut prompt = Prompt::start_at_width(program, 80);
    assert_eq!(prompt.answer("help").trim(), "Captures");
    assert_eq!(prompt.answer("columns").lines().count(), 1);
    prompt.leave();
}
