//! The integration tests, one binary because each one links polars.

mod cache;
mod capture_file;
mod captures;
mod config;
mod dsn;
mod examples_run;
mod kernel;
mod program;
mod prompt;
mod properties;
mod run_modes;
mod scenarios;
mod truth;
mod wireshark;
