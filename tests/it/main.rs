//! Integration tests: one binary, for each binary links polars.

mod config;
