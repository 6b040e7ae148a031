//! The gallery in the documentation: its script runs, shows every plot, and its pictures are those that the page shows.

use std::collections::BTreeSet;
use std::path::Path;

use mptcpanalyzer::plots::registry::PLOTS;

use crate::support::program::{Home, examples, finish};

/// The most bytes of a picture in the documentation.
const MOST: usize = 100_000;

fn document(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

/// The pictures that the script draws.
fn pictures(script: &str) -> BTreeSet<String> {
    let words = |line: &str| line.split_whitespace().map(str::to_string).collect::<Vec<_>>();
    let files = script.lines().map(words).filter_map(|words| {
        let at = words.iter().position(|word| word == "-o")?;
        words.get(at + 1).cloned()
    });
    files.collect()
}

#[test]
fn the_script_makes_every_picture() {
    let Some(examples) = examples() else { return };
    let script = document("gallery.mptcp");
    let home = Home::new();
    std::fs::create_dir_all(home.path("docs/gallery")).unwrap();
    std::fs::create_dir(home.path("examples")).unwrap();
    for entry in std::fs::read_dir(&examples).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), home.path("examples").join(entry.file_name())).unwrap();
    }
    let mut program = home.program();
    program.arg(home.write("docs/gallery.mptcp", &script));
    let done = finish(program, "");
    assert_eq!(done.code, Some(0), "{done:?}");
    for file in pictures(&script) {
        let picture = std::fs::read_to_string(home.path(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(picture.contains("<svg") && picture.trim_end().ends_with("</svg>"), "{file}");
        assert!(!picture.contains(">no data<"), "{file} shows nothing");
        assert!(picture.len() < MOST, "{file} has {} bytes", picture.len());
    }
}

#[test]
fn every_plot_is_in_the_gallery() {
    let (script, page) = (document("gallery.mptcp"), document("gallery.md"));
    for plot in PLOTS.own() {
        let line = format!("plot {} ", plot.name());
        assert!(script.lines().any(|command| command.starts_with(&line)), "{} is not drawn", plot.name());
        assert!(page.contains(&format!("`plot {}", plot.name())), "{} is not on the page", plot.name());
    }
    let drawn = pictures(&script);
    for file in &drawn {
        let shown = file.strip_prefix("docs/").expect("pictures are beside the page");
        assert!(page.contains(&format!("]({shown})")), "{file} is not on the page");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/gallery");
    let kept = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(kept.map(|name| format!("docs/gallery/{name}")).collect::<BTreeSet<_>>(), drawn);
}
