//! Questions asked of a capture, or of two.

pub mod clock;
pub mod cut_captures;
pub mod derived;
pub mod diagnose;
pub mod flight;
pub mod irregular;
pub mod labelled;
pub mod lacking;
pub mod live_events;
pub mod mapping;
pub mod mapping_truth;
pub mod merge;
pub mod merged_repeats;
pub mod out_of_order;
pub mod qualify;
pub mod recorded;
pub mod refusals;
pub mod reinjections;
pub mod requests;
pub mod retransmissions;
pub mod rtt;
pub mod shifted_timestamps;
pub mod single_subflow;
pub mod sql;
pub mod sql_limits;
pub mod windows;
