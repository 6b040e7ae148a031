//! Messages between the program and a plugin, as JSON: `docs/plugins.md` and `docs/plugin.schema.json`.
//!
//! ```text
//! program ─▶ plugin   {"hello": {…}}      one line
//! plugin ─▶ program   {"hello": {…}}      one line
//! program ─▶ plugin   {"kind": …}         one line, the request; then the end of the plugin's standard input
//! plugin ─▶ program   {"text": …}         the answer; then the end of the plugin's standard output
//! ```

mod bounded;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::drawing::figure::{Figure, Unit};

/// The version of everything in this file.
pub const VERSION: u32 = 1;

/// Abilities of this program beyond the handshake.
pub const FEATURES: [&str; 6] = ["text", "table", "arrow", "figure", "packets_arrow", "packets_csv"];

/// The first line in both directions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Greeting {
    /// The sender.
    pub hello: Hello,
}

/// Identity and protocol version of the sender. Unknown keys are ignored, so that later versions can say more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Hello {
    /// The version of the protocol; both must have the same.
    pub protocol: u32,
    /// The version of the program or plugin.
    #[serde(default)]
    pub version: String,
    /// Additional abilities of the sender.
    #[serde(default)]
    pub features: Vec<String>,
}

/// Request of the program to a plugin.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Request {
    /// Whether a command or a plot was typed.
    pub kind: RequestKind,
    /// Its name.
    pub name: String,
    /// The version of this program.
    pub host_version: String,
    /// The private directory of this request, which is also the current one and is removed afterwards. Files that the
    /// answer names are in it.
    pub directory: PathBuf,
    /// The arguments by name: `null` where the line has none and there is no default, numbers for numbers and streams,
    /// true or false for flags, absolute paths for files, what `capture` is for captures, text for the rest.
    pub arguments: Map<String, Value>,
    /// The current capture; `null` when none is loaded, or nothing of it is wanted.
    pub capture: Option<CaptureGiven>,
    /// Restrictions of a plot; `null` for commands.
    pub selection: Option<Selection>,
}

/// Kind of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum RequestKind {
    /// A command: text, a table or a figure answers it.
    Command,
    /// A plot: a figure answers it.
    Plot,
}

/// A capture, as a plugin gets it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CaptureGiven {
    /// The file, as the person named it.
    pub path: PathBuf,
    /// When its first frame was recorded, nanoseconds since 1970, as text.
    pub origin: String,
    /// Its packets, if the manifest wants them.
    pub packets: Option<PacketsGiven>,
    /// Its MPTCP connections with their subflows, if the manifest wants them: what
    /// `list_mptcp_connections --format json` prints. Keys and tokens are hexadecimal.
    pub connections: Option<Value>,
}

/// The packets in files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PacketsGiven {
    /// An Arrow IPC file, not compressed.
    pub arrow: Option<PathBuf>,
    /// A CSV file: a line of column names, `,` between fields, null is empty, times are seconds, the items of lists are
    /// joined by `;`.
    pub csv: Option<PathBuf>,
    /// Number of packets.
    pub rows: u64,
    /// The columns, in order: those of the manifest, then those that arguments name.
    pub columns: Vec<String>,
}

/// Part to show.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Selection {
    /// `server` or `client`: only the direction towards this end; `null` for both.
    pub towards: Option<String>,
    /// Leave out what came earlier, seconds from the first frame.
    pub start: Option<f64>,
    /// Leave out what came later.
    pub end: Option<f64>,
    /// Only these subflows (`tcpstream`); all of them when empty.
    pub subflows: Vec<u32>,
    /// Leave out these subflows (`tcpstream`).
    pub skip_subflows: Vec<u32>,
}

/// Answer of a plugin: one of these keys.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Answer {
    /// Text, printed line by line.
    Text(String),
    /// A table, printed in the form that the person chose.
    Table(TableAnswer),
    /// The name of an Arrow IPC file in the request's directory, printed as a table.
    Arrow(String),
    /// A figure, drawn like the program's own.
    Figure(Figure),
    /// One sentence that says what is wrong and what to do.
    Error(String),
}

/// A table. JSON and NDJSON print an object for each row, with the columns' names as keys.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TableAnswer {
    /// A line above the table, for people.
    #[serde(default)]
    pub title: Option<String>,
    /// The columns, left to right, at most 1000.
    #[serde(deserialize_with = "bounded::list::<1000, _, _>")]
    pub columns: Vec<TableColumn>,
    /// The rows, top to bottom, each with a value for every column: null, true, false, a number or a text. At most a
    /// million values.
    #[serde(deserialize_with = "bounded::rows")]
    #[cfg_attr(test, schemars(with = "Vec<Vec<Value>>"))]
    pub rows: Vec<Vec<Value>>,
    /// Sentences under the table, for people, at most 100.
    #[serde(default, deserialize_with = "bounded::list::<100, _, _>")]
    pub notes: Vec<String>,
}

/// A column: its name, or more.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum TableColumn {
    /// The name for people and programs.
    Name(String),
    /// With what people see.
    Described(DescribedColumn),
}

/// A column with its unit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DescribedColumn {
    /// The name for programs.
    pub name: String,
    /// The heading for people; the name when absent.
    #[serde(default)]
    pub heading: Option<String>,
    /// The unit of its numbers, for people.
    #[serde(default)]
    pub unit: Option<Unit>,
}

#[cfg(test)]
mod tests;
