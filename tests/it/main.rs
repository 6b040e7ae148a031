//! The integration tests, one binary because each one links polars.

mod cache;
mod capture_file;
mod config;
mod examples_run;
mod made;
mod program;
mod prompt;
mod run_modes;
mod scenarios;
mod transcripts;
mod truth;
mod wireshark;
