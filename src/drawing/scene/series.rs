//! Series as lines, areas and marks, thinned to what the picture can show.

mod labels;

use super::super::figure::{Arrow, Bar, Marks, Panel, Point, Series};
use super::super::layout::{Placed, Sizes};
use super::super::shape::{Anchor, Group, Rectangle, Shape, Stroke, Text};
use super::super::style::{Look, Style, Symbol};
use super::super::thin::{self, PixelPoint};
use super::{Detail, clip};
use crate::terminal_text::escape;
use labels::{Labels, boxed};
use mptcp_trace::interrupt::interruptible;

/// Opacity of a bar.
pub(super) const BAR: f64 = 0.45;
/// Pixels at 96 an inch between the marks that tell lines apart.
const BETWEEN_MARKS: f64 = 56.0;
/// Such marks on one series.
const MOST_MARKS: usize = 200;

/// Draws the series of one panel.
pub(super) struct Painter<'a> {
    panel: &'a Panel,
    placed: &'a Placed,
    style: &'a Style,
    sizes: &'a Sizes,
    detail: Detail,
    labels: Labels,
}

impl<'a> Painter<'a> {
    pub(super) fn new(
        panel: &'a Panel,
        placed: &'a Placed,
        style: &'a Style,
        sizes: &'a Sizes,
        detail: Detail,
    ) -> Self {
        let labels = Labels::new(placed.frame, sizes.small);
        Painter { panel, placed, style, sizes, detail, labels }
    }

    /// Whether texts had no room.
    pub(super) fn unlabelled(&self) -> bool {
        self.labels.refused()
    }

    /// The shapes of one series, the `position`-th of its panel.
    pub(super) fn series(&mut self, position: usize, series: &Series) -> Group {
        let look = self.style.look(series.role);
        let shapes = match &series.marks {
            Marks::Points(points) => self.points(points, &look),
            Marks::Ticks(points) => self.ticks(points, &look),
            Marks::Lines(points) => self.lines(&self.parts(points), position, &look),
            Marks::Steps(points) => {
                self.lines(&self.parts(points).iter().map(|part| steps(part)).collect::<Vec<_>>(), position, &look)
            }
            Marks::VerticalStrokes(strokes) => {
                let ends = interruptible(strokes).map(|stroke| ((stroke.x, stroke.y_low), (stroke.x, stroke.y_high)));
                let placed: Vec<_> = ends
                    .filter_map(|(low, high)| self.both(low, high))
                    .map(|(low, high)| (low.0, low.1, high.1))
                    .collect();
                self.strokes(&placed, position, &look, |x, y| (x, y))
            }
            Marks::HorizontalStrokes(strokes) => {
                let ends = interruptible(strokes).map(|stroke| ((stroke.x_low, stroke.y), (stroke.x_high, stroke.y)));
                let placed: Vec<_> = ends
                    .filter_map(|(left, right)| self.both(left, right))
                    .map(|(left, right)| (left.1, left.0, right.0))
                    .collect();
                self.strokes(&placed, position, &look, |x, y| (y, x))
            }
            Marks::Bars(bars) => self.bars(bars, &look),
            Marks::Arrows(arrows) => self.arrows(arrows, &look),
        };
        Group { name: Some(escape(&series.name).into_owned()), shapes }
    }

    fn place(&self, x: f64, y: f64) -> Option<PixelPoint> {
        (self.panel.x.places(x) && self.panel.y.places(y)).then(|| self.placed.place(self.panel, (x, y)))
    }

    fn both(&self, from: PixelPoint, to: PixelPoint) -> Option<(PixelPoint, PixelPoint)> {
        Some((self.place(from.0, from.1)?, self.place(to.0, to.1)?))
    }

