//! The integration tests, one binary because each one links polars.

mod bad_input;
mod bad_tshark;
mod cache;
mod cache_use;
mod capture_file;
mod config;
mod dsn;
mod examples_run;
mod export;
mod hostile_names;
mod kernel;
mod life;
mod loaded_prompt;
mod made;
mod out_of_order;
mod output;
mod program;
mod prompt;
mod rtt;
mod run_modes;
mod scenarios;
mod three_modes;
mod transcripts;
mod truth;
mod wireshark;
