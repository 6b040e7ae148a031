//! The `.xpl` files of xplot, in the words that tcptrace uses: coordinate types, title, labels, then one command per line,
//! ended by `go`. Nothing is thinned: xplot is for zooming in.
//!
//! Times are `timeval` as in tcptrace's files, so microseconds are the finest. Values of an axis that runs the other way
//! are negated, as tcptrace does with its time line. xplot knows no logarithmic axes: values stand as they are.

use std::fmt::Write as _;

use super::super::extent::{Extent, extents};
use super::super::figure::{Arrow, Axis, Figure, Marks, Panel, Point, Role, RoleKind, Series, Unit};
use super::super::style::{Style, Symbol};
use crate::terminal_text::escape;

/// The figure as an xplot file; further panels are further plots of the same file.
#[must_use]
pub fn document(figure: &Figure, style: &Style) -> String {
    let mut file = String::new();
    for (index, (panel, extent)) in figure.panels.iter().zip(extents(figure)).enumerate() {
        if index > 0 {
            file.push_str("new_plotter\n");
        }
        let x = Coordinate::of(&panel.x, panel.series.iter().all(after_start));
        let y = Coordinate::of(&panel.y, false);
        let mut plot = Plot { file: &mut file, x, y, style };
        plot.head(figure, panel);
        plot.corners(&extent);
        panel.series.iter().for_each(|series| plot.series(series));
        plot.legend(panel, &extent);
        plot.lifelines(panel, &extent);
        plot.annotations(panel, &extent);
        file.push_str("go\n");
    }
    file
}

/// `timeval` has no room for what was before its start, or comes 68 years after it.
fn after_start(series: &Series) -> bool {
    let fits = |x: f64| (0.0..2_147_483_647.0).contains(&x);
    series.marks.boxes().all(|(x, _, x_end, _)| fits(x) && fits(x_end))
}

/// Number format of an axis.
#[derive(Clone, Copy)]
struct Coordinate {
    name: &'static str,
    sign: f64,
}

impl Coordinate {
    fn of(axis: &Axis, timeval: bool) -> Self {
        let sign = if axis.reversed { -1.0 } else { 1.0 };
        let name = match axis.unit {
            Unit::Seconds if timeval && !axis.reversed => "timeval",
            Unit::Seconds => "dtime",
            _ => "double",
        };
        Coordinate { name, sign }
    }

    fn text(self, value: f64) -> String {
        let value = value * self.sign;
        match self.name {
            "timeval" | "dtime" => format!("{value:.6}"),
            // -0 would be a strange sight.
            _ => (value + 0.0).to_string(),
        }
    }
}

struct Plot<'a> {
    file: &'a mut String,
    x: Coordinate,
    y: Coordinate,
    style: &'a Style,
}

