//! What the targets demand of what they feed.

mod everything;
mod frames;
mod sums;

pub use everything::ask_everything;
pub use frames::{MPTCP, RAW_IP, check_frame, ipv4};
pub use sums::{check_connection, check_sums};
