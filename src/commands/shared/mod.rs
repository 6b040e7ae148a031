//! What several commands share: results on their way, and parts of tables.

pub mod counterparts;
pub mod drawing;
pub mod feed;
pub mod limit;
pub mod mapping;
pub mod milliseconds;
pub mod rearranged;
pub mod series;
pub mod shortcut;
pub mod stream_cells;
pub mod task;
