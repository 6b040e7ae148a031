//! Integration tests: one binary, for each binary links polars.

mod cache;
mod capture_file;
mod captures;
mod config;