    /// Points of a line in the picture; a point without a place parts the line.
    fn parts(&self, points: &[Point]) -> Vec<Vec<PixelPoint>> {
        let mut parts = vec![Vec::new()];
        for point in interruptible(points) {
            match (self.place(point.x, point.y), parts.last_mut()) {
                (Some(place), Some(part)) => part.push(place),
                (None, Some(part)) if !part.is_empty() => parts.push(Vec::new()),
                _ => {}
            }
        }
        parts
    }

    fn inside(&self, points: &[Point]) -> Vec<PixelPoint> {
        // A point on the very edge stays, however its place was rounded.
        let frame = self.placed.frame.grown(0.01);
        let places = interruptible(points).filter_map(|point| self.place(point.x, point.y));
        places.filter(|place| frame.holds(*place)).collect()
    }

    fn points(&self, points: &[Point], look: &Look) -> Vec<Shape> {
        let symbol = if look.mark == Symbol::None { Symbol::Circle } else { look.mark };
        let places = thin::marks(&self.inside(points), self.detail.cell, self.detail.most);
        // Crowds need smaller marks.
        let crowd = (places.len() as f64 / 150.0).max(1.0).powf(0.3);
        let size = self.style.mark_size * self.sizes.scale * (1.0 / crowd).max(0.45);
        vec![Shape::Marks { symbol, size, places, colour: look.colour }]
    }

    fn ticks(&self, points: &[Point], look: &Look) -> Vec<Shape> {
        let half = self.style.mark_size * self.sizes.scale / 2.0;
        let places = thin::marks(&self.inside(points), self.detail.cell, self.detail.most);
        let paths = places.into_iter().map(|(x, y)| vec![(x - half, y), (x + half, y)]).collect();
        vec![Shape::Lines { paths, stroke: self.stroke(look) }]
    }

    fn lines(&self, parts: &[Vec<PixelPoint>], position: usize, look: &Look) -> Vec<Shape> {
        let share = self.detail.most.checked_div(parts.len()).unwrap_or(0).max(8);
        let paths: Vec<Vec<PixelPoint>> = parts
            .iter()
            .flat_map(|part| thin::line(part, self.detail.cell, share))
            .flat_map(|line| clip::line(&line, &self.placed.frame))
            .collect();
        let marks = self.telling_marks(paths.iter().flatten().copied(), position, look);
        // A line of one point would not be seen.
        let alone: Vec<PixelPoint> = paths.iter().filter(|path| path.len() == 1).flatten().copied().collect();
        let stroke = line_stroke(look, self.style.line_width, self.sizes.scale);
        let dots =
            Shape::Marks { symbol: Symbol::Circle, size: stroke.width * 2.0, places: alone, colour: look.colour };
        let mut shapes = vec![Shape::Lines { paths, stroke }, dots];
        shapes.extend(marks);
        shapes
    }

    /// Strokes given as (across, along, along); `turn` makes (across, along) a place.
    fn strokes(
        &self,
        strokes: &[thin::Stroke],
        position: usize,
        look: &Look,
        turn: impl Fn(f64, f64) -> PixelPoint,
    ) -> Vec<Shape> {
        let stroke = self.stroke(look);
        let frame = self.placed.frame;
        let visible: Vec<thin::Stroke> = strokes
            .iter()
            .filter_map(|(across, from, to)| {
                let (start, end) = clip::segment(turn(*across, *from), turn(*across, *to), &frame.grown(0.01))?;
                let (from, to) = if turn(1.0, 0.0) == (1.0, 0.0) { (start.1, end.1) } else { (start.0, end.0) };
                Some((*across, from.min(to), from.max(to)))
            })
            .collect();
        let kept = thin::strokes(&visible, self.detail.cell, self.detail.most);
        let ends = kept.iter().map(|(across, from, to)| {
            // Shorter than wide it would not be seen.
            let missing = (stroke.width - (to - from)).max(0.0) / 2.0;
            (*across, from - missing, to + missing)
        });
        let paths = ends.map(|(across, from, to)| vec![turn(across, from), turn(across, to)]).collect();
        let tips = kept.iter().map(|(across, from, _)| turn(*across, *from));
        let marks = self.telling_marks(tips, position, look);
        let mut shapes = vec![Shape::Lines { paths, stroke }];
        shapes.extend(marks);
        shapes
    }

