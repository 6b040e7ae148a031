//! Questions asked of a tracked capture, one per file: typed values out, no printing, no files.

pub mod ack_marks;
pub mod ack_sizes;
pub mod acknowledged;
pub mod address_signals;
pub mod addresses;
pub mod aggregation_benefit;
pub mod availability;
pub mod bursts;
pub mod capture_point;
pub mod checksum;
pub mod clock;
pub mod closing;
pub mod congestion_window;
pub mod connection_pair;
pub mod data_course;
pub mod distribution;
pub mod events;
pub mod fallback;
mod fallback_cause;
pub mod flight;
pub mod handovers;
pub mod handshakes;
pub mod idle_gaps;
pub mod interarrival;
pub mod irregular;
pub mod joins;
pub mod live;
pub mod loss;
pub mod mapping;
pub mod mapping_lengths;
pub mod merge;
pub mod mptcp_connections;
pub mod mptcp_summary;
pub mod one_sided;
pub mod one_way_delays;
pub mod option_loss;
pub mod out_of_order;
pub mod qualify_reinjections;
pub mod rates;
pub mod receive_window;
pub mod refusals;
pub mod reinjections;
pub mod removals;
pub mod requests;
pub mod required_buffer;
pub mod reset_ttl;
pub mod retransmissions;
pub mod retransmitted;
pub mod rtt;
pub mod scheduler;
pub mod sender_view;
mod sent_times;
pub mod setup;
pub mod standstill;
pub mod subflow_courses;
pub mod subflows;
pub mod summary_extended;
pub mod tcp_connections;
pub mod tcp_summary;
pub mod traffic;
pub mod unseen;
pub mod volume;

use serde::{Serialize, Serializer};

/// Writes keys as `0x` and 16 lower-case hexadecimal digits: JSON numbers lose precision beyond 2^53.
fn hexadecimal_u64<S: Serializer>(value: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(|value| format!("0x{value:016x}")).serialize(serializer)
}

/// Writes tokens as `0x` and 8 lower-case hexadecimal digits, so that none is read as a number: `091e2980` would be infinity.
fn hexadecimal_u32<S: Serializer>(value: &Option<u32>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(|value| format!("0x{value:08x}")).serialize(serializer)
}
