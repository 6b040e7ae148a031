//! Every block of README's code runs, in the order of the page and in one folder, and prints what the page says.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::program::{Home, finish};

/// Lines that a test cannot run, and why.
const LEFT_OUT: [(&str, &str); 4] = [
    ("tests/run", "runs this test"),
    ("cargo install", "builds the program"),
    ("sudo ", "needs the permission to capture"),
    ("ssh ", "needs another machine"),
];

/// What begins the only block that nobody can repeat: an interface, watched.
const OF_AN_INTERFACE: &str = "mptcpanalyzer> live any";

const PYTHON: &str = "import pandas, pyarrow, polars, duckdb";

/// A fenced block: its language, the line that it begins on, and its text.
struct Block {
    language: String,
    line: usize,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (number, line) in page.lines().enumerate() {
        match line.strip_prefix("```") {
            Some(language) if !inside => {
                inside = true;
                blocks.push(Block { language: language.to_string(), line: number + 1, text: String::new() });
            }
            Some(_) => inside = false,
            None if inside => {
                let block = blocks.last_mut().unwrap();
                block.text.push_str(line);
                block.text.push('\n');
            }
            None => {}
        }
    }
    blocks
}

/// A folder as the root of the repository is for those who read the page.
fn folder() -> Home {
    let home = Home::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["examples", "plugins"] {
        copy(&root.join(name), &home.path(name));
    }
    fs::create_dir(home.path("captures")).unwrap();
    for name in ["web_1.pcapng", "bulk_1.pcapng"] {
        fs::copy(root.join("examples/client.pcapng"), home.path("captures").join(name)).unwrap();
    }
    fs::create_dir(home.path("bin")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_mptcpanalyzer"), home.path("bin/mptcpanalyzer")).unwrap();
    home
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => assert!(fs::copy(entry.path(), &target).is_ok(), "{}", target.display()),
        }
    }
}

/// Runs lines in the shell, with the program in the search path, and returns what they print.
fn in_the_shell(home: &Home, lines: &str, what: &str) -> String {
    let mut shell = home.program();
    let path = std::env::var("PATH").unwrap();
    let environment: Vec<_> =
        shell.get_envs().map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned))).collect();
    shell = Command::new("sh");
    shell.args(["-e", "-c", lines]).current_dir(home.path(""));
    for (name, value) in environment {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.env("PATH", format!("{}:{path}", home.path("bin").display()));
    let done = finish(shell, "");
    assert_eq!(done.code, Some(0), "{what}: {}{}", done.results, done.messages);
    done.results
}

fn shell_block(home: &Home, block: &Block, what: &str) -> String {
    let kept = block.text.lines().filter(|line| !LEFT_OUT.iter().any(|(begin, _)| line.starts_with(begin)));
    let lines: Vec<String> = kept.map(|line| line.replace("cargo run -- ", "mptcpanalyzer ")).collect();
    in_the_shell(home, &lines.join("\n"), what)
}

