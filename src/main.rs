//! The `mptcpanalyzer` program.

fn main() {}
