//! The geometry of marks, around a middle at (0, 0) with a size of one from side to side.

use super::super::geometry::PixelPoint;
use super::super::style::Symbol;

/// Parts of a symbol.
pub(super) enum Outline {
    /// A filled circle.
    Disc,
    /// A circle's outline.
    Ring,
    /// The corners of a filled polygon.
    Filled(&'static [PixelPoint]),
    /// Lines from one end to the other.
    Lines(&'static [(PixelPoint, PixelPoint)]),
}

/// The width of a symbol's lines, in multiples of its size.
pub(super) const LINE: f64 = 0.22;

// As large to the eye as a circle of the same size.
const SQUARE: [PixelPoint; 4] = [(-0.44, -0.44), (0.44, -0.44), (0.44, 0.44), (-0.44, 0.44)];
const DIAMOND: [PixelPoint; 4] = [(0.0, -0.62), (0.62, 0.0), (0.0, 0.62), (-0.62, 0.0)];
const TRIANGLE: [PixelPoint; 3] = [(0.0, -0.6), (0.58, 0.44), (-0.58, 0.44)];
const TRIANGLE_DOWN: [PixelPoint; 3] = [(-0.58, -0.44), (0.58, -0.44), (0.0, 0.6)];
const CROSS: [(PixelPoint, PixelPoint); 2] = [((-0.45, -0.45), (0.45, 0.45)), ((-0.45, 0.45), (0.45, -0.45))];
const PLUS: [(PixelPoint, PixelPoint); 2] = [((-0.58, 0.0), (0.58, 0.0)), ((0.0, -0.58), (0.0, 0.58))];
const STAR: [(PixelPoint, PixelPoint); 3] =
    [((0.0, -0.58), (0.0, 0.58)), ((-0.5, -0.29), (0.5, 0.29)), ((-0.5, 0.29), (0.5, -0.29))];

pub(super) fn outline(symbol: Symbol) -> Outline {
    match symbol {
        Symbol::None | Symbol::Circle => Outline::Disc,
        Symbol::Ring => Outline::Ring,
        Symbol::Square => Outline::Filled(&SQUARE),
        Symbol::Diamond => Outline::Filled(&DIAMOND),
        Symbol::Triangle => Outline::Filled(&TRIANGLE),
        Symbol::TriangleDown => Outline::Filled(&TRIANGLE_DOWN),
        Symbol::Cross => Outline::Lines(&CROSS),
        Symbol::Plus => Outline::Lines(&PLUS),
        Symbol::Star => Outline::Lines(&STAR),
    }
}
