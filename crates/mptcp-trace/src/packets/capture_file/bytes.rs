//! The bytes of a file or a pipe through a few buffers that are used again and again: whole records are looked at
//! where they were read, without a copy.
//!
//! What has to be waited for or decompressed is read by a thread of its own, while what came before is looked at. A file
//! is read where it is looked at: what was just copied is still near to that processor.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::interrupt;

/// What one read asks for: few calls, and buffers that stay in the processor's cache.
const ROOM: usize = 256 * 1024;

/// Bytes before what is read, for the part of a record that the buffer before ends with.
const LEAD: usize = 64 * 1024;

/// Buffers that go round: one is looked at, the others are read into.
const BUFFERS: usize = 3;

/// Interval of checks for Ctrl-C without input.
const PULSE: Duration = Duration::from_millis(50);

/// A window that moves over the bytes of a source.
pub struct Bytes {
    source: Encoded,
    buffer: Vec<u8>,
    /// The window: what was read and not yet passed.
    start: usize,
    end: usize,
    /// Bytes passed.
    offset: u64,
    /// Time to wait for more.
    deadline: Option<Instant>,
}

enum Encoded {
    /// Nothing was read yet.
    Fresh(Box<dyn Read + Send>),
    /// It is read when it is wanted, into the spare buffer.
    AtHand(Box<dyn Read + Send>, Vec<u8>),
    /// A thread reads.
    Running(Reader),
    /// There is no more.
    Ended,
}

/// The thread that reads, seen from outside.
struct Reader {
    full: Receiver<io::Result<Full>>,
    empty: SyncSender<Vec<u8>>,
}

/// A buffer with `count` bytes behind the lead.
struct Full {
    buffer: Vec<u8>,
    count: usize,
}

/// A part of a file, which is read at its own place whatever others read of the same file.
pub struct Span {
    file: Arc<File>,
    offset: u64,
    /// Behind this, little is read at once.
    end: u64,
}

impl Span {
    /// What one read asks for behind the end: the rest of a packet.
    const REST: usize = 16 * 1024;

    /// From `offset` on; what begins at `end` or later is not wanted.
    pub fn of(file: &Arc<File>, offset: u64, end: Option<u64>) -> Self {
        Span { file: Arc::clone(file), offset, end: end.unwrap_or(u64::MAX) }
    }
}

impl Read for Span {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let wanted = match usize::try_from(self.end.saturating_sub(self.offset)) {
            Ok(0) => Self::REST,
            wanted => wanted.unwrap_or(usize::MAX),
        };
        let most = room.len().min(wanted);
        let read = self.file.read_at(room.get_mut(..most).unwrap_or(&mut []), self.offset)?;
        self.offset = self.offset.saturating_add(read as u64);
        Ok(read)
    }
}

impl Bytes {
    /// Nothing read yet of `source`.
    pub fn of(source: Box<dyn Read + Send>) -> Self {
        Bytes { source: Encoded::Fresh(source), buffer: Vec::new(), start: 0, end: 0, offset: 0, deadline: None }
    }

    /// The same for a source that nothing has to be waited for: a file.
    pub fn at_hand(source: Box<dyn Read + Send>) -> Self {
        Bytes { source: Encoded::AtHand(source, Vec::new()), ..Bytes::of(Box::new(io::empty())) }
    }

    /// The same for a part of a file.
    pub fn of_span(span: Span) -> Self {
        let offset = span.offset;
        Bytes { offset, ..Bytes::at_hand(Box::new(span)) }
    }

    /// Goes on with `span`, with the same buffers.
    pub fn go_to(&mut self, span: Span) {
        (self.start, self.end, self.offset) = (0, 0, span.offset);
        let spare = match std::mem::replace(&mut self.source, Encoded::Ended) {
            Encoded::AtHand(_, spare) => spare,
            _ => Vec::new(),
        };
        self.source = Encoded::AtHand(Box::new(span), spare);
    }

