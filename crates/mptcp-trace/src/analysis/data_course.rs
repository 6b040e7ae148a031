//! Where data waited, and how long it took to be acknowledged, in one pass over the data of a connection.

use super::out_of_order::{OutOfOrder, Waiting};
use super::rtt::{self, DataCourses, RoundTrips};
use crate::tracking::data::Mappings;
use crate::tracking::{Capture, Connection};

/// As [`super::out_of_order::out_of_order`] and [`rtt::rtt`], by mappings that are known.
#[must_use]
pub fn waits_and_round_trips(
    capture: &Capture,
    connection: &Connection,
    mappings: &Mappings<'_>,
) -> (OutOfOrder, RoundTrips) {
    let mut waiting = Waiting::new(connection, mappings);
    let round_trips = rtt::measured(capture, connection, || {
        let mut courses = DataCourses::new(mappings);
        let misplaced = mappings.carried(|packet| {
            waiting.push(packet);
            courses.push(packet);
        });
        courses.finish(misplaced)
    });
    (waiting.finish(capture, connection, round_trips.misplaced), round_trips)
}
