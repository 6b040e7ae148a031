//! SVG: one path for all lines of a series and one for all its marks, so that files stay small. Text stays text.

use std::fmt::Write as _;

use super::super::font;
use super::super::shape::{Anchor, Group, Scene, Shape, Stroke, Text};
use super::super::style::{Colour, Symbol};
use super::super::thin::PixelPoint;
use super::symbol::{self, Outline};
use crate::terminal_text::escape;

/// The scene as an SVG document. The same scene gives the same bytes.
#[must_use]
pub fn document(scene: &Scene) -> String {
    let (width, height) = (scene.width, scene.height);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"{}\">\n",
        font::FAMILY
    );
    if !scene.title.is_empty() {
        line(&mut svg, format_args!("<title>{}</title>", text_of(&scene.title)));
    }
    let background = scene.background.hexadecimal();
    line(&mut svg, format_args!("<rect width=\"{width}\" height=\"{height}\" fill=\"{background}\"/>"));
    scene.groups.iter().for_each(|group| write_group(&mut svg, group));
    svg.push_str("</svg>\n");
    svg
}

fn line(svg: &mut String, content: std::fmt::Arguments<'_>) {
    // Writing to a string never fails.
    let _ = writeln!(svg, "{content}");
}

fn write_group(svg: &mut String, group: &Group) {
    let name = group.name.as_deref().filter(|name| !name.is_empty());
    if let Some(name) = name {
        line(svg, format_args!("<g><title>{}</title>", text_of(name)));
    }
    group.shapes.iter().for_each(|shape| write_shape(svg, shape));
    if name.is_some() {
        svg.push_str("</g>\n");
    }
}

fn write_shape(svg: &mut String, shape: &Shape) {
    match shape {
        Shape::Lines { paths, stroke } => {
            let mut path = Path::default();
            paths.iter().filter(|points| points.len() > 1).for_each(|points| path.line(points));
            if !path.text.is_empty() {
                let attributes = stroke_attributes(stroke);
                line(svg, format_args!("<path d=\"{}\" fill=\"none\" {attributes}/>", path.text));
            }
        }
        Shape::Areas { polygons, colour, opacity } => {
            let mut path = Path::default();
            polygons.iter().filter(|corners| corners.len() > 2).for_each(|corners| {
                path.line(corners);
                path.text.push('z');
            });
            if !path.text.is_empty() {
                let opacity =
                    if *opacity < 1.0 { format!(" fill-opacity=\"{}\"", number(*opacity, 2)) } else { String::new() };
                line(svg, format_args!("<path d=\"{}\" fill=\"{}\"{opacity}/>", path.text, colour.hexadecimal()));
            }
        }
        Shape::Marks { symbol, size, places, colour } if !places.is_empty() => {
            write_marks(svg, *symbol, *size, places, *colour);
        }
        Shape::Marks { .. } => {}
        Shape::Text(text) => write_text(svg, text),
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

/// All marks of one look in one path: each moves to its middle and draws relative to it.
fn write_marks(svg: &mut String, symbol: Symbol, size: f64, places: &[PixelPoint], colour: Colour) {
    let colour = colour.hexadecimal();
    let width = number(symbol::LINE * size, 2);
    let (shape, paint) = match symbol::outline(symbol) {
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
    };
    let mut path = String::with_capacity(places.len().saturating_mul(shape.len().saturating_add(12)));
    for place in places {
        let _ = write!(path, "M{}{shape}", pair(*place));
    }
    line(svg, format_args!("<path d=\"{path}\" {paint}/>"));
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

fn write_text(svg: &mut String, text: &Text) {
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
    line(
        svg,
        format_args!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"{colour}\"{anchor}{turned}>{content}</text>"
        ),
    );
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

/// A number with at most that many digits after the point.
fn number(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text.as_str() };
    if text == "-0" { "0".to_string() } else { text.to_string() }
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
pub(super) mod tests;
