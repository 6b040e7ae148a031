//! One panel: grid, series, annotations and axes.

use std::cell::RefCell;

use plotters::coord::ranged1d::Ranged;
use plotters::element::{BackendCoordOnly, Drawable, PathElement, PointCollection, Polygon};
use plotters::style::TRANSPARENT;
use plotters_backend::BackendCoord;

use super::super::backend::{Canvas, Stroke, Surface, units};
use super::super::extent::Extent;
use super::super::figure::{Marks, Panel, Series};
use super::super::geometry::Rectangle;
use super::super::layout::{Placed, Sizes};
use super::super::style::{Dash, Style};
use super::super::text::{Anchor, Text};
use super::annotations::Annotations;
use super::arrows::{ArrowTexts, Arrows};
use super::axis::{Scaled, sharp};
use super::bars::Bars;
use super::labels::{Labelling, Labels};
use super::lines::Lines;
use super::points::Points;
use super::shapes::{Dashes, Words, filled, solid};
use super::strokes::Strokes;
use super::window::{Value, Window};
use super::{Chart, Detail, Pen, Sheet, Trouble, size_of_marks};

/// Draws a panel where the layout placed it; whether labels were omitted.
pub(super) fn draw<S: Surface>(
    sheet: &Sheet<S>,
    panel: &Panel,
    placed: &Placed,
    (style, sizes, detail): (&Style, &Sizes, Detail),
) -> Result<bool, Trouble> {
    let x = Scaled::new(&panel.x, placed.extent.x, &placed.x);
    let y = Scaled::new(&panel.y, placed.extent.y, &placed.y);
    sheet.group(None, || behind(sheet, panel, placed, (&x, &y), (style, sizes)))?;
    let labels = RefCell::new(Labels::new(placed.frame, sizes.small, (placed.lifelines, sizes.scale)));
    let series: Vec<&Series> = panel.series.iter().collect();
    data(sheet, (panel, &placed.extent), &placed.frame, &series, (style, detail), &labels)?;
    sheet.group(None, || axes(sheet, placed, (&x, &y), (style, sizes)))?;
    Ok(labels.into_inner().refused())
}

/// Draws what a panel shows: `series` in their order, and the annotations at a place.
pub(super) fn data<S: Surface>(
    sheet: &Sheet<S>,
    (panel, extent): (&Panel, &Extent),
    frame: &Rectangle,
    series: &[&Series],
    (style, detail): (&Style, Detail),
    labels: &RefCell<dyn Labelling>,
) -> Result<(), Trouble> {
    let (x, y) = (Scaled::new(&panel.x, extent.x, &[]), Scaled::new(&panel.y, extent.y, &[]));
    let window = Window::new(panel, extent);
    let mut chart = sheet.chart(frame, x, y)?;
    let among_bars = series.iter().filter(|series| matches!(series.marks, Marks::Bars(_))).count() > 1;
    let marks = size_of_marks(frame.height(), detail.scale);
    let pen = |(position, series): (usize, &&Series)| {
        let (look, role) = (style.look(series.role), series.role.kind);
        Pen { window, style, look, role, detail, position, among_bars, marks }
    };
    let pens: Vec<Pen<'_>> = series.iter().enumerate().map(pen).collect();
    let texts: Vec<RefCell<ArrowTexts>> = series.iter().map(|_| RefCell::default()).collect();
    let parts = || series.iter().zip(&pens).zip(&texts);
    let arrows = parts().filter_map(|((series, pen), texts)| match &series.marks {
        Marks::Arrows(arrows) => Some(Arrows::new(arrows, pen, texts).behind(labels)),
        _ => None,
    });
    let arrows: Vec<Arrows<'_>> = arrows.collect();
    if !arrows.is_empty() {
        sheet.group(None, || arrows.into_iter().try_for_each(|arrows| element(&mut chart, arrows)))?;
    }
    for ((series, pen), texts) in parts() {
        sheet.group(Some(series), || draw_series(&mut chart, (panel, series), pen, texts))?;
    }
    let annotations = Annotations::new(&panel.annotations, &window, (style, detail.scale), labels);
    sheet.group(None, || element(&mut chart, annotations))
}

fn draw_series<S: Surface>(
    chart: &mut Chart<'_, S>,
    (panel, series): (&Panel, &Series),
    pen: &Pen<'_>,
    texts: &RefCell<ArrowTexts>,
) -> Result<(), Trouble> {
    match &series.marks {
        Marks::Points(points) => element(chart, Points { points, pen, ticks: false }),
        Marks::Ticks(points) => element(chart, Points { points, pen, ticks: true }),
        Marks::Lines(points) => element(chart, Lines::straight(points, pen)),
        Marks::Steps(points) => element(chart, Lines::steps(points, pen)),
        marks @ (Marks::VerticalStrokes(_) | Marks::HorizontalStrokes(_)) => {
            element(chart, Strokes { marks, pen, lanes: !panel.y.categories.is_empty() })
        }
        marks @ (Marks::Bars(_) | Marks::Areas(_)) => element(chart, Bars { marks, pen }),
        Marks::Arrows(arrows) => element(chart, Arrows::new(arrows, pen, texts)),
    }
}