    fn bars(&self, bars: &[Bar], look: &Look) -> Vec<Shape> {
        let frame = &self.placed.frame;
        let ground = if self.panel.y.places(0.0) { 0.0 } else { self.placed.extent.y.low };
        let boxes = bars.iter().filter_map(|bar| {
            let ((left, top), (right, bottom)) = self.both((bar.x_low, bar.y), (bar.x_high, ground))?;
            let upright = Rectangle {
                left: left.min(right),
                top: top.min(bottom),
                right: left.max(right),
                bottom: top.max(bottom),
            };
            clip::rectangle(&upright, frame)
        });
        let (wide, narrow): (Vec<Rectangle>, Vec<Rectangle>) =
            boxes.partition(|bar| bar.width() >= 2.0 * self.detail.cell.max(self.sizes.scale));
        let wide = thin::pairs(&wide, self.detail.cell, self.detail.most, |bar| {
            ((bar.left, bar.top), (bar.right, bar.bottom))
        });
        let narrow: Vec<_> = narrow.iter().map(|bar| ((bar.left + bar.right) / 2.0, bar.top, bar.bottom)).collect();
        let narrow = thin::strokes(&narrow, self.detail.cell, self.detail.most);
        let polygons: Vec<Vec<PixelPoint>> = wide.iter().map(Rectangle::corners).collect();
        let outlines =
            polygons.iter().map(|corners| corners.iter().chain(corners.first()).copied().collect()).collect();
        let outline = Stroke { width: self.sizes.scale, ..line_stroke(look, self.style.line_width, self.sizes.scale) };
        let upright = narrow.into_iter().map(|(x, top, bottom)| vec![(x, top), (x, bottom)]).collect();
        let solid = Stroke::solid(look.colour, self.detail.cell.max(self.sizes.scale));
        let size = self.style.mark_size * self.sizes.scale * 0.9;
        let roomy = wide.iter().filter(|bar| bar.width() > 2.0 * size && bar.height() > 2.0 * size);
        let places: Vec<PixelPoint> =
            roomy.map(|bar| ((bar.left + bar.right) / 2.0, bar.top + size)).take(MOST_MARKS).collect();
        let mut shapes = vec![
            Shape::Areas { polygons, colour: look.colour, opacity: BAR },
            Shape::Lines { paths: outlines, stroke: outline },
            Shape::Lines { paths: upright, stroke: solid },
        ];
        if look.mark != Symbol::None {
            shapes.push(Shape::Marks { symbol: look.mark, size, places, colour: look.colour });
        }
        shapes
    }

    fn arrows(&mut self, arrows: &[Arrow], look: &Look) -> Vec<Shape> {
        let frame = self.placed.frame;
        let placed: Vec<(PixelPoint, PixelPoint, &str)> = arrows
            .iter()
            .filter_map(|arrow| {
                let (from, to) = self.both((arrow.from.x, arrow.from.y), (arrow.to.x, arrow.to.y))?;
                let (start, end) = clip::segment(from, to, &frame.grown(0.01))?;
                Some((start, end, arrow.text.as_str()))
            })
            .collect();
        let kept = thin::pairs(&placed, self.detail.cell, self.detail.most, |(from, to, _)| (*from, *to));
        let paths = kept.iter().map(|(from, to, _)| vec![*from, *to]).collect();
        let heads = kept.iter().map(|(from, to, _)| arrow_head(*from, *to, self.sizes.scale)).collect();
        let mut shapes = vec![
            Shape::Lines { paths, stroke: self.stroke(look) },
            Shape::Areas { polygons: heads, colour: look.colour, opacity: 1.0 },
        ];
        for (from, to, text) in interruptible(kept.iter().filter(|(_, _, text)| !text.is_empty())) {
            if let Some(text) = self.labels.along_line(&escape(text), *from, *to, self.style.foreground) {
                shapes.extend(boxed(text, self.style.background));
            }
        }
        shapes
    }

