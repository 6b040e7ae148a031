//! Results as Parquet and Arrow: read back by polars, and by pandas and DuckDB where Python has them, they are what CSV
//! says.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use polars::prelude::{AnyValue, DataFrame, SerReader};
use polars_io::ipc::IpcReader;
use polars_io::parquet::read::ParquetReader;

use crate::support::program::Home;
use crate::support::scenarios;

/// Commands with counts, times, keys, flags, texts and numbers of 64 bits, and what is missing.
const LINES: [&str; 13] = [
    "list_mptcp_connections",
    "list_tcp_connections",
    "list_subflows --all",
    "mptcp_summary",
    "tcp_summary 0",
    "events 0",
    "rtt 0",
    "ooo 0",
    "list_reinjections 0",
    "list_reinjections 0 --summary",
    "diagnose",
    "sql \"SELECT packetid, reltime, dsn, dsnraw64, recvtok, tcplen FROM packets\"",
    "dump packetid reltime dsn dsnraw64 dss_dsn sendkey recvtok sendhmac tcplen backup -n 0",
];

/// Columns whose raw data sequence numbers are hexadecimal text in CSV and numbers in Parquet.
const RAW: [&str; 2] = ["dsnraw64", "dss_dsn"];

/// The files of one command in a form each: the value of JSON is not compared, because CSV has it by a test of its own.
fn written(home: &Home, capture: &Path, line: &str, ending: &str) -> PathBuf {
    let file = home.path(&format!("result.{ending}"));
    let script = home.write("script", format!("{line} -o {}\n", file.display()));
    let run = home.run(&["--no-cache", "-l", capture.to_str().unwrap(), "-b", script.to_str().unwrap()], "");
    assert_eq!(run.code, Some(0), "{line}: {}", run.messages);
    file
}

/// A typed value as CSV would have it; `None` where that cannot be told (times, whose digits CSV fixes).
fn text(value: &AnyValue<'_>) -> Option<String> {
    Some(match value {
        AnyValue::Null => String::new(),
        AnyValue::String(text) => (*text).to_string(),
        AnyValue::StringOwned(text) => text.to_string(),
        AnyValue::Boolean(truth) => truth.to_string(),
        AnyValue::Float64(_) => return None,
        number => number.to_string(),
    })
}

fn equal_to_csv(frame: &DataFrame, csv: &Path, what: &str) {
    let mut reader = csv::Reader::from_path(csv).unwrap();
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_string).collect();
    let found: Vec<String> = frame.get_column_names().iter().map(|name| name.to_string()).collect();
    assert_eq!(found, names, "{what}");
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(frame.height(), records.len(), "{what}");
    for (column, name) in frame.columns().iter().zip(&names) {
        for (row, record) in records.iter().enumerate() {
            let place = names.iter().position(|other| other == name).unwrap();
            let value = column.get(row).unwrap();
            let raw = u64::from_str_radix(record[place].trim_start_matches("0x"), 16);
            // A raw data sequence number is a number there.
            let expected = match raw {
                Ok(raw) if RAW.contains(&name.as_str()) => &raw.to_string(),
                _ => &record[place],
            };
            match (text(&value), &value) {
                (Some(found), _) => assert_eq!(found, expected, "{what}, {name}, row {row}"),
                (None, AnyValue::Float64(number)) => {
                    let expected: f64 = expected.parse().unwrap();
                    assert!((number - expected).abs() <= expected.abs() * 1e-12, "{what}, {name}, row {row}");
                }
                (None, other) => panic!("{what}, {name}: {other:?}"),
            }
        }
    }
}

#[test]
fn every_form_of_a_table_has_the_values_of_its_csv() {
    let mut captures = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.pcapng")];
    if let Some(folder) = scenarios::folder() {
        captures.push(folder.join("07f_join_limit/client.pcapng"));
    }
    for capture in captures.iter().filter(|capture| capture.is_file()) {
        for line in LINES {
            let home = Home::new();
            let csv = written(&home, capture, line, "csv");
            let what = format!("{line} of {}", capture.display());
            let parquet = File::open(written(&home, capture, line, "parquet")).unwrap();
            equal_to_csv(&ParquetReader::new(parquet).finish().unwrap(), &csv, &what);
            let arrow = File::open(written(&home, capture, line, "arrow")).unwrap();
            equal_to_csv(&IpcReader::new(arrow).finish().unwrap(), &csv, &what);
        }
    }
}

#[test]
fn a_name_with_an_unknown_ending_is_refused() {
    let home = Home::new();
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.pcapng");
    let file = home.path("x.parqet");
    let run = home.run(&["-l", capture.to_str().unwrap(), "lc", "-o", file.to_str().unwrap()], "");
    assert_eq!(run.code, Some(2), "{}", run.messages);
    assert!(run.messages.contains("unknown file extension .parqet of "), "{}", run.messages);
    assert!(!file.exists());
    let forced =
        home.run(&["-l", capture.to_str().unwrap(), "lc", "-o", file.to_str().unwrap(), "--format", "csv"], "");
    assert_eq!(forced.code, Some(0), "{}", forced.messages);
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("mptcpstream,"));
}

