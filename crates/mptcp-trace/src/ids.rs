//! Numbers that are no amounts, each of a type of its own, and a vector that only they index: the number of a stream
//! does not pass for that of a connection.
//!
//! ```compile_fail,E0308
//! use mptcp_trace::{ConnectionId, Stream, Tracking};
//!
//! fn stream(tracking: &Tracking, connection: ConnectionId) -> Option<&Stream> {
//!     tracking.stream(connection) // expects a `StreamId`
//! }
//! ```

use std::fmt;
use std::marker::PhantomData;
use std::num::ParseIntError;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What numbers the elements of an [`IdVec`], from 0.
pub trait Id: Copy {
    /// The number of the element at `index`.
    fn at(index: usize) -> Self;

    /// Where the element of this number is.
    fn index(self) -> usize;
}

macro_rules! ids {
    ($($(#[$docs:meta])* $name:ident;)*) => {$(
        $(#[$docs])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        #[repr(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// Where the element of this number is.
            #[inline]
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// The number after this one.
            #[inline]
            #[must_use]
            pub fn next(self) -> Self {
                $name(self.0.saturating_add(1))
            }
        }

        impl Id for $name {
            #[inline]
            fn at(index: usize) -> Self {
                $name(u32::try_from(index).unwrap_or(u32::MAX))
            }

            #[inline]
            fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(text: &str) -> Result<Self, ParseIntError> {
                text.parse().map($name)
            }
        }

        impl From<$name> for u64 {
            fn from(id: $name) -> u64 {
                id.0.into()
            }
        }
    )*};
}

ids! {
    /// Number of a TCP stream: Wireshark's `tcp.stream`.
    StreamId;
    /// Number of an MPTCP connection: Wireshark's `mptcp.stream`.
    ConnectionId;
    /// Row of a packet: its place among the packets that count, in the order of time, from 0.
    PacketRow;
}

/// A vector that only numbers of one kind index.
#[derive(Clone, PartialEq, Eq)]
pub struct IdVec<I, T> {
    elements: Vec<T>,
    ids: PhantomData<fn(I) -> I>,
}

impl<I: Id, T> IdVec<I, T> {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        IdVec { elements: Vec::new(), ids: PhantomData }
    }

    /// An empty one, with room for this many elements.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Vec::with_capacity(capacity).into()
    }

    /// The element of that number.
    #[inline]
    #[must_use]
    pub fn get(&self, id: I) -> Option<&T> {
        self.elements.get(id.index())
    }

    /// The element of that number, to be changed.
    #[inline]
    #[must_use]
    pub fn get_mut(&mut self, id: I) -> Option<&mut T> {
        self.elements.get_mut(id.index())
    }

    /// Appends an element, and returns its number.
    #[inline]
    pub fn push(&mut self, element: T) -> I {
        let id = self.next_id();
        self.elements.push(element);
        id
    }

    /// The number that the next element will have.
    #[inline]
    #[must_use]
    pub fn next_id(&self) -> I {
        I::at(self.elements.len())
    }

    /// Their number.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether there are none.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// The elements, in order of their numbers.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.elements.iter()
    }

    /// The elements, to be changed.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.elements.iter_mut()
    }

    /// The elements with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (I, &T)> {
        self.elements.iter().enumerate().map(|(index, element)| (I::at(index), element))
    }

    /// The elements without their numbers.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.elements
    }

    /// As many elements as `length`: the last are left out, or more of the kind of `element` added.
    pub fn resize_with(&mut self, length: usize, element: impl FnMut() -> T) {
        self.elements.resize_with(length, element);
    }
}

impl<I: Id, T> Default for IdVec<I, T> {
    fn default() -> Self {
        IdVec::new()
    }
}

impl<I, T: fmt::Debug> fmt::Debug for IdVec<I, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.elements.fmt(formatter)
    }
}

impl<I, T> From<Vec<T>> for IdVec<I, T> {
    fn from(elements: Vec<T>) -> Self {
        IdVec { elements, ids: PhantomData }
    }
}

impl<I, T> FromIterator<T> for IdVec<I, T> {
    fn from_iter<E: IntoIterator<Item = T>>(elements: E) -> Self {
        elements.into_iter().collect::<Vec<T>>().into()
    }
}

impl<I, T> IntoIterator for IdVec<I, T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.elements.into_iter()
    }
}

impl<'a, I, T> IntoIterator for &'a IdVec<I, T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.elements.iter()
    }
}

impl<'a, I, T> IntoIterator for &'a mut IdVec<I, T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.elements.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_as_a_number() {
        assert_eq!(serde_json::to_string(&(StreamId(7), Some(ConnectionId(0)))).unwrap(), "[7,0]");
        assert_eq!(serde_json::from_str::<StreamId>("7").unwrap(), StreamId(7));
        assert_eq!(format!("{:>3}", StreamId(7)), "  7");
        assert_eq!("7".parse(), Ok(ConnectionId(7)));
    }

    #[test]
    fn an_element_has_the_number_that_pushing_it_gave() {
        let mut names: IdVec<StreamId, &str> = IdVec::new();
        let (first, second) = (names.push("first"), names.push("second"));
        assert_eq!((names.get(first), names.get(second)), (Some(&"first"), Some(&"second")));
        assert_eq!(names.get(names.next_id()), None);
    }
}
