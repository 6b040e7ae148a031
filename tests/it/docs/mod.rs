//! Documents that stay true.

pub mod documents;
pub mod imports;
