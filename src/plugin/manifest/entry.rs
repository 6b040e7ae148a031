//! The commands and plots of a plugin, and what they want to be given.

use serde::Deserialize;

use super::argument::{self, Argument};
use super::fields::Fields;
use super::{A_NAME, is_name};
use crate::analysis::filter::Filter;
use crate::nearest::did_you_mean;
use crate::packets::schema;
use crate::toml_file::{Mistake, Source};

/// The keys of `[[command]]` and `[[plot]]`.
pub(super) const KEYS: &[&str] = &["name", "summary", "details", "examples", "packets", "connections", "argument"];

/// Names of arguments that all reports have.
const OF_REPORTS: [&str; 4] = ["help", "format", "output", "human_readable"];
/// Names of arguments that all plots have.
const OF_PLOTS: [&str; 14] = [
    "help",
    "format",
    "output",
    "out",
    "towards",
    "start",
    "end",
    "subflow",
    "skip_subflow",
    "display",
    "title",
    "size",
    "dpi",
    "style",
];

/// Whether an entry is typed by itself or after `plot`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `NAME …`, answered with anything.
    Command,
    /// `plot NAME …`, answered with a figure.
    Plot,
}

/// One command or plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Which of them.
    pub role: Role,
    /// Its name.
    pub name: String,
    /// Purpose, one line without a full stop.
    pub summary: String,
    /// Further paragraphs of help.
    pub details: String,
    /// Worked lines, which `plugin check` runs.
    pub examples: Vec<Example>,
    /// The packets that it is given; `None` for none.
    pub packets: Option<PacketsWanted>,
    /// Whether it is given the MPTCP connections.
    pub connections: bool,
    /// Name as typed.
    pub arguments: Vec<Argument>,
}

/// A worked line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// As typed, for a plot with `plot` in front.
    pub line: String,
    /// Purpose, a phrase.
    pub purpose: String,
}

/// Which packets a plugin is given, and in what form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketsWanted {
    /// Their columns in this order; all when empty.
    pub columns: Vec<String>,
    /// Only those for which this holds; `{name}` stands for the value of an argument.
    pub condition: Option<String>,
    /// The files that are written.
    pub forms: Vec<PacketsForm>,
}

/// A form of the file of packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PacketsForm {
    /// Arrow IPC, for pyarrow, polars and others.
    Arrow,
    /// Comma-separated values, for which no library is needed.
    Csv,
}

impl Entry {
    /// `command` or `plot`.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self.role {
            Role::Command => "command",
            Role::Plot => "plot",
        }
    }
}

pub(super) fn read(mut fields: Fields<'_>, role: Role, source: &Source<'_>) -> Result<Entry, Mistake> {
    let name: String = fields.need("name", A_NAME, |name: &String| is_name(name))?;
    let summary = "a one-line description without a full stop, in quotes";
    let Some(summary) = fields.line("summary", summary)?.map(|text| text.trim_end_matches('.').to_string()) else {
        return Err(fields.wrong(format!("`summary` is missing in `{name}`: it takes {summary}")));
    };
    let examples = "a list of `{ line = \"…\", purpose = \"…\" }`";
    let mut entry = Entry {
        role,
        summary,
        details: fields.paragraphs("details")?.unwrap_or_default().trim().to_string(),
        examples: fields
            .take("examples", examples, |examples: &Vec<Example>| {
                let texts = || examples.iter().flat_map(|example| [&example.line, &example.purpose]);
                !texts().any(|text| text.chars().any(crate::terminal_text::is_unsafe))
            })?
            .unwrap_or_default(),
        packets: None,
        connections: fields.take("connections", "true or false", |_: &bool| true)?.unwrap_or(false),
        arguments: Vec::new(),
        name,
    };
    let taken: &[&str] = if role == Role::Plot { &OF_PLOTS } else { &OF_REPORTS };
    for table in fields.tables("argument", argument::KEYS)? {
        let start = table.offset;
        let argument = argument::read(table, taken)?;
        if entry.arguments.iter().any(|other| other.name == argument.name) {
            return Err(source.wrong(start, format!("two arguments are called `{}`; rename one", argument.name)));
        }
        entry.arguments.push(argument);
    }
    if let Some(table) = fields.table("packets", &["columns", "where", "forms"])? {
        entry.packets = Some(packets(table, &entry.arguments)?);
    }
    Ok(entry)
}

fn packets(mut fields: Fields<'_>, arguments: &[Argument]) -> Result<PacketsWanted, Mistake> {
    let a_list = "a list of column names";
    let wanted = PacketsWanted {
        columns: fields.take("columns", a_list, |_: &Vec<String>| true)?.unwrap_or_default(),
        condition: fields.take("where", "a condition as `dump --where` takes it", |_: &String| true)?,
        forms: fields
            .take("forms", "a list of \"arrow\" and \"csv\"", |forms: &Vec<PacketsForm>| !forms.is_empty())?
            .unwrap_or_else(|| vec![PacketsForm::Arrow]),
    };
    // What has a dot is a Wireshark field that the configuration may add.
    let unknown = wanted.columns.iter().find(|name| !name.contains('.') && schema::find(name).is_none());
    if let Some(name) = unknown {
        let advice = did_you_mean(name, schema::COLUMNS.iter().map(|column| column.name));
        let advice = advice.unwrap_or_else(|| "`columns` lists them all".to_string());
        return Err(fields.wrong(format!("no column `{name}`: {advice}")));
    }
    if let Some(condition) = &wanted.condition {
        let filled = fill_in(condition, |name| {
            let argument = arguments.iter().find(|argument| argument.name == name)?;
            let present = argument.required || argument.default.is_some();
            (argument.kind.is_whole() && present).then(|| "0".to_string())
        });
        let filled = filled.map_err(|name| {
            fields.wrong(format!(
                "`where` has `{{{name}}}`, which is not a whole number or stream that is required or has a default"
            ))
        })?;
        Filter::parse(&filled).map_err(|error| fields.wrong(format!("`where`: {error}")))?;
    }
    Ok(wanted)
}

/// `condition` with each `{name}` replaced.
///
/// # Errors
/// The first name that has no value.
pub(in crate::plugin) fn fill_in(condition: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut filled = String::with_capacity(condition.len());
    let mut rest = condition;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        filled.push_str(before);
        filled.push_str(&value(name).ok_or_else(|| name.to_string())?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}
