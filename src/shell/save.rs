//! Results written to a file: whole or not at all.

use std::path::Path;

use crate::error::{Error, Result};
use crate::output::Format;
use crate::terminal_text::escape;
use crate::whole_file::ending_alone;

/// The form that a file name's ending asks for; nothing where the name has no ending, or that of any text.
///
/// # Errors
/// [`Error::Usage`] for another ending: a program that reads the file by its name would be wrong.
pub fn format_of(path: &Path) -> Result<Option<Format>> {
    let Some(extension) = path.extension() else {
        let ending = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let would_tell = || matches!(format_of(&path.with_file_name(format!("x{ending}"))), Ok(Some(_)));
        return match ending_alone(path).filter(|_| would_tell()) {
            Some(sentence) => Err(Error::Usage(sentence)),
            None => Ok(None),
        };
    };
    Ok(match extension.to_string_lossy().to_ascii_lowercase().as_str() {
        "json" => Some(Format::Json),
        "ndjson" | "jsonl" => Some(Format::Ndjson),
        "csv" => Some(Format::Csv),
        "parquet" => Some(Format::Parquet),
        "arrow" | "ipc" | "feather" => Some(Format::Arrow),
        "txt" | "text" | "log" | "out" => None,
        other => {
            return Err(Error::Usage(format!(
                "unknown file extension .{} of {}; use .txt, .json, .ndjson, .csv, .parquet or .arrow, or add --format",
                escape(other),
                escape(&path.to_string_lossy())
            )));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_choose_the_form() {
        let format = |name: &str| format_of(Path::new(name)).unwrap();
        assert_eq!(format("a/b.JSON"), Some(Format::Json));
        assert_eq!(format("b.jsonl"), Some(Format::Ndjson));
        assert_eq!(format("b.parquet"), Some(Format::Parquet));
        assert_eq!(format("b.feather"), Some(Format::Arrow));
        assert_eq!(format("csv"), None);
        assert_eq!(format("a/.hidden"), None);
        assert_eq!(
            format_of(Path::new("a/.parquet")).unwrap_err().to_string(),
            ".parquet is an ending without a name; write, for example, result.parquet"
        );
        assert_eq!(format("b.txt"), None);
        assert_eq!(format("/dev/stdout"), None);
        assert_eq!(
            format_of(Path::new("b.parqet")).unwrap_err().to_string(),
            "unknown file extension .parqet of b.parqet; use .txt, .json, .ndjson, .csv, .parquet or .arrow, or add \
             --format"
        );
    }
}
