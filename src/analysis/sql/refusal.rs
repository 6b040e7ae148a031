//! Errors of polars about a query, as one helpful sentence.

use super::Names;
use crate::error::Error;
use crate::nearest::did_you_mean;
use crate::terminal_text::escape;

/// The error for what polars `said`; `columns` are those of the tables that the query names.
pub fn refused(said: &str, columns: &[String], known: &Names) -> Error {
    if let Some(name) = quoted(said, "unable to find column \"", '"') {
        return unknown("column", name, columns.iter().map(String::as_str), known);
    }
    if let Some(name) = quoted(said, "relation '", '\'') {
        return unknown("table", name, known.tables.iter().copied(), known);
    }
    // polars gives what a function makes of a column the name of the column.
    if let Some(name) = quoted(said, "duplicate output name '", '\'') {
        let name = escape(name);
        return Error::Failed(format!(
            "two columns of the answer would both be called `{name}`; name them with AS, as in `AVG({name}) AS mean`"
        ));
    }
    if said.contains("2^32") {
        return Error::Failed("the query makes more than 2^32 intermediate rows; simplify it".to_string());
    }
    // Its plan, and advice for those who write programs with it, follow on further lines.
    let sentence = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it cannot be read");
    Error::Usage(format!("the query cannot be answered: {}; see `help sql`", escape(sentence)))
}

fn unknown<'a>(what: &str, name: &str, near: impl Iterator<Item = &'a str>, known: &Names) -> Error {
    let guess = did_you_mean(name, near).map_or_else(String::new, |guess| format!("{guess} "));
    let (name, listed_by) = (escape(name), &known.listed_by);
    Error::NotFound(format!("no {what} `{name}`: {guess}`{listed_by}` alone lists tables and their columns"))
}

fn quoted<'a>(text: &'a str, before: &str, after: char) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(name, _)| name)
}
