//! Comparison of printed text with a transcript.

use regex::Regex;

/// Compares the lines that `command`, in line `number`, printed with those expected. Blanks at the ends of lines and
/// empty lines at the end do not count.
///
/// # Errors
/// The line and what is wrong there.
pub fn check(
    printed: &[&str],
    expected: &[(usize, &str)],
    number: usize,
    command: &str,
) -> Result<(), (usize, String)> {
    let wanted = expected.iter().rposition(|(_, line)| !line.trim_end().is_empty()).map_or(0, |last| last + 1);
    let there = printed.iter().rposition(|line| !line.trim_end().is_empty()).map_or(0, |last| last + 1);
    let (expected, printed) = (expected.get(..wanted).unwrap_or_default(), printed.get(..there).unwrap_or_default());
    for (index, (line, pattern)) in expected.iter().enumerate() {
        let Some(text) = printed.get(index) else {
            return Err((*line, format!("`{command}` printed nothing more, but `{pattern}` was expected")));
        };
        if !fits(text.trim_end(), pattern.trim_end()).map_err(|reason| (*line, reason))? {
            return Err((*line, format!("`{command}` printed `{text}`, but `{pattern}` was expected")));
        }
    }
    match printed.get(expected.len()) {
        None => Ok(()),
        Some(text) => {
            let line = expected.last().map_or(number, |(line, _)| *line);
            Err((line, format!("after this line `{command}` printed `{text}`, but nothing more was expected")))
        }
    }
}

/// Whether a line is what a pattern says: literally, or with what is between slashes as regular expressions.
fn fits(text: &str, pattern: &str) -> Result<bool, String> {
    if text == pattern {
        return Ok(true);
    }
    let parts = parts(pattern);
    let mut expression = String::from("^");
    let last = parts.len().saturating_sub(1);
    for (index, part) in parts.iter().enumerate() {
        match index % 2 {
            0 => expression.push_str(&regex::escape(part)),
            // A slash that no other closes is a slash.
            _ if index == last => expression.push_str(&regex::escape(&format!("/{part}"))),
            _ => expression.push_str(&format!("(?:{part})")),
        }
    }
    expression.push('$');
    let expression = Regex::new(&expression)
        .map_err(|_| format!("`{pattern}` is not a valid regular expression; write a slash as `\\/`"))?;
    Ok(expression.is_match(text))
}

/// The pattern cut at its slashes: literal text and regular expressions in turns.
fn parts(pattern: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        let quoted = character == '\\' && characters.next_if_eq(&'/').is_some();
        if character == '/' {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(if quoted { '/' } else { character });
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_enclose_regular_expressions() {
        for (text, pattern) in [
            ("took 0.123 s", r"took /\d+\.\d+/ s"),
            ("a/b/c", "a/b/c"),
            ("a/b 7", r"a\/b /[0-9]/"),
            ("1/2", "1/2"),
            ("x (y)", "x (y)"),
            ("", ""),
            ("12", "/[0-9]+|x/"),
        ] {
            assert_eq!(fits(text, pattern), Ok(true), "{text} {pattern}");
        }
        for (text, pattern) in
            [("took 0.1 s more", r"took /\d+\.\d+/ s"), ("x", "/y|z/"), ("xa", "/x|y/"), ("a.c", "abc")]
        {
            assert_eq!(fits(text, pattern), Ok(false), "{text} {pattern}");
        }
        assert!(fits("x", "/(/").unwrap_err().contains("not a valid regular expression"));
    }

    #[test]
    fn the_first_difference_is_named_with_its_line() {
        let expected = [(4, "one"), (5, "two"), (6, "")];
        let wrong = |printed: &[&str]| check(printed, &expected, 3, "lc").err();
        assert_eq!(wrong(&["one", "two  ", "", ""]), None);
        assert_eq!(wrong(&["one", "2"]), Some((5, "`lc` printed `2`, but `two` was expected".into())));
        assert_eq!(wrong(&["one"]), Some((5, "`lc` printed nothing more, but `two` was expected".into())));
        let more = "after this line `lc` printed `three`, but nothing more was expected";
        assert_eq!(wrong(&["one", "two", "three"]), Some((5, more.into())));
        assert_eq!(check(&["x"], &[], 3, "lc").unwrap_err().0, 3);
    }
}
