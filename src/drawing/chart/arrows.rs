//! Arrows with their texts.

use std::cell::RefCell;

use plotters::element::{Drawable, PointCollection};
use plotters_backend::BackendCoord;

use super::super::backend::{Canvas, Surface, pixels};
use super::super::figure::Arrow;
use super::super::geometry::PixelPoint;
use super::super::thin;
use super::Pen;
use super::labels::Labelling;
use super::shapes::{Drawn, arrow_head, boxed, stroke};
use super::window::Value;
use crate::terminal_text::escape;
use mptcp_trace::interrupt::interruptible;

/// Arrows of one series.
pub(super) struct Arrows<'a> {
    /// Those that are shown, cut at the edges of the panel.
    shown: Vec<(Value, Value, &'a str)>,
    pen: &'a Pen<'a>,
    labels: &'a RefCell<dyn Labelling + 'a>,
}

impl<'a> Arrows<'a> {
    pub(super) fn new(arrows: &'a [Arrow], pen: &'a Pen<'a>, labels: &'a RefCell<dyn Labelling + 'a>) -> Self {
        let shown = interruptible(arrows).filter_map(|arrow| {
            let (from, to) = pen.window.segment((arrow.from.x, arrow.from.y), (arrow.to.x, arrow.to.y))?;
            Some((from, to, arrow.text.as_str()))
        });
        Arrows { shown: shown.collect(), pen, labels }
    }
}

/// The two ends of each arrow, one after the other.
impl<'b> PointCollection<'b, Value> for &'b Arrows<'_> {
    type Point = Value;
    type IntoIter = Box<dyn Iterator<Item = Value> + 'b>;

    fn point_iter(self) -> Self::IntoIter {
        Box::new(self.shown.iter().flat_map(|(from, to, _)| [*from, *to]))
    }
}

impl<S: Surface> Drawable<Canvas<S>> for Arrows<'_> {
    fn draw<I: Iterator<Item = BackendCoord>>(&self, places: I, canvas: &mut Canvas<S>, _: (u32, u32)) -> Drawn {
        let Pen { look, style, detail, .. } = self.pen;
        let mut places = places.map(pixels);
        let mut placed: Vec<(PixelPoint, PixelPoint, &str)> = Vec::with_capacity(self.shown.len());
        for (_, _, text) in &self.shown {
            let (Some(from), Some(to)) = (places.next(), places.next()) else { break };
            placed.push((from, to, text));
        }
        let kept = thin::pairs(&placed, detail.cell, detail.most, |(from, to, _)| (*from, *to));
        let stroke = stroke(look, style, detail.scale);
        kept.iter().for_each(|(from, to, _)| canvas.line([*from, *to], &stroke));
        let mut labels = self.labels.borrow_mut();
        for (from, to, _) in &kept {
            match labels.head(*from, *to, look.colour) {
                Some(head) => canvas.write(&head),
                None => canvas.area(arrow_head(*from, *to, detail.scale), look.colour, 1.0),
            }
        }
        for (from, to, text) in interruptible(kept.iter().filter(|(_, _, text)| !text.is_empty())) {
            if let Some(text) = labels.along_line(&escape(text), *from, *to, style.foreground) {
                boxed(canvas, &text, style.background);
            }
        }
        Ok(())
    }
}
