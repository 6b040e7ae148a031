//! Where data waited, how long it took to be acknowledged, and when it moved to another subflow, in one pass over the data
//! of a connection.

use super::capture_point::{CapturePoint, agreed};
use super::handovers::{self, Handover};
use super::out_of_order::{OutOfOrder, Waiting};
use super::rtt::{self, DataCourses, RoundTrips};
use crate::tracking::data::Mappings;
use crate::tracking::{Capture, Connection};

/// What became of the data of a connection.
#[derive(Debug)]
pub struct DataCourse {
    /// As by [`super::out_of_order::out_of_order`].
    pub out_of_order: OutOfOrder,
    /// As by [`rtt::rtt`].
    pub round_trips: RoundTrips,
    /// As by [`handovers::handovers`].
    pub handovers: Vec<Handover>,
}

/// Follows the data of a connection whose mappings are known. `points` are where each of its subflows was recorded.
#[must_use]
pub fn data_course(
    capture: &Capture,
    connection: &Connection,
    mappings: &Mappings<'_>,
    points: &[Option<CapturePoint>],
) -> DataCourse {
    let point = agreed(points.iter().copied());
    let mut waiting = Waiting::new(connection, mappings.first());
    let mut carrying = handovers::Course::new(connection);
    let round_trips = rtt::measured(capture, connection, points, || {
        let mut courses = DataCourses::new(mappings.first());
        let misplaced = mappings.carried(|packet| {
            waiting.push(packet);
            courses.push(packet);
            carrying.push(capture, packet);
        });
        courses.finish(misplaced)
    });
    DataCourse {
        out_of_order: waiting.finish(connection, point, round_trips.misplaced),
        handovers: carrying.finish(capture, connection, point),
        round_trips,
    }
}
