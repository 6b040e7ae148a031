//! Strokes: upright lines, such as segments over time, and level ones, such as spans of time.

use plotters::element::{Drawable, PointCollection};
use plotters_backend::BackendCoord;

use super::super::backend::{Canvas, Surface, pixels};
use super::super::figure::{MarkBox, Marks, RoleKind};
use super::super::geometry::PixelPoint;
use super::super::thin;
use super::Pen;
use super::shapes::{Drawn, MOST_MARKS, stroke};
use super::window::{Value, Window};
use mptcp_trace::interrupt;

/// Strokes of one series, all in one direction.
pub(super) struct Strokes<'a> {
    pub(super) marks: &'a Marks,
    pub(super) pen: &'a Pen<'a>,
    /// Level ones are at places with names: the lanes of a diagram, not values.
    pub(super) lanes: bool,
}

/// Half the length of the lines that end strokes of reported data, in pixels of 96 per inch: with the colour of their
/// subflow, they would else look like data.
pub(super) const HALF_CAP: f64 = 1.8;

/// Whether strokes of a role end in short lines across.
pub(super) fn is_capped(role: RoleKind) -> bool {
    role == RoleKind::Sack
}

impl Strokes<'_> {
    fn upright(&self) -> bool {
        matches!(self.marks, Marks::VerticalStrokes(_))
    }
}

/// The two ends of each stroke, one after the other.
impl<'b> PointCollection<'b, Value> for &'b Strokes<'_> {
    type Point = Value;
    type IntoIter = Ends<'b>;

    fn point_iter(self) -> Self::IntoIter {
        Ends { boxes: self.marks.boxes(), window: &self.pen.window, other: None }
    }
}

/// The ends of the strokes that a window shows.
pub(super) struct Ends<'b> {
    boxes: Box<dyn Iterator<Item = MarkBox> + 'b>,
    window: &'b Window,
    /// The other end of a stroke whose first one was given.
    other: Option<Value>,
}

impl Iterator for Ends<'_> {
    type Item = Value;

    #[inline]
    fn next(&mut self) -> Option<Value> {
        if let Some(other) = self.other.take() {
            return Some(other);
        }
        while !interrupt::requested() {
            let (x, y, x_end, y_end) = self.boxes.next()?;
            if let Some((from, to)) = self.window.segment((x, y), (x_end, y_end)) {
                self.other = Some(to);
                return Some(from);
            }
        }
        None
    }
}

impl<S: Surface> Drawable<Canvas<S>> for Strokes<'_> {
    fn draw<I: Iterator<Item = BackendCoord>>(&self, places: I, canvas: &mut Canvas<S>, _: (u32, u32)) -> Drawn {
        let Pen { look, style, detail, .. } = self.pen;
        let upright = self.upright();
        let turn = |across: f64, along: f64| if upright { (across, along) } else { (along, across) };
        let mut places = places.map(pixels);
        let mut strokes: Vec<thin::Stroke> = Vec::with_capacity(self.marks.len());
        while let (Some(from), Some(to)) = (places.next(), places.next()) {
            let ((across, from), (_, to)) = (turn(from.0, from.1), turn(to.0, to.1));
            strokes.push((across, from.min(to), from.max(to)));
        }
        let capped = upright && is_capped(self.pen.role) && !S::COARSE;
        let cap = self.pen.scaled(HALF_CAP);
        // Caps that meet would be lines.
        let apart = if capped { 4.0 * cap } else { 0.0 };
        let kept = thin::strokes(&strokes, detail.cell.max(apart), detail.most);
        let stroke = stroke(look, style, detail.scale);
        for (across, from, to) in &kept {
            // Shorter than wide it would not be seen.
            let missing = (stroke.width - (to - from)).max(0.0) / 2.0;
            canvas.line([turn(*across, from - missing), turn(*across, to + missing)], &stroke);
            if capped {
                [from, to]
                    .into_iter()
                    .for_each(|end| canvas.line([(across - cap, *end), (across + cap, *end)], &stroke));
            }
        }
        let tip = |(across, from, _): &thin::Stroke| -> PixelPoint { turn(*across, *from) };
        // Each level value has its mark, if they are few: those of one height that follow on each other would be one line.
        if !upright && !self.lanes && strokes.len() <= MOST_MARKS {
            self.pen.mark_each(strokes.iter().map(tip), canvas);
            return Ok(());
        }
        let tips = kept.iter().map(tip);
        if upright || self.lanes || kept.len() > MOST_MARKS {
            self.pen.telling_marks(tips, canvas);
        } else {
            self.pen.mark_each(tips, canvas);
        }
        Ok(())
    }
}
