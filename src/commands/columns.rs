//! `columns`: what the packet table has and where it comes from.

use clap::{Arg, ArgMatches};
use polars::prelude::DataFrame;
use serde::Serialize;

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::error::{Error, Result};
use crate::nearest::did_you_mean;
use crate::output::{Cell, Report, Table};
use crate::packets::schema::{COLUMNS, ColumnSpec, Origin};
use crate::terminal_text::escape;

/// Lists the columns of the packet table.
#[derive(Debug)]
pub struct Columns;

impl Described for Columns {
    fn name(&self) -> &'static str {
        "columns"
    }

    fn summary(&self) -> &'static str {
        "List the columns of the packet table"
    }

    fn details(&self) -> &'static str {
        "Origin `packet`: fields of a single packet. Origin `tracking`: derived from all packets together. Origin \
         `extra`: added by `extra_fields` in the configuration. With a capture loaded, `filled` says whether any \
         packet has a value there. Columns given by name are described in full."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(
            Arg::new("column")
                .value_name("COLUMN")
                .num_args(0..)
                .value_delimiter(',')
                .help("Columns to describe in full"),
        )
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "columns", purpose: "all columns, one per line" },
            Example { line: "columns dss_dsn", purpose: "one column in full, with its Wireshark fields" },
        ]
    }
}

impl Command for Columns {
    fn category(&self) -> Category {
        Category::Packets
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let names: Vec<&String> = arguments.get_many("column").into_iter().flatten().collect();
        let table = session.loaded().map(|capture| capture.table()).transpose()?;
        let descriptions = describe(table.as_ref());
        if names.is_empty() {
            return Ok(Outcome::Report(overview(&descriptions)));
        }
        let chosen = names.iter().map(|name| choose(&descriptions, name)).collect::<Result<Vec<_>>>()?;
        Ok(Outcome::Report(in_full(&chosen)))
    }
}

/// One column, as JSON prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Description {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    unit: Option<&'static str>,
    hexadecimal: bool,
    fields: Vec<String>,
    source: Option<&'static str>,
    origin: &'static str,
    hashed: bool,
    /// Whether any packet of the loaded capture has a value; null without a capture.
    filled: Option<bool>,
    about: String,
}

fn describe(table: Option<&DataFrame>) -> Vec<Description> {
    let filled = |name: &str| {
        let table = table?;
        Some(table.column(name).is_ok_and(|column| column.null_count() < column.len()))
    };
    let of_schema = COLUMNS.iter().map(|spec| of_spec(spec, filled(spec.name)));
    let extra = table
        .into_iter()
        .flat_map(DataFrame::columns)
        .filter(|column| COLUMNS.iter().all(|spec| spec.name != column.name().as_str()))
        .map(|column| Description {
            name: column.name().to_string(),
            kind: column.dtype().to_string(),
            unit: None,
            hexadecimal: false,
            fields: vec![column.name().to_string()],
            source: None,
            origin: "extra",
            hashed: false,
            filled: filled(column.name()),
            about: "Wireshark field added by the configuration".to_string(),
        });
    of_schema.chain(extra).collect()
}

fn of_spec(spec: &ColumnSpec, filled: Option<bool>) -> Description {
    let given = |text: &'static str| (!text.is_empty()).then_some(text);
    Description {
        name: spec.name.to_string(),
        kind: spec.kind.name().to_string(),
        unit: given(spec.unit),
        hexadecimal: spec.hexadecimal,
        fields: spec.fields.iter().map(ToString::to_string).collect(),
        source: given(spec.source),
        origin: match spec.origin {
            Origin::Packet => "packet",
            Origin::Tracking => "tracking",
        },
        hashed: spec.hashed,
        filled,
        about: spec.about.to_string(),
    }
}

fn choose<'a>(descriptions: &'a [Description], name: &str) -> Result<&'a Description> {
    descriptions.iter().find(|description| description.name == name).ok_or_else(|| {
        let guess = did_you_mean(name, descriptions.iter().map(|description| description.name.as_str()))
            .map_or_else(String::new, |guess| format!("{guess} "));
        Error::NotFound(format!("no column `{}`: {guess}`columns` lists them all", escape(name)))
    })
}

fn optional(text: Option<&str>) -> Cell {
    text.map_or(Cell::Null, |text| Cell::Text(text.to_string()))
}

fn fields(description: &Description) -> Cell {
    if description.fields.is_empty() { Cell::Null } else { Cell::Text(description.fields.join(" ")) }
}

