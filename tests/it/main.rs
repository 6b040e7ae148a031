//! The integration tests, one binary: each one links polars, and linking takes longer than testing.

mod examples_run;
mod program;
mod prompt;
mod run_modes;