    /// The texts of annotations at a place.
    pub(super) fn annotations(&mut self) -> Group {
        let mut shapes = Vec::new();
        let mut places = Vec::new();
        for annotation in &self.panel.annotations {
            let Some(place) = annotation.y.and_then(|y| self.place(annotation.x, y)) else { continue };
            if !self.placed.frame.grown(0.01).holds(place) {
                continue;
            }
            places.push(place);
            if annotation.text.is_empty() {
                continue;
            }
            if let Some(text) = self.labels.around(&escape(&annotation.text), place, self.style.foreground) {
                shapes.extend(boxed(text, self.style.background));
            }
        }
        let size = 4.0 * self.sizes.scale;
        shapes.push(Shape::Marks { symbol: Symbol::Circle, size, places, colour: self.style.foreground });
        Group { name: None, shapes }
    }

    fn stroke(&self, look: &Look) -> Stroke {
        Stroke::solid(look.colour, look.width.unwrap_or(self.style.stroke_width) * self.sizes.scale)
    }

    /// A mark now and then on a line, so that it can be told from others without colour. Series start at different
    /// places, so that their marks do not meet.
    fn telling_marks(&self, places: impl Iterator<Item = PixelPoint>, position: usize, look: &Look) -> Option<Shape> {
        if look.mark == Symbol::None {
            return None;
        }
        let between = BETWEEN_MARKS * self.sizes.scale;
        let mut chosen: Vec<PixelPoint> = Vec::new();
        let mut before: Option<PixelPoint> = None;
        // The first mark of the n-th series comes after n quarters of the distance.
        let delay = between * (position % 4) as f64 / 4.0;
        let mut first: Option<PixelPoint> = None;
        for (x, y) in interruptible(places) {
            let start = *first.get_or_insert((x, y));
            let far =
                |(other_x, other_y): PixelPoint, distance: f64| (x - other_x).abs() + (y - other_y).abs() >= distance;
            let due = match before {
                None => far(start, delay),
                Some(before) => far(before, between),
            };
            if due && chosen.len() < MOST_MARKS {
                chosen.push((x, y));
                before = Some((x, y));
            }
        }
        // A short line still gets its mark.
        if chosen.is_empty() {
            chosen.extend(first);
        }
        let size = self.style.mark_size * self.sizes.scale * 0.9;
        Some(Shape::Marks { symbol: look.mark, size, places: chosen, colour: look.colour })
    }
}

/// Dashes and width of a line.
pub(super) fn line_stroke(look: &Look, width: f64, scale: f64) -> Stroke {
    let width = look.width.unwrap_or(width) * scale;
    let dash = look.dash.lengths().iter().map(|length| length * width).collect();
    Stroke { colour: look.colour, width, dash }
}

/// Corners of the head of an arrow.
pub(super) fn arrow_head(from: PixelPoint, to: PixelPoint, scale: f64) -> Vec<PixelPoint> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy);
    if length <= 0.0 {
        return Vec::new();
    }
    let (along, across) = (8.0 * scale / length, 3.0 * scale / length);
    let (back_x, back_y) = (to.0 - dx * along, to.1 - dy * along);
    vec![to, (back_x - dy * across, back_y + dx * across), (back_x + dy * across, back_y - dx * across)]
}

/// A value holds until the next one comes.
fn steps(points: &[PixelPoint]) -> Vec<PixelPoint> {
    let mut line = Vec::with_capacity(points.len().saturating_mul(2));
    let mut height = None;
    for (x, y) in interruptible(points) {
        if let Some(height) = height {
            line.push((*x, height));
        }
        line.push((*x, *y));
        height = Some(*y);
    }
    line
}
