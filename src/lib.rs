//! mptcpanalyzer: analyze Multipath TCP packet captures.
//!
//! The core crate [`mptcp_trace`] dissects, tracks and analyzes. This crate wraps it: tables, tshark, diagnosis, plots,
//! commands and the shell. The data flows one way, and imports run the other:
//!
//! ```text
//! packets ─▶ analysis ─▶ arguments ─▶ plots ─▶ plugin ─▶ commands ─▶ shell
//!                            drawing ───┘
//! ```
//!
//! - [`packets`]: captures as the program loads them, by either dissector, from the cache or from an exported table.
//! - [`analysis`]: diagnosis, conditions, selection and SQL: questions that need tables or name commands.
//! - [`arguments`]: arguments that several commands and plots share, and where they get captures from.
//! - [`plots`]: one plot per file, one line each in [`plots::registry`].
//! - [`drawing`]: draws any [`drawing::figure::Figure`], the content of a plot. It knows nothing of MPTCP.
//! - [`output`]: the only place that turns a value into a table for people, JSON, NDJSON or CSV.
//! - [`plugin`]: commands and plots from other programs, as processes.
//! - [`commands`]: one command per file, one line each in [`commands::registry`].
//! - [`shell`]: the prompt, scripts and single commands, all through one executor.
//!
//! All other modules are leaves that every room may use.

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
mod column_facts;
pub mod commands;
pub mod config;
pub mod dataset;
pub mod decimal;
pub mod delimiter;
pub mod described;
pub mod drawing;
pub mod error;
pub mod locale;
pub mod nearest;
pub mod output;
pub mod packets;
pub mod plots;
pub mod plugin;
pub mod quoting;
mod roomy;
pub mod shell;
pub mod spreadsheet;
pub mod studies;
pub mod temporary;
pub mod terminal_text;
pub mod time_text;
pub mod toml_file;
pub mod whole_file;
