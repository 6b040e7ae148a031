//! Arguments that several studies take, so that they are named and explained once.

use clap::{Arg, ArgMatches, value_parser};

use crate::arguments;

/// `--min-bytes`: what carried less is left out.
#[must_use]
pub fn min_bytes(what: &str, default: &'static str) -> Arg {
    number("min_bytes", "min-bytes", "BYTES", default).help(format!("Leave out {what} with less goodput"))
}

/// `--max-bytes`: what carried more is left out.
#[must_use]
pub fn max_bytes(what: &str, default: &'static str) -> Arg {
    number("max_bytes", "max-bytes", "BYTES", default).help(format!("Leave out {what} with more goodput"))
}

/// `--min-samples`: means of fewer round trips are left out.
#[must_use]
pub fn min_samples(default: &'static str) -> Arg {
    number("min_samples", "min-samples", "N", default).help("Leave out means of fewer round trip times")
}

/// `--min-subflows`: connections with fewer are left out.
#[must_use]
pub fn min_subflows(what: &str, default: &'static str) -> Arg {
    number("min_subflows", "min-subflows", "N", default).help(format!("Leave out connections with fewer {what}"))
}

/// `--most`: so many of a list.
#[must_use]
pub fn most() -> Arg {
    number("most", "most", "N", "20").help("Show so many, those with most connections")
}

/// A whole number with a default.
fn number(id: &'static str, long: &'static str, value: &'static str, default: &'static str) -> Arg {
    Arg::new(id).long(long).value_name(value).value_parser(value_parser!(u32)).default_value(default)
}

/// The value of such a number.
#[must_use]
pub fn value(arguments: &ArgMatches, id: &str) -> f64 {
    arguments.get_one::<u32>(id).copied().map_or(0.0, f64::from)
}

/// `--towards server|client`.
#[must_use]
pub fn towards() -> Arg {
    arguments::towards().help("Only the direction towards this end; by default both")
}

/// Whether a row of the direction `towards` is wanted.
#[must_use]
pub fn wants(arguments: &ArgMatches, towards: Option<&str>) -> bool {
    arguments::role(arguments).is_none_or(|role| towards == Some(role.name()))
}

/// The place of a direction among `to server`, `to client`.
#[must_use]
pub fn direction(towards: Option<&str>) -> Option<usize> {
    ["server", "client"].iter().position(|name| towards == Some(name))
}

/// Names of the directions, as [`direction`] numbers them.
pub const DIRECTIONS: [&str; 2] = ["to server", "to client"];
