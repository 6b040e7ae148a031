//! Documents that are tests: every `console` block of `tests/transcripts/*.md` is run and must print what it says.
//!
//! A line `$ mptcpanalyzer ARGUMENTS…` runs the program in the root of the repository with a home of its own, the same
//! for all lines of a file. What it prints follows: standard output, then standard error, then `[exit N]` unless N
//! is 0. Lines after it that start with `< ` are its standard input. `UPDATE_TRANSCRIPTS=1` writes what was printed into
//! the documents, for a look at the difference in `git diff`.

use std::path::{Path, PathBuf};

use crate::support::program::{Home, finish};

/// What stands for the home's own directory, which has another name each time.
const HOME: &str = "~";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")
}

/// One command line of a document, its input, and all that it printed.
fn answer(home: &Home, arguments: &str, input: &str) -> String {
    let mut program = home.program();
    program.current_dir(env!("CARGO_MANIFEST_DIR")).env("TZ", "UTC").env("LC_ALL", "C.UTF-8").env("COLUMNS", "100");
    program.args(shlex::split(arguments).expect("the quotes of a transcript are closed"));
    let done = finish(program, input);
    let mut text = done.results;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push_str("\n[no end of line]\n");
    }
    text.push_str(&done.messages);
    if done.code != Some(0) {
        text.push_str(&done.code.map_or("[killed]\n".to_string(), |code| format!("[exit {code}]\n")));
    }
    text.replace(&home.path("").display().to_string().trim_end_matches('/').to_string(), HOME)
}

/// The document as it reads when every block holds what the program prints now, and how many command lines it has.
fn rerun(document: &str) -> (String, usize) {
    let home = Home::new();
    let (mut written, mut commands) = (String::new(), 0);
    let mut lines = document.lines().peekable();
    let mut inside = false;
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            inside = line == "```console";
        }
        let Some(arguments) = line.strip_prefix("$ mptcpanalyzer").filter(|_| inside) else {
            // Inside a block all else is an answer, and is written again.
            if !inside || line.starts_with("```") {
                written.push_str(line);
                written.push('\n');
            }
            continue;
        };
        written.push_str(line);
        written.push('\n');
        let mut input = String::new();
        while let Some(given) = lines.next_if(|next| next.starts_with("< ")) {
            written.push_str(given);
            written.push('\n');
            input.push_str(given.trim_start_matches("< "));
            input.push('\n');
        }
        written.push_str(&answer(&home, arguments, &input));
        commands += 1;
        if another_command_follows(&lines) {
            written.push('\n');
        }
    }
    (written, commands)
}

/// Whether the same block has a further command line: an empty line stands between them.
fn another_command_follows(lines: &std::iter::Peekable<std::str::Lines<'_>>) -> bool {
    lines.clone().take_while(|line| !line.starts_with("```")).any(|line| line.starts_with("$ mptcpanalyzer"))
}

/// Lines that differ, `-` the document's and `+` the program's, between the first and the last difference.
fn difference(document: &str, printed: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (document.lines().collect(), printed.lines().collect());
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - start;
    let end = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let part = |sign: char, lines: &[&str]| {
        lines[start..lines.len() - end].iter().map(|line| format!("{sign}{line}\n")).collect::<String>()
    };
    format!("@@ line {} @@\n{}{}", start + 1, part('-', &old), part('+', &new))
}

#[test]
fn every_document_prints_what_it_says() {
    let mut documents: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    documents.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    documents.sort();
    assert!(documents.len() >= 4, "{documents:?}");
    let mut wrong = Vec::new();
    for path in documents {
        let document = std::fs::read_to_string(&path).unwrap();
        let (printed, commands) = rerun(&document);
        assert!(commands > 0, "{} has no command line", path.display());
        if printed == document {
            continue;
        }
        if std::env::var_os("UPDATE_TRANSCRIPTS").is_some() {
            std::fs::write(&path, printed).unwrap();
        } else {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            wrong.push(format!("--- tests/transcripts/{name}\n{}", difference(&document, &printed)));
        }
    }
    assert!(
        wrong.is_empty(),
        "the program prints something else; `UPDATE_TRANSCRIPTS=1 cargo test transcripts` takes it over:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn a_difference_is_shown_by_its_lines() {
    assert_eq!(difference("a\nb\nc\nd\n", "a\nx\ny\nd\n"), "@@ line 2 @@\n-b\n-c\n+x\n+y\n");
    assert_eq!(difference("a\n", "a\nb\n"), "@@ line 2 @@\n+b\n");
}

#[test]
fn a_changed_answer_is_noticed_and_prose_is_kept() {
    let document = "# Title\n\nWords, `$ mptcpanalyzer nope` among them.\n\n```console\n$ mptcpanalyzer --version\nwrong\n\n\
                    $ mptcpanalyzer\n< nope\n```\n\n```text\n$ mptcpanalyzer nope\n```\n";
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!(
        "# Title\n\n\
         Words, `$ mptcpanalyzer nope` among them.\n\n\
         ```console\n$ mptcpanalyzer --version\nmptcpanalyzer {version}\n\n\
         $ mptcpanalyzer\n< nope\n<stdin>:1: unknown command `nope`; `help` lists them all\n[exit 2]\n```\n\n\
         ```text\n$ mptcpanalyzer nope\n```\n"
    );
    assert_eq!(rerun(document), (expected, 2));
}
