//! Packet tables as files: what `export` writes, and reading it back in place of a capture.
//!
//! CSV alone is read back: its header line names the columns and the schema gives their types. Null is an empty field,
//! times are seconds with nine digits, instants RFC 3339, keys and tokens hexadecimal (with `0x`, or without it as older exports), and the items of a list are joined
//! by `;`. Parquet and Arrow files are for other programs.
//!
//! Tracked columns are written for the programs that read exports and dropped when this one does, for tracking works
//! them out again.

mod contain;
pub mod hybrid;
mod parquet_lists;
mod parquet_numbers;
mod parquet_page;
mod parquet_texts;
mod read;
mod read_csv;
mod write;
mod write_csv;
mod write_parquet;

pub use contain::contain;
pub use read::{check, read, recognise};
pub use write::{Parts, write, write_parts};

/// Name that replaces the dissector in the facts of an imported table.
pub const DISSECTOR: &str = "exported table";

/// The forms in which packet tables leave the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TableForm {
    /// Comma-separated values.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// Apache Arrow IPC file, also known as Feather.
    Arrow,
}

impl TableForm {
    /// The form that a file name asks for by its ending: `.csv`, `.parquet`, `.arrow`, `.ipc`, `.feather`.
    #[must_use]
    pub fn of_name(path: &std::path::Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(TableForm::Csv),
            "parquet" => Some(TableForm::Parquet),
            "arrow" | "ipc" | "feather" => Some(TableForm::Arrow),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
