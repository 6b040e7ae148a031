//! From a file to packets.

pub mod bad_tshark;
pub mod cache;
pub mod cache_use;
pub mod capture_file;
pub mod conditions;
pub mod damaged;
pub mod export;
pub mod native;
pub mod native_made;
pub mod output;
