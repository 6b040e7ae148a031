//! The packets that are kept of a growing capture: the last ones, at most so many.

use std::collections::VecDeque;

use mptcp_trace::Instant;
use mptcp_trace::packets::Builder;

/// Blocks that packets are kept in: the oldest one goes as a whole.
const BLOCKS: usize = 16;

/// The last packets of a capture.
#[derive(Debug)]
pub struct Recording {
    /// Full blocks, the oldest first.
    blocks: VecDeque<Builder>,
    /// The block that grows.
    last: Builder,
    /// Packets held.
    held: usize,
    /// Packets that may be held.
    most: usize,
    left_out: u64,
    /// When the first frame was recorded.
    origin: Option<Instant>,
}

impl Recording {
    /// Keeps at most `most` packets.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Recording { blocks: VecDeque::new(), last: Builder::default(), held: 0, most, left_out: 0, origin: None }
    }

    /// Where the next packet goes; [`Recording::settle`] follows each.
    pub fn end(&mut self) -> &mut Builder {
        &mut self.last
    }

    /// Makes room where the packet that was added is one too many.
    pub fn settle(&mut self) {
        self.held = self.held.saturating_add(1);
        if self.last.height() >= self.most.div_ceil(BLOCKS).max(1) {
            self.note_origin();
            self.blocks.push_back(std::mem::take(&mut self.last));
        }
        while self.held > self.most
            && let Some(oldest) = self.blocks.pop_front()
        {
            self.held = self.held.saturating_sub(oldest.height());
            self.left_out = self.left_out.saturating_add(oldest.height() as u64);
        }
    }

    /// When the first frame was recorded.
    pub fn origin(&mut self) -> Instant {
        self.note_origin();
        self.origin.unwrap_or_default()
    }

    fn note_origin(&mut self) {
        self.origin = self.origin.or(self.last.origin());
    }

    /// Packets held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held
    }

    /// Packets that went.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The packets that are left, in order.
    #[must_use]
    pub fn finish(mut self) -> Builder {
        self.note_origin();
        let mut whole = Builder::default();
        if let Some(origin) = self.origin {
            whole.time(origin);
        }
        for block in self.blocks.into_iter().chain([self.last]) {
            whole.append(block);
        }
        whole
    }
}
