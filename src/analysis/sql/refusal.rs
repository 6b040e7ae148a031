//! Errors of polars about a query, as one helpful sentence.

use super::Relation;
use crate::error::Error;
use crate::nearest::did_you_mean;
use crate::terminal_text::escape;

/// The error for what polars `said`; `columns` are those of the tables that the query names.
pub fn refused(said: &str, columns: &[String]) -> Error {
    if let Some(name) = quoted(said, "unable to find column \"", '"') {
        return unknown("column", name, columns.iter().map(String::as_str));
    }
    if let Some(name) = quoted(said, "relation '", '\'') {
        return unknown("table", name, Relation::ALL.into_iter().map(Relation::name));
    }
    if said.contains("2^32") {
        return Error::Failed("the query makes more than 2^32 intermediate rows; simplify it".to_string());
    }
    // Its plan, and advice for those who write programs with it, follow on further lines.
    let sentence = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it cannot be read");
    Error::Usage(format!("the query cannot be answered: {}; see `help sql`", escape(sentence)))
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Error {
    let guess = did_you_mean(name, known).map_or_else(String::new, |guess| format!("{guess} "));
    Error::NotFound(format!("no {what} `{}`: {guess}`sql` alone lists tables and their columns", escape(name)))
}

fn quoted<'a>(text: &'a str, before: &str, after: char) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(name, _)| name)
}
