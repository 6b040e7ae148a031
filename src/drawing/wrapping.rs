//! Text broken into lines that fit, and shortened where they cannot. Widths are whatever `measure` returns: pixels for
//! images, cells for terminals.

/// The lines of `text`, each at most `width` wide, at most `most` of them; what does not fit ends in `…`.
pub fn wrap(text: &str, width: f64, most: usize, measure: impl Fn(&str) -> f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let longer = if line.is_empty() { word.to_string() } else { format!("{line} {word}") };
        if measure(&longer) <= width {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        if lines.len() > most {
            break;
        }
        line = break_word(word, width, most, &mut lines, &measure);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = cut_words(last, width, &measure);
        }
    }
    lines
}

/// The lines of `text`, each at most `width` wide, broken between words and behind `_` alone; `None` where that takes more
/// than `most` lines, or a word is too wide.
pub fn wrap_words(text: &str, width: f64, most: usize, measure: impl Fn(&str) -> f64) -> Option<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut blank = if line.is_empty() { "" } else { " " };
        for part in word.split_inclusive('_') {
            let longer = format!("{line}{blank}{part}");
            blank = "";
            if measure(&longer) <= width {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            if measure(part) > width || lines.len() >= most {
                return None;
            }
            line = part.to_string();
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    (lines.len() <= most).then_some(lines)
}

/// Pushes all full lines of a word and returns what is left of it.
fn break_word(word: &str, width: f64, most: usize, lines: &mut Vec<String>, measure: &impl Fn(&str) -> f64) -> String {
    let mut line = String::new();
    let mut used = 0.0;
    for character in word.chars() {
        let wide = measure(character.encode_utf8(&mut [0; 4]));
        if used + wide > width && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
            used = 0.0;
            if lines.len() > most {
                return String::new();
            }
        }
        used += wide;
        line.push(character);
    }
    line
}

/// `text`, or as much of its beginning as fits with `…` behind it; empty where not even that fits.
pub fn shorten(text: &str, width: f64, measure: impl Fn(&str) -> f64) -> String {
    if measure(text) <= width { text.to_string() } else { ellipsis(text, width, &measure) }
}

/// `text`, or as many of its first words as fit with `…` behind them.
pub fn shorten_words(text: &str, width: f64, measure: impl Fn(&str) -> f64) -> String {
    if measure(text) <= width { text.to_string() } else { cut_words(text, width, &measure) }
}

/// As many of the first words of a text as fit with `…` behind them; a part of the first one where not even that does.
pub fn cut_words(text: &str, width: f64, measure: &impl Fn(&str) -> f64) -> String {
    let ends = std::iter::once(text.len()).chain(text.rmatch_indices(' ').map(|(at, _)| at));
    let mut shorter = ends.filter_map(|end| text.get(..end)).map(|kept| {
        let kept = kept.trim_end_matches([' ', ',', '.', ';', ':', '…']);
        format!("{kept}…")
    });
    shorter.find(|kept| kept != "…" && measure(kept) <= width).unwrap_or_else(|| ellipsis(text, width, measure))
}

fn ellipsis(text: &str, width: f64, measure: &impl Fn(&str) -> f64) -> String {
    let mut left = width - measure("…");
    if left < 0.0 {
        return String::new();
    }
    let mut kept = String::new();
    for character in text.chars() {
        left -= measure(character.encode_utf8(&mut [0; 4]));
        if left < 0.0 {
            break;
        }
        kept.push(character);
    }
    kept.truncate(kept.trim_end_matches([' ', ',', '.', ';', ':', '…']).len());
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> f64 {
        text.chars().count() as f64
    }

    #[test]
    fn lines_break_at_blanks() {
        assert_eq!(wrap("one two three", 7.0, 5, cells), ["one two", "three"]);
        assert_eq!(wrap("", 7.0, 5, cells), Vec::<String>::new());
        assert_eq!(wrap("  a   b ", 7.0, 5, cells), ["a b"]);
    }

    #[test]
    fn long_words_break_where_they_must() {
        assert_eq!(wrap("a 2001:db8::1234 b", 6.0, 9, cells), ["a", "2001:d", "b8::12", "34 b"]);
        assert_eq!(wrap("abc", 0.5, 9, cells), ["a", "b", "c"]);
    }

    #[test]
    fn words_stay_whole() {
        assert_eq!(wrap_words("one two three", 7.0, 2, cells), Some(vec!["one two".to_string(), "three".to_string()]));
        assert_eq!(
            wrap_words("option_missing", 8.0, 2, cells),
            Some(vec!["option_".to_string(), "missing".to_string()])
        );
        assert_eq!(wrap_words("a_b c", 5.0, 1, cells), Some(vec!["a_b c".to_string()]));
        assert_eq!(wrap_words("", 7.0, 0, cells), Some(Vec::new()));
        for (text, most) in [("aggregation benefit", 5), ("one two three", 1), ("a b c d e f", 0)] {
            assert_eq!(wrap_words(text, 7.0, most, cells), None, "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_ends_in_an_ellipsis() {
        assert_eq!(wrap("one two three four", 7.0, 2, cells), ["one two", "three…"]);
        assert_eq!(wrap("one, two", 4.0, 1, cells), ["one…"]);
        assert_eq!(wrap("x", 4.0, 0, cells), Vec::<String>::new());
        assert_eq!(wrap(&"y".repeat(10_000), 5.0, 2, cells), ["yyyyy", "yyyy…"]);
        assert_eq!(shorten_words("one two three", 9.0, cells), "one two…");
        assert_eq!(shorten_words("subflow 1", 6.0, cells), "subfl…");
        assert_eq!(shorten("subflow", 7.0, cells), "subflow");
        assert_eq!(shorten("subflow", 6.0, cells), "subfl…");
        assert_eq!(shorten("subflow", 0.5, cells), "");
    }
}
