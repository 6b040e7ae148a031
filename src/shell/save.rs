//! Results written to a file: whole or not at all.

use std::path::Path;

use crate::output::Format;

/// The form that a file name's ending asks for, if it does.
pub fn format_of(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "json" => Some(Format::Json),
        "ndjson" | "jsonl" => Some(Format::Ndjson),
        "csv" => Some(Format::Csv),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_choose_the_form() {
        assert_eq!(format_of(Path::new("a/b.JSON")), Some(Format::Json));
        assert_eq!(format_of(Path::new("b.jsonl")), Some(Format::Ndjson));
        assert_eq!(format_of(Path::new("csv")), None);
        assert_eq!(format_of(Path::new("b.txt")), None);
    }
}
