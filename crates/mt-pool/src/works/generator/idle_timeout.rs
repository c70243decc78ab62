//! Noticing that nobody has said anything for too long, on any executor.

use std::{
    io,
    sync::{
        Arc, Mutex,
        mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    },
    task::Waker,
    thread::{self, JoinHandle},
    time::Duration,
};

use mt_proto::guarded;

use crate::lock::lock;

/// The parts of a timeout. Silence is counted in them and not measured by the clock, so that a program
/// that was stopped for an hour does not take that for an hour of silence.
const PARTS: u32 = 10;

/// Listens for silence as long as it lives, on a thread of its own.
#[derive(Debug)]
pub(super) struct IdleTimeout {
    limit: Duration,
    count: Arc<Mutex<Count>>,
    /// The thread, and what ends it when it is dropped.
    listener: Option<(SyncSender<()>, JoinHandle<()>)>,
}

#[derive(Debug, Clone)]
pub(super) struct Voice(Arc<Mutex<Count>>);

impl IdleTimeout {
    /// Starts listening.
    pub(super) fn listen(limit: Duration) -> io::Result<Self> {
        let count = Arc::<Mutex<Count>>::default();
        let (end, ended) = sync_channel(0);
        let listening = Arc::clone(&count);
        let thread = thread::Builder::new().name("mt-silence".into());
        let thread = thread.spawn(move || {
            while ended.recv_timeout(limit / PARTS) == Err(RecvTimeoutError::Timeout) {
                if let Some(waker) = lock(&listening).tick() {
                    let _ = guarded(|| waker.wake());
                }
            }
        })?;
        Ok(Self {
            limit,
            count,
            listener: Some((end, thread)),
        })
    }

    pub(super) fn voice(&self) -> Voice {
        Voice(Arc::clone(&self.count))
    }

    /// Somebody waits from now on. Returns the limit if it has been silent for so long; if not, `waker` is woken
    /// when it has.
    pub(super) fn wait(&self, waker: &Waker) -> Option<Duration> {
        lock(&self.count).wait(waker).then_some(self.limit)
    }

    /// Nobody waits any more: there was something.
    pub(super) fn end_wait(&self) {
        lock(&self.count).waiting = None;
    }
}

impl Drop for IdleTimeout {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.listener.take() {
            drop(end);
            // It ends at once; a panic in it was shown.
            let _ = thread.join();
        }
    }
}

impl Voice {
    pub(super) fn heard(&self) {
        lock(&self.0).silent = 0;
    }
}

/// Counts the parts that have passed in silence while somebody waited.
#[derive(Debug, Default)]
struct Count {
    silent: u32,
    waiting: Option<Waker>,
}

impl Count {
    fn wait(&mut self, waker: &Waker) -> bool {
        match &mut self.waiting {
            Some(waiting) => waiting.clone_from(waker),
            None => {
                self.silent = 0;
                self.waiting = Some(waker.clone());
            }
        }
        self.is_too_long()
    }

    /// A part has passed. Returns whom to wake if it was one too many.
    fn tick(&mut self) -> Option<Waker> {
        self.waiting.as_ref()?;
        self.silent += 1;
        let waiting = self.waiting.clone();
        waiting.filter(|_| self.is_too_long())
    }

    /// The first part may have been all but over when the wait began, so it does not count.
    fn is_too_long(&self) -> bool {
        self.silent > PARTS
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, task::Poll};

    use futures::executor::block_on;

    use super::*;

    fn ticks(count: &mut Count, times: u32) -> bool {
        (0..times).filter_map(|_| count.tick()).count() > 0
    }

    #[test]
    fn it_is_too_long_when_all_parts_have_passed() {
        let mut count = Count::default();
        assert!(!count.wait(Waker::noop()));
        assert!(!ticks(&mut count, PARTS));
        assert!(!count.wait(Waker::noop()), "waiting on is no new wait");
        assert!(ticks(&mut count, 1));
        assert!(count.wait(Waker::noop()));
    }

    #[test]
    fn time_that_nobody_waits_does_not_count() {
        let mut count = Count::default();
        assert!(!ticks(&mut count, 10 * PARTS));
        assert!(!count.wait(Waker::noop()));
        assert!(!ticks(&mut count, PARTS));
        count.waiting = None;
        assert!(!ticks(&mut count, 10 * PARTS));
        assert!(!count.wait(Waker::noop()));
        assert!(!ticks(&mut count, PARTS));
    }

    #[test]
    fn a_message_starts_it_over() {
        let silence = IdleTimeout {
            limit: Duration::ZERO,
            count: Arc::default(),
            listener: None,
        };
        let voice = silence.voice();
        for _ in 0..5 {
            assert_eq!(silence.wait(Waker::noop()), None);
            assert!(!ticks(&mut lock(&silence.count), PARTS));
            voice.heard();
        }
        assert!(ticks(&mut lock(&silence.count), PARTS + 1));
        voice.heard();
        let verdict = silence.wait(Waker::noop());
        assert_eq!(verdict, None, "said just before the verdict was read");
    }

    #[test]
    fn whoever_waits_is_woken() {
        let silence = IdleTimeout::listen(Duration::from_millis(20)).expect("there are threads");
        block_on(poll_fn(|cx| match silence.wait(cx.waker()) {
            Some(_) => Poll::Ready(()),
            None => Poll::Pending,
        }));
    }
}
