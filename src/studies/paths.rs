//! Paths of subflows: Wi-Fi, cellular and so on, as a column of subflows names them.

use std::collections::{BTreeSet, HashMap};

use clap::{Arg, ArgMatches};

use super::population::Population;
use crate::error::{Error, Result};
use crate::nearest::did_you_mean;

/// Subflows without a path.
const UNKNOWN: &str = "?";

/// The columns of subflows that may name paths.
const COLUMNS: [&str; 8] =
    ["path_client", "path_server", "interface", "kind", "ip_version", "backup", "client_ip", "server_ip"];

/// The path of each subflow.
#[derive(Debug)]
pub struct Paths {
    column: String,
    names: Vec<String>,
    of: HashMap<(usize, u64), usize>,
}

impl Paths {
    /// Adds `--path-column`, and a required option for each of these: `path`, `other`.
    #[must_use]
    pub fn with_arguments(command: clap::Command, chosen: &[&'static str]) -> clap::Command {
        let column = Arg::new("path_column")
            .long("path-column")
            .value_name("COLUMN")
            .value_parser(COLUMNS)
            .default_value("path_client")
            .help("Column of subflows whose values are the paths");
        let option = |name: &'static str| {
            let help = if name == "path" { "The path, as the column names it" } else { "The path to compare with" };
            Arg::new(name).long(name).value_name("PATH").required(true).help(help)
        };
        command.arg(column).args(chosen.iter().map(|name| option(name)))
    }

    /// The paths of all subflows.
    ///
    /// # Errors
    /// When no subflow has one, or the table cannot be read.
    pub fn read(arguments: &ArgMatches, population: &Population<'_>) -> Result<Self> {
        let column = arguments.get_one::<String>("path_column").map_or("path_client", String::as_str);
        let mut found: Vec<((usize, u64), String)> = Vec::new();
        population.each("subflows", ["tcpstream"], [column], |member, [stream], [path]| {
            let path = path.filter(|path| !path.is_empty()).unwrap_or(UNKNOWN);
            found.extend(stream.map(|stream| ((member, stream.to_bits()), path.to_string())));
        })?;
        let names: BTreeSet<&str> = found.iter().map(|(_, path)| path.as_str()).collect();
        if !found.is_empty() && names.iter().all(|name| *name == UNKNOWN) {
            return Err(Error::NotFound(format!(
                "no subflow has a {column}; analyze with `--labels FILE` (prefix,label), or name another --path-column"
            )));
        }
        let names: Vec<String> = names.into_iter().map(str::to_string).collect();
        let places: HashMap<&str, usize> =
            names.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
        let place = |path: &str| places.get(path).copied().unwrap_or_default();
        let of = found.iter().map(|(key, path)| (*key, place(path))).collect();
        Ok(Paths { column: column.to_string(), of, names })
    }

    /// The names of paths, in order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The name of a path.
    #[must_use]
    pub fn name(&self, path: usize) -> &str {
        self.names.get(path).map_or(UNKNOWN, String::as_str)
    }

    /// The path of a subflow; a place that no name has where it is not known.
    #[must_use]
    pub fn of(&self, member: usize, tcpstream: f64) -> usize {
        self.of.get(&(member, tcpstream.to_bits())).copied().unwrap_or(usize::MAX)
    }

    /// The path that an option names.
    ///
    /// # Errors
    /// When no subflow is on it.
    pub fn named(&self, arguments: &ArgMatches, option: &str) -> Result<usize> {
        let wanted = arguments.get_one::<String>(option).map_or("", String::as_str);
        let found = self.names.iter().position(|name| name == wanted);
        found.ok_or_else(|| {
            let advice = did_you_mean(wanted, self.names.iter().map(String::as_str))
                .unwrap_or_else(|| format!("there are {}", self.names.join(", ")));
            Error::Usage(format!("no subflow has the {} `{wanted}`; {advice}", self.column))
        })
    }
}
