//! Many captures as one dataset: Parquet tables with a row per connection, direction, subflow and so on, of all captures.
//!
//! ```text
//! DATASET/_dataset.json                    says that this is one, and of which version
//! DATASET/TABLE/part-CAPTURE.parquet       the rows of one capture
//! DATASET/TABLE/schema.parquet             no rows: the columns, also where no capture has any
//! DATASET/TABLE/compact-HASH.parquet       the rows of many captures
//! DATASET/_work/                           files under way
//! DATASET/_lock                            locked by who uses the dataset
//! ```
//!
//! [`tables`] is the list of tables, [`input`] finds the captures, [`run`] has them analyzed by processes that do one after
//! the other ([`worker`]) and write the parts. The part of `captures` is written last: it says that the others are there. So
//! any number of processes may do the same capture, and whatever is killed leaves nothing that a reader takes for a
//! result.

pub mod analyzed;
pub mod column;
pub mod compact;
pub mod documentation;
pub mod input;
pub mod labels;
pub mod layout;
pub mod marks;
mod meanwhile;
mod part;
pub mod parts;
mod plain_parquet;
pub mod process;
pub mod read;
pub mod run;
mod table_rows;
pub mod tables;
pub mod task;
mod twice;
pub mod verify;
pub mod worker;

/// Version of the tables. It changes when a column changes its meaning; further columns do not change it.
pub const SCHEMA_VERSION: u64 = 2;

/// Version of the program.
pub const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");
