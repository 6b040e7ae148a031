//! Names for those that were mistyped.

use crate::terminal_text::escape;

/// Names must be at least this alike (Jaro-Winkler, which weighs a common beginning) for one to be suggested for the other.
const ALIKE: f64 = 0.8;

/// How alike two words are that differ by neighbouring letters in the wrong order.
const SWAPPED: f64 = 0.97;

/// The one of `names` that `typed` was probably meant to be. Case and `-` for `_` do not count.
#[must_use]
pub fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase().replace('-', "_");
    names
        .into_iter()
        .map(|name| (likeness(&typed, name), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        // Of equally near ones the first.
        .reduce(|best, other| if other.0 > best.0 { other } else { best })
        .map(|(_, name)| name)
}

/// How alike two words are. Two letters in the wrong order are the likeliest mistake, of which Jaro-Winkler takes no note
/// in short words.
fn likeness(typed: &str, name: &str) -> f64 {
    let swapped = typed.len() == name.len()
        && typed != name
        && strsim::osa_distance(typed, name) == 1
        && strsim::levenshtein(typed, name) == 2;
    if swapped { SWAPPED } else { strsim::jaro_winkler(typed, name) }
}

/// The question for a mistyped name, escaped for a terminal; `None` when no name is near.
#[must_use]
pub fn did_you_mean<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(typed, names).map(|name| format!("did you mean `{}`?", escape(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_its_name_and_another_word_none() {
        let names = ["help", "history_size", "cache_limit", "colour", "tcplen", "tcpstream", "dss", "dsn"];
        for (typed, meant) in [
            ("hlep", Some("help")),
            ("history", Some("history_size")),
            ("Cache-Limt", Some("cache_limit")),
            ("color", Some("colour")),
            ("tcplne", Some("tcplen")),
            ("tcpstreem", Some("tcpstream")),
            ("dns", Some("dsn")),
            ("zzz", None),
            ("a", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, names), meant, "{typed}");
        }
        assert_eq!(did_you_mean("x\u{1b}y", ["x\u{1b}"]).as_deref(), Some("did you mean `x\\u{1b}`?"));
    }
}
