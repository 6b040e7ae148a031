//! The gallery of studies in the documentation: its script runs, and its pictures are those that the page shows.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mptcpanalyzer::studies::STUDIES;

use crate::docs::documents::files_below;
use crate::support::program::{Home, finish};

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

/// The pictures that the script draws.
fn pictures(script: &str) -> BTreeSet<String> {
    let file = |line: &str| line.split_once(" -o ").map(|(_, file)| file.trim().to_string());
    script.lines().filter_map(file).collect()
}

#[test]
fn the_script_of_studies_makes_every_picture() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures");
    if !captures.is_dir() {
        eprintln!("skipped: tests/captures is not there");
        return;
    }
    let script = document("studies.mptcp");
    let home = Home::new();
    fs::create_dir_all(home.path("docs/studies")).unwrap();
    for path in files_below(&captures) {
        let to = home.path("tests/captures").join(path.strip_prefix(&captures).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(&path, to).unwrap();
    }
    let mut program = home.program();
    program.arg(home.write("docs/studies.mptcp", &script));
    let done = finish(program, "");
    assert_eq!(done.code, Some(0), "{done:?}");
    for file in pictures(&script) {
        let picture = fs::read_to_string(home.path(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(picture.contains("<svg") && picture.trim_end().ends_with("</svg>"), "{file}");
        assert!(!picture.contains(">no data<") && picture.len() < 100_000, "{file}: {} bytes", picture.len());
    }
}

#[test]
fn the_page_of_studies_shows_the_pictures_and_names_every_study() {
    let (script, page) = (document("studies.mptcp"), document("studies.md"));
    for study in STUDIES.own() {
        assert!(page.contains(&format!("`{}", study.name())), "{} is not on the page", study.name());
    }
    let drawn = pictures(&script);
    for file in &drawn {
        let shown = file.strip_prefix("docs/").expect("pictures are beside the page");
        assert!(page.contains(&format!("]({shown})")), "{file} is not on the page");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/studies");
    let kept = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(kept.map(|name| format!("docs/studies/{name}")).collect::<BTreeSet<_>>(), drawn);
}
