//! Panels put together: those without anything in them are named below the plot instead.

use mptcp_trace::tracking::Role;

use crate::drawing::figure::{Axis, Figure, Panel};

/// An empty panel of one direction.
#[must_use]
pub fn panel(towards: Role, x: Axis, y: Axis) -> Panel {
    of_direction(towards, Panel::new(x, y)).titled(format!("towards the {}", towards.name()))
}

/// An empty panel of one direction that has several; `what` tells it from them.
#[must_use]
pub fn panel_of(what: &str, towards: Role, x: Axis, y: Axis) -> Panel {
    of_direction(towards, Panel::new(x, y)).titled(format!("towards the {}, {what}", towards.name()))
}

/// The panel of what travels towards that end.
#[must_use]
pub fn of_direction(towards: Role, panel: Panel) -> Panel {
    Panel { direction: Some(towards.name().to_string()), ..panel }
}

/// The titles of empty panels in a sentence; a direction is enough where several of its panels are empty.
fn nothing_in(titles: Vec<String>) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    for title in titles {
        let is_named = |name: &String| {
            title.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(", "))
        };
        if !names.iter().any(is_named) {
            names.push(title);
        }
    }
    (!names.is_empty()).then(|| format!("No data to show {}.", names.join("; ")))
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
    figure.caption.extend(nothing_in(empty.into_iter().filter_map(|panel| panel.title).collect()));
    figure
}

/// The figure without panels that have nothing in them, which are named below instead. One without any data keeps its
/// first panel, which says so.
#[must_use]
pub fn without_empty(mut figure: Figure) -> Figure {
    let panels = std::mem::take(&mut figure.panels);
    // Events alone are not data: beside a panel that has some, theirs would be half a picture.
    let is_empty = |panel: &Panel| panel.series.iter().all(|series| series.marks.is_empty());
    match panels.iter().filter(|panel| is_empty(panel)).count() {
        0 => Figure { panels, ..figure },
        count if count == panels.len() => Figure { panels: panels.into_iter().take(1).collect(), ..figure },
        _ => {
            let (empty, filled): (Vec<Panel>, Vec<Panel>) = panels.into_iter().partition(is_empty);
            figure.panels = filled;
            let names = empty.into_iter().map(|panel| panel.title.unwrap_or(panel.x.label)).collect();
            figure.caption.extend(nothing_in(names));
            figure
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::figure::{Annotation, Marks, Point, Role, Series, Unit};

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
        let of_both = ["towards the server", "towards the server, delays", "towards the server, delays"];
        let figure = with_panels(Figure::new(""), of_both.map(|title| titled(title, Vec::new())).to_vec());
        assert_eq!(figure.caption, ["No data to show towards the server."]);
    }

    #[test]
    fn panels_without_data_are_dropped() {
        let some = vec![Point { x: 1.0, y: 1.0 }];
        let figure = |second: Vec<Point>| {
            let panels = [titled("towards the server", Vec::new()), titled("towards the client", second)];
            without_empty(panels.into_iter().fold(Figure::new(""), Figure::with_panel))
        };
        let half = figure(some.clone());
        assert_eq!((half.panels.len(), half.panels[0].title.as_deref()), (1, Some("towards the client")));
        assert_eq!(half.caption, ["No data to show towards the server."]);
        let mut marked = titled("towards the server", Vec::new());
        marked.annotations.push(Annotation::at(0.5, "fallback"));
        let events = Figure::new("").with_panel(marked).with_panel(titled("towards the client", some));
        assert_eq!(without_empty(events).panels.len(), 1);
        let none = figure(Vec::new());
        assert_eq!((none.panels.len(), none.caption.len()), (1, 0));
    }
}