    /// Sets until when [`Bytes::fetch`] waits for bytes that have not come; without one it waits for ever.
    pub fn wait_until(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// Widens the window to `count` bytes, and more while at it; false when the source ends before. The buffer grows
    /// only as far as the source really has bytes.
    ///
    /// # Errors
    /// When the source cannot be read; [`ErrorKind::Interrupted`] on Ctrl-C; [`ErrorKind::TimedOut`] when the bytes
    /// had not come by the deadline, and may be asked for again.
    #[inline]
    pub fn fetch(&mut self, count: usize) -> io::Result<bool> {
        if self.window().len() >= count { Ok(true) } else { self.read(count) }
    }

    #[cold]
    fn read(&mut self, count: usize) -> io::Result<bool> {
        while self.window().len() < count {
            let Some(full) = self.next_buffer()? else { return Ok(false) };
            self.take(full);
        }
        Ok(true)
    }

    /// Waits for the next buffer; `None` at the end of the source.
    fn next_buffer(&mut self) -> io::Result<Option<Full>> {
        self.source = match std::mem::replace(&mut self.source, Encoded::Ended) {
            Encoded::Fresh(source) => Encoded::Running(Reader::start(source)?),
            other => other,
        };
        if interrupt::requested() {
            return Err(ErrorKind::Interrupted.into());
        }
        let reader = match &mut self.source {
            Encoded::AtHand(source, spare) => {
                let read = fill(source, std::mem::take(spare));
                if !matches!(read, Ok(Some(_))) {
                    self.source = Encoded::Ended;
                }
                return read;
            }
            Encoded::Running(reader) => reader,
            Encoded::Fresh(_) | Encoded::Ended => return Ok(None),
        };
        loop {
            if interrupt::requested() {
                return Err(ErrorKind::Interrupted.into());
            }
            let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            match reader.full.recv_timeout(left.map_or(PULSE, |left| left.min(PULSE))) {
                Ok(Ok(full)) => return Ok(Some(full)),
                Ok(Err(error)) => {
                    self.source = Encoded::Ended;
                    return Err(error);
                }
                Err(RecvTimeoutError::Timeout) if left.is_some_and(|left| left <= PULSE) => {
                    return Err(ErrorKind::TimedOut.into());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.source = Encoded::Ended;
                    return Ok(None);
                }
            }
        }
    }

    /// Puts what is left of the window before what was read.
    fn take(&mut self, full: Full) {
        let left = self.buffer.get(self.start..self.end).unwrap_or(&[]);
        let Full { mut buffer, count } = full;
        let start = LEAD.checked_sub(left.len());
        let room = start.and_then(|start| buffer.get_mut(start..LEAD));
        match (start, room) {
            (Some(start), Some(room)) => {
                room.copy_from_slice(left);
                std::mem::swap(&mut self.buffer, &mut buffer);
                self.start = start;
                self.end = LEAD.saturating_add(count).min(self.buffer.len());
            }
            // A long record: it is put together in a buffer that grows.
            _ => {
                self.buffer.copy_within(self.start..self.end, 0);
                self.buffer.truncate(self.end.saturating_sub(self.start));
                let read = buffer.get(LEAD..).and_then(|read| read.get(..count)).unwrap_or(&[]);
                self.buffer.extend_from_slice(read);
                self.start = 0;
                self.end = self.buffer.len();
            }
        }
        match &mut self.source {
            // When the thread has ended, nobody needs the buffer.
            Encoded::Running(reader) => drop(reader.empty.try_send(buffer)),
            Encoded::AtHand(_, spare) => *spare = buffer,
            Encoded::Fresh(_) | Encoded::Ended => {}
        }
    }

    /// Bytes read and not yet passed.
    #[inline]
    pub fn window(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or(&[])
    }

    /// The same, to be changed.
    pub fn window_mut(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.start..self.end).unwrap_or(&mut [])
    }

    /// Leaves `count` bytes of the window behind.
    #[inline]
    pub fn pass(&mut self, count: usize) {
        let count = count.min(self.window().len());
        self.start = self.start.saturating_add(count);
        self.offset = self.offset.saturating_add(count as u64);
    }