/// Draws an element that stands for a whole series: it sees all its pixels, and can thin itself.
fn element<S, E>(chart: &mut Chart<'_, S>, element: E) -> Result<(), Trouble>
where
    S: Surface,
    E: Drawable<Canvas<S>>,
    for<'b> &'b E: PointCollection<'b, Value>,
{
    chart.draw_series::<BackendCoordOnly, E, _, _>(std::iter::once(element)).map(drop)
}

/// Parts drawn below the data.
fn behind<S: Surface>(
    sheet: &Sheet<S>,
    panel: &Panel,
    placed: &Placed,
    (x, y): (&Scaled<'_>, &Scaled<'_>),
    (style, sizes): (&Style, &Sizes),
) -> Result<(), Trouble> {
    let frame = &placed.frame;
    let width = style.grid_width * sizes.scale;
    let mut chart = sheet.chart(frame, x.sharp(width), y.sharp(width))?;
    let grid = solid(style.grid, width);
    chart
        .configure_mesh()
        .disable_axes()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(grid)
        .draw()?;
    let upright = if placed.lifelines {
        Some(solid(style.foreground.over(style.background, 0.55), style.axis_width * sizes.scale))
    } else {
        panel.x.categories.is_empty().then_some(grid)
    };
    if let Some(lines) = upright {
        let mut mesh = chart.configure_mesh();
        mesh.disable_axes().disable_y_mesh().light_line_style(TRANSPARENT).bold_line_style(lines).draw()?;
    }
    risers(sheet, placed, style, sizes)?;
    // Where a line does pass a text, it passes behind it.
    for room in &placed.raised {
        let corners: Vec<BackendCoord> = room.corners().into_iter().map(units).collect();
        sheet.root.draw(&Polygon::new(corners, filled(style.background, 1.0)))?;
    }
    // Events alone are not data.
    if placed.extent.empty || panel.series.iter().all(|series| series.marks.is_empty()) {
        let middle = ((frame.left + frame.right) / 2.0, (frame.top + frame.bottom) / 2.0);
        let colour = style.foreground.over(style.background, 0.6);
        sheet.root.draw(&Words(&Text::new("no data", middle, sizes.font, Anchor::Middle, colour)))?;
    }
    Ok(())
}

fn risers<S: Surface>(sheet: &Sheet<S>, placed: &Placed, style: &Style, sizes: &Sizes) -> Result<(), Trouble> {
    let width = style.axis_width * sizes.scale;
    let dash = Dash::Dashed.lengths().iter().map(|length| length * width * 0.7).collect();
    let stroke = Stroke { colour: style.foreground.over(style.background, 0.5), width, dash };
    placed.risers.iter().try_for_each(|riser| {
        let x = sharp(riser.x, width);
        sheet.root.draw(&Dashes { points: vec![(x, riser.top), (x, placed.frame.bottom)], stroke: &stroke })
    })
}

/// The axes, drawn over the data. Their numbers are texts of the layout.
fn axes<S: Surface>(
    sheet: &Sheet<S>,
    placed: &Placed,
    (x, y): (&Scaled<'_>, &Scaled<'_>),
    (style, sizes): (&Style, &Sizes),
) -> Result<(), Trouble> {
    let Rectangle { left, top, right, bottom } = placed.frame;
    let width = style.axis_width * sizes.scale;
    let (x, y) = (x.sharp(width), y.sharp(width));
    let ((first, last), (upper, lower)) = {
        let (corner, opposite) = (units((left, top)), units((right, bottom)));
        ((corner.0, opposite.0), (corner.1, opposite.1))
    };
    let (left, _) = units((sharp(left, width), 0.0));
    let ((_, top), (right, bottom)) = (units((0.0, sharp(top, width))), units((right, sharp(bottom, width))));
    let tick = units((sizes.tick, 0.0)).0;
    // A sequence diagram has its names, and the line below them, above.
    let (base, outwards) =
        if placed.lifelines { (top, top.saturating_sub(tick)) } else { (bottom, bottom.saturating_add(tick)) };
    let mut paths = vec![vec![(left, top), (left, bottom)], vec![(left, base), (right, base)]];
    paths.extend(placed.y.iter().map(|tick_y| {
        let height = y.map(&tick_y.value, (lower, upper));
        vec![(left.saturating_sub(tick), height), (left, height)]
    }));
    paths.extend(placed.x.iter().map(|tick_x| {
        let place = x.map(&tick_x.value, (first, last));
        vec![(place, base), (place, outwards)]
    }));
    let style = solid(style.foreground, width);
    paths.into_iter().try_for_each(|path| sheet.root.draw(&PathElement::new(path, style)))
}
