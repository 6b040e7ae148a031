//! Samples in the legend.

use super::super::layout::{Entry, Sizes};
use super::super::shape::{Group, Rectangle, Shape, Stroke};
use super::super::style::{Style, Symbol};
use super::series::{arrow_head, line_stroke};

pub(super) fn samples(entries: &[Entry], style: &Style, sizes: &Sizes) -> Group {
    let shapes = entries.iter().flat_map(|entry| sample(entry, style, sizes)).collect();
    Group { name: None, shapes }
}

fn sample(entry: &Entry, style: &Style, sizes: &Sizes) -> Vec<Shape> {
    let look = style.look(entry.key.role);
    let place = entry.sample;
    let middle = (place.top + place.bottom) / 2.0;
    let centre = ((place.left + place.right) / 2.0, middle);
    let size = style.mark_size * sizes.scale;
    let stroke = line_stroke(&look, style.line_width, sizes.scale);
    let solid = Stroke::solid(look.colour, look.width.unwrap_or(style.stroke_width) * sizes.scale);
    let across = |stroke| Shape::Lines { paths: vec![vec![(place.left, middle), (place.right, middle)]], stroke };
    let mark = |symbol| Shape::Marks { symbol, size, places: vec![centre], colour: look.colour };
    let marked = |line| if look.mark == Symbol::None { vec![line] } else { vec![line, mark(look.mark)] };
    match entry.key.marks {
        "points" => vec![mark(if look.mark == Symbol::None { Symbol::Circle } else { look.mark })],
        "ticks" => {
            let paths = vec![vec![(centre.0 - size / 2.0, middle), (centre.0 + size / 2.0, middle)]];
            vec![Shape::Lines { paths, stroke: solid }]
        }
        "vertical_strokes" => {
            let half = place.height() * 0.32;
            let lefts = [0.25, 0.5, 0.75].map(|share| place.left + share * place.width());
            let paths = lefts.map(|x| vec![(x, middle - half), (x, middle + half)]).to_vec();
            marked(Shape::Lines { paths, stroke: solid })
        }
        "bars" => {
            let half = place.height() * 0.28;
            let corners = Rectangle { top: middle - half, bottom: middle + half, ..place }.corners();
            let mut outline = corners.clone();
            outline.extend(corners.first().copied());
            let area = Shape::Areas { polygons: vec![corners], colour: look.colour, opacity: super::series::BAR };
            marked(Shape::Lines { paths: vec![outline], stroke: Stroke { width: sizes.scale, ..stroke } })
                .into_iter()
                .chain([area])
                .rev()
                .collect()
        }
        "arrows" => {
            let head = arrow_head((place.left, middle), (place.right, middle), sizes.scale);
            vec![across(solid), Shape::Areas { polygons: vec![head], colour: look.colour, opacity: 1.0 }]
        }
        _ => marked(across(stroke)),
    }
}
