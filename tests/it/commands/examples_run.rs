//! Every example that a command or a plot shows in its help does its work on the example captures.

use std::path::Path;

use mptcpanalyzer::commands::registry;
use mptcpanalyzer::described::Example;
use mptcpanalyzer::plots::registry::PLOTS;
use mptcpanalyzer::studies::STUDIES;

use crate::support::program::{Finished, Home, examples, finish};

/// A home of its own with the folder of examples in it, for examples write files.
fn home(examples: &Path) -> Home {
    let home = Home::new();
    let shown = home.path("examples");
    std::fs::create_dir(&shown).unwrap();
    for entry in std::fs::read_dir(examples).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), shown.join(entry.file_name())).unwrap();
        }
    }
    home
}

/// Runs a line with the example capture loaded; it goes through a script so that it is split as at the prompt.
fn run(home: &Home, line: &str) -> Finished {
    let mut program = home.program();
    program.args(["--load", "examples/client.pcapng"]);
    finish(program, &format!("{line}\n"))
}

#[test]
fn every_example_of_every_command_runs() {
    let Some(examples) = examples() else {
        eprintln!("skipped: examples/client.pcapng is not there");
        return;
    };
    let mut failures = Vec::new();
    for command in registry::COMMANDS.own() {
        assert!(!command.examples().is_empty(), "{} has no example", command.name());
        for example in command.examples() {
            let done = run(&home(&examples), example.line);
            if done.code != Some(0) {
                failures.push(format!("{}: {done:?}", example.line));
            } else if command.reports() && done.results.is_empty() && done.messages.is_empty() {
                failures.push(format!("{}: printed nothing", example.line));
            }
        }
        if let (Some(prints), Some(first)) = (command.prints(), command.examples().first()) {
            let done = run(&home(&examples), first.line);
            if std::env::var_os("UPDATE_DOCS").is_some() {
                let file = format!("src/commands/prints/{}.txt", command.name());
                std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(file), &done.results).unwrap();
            } else if done.results != prints {
                failures.push(format!("{} prints\n{}, its help says\n{prints}", first.line, done.results));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_example_of_every_plot_draws() {
    let Some(examples) = examples() else {
        eprintln!("skipped: examples/client.pcapng is not there");
        return;
    };
    // One home for all: the capture is dissected once.
    let home = home(&examples);
    let mut failures = Vec::new();
    for plot in PLOTS.own() {
        for Example { line, .. } in plot.examples() {
            let mut done = run(&home, line);
            // Nothing waited for other data there: the other example has two paths at once.
            if done.results.contains("no data") {
                done = run(&home, &format!("load_pcap examples/two_paths.pcapng\n{line}"));
            }
            let drawn = !done.results.is_empty() || done.messages.contains("wrote ");
            if done.code != Some(0) || !drawn {
                failures.push(format!("{line}: {done:?}"));
            } else if done.results.contains("no data") {
                failures.push(format!("{line}: the example capture has nothing to show\n{}", done.results));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_example_of_every_study_finds_something() {
    let Some(examples) = examples() else {
        eprintln!("skipped: examples/client.pcapng is not there");
        return;
    };
    // One home for all: captures that are in the dataset are skipped.
    let home = home(&examples);
    let mut failures = Vec::new();
    for study in STUDIES.own() {
        for Example { line, .. } in study.examples() {
            let done = run(&home, line);
            let found = done.results.contains("quantity") && !done.results.contains("no data");
            if done.code != Some(0) || !found {
                failures.push(format!("{line}: {done:?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
