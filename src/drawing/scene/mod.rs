//! A figure laid out in pixels: lines, areas, marks and texts in the order in which they are drawn.
//!
//! The renderers for SVG and bitmaps draw nothing but this; where things stand and what they look like is settled here.

pub mod clip;
mod furniture;
mod legend;
mod series;

use super::DrawError;
use super::extent::left_out;
use super::figure::Figure;
use super::layout::{Layout, Sizes, layout};
use super::shape::{Group, Scene, Shape};
use super::style::Style;
use mptcp_trace::units::grouped;

/// Resolution of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detail {
    /// Pixels for one of 96 an inch: text and lines grow with it.
    pub scale: f64,
    /// Pixels within which marks count as one.
    pub cell: f64,
    /// Marks that may be left, all series together.
    pub most: usize,
}

/// Lays a valid figure out.
///
/// # Errors
/// [`DrawError::TooSmall`] when the panels have no room.
pub fn scene(figure: &Figure, (width, height): (u32, u32), style: &Style, detail: Detail) -> Result<Scene, DrawError> {
    let sizes = Sizes::new(style, detail.scale, (width, height));
    let mut notes = Vec::new();
    let missing = left_out(figure);
    if missing > 0 {
        let shown = grouped(u64::try_from(missing).unwrap_or(u64::MAX));
        notes.push(format!("Not shown, because a logarithmic axis has no place for values <= 0: {shown}."));
    }
    let mut plan = layout(figure, &notes, &sizes)?;
    let mut drawn = draw(figure, &plan, style, detail, &sizes);
    if drawn.unlabelled {
        notes.push("Some labels omitted for lack of room.".to_string());
        // The note itself takes room, which changes nothing about its truth.
        if let Ok(noted) = layout(figure, &notes, &sizes) {
            plan = noted;
            drawn = draw(figure, &plan, style, detail, &sizes);
        }
    }
    Ok(Scene { width, height, background: style.background, title: figure.title.clone(), groups: drawn.groups })
}

/// Drawn parts, and whether labels were omitted.
struct Drawn {
    groups: Vec<Group>,
    unlabelled: bool,
}

fn draw(figure: &Figure, plan: &Layout, style: &Style, detail: Detail, sizes: &Sizes) -> Drawn {
    let mut groups = Vec::new();
    let mut unlabelled = plan.unlabelled;
    let count: usize = figure.panels.iter().map(|panel| panel.series.len()).sum();
    let most = detail.most.checked_div(count).unwrap_or(detail.most).max(100);
    for (panel, placed) in figure.panels.iter().zip(&plan.panels) {
        groups.push(furniture::behind(panel, placed, style, sizes));
        let mut painter = series::Painter::new(panel, placed, style, sizes, Detail { most, ..detail });
        for (place, series) in panel.series.iter().enumerate() {
            groups.push(painter.series(place, series));
        }
        groups.push(painter.annotations());
        unlabelled |= painter.unlabelled();
        groups.push(furniture::frame(panel, placed, style, sizes));
    }
    groups.push(legend::samples(&plan.legend, style, sizes));
    let texts = plan.texts.iter().cloned().map(Shape::Text).collect();
    groups.push(Group { name: None, shapes: texts });
    Drawn { groups, unlabelled }
}
