//! mptcpanalyzer: what a packet capture says about Multipath TCP.
//!
//! The data flows one way, and imports run the other:
//!
//! ```text
//! capture file ─▶ packets ─▶ tracking ─▶ analysis ─▶ commands ─▶ shell
//! ```
//!
//! - [`packets`]: from a capture file to one [`packets::segment::Segment`] per TCP packet, with its MPTCP options,
//!   and the table of the same; the cache that keeps it.
//! - [`tracking`]: what the packets mean together: TCP streams, roles, MPTCP connections and their subflows,
//!   64-bit data sequence numbers.
//! - [`analysis`]: one question a file; the tracked capture in, a typed value out; no printing, no files.
//! - [`arguments`]: arguments that several commands and plots take, and where they get captures from.
//! - [`plots`]: one plot a file, one line each in [`plots::registry`]; a [`plots::figure::Figure`] is what a plot shows,
//!   apart from how it is drawn.
//! - [`output`]: the one place that turns a value into a table for people, JSON, NDJSON or CSV.
//! - [`plugin`]: commands and plots from outside, as processes.
//! - [`commands`]: one command a file, one line each in [`commands::registry`].
//! - [`shell`]: the prompt, scripts and single commands, all through one executor.
//! - [`capture_format`], [`children`], [`cli`], [`config`], [`delimiter`], [`described`], [`error`], [`interrupt`], [`memory`], [`nearest`], [`quoting`], [`reading`],
//!   [`spreadsheet`], [`temporary`], [`terminal_text`], [`time_text`], [`toml_file`], [`units`], [`whole_file`]: leaves that all may use.

// Nothing that a capture or a person can make fail may panic; tests may.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable,
        clippy::todo
    )
)]

pub mod analysis;
pub mod arguments;
pub mod children;
pub mod cli;
pub mod commands;
pub mod config;
pub mod delimiter;
pub mod described;
pub mod error;
pub mod locale;
pub mod nearest;
pub mod output;
pub mod packets;
pub mod plots;
pub mod plugin;
pub mod quoting;
pub mod shell;
pub mod spreadsheet;
pub mod temporary;
pub mod terminal_text;
pub mod time_text;
pub mod toml_file;
pub mod whole_file;
