//! The octets of a file or a pipe through one buffer that is used again and again: whole records are looked at where
//! they were read, without a copy.

use std::io::{self, ErrorKind, Read};

use crate::interrupt;

/// What one read asks for: few calls, and a buffer that stays in the processor's cache.
const ROOM: usize = 256 * 1024;

/// A window that moves over the octets of a source.
pub struct Octets {
    source: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// The window: what was read and not yet passed.
    start: usize,
    end: usize,
    /// Octets passed.
    offset: u64,
    ended: bool,
}

impl Octets {
    /// Nothing read yet of `source`.
    pub fn of(source: Box<dyn Read + Send>) -> Self {
        Octets { source, buffer: vec![0; ROOM], start: 0, end: 0, offset: 0, ended: false }
    }

    /// Widens the window to `count` octets, and more while at it; false when the source ends before. The buffer grows
    /// only as far as the source really has octets.
    ///
    /// # Errors
    /// When the source cannot be read; [`ErrorKind::Interrupted`] on Ctrl-C.
    #[inline]
    pub fn fetch(&mut self, count: usize) -> io::Result<bool> {
        if self.window().len() >= count { Ok(true) } else { self.read(count) }
    }

    #[cold]
    fn read(&mut self, count: usize) -> io::Result<bool> {
        while self.window().len() < count && !self.ended {
            if interrupt::requested() {
                return Err(ErrorKind::Interrupted.into());
            }
            if self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
                self.end = self.end.saturating_sub(self.start);
                self.start = 0;
            }
            if self.end == self.buffer.len() {
                self.buffer.resize(self.buffer.len().saturating_mul(2), 0);
            }
            match self.source.read(self.buffer.get_mut(self.end..).unwrap_or(&mut [])) {
                Ok(0) => self.ended = true,
                Ok(added) => self.end = self.end.saturating_add(added).min(self.buffer.len()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.window().len() >= count)
    }

    /// What was read and not passed.
    #[inline]
    pub fn window(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or(&[])
    }

    /// The same, to be changed.
    pub fn window_mut(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.start..self.end).unwrap_or(&mut [])
    }

    /// Leaves `count` octets of the window behind.
    #[inline]
    pub fn pass(&mut self, count: usize) {
        let count = count.min(self.window().len());
        self.start = self.start.saturating_add(count);
        self.offset = self.offset.saturating_add(count as u64);
    }

    /// Octets passed so far.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The source again, with what was read and not passed in front.
    pub fn into_source(mut self) -> Box<dyn Read + Send> {
        self.buffer.truncate(self.end);
        self.buffer.drain(..self.start);
        Box::new(io::Cursor::new(self.buffer).chain(self.source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few octets at a time, as pipes may.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(self.1).min(room.len());
            let (now, later) = self.0.split_at(count);
            room[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    fn numbers() -> &'static [u8] {
        (0..1_000_000_u32).map(|at| (at % 251) as u8).collect::<Vec<u8>>().leak()
    }

    #[test]
    fn the_window_moves_over_every_octet_in_order() {
        let numbers = numbers();
        for (drop, step) in [(1_000_000, 700), (999, 1000), (7, 1), (300_000, 600_000)] {
            let mut octets = Octets::of(Box::new(Drops(numbers, drop)));
            let mut at = 0;
            while octets.fetch(step).unwrap() {
                assert_eq!(octets.window()[..step], numbers[at..at + step]);
                octets.pass(step);
                at += step;
                assert_eq!(octets.offset(), at as u64);
            }
            assert_eq!(octets.window(), &numbers[at..]);
            assert!(numbers.len() - at < step);
        }
    }

    #[test]
    fn what_is_asked_for_and_not_there_takes_no_memory() {
        let mut octets = Octets::of(Box::new(&numbers()[..1000]));
        assert!(!octets.fetch(usize::MAX).unwrap());
        assert_eq!((octets.window().len(), octets.buffer.len()), (1000, ROOM));
    }

    #[test]
    fn a_source_taken_back_has_what_was_not_passed() {
        let numbers = numbers();
        let mut octets = Octets::of(Box::new(Drops(numbers, 5000)));
        assert!(octets.fetch(6000).unwrap());
        octets.pass(123);
        let mut rest = Vec::new();
        octets.into_source().read_to_end(&mut rest).unwrap();
        assert_eq!(rest, numbers[123..]);
    }
}
