//! The integration tests, one binary because each one links polars. Grouped as the rooms of `src` are.

mod analysis;
mod commands;
mod dataset;
mod docs;
mod packets;
mod plots;
mod plugin;
mod shell;
mod support;
mod tracking;
