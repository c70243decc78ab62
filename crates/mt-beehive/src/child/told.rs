//! How far tasks are, until it is said: of each task the latest.
//!
//! Bounded by the tasks of the bee and by how much each may say. Who tells never waits: the thread that talks
//! takes what is there when the way to the parent is free, every [`REST`] at most.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use mt_proto::TaskId;
use tokio::sync::mpsc;

use super::Word;

/// The pause after what was told is said.
pub(super) const REST: Duration = Duration::from_millis(10);

/// What was told and not said yet.
pub(crate) struct Told {
    latest: Mutex<BTreeMap<TaskId, Bytes>>,
    /// Whether there is anything. Changes under the lock only.
    any: AtomicBool,
    /// Not one that counts: words end when the bee does.
    words: mpsc::WeakSender<Word>,
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told").finish_non_exhaustive()
    }
}

impl Told {
    pub(super) fn new(words: &mpsc::Sender<Word>) -> Self {
        Self {
            latest: Mutex::default(),
            any: AtomicBool::new(false),
            words: words.downgrade(),
        }
    }

    /// A task is this far.
    pub(crate) fn tell(&self, task: TaskId, progress: Bytes) {
        let mut latest = self.lock();
        latest.insert(task, progress);
        let first = !self.any.swap(true, Ordering::Release);
        drop(latest);
        if let Some(words) = self.words.upgrade().filter(|_| first) {
            // Without room there are other words to be taken, and this is looked for after them.
            let _ = words.try_send(Word::Told);
        }
    }

    /// Takes what there is.
    pub(super) fn take(&self) -> BTreeMap<TaskId, Bytes> {
        let mut latest = self.lock();
        self.any.store(false, Ordering::Release);
        std::mem::take(&mut latest)
    }

    /// Takes what this task told last, which has ended since.
    pub(super) fn take_of(&self, task: TaskId) -> Option<Bytes> {
        // It told before it sent word of its end.
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        self.lock().remove(&task)
    }

    /// Whether there is anything.
    pub(super) fn any(&self) -> bool {
        // Under the lock: whoever tells after this sees the room that was made in the queue before it.
        let latest = self.lock();
        !latest.is_empty()
    }

    /// No user code runs under the lock, so a poisoned state is still consistent.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<TaskId, Bytes>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(n: u8) -> Bytes {
        Bytes::copy_from_slice(&[n])
    }

    #[test]
    fn the_latest_of_each_task_counts_and_one_word_is_enough() {
        let (words, mut said) = mpsc::channel(8);
        let all = Told::new(&words);
        assert!(!all.any());
        for n in 0..100 {
            all.tell(TaskId(1), told(n));
        }
        all.tell(TaskId(2), told(7));
        assert!(matches!(said.try_recv(), Ok(Word::Told)));
        assert!(said.try_recv().is_err(), "said once");
        assert_eq!(all.take_of(TaskId(2)), Some(told(7)));
        assert_eq!(all.take_of(TaskId(2)), None);
        assert!(all.any());
        assert_eq!(all.take(), BTreeMap::from([(TaskId(1), told(99))]));
        assert!(!all.any());
        all.tell(TaskId(1), told(0));
        assert!(matches!(said.try_recv(), Ok(Word::Told)), "and again");
    }

    #[test]
    fn who_tells_does_not_wait_for_room() {
        let (words, _said) = mpsc::channel(1);
        let all = Told::new(&words);
        words.try_send(Word::Told).expect("there is room");
        all.tell(TaskId(1), told(1));
        assert!(all.any(), "it is found after the other words");
    }
}
