//! Texts inside of a panel: placed where no other text is, or left out.

use super::super::font;
use super::super::geometry::{PixelPoint, Rectangle};
use super::super::style::Colour;
use super::super::text::{Anchor, Text};
use super::super::wrapping::{shorten, shorten_words};

/// Finds room for texts inside of a panel. Without room, a text is refused.
pub(super) trait Labelling {
    /// The head of an arrow, where it is a character.
    fn head(&mut self, from: PixelPoint, to: PixelPoint, colour: Colour) -> Option<Text>;
    /// A text along a line.
    fn along_line(&mut self, text: &str, from: PixelPoint, to: PixelPoint, colour: Colour) -> Option<Text>;
    /// The sign at a place that has a text, where it is a character.
    fn sign(&mut self, place: PixelPoint, colour: Colour) -> Option<Text>;
    /// A text beside a place.
    fn around(&mut self, text: &str, place: PixelPoint, colour: Colour) -> Option<Text>;
    /// Whether a text had no room.
    fn refused(&self) -> bool;
}

/// The room that texts inside of a panel have taken.
pub(super) struct Labels {
    frame: Rectangle,
    size: f64,
    /// The texts that reach into each strip of one line's height.
    strips: Vec<Vec<Rectangle>>,
    /// A text stands above its arrow: below, it would be taken for that of the next message.
    above: bool,
    /// Between the baseline of a text and the line below it.
    apart: f64,
    refused: bool,
}

/// Between a text and the edges of the frame, in multiples of its size.
const FROM_EDGE: f64 = 0.35;
/// Half the height of an arrow's head with a gap, in pixels of 96 per inch.
const HEAD: f64 = 3.4;

impl Labels {
    /// Of texts of `size`; in a sequence diagram of messages; with this many pixels for one of 96 per inch.
    pub(super) fn new(frame: Rectangle, size: f64, (messages, scale): (bool, f64)) -> Self {
        // A picture has at most some thousand lines.
        let strips = (frame.height() / size).ceil().clamp(1.0, 10_000.0) as usize;
        let apart = (0.4 * size).max(if messages { HEAD * scale } else { 0.0 });
        Labels { frame, size, strips: vec![Vec::new(); strips], above: messages, apart, refused: false }
    }

    fn shown(&self, text: &str) -> String {
        shorten(text, self.frame.width() * 0.6, |text| font::width(text, self.size))
    }

    fn first_free(&mut self, choices: impl IntoIterator<Item = Text>) -> Option<Text> {
        let inside = choices.into_iter().filter(|text| self.frame.encloses(&text.bounds()));
        let free =
            inside.map(|text| (pieces(&text), text)).find(|(room, _)| room.iter().all(|room| self.is_free(room)));
        match free {
            Some((room, text)) if !text.content.is_empty() => {
                room.into_iter().for_each(|room| self.take(room));
                Some(text)
            }
            _ => {
                self.refused = true;
                None
            }
        }
    }

    fn reached(&self, bounds: &Rectangle) -> std::ops::RangeInclusive<usize> {
        // `as` saturates; strips beyond the last are not there.
        let strip = |y: f64| ((y - self.frame.top) / self.size).floor().max(0.0) as usize;
        strip(bounds.top)..=strip(bounds.bottom)
    }

    fn is_free(&self, bounds: &Rectangle) -> bool {
        let bounds = &bounds.grown(0.15 * self.size);
        let mut strips = self.reached(bounds).filter_map(|strip| self.strips.get(strip));
        !strips.any(|strip| strip.iter().any(|taken| taken.overlaps(bounds)))
    }

    fn take(&mut self, bounds: Rectangle) {
        for strip in self.reached(&bounds) {
            if let Some(strip) = self.strips.get_mut(strip) {
                strip.push(bounds);
            }
        }
    }
}

impl Labelling for Labels {
    fn refused(&self) -> bool {
        self.refused
    }

    fn head(&mut self, _: PixelPoint, _: PixelPoint, _: Colour) -> Option<Text> {
        None
    }

    fn sign(&mut self, _: PixelPoint, _: Colour) -> Option<Text> {
        None
    }

