//! `docs/from-python.md`: each line of the Python program runs, and has the result of the line beside it.

use std::path::Path;

use crate::support::program::Home;

/// The rows of a table of the page whose first two cells are one code span each.
fn lines() -> Vec<(String, String)> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/from-python.md")).unwrap();
    let commands = page.split("Flags of the program").next().unwrap().to_string();
    let span = |cell: &str| cell.trim().strip_prefix('`')?.strip_suffix('`').map(str::to_string);
    commands
        .lines()
        .filter_map(|line| {
            let mut cells = line.split('|').skip(1);
            Some((span(cells.next()?)?, span(cells.next()?)?))
        })
        .collect()
}

#[test]
fn each_line_of_the_python_program_runs_as_the_one_beside_it() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let lines = lines();
    assert_eq!(lines.len(), 38, "a row of the page was added or lost");
    for (theirs, ours) in lines {
        let results = [&theirs, &ours].map(|line| {
            let home = Home::new();
            for name in ["client.pcapng", "server.pcapng"] {
                std::fs::copy(examples.join(name), home.path(name)).unwrap();
            }
            std::fs::copy(examples.join("topology.json"), home.path("topology.json")).unwrap();
            // Characters, so that a plot is a result that can be compared.
            let done = home.run(&["-l", "client.pcapng"], &format!("{line}\n"));
            assert_eq!(done.code, Some(0), "{line}: {}", done.messages);
            let written = ["packets.csv", "cleaned.pcapng", "owds.csv"].map(|name| std::fs::read(home.path(name)).ok());
            // Folders and versions differ from home to home.
            let here = home.path("").display().to_string();
            (done.results.replace(&here, ""), written)
        });
        if ours != "checkhealth" {
            assert_eq!(results[0], results[1], "`{theirs}` and `{ours}`");
        }
    }
}

#[test]
fn the_flags_of_the_python_program_are_taken() {
    let home = Home::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    std::fs::copy(examples.join("client.pcapng"), home.path("client.pcapng")).unwrap();
    let usual = home.run(&["--load", "client.pcapng", "lc"], "");
    assert_eq!(usual.code, Some(0), "{}", usual.messages);
    for flags in [
        &["client.pcapng", "lc"][..],
        &["-l", "client.pcapng", "-d", "DEBUG", "lc"],
        &["-l", "client.pcapng", "-dddd", "lc"],
        &["-l", "client.pcapng", "--regen", "--cachedir", "elsewhere", "lc"],
        &["lc", "client.pcapng"],
    ] {
        let done = home.run(flags, "");
        assert_eq!((done.code, &done.results), (Some(0), &usual.results), "{flags:?}: {}", done.messages);
    }
}

#[test]
fn what_could_mean_two_things_is_refused() {
    let home = Home::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for name in ["client.pcapng", "server.pcapng"] {
        std::fs::copy(examples.join(name), home.path(name)).unwrap();
    }
    home.write("notes.txt", "not a capture\n");
    for line in [
        // Three captures, three numbers, a file that is none.
        "plot owd tcp client.pcapng server.pcapng client.pcapng 0",
        "print_owds client.pcapng server.pcapng 0 0 0",
        "print_owds client.pcapng server.pcapng 0 0 words",
        "rtt notes.txt 0",
        "export notes.txt packets.csv",
    ] {
        let done = home.run(&["-l", "client.pcapng"], &format!("{line}\n"));
        assert_eq!(done.code, Some(2), "{line}: {}{}", done.results, done.messages);
        assert!(done.messages.contains("usage: "), "{line}: {}", done.messages);
    }
    // Of a capture that is not loaded, the number is not known either.
    let done = home.run(&[], "rtt\n");
    assert_eq!(done.code, Some(2), "{}", done.messages);
}

#[test]
fn a_word_that_cannot_work_says_what_to_type() {
    let home = Home::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for name in ["client.pcapng", "server.pcapng"] {
        std::fs::copy(examples.join(name), home.path(name)).unwrap();
    }
    for (line, advice) in [
        ("tocsv client.pcapng packets.csv --drop-syn", "--where 'tcp.flags.syn == 0'"),
        ("plot tcp_attr client.pcapng 0 tcpseq --primary", "-o FILE.png"),
        ("print_owds client.pcapng 0 server.pcapng 0 -v", "--samples"),
        // What is wrong is the option, not the file.
        ("plot tcp_attr client.pcapng 0 tcpseq --nothing", "unexpected argument '--nothing'"),
        ("plot tcp_attr client.pcapng 0 tcpseq --nothing", "`help plot tcp_attr`"),
    ] {
        let done = home.run(&["-l", "client.pcapng"], &format!("{line}\n"));
        assert_eq!(done.code, Some(2), "{line}: {}{}", done.results, done.messages);
        assert!(done.messages.contains(advice), "{line}: {}", done.messages);
    }
}