/// Lines typed at the prompt with what they print; `$ ` begins a line for the shell.
fn session_block(home: &Home, block: &Block, what: &str) {
    let mut flags = Vec::new();
    let mut typed = Vec::new();
    let mut lines = block.text.lines().peekable();
    if let Some(line) = lines.peek().and_then(|line| line.strip_prefix("$ ")) {
        let rest: Vec<&str> = block.text.lines().skip(1).collect();
        if !rest.iter().any(|line| line.starts_with("mptcpanalyzer")) {
            let printed = in_the_shell(home, line, what);
            assert_eq!(printed.trim_end(), rest.join("\n").trim_end(), "{what}");
            return;
        }
        flags = line.split(' ').skip(1).map(str::to_string).collect();
        lines.next();
    }
    let is_typed = |line: &str| line.starts_with("mptcpanalyzer") && line.contains("> ");
    // What is said before the first prompt.
    let said: Vec<&str> = std::iter::from_fn(|| lines.next_if(|line| !is_typed(line))).collect();
    typed.extend(lines.map(str::to_string));
    // The prompt that waits at the end.
    typed.pop_if(|line| line.ends_with("]>"));
    if typed.iter().all(|line| is_typed(line)) {
        let script: Vec<&str> = typed.iter().map(|line| line.split_once("> ").unwrap().1).collect();
        let run = home.run(&["-l", "examples/client.pcapng"], &format!("{}\n", script.join("\n")));
        assert_eq!(run.code, Some(0), "{what}: {}", run.messages);
        return;
    }
    // A slash begins a regular expression in a transcript.
    let transcript = |line: &String| if is_typed(line) { line.clone() } else { line.replace('/', "\\/") };
    let file = home.write("page.transcript", typed.iter().map(transcript).collect::<Vec<_>>().join("\n") + "\n");
    let mut arguments: Vec<&str> = flags.iter().map(String::as_str).collect();
    arguments.extend(["--test", file.to_str().unwrap()]);
    let run = home.run(&arguments, "");
    assert_eq!(run.code, Some(0), "{what}: {}{}", run.results, run.messages);
    if let Some(loaded) = said.first() {
        let told = home.run(&[], &format!("load_pcap {}\n", flags.last().unwrap()));
        assert_eq!(told.messages.trim_end(), *loaded, "{what}");
    }
}

/// Python with the libraries that the page uses; nothing after saying so.
fn python() -> Option<String> {
    let python = std::env::var("MPTCPANALYZER_PYTHON").unwrap_or_else(|_| "python3".to_string());
    let has_all = Command::new(&python).args(["-c", PYTHON]).output().is_ok_and(|tried| tried.status.success());
    if !has_all {
        println!(
            "skipped: {python} has no pandas, pyarrow, polars and duckdb; name one that has in MPTCPANALYZER_PYTHON"
        );
    }
    has_all.then_some(python)
}

#[test]
fn every_block_of_the_page_runs_and_prints_what_it_says() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let blocks = blocks(&page);
    assert!(blocks.len() > 15, "only {} blocks were found", blocks.len());
    let home = folder();
    home.run(&["-l", "examples/client.pcapng", "list_subflows", "--all", "-o", "subflows.parquet"], "");
    let python = python();
    let mut printed = None;
    for block in &blocks {
        let what = format!("README.md, line {}", block.line);
        match (block.language.as_str(), printed.take()) {
            ("sh", _) => printed = Some(shell_block(&home, block, &what)),
            ("text", Some(printed)) if !block.text.starts_with("$ ") && !block.text.starts_with("mptcpanalyzer") => {
                assert_eq!(block.text, printed, "{what}");
            }
            ("text", _) if block.text.starts_with(OF_AN_INTERFACE) => {}
            ("text", _) => session_block(&home, block, &what),
            ("python" | "sql", _) => {
                let Some(python) = &python else { continue };
                let (program, text) = match block.language.as_str() {
                    "sql" => ("import duckdb, sys; print(duckdb.sql(sys.argv[1]).fetchall())", block.text.as_str()),
                    _ => (block.text.as_str(), ""),
                };
                let run = Command::new(python).args(["-c", program, text]).current_dir(home.path("")).output().unwrap();
                assert!(run.status.success(), "{what}: {}", String::from_utf8_lossy(&run.stderr));
            }
            (language, _) => panic!("{what}: nobody knows how to run {language}"),
        }
    }
}

/// What can be drawn is in the table of plots, and what is listed there can be drawn.
#[test]
fn the_page_names_every_plot() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let plots = mptcpanalyzer::plots::registry::PLOTS.own().map(|plot| plot.name());
    let missing: Vec<&str> =
        plots.filter(|name| !page.contains(&format!("| `{name} ")) && !page.contains(&format!(", `{name} "))).collect();
    assert!(missing.is_empty(), "plots that README does not name: {missing:?}");
}
