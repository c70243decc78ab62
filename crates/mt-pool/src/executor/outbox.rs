//! Outcomes on their way from the user's code to the link.
//!
//! A finished result leaves as soon as one of these is true: nothing else is ready to run, 32 KiB have gathered, or
//! the next tick has come, one in twenty milliseconds. The [`Reporter`](super::reporter::Reporter) on the user's thread
//! gathers them; the link takes what the reporter has published.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use mt_proto::{EncodedFrames, Frame, SegmentWriter};
use tokio::sync::Notify;

use crate::{
    lock::lock,
    worker::{Lead, Pause},
};

/// The bytes that are not worth waiting for more.
const FLUSH_BYTES: usize = 32 * 1024;
/// The bytes at which the user's code is held back until the parent has read some.
const FULL_BYTES: usize = 8 * 1024 * 1024;

/// The outcomes that wait, and who waits for them.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    state: Mutex<OutboxState>,
    wake: Notify,
    pause: Arc<Pause>,
    lead: Option<Arc<Lead>>,
    room: Notify,
    /// Whether the link will look by itself, within twenty milliseconds. A hint outside the lock.
    watched: AtomicBool,
    looks: AtomicU32,
    /// Whether outcomes are gathered before they come here.
    gathering: AtomicBool,
}

#[derive(Debug, Default)]
struct OutboxState {
    /// Results, encoded.
    runs: EncodedFrames<Vec<u8>>,
    frames: VecDeque<Frame>,
    /// The link knows that there is something.
    told: bool,
    /// The bytes at which it is told again.
    wake_at: usize,
    done: bool,
    closed: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Load {
    /// Results, encoded.
    pub(crate) runs: EncodedFrames,
    /// Other frames.
    pub(crate) frames: VecDeque<Frame>,
    pub(crate) done: bool,
}

impl Load {
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.frames.is_empty()
    }
}

impl Outbox {
    /// With the pause of the link, which ends when there is something for it to do, and with whatever decides who turns it.
    pub(crate) fn new(pause: Arc<Pause>, lead: Arc<Lead>) -> Self {
        Self {
            pause,
            lead: Some(lead),
            ..Self::default()
        }
    }

    fn wake(&self) {
        self.wake.notify_one();
        self.pause.end();
    }

    /// Takes over the outcomes gathered in `runs`. Returns whether there is room for more. The link is not told while the
    /// main thread is the one to turn it: that has to [`flush`](Self::flush) then.
    pub(crate) fn publish(&self, runs: &mut SegmentWriter) -> bool {
        let mut state = lock(&self.state);
        runs.drain_into(&mut state.runs);
        let bytes = state.runs.weight();
        let room = bytes < FULL_BYTES || state.closed;
        // The first since the link last looked; or so much that it should look now.
        if !state.told || bytes >= state.wake_at {
            state.told = true;
            state.wake_at = bytes + FLUSH_BYTES;
            self.watched.store(true, Ordering::Relaxed);
            drop(state);
            if !self.lead.as_ref().is_some_and(|lead| lead.is_mains()) {
                self.wake();
            }
        }
        room
    }

    /// Whether the link will look by itself, and how often it has looked. Read without the lock, so
    /// both may be old by an instant.
    #[inline]
    pub(crate) fn watch(&self) -> (bool, u32) {
        (
            self.watched.load(Ordering::Relaxed),
            self.looks.load(Ordering::Relaxed),
        )
    }

    pub(crate) fn set_gathering(&self, gathering: bool) {
        self.gathering.store(gathering, Ordering::Relaxed);
    }

    pub(crate) fn is_gathering(&self) -> bool {
        self.gathering.load(Ordering::Relaxed)
    }

    /// Adds a message that is no result.
    pub(crate) fn say(&self, frame: Frame) {
        lock(&self.state).frames.push_back(frame);
        self.wake();
    }

    /// Sends what is here: nothing else is ready to run. What came meanwhile is read.
    pub(crate) fn flush(&self) {
        let state = lock(&self.state);
        if !state.runs.is_empty() || !state.frames.is_empty() {
            drop(state);
            self.wake();
        } else {
            drop(state);
            self.pause.end();
        }
    }

    /// Waits until the parent has read enough for more results to be made. Cancel-safe.
    pub(crate) async fn room(&self) {
        loop {
            let room = self.room.notified();
            {
                let state = lock(&self.state);
                if state.runs.weight() < FULL_BYTES || state.closed {
                    return;
                }
            }
            room.await;
        }
    }

    pub(crate) fn finish(&self) {
        lock(&self.state).done = true;
        self.wake();
    }

    /// Link: waits until there may be something. Cancel-safe.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Link: a tick has come.
    pub(crate) fn count_look(&self) {
        self.looks.fetch_add(1, Ordering::Relaxed);
    }

    /// Link: takes all there is. It will be told of the next result only if it says so with
    /// `tell_next`; otherwise it comes back by itself.
    pub(crate) fn take(&self, tell_next: bool) -> Load {
        let mut state = lock(&self.state);
        let runs = state.runs.take(FLUSH_BYTES);
        let frames = std::mem::take(&mut state.frames);
        state.told = !tell_next;
        state.wake_at = FLUSH_BYTES;
        self.watched.store(!tell_next, Ordering::Relaxed);
        let done = state.done;
        drop(state);
        self.room.notify_one();
        Load { runs, frames, done }
    }

    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
        self.room.notify_one();
    }
}
