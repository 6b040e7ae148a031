//! Every example that a command shows in its help does its work on the example captures.

use mptcpanalyzer::commands::registry;

use crate::program::{Home, examples, finish};

#[test]
fn every_example_of_every_command_runs() {
    let Some(examples) = examples() else {
        eprintln!("skipped: examples/client.pcapng is not there");
        return;
    };
    let mut failures = Vec::new();
    for command in registry::COMMANDS {
        assert!(!command.examples().is_empty(), "{} has no example", command.name());
        for example in command.examples() {
            // A home for each, for examples write files; the line goes through a script so that it is split as at
            // the prompt.
            let home = Home::new();
            let shown = home.path("examples");
            std::fs::create_dir(&shown).unwrap();
            for entry in std::fs::read_dir(&examples).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_file() {
                    std::fs::copy(entry.path(), shown.join(entry.file_name())).unwrap();
                }
            }
            let mut program = home.program();
            program.args(["--load", "examples/client.pcapng"]);
            let done = finish(program, &format!("{}\n", example.line));
            if done.code != Some(0) {
                failures.push(format!("{}: {done:?}", example.line));
            } else if command.reports() && done.results.is_empty() && done.messages.is_empty() {
                failures.push(format!("{}: printed nothing", example.line));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
