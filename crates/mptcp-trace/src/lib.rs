//! Multipath TCP in packet captures: connections, subflows, data sequence numbers, reinjections.
//!
//! Start with [`Capture::open`], which reads a pcap or pcapng file and tracks what is in it. Then ask it one of the
//! questions in [`analysis`]: each takes the capture, and returns a value that serialises. Nothing is printed.
//!
//! ```
//! use mptcp_trace::analysis::mptcp_summary::mptcp_summary;
//! use mptcp_trace::{Capture, Role};
//!
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/two_paths.pcapng");
//! # if !std::path::Path::new(path).is_file() { return Ok(()); } // not part of the package
//! let capture = Capture::open(path)?;
//! for connection in capture.tracking.whole_connections() {
//!     println!("connection {}", connection.id);
//!     for id in &connection.subflows {
//!         let stream = capture.tcp_stream(*id)?;
//!         println!("  subflow {id}: {} -> {}", stream.endpoint(Role::Client), stream.endpoint(Role::Server));
//!     }
//!     for direction in mptcp_summary(&capture, connection).directions {
//!         let (bytes, rate) = (direction.goodput_bytes, direction.rate.unwrap_or_default());
//!         println!("  {bytes} bytes towards the {}, {rate:.0} bytes per second", direction.towards.name());
//! #       if direction.towards == Role::Server { assert_eq!(direction.goodput_bytes, 800_040); }
//!     }
//! }
//! # Ok::<(), mptcp_trace::Error>(())
//! ```
//!
//! `examples/goodput.rs` is a whole program.
//!
//! The data flows one way, and imports run the other:
//!
//! ```text
//! capture file ─▶ packets ─▶ tracking ─▶ analysis
//! ```
//!
//! - [`packets`]: from a capture file to one [`Segment`] per TCP packet, with its MPTCP options.
//! - [`tracking`]: what the packets mean together: TCP [`Stream`]s, [`Role`]s, MPTCP [`Connection`]s and their
//!   [`Subflow`]s, 64-bit data sequence numbers.
//! - [`analysis`]: one question per module, which begins with that question.
//!
//! Numbers of streams and connections are Wireshark's. Of each [`Connection`], `whole_connections` gives those that are
//! not part of another; most analyses take one of them. Times are seconds in results, and [`Instant`] and [`Span`] before.
//!
//! The small modules beside them: [`interrupt`] stops long work, [`memory`] bounds it, [`parallel`] shares it among
//! processors, [`reading`] opens files and pipes, [`capture_format`] tells captures from other files, [`units`] writes numbers for people. [`Instant`] and
//! [`Span`] are times.

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

mod address_labels;
pub mod analysis;
pub mod capture_format;
mod error;
mod ids;
pub mod interrupt;
pub mod memory;
pub mod packets;
pub mod parallel;
pub mod reading;
mod time;
pub mod tracking;
pub mod units;

pub use address_labels::AddressLabels;
pub use error::{Error, Numbered, ReadError, Result};
pub use ids::{ConnectionId, Id, IdVec, PacketRow, StreamId};
pub use interrupt::Interrupted;
pub use packets::segment::{Fields, Segment, Segments};
pub use packets::{CaptureFacts, Dissection, Packets};
pub use time::{Instant, Span};
pub use tracking::{
    ByRole, Capture, Connection, Endpoint, PointOfView, Role, Stream, Subflow, SubflowKind, Tracking, track,
};
