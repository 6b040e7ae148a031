//! The program where tshark is not installed.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::program::{Home, examples, finish};

/// The program with the example's captures beside it and nothing in its `PATH`.
fn program(home: &Home) -> Command {
    let captures = examples().expect("the examples are shipped");
    fs::create_dir_all(home.path("examples")).unwrap();
    fs::copy(captures.join("client.pcapng"), home.path("examples/client.pcapng")).unwrap();
    fs::create_dir_all(home.path("bin")).unwrap();
    let mut program = home.program();
    program.env("PATH", home.path("bin"));
    program
}

fn readme() -> String {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

#[test]
fn the_first_steps_of_the_readme_work() {
    let home = Home::new();
    let readme = readme();
    let step = "cargo run -- --load examples/client.pcapng mptcp_summary 0\n";
    let (_, after) = readme.split_once(step).expect("the README's first command");
    let (_, shown) = after.split_once("```text\n").unwrap();
    let (shown, _) = shown.split_once("```\n").unwrap();
    let mut first = program(&home);
    first.args(["--load", "examples/client.pcapng", "mptcp_summary", "0"]);
    let done = finish(first, "");
    assert_eq!((done.code, done.messages.as_str(), done.results.as_str()), (Some(0), "", shown));
    assert!(readme.contains("for rare formats and link types only"), "the first step needs no tshark");
}

/// Where nothing can be installed, the second step says what is missing before anything is built.
#[test]
fn the_second_step_names_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<_> = std::env::split_paths(&std::env::var_os("PATH").unwrap()).collect();
    for tool in ["bash", "env", "dirname", "id"] {
        let found = paths.iter().map(|path| path.join(tool)).find(|file| file.is_file()).unwrap();
        std::os::unix::fs::symlink(found, folder.path().join(tool)).unwrap();
    }
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/run");
    let mut step = std::process::Command::new(folder.path().join("bash"));
    let done = finish(
        {
            step.arg(script).env("PATH", folder.path());
            step
        },
        "",
    );
    let says =
        "the tests need tshark jq procps less python3 (tshark 3.6 or newer): install that, then run this again\n";
    assert_eq!((done.code, done.results.as_str(), done.messages.as_str()), (Some(1), "", says));
}

#[test]
fn checkhealth_finds_nothing_wrong_unless_tshark_is_asked_for() {
    let home = Home::new();
    let health = |flags: &[&str]| {
        let mut checked = program(&home);
        checked.args(flags).args(["checkhealth", "--format", "json"]);
        let done = finish(checked, "");
        let checks: serde_json::Value = serde_json::from_str(&done.results).unwrap();
        let of = |name: &str| checks.as_array().unwrap().iter().find(|check| check["check"] == name).unwrap().clone();
        (done.code, done.messages.clone(), of("native dissector"), of("tshark"))
    };
    let (code, messages, native, tshark) = health(&[]);
    assert_eq!((code, messages.as_str()), (Some(0), ""));
    assert!(native["detail"].as_str().unwrap().contains("link types Ethernet, Linux cooked"), "{native}");
    assert_eq!(tshark["state"], "ok");
    assert!(tshark["detail"].as_str().unwrap().starts_with("not found: needed only for other formats"), "{tshark}");
    // Said to the program, or written in the configuration.
    home.write("c.toml", "dissector = \"tshark\"\n");
    for flags in [&["--dissector", "tshark"][..], &["--config", "c.toml"]] {
        let (code, messages, _, tshark) = health(flags);
        assert_eq!((code, tshark["state"].as_str()), (Some(1), Some("problem")), "{tshark}");
        assert!(messages.starts_with("error: captures cannot be read: install it with `apt-get"), "{messages}");
    }
}

#[test]
fn checkhealth_names_the_tshark_that_is_found() {
    let home = Home::new();
    let folder =
        std::env::split_paths(&std::env::var_os("PATH").unwrap()).find(|folder| folder.join("tshark").is_file());
    let Some(folder) = folder else { return };
    let done = home.run(&["checkhealth", "--format", "csv"], "");
    let named = format!("{}, TShark (Wireshark) ", Path::new(&folder).join("tshark").display());
    assert!(done.results.contains(&named), "{}", done.results);
}