#[test]
fn a_dash_is_standard_output() {
    let home = Home::new();
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.pcapng");
    let run = home.run(&["-l", capture.to_str().unwrap(), "lc", "-o", "-", "--format", "csv"], "");
    assert_eq!(run.code, Some(0), "{}", run.messages);
    assert!(run.results.starts_with("mptcpstream,"), "{}", run.results);
    assert!(!home.path("-").exists());
    // An export, too: the same bytes as in a file.
    let file = home.path("packets.csv");
    let script = format!("export {}\nexport -\nexport - --format csv | tail -n 1\n", file.display());
    let run = home.run(&["-l", capture.to_str().unwrap()], &script);
    assert_eq!(run.code, Some(0), "{}", run.messages);
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(run.results, format!("{written}{}\n", written.lines().last().unwrap()));
    assert!(!home.path("-").exists());
}

/// A Python with pandas, pyarrow, polars and DuckDB: `MPTCPANALYZER_PYTHON`, or the one in the search path; `None` after
/// saying what is missing.
pub fn python() -> Option<PathBuf> {
    let python = PathBuf::from(std::env::var_os("MPTCPANALYZER_PYTHON").unwrap_or_else(|| "python3".into()));
    let tried = Command::new(&python).args(["-c", "import pandas, pyarrow, polars, duckdb"]).output();
    match tried {
        Ok(output) if output.status.success() => Some(python),
        _ => {
            println!(
                "skipped: {} has no pandas, pyarrow, polars and duckdb; name one that has them in MPTCPANALYZER_PYTHON",
                python.display()
            );
            None
        }
    }
}

/// Reads a Parquet file in three ways, each with its defaults, and holds the whole numbers and texts against the CSV file
/// read as text.
const READERS: &str = r#"
import csv, sys
import duckdb, pandas, polars
parquet, text = sys.argv[1:3]
with open(text, newline="") as file:
    rows = list(csv.DictReader(file))
def told(value):
    if value is None or value is pandas.NA or value != value: return ""
    if isinstance(value, bool) or type(value).__name__ == "bool": return str(bool(value)).lower()
    return str(value)
table = duckdb.sql(f"SELECT * FROM '{parquet}'")
readers = {
    "pandas": pandas.read_parquet(parquet).astype(object).to_dict("records"),
    "polars": polars.read_parquet(parquet).to_dicts(),
    "duckdb": [dict(zip(table.columns, row)) for row in table.fetchall()],
}
compared = 0
for name, found in readers.items():
    assert len(found) == len(rows), (name, len(found), len(rows))
    for number, (one, row) in enumerate(zip(found, rows)):
        for column, expected in row.items():
            if column == "dss_dsn" and expected: expected = str(int(expected, 16))
            if column == "reltime":
                assert float(one[column]) == float(expected), (name, number, one[column], expected)
                continue
            assert told(one[column]) == expected, (name, number, column, one[column], expected)
            compared += 1
print(compared)
"#;

#[test]
fn python_reads_the_same_values_with_its_defaults() {
    let Some(python) = python() else { return };
    let recorded = scenarios::folder().map(|folder| folder.join("07f_join_limit/client.pcapng"));
    let capture = recorded
        .filter(|capture| capture.is_file())
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.pcapng"));
    // Data sequence numbers beyond 2^53, and packets without one.
    for line in [
        "sql \"SELECT packetid, reltime, dsn, dack, tcplen, ipsrc FROM packets\"",
        "list_mptcp_connections",
        "list_subflows --all",
        "dump packetid reltime dsn dss_dsn recvtok sendkey tcplen -n 0",
    ] {
        let home = Home::new();
        let csv = written(&home, &capture, line, "csv");
        let parquet = written(&home, &capture, line, "parquet");
        let run = Command::new(&python).args(["-c", READERS]).arg(&parquet).arg(&csv).output().unwrap();
        assert!(run.status.success(), "{line}: {}", String::from_utf8_lossy(&run.stderr));
        let compared: usize = String::from_utf8(run.stdout).unwrap().trim().parse().unwrap();
        assert!(compared > 0, "{line}");
    }
}

/// What an export says of itself, and that its keys are those of the connections.
const EXPORT: &str = r#"
import sys
import duckdb, pandas, polars, pyarrow.parquet
packets, connections = sys.argv[1:3]
units = {field.name: (field.metadata or {}).get(b"unit", b"").decode() for field in pyarrow.parquet.read_schema(packets)}
for name, unit in [("reltime", "s"), ("tcplen", "B"), ("dsn", "byte number"), ("ttl", "hops"), ("packetid", "")]:
    assert units[name] == unit, (name, units[name])
