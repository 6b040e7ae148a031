//! SQL queries over the packets and everything derived from them.
//!
//! [`Relation`] lists the tables; [`query`] is given a way to get them, so that only those are made that a query names.

mod column;
mod connections;
mod exponents;
mod packets;
mod refusal;
mod reinjections;
mod relation;
mod subflows;
pub mod worker;

use std::thread;

use polars::prelude::DataFrame;
use polars::sql::extract_table_identifiers;

use refusal::refused;
pub use relation::Relation;
use worker::Refusal;

use crate::error::{Error, Result};
use crate::packets::exported::contain;
use crate::packets::schema;

/// Words that a query may begin with: those that ask, and change nothing.
const ASKING: [&str; 4] = ["select", "with", "values", "("];

/// A longer query is not read, in bytes: reading one goes as deep as it is long.
const LONGEST: usize = 64 << 10;

/// More branches of CASE than this take polars minutes to plan.
const BRANCHES: usize = 200;

/// Stack of a thread that reads, plans or answers a query, in bytes: polars follows expressions in depth.
const STACK: usize = 256 << 20;

/// Limits of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows of its answer.
    pub rows: u64,
    /// Memory for its work, in bytes.
    pub memory: u64,
}

/// A table that a query names.
#[derive(Debug, Clone)]
pub enum Named {
    /// Here it is.
    Table(DataFrame),
    /// There is none of that name; maybe the query defines it itself.
    Unknown,
}

/// The names that a query may mean, for suggestions.
#[derive(Debug, Clone)]
pub struct Names {
    /// The tables.
    pub tables: Vec<&'static str>,
    /// Columns beside those of the tables that the query names.
    pub columns: Vec<&'static str>,
    /// What lists them, as the user types it.
    pub listed_by: String,
}

impl Names {
    /// Those of the packets of a capture, and of everything derived from them.
    #[must_use]
    pub fn of_captures() -> Self {
        Names {
            tables: Relation::ALL.into_iter().map(Relation::name).collect(),
            columns: schema::COLUMNS.iter().map(|column| column.name).collect(),
            listed_by: "sql".to_string(),
        }
    }
}

/// Answers `text`, a query in polars' SQL. `find` is asked once for each name in it that may be a table.
///
/// # Errors
/// One sentence on what is wrong with the query; what `find` fails with; [`Error::Interrupted`].
pub fn query(
    text: &str,
    limits: Limits,
    known: &Names,
    mut find: impl FnMut(&str) -> Result<Named>,
) -> Result<DataFrame> {
    let first = text.trim_start().to_lowercase();
    if !ASKING.iter().any(|word| first.starts_with(word)) {
        let sentence = "not a query: it must begin with SELECT, WITH or VALUES; see `help sql`";
        return Err(Error::Usage(sentence.to_string()));
    }
    if text.len() > LONGEST {
        return Err(Error::Usage("the query is longer than 64 KiB; split it into smaller ones".to_string()));
    }
    if first.split(|character: char| !character.is_alphanumeric()).filter(|word| *word == "when").count() > BRANCHES {
        let sentence = "the query has more than 200 branches of CASE (WHEN); join a table of values instead";
        return Err(Error::Usage(sentence.to_string()));
    }
    let written_out = exponents::written_out(text);
    let text = written_out.as_ref();
    // A table has only the columns that the query means; a mistyped name is near to one of any.
    let mut columns: Vec<String> = known.columns.iter().map(ToString::to_string).collect();
    let mut tables = Vec::new();
    for name in names(text, known)? {
        if let Named::Table(table) = find(&name)? {
            columns.extend(table.columns().iter().map(|column| column.name().to_string()));
            tables.push((name, table));
        }
    }
    worker::answer(text, tables, limits).map_err(|refusal| match refusal {
        Refusal::Said(said) => refused(&said, &columns, known),
        Refusal::Other(error) => error,
    })
}

/// The names in a query that may be tables.
fn names(text: &str, known: &Names) -> Result<Vec<String>> {
    let text = text.to_string();
    let read = move || {
        let names = contain(|| extract_table_identifiers(&text, false, true))?;
        Some(names.map(|names| names.into_iter().collect()).map_err(|error| error.to_string()))
    };
    let thread = thread::Builder::new().name("polars query".to_string()).stack_size(STACK).spawn(read);
    let thread = thread.map_err(|error| Error::Failed(format!("cannot start a thread for the query: {error}")))?;
    let read: Option<std::result::Result<Vec<String>, String>> = thread.join().ok().flatten();
    let unreadable = || Error::Usage("cannot parse the query; see `help sql`".to_string());
    read.ok_or_else(unreadable)?.map_err(|said| refused(&said, &[], known))
}

#[cfg(test)]
mod tests {
    use polars::prelude::*;

    use super::*;

    fn numbers(name: &str) -> Result<Named> {
        let there = name == "numbers";
        Ok(if there {
            Named::Table(df!("n" => [1_i64, 2, 3], "odd" => [true, false, true]).unwrap())
        } else {
            Named::Unknown
        })
    }

    fn query_of(text: &str) -> Result<DataFrame> {
        query(text, Limits { rows: 1000, memory: 1 << 30 }, &Names::of_captures(), numbers)
    }

    #[test]
    fn a_query_asks_tables_and_its_own() {
        let answer = query_of("SELECT odd, SUM(n) AS sum FROM numbers GROUP BY odd ORDER BY odd").unwrap();
        assert_eq!(answer, df!("odd" => [false, true], "sum" => [2_i64, 4]).unwrap());
        let large = query_of("SELECT COUNT(*) AS count FROM numbers WHERE n * 1e6 >= 2e6").unwrap();
        assert_eq!(large, df!("count" => [2_u32]).unwrap());
        let own = "with big as (select n from numbers where n > 1) select count(*) as count from big";
        assert_eq!(query_of(own).unwrap(), df!("count" => [2_u32]).unwrap());
    }

    #[test]
    fn what_is_wrong_is_one_sentence() {
        for (text, part) in [
            ("SELECT * FROM others", "others"),
            ("SELECT m FROM numbers", "m"),
            ("SELECT FROM WHERE", "WHERE"),
            ("DROP TABLE numbers", "SELECT"),
            ("SELECT NO_SUCH_FUNCTION(n) FROM numbers", "no_such_function"),
            ("SELECT * FROM read_csv('/etc/passwd')", "read_csv"),
            ("SELECT AVG(n), MAX(n) FROM numbers", "would both be called `n`; name them with AS"),
        ] {
            let said = query_of(text).unwrap_err().to_string();
            assert!(said.to_lowercase().contains(&part.to_lowercase()) && !said.contains('\n'), "{text}: {said}");
        }
    }
}
