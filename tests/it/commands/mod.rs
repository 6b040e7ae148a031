//! What commands say, and what can be set.

pub mod captures;
pub mod config;
pub mod csv_columns;
pub mod examples_run;
pub mod generated;
pub mod live;
pub mod live_namespaces;
mod same_columns;
pub mod settings;
pub mod summaries_of_all;
mod typed_tables;
mod units;
mod what_is_wrong;
