//! How many rows of a capture each table has, as the table `captures` says: so a part that is missing is known from one
//! without rows, and a table that was not asked for from one that has nothing to say of the capture.

use std::collections::BTreeMap;

/// The text for these rows.
#[must_use]
pub fn written(rows: &[(&str, usize)]) -> String {
    rows.iter().map(|(table, rows)| format!("{table}={rows}")).collect::<Vec<_>>().join(",")
}

/// The rows that such a text names; what is not a number is left out.
#[must_use]
pub fn read(text: &str) -> BTreeMap<String, u64> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs.filter_map(|(table, rows)| Some((table.to_string(), rows.parse().ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let text = written(&[("connections", 1), ("bursts", 0)]);
        assert_eq!(text, "connections=1,bursts=0");
        assert_eq!(read(&text), BTreeMap::from([("bursts".to_string(), 0), ("connections".to_string(), 1)]));
        assert!(read("").is_empty() && read("events,findings=x").is_empty());
    }
}
