//! The text below the panels: whole sentences, as many as have room.

use super::super::figure::Figure;
use super::super::font;
use super::super::geometry::Rectangle;
use super::super::text::{Anchor, Text};
use super::super::wrapping::{cut_words, wrap};
use super::Sizes;
use crate::terminal_text::escape;

/// Lines of a paragraph: captions are bounded.
const LINES_OF_ONE: usize = 100;

/// Places the caption of a figure in a share of the picture, and `notes` below it; says whether it is whole. What the
/// picture does not show is said in any case: the notes, and what the figure leaves out.
pub(super) fn place(
    figure: &Figure,
    notes: &[String],
    sizes: &Sizes,
    share: f64,
    region: &mut Rectangle,
    texts: &mut Vec<Text>,
) -> bool {
    let height = Sizes::line(sizes.caption);
    // At most a few hundred lines.
    let most = (sizes.height * share / height).floor().clamp(0.0, 1000.0) as usize;
    let measure = |text: &str| font::width(text, sizes.caption);
    let wrapped = |paragraph: &str| wrap(&escape(paragraph), region.width(), LINES_OF_ONE, measure);
    let is_left_out = |paragraph: &&String| figure.left_out.contains(paragraph);
    let left_out: Vec<String> = figure.caption.iter().filter(is_left_out).flat_map(|line| wrapped(line)).collect();
    let noted: Vec<String> = notes.iter().flat_map(|line| wrapped(line)).collect();
    let others: Vec<&str> = figure.caption.iter().filter(|line| !is_left_out(line)).map(String::as_str).collect();
    let room = most.saturating_sub(left_out.len()).saturating_sub(noted.len());
    let (explained, whole) = sentences(&others, room, wrapped, |text| cut_words(text, region.width(), &measure));
    let lines: Vec<String> = left_out.into_iter().chain(explained).chain(noted).collect();
    if lines.is_empty() {
        return whole;
    }
    let top = region.bottom - height * lines.len() as f64;
    for (index, line) in lines.into_iter().enumerate() {
        let baseline = top + height * index as f64 + (font::LINE - font::DESCENT) * sizes.caption;
        texts.push(sizes.text(line, region.left, baseline, sizes.caption, Anchor::Start));
    }
    region.bottom = top - sizes.font * 0.3;
    whole
}

/// At most `most` lines of paragraphs, and whether that is all of them: whole sentences, then `…`. Where not even the first
/// has room, it is cut between words.
fn sentences(
    paragraphs: &[&str],
    most: usize,
    wrapped: impl Fn(&str) -> Vec<String>,
    cut: impl Fn(&str) -> String,
) -> (Vec<String>, bool) {
    let all: Vec<String> = paragraphs.iter().flat_map(|paragraph| wrapped(paragraph)).collect();
    if all.len() <= most {
        return (all, true);
    }
    let mut lines: Vec<String> = Vec::new();
    for paragraph in paragraphs {
        let room = most.saturating_sub(lines.len());
        let ends = paragraph.match_indices(". ").map(|(at, _)| at.saturating_add(1));
        let parts: Vec<&str> = ends.chain([paragraph.len()]).filter_map(|end| paragraph.get(..end)).collect();
        let kept = parts.iter().rev().map(|part| wrapped(&format!("{part} …"))).find(|lines| lines.len() <= room);
        let is_whole = kept.is_some() && wrapped(paragraph).len() <= room;
        match kept {
            Some(_) if is_whole && lines.len().saturating_add(wrapped(paragraph).len()) < most => {
                lines.extend(wrapped(paragraph));
            }
            Some(kept) => {
                lines.extend(kept);
                return (lines, false);
            }
            None => break,
        }
    }
    match lines.pop() {
        Some(last) => lines.push(cut(&last)),
        None => {
            lines.extend(all.into_iter().take(most));
            if let Some(last) = lines.pop() {
                lines.push(cut(&last));
            }
        }
    }
    (lines, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_sentences_are_kept() {
        let measure = |text: &str| text.chars().count() as f64;
        let told = |paragraphs: &[&str], most: usize| {
            let wrapped = |text: &str| wrap(text, 12.0, 100, measure);
            sentences(paragraphs, most, wrapped, |text| cut_words(text, 12.0, &measure))
        };
        let two = ["One two. Three four five.", "Six."];
        let lines = |of: &[&str]| of.iter().map(|line| (*line).to_string()).collect::<Vec<_>>();
        assert_eq!(told(&two, 4), (lines(&["One two.", "Three four", "five.", "Six."]), true));
        assert_eq!(told(&two, 3), (lines(&["One two.", "Three four", "five. …"]), false));
        assert_eq!(told(&two, 2), (lines(&["One two. …"]), false));
        assert_eq!(told(&["Three four five."], 1), (lines(&["Three four…"]), false));
        assert_eq!(told(&two, 0), (Vec::new(), false));
        assert_eq!(told(&[], 0), (Vec::new(), true));
    }
}
