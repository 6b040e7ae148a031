//! The integration tests, one binary because each one links polars.

mod cache;
mod capture_file;
mod captures;
mod config;
mod scenarios;
mod truth;
mod wireshark;
