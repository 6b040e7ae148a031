//! Grid, lifelines, axes and the lines of annotations.

use super::super::figure::Panel;
use super::super::layout::{Placed, Sizes};
use super::super::shape::{Anchor, Group, Rectangle, Shape, Stroke, Text};
use super::super::style::{Dash, Style};
use super::super::thin::PixelPoint;

/// Parts drawn below the data.
pub(super) fn behind(panel: &Panel, placed: &Placed, style: &Style, sizes: &Sizes) -> Group {
    let frame = &placed.frame;
    let mut shapes = Vec::new();
    let width = style.grid_width * sizes.scale;
    let across = heights(panel, placed, width).map(|y| vec![(frame.left, y), (frame.right, y)]).collect();
    let upright: Vec<Vec<PixelPoint>> =
        lefts(panel, placed, width).map(|x| vec![(x, frame.top), (x, frame.bottom)]).collect();
    let grid = Stroke::solid(style.grid, width);
    shapes.push(Shape::Lines { paths: across, stroke: grid.clone() });
    if placed.lifelines {
        let stroke = Stroke::solid(style.foreground.over(style.background, 0.55), style.axis_width * sizes.scale);
        shapes.push(Shape::Lines { paths: upright, stroke });
    } else if panel.x.categories.is_empty() {
        shapes.push(Shape::Lines { paths: upright, stroke: grid });
    }
    shapes.push(risers(placed, style, sizes));
    // Where a line does pass a text, it passes behind it.
    let polygons = placed.raised.iter().map(Rectangle::corners).collect();
    shapes.push(Shape::Areas { polygons, colour: style.background, opacity: 1.0 });
    if placed.extent.empty {
        let middle = ((frame.left + frame.right) / 2.0, (frame.top + frame.bottom) / 2.0);
        let colour = style.foreground.over(style.background, 0.6);
        shapes.push(Shape::Text(Text::new("no data", middle, sizes.font, Anchor::Middle, colour)));
    }
    Group { name: None, shapes }
}

fn risers(placed: &Placed, style: &Style, sizes: &Sizes) -> Shape {
    let width = style.axis_width * sizes.scale;
    let line = |x: f64, top: f64| vec![(x, top), (x, placed.frame.bottom)];
    let paths = placed.risers.iter().map(|riser| line(sharp(riser.x, width), riser.top));
    let dash = Dash::Dashed.lengths().iter().map(|length| length * width * 0.7).collect();
    let colour = style.foreground.over(style.background, 0.5);
    Shape::Lines { paths: paths.collect(), stroke: Stroke { colour, width, dash } }
}

/// The axes, drawn over the data.
pub(super) fn frame(panel: &Panel, placed: &Placed, style: &Style, sizes: &Sizes) -> Group {
    let Rectangle { left, top, right, bottom } = placed.frame;
    let width = style.axis_width * sizes.scale;
    let stroke = Stroke::solid(style.foreground, width);
    let (left, top, bottom) = (sharp(left, width), sharp(top, width), sharp(bottom, width));
    // A sequence diagram has its names, and the line below them, above.
    let base = if placed.lifelines { top } else { bottom };
    let outwards = if placed.lifelines { -sizes.tick } else { sizes.tick };
    let mut paths = vec![vec![(left, top), (left, bottom)], vec![(left, base), (right, base)]];
    paths.extend(heights(panel, placed, width).map(|y| vec![(left - sizes.tick, y), (left, y)]));
    paths.extend(lefts(panel, placed, width).map(|x| vec![(x, base), (x, base + outwards)]));
    Group { name: None, shapes: vec![Shape::Lines { paths, stroke }] }
}

fn heights<'a>(panel: &'a Panel, placed: &'a Placed, width: f64) -> impl Iterator<Item = f64> + 'a {
    placed.y.iter().map(move |tick| sharp(placed.place(panel, (tick.value, tick.value)).1, width))
}

fn lefts<'a>(panel: &'a Panel, placed: &'a Placed, width: f64) -> impl Iterator<Item = f64> + 'a {
    placed.x.iter().map(move |tick| sharp(placed.place(panel, (tick.value, tick.value)).0, width))
}

/// The nearest place where a line of a width covers whole pixels: in the middle of one where the width is odd.
fn sharp(place: f64, width: f64) -> f64 {
    let odd = width.round().rem_euclid(2.0) == 1.0;
    if odd { place.floor() + 0.5 } else { place.round() }
}
