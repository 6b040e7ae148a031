//! Multipath TCP in packet captures.
//!
//! The data flows one way, and imports run the other:
//!
//! ```text
//! capture file ─▶ packets ─▶ tracking ─▶ analysis
//! ```
//!
//! - [`packets`]: from a capture file to one [`packets::segment::Segment`] per TCP packet, with its MPTCP options.
//! - [`tracking`]: what the packets mean together: TCP streams, roles, MPTCP connections and their subflows,
//!   64-bit data sequence numbers.
//! - [`analysis`]: one question a file; the tracked capture in, a typed value out; no printing, no files.

// Nothing that a capture or a person can make fail may panic; tests may.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable,
        clippy::todo
    )
)]

pub mod analysis;
pub mod capture_format;
pub mod error;
mod ids;
pub mod interrupt;
pub mod memory;
pub mod packets;
pub mod reading;
pub mod tracking;
pub mod units;

pub use error::{Error, ReadError, Result};
pub use ids::{ConnectionId, Id, IdVec, StreamId};
pub use tracking::{Stream, Tracking};
