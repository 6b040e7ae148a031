//! The streams that are open, as many as memory is meant for: those that nothing was heard of for the longest time go
//! first, and those that nobody ever answered before all others.

use std::collections::HashMap;

use crate::StreamId;
use crate::packets::flows::{Ends, Pair};
use crate::packets::segment::{Segment, flag};
use crate::tracking::ByRole;
use crate::tracking::connections::Candidate;
use crate::tracking::streams::OpenStream;

use super::subflow::OpenSubflow;
use super::{Amount, PacketPlace, Sighting};

/// Streams of which both ends were heard.
pub const MOST_STREAMS: usize = 1 << 16;
/// Streams of which they were not: a flood of SYNs is forgotten soon, and pushes nothing else out.
pub const MOST_ATTEMPTS: usize = 1 << 14;

/// A stream while its packets come in.
#[derive(Debug)]
pub struct Watched {
    /// Its number.
    pub number: StreamId,
    /// Its ends and roles.
    pub stream: OpenStream,
    /// Link to its connection.
    pub candidate: Candidate,
    /// Role in its connection, once known.
    pub subflow: Option<Box<OpenSubflow>>,
    /// Packets seen before the connection was known.
    pub early: Vec<(PacketPlace, Sighting)>,
    /// Traffic before the connection was known and the stream active.
    pub uncounted: ByRole<Amount>,
    /// Which end, by who sent the first packet, sent something beyond SYN and RST.
    heard: [bool; 2],
    /// It carried data.
    data: bool,
}

impl Watched {
    /// A stream that begins with a packet between these ends, which is still to be pushed.
    #[must_use]
    pub fn new(number: StreamId, ends: Ends) -> Self {
        Watched {
            number,
            stream: OpenStream::new(ends),
            candidate: Candidate::default(),
            subflow: None,
            early: Vec::new(),
            uncounted: ByRole::default(),
            heard: [false; 2],
            data: false,
        }
    }

    /// Whether it is more than an attempt to open one: both ends were heard, or data.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.data || self.heard == [true; 2]
    }

    /// Notes which end was heard.
    pub fn hear(&mut self, segment: &Segment, by_first_sender: bool) {
        self.data |= segment.payload().is_some_and(|length| length > 0);
        if segment.flags() & (flag::SYN | flag::RST) == 0
            && let Some(heard) = self.heard.get_mut(usize::from(!by_first_sender))
        {
            *heard = true;
        }
    }
}

/// The open streams by their endpoints.
#[derive(Debug)]
pub struct StreamTable {
    /// The one that the last packet belonged to: often the next one does, too.
    last: Option<(Pair, Box<Watched>)>,
    streams: Generations,
    attempts: Generations,
}

impl StreamTable {
    /// An empty one, for at most so many streams of either kind.
    #[must_use]
    pub fn new(streams: usize, attempts: usize) -> Self {
        StreamTable { last: None, streams: Generations::new(streams), attempts: Generations::new(attempts) }
    }

    /// Takes out the stream between these endpoints.
    pub fn take(&mut self, pair: &Pair) -> Option<Box<Watched>> {
        match self.last.take() {
            Some((last, watched)) if last == *pair => return Some(watched),
            other => self.last = other,
        }
        self.streams.take(pair).or_else(|| self.attempts.take(pair))
    }

    /// Puts in a stream, which is now the one that was heard of last; returns those that had to go, by number.
    pub fn put(&mut self, pair: Pair, watched: Box<Watched>) -> Vec<Watched> {
        let Some((pair, before)) = self.last.replace((pair, watched)) else { return Vec::new() };
        let kind = if before.heard == [true; 2] { &mut self.streams } else { &mut self.attempts };
        let mut gone = kind.put(pair, before);
        gone.sort_unstable_by_key(|watched| watched.number);
        gone
    }

    /// Streams that are held.
    #[must_use]
    pub fn held(&self) -> usize {
        usize::from(self.last.is_some()).saturating_add(self.streams.len()).saturating_add(self.attempts.len())
    }

    /// Takes out all streams, by number.
    pub fn drain(&mut self) -> Vec<Watched> {
        let mut all: Vec<Watched> = self.last.take().map(|(_, watched)| *watched).into_iter().collect();
        all.extend(self.streams.drain());
        all.extend(self.attempts.drain());
        all.sort_unstable_by_key(|watched| watched.number);
        all
    }
}

/// Streams in two halves. When the young half is full, the old one goes and the young one becomes old; what is used
/// becomes young. So what goes was not used for as long as half of the room was, and each step costs the same.
#[derive(Debug)]
struct Generations {
    young: HashMap<Pair, Box<Watched>>,
    old: HashMap<Pair, Box<Watched>>,
    half: usize,
}

impl Generations {
    fn new(most: usize) -> Self {
        Generations { young: HashMap::new(), old: HashMap::new(), half: most.div_ceil(2).max(1) }
    }

    fn take(&mut self, pair: &Pair) -> Option<Box<Watched>> {
        self.young.remove(pair).or_else(|| self.old.remove(pair))
    }

    fn put(&mut self, pair: Pair, watched: Box<Watched>) -> Vec<Watched> {
        let mut gone = Vec::new();
        if self.young.len() >= self.half {
            let old = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
            gone.extend(old.into_values().map(|watched| *watched));
        }
        self.young.insert(pair, watched);
        gone
    }

    fn len(&self) -> usize {
        self.young.len().saturating_add(self.old.len())
    }

    fn drain(&mut self) -> impl Iterator<Item = Watched> + '_ {
        self.young.drain().chain(self.old.drain()).map(|(_, watched)| *watched)
    }
}
