//! What is made from the registry: the handbook, completion scripts, the manual page.

use std::path::Path;
use std::process::{Command, Stdio};

use mptcpanalyzer::commands::grammar::program;
use mptcpanalyzer::commands::registry;

use crate::support::program::{Home, finish};

#[test]
fn the_handbook_is_what_the_program_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands.md");
    let made = program::handbook();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    let line = there.lines().zip(made.lines()).take_while(|(one, other)| one == other).count() + 1;
    assert!(there == made, "docs/commands.md is stale from line {line} on: `UPDATE_DOCS=1 cargo test handbook`");
    for command in registry::COMMANDS.own() {
        assert!(there.contains(&format!("\n### {}\n", command.name())), "{}", command.name());
    }
}

/// Whether `program` is there to check with.
fn is_there(program: &str) -> bool {
    let there = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !there {
        eprintln!("skipped: {program} is not installed");
    }
    there
}

#[test]
fn bash_completes_commands_and_options() {
    let home = Home::new();
    let done = home.run(&["completions", "bash"], "");
    assert_eq!((done.code, done.messages.as_str()), (Some(0), ""));
    home.write("c.bash", &done.results);
    if !is_there("bash") {
        return;
    }
    let asked = |words: &str| {
        let script = format!(
            "source ./c.bash; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _mptcpanalyzer mptcpanalyzer \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; \
             echo \"${{COMPREPLY[@]}}\""
        );
        let mut bash = Command::new("bash");
        bash.args(["-c", &script]).current_dir(home.path(""));
        finish(bash, "").results.trim().to_string()
    };
    assert_eq!(asked("mptcpanalyzer list_subf"), "list_subflows");
    assert_eq!(asked("mptcpanalyzer --keep"), "--keep-going");
    assert_eq!(asked("mptcpanalyzer mptcp_summary --form"), "--format");
    assert_eq!(asked("mptcpanalyzer mptcp_summary --format nd"), "ndjson");
}

#[test]
fn zsh_and_fish_get_a_script_with_every_command() {
    let home = Home::new();
    for shell in ["zsh", "fish"] {
        let done = home.run(&["completions", shell], "");
        assert_eq!((done.code, done.messages.as_str()), (Some(0), ""));
        for command in registry::COMMANDS.own() {
            assert!(done.results.contains(command.name()), "{shell}: {} is not in it", command.name());
        }
        home.write(shell, &done.results);
        if is_there(shell) {
            let mut checked = Command::new(shell);
            checked.args(["-n", shell]).current_dir(home.path(""));
            assert_eq!(finish(checked, "").code, Some(0), "{shell}");
        }
    }
    assert_eq!(home.run(&["completions", "tcsh"], "").code, Some(2));
}

#[test]
fn the_manual_page_has_every_command() {
    let home = Home::new();
    let done = home.run(&["man"], "");
    assert_eq!((done.code, done.messages.as_str()), (Some(0), ""));
    assert!(done.results.contains(".TH mptcpanalyzer 1"), "{}", &done.results[..200]);
    for command in registry::COMMANDS.own() {
        assert!(done.results.contains(&format!(".SS {}\n", command.name())), "{}", command.name());
    }
    home.write("page.1", &done.results);
    if is_there("groff") {
        let mut groff = Command::new("groff");
        groff.args(["-Kutf8", "-man", "-Tutf8", "-ww", "page.1"]).current_dir(home.path(""));
        let shown = finish(groff, "");
        assert_eq!((shown.code, shown.messages.as_str()), (Some(0), ""));
    }
}
