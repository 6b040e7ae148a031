//! Annotations at a place: a dot, and a text beside it.

use std::cell::RefCell;

use plotters::element::{Drawable, PointCollection};
use plotters_backend::BackendCoord;

use super::super::backend::{Canvas, Surface, pixels};
use super::super::figure::Annotation;
use super::super::geometry::PixelPoint;
use super::super::style::{Style, Symbol};
use super::labels::Labelling;
use super::shapes::{Drawn, boxed};
use super::window::{Value, Window};
use crate::terminal_text::escape;

/// Annotations of one panel.
pub(super) struct Annotations<'a> {
    shown: Vec<(Value, &'a str)>,
    style: &'a Style,
    scale: f64,
    labels: &'a RefCell<dyn Labelling + 'a>,
}

impl<'a> Annotations<'a> {
    pub(super) fn new(
        annotations: &'a [Annotation],
        window: &Window,
        (style, scale): (&'a Style, f64),
        labels: &'a RefCell<dyn Labelling + 'a>,
    ) -> Self {
        let placed = annotations.iter().filter_map(|one| Some(((one.x, one.y?), one.text.as_str())));
        let shown = placed.filter(|(value, _)| window.holds(*value)).collect();
        Annotations { shown, style, scale, labels }
    }
}

impl<'b> PointCollection<'b, Value> for &'b Annotations<'_> {
    type Point = Value;
    type IntoIter = Box<dyn Iterator<Item = Value> + 'b>;

    fn point_iter(self) -> Self::IntoIter {
        Box::new(self.shown.iter().map(|(value, _)| *value))
    }
}

impl<S: Surface> Drawable<Canvas<S>> for Annotations<'_> {
    fn draw<I: Iterator<Item = BackendCoord>>(&self, places: I, canvas: &mut Canvas<S>, _: (u32, u32)) -> Drawn {
        let places: Vec<PixelPoint> = places.map(pixels).collect();
        let mut labels = self.labels.borrow_mut();
        let colour = self.style.foreground;
        let signs: Vec<_> = places.iter().map(|place| (labels.sign(*place, colour), *place)).collect();
        for ((_, text), place) in self.shown.iter().zip(&places).filter(|((_, text), _)| !text.is_empty()) {
            if let Some(text) = labels.around(&escape(text), *place, colour) {
                boxed(canvas, &text, self.style.background);
            }
        }
        for (sign, place) in signs {
            match sign {
                Some(sign) => canvas.write(&sign),
                None => canvas.mark(Symbol::Circle, 4.0 * self.scale, place, colour),
            }
        }
        Ok(())
    }
}
