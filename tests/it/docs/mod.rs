//! Documents that stay true.

pub mod documents;
pub mod from_python;
pub mod imports;
pub mod readme;
