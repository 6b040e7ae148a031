//! The addresses that messages travel between, from left to right: the client's, then the server's.

use std::net::IpAddr;

use super::messages::Message;
use crate::plots::request::value;
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::packets::segment::Segment;
use mptcp_trace::tracking::{ByRole, Capture, Role};

/// Addresses of one end that have a lifeline of their own; those that come later share one.
const MOST: usize = 8;

/// The addresses of both ends, in the order in which they were first used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lifelines {
    addresses: ByRole<Vec<IpAddr>>,
    /// Whether an end has more.
    others: ByRole<bool>,
}

impl Lifelines {
    /// Those that `messages` need.
    pub fn of(capture: &Capture, messages: &[&Message]) -> Self {
        let mut lifelines = Lifelines::default();
        for message in interruptible(messages) {
            if let Some(segment) = packet(capture, message) {
                let ends = capture.segments.ends(segment);
                lifelines.add(message.towards.other(), ends.source.address);
                lifelines.add(message.towards, ends.destination.address);
            }
        }
        lifelines
    }

    fn add(&mut self, role: Role, address: IpAddr) {
        let known = self.addresses.get_mut(role);
        if known.contains(&address) {
            return;
        }
        if known.len() < MOST {
            known.push(address);
        } else {
            *self.others.get_mut(role) = true;
        }
    }

    /// Their names, from left to right.
    pub fn names(&self) -> Vec<String> {
        let of = |role: Role| {
            let known = self.addresses.get(role).iter().map(move |address| format!("{} {address}", role.name()));
            known.chain(self.others.get(role).then(|| format!("{}, other addresses", role.name())))
        };
        of(Role::Client).chain(of(Role::Server)).collect()
    }

    /// Where a message starts and ends.
    pub fn ends(&self, capture: &Capture, message: &Message) -> Option<(f64, f64)> {
        let ends = capture.segments.ends(packet(capture, message)?);
        let from = self.place(message.towards.other(), ends.source.address);
        Some((from, self.place(message.towards, ends.destination.address)))
    }

    fn place(&self, role: Role, address: IpAddr) -> f64 {
        let own = self.addresses.get(role);
        // Beyond the last one stands the lifeline that the others share.
        let place = own.iter().position(|known| *known == address).unwrap_or(own.len());
        let before = if role == Role::Server { self.count(Role::Client) } else { 0 };
        value(before.saturating_add(place) as u64)
    }

    fn count(&self, role: Role) -> usize {
        self.addresses.get(role).len().saturating_add(usize::from(*self.others.get(role)))
    }
}

fn packet<'a>(capture: &'a Capture, message: &Message) -> Option<&'a Segment> {
    capture.segments.get(message.row.index())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_addresses_stand_left_of_the_servers() {
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        let mut lifelines = Lifelines::default();
        lifelines.add(Role::Server, address(99));
        (1..=10).for_each(|last| lifelines.add(Role::Client, address(last)));
        lifelines.add(Role::Client, address(1));
        let names = lifelines.names();
        assert_eq!(names.len(), 10);
        assert_eq!(names[0], "client 192.0.2.1");
        assert_eq!(names[8], "client, other addresses");
        assert_eq!(names[9], "server 192.0.2.99");
        assert_eq!(lifelines.place(Role::Client, address(2)), 1.0);
        assert_eq!(lifelines.place(Role::Client, address(10)), 8.0);
        assert_eq!(lifelines.place(Role::Server, address(99)), 9.0);
    }
}
