//! Names in captures and of files that would steer a terminal, were they printed as they are.
#![cfg(unix)]

use crate::support::made;
use crate::support::program::Home;
use crate::support::three_modes::Prompt;

/// Clears the screen, forges a line, rings the bell, and turns the direction of writing.
const NAME: &str = "eth\x1b[2J\n0\x07\u{9b}1m\u{202e}";

fn capture() -> Vec<u8> {
    let [syn, syn_ack] = [made::mptcp_syn(), made::mptcp_syn_ack()].map(|frame| made::enhanced_packet(&frame));
    [made::section_header(), made::interface(NAME), syn, syn_ack].concat()
}

/// What `name` must not leave in a text: its raw steering characters (line feeds that the program makes apart).
fn harmless(text: &str, what: &str) {
    for raw in ["\x1b[2J", "\x07", "\u{9b}", "\u{202e}", "eth\n", "\n0\x07"] {
        assert!(!text.contains(raw), "{what} prints {raw:?} as it is: {text:?}");
    }
}

#[test]
fn an_interface_name_is_shown_escaped() {
    let home = Home::new();
    home.write("odd.pcapng", capture());
    for command in ["list_interfaces", "list_subflows 0", "list_subflows --all", "lc", "lt", "mptcp_summary 0"] {
        let done = home.run(&["--load", "odd.pcapng"], &format!("{command}\n"));
        assert_eq!((done.code, done.messages.as_str()), (Some(0), ""), "{command}: {done:?}");
        harmless(&done.results, command);
    }
    let table = home.run(&["--load", "odd.pcapng", "list_interfaces"], "").results;
    assert!(table.contains("eth\\u{1b}[2J"), "the name is there, escaped: {table:?}");
}

#[test]
fn the_terminal_gets_nothing_raw() {
    let home = Home::new();
    home.write("odd.pcapng", capture());
    // A file whose own name is as bad.
    let name = "a\x1b[2J\x07\nb.pcapng";
    home.write(name, capture());
    home.write("link", format!("load_pcap \"{name}\"\n"));
    let mut program = home.program();
    program.args(["--load", name]).env("NO_COLOR", "1");
    let mut prompt = Prompt::start(program);
    harmless(&prompt.seen, "the prompt");
    assert!(prompt.seen.contains("[a\\u{1b}[2J\\u{7}"), "{:?}", prompt.seen);
    for line in [
        "list_interfaces",
        "list_subflows 0",
        "list_interfaces --format csv",
        "list_interfaces --format json",
        "list_interfaces --format ndjson",
        "load_pcap odd.pcapng",
    ] {
        let shown = prompt.answer(line);
        harmless(&shown, line);
    }
    harmless(&prompt.seen, "the session");
    prompt.leave();
}

#[test]
fn a_file_name_is_shown_escaped_in_messages() {
    let home = Home::new();
    let name = "no\x1b[2J\x07\n.pcap";
    for arguments in
        [&["--load", name, "lt"][..], &["load_pcap", name], &[name], &["--config", name, "lt"], &["-b", name]]
    {
        let done = home.run(arguments, "");
        assert_eq!((done.results.as_str(), done.messages.lines().count()), ("", 1), "{arguments:?}: {done:?}");
        harmless(&done.messages, "a message");
        assert!(done.messages.contains("no\\u{1b}[2J\\u{7}"), "{arguments:?}: {done:?}");
    }
    home.write(name, "no capture");
    let done = home.run(&["--load", name, "lt"], "");
    assert_eq!((done.code, done.messages.lines().count()), (Some(1), 1), "{done:?}");
    harmless(&done.messages, "a message");
}
