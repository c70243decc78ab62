//! Outcomes on their way from the user's code to the link.
//!
//! A finished result leaves as soon as one of these is true: nothing else is ready to run, the piece
//! it came with is done, 64 KiB have gathered, or a millisecond has passed since results last left.
//! The last one needs nothing of the user's code: it holds while the next task runs for ever.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use mt_proto::{Frame, FromWorker, ItemIndex, Run, RunWriter};
use tokio::sync::Notify;

/// The bytes that are not worth waiting for more.
const FLUSH_BYTES: usize = 64 * 1024;
/// A result longer than this travels as it is instead of being copied to others.
const LONG_BYTES: usize = 16 * 1024;
/// The bytes at which the user's code is held back until the parent has read some.
const FULL_BYTES: usize = 8 * 1024 * 1024;

/// The outcomes that wait, and who waits for them.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    wake: Notify,
    room: Notify,
}

#[derive(Debug, Default)]
struct State {
    runs: RunWriter,
    frames: VecDeque<Frame>,
    frame_bytes: usize,
    /// The link knows that there is something.
    told: bool,
    /// The bytes at which it is told again.
    wake_at: usize,
    /// Nothing more will come.
    done: bool,
    /// The link is gone.
    closed: bool,
}

/// What the link took.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// Results, encoded.
    pub(super) runs: Bytes,
    /// Other frames.
    pub(super) frames: VecDeque<Frame>,
    /// Whether that was the last.
    pub(super) done: bool,
}

impl Load {
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.frames.is_empty()
    }
}

impl Outbox {
    /// Adds the outcome of an item, a record. Returns whether there is room for more.
    #[inline]
    pub(crate) fn push(&self, index: ItemIndex, record: &mut Vec<u8>) -> bool {
        let mut state = self.lock();
        if record.len() > LONG_BYTES {
            let records = Bytes::from(std::mem::take(record));
            state.frame_bytes += records.len();
            let run = Run {
                first: index,
                count: 1,
                records,
            };
            state
                .frames
                .push_back(FromWorker::Results(run).into_frame());
        } else {
            state.runs.push_encoded(index, record);
        }
        let bytes = state.len_bytes();
        let room = bytes < FULL_BYTES || state.closed;
        // The first since the link last looked; or so much that it should look now.
        if !state.told || bytes >= state.wake_at {
            state.told = true;
            state.wake_at = bytes + FLUSH_BYTES;
            drop(state);
            self.wake.notify_one();
        }
        room
    }

    /// Adds a message that is no result.
    pub(crate) fn say(&self, message: FromWorker) {
        let mut state = self.lock();
        state.frames.push_back(message.into_frame());
        drop(state);
        self.wake.notify_one();
    }

    /// Sends what is here: nothing else is ready to run.
    pub(crate) fn flush(&self) {
        let state = self.lock();
        let empty = state.runs.is_empty() && state.frames.is_empty();
        drop(state);
        if !empty {
            self.wake.notify_one();
        }
    }

    /// Waits until the parent has read enough for more results to be made. Cancel-safe.
    pub(crate) async fn room(&self) {
        loop {
            let room = self.room.notified();
            {
                let state = self.lock();
                if state.len_bytes() < FULL_BYTES || state.closed {
                    return;
                }
            }
            room.await;
        }
    }

    /// Nothing more will come.
    pub(crate) fn finish(&self) {
        self.lock().done = true;
        self.wake.notify_one();
    }

    /// Link: waits until there may be something. Cancel-safe.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Link: takes all there is. It will be told of the next result only if it says so with
    /// `tell_next`; otherwise it comes back by itself.
    pub(super) fn take(&self, tell_next: bool) -> Load {
        let mut state = self.lock();
        let runs = if state.runs.is_empty() {
            Bytes::new()
        } else {
            state.runs.take()
        };
        let frames = std::mem::take(&mut state.frames);
        state.frame_bytes = 0;
        state.told = !tell_next;
        state.wake_at = FLUSH_BYTES;
        let done = state.done;
        drop(state);
        self.room.notify_one();
        Load { runs, frames, done }
    }

    /// Link: nothing is taken any more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.room.notify_one();
    }

    /// No user code runs under the lock, so a poisoned state is still consistent.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn len_bytes(&self) -> usize {
        self.runs.len_bytes() + self.frame_bytes
    }
}
