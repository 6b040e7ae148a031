//! Letters as pixels.

use ab_glyph::{Font as _, OutlineCurve, Point, point};

use super::super::super::font;
use super::super::super::shape::{Rectangle, Text};
use super::super::super::thin::Place;
use super::Canvas;

/// Draws a line of text. Letters that reach beyond the picture are left out.
pub(super) fn draw(text: &Text, canvas: &mut Canvas) {
    let Some(font) = font::font() else { return };
    let size = text.size / f64::from(font.units_per_em().unwrap_or(1.0));
    let level = text.angle.rem_euclid(90.0) == 0.0;
    let (sine, cosine) = match text.angle {
        // Exactly upright, not almost.
        -90.0 => (-1.0, 0.0),
        angle => angle.to_radians().sin_cos(),
    };
    // A baseline between two rows of pixels is sharp.
    let (x, y) = if level { (text.x.round(), text.y.round()) } else { (text.x, text.y) };
    let whole = Rectangle {
        left: 0.0,
        top: 0.0,
        right: f64::from(canvas.bitmap.width),
        bottom: f64::from(canvas.bitmap.height),
    };
    let mut along = -text.before();
    for character in text.content.chars() {
        let start = along;
        along += font::advance(character) * text.size;
        let Some(outline) = font.outline(font.glyph_id(character)) else { continue };
        // Font units, upwards, to pixels, downwards.
        let place = |corner: Point| -> Place {
            let (right, down) = (start + f64::from(corner.x) * size, -f64::from(corner.y) * size);
            (x + right * cosine - down * sine, y + right * sine + down * cosine)
        };
        let (low, high) = (outline.bounds.min, outline.bounds.max);
        let corners = [low, point(high.x, low.y), high, point(low.x, high.y)].map(place);
        let Some(bounds) = super::bounds(&[corners.to_vec()]).map(|bounds| bounds.grown(1.0)) else { continue };
        if !whole.encloses(&bounds) {
            continue;
        }
        let (left, top) = (bounds.left.floor(), bounds.top.floor());
        let pixel = |corner: &Point| {
            let (x, y) = place(*corner);
            point((x - left) as f32, (y - top) as f32)
        };
        canvas.cover(&bounds, text.colour, 1.0, |rasterizer| {
            for curve in &outline.curves {
                match curve {
                    OutlineCurve::Line(from, to) => rasterizer.draw_line(pixel(from), pixel(to)),
                    OutlineCurve::Quad(from, bend, to) => {
                        rasterizer.draw_quad(pixel(from), pixel(bend), pixel(to));
                    }
                    OutlineCurve::Cubic(from, first, second, to) => {
                        rasterizer.draw_cubic(pixel(from), pixel(first), pixel(second), pixel(to));
                    }
                }
            }
        });
    }
}
