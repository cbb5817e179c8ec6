//! This file is where log lines wait for their reader: bounded, lossy, and written many at a time.
//!
//! The idea: a request appends its line to one buffer and goes on; a thread that was woken by the first line waits a
//! few milliseconds for more, takes the whole buffer and writes it at once.
//! The price: a line is seen those milliseconds later. The gain: one switch of threads and one write for a batch, not
//! for each line.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// How long the writing thread lets lines come together.
const GATHER: Duration = Duration::from_millis(3);
/// What an empty buffer may keep of the room that a burst has made.
const KEPT_ROOM: usize = 256 << 10;

/// How many log lines were lost since the start.
#[derive(Clone, Debug, Default)]
pub struct LogCounts(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Lines that found no room.
    refused: AtomicU64,
    /// Lines that the writer failed to write, because its reader is gone.
    failed: AtomicU64,
}

impl LogCounts {
    /// Lines lost, to a full queue or to a reader that is gone.
    pub fn dropped(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed).saturating_add(self.0.failed.load(Ordering::Relaxed))
    }
}

/// Where lines are left; a clone leaves them at the same place.
#[derive(Clone)]
pub(super) struct LogQueue(Arc<Shared>);

struct Shared {
    places: usize,
    counts: LogCounts,
    waiting: Mutex<Waiting>,
    /// Told when the writing thread has something to do.
    work: Condvar,
    /// Told when the writing thread has done something.
    done: Condvar,
}

#[derive(Default)]
struct Waiting {
    text: Vec<u8>,
    lines: usize,
    /// Lines that the writing thread has taken and not finished.
    taken: usize,
    closed: bool,
}

/// What takes the batches.
pub(super) trait Reader: Send + 'static {
    /// Whole lines, one or more.
    fn lines(&mut self, text: &[u8]) -> io::Result<()>;

    /// Called after the lines when no others wait.
    fn idle(&mut self) -> io::Result<()>;
}

impl LogQueue {
    /// A queue of so many places, emptied into the reader by a thread of its own.
    pub(super) fn start(places: usize, counts: LogCounts, reader: impl Reader) -> (Self, LogThread) {
        let shared = Arc::new(Shared {
            places,
            counts,
            waiting: Mutex::default(),
            work: Condvar::new(),
            done: Condvar::new(),
        });
        let own = Arc::clone(&shared);
        let thread =
            Builder::new().name("gatepost-log".to_owned()).spawn(move || own.work_until_closed(reader));
        // Without its thread the queue fills once and drops from then on; nobody could be told.
        (Self(Arc::clone(&shared)), LogThread { shared, thread: thread.ok() })
    }

    /// Leaves a line, which ends with its newline; drops and counts it when there is no room.
    pub(super) fn push(&self, line: &[u8]) {
        let mut waiting = self.0.lock();
        if waiting.lines >= self.0.places {
            self.0.counts.0.refused.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.text.extend_from_slice(line);
        waiting.lines += 1;
        // The thread is asleep only while nothing waits; later lines find it awake or gathering.
        let (is_first, is_half_full) = (waiting.lines == 1, waiting.lines == self.0.hurry());
        drop(waiting);
        if is_first || is_half_full {
            self.0.work.notify_one();
        }
    }
}

/// The thread that writes.
pub(super) struct LogThread {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl LogThread {
    /// Waits until every line is written, but no longer than that.
    pub(super) fn wait_until_written(&self, patience: Duration) -> bool {
        let waiting = self.shared.lock();
        let unwritten = |waiting: &mut Waiting| waiting.lines > 0 || waiting.taken > 0;
        let waited = self.shared.done.wait_timeout_while(waiting, patience, unwritten);
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !unwritten(&mut waiting)
    }

    /// Ends the thread; true once its last line is written, false if that takes longer than that.
    pub(super) fn end(&mut self, patience: Duration) -> bool {
        self.shared.lock().closed = true;
        self.shared.work.notify_one();
        let written = self.wait_until_written(patience);
        if written && let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to write.
            let _ = thread.join();
        }
        written
    }
}

impl Shared {
    /// So many lines are not let to come together any longer.
    fn hurry(&self) -> usize {
        self.places.div_ceil(2)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work_until_closed(&self, mut reader: impl Reader) {
        let mut batch = Vec::new();
        while let Some(lines) = self.next(&mut batch) {
            let written = reader.lines(&batch);
            batch.clear();
            batch.shrink_to(KEPT_ROOM);
            self.finished(lines, &written);
            if self.lock().lines == 0 {
                // A reader that is gone was counted with its lines.
                let _ = reader.idle();
            }
        }
    }

    /// Takes all that waits, at least one line; nothing once the queue is closed and empty.
    fn next(&self, batch: &mut Vec<u8>) -> Option<usize> {
        let waiting = self.lock();
        let asleep = self.work.wait_while(waiting, |waiting| waiting.lines == 0 && !waiting.closed);
        let waiting = asleep.unwrap_or_else(PoisonError::into_inner);
        let gathering = self
            .work
            .wait_timeout_while(waiting, GATHER, |waiting| waiting.lines < self.hurry() && !waiting.closed);
        let (mut waiting, _) = gathering.unwrap_or_else(PoisonError::into_inner);
        if waiting.lines == 0 {
            return None;
        }
        std::mem::swap(&mut waiting.text, batch);
        waiting.taken = std::mem::take(&mut waiting.lines);
        Some(waiting.taken)
    }

    fn finished(&self, lines: usize, written: &io::Result<()>) {
        if written.is_err() {
            self.counts.0.failed.fetch_add(lines as u64, Ordering::Relaxed);
        }
        self.lock().taken = 0;
        self.done.notify_all();
    }
}
