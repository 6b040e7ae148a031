//! Panels put together: those without anything in them are named below the plot instead.

use mptcp_trace::tracking::Role;

use crate::drawing::figure::{Axis, Figure, Panel};

/// An empty panel of one direction.
#[must_use]
pub fn panel(towards: Role, x: Axis, y: Axis) -> Panel {
    Panel::new(x, y).titled(format!("towards the {}", towards.name()))
}

/// An empty panel of one direction that has several; `what` tells it from them.
#[must_use]
pub fn panel_of(what: &str, towards: Role, x: Axis, y: Axis) -> Panel {
    Panel::new(x, y).titled(format!("towards the {}, {what}", towards.name()))
}

/// Adds the panels in which something is drawn; with none, an empty one, which says that there are no data.
#[must_use]
pub fn with_panels(mut figure: Figure, panels: Vec<Panel>) -> Figure {
    let first = panels.first().cloned();
    let (filled, empty): (Vec<Panel>, Vec<Panel>) =
        panels.into_iter().partition(|panel| panel.series.iter().any(|series| !series.marks.is_empty()));
    figure.panels.extend(filled);
    if figure.panels.is_empty() {
        figure.panels.extend(first.map(|panel| Panel { title: None, series: Vec::new(), ..panel }));
    }
    let mut names: Vec<String> = empty.into_iter().filter_map(|panel| panel.title).collect();
    // Panels of one direction may have one title.
    names.dedup();
    if !names.is_empty() {
        figure.caption.push(format!("No data to show {}.", names.join("; ")));
    }
    figure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::figure::{Marks, Point, Role, Series, Unit};

    fn titled(title: &str, points: Vec<Point>) -> Panel {
        Panel::new(Axis::new("time", Unit::Seconds), Axis::new("delay", Unit::Seconds))
            .titled(title)
            .with_series(Series::new("a", Role::subflow(0), Marks::Points(points)))
    }

    #[test]
    fn empty_panels_are_named() {
        let some = vec![Point { x: 1.0, y: 1.0 }];
        let panels = vec![titled("towards the server", Vec::new()), titled("towards the client", some)];
        let figure = with_panels(Figure::new(""), panels);
        assert_eq!(figure.panels.len(), 1);
        assert_eq!(figure.panels[0].title.as_deref(), Some("towards the client"));
        assert_eq!(figure.caption, ["No data to show towards the server."]);
    }

    #[test]
    fn one_empty_panel_stays_to_say_so() {
        let panels = vec![titled("towards the server", Vec::new()), titled("towards the client", Vec::new())];
        let figure = with_panels(Figure::new(""), panels);
        assert_eq!((figure.panels.len(), figure.panels[0].title.as_deref()), (1, None));
        assert_eq!(figure.caption, ["No data to show towards the server; towards the client."]);
    }
}
