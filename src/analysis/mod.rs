//! Questions that need the packet table, or whose answers are sentences of this program. All others are
//! [`mptcp_trace::analysis`].

pub mod checksums;
pub mod diagnose;
pub mod filter;
mod merged_table;
pub mod selection;
pub mod sql;
pub mod topology;

pub use merged_table::merged_table;
