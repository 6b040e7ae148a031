//! `set`, `alias` and `macro`: what they change, and what later sessions know of it.

use std::fs;

use crate::support::program::{Finished, Home, examples};
use crate::support::three_modes::{Prompt, without_usage};

fn home() -> Home {
    let home = Home::new();
    let examples = examples().expect("the examples are shipped");
    for name in ["client.pcapng", "server.pcapng"] {
        fs::copy(examples.join(name), home.path(name)).unwrap();
    }
    home
}

/// Runs one command, its words kept apart by blanks.
fn command(home: &Home, line: &str) -> Finished {
    let done = home.run(&line.split(' ').collect::<Vec<_>>(), "");
    assert_eq!(done.code, Some(0), "{line}: {done:?}");
    done
}

fn kept(home: &Home) -> String {
    fs::read_to_string(home.path("config/mptcpanalyzer/shell.toml")).unwrap_or_default()
}

#[test]
fn a_setting_holds_in_later_sessions_until_it_is_reset() {
    let home = home();
    assert_eq!(command(&home, "set format json").messages, "format is json (was table)\n");
    // At the prompt, and nowhere else.
    assert!(command(&home, "list_available_plots").results.starts_with("plot "));
    assert!(home.run(&[], "list_available_plots\n").results.starts_with("plot "));
    let mut prompt = Prompt::open(&home, &[]);
    assert!(prompt.answer("list_available_plots").contains("\"plot\":"));
    // The line goes first, and so do options of the program.
    assert!(prompt.answer("list_available_plots --format csv").contains("plot,aliases,shows"));
    prompt.leave();
    let mut prompt = Prompt::open(&home, &["--format", "csv"]);
    assert!(prompt.answer("list_available_plots").contains("plot,aliases,shows"));
    prompt.leave();
    let shown: serde_json::Value = serde_json::from_str(&command(&home, "set format").results).unwrap();
    assert_eq!((&shown[0]["setting"], &shown[0]["value"]), (&"format".into(), &"json".into()));
    assert_eq!(command(&home, "set --reset format").messages, "format is table (was json)\n");
    assert!(!kept(&home).contains("format"), "{}", kept(&home));
    assert!(command(&home, "list_available_plots").results.starts_with("plot "));
}

#[test]
fn a_configuration_is_not_written_to_and_what_was_set_goes_before_it() {
    let home = home();
    fs::create_dir_all(home.path("config/mptcpanalyzer")).unwrap();
    let config = "# mine\nformat = \"csv\"\n";
    home.write("config/mptcpanalyzer/config.toml", config);
    command(&home, "set format ndjson");
    assert!(command(&home, "list_available_plots").results.starts_with("plot,"));
    let mut prompt = Prompt::open(&home, &[]);
    assert!(prompt.answer("list_available_plots").contains("{\"plot\":"));
    prompt.leave();
    command(&home, "set --reset format");
    assert!(command(&home, "list_available_plots").results.starts_with("plot,"));
    assert_eq!(fs::read_to_string(home.path("config/mptcpanalyzer/config.toml")).unwrap(), config);
}

#[test]
fn all_settings_are_reset_at_once_and_have_other_names() {
    let home = home();
    for line in ["set colour never", "set human on", "set pager off"] {
        command(&home, line);
    }
    assert_eq!(command(&home, "set --reset colour").messages, "color is auto (was never)\n");
    let said = command(&home, "set --reset all").messages;
    let said: Vec<&str> = said.lines().collect();
    assert_eq!(said[..2], ["human_readable is off (was on)", "pager is on (was off)"], "{said:?}");
    assert!(!kept(&home).contains("human"), "{}", kept(&home));
    assert_eq!(command(&home, "set --reset all").messages, "all settings are those of the configuration\n");
}

#[test]
fn a_script_sets_for_itself_only() {
    let home = home();
    let done = home.run(&[], "set format json; alias create x help\nlist_available_plots\n");
    assert!(done.results.starts_with("[\n"), "{done:?}");
    assert_eq!(kept(&home), "");
    home.write("s.mptcp", "set echo on\n");
    command(&home, "run_script s.mptcp");
    assert_eq!(kept(&home), "");
}

#[test]
fn timing_echo_and_quiet_do_what_they_say() {
    let home = home();
    let done = home.run(&[], "set echo on\nset quiet on\nset timing on\nload_pcap client.pcapng\n# a comment\n");
    let said: Vec<&str> = done.messages.lines().collect();
    let lines = ["echo is on (was off)", "> set quiet on", "> set timing on", "set took ", "> load_pcap client.pcapng"];
    assert_eq!(said.len(), lines.len() + 2, "{said:?}");
    assert!(said.iter().zip(lines).all(|(said, line)| said.starts_with(line)), "{said:?}");
    assert!(
        said[5].starts_with("load_pcap took ") && said[5].ends_with(" s") && said[6] == "> # a comment",
        "{said:?}"
    );
}

