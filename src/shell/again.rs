//! `!!`: the last line again.

use crate::error::{Error, Result};

/// The line with the last one of `history` in place of the `!!` that it begins with, as bash has it; what follows
/// is kept, so that `!! | less` pages what was just printed. `None` for other lines: what else begins
/// with `!` is a program.
///
/// # Errors
/// [`Error::NotFound`] when no line came before.
pub fn expanded(line: &str, history: &[String]) -> Result<Option<String>> {
    let Some(rest) = line.trim().strip_prefix("!!").filter(|rest| ends_a_word(rest)) else { return Ok(None) };
    let last = history.last().ok_or_else(|| Error::NotFound("no earlier line to rerun".into()))?;
    Ok(Some(format!("{last}{rest}")))
}

fn ends_a_word(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with([' ', '\t', ';', '|', '>'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_stands_in() {
        let history = ["help".to_string(), "lc 'a b'".to_string()];
        for (line, expected) in [
            ("!!", Some("lc 'a b'")),
            (" !! ", Some("lc 'a b'")),
            ("!! | wc -l", Some("lc 'a b' | wc -l")),
            ("!!>f", Some("lc 'a b'>f")),
            ("!!x", None),
            ("!ls", None),
            ("! !", None),
            ("lc !!", None),
        ] {
            assert_eq!(expanded(line, &history).unwrap().as_deref(), expected, "{line:?}");
        }
        assert!(matches!(expanded("!!", &[]), Err(Error::NotFound(_))));
    }
}
