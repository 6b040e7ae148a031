//! Arrows with their texts.

use std::cell::RefCell;

use plotters::element::{Drawable, PointCollection};
use plotters_backend::BackendCoord;

use super::super::backend::{Canvas, Surface, pixels};
use super::super::figure::Arrow;
use super::super::geometry::PixelPoint;
use super::super::text::Text;
use super::super::thin;
use super::Pen;
use super::labels::Labelling;
use super::shapes::{Drawn, arrow_head, stroke};
use super::window::Value;
use crate::terminal_text::escape;
use mptcp_trace::interrupt::interruptible;

/// Texts and characters at the arrows of a series, with their places.
#[derive(Default)]
pub(super) struct ArrowTexts {
    /// Heads that are characters; `None` of arrows whose heads are drawn.
    heads: Vec<Option<Text>>,
    texts: Vec<Text>,
}

/// When arrows are drawn.
enum Stage<'a> {
    /// Before all series: texts find their places, and a patch of the background behind each, which must not cover the heads
    /// of other arrows.
    Behind(&'a RefCell<dyn Labelling + 'a>),
    /// As a series.
    Data,
}

/// Arrows of one series.
pub(super) struct Arrows<'a> {
    /// Those that are shown, cut at the edges of the panel.
    shown: Vec<(Value, Value, &'a str)>,
    pen: &'a Pen<'a>,
    texts: &'a RefCell<ArrowTexts>,
    stage: Stage<'a>,
}

impl<'a> Arrows<'a> {
    /// The arrows, whose texts were placed.
    pub(super) fn new(arrows: &'a [Arrow], pen: &'a Pen<'a>, texts: &'a RefCell<ArrowTexts>) -> Self {
        let shown = interruptible(arrows).filter_map(|arrow| {
            let (from, to) = pen.window.segment((arrow.from.x, arrow.from.y), (arrow.to.x, arrow.to.y))?;
            Some((from, to, arrow.text.as_str()))
        });
        Arrows { shown: shown.collect(), pen, texts, stage: Stage::Data }
    }

    /// What is behind them: places their texts.
    pub(super) fn behind(self, labels: &'a RefCell<dyn Labelling + 'a>) -> Self {
        Arrows { stage: Stage::Behind(labels), ..self }
    }

    fn place(&self, kept: &[(PixelPoint, PixelPoint, &str)], labels: &mut dyn Labelling) -> ArrowTexts {
        let Pen { look, style, .. } = self.pen;
        let heads = kept.iter().map(|(from, to, _)| labels.head(*from, *to, look.colour)).collect();
        let texts = interruptible(kept.iter().filter(|(_, _, text)| !text.is_empty()))
            .filter_map(|(from, to, text)| labels.along_line(&escape(text), *from, *to, style.foreground))
            .collect();
        ArrowTexts { heads, texts }
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
        if let Stage::Behind(labels) = &self.stage {
            let found = self.place(&kept, &mut *labels.borrow_mut());
            if !S::COARSE {
                found.texts.iter().for_each(|text| canvas.area(text.corners(0.0), style.background, 0.8));
            }
            *self.texts.borrow_mut() = found;
            return Ok(());
        }
        let stroke = stroke(look, style, detail.scale);
        kept.iter().for_each(|(from, to, _)| canvas.line([*from, *to], &stroke));
        let found = self.texts.borrow();
        for ((from, to, _), head) in kept.iter().zip(&found.heads) {
            match head {
                Some(head) => canvas.write(head),
                None => canvas.area(arrow_head(*from, *to, detail.scale), look.colour, 1.0),
            }
        }
        found.texts.iter().for_each(|text| canvas.write(text));
        Ok(())
    }
}
