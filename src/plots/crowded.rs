//! Connections of more subflows than a picture can show: those that carried most are drawn, and the others counted.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::request::{Clockwork, PlotRequest};
use crate::drawing::figure::{Figure, Marks, RoleKind, Series};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::data::data_sequence;
use mptcp_trace::tracking::{Capture, Connection};
use mptcp_trace::units::grouped;

/// Subflows that a plot draws at most.
pub const MOST: usize = 256;

/// The subflows that a plot draws, of those that have something to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crowd {
    /// Indices of those that are drawn, which carried most first.
    drawn: Vec<u32>,
    /// Number of those with data to show.
    all: usize,
    /// By what they were chosen, as the end of a sentence.
    least: &'static str,
}

impl Crowd {
    /// The [`MOST`] subflows of `indices` with the most bytes of data, the lower number where two carried the same;
    /// `None` where there are no more than that. `bytes` are by the index of the subflow, and worked out only if needed.
    #[must_use]
    pub fn of(indices: HashSet<u32>, least: &'static str, bytes: impl FnOnce() -> Vec<u64>) -> Option<Self> {
        let all = indices.len();
        if all <= MOST {
            return None;
        }
        let bytes = bytes();
        let mut drawn: Vec<u32> = indices.into_iter().collect();
        drawn.sort_unstable_by_key(|index| (Reverse(bytes.get(*index as usize).copied().unwrap_or(0)), *index));
        drawn.truncate(MOST);
        Some(Crowd { drawn, all, least })
    }

    /// Those of `indices` that carried most data in the directions and times of `request`.
    #[must_use]
    pub fn of_connection(
        indices: HashSet<u32>,
        capture: &Capture,
        connection: &Connection,
        request: &PlotRequest,
    ) -> Option<Self> {
        Crowd::of(indices, "those with the least data", || carried(capture, connection, request))
    }

    /// The indices of those that are drawn.
    #[must_use]
    pub fn drawn(&self) -> HashSet<u32> {
        self.drawn.iter().copied().collect()
    }

    /// Omitted parts, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let shown = |count: usize| grouped(u64::try_from(count).unwrap_or(u64::MAX));
        format!(
            "Not shown: {} of {} subflows, {}; --subflow TCPSTREAM shows a given one.",
            shown(self.all.saturating_sub(self.drawn.len())),
            shown(self.all),
            self.least
        )
    }

    /// The figure without the series of the others; those that carried most come first in the legend.
    #[must_use]
    pub fn thin(&self, mut figure: Figure) -> Figure {
        let places: HashMap<u32, usize> = self.drawn.iter().enumerate().map(|(place, index)| (*index, place)).collect();
        for panel in &mut figure.panels {
            // Marks of another kind that belong to a subflow go with it.
            panel.series.retain(|series| series.role.subflow.is_none_or(|index| places.contains_key(&index)));
            // What stands for all of them comes before or behind them all.
            if let Some(first) = panel.series.iter().position(|series| subflow(series).is_some()) {
                let behind = panel.series.split_off(first);
                let (mut own, others): (Vec<_>, Vec<_>) = behind.into_iter().partition(|one| subflow(one).is_some());
                // Bars of one bin stand in the order of the subflows.
                if !own.iter().any(|series| matches!(series.marks, Marks::Bars(_))) {
                    own.sort_by_key(|series| subflow(series).and_then(|index| places.get(&index)));
                }
                panel.series.extend(own.into_iter().chain(others));
            }
        }
        figure.with_left_out(self.sentence())
    }
}

/// `figure` with at most [`MOST`] subflows of `connection`, the ones that carried most data in the directions and times of
/// `request`. What stands for all subflows together stays as it is.
#[must_use]
pub fn thinned(figure: Figure, capture: &Capture, connection: &Connection, request: &PlotRequest) -> Figure {
    match Crowd::of_connection(subflows(&figure), capture, connection, request) {
        Some(crowd) => crowd.thin(figure),
        None => figure,
    }
}

/// The same with bytes of another kind by the index of the subflow; `least` names those with the fewest.
#[must_use]
pub fn thinned_by(figure: Figure, least: &'static str, bytes: impl FnOnce() -> Vec<u64>) -> Figure {
    match Crowd::of(subflows(&figure), least, bytes) {
        Some(crowd) => crowd.thin(figure),
        None => figure,
    }
}

/// The subflow whose own series it is.
fn subflow(series: &Series) -> Option<u32> {
    series.role.subflow.filter(|_| series.role.kind == RoleKind::Subflow)
}

fn subflows(figure: &Figure) -> HashSet<u32> {
    figure.panels.iter().flat_map(|panel| &panel.series).filter_map(subflow).collect()
}

/// Bytes of data that each subflow carried, by its index: what was sent again counts each time.
fn carried(capture: &Capture, connection: &Connection, request: &PlotRequest) -> Vec<u64> {
    let clockwork = Clockwork::of(capture);
    let sequence = data_sequence(&capture.segments, &capture.tracking, connection);
    let mut bytes = vec![0_u64; connection.subflows.len()];
    for towards in request.directions() {
        for range in interruptible(&sequence.get(towards).sent) {
            if let Some(own) = bytes.get_mut(range.subflow).filter(|_| request.shows(clockwork.seconds(range.time))) {
                *own = own.saturating_add(range.end.saturating_sub(range.start));
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::figure::{Axis, Panel, Point, Role, Unit};

    #[test]
    fn those_that_carried_most_are_drawn_and_the_others_counted() {
        // Subflow i carried i / 2 bytes, so that each amount occurs twice.
        let crowd = |count: u32| {
            Crowd::of((0..count).collect(), "the least", || (0..count / 2).flat_map(|i| [u64::from(i); 2]).collect())
        };
        assert_eq!(crowd(256), None);
        let found = crowd(1300).unwrap();
        assert_eq!(found.drawn[..4], [1298, 1299, 1296, 1297]);
        assert_eq!(found.drawn.last(), Some(&1045));
        assert_eq!(
            found.sentence(),
            "Not shown: 1,044 of 1,300 subflows, the least; --subflow TCPSTREAM shows a given one."
        );
        // An odd number: of two that carried the same the lower number is drawn.
        let odd = Crowd::of((0..257).collect(), "the least", Vec::new).unwrap();
        assert_eq!(odd.drawn, (0..256).collect::<Vec<u32>>());
    }

    #[test]
    fn what_stands_for_all_stays_in_its_place() {
        let marks = || Marks::Points(vec![Point { x: 0.0, y: 0.0 }]);
        let mut panel = Panel::new(Axis::new("", Unit::Plain), Axis::new("", Unit::Plain));
        panel.series.push(Series::new("total", Role::of(RoleKind::Total), marks()));
        panel.series.extend((0..300).map(|index| Series::new(index.to_string(), Role::subflow(index), marks())));
        panel.series.push(Series::new("again", Role::of(RoleKind::Loss), marks()));
        let thin = thinned_by(Figure::new("").with_panel(panel), "the least", || (0..300).collect());
        let names: Vec<&str> = thin.panels[0].series.iter().map(|series| series.name.as_str()).collect();
        assert_eq!((names.len(), names[0], names[1], names[256], names[257]), (258, "total", "299", "44", "again"));
        assert_eq!(thin.caption, thin.left_out);
        assert!(thin.validate().is_ok());
    }
}
