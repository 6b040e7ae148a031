//! From the first packet of a capture to its last. In a long one a thread of its own dissects, while the caller's looks
//! at what was dissected before.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::walk::{Walk, Walked};
use super::{Failure, Watcher, spans};
use crate::error::ReadError;
use crate::packets::capture_file::Truncation;
use crate::packets::dissection::Batch;
use crate::packets::{Builder, Dissection};
use crate::{Id, PacketRow};

/// Frames between two looks at the rest of the work: their packets stay in the processor's cache.
const FRAMES: u64 = 1024;

/// Frames before another thread is worth starting.
const BEGINNING: u64 = 8 * FRAMES;

/// Batches that may wait for each other.
const BATCHES: usize = 8;

/// Goes through the packets of the capture `path`, of `size` bytes where that is known.
pub fn to_the_end(
    mut walk: Walk,
    path: &Path,
    size: Option<u64>,
    watcher: &mut dyn Watcher,
) -> Result<Dissection, Failure> {
    let mut kept = Kept { builder: Builder::default(), shown: 0, path, size, watcher };
    loop {
        let ended = some_frames(&mut walk, &mut kept.builder)?;
        kept.look(walk.offset())?;
        if ended {
            return kept.finish(&walk);
        }
        if walk.frames() >= BEGINNING && thread::available_parallelism().is_ok_and(|processors| processors.get() > 1) {
            return if spans::dissect(&mut walk, &mut kept)? { kept.finish(&walk) } else { on_two_threads(walk, kept) };
        }
    }
}

/// Dissects the next frames; whether they were the last.
fn some_frames(walk: &mut Walk, builder: &mut Builder) -> Result<bool, Failure> {
    let until = walk.frames().saturating_add(FRAMES);
    while walk.frames() < until {
        if walk.step(builder)? == Walked::End {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The packets so far, and who is told of them.
pub(super) struct Kept<'a> {
    pub(super) builder: Builder,
    /// Packets that the watcher knows.
    shown: usize,
    path: &'a Path,
    size: Option<u64>,
    watcher: &'a mut dyn Watcher,
}

impl Kept<'_> {
    /// Tells the watcher of what has come; `read` bytes of the capture were read.
    pub(super) fn look(&mut self, read: u64) -> Result<(), ReadError> {
        self.watcher.progress(read, self.size);
        self.builder.check_memory(self.path)?;
        self.watcher.packets(self.builder.so_far(), PacketRow::at(self.shown));
        self.shown = self.builder.height();
        Ok(())
    }

    fn finish(self, walk: &Walk) -> Result<Dissection, Failure> {
        let truncation = walk.truncation();
        if let Some(truncation) = truncation.filter(Truncation::leaves_nothing) {
            let detail = format!(" ({truncation})");
            return Err(ReadError::NotACapture { path: self.path.to_path_buf(), detail }.into());
        }
        Ok(Dissection { packets: self.builder.finish(), facts: walk.facts(truncation) })
    }
}

/// What the thread that dissects sends.
enum News {
    /// The next packets, and how many bytes were read.
    Packets(Batch, u64),
    /// The capture ends here.
    End(Box<(Walk, Builder)>),
}

/// Goes on with the rest of the capture: another thread dissects.
fn on_two_threads(walk: Walk, mut kept: Kept<'_>) -> Result<Dissection, Failure> {
    let (send, news) = sync_channel(BATCHES);
    let (give_back, spare) = sync_channel(BATCHES);
    let ahead = kept.builder.ahead();
    let dissector = thread::Builder::new().name("dissector".to_string());
    let dissector = dissector
        .spawn(move || dissect(walk, ahead, &send, &spare))
        .map_err(|source| ReadError::Unreadable { path: kept.path.to_path_buf(), source })?;
    loop {
        match news.recv() {
            Ok(Ok(News::Packets(mut batch, read))) => {
                kept.builder.take_in(&mut batch);
                // At the end nobody needs it any more.
                let _ = give_back.try_send(batch);
                kept.look(read)?;
            }
            Ok(Ok(News::End(end))) => {
                let (walk, ahead) = *end;
                kept.builder.go_on_after(ahead);
                return kept.finish(&walk);
            }
            Ok(Err(failure)) => return Err(failure),
            // It went without a word: it panicked, and so does this thread.
            Err(_) => {
                dissector.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                return Err(ReadError::Interrupted.into());
            }
        }
    }
}

/// Dissects until the capture ends, or nobody listens.
fn dissect(mut walk: Walk, mut builder: Builder, send: &SyncSender<Result<News, Failure>>, spare: &Receiver<Batch>) {
    loop {
        let dissected = some_frames(&mut walk, &mut builder);
        let ended = *dissected.as_ref().unwrap_or(&true);
        let news =
            dissected.map(|_| News::Packets(builder.hand_over(spare.try_recv().unwrap_or_default()), walk.offset()));
        let failed = news.is_err();
        if send.send(news).is_err() || failed {
            return;
        }
        if ended {
            // When nobody listens any more, there is nothing left to do.
            let _ = send.send(Ok(News::End(Box::new((walk, builder)))));
            return;
        }
    }
}
