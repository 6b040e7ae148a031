//! Columns and cells that several tables of streams and connections have.

use crate::output::Cell;
use mptcp_trace::StreamId;
use mptcp_trace::tracking::Role;

/// Name and heading of a column of goodput for each direction, or for the one that is asked for.
pub fn goodput_columns(towards: Option<Role>) -> impl Iterator<Item = (&'static str, &'static str)> {
    let shown = Role::BOTH.into_iter().filter(move |role| towards.is_none_or(|wanted| wanted == *role));
    shown.map(|role| match role {
        Role::Server => ("goodput_to_server", "goodput\nto server"),
        Role::Client => ("goodput_to_client", "goodput\nto client"),
    })
}

/// A stream's numbers in both captures, for people.
pub fn streams(first: StreamId, second: StreamId) -> Cell {
    Cell::Text(format!("{first}:{second}"))
}

/// A number that may be missing.
pub fn optional<N: Into<u64>>(number: Option<N>) -> Cell {
    number.map_or(Cell::Null, |number| Cell::Integer(number.into().into()))
}