impl Plot<'_> {
    fn line(&mut self, content: std::fmt::Arguments<'_>) {
        // Writing to a string never fails.
        let _ = writeln!(self.file, "{content}");
    }

    fn head(&mut self, figure: &Figure, panel: &Panel) {
        let (x, y) = (self.x.name, self.y.name);
        self.line(format_args!("{x} {y}"));
        let title = match panel.title.as_deref() {
            Some(own) if !own.is_empty() && !figure.title.is_empty() => format!("{}: {own}", figure.title),
            Some(own) if !own.is_empty() => own.to_string(),
            _ => figure.title.clone(),
        };
        for (command, text) in [("title", title), ("xlabel", labelled(&panel.x)), ("ylabel", labelled(&panel.y))] {
            self.line(format_args!("{command}\n{}", plain(&text)));
        }
    }

    /// The range, so that the axes show what they show elsewhere.
    fn corners(&mut self, extent: &Extent) {
        // `timeval` starts at zero.
        let low = if self.x.name == "timeval" { extent.x.low.max(0.0) } else { extent.x.low };
        self.mark("invisible", low, extent.y.low);
        self.mark("invisible", extent.x.high.max(low), extent.y.high);
    }

    fn mark(&mut self, command: &str, x: f64, y: f64) {
        let (x, y) = (self.x.text(x), self.y.text(y));
        self.line(format_args!("{command} {x} {y}"));
    }

    fn stroke(&mut self, (x, y): (f64, f64), (x_end, y_end): (f64, f64)) {
        let (x, y, x_end, y_end) = (self.x.text(x), self.y.text(y), self.x.text(x_end), self.y.text(y_end));
        self.line(format_args!("line {x} {y} {x_end} {y_end}"));
    }

    fn text(&mut self, command: &str, x: f64, y: f64, text: &str) {
        if !text.trim().is_empty() {
            self.mark(command, x, y);
            self.line(format_args!("{}", plain(text)));
        }
    }

    fn series(&mut self, series: &Series) {
        let colour = colour(series.role);
        self.line(format_args!("{colour}"));
        match &series.marks {
            Marks::Points(points) => {
                let symbol = symbol(self.style.look(series.role).mark);
                points.iter().for_each(|point| self.mark(symbol, point.x, point.y));
            }
            Marks::Ticks(points) => points.iter().for_each(|point| self.mark("htick", point.x, point.y)),
            Marks::Lines(points) => self.lines(points, false),
            Marks::Steps(points) => self.lines(points, true),
            Marks::VerticalStrokes(strokes) => {
                for stroke in strokes {
                    self.mark("darrow", stroke.x, stroke.y_low);
                    self.mark("uarrow", stroke.x, stroke.y_high);
                    self.stroke((stroke.x, stroke.y_low), (stroke.x, stroke.y_high));
                }
            }
            Marks::HorizontalStrokes(strokes) => {
                strokes.iter().for_each(|stroke| self.stroke((stroke.x_low, stroke.y), (stroke.x_high, stroke.y)));
            }
            Marks::Bars(bars) => {
                for bar in bars {
                    self.stroke((bar.x_low, 0.0), (bar.x_low, bar.y));
                    self.stroke((bar.x_low, bar.y), (bar.x_high, bar.y));
                    self.stroke((bar.x_high, bar.y), (bar.x_high, 0.0));
                }
            }
            Marks::Areas(areas) => {
                for area in areas {
                    let (low, high) = ((area.x_low, area.y_low), (area.x_high, area.y_high));
                    self.stroke(low, (high.0, low.1));
                    self.stroke((high.0, low.1), high);
                    self.stroke(high, (low.0, high.1));
                    self.stroke((low.0, high.1), low);
                }
            }
            Marks::Arrows(arrows) => arrows.iter().for_each(|arrow| self.arrow(arrow)),
        }
    }

    /// The place at a share of the way from the left and from the top.
    fn corner(&self, extent: &Extent, (right, down): (f64, f64)) -> (f64, f64) {
        let along = |low: f64, high: f64, share: f64| low + (high - low) * share;
        let right = if self.x.sign < 0.0 { 1.0 - right } else { right };
        let down = if self.y.sign < 0.0 { down } else { 1.0 - down };
        let low = if self.x.name == "timeval" { extent.x.low.max(0.0) } else { extent.x.low };
        (along(low, extent.x.high.max(low), right), along(extent.y.low, extent.y.high, down))
    }

    /// xplot has no legend: the names stand below each other at the upper left.
    fn legend(&mut self, panel: &Panel, extent: &Extent) {
        let named = panel.series.iter().filter(|series| !series.name.trim().is_empty());
        for (index, series) in (0_u32..24).zip(named) {
            let (x, y) = self.corner(extent, (0.02, 0.06 + 0.035 * f64::from(index)));
            self.line(format_args!("{}", colour(series.role)));
            self.text("rtext", x, y, &series.name);
        }
    }

    /// The names along the x axis, which xplot would number.
    fn lifelines(&mut self, panel: &Panel, extent: &Extent) {
        if panel.x.categories.is_empty() {
            return;
        }
        self.line(format_args!("white"));
        let (_, bottom) = self.corner(extent, (0.0, 1.0));
        let (_, top) = self.corner(extent, (0.0, 0.0));
        for (index, name) in (0_u32..).zip(&panel.x.categories) {
            let x = f64::from(index);
            if panel.y.reversed {
                self.stroke((x, top), (x, bottom));
            }
            self.text("btext", x, top, name);
        }
    }

    fn lines(&mut self, points: &[Point], steps: bool) {
        if let [only] = points {
            self.mark("dot", only.x, only.y);
        }
        for pair in points.windows(2) {
            let [from, to] = pair else { continue };
            if steps {
                self.stroke((from.x, from.y), (to.x, from.y));
                self.stroke((to.x, from.y), (to.x, to.y));
            } else {
                self.stroke((from.x, from.y), (to.x, to.y));
            }
        }
    }

    fn arrow(&mut self, arrow: &Arrow) {
        let (from, to) = (arrow.from, arrow.to);
        self.stroke((from.x, from.y), (to.x, to.y));
        let towards_right = (to.x - from.x) * self.x.sign >= 0.0;
        self.mark(if towards_right { "rarrow" } else { "larrow" }, to.x, to.y);
        self.text("atext", f64::midpoint(from.x, to.x), f64::midpoint(from.y, to.y), &arrow.text);
    }

    fn annotations(&mut self, panel: &Panel, extent: &Extent) {
        if panel.annotations.is_empty() {
            return;
        }
        self.line(format_args!("white"));
        for annotation in &panel.annotations {
            if self.x.name == "timeval" && annotation.x < 0.0 {
                continue;
            }
            match annotation.y {
                Some(y) => {
                    self.mark("diamond", annotation.x, y);
                    self.text("rtext", annotation.x, y, &annotation.text);
                }
                None => {
                    let (_, top) = self.corner(extent, (0.0, 0.0));
                    self.stroke((annotation.x, extent.y.low), (annotation.x, extent.y.high));
                    self.text("btext", annotation.x, top, &annotation.text);
                }
            }
        }
    }
}

