//! The prompt with a capture loaded: its name, completion of what the capture holds, tables in 80 columns, history.
#![cfg(unix)]

use crate::support::program::{Home, examples};
use crate::support::scenarios;
use crate::support::three_modes::{Prompt, plain};

const UP: &str = "\x1b[A";

fn home() -> Home {
    let home = Home::new();
    std::fs::copy(examples().expect("the example is shipped").join("client.pcapng"), home.path("client.pcapng"))
        .unwrap();
    home
}

#[test]
fn streams_columns_and_commands_complete() {
    let home = home();
    let mut prompt = Prompt::open(&home, &["--load", "client.pcapng"]);
    assert!(prompt.seen.ends_with("mptcpanalyzer [client.pcapng]> "), "{:?}", prompt.seen);

    // The only connection is put into the line at once; the line then runs.
    prompt.type_keys("mptcp_summary \t");
    prompt.until("mptcp_summary 0");
    prompt.type_keys("\r");
    prompt.until("MPTCP connection 0: 10.0.1.1:43958 -> 10.0.1.2:5001");
    prompt.until("> ");

    // Two streams are offered.
    prompt.type_keys("tcp_summary \t");
    prompt.until("\r\n0  1");
    prompt.until("tcp_summary ");
    prompt.type_keys("1 --to\t");
    prompt.until("--towards");
    prompt.type_keys("se\t");
    prompt.until("server");
    prompt.type_keys("\r");
    let page = prompt.printed();
    assert!(page.contains("3333568"), "{page}");

    prompt.type_keys("list_m\t");
    prompt.until("list_mptcp_connections");
    prompt.type_keys("\r");
    assert!(prompt.printed().contains("7a7d09d7"));
    prompt.leave();
}

#[test]
fn stream_ids_are_the_loaded_captures() {
    let Some(folder) = scenarios::folder() else { return };
    let home = home();
    let many = folder.join("12_many_short/client.pcapng");
    let mut prompt = Prompt::open(&home, &["--load", many.to_str().unwrap()]);
    // 200 connections: 19, 190 to 199 begin with 19.
    prompt.type_keys("mptcp_summary 19\t");
    prompt.until("\n");
    let offered = plain(&prompt.until("mptcp_summary 19"));
    for id in ["19 ", "190", "195", "198", "199"] {
        assert!(offered.contains(&format!("{id}  10.0.1.1:")), "{id} is not in {offered:?}");
    }
    assert!(offered.contains(" → 10.0.1.2:5001, 2 subflows"), "{offered:?}");
    prompt.interrupt();
    prompt.until("> ");
    prompt.answer("load_pcap client.pcapng");
    prompt.type_keys("mptcp_summary \t");
    prompt.until("mptcp_summary 0");
    prompt.interrupt();
    prompt.until("> ");
    prompt.leave();
}

/// Every line of every table fits, and no number is broken into two lines.
#[test]
fn tables_fold_at_80_columns() {
    let home = home();
    let mut program = home.program();
    program.args(["--load", "client.pcapng"]).env("NO_COLOR", "1");
    let mut prompt = Prompt::start_at_width(program, 80);
    for (line, wanted) in [
        ("list_tcp_connections", &["43958", "58597", "1846", "3599"][..]),
        ("list_mptcp_connections", &["7a7d09d7", "e9a33ed6", "10.0.1.1:43958"]),
        ("list_subflows 0", &["43958", "58597", "10.0.1.1", "initial", "closed"]),
        ("mptcp_summary 0", &["5000040", "5035576", "29840", "1696312", "3303728"]),
        ("tcp_summary 0", &["1702008", "1696312"]),
    ] {
        let shown = prompt.answer(line);
        for row in shown.lines() {
            assert!(row.chars().count() <= 80, "{line}: {} columns:\n{shown}", row.chars().count());
        }
        for value in wanted {
            assert!(shown.contains(value), "{line}: {value} is torn apart:\n{shown}");
        }
    }
    prompt.leave();
}

#[test]
fn history_outlives_the_session() {
    let home = home();
    let mut prompt = Prompt::open(&home, &[]);
    prompt.answer("load_pcap client.pcapng");
    assert!(prompt.seen.ends_with("[client.pcapng]> "));
    prompt.answer("tcp_summary 1 --towards client");
    prompt.leave();

    let mut prompt = Prompt::open(&home, &["--load", "client.pcapng"]);
    prompt.type_keys(UP);
    prompt.until("tcp_summary 1 --towards client");
    prompt.type_keys(UP);
    prompt.until("load_pcap client.pcapng");
    prompt.type_keys("\r");
    prompt.until("loaded client.pcapng: 5445 TCP packets of 5462 frames, 2 TCP streams, 1 MPTCP connection");
    prompt.until("> ");
    prompt.leave();
}

#[test]
fn a_capture_that_cannot_be_loaded_leaves_the_one_before() {
    let home = home();
    home.write("notes.pcap", "no packets");
    let mut prompt = Prompt::open(&home, &["--load", "client.pcapng"]);
    let said = prompt.answer("load_pcap notes.pcap");
    assert!(said.starts_with("error: notes.pcap is not a readable capture"), "{said}");
    assert!(prompt.seen.ends_with("mptcpanalyzer [client.pcapng]> "), "{:?}", prompt.seen);
    assert!(prompt.answer("lc --format csv").contains("7a7d09d7"));
    prompt.leave();
}
