//! Parquet and Arrow of every command that reports a table: the columns of its CSV, and each number with its unit.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use polars::prelude::{DataFrame, SerReader};
use polars_arrow::io::ipc::read::read_file_metadata;
use polars_io::ipc::IpcReader;
use polars_io::parquet::read::ParquetReader;

use super::csv_columns;
use super::typed_tables::python;
use crate::support::program::Home;

/// Numbers without a unit that are neither named in the plural, as counts are, nor the number of something.
const WITHOUT_UNIT: [&str; 16] = [
    "count",
    "entries",
    "ece",
    "cwr",
    "from",
    "to",
    "first_sent_on",
    "sent_again_on",
    "position",
    "mapped",
    "loss",
    "outside_capture",
    "not_captured_at_receiver",
    "not_captured_at_sender",
    "reset_reason",
    "fallback_cause",
];

/// Ends of names of what counts or names something, or is a share of one.
const ENDS: [&str; 12] = [
    "s",
    "id",
    "stream",
    "port",
    "version",
    "contribution",
    "_count",
    "_filled",
    "_mapped",
    "_sender",
    "_receiver",
    "mptcpstream_wireshark",
];

/// What `plot` writes has units in columns of its own; what `live` writes is not a whole table.
const LEFT_OUT: [&str; 2] = ["plot", "live"];

/// The files of a command in three forms.
fn written(home: &Home, command: &str, arguments: &str) -> [PathBuf; 3] {
    let ends = ["client", "server"].map(|end| {
        let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{end}.pcapng"));
        capture.to_str().unwrap().to_string()
    });
    let words = match command {
        "sql" => vec![arguments.to_string()],
        _ => arguments.split_whitespace().map(|word| word.replace("{1}", &ends[0]).replace("{2}", &ends[1])).collect(),
    };
    ["csv", "parquet", "arrow"].map(|form| {
        let file = home.path(&format!("result.{form}"));
        let mut line = vec!["--load", &ends[0], command];
        line.extend(words.iter().map(String::as_str));
        line.extend(["-o", file.to_str().unwrap()]);
        let done = home.run(&line, "");
        // `checkhealth` and `diagnose` may say that something is wrong.
        assert!(file.is_file(), "{command} {arguments}: {}", done.messages);
        file
    })
}

fn header(csv: &Path) -> Vec<String> {
    csv::Reader::from_path(csv).unwrap().headers().unwrap().iter().map(str::to_string).collect()
}

#[test]
fn every_command_writes_typed_tables_whose_numbers_say_their_unit() {
    let mut silent = BTreeSet::new();
    let mut units = 0;
    for (command, arguments) in csv_columns::lines().filter(|(command, _)| !LEFT_OUT.contains(command)) {
        let home = Home::new();
        let what = format!("{command} {arguments}");
        let [csv, parquet, arrow] = written(&home, command, arguments);
        let frame = ParquetReader::new(File::open(parquet).unwrap()).finish().unwrap();
        let same: DataFrame = IpcReader::new(File::open(&arrow).unwrap()).finish().unwrap();
        let names: Vec<String> = frame.get_column_names_owned().iter().map(ToString::to_string).collect();
        assert_eq!(names, header(&csv), "{what}");
        assert!(frame.equals_missing(&same) && frame.schema() == same.schema(), "{what}");
        let schema = read_file_metadata(&mut File::open(&arrow).unwrap()).unwrap().schema;
        for (column, field) in frame.columns().iter().zip(schema.iter_values()) {
            let unit = field.metadata.as_ref().and_then(|facts| facts.get("unit"));
            units += usize::from(unit.is_some());
            let name = column.name().as_str();
            let number = column.dtype().is_primitive_numeric();
            let counts = WITHOUT_UNIT.contains(&name) || ENDS.iter().any(|end| name.ends_with(end));
            let is_count = counts && (column.dtype().is_integer() || name.ends_with("contribution") || name == "loss");
            if number && unit.is_none() && !is_count && command != "sql" {
                silent.insert(format!("{name} ({what})"));
            }
        }
    }
    assert!(silent.is_empty(), "columns without a unit:\n{}", silent.into_iter().collect::<Vec<_>>().join("\n"));
    assert!(units > 100, "{units}");
}

/// Units as pyarrow reads them in both files, and the types that pandas makes of the Arrow file.
const UNITS: &str = r#"
import sys
import pyarrow.feather, pyarrow.ipc, pyarrow.parquet
parquet, arrow = sys.argv[1:3]
def units(schema):
    return {field.name: (field.metadata or {}).get(b"unit", b"").decode() for field in schema}
ours = units(pyarrow.ipc.open_file(arrow).schema)
assert ours == units(pyarrow.parquet.read_schema(parquet)), (ours, units(pyarrow.parquet.read_schema(parquet)))
from_arrow = pyarrow.feather.read_feather(arrow)
from_parquet = pyarrow.parquet.read_table(parquet).to_pandas()
assert list(from_arrow.dtypes) == list(from_parquet.dtypes), (from_arrow.dtypes, from_parquet.dtypes)
print(" ".join(f"{name}={unit}" for name, unit in ours.items() if unit))
"#;

#[test]
fn pyarrow_reads_the_same_units_in_arrow_as_in_parquet() {
    let Some(python) = python() else { return };
    for (line, expected) in [
        ("rtt 0 --samples", "reltime=s rtt=s"),
        (
            "list_reinjections 0",
            "reltime=s dsn=byte number dsnraw64=byte number length=B age=s since_last=s since_activity=s late_by=s",
        ),
        ("dump packetid reltime tcplen ttl dsn", "reltime=s tcplen=B ttl=hops dsn=byte number"),
    ] {
        let home = Home::new();
        let (command, arguments) = line.split_once(' ').unwrap();
        let [_, parquet, arrow] = written(&home, command, arguments);
        let run = Command::new(&python).args(["-c", UNITS]).args([&parquet, &arrow]).output().unwrap();
        assert!(run.status.success(), "{line}: {}", String::from_utf8_lossy(&run.stderr));
        assert_eq!(String::from_utf8(run.stdout).unwrap().trim(), expected, "{line}");
    }
    // An export has them, too.
    let home = Home::new();
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.pcapng");
    let files = ["parquet", "arrow"].map(|form| home.path(&format!("packets.{form}")));
    let script = files.each_ref().map(|file| format!("export {}\n", file.display())).concat();
    let done = home.run(&["-l", capture.to_str().unwrap()], &script);
    assert_eq!(done.code, Some(0), "{}", done.messages);
    let run = Command::new(&python).args(["-c", UNITS]).args(&files).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let said = String::from_utf8(run.stdout).unwrap();
    assert!(said.contains("reltime=s framelen=B caplen=B ttl=hops iplen=B"), "{said}");
}
