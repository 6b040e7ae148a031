//! All integration tests in one binary: each binary links polars.

mod export;
mod output;
