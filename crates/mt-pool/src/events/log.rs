//! Events of a run, kept for whoever wants to read them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use mt_proto::guarded;

use super::PoolEvent;
use crate::{lock::lock, wait::stream};

/// The events kept. Readers that are further behind miss some.
const KEPT: usize = 512;

#[derive(Debug, Default)]
pub(crate) struct EventLog {
    state: Mutex<LogState>,
}

#[derive(Debug, Default)]
struct LogState {
    events: VecDeque<PoolEvent>,
    /// The number of the first event that is kept.
    first: u64,
    ended: bool,
    /// Readers that wait, by their numbers.
    wakers: BTreeMap<u64, Waker>,
    readers: u64,
}

impl EventLog {
    pub(crate) fn add(&self, event: PoolEvent) {
        self.change(|state| {
            if state.events.len() >= KEPT {
                state.events.pop_front();
                state.first += 1;
            }
            state.events.push_back(event);
        });
    }

    pub(crate) fn end(&self) {
        self.change(|state| state.ended = true);
    }

    /// Changes the log, and wakes those who wait for that.
    fn change(&self, change: impl FnOnce(&mut LogState)) {
        let mut state = lock(&self.state);
        change(&mut state);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        for waker in wakers.into_values() {
            let _ = guarded(|| waker.wake());
        }
    }

    pub(crate) fn read(self: &Arc<Self>) -> PoolEvents {
        let mut state = lock(&self.state);
        state.readers += 1;
        PoolEvents {
            log: Arc::clone(self),
            reader: state.readers,
            next: 0,
            missed: 0,
        }
    }
}

/// What happens to the workers of a run, from its start on: a `Stream`, and an iterator that blocks by
/// [`into_iter`](IntoIterator::into_iter). It ends when the run is over and all was read.
///
/// Made by [`Pmap::events`](crate::Pmap::events) and [`RunHandle::events`](crate::RunHandle::events). The
/// last 512 events are kept for readers. One that is further behind goes on with the oldest of them, and
/// [`missed`](Self::missed) tells how many it has not seen. It never holds up the run, and may
/// outlive it.
///
/// [`ItemsGiven`](PoolEvent::ItemsGiven), of which there are too many for that, is for
/// [`observe`](crate::AsynPmap::observe) only, and so are the opening and closing of contexts.
///
/// ```
/// use mt_pool::{asyn_pmap, events::PoolEvent};
///
/// #[mt_pool::task]
/// fn half(n: u32) -> u32 {
///     if n == 3 { std::process::abort() } else { n / 2 }
/// }
///
/// #[mt_pool::main]
/// fn main() -> anyhow::Result<()> {
///     let run = asyn_pmap::<half>(0..6).start()?;
///     let events = run.events();
///     let watcher = std::thread::spawn(move || {
///         let deaths = events.into_iter().filter(|e| matches!(e, PoolEvent::WorkerDied { .. }));
///         deaths.count()
///     });
///     let failed = run.into_iter().filter(Result::is_err).count();
///     assert_eq!((failed, watcher.join().unwrap()), (1, 3)); // it is tried three times
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct PoolEvents {
    log: Arc<EventLog>,
    reader: u64,
    next: u64,
    missed: u64,
}

impl PoolEvents {
    /// The next event; `None` when the run is over.
    ///
    /// Cancel-safe. Works on any executor.
    pub async fn next(&mut self) -> Option<PoolEvent> {
        std::future::poll_fn(|cx| self.poll_event(cx)).await
    }

    /// How many events were dropped before this reader came to them.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<PoolEvent>> {
        let mut state = lock(&self.log.state);
        let behind = state.first.saturating_sub(self.next);
        self.missed += behind;
        self.next += behind;
        let at = (self.next - state.first) as usize;
        if let Some(event) = state.events.get(at) {
            self.next += 1;
            return Poll::Ready(Some(event.clone()));
        }
        if state.ended {
            return Poll::Ready(None);
        }
        state.wakers.insert(self.reader, cx.waker().clone());
        Poll::Pending
    }
}

stream!([] PoolEvents => PoolEvent, |events, cx| events.poll_event(cx));

impl Drop for PoolEvents {
    fn drop(&mut self) {
        lock(&self.log.state).wakers.remove(&self.reader);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn ready(worker: u32) -> PoolEvent {
        PoolEvent::WorkerReady { worker }
    }

    fn numbers(events: impl Iterator<Item = PoolEvent>) -> Vec<u32> {
        events
            .map(|event| match event {
                PoolEvent::WorkerReady { worker } => worker,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn every_reader_reads_all_that_is_kept_and_knows_what_it_missed() {
        let log = Arc::new(EventLog::default());
        let (mut early, kept) = (log.read(), KEPT as u32);
        log.add(ready(0));
        let first = futures::executor::block_on(early.next());
        assert!(matches!(first, Some(PoolEvent::WorkerReady { worker: 0 })));
        for n in 1..kept + 10 {
            log.add(ready(n));
        }
        log.end();
        let mut early = early.into_iter();
        assert_eq!(numbers(early.by_ref()), (10..kept + 10).collect::<Vec<_>>());
        assert_eq!(early.missed(), 9);
        let mut late = log.read().into_iter();
        assert_eq!(numbers(late.by_ref()).len(), KEPT);
        assert_eq!(late.missed(), 10);
    }

    #[test]
    fn readers_that_wait_are_told() {
        let log = Arc::new(EventLog::default());
        let readers = [(); 3].map(|()| {
            let events = log.read().into_iter();
            thread::spawn(|| numbers(events))
        });
        for n in 0..100 {
            log.add(ready(n));
            thread::yield_now();
        }
        log.end();
        for reader in readers {
            let read = reader.join().expect("it reads to the end");
            assert_eq!(read, (0..100).collect::<Vec<_>>());
        }
    }

    #[test]
    fn readers_that_give_up_leave_nothing() {
        let log = Arc::new(EventLog::default());
        let mut reader = log.read();
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..10 {
            assert!(reader.poll_event(&mut cx).is_pending());
        }
        assert_eq!(lock(&log.state).wakers.len(), 1);
        drop(reader);
        assert!(lock(&log.state).wakers.is_empty());
    }
}
