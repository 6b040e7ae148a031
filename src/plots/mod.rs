//! Plots: one per file, one line each in [`registry`]. A plot asks analyses and makes a [`Figure`], which
//! [`crate::drawing`] draws.
//!
//! [`Figure`]: crate::drawing::figure::Figure

pub mod acks;
pub mod acksize;
pub mod aggr_benefit;
pub mod captions;
pub mod column_over_time;
pub mod crowded;
pub mod cwnd;
pub mod data;
pub mod directions;
pub mod distribution;
pub mod dsn;
pub mod dss_len;
pub mod first_clock;
pub mod flight;
pub mod interarrival;
pub mod ladder;
pub mod mptcp_attr;
pub mod mptcp_gput;
pub mod mptcp_tput;
pub mod ooo;
pub mod origin;
pub mod owd;
pub mod panels;
pub mod rates_over_time;
pub mod registry;
pub mod reinject;
pub mod request;
pub mod rtt;
pub mod scheduler;
pub mod subject;
pub mod tcp_attr;
pub mod tcp_tput;
pub mod unnumbered;
