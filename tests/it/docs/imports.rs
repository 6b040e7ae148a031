//! The rooms of both crates import one way. `docs/ARCHITECTURE.md` draws the same arrows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::docs::documents::files_below;

/// A room, and the rooms that its files may import. The first one may import most, the last one least.
type Arrows = &'static [(&'static str, &'static [&'static str])];

/// Rooms of the program. Any of them may also import the core.
const PROGRAM: Arrows = &[
    (
        "shell",
        &[
            "commands",
            "studies",
            "dataset",
            "plots",
            "drawing",
            "cli",
            "arguments",
            "analysis",
            "output",
            "packets",
            "config",
        ],
    ),
    (
        "commands",
        &[
            "plugin",
            "studies",
            "dataset",
            "plots",
            "drawing",
            "cli",
            "arguments",
            "analysis",
            "output",
            "packets",
            "config",
        ],
    ),
    ("plugin", &["plots", "drawing", "arguments", "analysis", "output", "packets"]),
    ("plots", &["drawing", "arguments", "analysis", "packets"]),
    ("studies", &["dataset", "drawing", "arguments", "analysis"]),
    ("drawing", &[]),
    ("cli", &["arguments", "output", "packets"]),
    ("arguments", &["analysis", "packets"]),
    ("dataset", &["analysis", "packets"]),
    ("analysis", &["packets"]),
    ("output", &["packets"]),
    // Where the cache is.
    ("packets", &["config"]),
];

/// What every room of the program may import.
const PROGRAM_LEAVES: &[&str] = &[
    "column_facts",
    "children",
    "decimal",
    "delimiter",
    "described",
    "error",
    "locale",
    "nearest",
    "quoting",
    "roomy",
    "spreadsheet",
    "temporary",
    "terminal_text",
    "time_text",
    "toml_file",
    "whole_file",
];

/// Leaves that name types of rooms: the configuration has a format and a dissector, [`mptcpanalyzer::error`] gathers
/// the errors of all.
const EXCEPTIONS: Arrows = &[("config", &["output", "packets"]), ("error", &["config", "packets"])];

const CORE: Arrows = &[("analysis", &["tracking", "packets"]), ("tracking", &["packets"]), ("packets", &[])];

const CORE_LEAVES: &[&str] = &[
    "address_labels",
    "capture_format",
    "error",
    "ids",
    "interrupt",
    "memory",
    "parallel",
    "reading",
    "time",
    "units",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The code of a file without comments and without its test module.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The rooms that `code` names as `crate::room` or in `crate::{room, other::item}`.
fn named(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for place in Regex::new(r"\bcrate::(\w+)").unwrap().captures_iter(code) {
        rooms.insert(place[1].to_string());
    }
    for place in Regex::new(r"\bcrate::\{").unwrap().find_iter(code) {
        let mut depth = 0;
        let mut part = String::new();
        for character in code[place.end()..].chars() {
            match character {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => part.push('\n'),
                _ if depth == 0 => part.push(character),
                _ => {}
            }
        }
        let firsts = part.lines().filter_map(|one| one.trim().split("::").next());
        rooms.extend(firsts.filter(|first| !first.is_empty()).map(str::to_string));
    }
    rooms
}

/// The sources below `folder` with the room of each, those of tests left out.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut sources = Vec::new();
    for path in files_below(folder) {
        let inside = path.strip_prefix(folder).unwrap();
        let name = inside.to_string_lossy();
        if inside.extension().is_none_or(|ending| ending != "rs")
            || name.ends_with("tests.rs")
            || name.contains("/tests/")
        {
            continue;
        }
        let room = inside.iter().next().unwrap().to_string_lossy();
        sources.push((path.clone(), room.trim_end_matches(".rs").to_string()));
    }
    assert!(sources.len() > 50, "{} has few sources", folder.display());
    sources
}

fn check(folder: &Path, arrows: Arrows, leaves: &[&str], exceptions: Arrows) {
    let mut wrong = Vec::new();
    for (path, room) in sources(folder) {
        if room == "lib" || room == "main" {
            continue;
        }
        let listed = arrows.iter().chain(exceptions).find(|(name, _)| *name == room);
        assert!(listed.is_some() || leaves.contains(&room.as_str()), "{room} is neither a room nor a leaf: list it");
        let allowed = listed.map_or(&[][..], |(_, allowed)| *allowed);
        for other in named(&code(&path)) {
            let is_room = folder.join(&other).is_dir() || folder.join(format!("{other}.rs")).is_file();
            if is_room && other != room && !allowed.contains(&other.as_str()) && !leaves.contains(&other.as_str()) {
                wrong.push(format!("{} imports {other}: {room} may not", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each room imports only rooms that come after it in the list.
fn runs_one_way(arrows: Arrows, exceptions: Arrows) {
    for (place, (room, allowed)) in arrows.iter().enumerate() {
        for other in *allowed {
            let later = arrows[place + 1..].iter().chain(exceptions).any(|(name, _)| name == other);
            assert!(later, "{room} → {other} runs against the others");
        }
    }
}

#[test]
fn the_program_imports_one_way() {
    runs_one_way(PROGRAM, EXCEPTIONS);
    check(&root().join("src"), PROGRAM, PROGRAM_LEAVES, EXCEPTIONS);
}

#[test]
fn the_core_imports_one_way() {
    runs_one_way(CORE, &[]);
    check(&root().join("crates/mptcp-trace/src"), CORE, CORE_LEAVES, &[]);
}

#[test]
fn the_core_needs_neither_tables_nor_terminals() {
    let manifest = fs::read_to_string(root().join("crates/mptcp-trace/Cargo.toml")).unwrap();
    for library in ["polars", "clap", "rustyline", "mptcpanalyzer"] {
        let needs = manifest.lines().any(|line| line.starts_with(library));
        assert!(!needs, "the core crate depends on {library}");
    }
    for (path, _) in sources(&root().join("crates/mptcp-trace/src")) {
        assert!(!code(&path).contains("polars::"), "{}", path.display());
    }
}

#[test]
fn imports_are_read_from_plain_and_nested_lines() {
    let code =
        "use crate::error::Result;\nuse crate::{children, plots::{self, Kind}, temporary};\nlet x = crate::cli::Cli;";
    let rooms = named(code);
    assert_eq!(rooms.into_iter().collect::<Vec<_>>(), ["children", "cli", "error", "plots", "temporary"]);
}
