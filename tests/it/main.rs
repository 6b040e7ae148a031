//! The integration tests, one binary because each one links polars.

mod cache;
mod capture_file;
mod captures;
mod config;
mod dsn;
mod examples_run;
mod export;
mod kernel;
mod life;
mod out_of_order;
mod output;
mod program;
mod prompt;
mod rtt;
mod run_modes;
mod scenarios;
mod truth;
mod wireshark;
