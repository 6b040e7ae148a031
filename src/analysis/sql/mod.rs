//! What no command answers: a query over the packets and what was worked out from them.
//!
//! [`Relation`] lists the tables; [`query`] is given a way to get them, so that only those are made that a query names.

mod column;
mod connections;
mod packets;
mod refusal;
mod reinjections;
mod relation;
mod subflows;

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use polars::prelude::{DataFrame, IntoLazy, LazyFrame, PolarsResult};
use polars::sql::{SQLContext, extract_table_identifiers};

use refusal::refused;
pub use relation::Relation;

use crate::error::{Error, Result};
use crate::interrupt;
use crate::packets::exported::contain;

/// Words that a query may begin with: those that ask, and change nothing.
const ASKING: [&str; 4] = ["select", "with", "values", "("];

/// How often the Ctrl-C key is looked at.
const PULSE: Duration = Duration::from_millis(20);

/// A table that a query names.
#[derive(Debug, Clone)]
pub enum Named {
    /// Here it is.
    Table(DataFrame),
    /// There is none of that name; maybe the query defines it itself.
    Unknown,
}

/// Answers `text`, a query in polars' SQL. `find` is asked once for each name in it that may be a table.
///
/// # Errors
/// One sentence on what is wrong with the query; what `find` fails with; [`Error::Interrupted`].
pub fn query(text: &str, mut find: impl FnMut(&str) -> Result<Named>) -> Result<DataFrame> {
    let first = text.trim_start().to_lowercase();
    if !ASKING.iter().any(|word| first.starts_with(word)) {
        return Err(Error::Usage("`sql` answers queries that begin with SELECT or WITH; see `help sql`".to_string()));
    }
    let names = contain(|| extract_table_identifiers(text, false, true)).ok_or_else(beyond)?;
    let context = SQLContext::new();
    let mut columns: Vec<String> = Vec::new();
    for name in names.map_err(|error| refused(&error, &[]))? {
        if let Named::Table(table) = find(&name)? {
            columns.extend(table.columns().iter().map(|column| column.name().to_string()));
            context.register(&name, table.lazy());
        }
    }
    let text = text.to_string();
    let asked = contain(move || {
        let mut context = context;
        context.execute(&text)
    });
    let asked = asked.ok_or_else(beyond)?.map_err(|error| refused(&error, &columns))?;
    collect(asked)?.map_err(|error| refused(&error, &columns))
}

/// Works the answer out in a thread of its own. On Ctrl-C that thread is left to itself, for polars cannot be stopped
/// amid an operation: it ends with what it is at, and its answer is thrown away.
fn collect(asked: LazyFrame) -> Result<PolarsResult<DataFrame>> {
    let (sender, receiver) = channel();
    let work = move || {
        let _ = sender.send(contain(move || asked.collect()));
    };
    let spawned = thread::Builder::new().name("polars query".to_string()).spawn(work);
    spawned.map_err(|error| Error::Failed(format!("no thread can be started for the query: {error}")))?;
    loop {
        interrupt::check()?;
        match receiver.recv_timeout(PULSE) {
            Ok(answer) => return answer.ok_or_else(beyond),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(beyond()),
        }
    }
}

/// Where polars gives up without saying why.
fn beyond() -> Error {
    Error::Failed("the query is beyond what polars' SQL can do; ask for less at once".to_string())
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

    #[test]
    fn a_query_asks_tables_and_its_own() {
        let answer = query("SELECT odd, SUM(n) AS sum FROM numbers GROUP BY odd ORDER BY odd", numbers).unwrap();
        assert_eq!(answer, df!("odd" => [false, true], "sum" => [2_i64, 4]).unwrap());
        let own = "with big as (select n from numbers where n > 1) select count(*) as count from big";
        assert_eq!(query(own, numbers).unwrap(), df!("count" => [2_u32]).unwrap());
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
        ] {
            let said = query(text, numbers).unwrap_err().to_string();
            assert!(said.to_lowercase().contains(&part.to_lowercase()) && !said.contains('\n'), "{text}: {said}");
        }
    }
}
