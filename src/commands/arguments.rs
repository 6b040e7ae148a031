//! Arguments that several commands take, so that they are named and explained once.

use clap::{Arg, ArgMatches, value_parser};

use crate::error::{Error, Result};
use crate::tracking::Role;

/// `tcpstream`: the number of a TCP stream.
pub fn tcp_stream() -> Arg {
    Arg::new("tcpstream")
        .value_name("TCPSTREAM")
        .required(true)
        .value_parser(stream_number)
        .help("Number of the TCP stream, as `list_tcp_connections` shows it (Wireshark's tcp.stream)")
}

/// `mptcpstream`: the number of an MPTCP connection.
pub fn mptcp_stream() -> Arg {
    Arg::new("mptcpstream")
        .value_name("MPTCPSTREAM")
        .required(true)
        .value_parser(stream_number)
        .help("Number of the MPTCP connection, as `list_mptcp_connections` shows it (Wireshark's mptcp.stream)")
}

/// A stream's number as typed.
fn stream_number(text: &str) -> std::result::Result<u32, &'static str> {
    text.parse().map_err(|_| "streams have numbers, from 0 on")
}

/// `--towards server|client`.
pub fn towards() -> Arg {
    Arg::new("towards")
        .long("towards")
        .value_name("ROLE")
        .value_parser(value_parser!(Role))
        .help("Only the direction towards this end")
}

/// The value of a required number.
///
/// # Errors
/// [`Error::Usage`] when it is missing, which clap does not let happen.
pub fn number(arguments: &ArgMatches, name: &str) -> Result<u32> {
    arguments.get_one::<u32>(name).copied().ok_or_else(|| Error::Usage(format!("`{name}` is missing")))
}

/// The direction asked for with `--towards`.
#[must_use]
pub fn role(arguments: &ArgMatches) -> Option<Role> {
    arguments.get_one::<Role>("towards").copied()
}
