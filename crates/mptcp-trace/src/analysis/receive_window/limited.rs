//! For how long the receive window held the sender of each direction back.

use super::{Limits, Restraint, WindowCourse};
use crate::tracking::data::{Laden, Mappings};
use crate::tracking::{ByRole, Capture, Connection, Role, Tracking};

/// Seconds in which the receive window held the sender of either direction back, as [`WindowLimited::finish`] has them.
#[must_use]
pub fn window_limited(capture: &Capture, connection: &Connection) -> ByRole<Option<f64>> {
    let mut limited = WindowLimited::new(capture, connection);
    let mappings = Mappings::of(&capture.segments, &capture.tracking, connection);
    mappings.walk(|laden| limited.push(&capture.tracking, laden));
    limited.finish()
}

/// What holds the senders of a connection back while its packets go by.
pub struct WindowLimited(ByRole<(WindowCourse, Restraint)>);

impl WindowLimited {
    /// Before the first packet.
    #[must_use]
    pub fn new(capture: &Capture, connection: &Connection) -> Self {
        let course = |towards| {
            let course = WindowCourse::new(capture, connection, towards);
            let restraint = Restraint::new(course.delay);
            (course, restraint)
        };
        WindowLimited(ByRole { server: course(Role::Server), client: course(Role::Client) })
    }

    /// Takes in the next packet.
    pub fn push(&mut self, tracking: &Tracking, laden: &Laden<'_, '_>) {
        for role in Role::BOTH {
            let (course, restraint) = self.0.get_mut(role);
            restraint.push(&course.push(tracking, laden));
        }
    }

    /// Seconds in which the receive window left the sender of either direction no room for a full segment: at least, where
    /// the capture is not at the sender. `None` without data, where no window was captured, and where part of the data was
    /// not.
    #[must_use]
    pub fn finish(self) -> ByRole<Option<f64>> {
        let seconds =
            |(course, restraint): (WindowCourse, Restraint)| restraint.finish().limited_seconds(course.is_measured());
        ByRole { server: seconds(self.0.server), client: seconds(self.0.client) }
    }
}

impl Limits {
    /// [`Limits::limited`] in seconds; `None` without data, where no packet told what the receiver offers, and unless it is
    /// measured ([`WindowCourse::is_measured`]).
    #[must_use]
    pub fn limited_seconds(&self, is_measured: bool) -> Option<f64> {
        self.span.filter(|_| is_measured && self.most > 0).map(|_| self.limited.seconds())
    }
}
