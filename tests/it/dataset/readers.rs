//! Datasets in other programs: DuckDB, polars and pandas, where Python has them.

use std::process::Command;

use super::{analyze, base, folder_of_small, rows};
use crate::support::program::Home;

/// Python with a module: that of `MPTCPANALYZER_PYTHON`, or the one in `PATH`.
pub(super) fn python(module: &str) -> Option<String> {
    let python = std::env::var("MPTCPANALYZER_PYTHON").unwrap_or_else(|_| "python3".to_string());
    let found = Command::new(&python).args(["-c", &format!("import {module}")]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    eprintln!("skipped: {python} has no {module} (MPTCPANALYZER_PYTHON names another Python)");
    None
}

const QUERY: &str = "SELECT SUM(d.goodput_bytes) FROM directions d JOIN captures c USING (capture) \
                     WHERE c.status = 'ok' AND d.towards = 'server'";

#[test]
fn other_programs_read_what_was_written() {
    let home = Home::new();
    let folder = folder_of_small(&home);
    let out = home.path("dataset");
    assert_eq!(analyze(&home, &[&folder], &out, &["--label", "place=lab"]).code, Some(0));
    let directions = rows(&out, "directions");
    let expected: u64 = directions
        .iter()
        .filter(|row| row["towards"] == "server")
        .map(|row| row["goodput_bytes"].as_u64().unwrap())
        .sum();
    assert!(expected > 0);
    let counts: Vec<String> = base().iter().map(|table| rows(&out, table).len().to_string()).collect();
    let wanted = format!("{expected} {}", counts.join(" "));
    let names = base().join(" ");
    let scripts = [
        (
            "duckdb",
            format!(
                "import duckdb\nfor t in '{names}'.split(): duckdb.sql(f\"CREATE VIEW {{t}} AS SELECT * FROM '{{d}}/{{t}}/*.parquet'\")\n\
                 one = lambda q: int(duckdb.sql(q).fetchall()[0][0])\n\
                 print(one(\"{QUERY}\"), *[one(f'SELECT COUNT(*) FROM {{t}}') for t in '{names}'.split()])"
            ),
        ),
        (
            "polars",
            format!(
                "import polars as pl\nr = lambda t: pl.read_parquet(f'{{d}}/{{t}}/*.parquet')\n\
                 x = r('directions').join(r('captures'), on='capture').filter((pl.col('status') == 'ok') & (pl.col('towards') == 'server'))\n\
                 print(int(x['goodput_bytes'].sum()), *[r(t).height for t in '{names}'.split()])"
            ),
        ),
        (
            "pandas",
            format!(
                "import pandas as pd\nr = lambda t: pd.read_parquet(f'{{d}}/{{t}}')\n\
                 x = r('directions').merge(r('captures')[['capture', 'status']], on='capture')\n\
                 x = x[(x.status == 'ok') & (x.towards == 'server')]\n\
                 print(int(x.goodput_bytes.sum()), *[len(r(t)) for t in '{names}'.split()])"
            ),
        ),
    ];
    for (module, script) in scripts {
        let Some(python) = python(module) else { continue };
        let script = format!("import sys\nd = sys.argv[1]\n{script}");
        let output = Command::new(python).args(["-c", &script, out.to_str().unwrap()]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).trim().to_string();
        assert_eq!(said, wanted, "{module}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
