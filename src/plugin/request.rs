//! The request to a plugin, with its files.

use crate::packets::LoadedCapture;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use serde_json::{Map, Value};

use super::arguments::{Given, given};
use super::manifest::{Argument, ArgumentType, Entry, PacketsForm, PacketsWanted, Role, fill_in};
use super::protocol::{CaptureGiven, PacketsGiven, Request, RequestKind, Selection};
use crate::analysis::filter::Filter;
use crate::analysis::selection;
use crate::arguments::CaptureSource;
use crate::delimiter::Delimiter;
use crate::error::{Error, Result};
use crate::packets::exported;
use crate::temporary::Directory;
use crate::whole_file::Force;
use mptcp_trace::analysis::mptcp_connections::mptcp_connections;
use mptcp_trace::{ConnectionId, StreamId};

/// A request whose files are written. They go when this is dropped.
#[derive(Debug)]
pub struct Prepared {
    /// The request.
    pub request: Request,
    /// The private directory.
    pub directory: Directory,
    /// The same for plugins that do not read JSON, as variables of their environment.
    pub variables: Vec<(String, String)>,
}

/// Puts together what `entry` is asked by a line.
///
/// # Errors
/// A capture that is missing or cannot be read, a column or stream that is not there, files that cannot be written.
pub fn prepare(
    entry: &Entry,
    matches: &ArgMatches,
    selection: Option<Selection>,
    source: &mut dyn CaptureSource,
) -> Result<Prepared> {
    let directory = private_directory()?;
    let given = given(entry, matches)?;
    let columns: Vec<&str> = given
        .iter()
        .filter(|(argument, _)| argument.kind == ArgumentType::Column)
        .filter_map(|(_, given)| if let Given::Value(Value::String(name)) = given { Some(name.as_str()) } else { None })
        .collect();
    let wants = Wants { entry, condition: condition(entry.packets.as_ref(), &given)?, columns };
    let has_another = given.iter().any(|(_, given)| matches!(given, Given::Capture(_)));
    let current = match source.capture() {
        Ok(capture) => Some(capture),
        // A plugin that compares captures named on the line needs no current one.
        Err(Error::NothingLoaded) if has_another || !wants.anything() => None,
        Err(error) => return Err(error),
    };
    let capture = match current.filter(|_| wants.anything()) {
        Some(capture) => {
            check_streams(&capture, &given)?;
            Some(wants.write(&capture, directory.path(), "packets")?)
        }
        None => None,
    };
    let mut arguments = Map::new();
    for (argument, given) in &given {
        let value = match given {
            Given::Value(value) => value.clone(),
            Given::Capture(path) => {
                let capture = source.resolve(path)?;
                let given = wants.write(&capture, directory.path(), &argument.name)?;
                serde_json::to_value(given).map_err(not_json)?
            }
        };
        arguments.insert(argument.name.clone(), value);
    }
    let request = Request {
        kind: match entry.role {
            Role::Command => RequestKind::Command,
            Role::Plot => RequestKind::Plot,
        },
        name: entry.name.clone(),
        host_version: env!("CARGO_PKG_VERSION").to_string(),
        directory: directory.path().to_path_buf(),
        arguments,
        capture,
        selection,
    };
    let variables = variables(&request);
    Ok(Prepared { request, directory, variables })
}

/// A new directory that nobody else can look into.
///
/// # Errors
/// When none can be made.
pub fn private_directory() -> Result<Directory> {
    Directory::new().map_err(|error| Error::file("create a directory in", std::env::temp_dir(), error))
}

/// A stream that the capture does not have is the person's mistake, and is named in the program's own words.
fn check_streams(capture: &LoadedCapture, given: &[(&Argument, Given)]) -> Result<()> {
    for (argument, given) in given {
        let Given::Value(Value::Number(number)) = given else { continue };
        let id = number.as_u64().and_then(|number| u32::try_from(number).ok());
        match (argument.kind, id) {
            (ArgumentType::TcpStream, Some(id)) => drop(capture.tcp_stream(StreamId(id))?),
            (ArgumentType::MptcpStream, Some(id)) => drop(capture.mptcp_connection(ConnectionId(id))?),
            _ => {}
        }
    }
    Ok(())
}