/// Name, value and whether there is anything to say, in the order printed.
fn properties(description: &Description) -> [(&'static str, Cell); 10] {
    [
        ("name", Cell::Text(description.name.clone())),
        ("type", Cell::Text(description.kind.clone())),
        ("unit", optional(description.unit)),
        ("hexadecimal", Cell::Boolean(description.hexadecimal)),
        ("fields", fields(description)),
        ("source", optional(description.source)),
        ("origin", Cell::Text(description.origin.to_string())),
        ("hashed", Cell::Boolean(description.hashed)),
        ("filled", description.filled.map_or(Cell::Null, Cell::Boolean)),
        ("about", Cell::Text(description.about.clone())),
    ]
}

fn records<'a>(descriptions: impl IntoIterator<Item = &'a Description>) -> Table {
    let mut table = Table::default();
    for description in descriptions {
        let (names, cells): (Vec<_>, Vec<_>) = properties(description).into_iter().unzip();
        table.columns = names.into_iter().map(Into::into).collect();
        table.rows.push(cells);
    }
    table
}

/// One line a column: what fits beside its name; the rest is in the records.
fn overview(descriptions: &[Description]) -> Report {
    const SHOWN: [&str; 5] = ["name", "type", "unit", "filled", "about"];
    let loaded = descriptions.iter().any(|description| description.filled.is_some());
    let shown: Vec<&str> = SHOWN.into_iter().filter(|name| loaded || *name != "filled").collect();
    let mut table = Table::new(&shown);
    for description in descriptions {
        let cells = properties(description).into_iter().filter(|(name, _)| shown.contains(name));
        table.rows.push(cells.map(|(_, cell)| cell).collect());
    }
    Report::new(descriptions, vec![table]).with_records(records(descriptions))
}

fn in_full(chosen: &[&Description]) -> Report {
    let tables = chosen.iter().map(|description| {
        let mut table = Table::new(&["property", "value"]);
        table.rows = properties(description)
            .into_iter()
            .filter(|(_, cell)| *cell != Cell::Null)
            .map(|(name, cell)| vec![Cell::Text(name.to_string()), cell])
            .collect();
        table
    });
    let described: Vec<Description> = chosen.iter().map(|description| (*description).clone()).collect();
    Report::new(&described, tables.collect()).with_records(records(chosen.iter().copied()))
}

#[cfg(test)]
mod tests {
    use polars::prelude::Column;

    use super::*;

    #[test]
    fn without_a_capture_nothing_is_said_about_it() {
        let descriptions = describe(None);
        assert_eq!(descriptions.len(), COLUMNS.len());
        assert!(descriptions.iter().all(|description| description.filled.is_none()));
        let report = overview(&descriptions);
        assert_eq!(report.tables[0].columns.len(), 4);
        assert_eq!(report.data.value().unwrap()[0]["name"], "packetid");
        assert_eq!(report.data.value().unwrap()[0]["type"], "u64");
        assert_eq!(report.data.value().unwrap()[0]["fields"], serde_json::json!(["frame.number"]));
        assert_eq!(report.data.value().unwrap()[0]["filled"], serde_json::Value::Null);
    }

    #[test]
    fn what_no_packet_has_is_told_apart() {
        let columns = vec![
            Column::new("packetid".into(), [1_u64, 2]),
            Column::new("sendkey".into(), [None::<u64>, None]),
            Column::new("ip.dsfield".into(), [Some("0x00"), None]),
        ];
        let table = DataFrame::new(2, columns).unwrap();
        let descriptions = describe(Some(&table));
        let filled = |name| choose(&descriptions, name).unwrap().filled;
        assert_eq!(filled("packetid"), Some(true));
        assert_eq!(filled("sendkey"), Some(false));
        assert_eq!(filled("ip.dsfield"), Some(true));
        assert_eq!(choose(&descriptions, "ip.dsfield").unwrap().origin, "extra");
        let error = choose(&descriptions, "sendkye").unwrap_err().to_string();
        assert_eq!(error, "no column `sendkye`: did you mean `sendkey`? `columns` lists them all");
        let report = in_full(&[choose(&descriptions, "sendkey").unwrap()]);
        let values: Vec<&Cell> = report.tables[0].rows.iter().map(|row| &row[1]).collect();
        assert!(values.contains(&&Cell::Text("RFC 8684 §3.1".into())), "{values:?}");
        assert_eq!(report.records.unwrap().rows.len(), 1);
    }
}
