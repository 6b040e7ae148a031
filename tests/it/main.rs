//! The integration tests, one binary because each one links polars.

mod scenarios;
mod truth;
mod wireshark;
