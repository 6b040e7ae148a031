//! Figures.

pub mod acknowledged;
pub mod delays;
pub mod directions;
pub mod distributions;
pub mod drawn_whole;
pub mod figures;
pub mod gallery;
pub mod many_subflows;
pub mod messages;
pub mod not_there;
pub mod nothing_hidden;
pub mod rates;
pub mod same_everywhere;
pub mod sending;
pub mod time_sequence;
