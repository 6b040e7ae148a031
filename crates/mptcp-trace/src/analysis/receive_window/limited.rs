//! For how long the receive window held the sender of each direction back.

use super::{Limits, Restraint, WindowCourse};
use crate::tracking::data::Mappings;
use crate::tracking::{ByRole, Capture, Connection, Role};

/// Seconds in which the receive window left the sender of either direction no room for a full segment: at least, where the
/// capture is not at the sender. `None` without data, where no window was captured, and where part of the data was not.
#[must_use]
pub fn window_limited(capture: &Capture, connection: &Connection) -> ByRole<Option<f64>> {
    let course = |towards| {
        let course = WindowCourse::new(capture, connection, towards);
        let restraint = Restraint::new(course.delay);
        (course, restraint)
    };
    let mut directions = ByRole { server: course(Role::Server), client: course(Role::Client) };
    Mappings::of(&capture.segments, &capture.tracking, connection).walk(|laden| {
        for role in Role::BOTH {
            let (course, restraint) = directions.get_mut(role);
            restraint.push(&course.push(&capture.tracking, laden));
        }
    });
    let seconds =
        |(course, restraint): (WindowCourse, Restraint)| restraint.finish().limited_seconds(course.is_measured());
    ByRole { server: seconds(directions.server), client: seconds(directions.client) }
}

impl Limits {
    /// [`Limits::limited`] in seconds; `None` without data, where no packet told what the receiver offers, and unless it is
    /// measured ([`WindowCourse::is_measured`]).
    #[must_use]
    pub fn limited_seconds(&self, is_measured: bool) -> Option<f64> {
        self.span.filter(|_| is_measured && self.most > 0).map(|_| self.limited.seconds())
    }
}
