//! How far tasks are, until it is said: of each task the latest.
//!
//! Bounded by the tasks of the bee and by how much each may say. Who tells never waits: the thread that talks
//! takes what is there when the way to the parent is free, every [`REST`] at most.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use mt_proto::TaskId;
use tokio::sync::mpsc;

use super::messages::Report;

/// The pause after progress was said.
pub(super) const REST: Duration = Duration::from_millis(10);

/// Progress that was not said yet, of each task the latest.
#[derive(Debug)]
pub(crate) struct ProgressBuffer {
    latest: Mutex<BTreeMap<TaskId, Bytes>>,
    /// Whether there is anything. Changes under the lock only.
    any: AtomicBool,
    /// Not one that counts: reports end when the bee does.
    reports: mpsc::WeakSender<Report>,
}

impl ProgressBuffer {
    pub(super) fn new(reports: &mpsc::Sender<Report>) -> Self {
        Self {
            latest: Mutex::default(),
            any: AtomicBool::new(false),
            reports: reports.downgrade(),
        }
    }

    /// A task is this far.
    pub(crate) fn tell(&self, task: TaskId, progress: Bytes) {
        let mut latest = self.lock();
        latest.insert(task, progress);
        let first = !self.any.swap(true, Ordering::Release);
        drop(latest);
        if let Some(reports) = self.reports.upgrade().filter(|_| first) {
            // Without room there are other reports to be taken, and this is looked for after them.
            let _ = reports.try_send(Report::Progress);
        }
    }

    /// Takes what there is.
    pub(super) fn take(&self) -> BTreeMap<TaskId, Bytes> {
        let mut latest = self.lock();
        self.any.store(false, Ordering::Release);
        std::mem::take(&mut latest)
    }

    /// Takes the last progress of this task, which has ended since.
    pub(super) fn take_of(&self, task: TaskId) -> Option<Bytes> {
        // Its progress came before the report of its end.
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

    fn progress(n: u8) -> Bytes {
        Bytes::copy_from_slice(&[n])
    }

    #[test]
    fn the_latest_of_each_task_counts_and_one_word_is_enough() {
        let (reports, mut reported) = mpsc::channel(8);
        let all = ProgressBuffer::new(&reports);
        assert!(!all.any());
        for n in 0..100 {
            all.tell(TaskId(1), progress(n));
        }
        all.tell(TaskId(2), progress(7));
        assert!(matches!(reported.try_recv(), Ok(Report::Progress)));
        assert!(reported.try_recv().is_err(), "reported once");
        assert_eq!(all.take_of(TaskId(2)), Some(progress(7)));
        assert_eq!(all.take_of(TaskId(2)), None);
        assert!(all.any());
        assert_eq!(all.take(), BTreeMap::from([(TaskId(1), progress(99))]));
        assert!(!all.any());
        all.tell(TaskId(1), progress(0));
        assert!(
            matches!(reported.try_recv(), Ok(Report::Progress)),
            "and again"
        );
    }

    #[test]
    fn who_tells_does_not_wait_for_room() {
        let (reports, _said) = mpsc::channel(1);
        let all = ProgressBuffer::new(&reports);
        reports.try_send(Report::Progress).expect("there is room");
        all.tell(TaskId(1), progress(1));
        assert!(all.any(), "it is found after the other reports");
    }
}