    /// Bytes passed so far.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

impl Reader {
    fn start(source: Box<dyn Read + Send>) -> io::Result<Reader> {
        let (send_full, full) = sync_channel(BUFFERS);
        let (empty, take_empty) = sync_channel(BUFFERS);
        for _ in 0..BUFFERS {
            let _ = empty.try_send(Vec::new());
        }
        thread::Builder::new().name("reader".to_string()).spawn(move || read(source, &take_empty, &send_full))?;
        Ok(Reader { full, empty })
    }
}

/// Fills buffers until the source ends, or nobody wants them any more.
fn read(mut source: Box<dyn Read + Send>, empty: &Receiver<Vec<u8>>, full: &SyncSender<io::Result<Full>>) {
    while let Ok(buffer) = empty.recv() {
        let Some(read) = fill(&mut source, buffer).transpose() else { return };
        let failed = read.is_err();
        if full.send(read).is_err() || failed {
            return;
        }
    }
}

/// Reads into a buffer, behind the lead; `None` at the end of the source.
fn fill(source: &mut dyn Read, mut buffer: Vec<u8>) -> io::Result<Option<Full>> {
    let size = LEAD.saturating_add(ROOM);
    if buffer.is_empty() {
        // Zeros fresh from the system cost nothing before they are written over: of a small file, few ever are.
        buffer = vec![0; size];
    } else {
        buffer.resize(size, 0);
    }
    loop {
        match source.read(buffer.get_mut(LEAD..).unwrap_or(&mut [])) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(0) => return Ok(None),
            read => return read.map(|count| Some(Full { buffer, count })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time, as pipes may.
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
    fn the_window_moves_over_every_byte_in_order() {
        let numbers = numbers();
        let steps = [(1_000_000, 700), (999, 1000), (7, 1), (300_000, 600_000), (100_000, 70_000)];
        let ways = [Bytes::of as fn(Box<dyn Read + Send>) -> Bytes, Bytes::at_hand];
        for (way, (drop, step)) in ways.into_iter().flat_map(|way| steps.map(|step| (way, step))) {
            let mut bytes = way(Box::new(Drops(numbers, drop)));
            let mut at = 0;
            while bytes.fetch(step).unwrap() {
                assert_eq!(bytes.window()[..step], numbers[at..at + step]);
                bytes.pass(step);
                at += step;
                assert_eq!(bytes.offset(), at as u64);
            }
            assert_eq!(bytes.window(), &numbers[at..]);
            assert!(numbers.len() - at < step);
            assert!(!bytes.fetch(step).unwrap(), "the end stays the end");
        }
    }

    #[test]
    fn what_is_asked_for_and_not_there_takes_no_memory() {
        let mut bytes = Bytes::of(Box::new(&numbers()[..1000]));
        assert!(!bytes.fetch(usize::MAX).unwrap());
        assert_eq!(bytes.window().len(), 1000);
        assert!(bytes.buffer.capacity() <= 2 * (LEAD + ROOM));
    }

    #[test]
    fn what_has_not_come_by_the_deadline_may_be_asked_for_again() {
        struct Channel(Receiver<&'static [u8]>);
        impl Read for Channel {
            fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
                let Ok(sent) = self.0.recv() else { return Ok(0) };
                room[..sent.len()].copy_from_slice(sent);
                Ok(sent.len())
            }
        }
        let (send, receive) = sync_channel(8);
        let mut bytes = Bytes::of(Box::new(Channel(receive)));
        let soon = || Some(Instant::now() + Duration::from_millis(20));
        bytes.wait_until(soon());
        assert_eq!(bytes.fetch(1).unwrap_err().kind(), ErrorKind::TimedOut);
        send.send(b"ab").unwrap();
        bytes.wait_until(soon());
        assert_eq!(bytes.fetch(4).unwrap_err().kind(), ErrorKind::TimedOut);
        send.send(b"cd").unwrap();
        bytes.wait_until(None);
        assert!(bytes.fetch(4).unwrap());
        assert_eq!(bytes.window(), b"abcd");
    }

    #[test]
    fn an_error_comes_after_what_was_read() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        let mut bytes = Bytes::of(Box::new((&numbers()[..10]).chain(Fails)));
        assert!(bytes.fetch(10).unwrap());
        assert_eq!(bytes.fetch(11).unwrap_err().to_string(), "gone");
        assert_eq!(bytes.window().len(), 10);
    }
}
