//! Points: a mark or a short line at each.

use plotters::element::{Drawable, PointCollection};
use plotters_backend::BackendCoord;

use super::super::backend::{Canvas, Surface, pixels};
use super::super::figure::{Point, RoleKind};
use super::super::geometry::PixelPoint;
use super::super::style::Symbol;
use super::super::thin;
use super::Pen;
use super::shapes::{Drawn, stroke};
use super::window::Value;
use mptcp_trace::interrupt::interruptible;

/// Size of marks of what receivers report, in multiples of others: they come on request, beside the data.
const REPORTED: f64 = 0.7;

/// How far marks of a role are apart where they are dense, in multiples of their size.
fn apart(role: RoleKind) -> f64 {
    match role {
        // Marks of something that happened hide data: half a mark shows as much as a whole one.
        RoleKind::Retransmission | RoleKind::Reinjection | RoleKind::Loss | RoleKind::Event => 0.7,
        // What receivers report comes with many packets: a row of marks beside each other is as dense as can be read.
        RoleKind::DuplicateAck | RoleKind::ZeroWindow => 1.5,
        _ => 0.0,
    }
}

/// Points of one series.
pub(super) struct Points<'a> {
    pub(super) points: &'a [Point],
    pub(super) pen: &'a Pen<'a>,
    /// Whether each is a short line.
    pub(super) ticks: bool,
}

impl<'b> PointCollection<'b, Value> for &'b Points<'_> {
    type Point = Value;
    type IntoIter = Box<dyn Iterator<Item = Value> + 'b>;

    fn point_iter(self) -> Self::IntoIter {
        let values = interruptible(self.points).map(|point| (point.x, point.y));
        Box::new(values.filter(|value| self.pen.window.holds(*value)))
    }
}

impl<S: Surface> Drawable<Canvas<S>> for Points<'_> {
    fn draw<I: Iterator<Item = BackendCoord>>(&self, places: I, canvas: &mut Canvas<S>, _: (u32, u32)) -> Drawn {
        let Pen { look, style, detail, .. } = self.pen;
        let places: Vec<PixelPoint> = places.map(pixels).collect();
        let apart = if S::COARSE { 0.0 } else { self.pen.mark_size() * apart(self.pen.role) };
        let places = thin::marks(&places, detail.cell.max(apart), detail.most);
        if self.ticks {
            let half = self.pen.mark_size() / 2.0;
            let stroke = stroke(look, style, detail.scale);
            places.into_iter().for_each(|(x, y)| canvas.line([(x - half, y), (x + half, y)], &stroke));
            return Ok(());
        }
        let symbol = if look.mark == Symbol::None { Symbol::Circle } else { look.mark };
        // Crowds need smaller marks, whatever the dots per inch.
        let cell = detail.cell.max(detail.scale);
        let count = if cell > detail.cell { thin::marks(&places, cell, detail.most).len() } else { places.len() };
        let crowd = (count as f64 / 150.0).max(1.0).powf(0.3);
        let reported = matches!(self.pen.role, RoleKind::DuplicateAck | RoleKind::ZeroWindow);
        let size = self.pen.mark_size() * (1.0 / crowd).max(0.45) * if reported { REPORTED } else { 1.0 };
        places.into_iter().for_each(|place| canvas.mark(symbol, size, place, look.colour));
        Ok(())
    }
}
