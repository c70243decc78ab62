//! Events that wait for the link, bounded in number ([`MAX_TRACE_EVENTS`]) and bytes. What finds no room is counted.

use std::{
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use mt_ipc::Progress;
use mt_proto::{FromWorker, MAX_CONTROL_BYTES, MAX_TRACE_EVENTS, TraceEvent, TraceLevel, encode};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};
use tracing::level_filters::LevelFilter;

use crate::lock::lock;

/// The most bytes that wait: one frame.
const BYTES: usize = MAX_CONTROL_BYTES - 1024;
/// The pause between two loads. With one load more for what is urgent, a worker sends at most 102,400
/// events a second.
const REST: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(crate) struct Journal {
    /// The least important events wanted by the parent, as a number; 0 for none.
    level: AtomicU8,
    /// The level that subscribers were last asked with.
    asked: AtomicU8,
    progress: Progress,
    state: Mutex<JournalState>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct JournalState {
    events: Vec<TraceEvent>,
    bytes: usize,
    dropped: u64,
    /// A warning or an error is among the events.
    is_urgent: bool,
    /// The notes left in the shared memory.
    notes: u64,
}

/// When the link may take the next load.
#[derive(Debug)]
pub(crate) struct LoadTimes {
    any_from: Instant,
    urgent_from: Instant,
}

static JOURNAL: OnceLock<Journal> = OnceLock::new();

impl Journal {
    /// The journal of this process, for a run that wants these events; `None` if it wants none.
    pub(crate) fn open(level: Option<TraceLevel>, progress: &Progress) -> Option<&'static Self> {
        let Some(least) = level else {
            if let Some(journal) = JOURNAL.get() {
                journal.level.store(0, Ordering::Relaxed);
            }
            return None;
        };
        let journal = JOURNAL.get_or_init(|| Self {
            level: AtomicU8::new(0),
            asked: AtomicU8::new(0),
            progress: progress.clone(),
            state: Mutex::default(),
            wake: Notify::new(),
        });
        journal.level.store(least as u8, Ordering::Relaxed);
        Some(journal)
    }

    /// The journal of this process, if it is a worker that sends events.
    pub(super) fn current() -> Option<&'static Self> {
        JOURNAL.get()
    }

    pub(super) fn filter(&self) -> LevelFilter {
        match self.level.load(Ordering::Relaxed) {
            0 => LevelFilter::OFF,
            1 => LevelFilter::ERROR,
            2 => LevelFilter::WARN,
            3 => LevelFilter::INFO,
            4 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        }
    }

    /// Whether the filter has changed since this was last called.
    pub(super) fn has_changed(&self) -> bool {
        let level = self.level.load(Ordering::Relaxed);
        self.asked.swap(level, Ordering::Relaxed) != level
    }

    /// Adds an event, or counts it as dropped. No user code runs in here.
    pub(super) fn add(&self, event: TraceEvent) {
        let note = encode_note(&event);
        let is_urgent = event.level <= TraceLevel::Warn;
        let bytes = event.len_bytes();
        let mut state = lock(&self.state);
        state.notes += 1;
        self.progress.note(state.notes, &note);
        if state.events.len() >= MAX_TRACE_EVENTS || state.bytes + bytes > BYTES {
            state.dropped += 1;
            return;
        }
        let wakes = state.events.is_empty() || (is_urgent && !state.is_urgent);
        state.bytes += bytes;
        state.events.push(event);
        state.is_urgent |= is_urgent;
        drop(state);
        if wakes {
            self.wake.notify_one();
        }
    }

    /// Link: waits until a load is due. Cancel-safe: what is due is read off the state.
    pub(crate) async fn due(&self, pace: &LoadTimes) {
        loop {
            let woken = self.wake.notified();
            let (is_empty, is_urgent) = {
                let state = lock(&self.state);
                (state.events.is_empty(), state.is_urgent)
            };
            if is_empty {
                woken.await;
                continue;
            }
            let from = if is_urgent {
                pace.urgent_from
            } else {
                pace.any_from
            };
            if from <= Instant::now() {
                return;
            }
            let _ = timeout_at(from, woken).await;
        }
    }

    /// Link: takes what there is; `None` when nothing is.
    pub(crate) fn take(&self, pace: &mut LoadTimes) -> Option<FromWorker> {
        let mut state = lock(&self.state);
        if state.events.is_empty() {
            return None;
        }
        let rested = Instant::now() + REST;
        pace.any_from = rested;
        if std::mem::take(&mut state.is_urgent) {
            pace.urgent_from = rested;
        }
        state.bytes = 0;
        Some(FromWorker::Trace {
            events: state.events.drain(..).collect(),
            dropped: std::mem::take(&mut state.dropped),
        })
    }
}

/// Waits until events are to be sent; for ever if none are wanted. Cancel-safe.
pub(crate) async fn due(journal: Option<&'static Journal>, pace: &LoadTimes) {
    match journal {
        Some(journal) => journal.due(pace).await,
        None => std::future::pending().await,
    }
}

impl Default for LoadTimes {
    fn default() -> Self {
        let now = Instant::now();
        Self {
            any_from: now,
            urgent_from: now,
        }
    }
}

/// An event for the shared memory, cut so that it fits.
fn encode_note(event: &TraceEvent) -> Vec<u8> {
    // a value of ours.
    match encode(event, Progress::NOTE_BYTES) {
        Ok(note) => note,
        // a value of ours.
        Err(_) => encode(&event.brief(Progress::NOTE_BYTES), usize::MAX).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(level: TraceLevel, message: &str) -> TraceEvent {
        TraceEvent {
            level,
            target: "t".repeat(300),
            file: Some("f".repeat(300)),
            line: Some(u32::MAX),
            item: None,
            message: message.into(),
            fields: vec![("k".repeat(300), "v".repeat(3000)); 100],
        }
        .clipped()
    }

    #[test]
    fn a_note_always_fits() {
        for message in ["", "short", &"é".repeat(5000)] {
            let event = event(TraceLevel::Error, message);
            let note = encode_note(&event);
            assert!(note.len() <= Progress::NOTE_BYTES);
            let read: TraceEvent = mt_proto::decode_strict(&note).expect("decodes");
            assert_eq!(read.level, event.level);
            assert_eq!(read.message.is_empty(), message.is_empty());
        }
    }
}
