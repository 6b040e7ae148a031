//! docs/dataset.md, made from the declarations of the tables.

use std::fmt::Write;

use super::SCHEMA_VERSION;
use super::tables::{LABEL, TABLES, Written};

const BEGINNING: &str = "\
# The dataset

`analyze INPUT… --out DATASET` analyzes many captures into one dataset: a folder with Parquet files that DuckDB, polars,
pandas and Spark read. This page is made from the declarations of the tables (`src/dataset/tables/`).

```text
DATASET/_dataset.json                    says that this is one, and of which version
DATASET/TABLE/part-CAPTURE.parquet       the rows of one capture
DATASET/TABLE/schema.parquet             no rows: the columns, also where no capture has any
DATASET/TABLE/compact-….parquet          the rows of many captures, after `dataset compact`
DATASET/_work/, DATASET/_lock            files under way; who uses the dataset locks the second
```

```sh
mptcpanalyzer analyze captures/ --out study/
duckdb -c \"SELECT name, goodput_bytes FROM 'study/directions/*.parquet' JOIN 'study/captures/*.parquet' USING (capture)\"
```

- Every number is the one of the command for one capture that its table names.
- A missing value means: not captured, or there is none. It is never 0.
- Types are int64, float64, string, bool, and timestamp (microseconds, UTC). Keys and tokens are text, because they have
  up to 64 bits.
- Stream numbers are those of Wireshark, within one capture. (`capture`, `mptcpstream`) is a connection, (`capture`,
  `tcpstream`) a TCP stream, and `towards` a direction of the connection.
- The part of `captures` is written last: a capture whose row is there has all its rows. While a capture is analyzed again,
  its row is not there. Files are written under another name, and renamed when they are whole.
- `dataset status`, `errors` and `verify` tell what is there and whether it is whole. `dataset compact` puts the parts
  together into files of about 128 MB. `sql --dataset DATASET` asks them without another program.
- The same captures give the same bytes, with any `--jobs` and in any order.
";

const LABELS: &str = "Its labels follow, as text.";

/// The page.
#[must_use]
pub fn page() -> String {
    let mut page = BEGINNING.to_string();
    let _ = writeln!(page, "\nThis is version {SCHEMA_VERSION} of the tables.");
    for table in TABLES {
        let _ = write!(page, "\n## {}\n\nOne row per {}.", table.name, table.row);
        if table.labelled {
            let _ = write!(page, " {LABELS} Their names begin with `{LABEL}`.");
        }
        page.push_str(match table.written {
            Written::Always => "",
            Written::WithAll => " Written with `--tables all`, or if it is named.",
            Written::Named => " Written only if it is named.",
        });
        page.push_str("\n\n| column | type | unit | meaning |\n|---|---|---|---|\n");
        for spec in table.columns() {
            let _ = writeln!(page, "| `{}` | {} | {} | {} |", spec.name, spec.kind.name(), spec.unit, spec.meaning);
        }
    }
    page
}
