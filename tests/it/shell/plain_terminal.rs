//! A terminal whose locale has no UTF-8.
#![cfg(unix)]

use std::fs;

use crate::support::program::{Home, examples};
use crate::support::three_modes::Prompt;

fn prompt(home: &Home, variables: &[(&str, &str)]) -> Prompt {
    let client = examples().expect("the examples are shipped").join("client.pcapng");
    fs::copy(client, home.path("client.pcapng")).unwrap();
    let mut program = home.program();
    program.args(["--load", "client.pcapng"]).env("NO_COLOR", "1").envs(variables.iter().copied());
    Prompt::start_at_width(program, 80)
}

#[test]
fn plots_and_lists_are_ascii() {
    let home = Home::new();
    // LC_ALL goes before LANG, which the tests set to UTF-8.
    let mut prompt = prompt(&home, &[("LC_ALL", "C")]);
    let plot = prompt.answer("plot dsn 0 --towards server");
    assert!(plot.is_ascii(), "{plot}");
    // The y axis with its numbers, the x axis, and the two subflows' signs.
    assert!(plot.contains(" +") && plot.contains("+-----") && plot.lines().count() > 15, "{plot}");
    // One series alone is drawn with dots.
    let lone = prompt.answer("plot rtt 0 --towards server");
    assert!(lone.is_ascii(), "{lone}");
    assert!(lone.lines().all(|line| line.len() <= 80), "{lone}");
    let rows = prompt.answer("dump packetid -n 1");
    assert!(rows.contains("~ 5,444 more; -n 0 for all"), "{rows}");
    prompt.type_keys("tcp_summary \t");
    prompt.until("0  10.0.1.1:43958 > 10.0.1.2:5001, MPTCP");
    prompt.interrupt();
    // The list leaves the line, the line is ended without its hint, and the next one begins.
    (0..3).for_each(|_| drop(prompt.until("[client.pcapng]> ")));
    // Files are UTF-8 wherever they are written.
    prompt.answer("plot dsn 0 --towards server --out p.txt");
    assert!(fs::read_to_string(home.path("p.txt")).unwrap().contains('─'));
    prompt.leave();
}

#[test]
fn with_utf8_there_are_dots_and_lines() {
    let home = Home::new();
    let mut prompt = prompt(&home, &[]);
    let plot = prompt.answer("plot dsn 0 --towards server");
    assert!(plot.contains('─') && plot.contains('┤'), "{plot}");
    prompt.leave();
}
