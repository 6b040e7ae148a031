//! Which directions a plot shows when nobody asks for one: those that carry data, recorded where they tell what the plot
//! is about.

use super::request::{Clockwork, PlotRequest};
use super::subject::{Subject, SubjectStream};
use mptcp_trace::analysis::capture_point::{CapturePoint, SeenFrom};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::parallel::each;
use mptcp_trace::tracking::{ByRole, Capture, Role};
use mptcp_trace::{PacketRow, units};

/// What a plot is about. It tells where a direction has to be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Packets of any kind: pure acknowledgements count as much as data, so each direction is shown.
    Packets,
    /// Data, recorded anywhere.
    Data,
    /// What happens at the sender of the data: what it has in flight, how long it waits for acknowledgements.
    Sender,
    /// What happens at their receiver.
    Receiver,
}

/// Of the payload of both directions, this part is next to nothing: less than one in so many bytes.
const LITTLE: u64 = 100;

/// Packets whose payload one thread counts in one go.
const TOGETHER: usize = 1 << 16;

/// How much a direction tells, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    /// Data, recorded where it should be.
    Much,
    /// Data, recorded at the other end.
    Elsewhere,
    /// Next to no data.
    Little,
}

/// The directions of a subject that are worth a panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directions {
    about: About,
    /// Payload bytes.
    bytes: ByRole<u64>,
    recorded: Option<CapturePoint>,
}

impl Directions {
    /// Those of `subject`, by what it carried in the time that `request` shows.
    #[must_use]
    pub fn of(about: About, capture: &Capture, subject: &Subject<'_>, request: &PlotRequest) -> Self {
        let clockwork = Clockwork::of(capture);
        let limited = request.is_limited();
        let pieces: Vec<(&SubjectStream<'_>, &[PacketRow])> = subject
            .flows
            .iter()
            .flat_map(|flow| flow.stream.packets.chunks(TOGETHER).map(move |piece| (flow, piece)))
            .collect();
        let packets = pieces.iter().map(|(_, piece)| piece.len()).sum();
        let counted = each(&pieces, packets, |(flow, piece)| {
            let mut bytes = ByRole::<u64>::default();
            for row in interruptible(*piece) {
                let Some(segment) = capture.segments.get(row.index()) else { continue };
                let length = segment.payload().unwrap_or(0);
                if length > 0 && (!limited || request.shows(clockwork.seconds(segment.abstime))) {
                    let Some(packet) = capture.tracking.packets.get(*row) else { continue };
                    // The same both ways: a stream whose roles are turned has those of the connection here.
                    let carried = bytes.get_mut(flow.stream_role(flow.stream.towards(packet)));
                    *carried = carried.saturating_add(length.into());
                }
            }
            bytes
        });
        let sum = |role: Role| counted.iter().fold(0_u64, |sum, bytes| sum.saturating_add(*bytes.get(role)));
        let bytes = ByRole { server: sum(Role::Server), client: sum(Role::Client) };
        // Where data were recorded matters to no other plot.
        let matters = matches!(about, About::Sender | About::Receiver);
        Directions { about, bytes, recorded: matters.then(|| subject.recorded()).flatten() }
    }

    fn worth(&self, towards: Role) -> Worth {
        let own = *self.bytes.get(towards);
        let all = own.saturating_add(*self.bytes.get(towards.other()));
        let elsewhere = match self.about {
            About::Packets | About::Data => None,
            About::Sender => Some(SeenFrom::Receiver),
            About::Receiver => Some(SeenFrom::Sender),
        };
        if own.saturating_mul(LITTLE) < all || all == 0 {
            Worth::Little
        } else if elsewhere.is_some() && self.recorded.map(|point| point.seen(towards)) == elsewhere {
            Worth::Elsewhere
        } else {
            Worth::Much
        }
    }

    /// The only direction to show, and why the other one is left out; `None` where both tell as much, or both are asked
    /// for.
    #[must_use]
    pub fn only(&self, request: &PlotRequest) -> Option<(Role, String)> {
        if self.about == About::Packets || request.towards.is_some() || request.both {
            return None;
        }
        let other = Role::BOTH.into_iter().find(|role| self.worth(*role) > self.worth(role.other()))?;
        let name = other.name();
        let why = match (self.worth(other), *self.bytes.get(other)) {
            (Worth::Little, 0) => "which carried no data".to_string(),
            (Worth::Little, bytes) => format!("which carried {}, less than 1 % of the data", units::bytes(bytes)),
            _ if self.about == About::Receiver => {
                format!("recorded at the sender, which does not show what the {name} waited for")
            }
            _ => "recorded at the receiver, which says little about the sender".to_string(),
        };
        Some((other.other(), format!("Not shown: data towards the {name}, {why}; --towards {name} shows it.")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(about: About, (server, client): (u64, u64), recorded: Option<CapturePoint>) -> Option<(Role, String)> {
        Directions { about, bytes: ByRole { server, client }, recorded }.only(&PlotRequest::default())
    }

    const AT_CLIENT: Option<CapturePoint> = Some(CapturePoint::At(Role::Client));

    #[test]
    fn less_than_a_hundredth_of_the_data_is_left_out() {
        let shown = |bytes| only(About::Data, bytes, AT_CLIENT).map(|(role, _)| role);
        assert_eq!(shown((9_900, 100)), None, "1 % of 10,000 bytes");
        assert_eq!(shown((9_901, 99)), Some(Role::Server));
        assert_eq!(shown((0, 5)), Some(Role::Client));
        assert_eq!(shown((0, 0)), None);
        let (_, why) = only(About::Data, (9_901, 99), None).unwrap();
        assert_eq!(
            why,
            "Not shown: data towards the client, which carried 99 B, less than 1 % of the data; --towards client \
             shows it."
        );
        assert_eq!(only(About::Packets, (9_901, 99), AT_CLIENT), None);
    }

    #[test]
    fn where_a_direction_was_recorded_counts_for_what_one_end_knows() {
        let shown = |about, bytes| only(about, bytes, AT_CLIENT).map(|(role, _)| role);
        assert_eq!(shown(About::Data, (500, 500)), None);
        assert_eq!(shown(About::Sender, (500, 500)), Some(Role::Server));
        assert_eq!(shown(About::Receiver, (500, 500)), Some(Role::Client));
        // Nearly all of the data, seen from the wrong end, tell more than a few bytes at the right one.
        assert_eq!(shown(About::Sender, (5, 995)), Some(Role::Client));
        assert_eq!(shown(About::Receiver, (995, 5)), Some(Role::Server));
        // In the middle, and where the place is unknown, no end is the wrong one.
        for recorded in [None, Some(CapturePoint::Between)] {
            assert_eq!(only(About::Sender, (500, 500), recorded), None);
        }
    }

    #[test]
    fn what_is_asked_for_is_shown() {
        let found = Directions { about: About::Sender, bytes: ByRole { server: 1, client: 999 }, recorded: AT_CLIENT };
        for request in [
            PlotRequest { towards: Some(Role::Server), ..PlotRequest::default() },
            PlotRequest { both: true, ..PlotRequest::default() },
        ] {
            assert_eq!(found.only(&request), None);
        }
    }
}