    /// A text along the middle of a line, above it or below it.
    fn along_line(&mut self, text: &str, from: PixelPoint, to: PixelPoint, colour: Colour) -> Option<Text> {
        // From left to right, whichever way the line goes.
        let ((x, y), (to_x, to_y)) = if from.0 <= to.0 { (from, to) } else { (to, from) };
        let (dx, dy) = (to_x - x, to_y - y);
        let length = dx.hypot(dy);
        let room = length * 0.92;
        let whole = font::width(text, self.size);
        let (level, size) = (dy.abs() < 1.0, self.size);
        let sides = if self.above { 1 } else { 2 };
        if whole > room && level && (self.above || whole <= self.frame.width()) {
            // A level line leaves room beyond its ends.
            let gap = FROM_EDGE * self.size;
            let shown = shorten_words(text, self.frame.width() - 2.0 * gap, |text| font::width(text, self.size));
            let half = font::width(&shown, self.size) / 2.0;
            let (least, most) = (self.frame.left + half + gap, self.frame.right - half - gap);
            let middle = ((x + to_x) / 2.0).min(most).max(least);
            let choices = [y - self.apart, y + (0.2 + font::ASCENT) * self.size].into_iter().take(sides);
            let choices = choices.map(|y| Text::new(shown.as_str(), (middle, y), size, Anchor::Middle, colour));
            let refused = self.refused;
            if let Some(placed) = self.first_free(choices) {
                return Some(placed);
            }
            self.refused = refused;
        }
        let shown = shorten(text, room, |text| font::width(text, self.size));
        // A letter and an ellipsis say nothing.
        if shown.chars().count() < text.chars().count().min(4) {
            self.refused = true;
            return None;
        }
        // The unit vector that points away from the line, upwards.
        let (up_x, up_y) = (dy / length, -dx / length);
        let (above, below) = (self.apart, -(0.2 + font::ASCENT) * self.size);
        let choices = [above, below].into_iter().take(sides).map(|away| {
            let place = ((x + to_x) / 2.0 + up_x * away, (y + to_y) / 2.0 + up_y * away);
            let text = Text::new(shown.as_str(), place, size, Anchor::Middle, colour);
            Text { angle: dy.atan2(dx).to_degrees(), ..text }
        });
        self.first_free(choices)
    }

    /// A text at a corner of a place.
    fn around(&mut self, text: &str, (x, y): PixelPoint, colour: Colour) -> Option<Text> {
        let shown = self.shown(text);
        let aside = 0.5 * self.size;
        let (above, below) = (y - 0.4 * self.size, y + (0.3 + font::ASCENT) * self.size);
        let (higher, lower) = (above - 1.3 * self.size, below + 1.3 * self.size);
        let choices = [
            (x + aside, above, Anchor::Start),
            (x - aside, above, Anchor::End),
            (x + aside, below, Anchor::Start),
            (x - aside, below, Anchor::End),
            (x + aside, higher, Anchor::Start),
            (x - aside, higher, Anchor::End),
            (x + aside, lower, Anchor::Start),
            (x - aside, lower, Anchor::End),
        ];
        self.first_free(choices.map(|(x, y, anchor)| Text::new(shown.as_str(), (x, y), self.size, anchor, colour)))
    }
}

/// The room of a text as upright rectangles: several where it is slanted, because one around it all would be too large.
fn pieces(text: &Text) -> Vec<Rectangle> {
    let [top_left, top_right, bottom_right, bottom_left] = text.corners(0.0)[..] else { return Vec::new() };
    if text.angle == 0.0 {
        return vec![text.bounds()];
    }
    let length = font::width(&text.content, text.size);
    // A text is at most as long as the picture is wide.
    let count = (length / (2.0 * text.size)).ceil().clamp(1.0, 1000.0) as u32;
    let between = |from: PixelPoint, to: PixelPoint, share: f64| {
        (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share)
    };
    let piece = |index: u32| {
        let (start, end) = (f64::from(index) / f64::from(count), f64::from(index + 1) / f64::from(count));
        let corners = [
            between(top_left, top_right, start),
            between(top_left, top_right, end),
            between(bottom_left, bottom_right, start),
            between(bottom_left, bottom_right, end),
        ];
        Rectangle {
            left: corners.iter().map(|(x, _)| *x).fold(f64::INFINITY, f64::min),
            top: corners.iter().map(|(_, y)| *y).fold(f64::INFINITY, f64::min),
            right: corners.iter().map(|(x, _)| *x).fold(f64::NEG_INFINITY, f64::max),
            bottom: corners.iter().map(|(_, y)| *y).fold(f64::NEG_INFINITY, f64::max),
        }
    };
    (0..count).map(piece).collect()
}
