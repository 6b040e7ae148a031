//! The one place where values take their form: tables for people; JSON, NDJSON, CSV, Parquet and Arrow for programs.
//!
//! An analysis returns a value that serialises; a command makes a [`Report`] of it; [`render`] writes it in the
//! [`Format`] that was asked for. Nothing else in the program formats results.

mod column_units;
mod columnar;
mod complete;
mod data;
mod data_frame;
mod delimited;
mod in_parts;
mod json;
mod paint;
mod paths;
mod render;
mod report;
mod result_columns;
mod rolling;
mod text_table;

pub use complete::Rows;
pub use data::Data;
pub use data_frame::{FrameRow, FrameRows};
pub use paint::Paint;
pub use paths::Paths;
pub use render::{NOT_TEXT, RenderOptions, render, render_painted};
pub use report::{Cell, Column, Format, Report, Table};
pub use rolling::Rolling;
