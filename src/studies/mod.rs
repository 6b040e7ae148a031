//! Studies: questions about all connections of a dataset, one per file, one line each in [`registry`]. A study reads the
//! columns that it needs and makes a [`Figure`](crate::drawing::figure::Figure) and [`numbers::StudyNumbers`].

pub mod ack_sizes;
pub mod adoption;
pub mod averages;
pub mod axes;
pub mod burst_counts;
pub mod burst_positions;
pub mod burst_sizes;
pub mod bytes_over_time;
pub mod class_counts;
pub mod classes;
pub mod completions;
mod computed;
pub mod duration_bytes;
pub mod durations;
pub mod frequencies;
pub mod handovers;
pub mod initial_share;
pub mod join_delay;
pub mod member;
pub mod numbers;
pub mod options;
pub mod overhead_boxes;
pub mod overheads;
pub mod path_bytes;
pub mod path_rtts;
pub mod path_shares;
pub mod paths;
pub mod population;
pub mod ranks;
pub mod registry;
pub mod repeat_positions;
pub mod resends;
pub mod rtt_bytes;
pub mod rtt_differences;
pub mod rtts;
pub mod selection;
pub mod sizes;
pub mod subflow_counts;
pub mod switching;
pub mod totals;
pub mod traffic_share;
pub mod unused_subflows;

pub use population::Population;
pub use registry::{STUDIES, Studied, Study};
