//! What several commands share: results on their way, parts of tables, and notes.

pub mod counterparts;
pub mod drawing;
pub mod feed;
pub mod limit;
pub mod mapping;
pub mod milliseconds;
pub mod paths;
pub mod rearranged;
pub mod roles;
pub mod series;
pub mod shortcut;
pub mod stream_cells;
pub mod task;
