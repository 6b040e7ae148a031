//! Pixels: shapes and letters with smooth edges, by the share of each pixel that they cover.

mod outlines;
mod text;

use ab_glyph_rasterizer::{Rasterizer, point};

use super::super::figure::Series;
use super::super::geometry::{PixelPoint, Rectangle};
use super::super::style::{Colour, Symbol};
use super::super::text::Text;
use super::{Stroke, Surface};

/// Pixels, three bytes each (red, green, blue), row by row from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitmap {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `3 * width * height` bytes.
    pub pixels: Vec<u8>,
}

/// A bitmap that is drawn on.
#[derive(Debug)]
pub struct Raster {
    bitmap: Bitmap,
    /// Kept from shape to shape, so that its memory is asked for once.
    rasterizer: Rasterizer,
}

impl Surface for Raster {
    fn lines(&mut self, paths: &[Vec<PixelPoint>], stroke: &Stroke) {
        self.fill(&outlines::lines(paths, stroke), stroke.colour, 1.0);
    }

    fn areas(&mut self, polygons: &[Vec<PixelPoint>], colour: Colour, opacity: f64) {
        self.fill(polygons, colour, opacity);
    }

    fn marks(&mut self, symbol: Symbol, size: f64, places: &[PixelPoint], colour: Colour) {
        self.fill(&outlines::marks(symbol, size, places), colour, 1.0);
    }

    fn text(&mut self, text: &Text) {
        text::draw(text, self);
    }

    fn begin(&mut self, _: Option<&Series>) {}

    fn end(&mut self) {}
}

impl Raster {
    /// A picture with nothing on it.
    #[must_use]
    pub fn new((width, height): (u32, u32), background: Colour) -> Self {
        let count = (width as usize).saturating_mul(height as usize);
        let pixels = [background.red, background.green, background.blue].repeat(count);
        Raster { bitmap: Bitmap { width, height, pixels }, rasterizer: Rasterizer::new(1, 1) }
    }

    /// The picture.
    #[must_use]
    pub fn bitmap(self) -> Bitmap {
        self.bitmap
    }

    /// Fills polygons. Where several overlap they count once.
    fn fill(&mut self, polygons: &[Vec<PixelPoint>], colour: Colour, opacity: f64) {
        let canvas = Rectangle {
            left: 0.0,
            top: 0.0,
            right: f64::from(self.bitmap.width),
            bottom: f64::from(self.bitmap.height),
        };
        let polygons: Vec<Vec<PixelPoint>> =
            polygons.iter().map(|corners| outlines::clipped(corners, &canvas)).collect();
        let Some(bounds) = bounds(&polygons) else { return };
        let (left, top) = (bounds.left.floor(), bounds.top.floor());
        self.cover(&bounds, colour, opacity, |rasterizer| {
            for corners in &polygons {
                outlines::each_edge(corners, |from, to| {
                    let place = |(x, y): PixelPoint| point((x - left) as f32, (y - top) as f32);
                    rasterizer.draw_line(place(from), place(to));
                });
            }
        });
    }

    /// Fills the outline that `draw` makes in a rasterizer whose corner is that of `bounds`, in whole pixels.
    fn cover(&mut self, bounds: &Rectangle, colour: Colour, opacity: f64, draw: impl FnOnce(&mut Rasterizer)) {
        // The bounds are inside of the canvas, so the conversions cut off nothing but fractions.
        let (left, top) = (bounds.left.floor(), bounds.top.floor());
        let (width, height) = ((bounds.right.ceil() - left) as usize, (bounds.bottom.ceil() - top) as usize);
        // Room at the right for lines that run along the edge.
        self.rasterizer.reset(width.saturating_add(2), height.saturating_add(1));
        draw(&mut self.rasterizer);
        let bitmap = &mut self.bitmap;
        let (left, top) = (left as u32, top as u32);
        self.rasterizer.for_each_pixel_2d(|x, y, share| {
            if share > 0.001 {
                bitmap.blend(
                    left.saturating_add(x),
                    top.saturating_add(y),
                    colour,
                    f64::from(share.min(1.0)) * opacity,
                );
            }
        });
    }
}

impl Bitmap {
    /// Lays a colour over a pixel; outside of the picture nothing happens.
    fn blend(&mut self, x: u32, y: u32, colour: Colour, share: f64) {
        if x >= self.width || y >= self.height {
            return;
        }
        let at = (y as usize).saturating_mul(self.width as usize).saturating_add(x as usize).saturating_mul(3);
        if let Some([red, green, blue]) = self.pixels.get_mut(at..at.saturating_add(3)) {
            let mixed = colour.over(Colour { red: *red, green: *green, blue: *blue }, share);
            (*red, *green, *blue) = (mixed.red, mixed.green, mixed.blue);
        }
    }

    /// The colour of a pixel.
    #[must_use]
    pub fn pixel(&self, x: u32, y: u32) -> Option<Colour> {
        if x >= self.width {
            return None;
        }
        let at = (y as usize).saturating_mul(self.width as usize).saturating_add(x as usize).saturating_mul(3);
        match self.pixels.get(at..at.saturating_add(3)) {
            Some(&[red, green, blue]) => Some(Colour { red, green, blue }),
            _ => None,
        }
    }
}

fn bounds(polygons: &[Vec<PixelPoint>]) -> Option<Rectangle> {
    polygons.iter().flatten().fold(None, |bounds: Option<Rectangle>, (x, y)| {
        let one = Rectangle { left: *x, top: *y, right: *x, bottom: *y };
        Some(bounds.map_or(one, |bounds| Rectangle {
            left: bounds.left.min(*x),
            top: bounds.top.min(*y),
            right: bounds.right.max(*x),
            bottom: bounds.bottom.max(*y),
        }))
    })
}

#[cfg(test)]
mod tests;
