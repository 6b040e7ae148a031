//! docs/dataset.md describes the tables that there are.

use std::path::Path;

use mptcpanalyzer::dataset::documentation;

#[test]
fn the_page_of_the_tables_is_what_they_declare() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/dataset.md");
    let made = documentation::page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == made, "docs/dataset.md is stale: `UPDATE_DOCS=1 cargo test documented`");
}
