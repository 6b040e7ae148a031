//! `map_tcp_connection` and `map_mptcp_connection` without a number: all streams or connections of a capture, a row each.

use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;

use super::limit::Limit;
use super::mapping;
use crate::output::{Cell, Report, Rows, Table};
use mptcp_trace::analysis::mapping::{Counterpart, MptcpMatch, Reason, TcpMatch};
use mptcp_trace::tracking::Capture;
use mptcp_trace::units::several;
use mptcp_trace::{ConnectionId, StreamId};

/// A stream or connection of the first capture, and the one of the second that is the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row<N> {
    /// Number in the first capture.
    pub stream: N,
    /// Number in the second capture; `None` where nothing agrees, or more than one is as likely.
    pub mapped: Option<N>,
    /// Score of the best candidate, infinite (null in JSON) when certain.
    pub score: Option<f64>,
    /// As in the list of candidates.
    pub certain: bool,
    /// As in the list of candidates.
    pub flipped: bool,
    /// Where more than one is as likely: the two best.
    pub candidates: Vec<N>,
    /// Subflows of the connection in the first capture; only of connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subflows: Option<usize>,
    /// Those of them that the counterpart has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subflows_mapped: Option<usize>,
    /// Evidence for and against the best candidate, strongest first.
    pub reasons: Vec<Reason>,
}

impl Row<StreamId> {
    /// Of a TCP stream.
    pub fn of_stream(stream: StreamId, found: Counterpart<TcpMatch>) -> Self {
        let (best, candidates) = parts(found, |one| one.mapped);
        Row {
            stream,
            mapped: best.as_ref().filter(|_| candidates.is_empty()).map(|best| best.mapped),
            score: best.as_ref().map(|best| best.score),
            certain: best.as_ref().is_some_and(|best| best.certain),
            flipped: best.as_ref().is_some_and(|best| best.flipped),
            candidates,
            subflows: None,
            subflows_mapped: None,
            reasons: best.map(|best| best.reasons).unwrap_or_default(),
        }
    }
}

impl Row<ConnectionId> {
    /// Of an MPTCP connection with these subflows.
    pub fn of_connection(connection: ConnectionId, subflows: &[StreamId], found: Counterpart<MptcpMatch>) -> Self {
        let (best, candidates) = parts(found, |one| one.mapped);
        Row {
            stream: connection,
            mapped: best.as_ref().filter(|_| candidates.is_empty()).map(|best| best.mapped),
            score: best.as_ref().map(|best| best.score),
            certain: best.as_ref().is_some_and(|best| best.certain),
            flipped: best.as_ref().is_some_and(|best| best.flipped),
            candidates,
            subflows: Some(subflows.len()),
            subflows_mapped: Some(best.as_ref().map_or(0, |best| best.own_subflows_mapped(subflows))),
            reasons: best.map(|best| best.reasons).unwrap_or_default(),
        }
    }
}

/// The best candidate, and the numbers of those that are as likely.
fn parts<M, N>(found: Counterpart<M>, number: impl Fn(&M) -> N) -> (Option<M>, Vec<N>) {
    match found {
        Counterpart::None => (None, Vec::new()),
        Counterpart::One(best) => (Some(best), Vec::new()),
        Counterpart::Undecided([best, next]) => {
            let numbers = vec![number(&best), number(&next)];
            (Some(best), numbers)
        }
    }
}

/// A row a stream or connection.
const ROWS: Rows = Rows { lists: &[("reasons", &["evidence", "bits", "detail"])], ..Rows::FLAT };

/// The report of `rows`, which are all `what` (a plural) of the first capture; `there` are those of the second.
pub fn report<N>(rows: Vec<Row<N>>, there: &[N], what: &str, captures: [&Capture; 2], verbose: bool) -> Report
where
    N: Copy + Eq + Hash + Serialize + Into<u64> + Send + Sync + 'static,
{
    let names = mapping::names(captures[0], captures[1]);
    let notes = notes(&rows, there, what, &names);
    // Those in doubt matter most.
    let doubt = |index: usize, _: &[Cell]| rows.get(index).map(|row| (row.mapped.is_none(), !row.certain));
    let table = Limit::unless_verbose(verbose).cut(table(&rows, what, &names), "with a counterpart", doubt);
    Report::new(&rows, vec![table]).with_records(records(&rows)).complete(&ROWS).with_notes(notes)
}

fn notes<N: Copy + Eq + Hash + Into<u64>>(
    rows: &[Row<N>],
    there: &[N],
    what: &str,
    names: &[String; 2],
) -> Vec<String> {
    let [first, second] = names;
    let mut times: HashMap<N, usize> = HashMap::new();
    for mapped in rows.iter().filter_map(|row| row.mapped) {
        let times = times.entry(mapped).or_default();
        *times = times.saturating_add(1);
    }
    let those = |picked: &dyn Fn(Option<usize>) -> bool| -> Vec<u64> {
        there.iter().filter(|number| picked(times.get(number).copied())).map(|number| (*number).into()).collect()
    };
    let mut notes = Vec::new();
    let alone = those(&|times| times.is_none());
    if !alone.is_empty() {
        notes.push(format!("of {second}, no counterpart in {first}: {what} {}", several(&alone)));
    }
    let shared = those(&|times| times > Some(1));
    if !shared.is_empty() {
        notes.push(format!("of {second}, counterpart of more than one in {first}: {what} {}", several(&shared)));
    }
    notes
}

fn number<N: Copy + Into<u64>>(number: Option<N>) -> Cell {
    number.map_or(Cell::Null, |number| Cell::Integer(number.into().into()))
}

fn table<N: Copy + Into<u64>>(rows: &[Row<N>], what: &str, names: &[String; 2]) -> Table {
    let with_subflows = rows.iter().any(|row| row.subflows.is_some());
    let with_flipped = rows.iter().any(|row| row.flipped);
    let mut columns = vec![("stream", "stream"), ("mapped", "mapped"), ("score", "score")];
    columns.extend(with_subflows.then_some(("subflows", "subflows\nmapped")));
    columns.push(("reasons", "reasons"));
    columns.extend(with_flipped.then_some(("flipped", "flipped")));
    let [first, second] = names;
    let mut table = Table::headed(&columns).titled(format!("All {what} of {first} in {second}"));
    for row in rows {
        let mut cells = vec![number(Some(row.stream)), number(row.mapped), row.score.map_or(Cell::Null, Cell::Number)];
        cells.extend(row.subflows.zip(row.subflows_mapped).map(|(all, mapped)| Cell::Text(format!("{mapped}/{all}"))));
        let numbers: Vec<String> = row.candidates.iter().map(|number| (*number).into().to_string()).collect();
        cells.push(match numbers.as_slice() {
            [] => mapping::named(&row.reasons),
            numbers => Cell::Text(format!("as likely: {}", numbers.join(", "))),
        });
        cells.extend(with_flipped.then_some(Cell::Boolean(row.flipped)));
        table.rows.push(cells);
    }
    table
}

fn records<N: Copy + Into<u64>>(rows: &[Row<N>]) -> Table {
    let mut table = Table::new(&["stream", "mapped", "score", "certain", "flipped", "reasons"]);
    for row in rows {
        table.rows.push(vec![
            number(Some(row.stream)),
            number(row.mapped),
            row.score.map_or(Cell::Null, Cell::Number),
            Cell::Boolean(row.certain),
            Cell::Boolean(row.flipped),
            mapping::flat(&row.reasons),
        ]);
    }
    table
}