/// Text in ASCII, which is all that xplot's font has.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in escape(text).chars() {
        match character {
            '→' => plain.push_str("->"),
            '←' => plain.push_str("<-"),
            '↔' => plain.push_str("<->"),
            '…' => plain.push_str("..."),
            '–' | '—' | '−' => plain.push('-'),
            'µ' | 'μ' => plain.push('u'),
            '×' => plain.push('x'),
            other if other.is_ascii() => plain.push(other),
            _ => plain.push('?'),
        }
    }
    plain
}

/// The label of an axis with the unit of its values, which have no prefixes here.
fn labelled(axis: &Axis) -> String {
    let unit = match axis.unit {
        // xplot writes times as times.
        Unit::Seconds | Unit::Count | Unit::Plain => return axis.label.clone(),
        Unit::Bytes => "bytes",
        Unit::BytesPerSecond => "bytes per second",
        Unit::Share => "parts of 1",
    };
    if axis.label.is_empty() { unit.to_string() } else { format!("{} ({unit})", axis.label) }
}

/// xplot has these colours and no others; acknowledgements, windows and retransmissions have tcptrace's.
fn colour(role: Role) -> &'static str {
    const SUBFLOWS: [&str; 6] = ["white", "orange", "magenta", "pink", "blue", "purple"];
    match role.kind {
        RoleKind::Subflow => {
            let index = role.subflow.unwrap_or(0) as usize % SUBFLOWS.len();
            SUBFLOWS.get(index).copied().unwrap_or("white")
        }
        RoleKind::Acknowledgement | RoleKind::DuplicateAck => "green",
        RoleKind::WindowEdge => "yellow",
        RoleKind::Retransmission | RoleKind::Loss => "red",
        RoleKind::Reinjection | RoleKind::Sack | RoleKind::ZeroWindow => "purple",
        RoleKind::Reference => "blue",
        RoleKind::Total | RoleKind::Event => "white",
    }
}

fn symbol(symbol: Symbol) -> &'static str {
    match symbol {
        Symbol::None | Symbol::Circle => "dot",
        Symbol::Ring | Symbol::Square => "box",
        Symbol::Diamond => "diamond",
        Symbol::Triangle => "uarrow",
        Symbol::TriangleDown => "darrow",
        Symbol::Cross | Symbol::Star => "x",
        Symbol::Plus => "plus",
    }
}

#[cfg(test)]
mod tests;
