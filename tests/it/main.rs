//! The integration tests, one binary because each one links polars.

mod cache;
mod capture_file;
mod captures;
mod config;
mod examples_run;
mod export;
mod life;
mod output;
mod program;
mod prompt;
mod run_modes;
mod scenarios;
mod truth;
mod wireshark;
