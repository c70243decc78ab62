//! What happens to a pool's calls, as it is counted: by their callers until each has a place, then by the driver.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{CallOutcome, CallOutcomes, CallStats, histogram::LiveHistogram};
use crate::error::TaskErrorKind;

/// Counts the calls of a pool: some additions for each, no lock, and the clock once when it is made and once for all that
/// end together.
#[derive(Debug, Default)]
pub(crate) struct CallRecorder {
    made: Callers,
    in_workers: AtomicU64,
    ended: [AtomicU64; CallOutcome::ALL.len()],
    latency: LiveHistogram,
    queue_time: LiveHistogram,
    worker_time: LiveHistogram,
}

/// Written by callers, and not by the driver, so it has a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Callers(AtomicU64);

impl CallRecorder {
    /// A call is made now.
    pub(crate) fn begin(self: &Arc<Self>) -> MadeCall {
        self.made.0.fetch_add(1, Ordering::Relaxed);
        MadeCall {
            recorder: Arc::clone(self),
            since: Instant::now(),
            is_open: true,
        }
    }

    /// So many calls were in the queue and then in a worker for so long, and have ended.
    pub(crate) fn worked(&self, queue_time: Duration, worker_time: Duration, calls: u32) {
        self.queue_time.record(queue_time, calls);
        self.worker_time.record(worker_time, calls);
    }

    /// What was counted; but who waits is for others to say.
    pub(crate) fn stats(&self) -> CallStats {
        // In this order: what has ended was made.
        let ended =
            CallOutcomes::new(|outcome| self.ended[outcome as usize].load(Ordering::Relaxed));
        CallStats {
            ended,
            in_workers: self.in_workers.load(Ordering::Relaxed) as usize,
            latency: self.latency.snapshot(),
            queue_time: self.queue_time.snapshot(),
            worker_time: self.worker_time.snapshot(),
            made: self.made.0.load(Ordering::Relaxed),
            ..CallStats::default()
        }
    }

    fn count(&self, outcome: CallOutcome) {
        self.ended[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }
}

/// A call that was made, until it has ended. Dropped before that, it was cancelled.
#[derive(Debug)]
pub(crate) struct MadeCall {
    recorder: Arc<CallRecorder>,
    since: Instant,
    is_open: bool,
}

impl MadeCall {
    /// The call has come to this.
    pub(crate) fn end(mut self, now: Instant, outcome: CallOutcome) {
        self.close(now, outcome);
    }

    /// The call was not taken in, and took no time.
    pub(crate) fn refuse<E>(self, kind: &TaskErrorKind<E>) {
        self.turn_away(CallOutcome::of(kind));
    }

    /// There was no room for the call.
    pub(crate) fn shed(self) {
        self.turn_away(CallOutcome::Full);
    }

    fn turn_away(mut self, outcome: CallOutcome) {
        self.is_open = false;
        self.recorder.count(outcome);
    }

    fn close(&mut self, now: Instant, outcome: CallOutcome) {
        self.is_open = false;
        let took = now.saturating_duration_since(self.since);
        self.recorder.latency.record(took, 1);
        self.recorder.count(outcome);
    }
}

impl Drop for MadeCall {
    fn drop(&mut self) {
        if self.is_open {
            self.close(Instant::now(), CallOutcome::Cancelled);
        }
    }
}

/// How many calls the workers of one driver have. A pool's next driver may begin before its last has ended.
#[derive(Debug)]
pub(crate) struct InWorkers {
    pub(crate) recorder: Arc<CallRecorder>,
    now: u64,
}

impl InWorkers {
    pub(crate) fn new(recorder: Arc<CallRecorder>) -> Self {
        Self { recorder, now: 0 }
    }

    pub(crate) fn set(&mut self, now: u64) {
        let before = mem::replace(&mut self.now, now);
        if now != before {
            let difference = now.wrapping_sub(before);
            self.recorder
                .in_workers
                .fetch_add(difference, Ordering::Relaxed);
        }
    }
}

impl Drop for InWorkers {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::Lost;

    /// Case M230: A call that was made is counted once, whatever becomes of it; one that nobody ends was cancelled.
    #[test]
    fn each_call_is_counted_once() {
        let recorder = Arc::<CallRecorder>::default();
        for outcome in CallOutcome::ALL {
            recorder.begin().end(Instant::now(), outcome);
        }
        let stats = recorder.stats();
        assert!(stats.ended.iter().all(|(_, count)| count == 1));
        assert_eq!((stats.made, stats.latency.count()), (16, 16));
        drop(recorder.begin());
        recorder.begin().shed();
        recorder.begin().refuse(&Lost::TooLarge { limit_bytes: 1 });
        let stats = recorder.stats();
        let twice = stats.ended.iter().filter(|(_, count)| *count == 2);
        let twice: Vec<_> = twice.map(|(outcome, _)| outcome).collect();
        let expected = [
            CallOutcome::TooLarge,
            CallOutcome::Cancelled,
            CallOutcome::Full,
        ];
        assert_eq!(twice, expected);
        assert_eq!((stats.made, stats.ended.total()), (19, 19));
        assert_eq!(stats.latency.count(), 17, "two were turned away");
    }

    #[test]
    fn what_two_drivers_have_is_added_up() {
        let recorder = Arc::<CallRecorder>::default();
        let mut last = InWorkers::new(Arc::clone(&recorder));
        let mut next = InWorkers::new(Arc::clone(&recorder));
        last.set(5);
        next.set(3);
        last.set(2);
        assert_eq!(recorder.stats().in_workers, 5);
        drop(last);
        assert_eq!(recorder.stats().in_workers, 3);
    }
}
