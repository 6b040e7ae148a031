//! Letters as pixels.

use ab_glyph_rasterizer::point;

use super::super::super::font::{self, Curve, Point};
use super::super::super::geometry::{PixelPoint, Rectangle};
use super::super::super::text::Text;
use super::Raster;

/// Draws a line of text. Letters that reach beyond the picture are left out.
pub(super) fn draw(text: &Text, canvas: &mut Raster) {
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
        let Some(outline) = font::outline(character) else { continue };
        // Upwards, in multiples of the size, to pixels, downwards.
        let place = |(right, up): Point| -> PixelPoint {
            let (right, down) = (start + right * text.size, -up * text.size);
            (x + right * cosine - down * sine, y + right * sine + down * cosine)
        };
        let curves: Vec<Curve> = outline.into_iter().map(|curve| curve.map(place)).collect();
        let points = curves.iter().flat_map(Curve::points).collect();
        let Some(bounds) = super::bounds(&[points]).map(|bounds| bounds.grown(1.0)) else { continue };
        if !whole.encloses(&bounds) {
            continue;
        }
        let (left, top) = (bounds.left.floor(), bounds.top.floor());
        let pixel = |(x, y): PixelPoint| point((x - left) as f32, (y - top) as f32);
        canvas.cover(&bounds, text.colour, 1.0, |rasterizer| {
            for curve in curves {
                match curve {
                    Curve::Line(from, to) => rasterizer.draw_line(pixel(from), pixel(to)),
                    Curve::Bend(from, control, to) => rasterizer.draw_quad(pixel(from), pixel(control), pixel(to)),
                }
            }
        });
    }
}