table = pandas.read_parquet(packets)
assert str(table["dsn"].dtype) == "UInt64" and str(table["tcplen"].dtype) == "UInt32", table.dtypes
assert str(table["abstime"].dtype).startswith("datetime64[ns"), table.dtypes
assert table["reltime"].dtype == "float64", table.dtypes
keys = set(table["sendkey"].dropna())
listed = pandas.read_parquet(connections)
assert set(listed["client_key"]) <= keys, (keys, set(listed["client_key"]))
sides = [list(side["sendkey"].drop_nulls().unique()) for side in [polars.read_parquet(packets)]]
assert set(sides[0]) == keys
joined = duckdb.sql(f"SELECT count(*) FROM '{connections}' c JOIN '{packets}' p ON p.sendkey = c.client_key").fetchall()[0][0]
assert joined >= len(listed), joined
times = duckdb.sql(f"SELECT max(reltime) FROM '{packets}'").fetchall()[0][0]
assert 0 < times < 1000, times
dsns = [value for value in table["dsn"] if value is not pandas.NA]
print(len(dsns), *sorted(set(int(value) for value in dsns)))
"#;

#[test]
fn an_export_joins_lists_and_says_its_units() {
    let Some(python) = python() else { return };
    let mut captures = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.pcapng")];
    captures.extend(scenarios::folder().map(|folder| folder.join("07f_join_limit/client.pcapng")));
    for capture in captures.iter().filter(|capture| capture.is_file()) {
        let home = Home::new();
        let (packets, csv) = (home.path("packets.parquet"), home.path("packets.csv"));
        let connections = home.path("connections.parquet");
        let script = format!(
            "export {}\nexport {}\nlist_mptcp_connections -o {}\n",
            packets.display(),
            csv.display(),
            connections.display()
        );
        let run = home.run(&["--no-cache", "-l", capture.to_str().unwrap()], &script);
        assert_eq!(run.code, Some(0), "{}", run.messages);
        let run = Command::new(&python).args(["-c", EXPORT]).args([&packets, &connections]).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let mut reader = csv::Reader::from_path(&csv).unwrap();
        let place = reader.headers().unwrap().iter().position(|name| name == "dsn").unwrap();
        let all: Vec<String> = reader.records().map(|record| record.unwrap()[place].to_string()).collect();
        let mut numbers: Vec<u64> = all.iter().filter_map(|text| text.parse().ok()).collect();
        let count = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
        let told = String::from_utf8(run.stdout).unwrap();
        assert_eq!(told.trim(), format!("{count} {}", numbers.join(" ")), "{}", capture.display());
    }
}

/// Holds each column of a Parquet file, as others read it, against the Arrow file, which encodes nothing.
const COLUMNS: &str = r#"
import sys
import duckdb, polars, pyarrow.ipc, pyarrow.parquet
parquet, arrow = sys.argv[1:3]
expected = pyarrow.ipc.open_file(arrow).read_all()
read = pyarrow.parquet.read_table(parquet)
theirs = polars.read_parquet(parquet)
for name in expected.column_names:
    wanted = expected[name].to_pylist()
    # Python has no nanoseconds, and each makes something else of them.
    if not pyarrow.types.is_timestamp(expected.schema.field(name).type):
        assert duckdb.sql(f'SELECT "{name}" FROM \'{parquet}\'').fetchall() == [(cell,) for cell in wanted], name
        assert theirs[name].to_list() == wanted, name
    assert read[name].to_pylist() == wanted, name
print(len(expected.column_names) * len(expected))
"#;

/// Ways to encode columns differ in what readers make of them: numbers of 32 bits as differences of 33, for example.
#[test]
fn every_column_of_an_export_reads_the_same_everywhere() {
    let Some(python) = python() else { return };
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    // In the latter, the clocks of timestamps are on both sides of 2^31.
    let mut captures = ["examples/client.pcapng", "tests/captures/recorded/lossy_upload/client.pcap"]
        .map(|capture| project.join(capture))
        .to_vec();
    captures.extend(scenarios::folder().map(|folder| folder.join("07f_join_limit/client.pcapng")));
    for capture in captures.iter().filter(|capture| capture.is_file()) {
        let home = Home::new();
        let (parquet, arrow) = (home.path("packets.parquet"), home.path("packets.arrow"));
        let script = format!("export {}\nexport {}\n", parquet.display(), arrow.display());
        let run = home.run(&["--no-cache", "-l", capture.to_str().unwrap()], &script);
        assert_eq!(run.code, Some(0), "{}", run.messages);
        let run = Command::new(&python).args(["-c", COLUMNS]).args([&parquet, &arrow]).output().unwrap();
        assert!(run.status.success(), "{}: {}", capture.display(), String::from_utf8_lossy(&run.stderr));
        let compared: usize = String::from_utf8(run.stdout).unwrap().trim().parse().unwrap();
        assert!(compared > 1_000, "{}", capture.display());
    }
}