#[test]
fn colours_can_be_asked_for() {
    let home = Home::new();
    assert!(home.run(&[], "set color always\nhelp\nhelp > f\n").results.contains("\x1b[1m"));
    assert!(!fs::read_to_string(home.path("f")).unwrap_or_default().contains('\x1b'));
    let done = home.run(&[], "set color always\nhelp > f\n");
    assert_eq!((done.code, done.results.as_str()), (Some(0), ""));
    assert!(!fs::read_to_string(home.path("f")).unwrap().contains('\x1b'));
}

#[test]
fn the_clock_and_the_style_are_those_that_were_set() {
    let home = home();
    let asked = |setting: &str, flags: &str| {
        let line = format!("print_owds tcp client.pcapng 0 server.pcapng{flags}");
        let done = home.run(&[], &format!("{setting}\n{line}\n"));
        assert_eq!(done.code, Some(0), "{done:?}");
        done.results
    };
    for correction in ["none", "offset", "skew"] {
        let wanted = asked("", &format!(" --clock {correction}"));
        assert_eq!(asked(&format!("set clock {correction}"), ""), wanted);
    }
    // A line that says otherwise has its way.
    assert_eq!(asked("set clock skew", " --clock none"), asked("", " --clock none"));
    assert_ne!(asked("set clock skew", ""), asked("set clock none", ""));

    let drawn = |lines: &str| {
        let done = home.run(&["--load", "client.pcapng"], lines);
        assert_eq!(done.code, Some(0), "{done:?}");
        done.results
    };
    let dark = drawn("plot dsn 0 --format svg --style dark\n");
    assert_eq!(drawn("set style dark\nplot dsn 0 --format svg\n"), dark);
    assert_ne!(drawn("plot dsn 0 --format svg\n"), dark);
    let refused = home.run(&["set", "style", "drak"], "");
    assert_eq!(refused.code, Some(2), "{refused:?}");
}

#[test]
fn aliases_and_macros_are_kept_and_run() {
    let home = home();
    let said = command(&home, "alias create plots_of_mine list_available_plots --format csv").messages;
    assert_eq!(said, "plots_of_mine stands for: list_available_plots --format csv\n");
    assert!(command(&home, "plots_of_mine").results.starts_with("plot,aliases,shows\n"));
    assert_eq!(home.run(&[], "plots_of_mine | head -n 1\n").results, "plot,aliases,shows\n");

    let mut session = String::from("macro create page 'help {1} | grep -i {2}'\n");
    session.push_str("page quit 'usage: q'\npage quit USAGE -c\npage quit\n");
    let done = home.run(&[], &session);
    assert_eq!(done.results, "Usage: quit\n1\n", "{done:?}");
    assert_eq!(
        (done.code, done.messages.lines().last()),
        (Some(2), Some("<stdin>:4: page takes 2 arguments: help {1} | grep -i {2}"))
    );

    // A name of a person's own runs from the command line, too, with its words as they are.
    let made = home.run(&["macro", "create", "page", "help {1}"], "");
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(command(&home, "page quit").results.contains("Usage: quit"));
    let refused = home.run(&["page", "a;b"], "");
    assert!(refused.messages.contains("unknown command `a;b`"), "{refused:?}");
    assert_eq!(command(&home, "macro list --format csv").code, Some(0));
    assert!(command(&home, "macro").results.contains("help {1}"));

    command(&home, "alias delete plots_of_mine");
    assert_eq!(home.run(&["plots_of_mine"], "").code, Some(2));
    assert!(!kept(&home).contains("plots_of_mine") && kept(&home).contains("page"));
}

#[test]
fn names_that_cannot_be_are_refused() {
    let home = Home::new();
    for (line, sentence) in [
        ("alias create help x", "help is a command; choose another name"),
        ("alias create ls x", "ls is a command; choose another name"),
        ("alias create 'a b' x", "a b is not a valid name; use letters, digits, `_`, `-` and `.`"),
        ("macro create m 'help'", "the text has no argument such as `{1}`; use `alias` instead"),
        ("macro create m 'help {2}'", "arguments must be numbered from {1} without gaps"),
        ("macro delete m", "no macro is called m; `macro list` shows all"),
        ("alias create a b; macro create a {1}", "a is already the name of the alias; free it with `alias delete a`"),
        ("alias create a 'a; a'; a", "it runs itself recursively; remove that line"),
        ("set formt json", "unknown name `formt`; did you mean `format`?"),
    ] {
        let done = home.run(&[], &format!("{line}\n"));
        let said = without_usage(&done.messages);
        let last = said.lines().last().unwrap_or_default();
        assert_eq!(last, format!("<stdin>:1: {sentence}"), "{line}");
    }
}
