//! Samples in the legend.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::element::Polygon;
use plotters_backend::BackendCoord;

use super::super::backend::{Canvas, Stroke, Surface, units};
use super::super::geometry::{PixelPoint, Rectangle};
use super::super::layout::{Entry, Sizes};
use super::super::style::{Style, Symbol};
use super::Trouble;
use super::bars::BAR;
use super::shapes::{Dashes, Mark, arrow_head, filled, line_stroke, stroke};
use super::strokes::{HALF_CAP, is_capped};

type Root<S> = DrawingArea<Canvas<S>, Shift>;

pub(super) fn draw<S: Surface>(root: &Root<S>, entries: &[Entry], style: &Style, sizes: &Sizes) -> Result<(), Trouble> {
    let among_bars = entries.iter().filter(|entry| entry.key.marks == "bars").count() > 1;
    entries.iter().try_for_each(|entry| sample(root, entry, among_bars, style, sizes))
}

fn sample<S: Surface>(
    root: &Root<S>,
    entry: &Entry,
    among_bars: bool,
    style: &Style,
    sizes: &Sizes,
) -> Result<(), Trouble> {
    let look = style.look(entry.key.role);
    let place = entry.sample;
    let middle = (place.top + place.bottom) / 2.0;
    let centre = ((place.left + place.right) / 2.0, middle);
    let size = style.mark_size * sizes.scale;
    let broken = line_stroke(&look, style.line_width, sizes.scale);
    let solid = stroke(&look, style, sizes.scale);
    let line = |points: Vec<PixelPoint>, stroke: &Stroke| root.draw(&Dashes { points, stroke });
    let area = |corners: Vec<PixelPoint>, opacity| {
        let corners: Vec<BackendCoord> = corners.into_iter().map(units).collect();
        root.draw(&Polygon::new(corners, filled(look.colour, opacity)))
    };
    let mark = |symbol| root.draw(&Mark { symbol, size, place: centre, colour: look.colour });
    match entry.key.marks {
        "points" => return mark(if look.mark == Symbol::None { Symbol::Circle } else { look.mark }),
        "ticks" => return line(vec![(centre.0 - size / 2.0, middle), (centre.0 + size / 2.0, middle)], &solid),
        "arrows" => {
            line(vec![(place.left, middle), (place.right, middle)], &solid)?;
            return area(arrow_head((place.left, middle), (place.right, middle), sizes.scale), 1.0);
        }
        "vertical_strokes" => {
            let half = place.height() * 0.32;
            for x in [0.25, 0.5, 0.75].map(|share| place.left + share * place.width()) {
                line(vec![(x, middle - half), (x, middle + half)], &solid)?;
                if is_capped(entry.key.role.kind) {
                    let cap = HALF_CAP * sizes.scale;
                    for end in [middle - half, middle + half] {
                        line(vec![(x - cap, end), (x + cap, end)], &solid)?;
                    }
                }
            }
        }
        "bars" | "areas" => {
            let half = place.height() * 0.28;
            let corners = Rectangle { top: middle - half, bottom: middle + half, ..place }.corners();
            let outline = corners.iter().chain(corners.first()).copied().collect();
            area(corners, BAR)?;
            line(outline, &Stroke { width: sizes.scale, ..broken })?;
        }
        _ => line(vec![(place.left, middle), (place.right, middle)], &broken)?,
    }
    let lone = entry.key.marks == "bars" && !among_bars;
    if look.mark == Symbol::None || entry.key.marks == "areas" || lone { Ok(()) } else { mark(look.mark) }
}
