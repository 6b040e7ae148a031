//! Documents that stay true.

mod attributes;
pub mod documents;
pub mod from_python;
pub mod imports;
pub mod readme;
