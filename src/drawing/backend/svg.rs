//! SVG: one path for all lines of a series and one for all its marks, so that files stay small. Text stays text.

use std::fmt::Write as _;

use super::super::figure::Series;
use super::super::font;
use super::super::geometry::PixelPoint;
use super::super::style::{Colour, Symbol};
use super::super::text::{Anchor, Text};
use super::symbol::{self, Outline};
use super::{Stroke, Surface, number};
use crate::terminal_text::escape;

/// An SVG document that grows. The same figure gives the same bytes.
#[derive(Debug)]
pub struct Svg {
    text: String,
    /// Whether each open group has a title, and so an element.
    open: Vec<bool>,
}

impl Svg {
    /// A picture with nothing on it. `title` is for those who cannot see it.
    #[must_use]
    pub fn new((width, height): (u32, u32), title: &str, background: Colour) -> Self {
        let mut svg = Svg { text: String::new(), open: Vec::new() };
        svg.put(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"{}\">",
            font::FAMILY
        ));
        if !title.is_empty() {
            svg.put(format_args!("<title>{}</title>", text_of(title)));
        }
        let background = background.hexadecimal();
        svg.put(format_args!("<rect width=\"{width}\" height=\"{height}\" fill=\"{background}\"/>"));
        svg
    }

    /// The whole document.
    #[must_use]
    pub fn document(mut self) -> String {
        self.text.push_str("</svg>\n");
        self.text
    }

    fn put(&mut self, content: std::fmt::Arguments<'_>) {
        // Writing to a string never fails.
        let _ = writeln!(self.text, "{content}");
    }
}

impl Surface for Svg {
    fn begin(&mut self, series: Option<&Series>) {
        let name = series.map(|series| series.name.as_str()).filter(|name| !name.is_empty());
        self.open.push(name.is_some());
        if let Some(name) = name {
            self.put(format_args!("<g><title>{}</title>", text_of(name)));
        }
    }

    fn end(&mut self) {
        if self.open.pop() == Some(true) {
            self.text.push_str("</g>\n");
        }
    }

    fn lines(&mut self, paths: &[Vec<PixelPoint>], stroke: &Stroke) {
        let mut path = Path::default();
        paths.iter().for_each(|points| path.line(points));
        self.put(format_args!("<path d=\"{}\" fill=\"none\" {}/>", path.text, stroke_attributes(stroke)));
    }

    fn areas(&mut self, polygons: &[Vec<PixelPoint>], colour: Colour, opacity: f64) {
        let mut path = Path::default();
        for corners in polygons {
            path.line(corners);
            path.text.push('z');
        }
        let opacity = if opacity < 1.0 { format!(" fill-opacity=\"{}\"", number(opacity, 2)) } else { String::new() };
        self.put(format_args!("<path d=\"{}\" fill=\"{}\"{opacity}/>", path.text, colour.hexadecimal()));
    }

    /// All marks of one look in one path: each moves to its middle and draws relative to it.
    fn marks(&mut self, symbol: Symbol, size: f64, places: &[PixelPoint], colour: Colour) {
        let (shape, paint) = shape_and_paint(symbol, size, colour);
        let mut path = String::with_capacity(places.len().saturating_mul(shape.len().saturating_add(12)));
        for place in places {
            let _ = write!(path, "M{}{shape}", pair(*place));
        }
        self.put(format_args!("<path d=\"{path}\" {paint}/>"));
    }

    fn text(&mut self, text: &Text) {
        if text.content.is_empty() {
            return;
        }
        let anchor = match text.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let (x, y, size) = (number(text.x, 1), number(text.y, 1), number(text.size, 1));
        let turned = match text.angle {
            0.0 => String::new(),
            angle => format!(" transform=\"rotate({} {x} {y})\"", number(angle, 2)),
        };
        let (colour, content) = (text.colour.hexadecimal(), text_of(&text.content));
        self.put(format_args!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"{colour}\"{anchor}{turned}>{content}</text>"
        ));
    }
}

fn stroke_attributes(stroke: &Stroke) -> String {
    let mut attributes = format!(
        "stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"bevel\"",
        stroke.colour.hexadecimal(),
        number(stroke.width, 2)
    );
    if !stroke.dash.is_empty() {
        let lengths: Vec<String> = stroke.dash.iter().map(|length| number(*length, 1)).collect();
        let _ = write!(attributes, " stroke-dasharray=\"{}\"", lengths.join(" "));
    }
    attributes
}

/// How a symbol is drawn from its middle, and the attributes that paint it.
fn shape_and_paint(symbol: Symbol, size: f64, colour: Colour) -> (String, String) {
    let colour = colour.hexadecimal();
    let width = number(symbol::LINE * size, 2);
    match symbol::outline(symbol) {
        // A line of no length with round ends is a circle, and the shortest way to write one.
        Outline::Disc => {
            let size = number(size, 2);
            (
                "h0".to_string(),
                format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"{size}\" stroke-linecap=\"round\""),
            )
        }
        Outline::Ring => {
            let radius = number(size * (1.0 - symbol::LINE) / 2.0, 1);
            let across = number(size * (1.0 - symbol::LINE), 1);
            let half = format!("a{radius} {radius} 0 1 0");
            (
                format!("m-{radius} 0{half} {across} 0{half}-{across} 0"),
                format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\""),
            )
        }
        Outline::Filled(corners) => (relative(corners, size) + "z", format!("fill=\"{colour}\"")),
        Outline::Lines(lines) => {
            let mut shape = String::new();
            let mut pen = (0.0, 0.0);
            for (from, to) in lines {
                let (from, to) = ((from.0 * size, from.1 * size), (to.0 * size, to.1 * size));
                let _ = write!(
                    shape,
                    "m{}l{}",
                    pair((from.0 - pen.0, from.1 - pen.1)),
                    pair((to.0 - from.0, to.1 - from.1))
                );
                pen = to;
            }
            (shape, format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\""))
        }
    }
}

/// `m` to the first corner, then `l` to the others, each relative to the one before.
fn relative(corners: &[PixelPoint], size: f64) -> String {
    let mut shape = String::new();
    let mut pen = (0.0, 0.0);
    for (index, corner) in corners.iter().enumerate() {
        let corner = (corner.0 * size, corner.1 * size);
        let command = if index == 0 { 'm' } else { 'l' };
        let _ = write!(shape, "{command}{}", pair((corner.0 - pen.0, corner.1 - pen.1)));
        pen = corner;
    }
    shape
}

/// Path data in tenths of a pixel.
#[derive(Default)]
struct Path {
    text: String,
}

impl Path {
    fn line(&mut self, points: &[PixelPoint]) {
        let mut pen: Option<(String, String)> = None;
        for point in points {
            let (x, y) = (number(point.0, 1), number(point.1, 1));
            let _ = match &pen {
                None => write!(self.text, "M{x} {y}"),
                Some((same_x, same_y)) if *same_x == x && *same_y == y => Ok(()),
                Some((same, _)) if *same == x => write!(self.text, "V{y}"),
                Some((_, same)) if *same == y => write!(self.text, "H{x}"),
                Some(_) => write!(self.text, "L{x} {y}"),
            };
            pen = Some((x, y));
        }
    }
}

fn pair((x, y): PixelPoint) -> String {
    let (x, y) = (number(x, 1), number(y, 1));
    // A minus parts two numbers as well as a blank does.
    if y.starts_with('-') { format!("{x}{y}") } else { format!("{x} {y}") }
}

/// Text that neither ends its element nor steers a terminal that the file is printed to.
fn text_of(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in escape(text).chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // XML has no place for these two.
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
pub(in super::super) mod tests;
