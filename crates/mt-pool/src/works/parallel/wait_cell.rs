//! What threads wait at that take from the same source.

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Wake,
    time::{Duration, Instant},
};

use crate::lock::lock;

/// A count of rings that can be waited for.
///
/// Whoever waits reads the count, looks whether there is something, and then waits for another count: a
/// ring in between is not missed. As a waker it wakes one thread; who finds more than it takes wakes
/// the next.
#[derive(Debug, Default)]
pub(super) struct WaitCell {
    rings: Mutex<u64>,
    waiting: AtomicUsize,
    heard: Condvar,
}

impl WaitCell {
    pub(super) fn rings(&self) -> u64 {
        *lock(&self.rings)
    }

    /// Counts the calling thread among those who wait, until the waiter is dropped. To be done before
    /// the last look: whoever brings something afterwards sees that somebody waits.
    pub(super) fn waiter(&self) -> Waiter<'_> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        Waiter { wait_cell: self }
    }

    /// How many wait, or are about to.
    #[inline]
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    pub(super) fn ring(&self) {
        *lock(&self.rings) += 1;
        self.heard.notify_one();
    }

    pub(super) fn ring_all(&self) {
        *lock(&self.rings) += 1;
        self.heard.notify_all();
    }
}

#[derive(Debug)]
pub(super) struct Waiter<'a> {
    wait_cell: &'a WaitCell,
}

impl Waiter<'_> {
    /// Waits for a ring after the first `rings`, until then at most; for ever without a time. False when
    /// there was none.
    pub(super) fn wait(&self, rings: u64, until: Option<Instant>) -> bool {
        let WaitCell {
            rings: now, heard, ..
        } = self.wait_cell;
        let left = until.map_or(Duration::MAX, |until| {
            until.saturating_duration_since(Instant::now())
        });
        let waited = heard.wait_timeout_while(lock(now), left, |now| *now == rings);
        let (_now, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        !waited.timed_out()
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.wait_cell.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Wake for WaitCell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_ring_before_the_wait_is_not_missed() {
        let wait_cell = WaitCell::default();
        let before = wait_cell.rings();
        wait_cell.ring();
        assert!(wait_cell.waiter().wait(before, None));
        assert_eq!(wait_cell.waiting(), 0);
    }

    #[test]
    fn no_ring_means_waiting_to_the_end() {
        let wait_cell = WaitCell::default();
        let until = Instant::now() + Duration::from_millis(5);
        assert!(!wait_cell.waiter().wait(wait_cell.rings(), Some(until)));
        assert!(Instant::now() >= until);
    }

    #[test]
    fn all_are_woken_together() {
        let wait_cell = WaitCell::default();
        let before = wait_cell.rings();
        thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| wait_cell.waiter().wait(before, None)))
                .collect();
            wait_cell.ring_all();
            for thread in threads {
                assert!(thread.join().expect("no panic"));
            }
        });
    }
}
