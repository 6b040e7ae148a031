//! Questions asked of a tracked capture, one a file: typed values out, no printing, no files.

pub mod filter;
pub mod selection;