/// The condition of the manifest with the values of arguments.
fn condition(packets: Option<&PacketsWanted>, given: &[(&Argument, Given)]) -> Result<Option<Filter>> {
    let Some(condition) = packets.and_then(|packets| packets.condition.as_ref()) else { return Ok(None) };
    let filled = fill_in(condition, |name| {
        let (_, given) = given.iter().find(|(argument, _)| argument.name == name)?;
        match given {
            Given::Value(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        }
    });
    let filled =
        filled.map_err(|name| Error::Usage(format!("`{name}` is missing, but the choice of packets needs it")))?;
    Filter::parse(&filled).map(Some)
}

/// Parts of a capture that a plugin needs.
struct Wants<'a> {
    entry: &'a Entry,
    condition: Option<Filter>,
    /// Columns that the line names.
    columns: Vec<&'a str>,
}

impl Wants<'_> {
    fn anything(&self) -> bool {
        self.entry.packets.is_some() || self.entry.connections
    }

    /// Writes the files of `capture`, whose names begin with `stem`, and says where they are.
    fn write(&self, capture: &LoadedCapture, directory: &Path, stem: &str) -> Result<CaptureGiven> {
        let packets = self.entry.packets.as_ref();
        let connections = self.entry.connections.then(|| serde_json::to_value(mptcp_connections(capture)));
        Ok(CaptureGiven {
            path: capture.path.clone(),
            origin: capture.origin().nanoseconds().to_string(),
            packets: packets.map(|packets| self.packets(packets, capture, directory, stem)).transpose()?,
            connections: connections.transpose().map_err(not_json)?,
        })
    }

    fn packets(
        &self,
        wanted: &PacketsWanted,
        capture: &LoadedCapture,
        directory: &Path,
        stem: &str,
    ) -> Result<PacketsGiven> {
        let all = wanted.columns.is_empty();
        let asked = self.condition.iter().flat_map(Filter::columns);
        let asked: Vec<&str> =
            wanted.columns.iter().map(String::as_str).chain(self.columns.iter().copied()).chain(asked).collect();
        let table = if all { capture.table()? } else { capture.columns_of(&asked)? };
        let kept = match &self.condition {
            Some(condition) => &condition.apply(&table)?,
            None => &table,
        };
        let mut names: Vec<&str> = wanted.columns.iter().map(String::as_str).collect();
        if !names.is_empty() {
            for name in &self.columns {
                if !names.contains(name) {
                    names.push(name);
                }
            }
        } else {
            // All of them; but a name that is none must be told.
            selection::columns(kept, &self.columns)?;
        }
        let chosen = if names.is_empty() { kept.clone() } else { selection::columns(kept, &names)? };
        let write = |form: PacketsForm, ending: &str, as_form: exported::TableForm| -> Result<Option<PathBuf>> {
            if !wanted.forms.contains(&form) {
                return Ok(None);
            }
            let path = directory.join(format!("{stem}.{ending}"));
            exported::write(&chosen, &path, as_form, Delimiter::COMMA, Force::NotGiven)?;
            Ok(Some(path))
        };
        Ok(PacketsGiven {
            arrow: write(PacketsForm::Arrow, "arrow", exported::TableForm::Arrow)?,
            csv: write(PacketsForm::Csv, "csv", exported::TableForm::Csv)?,
            rows: u64::try_from(chosen.height()).unwrap_or(u64::MAX),
            columns: chosen.get_column_names().iter().map(ToString::to_string).collect(),
        })
    }
}

/// Arguments and files as variables: `MPTCPANALYZER_ARGUMENT_NAME`, `MPTCPANALYZER_PACKETS_CSV`, ….
fn variables(request: &Request) -> Vec<(String, String)> {
    let of_arguments = request.arguments.iter().filter_map(|(name, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        Some((format!("MPTCPANALYZER_ARGUMENT_{}", name.to_uppercase()), text))
    });
    let mut variables: Vec<(String, String)> = of_arguments.collect();
    variables.push(("MPTCPANALYZER_NAME".to_string(), request.name.clone()));
    if let Some(packets) = request.capture.as_ref().and_then(|capture| capture.packets.as_ref()) {
        for (name, path) in [("ARROW", &packets.arrow), ("CSV", &packets.csv)] {
            if let Some(path) = path.as_ref().and_then(|path| path.to_str()) {
                variables.push((format!("MPTCPANALYZER_PACKETS_{name}"), path.to_string()));
            }
        }
    }
    variables
}

fn not_json(error: serde_json::Error) -> Error {
    Error::Failed(format!("cannot encode the request as JSON: {error}; rename the file in UTF-8"))
}
