//! Noticing that nobody has said anything for too long, on any executor.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::Waker,
    thread::{self, JoinHandle},
    time::Duration,
};

/// The parts of a timeout. Silence is counted in them and not measured by the clock, so that a program
/// that was stopped for an hour does not take that for an hour of silence.
const PARTS: u32 = 10;

/// Listens for silence as long as it lives, on a thread of its own.
#[derive(Debug)]
pub(super) struct IdleTimeout {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What breaks the silence.
#[derive(Debug, Clone)]
pub(super) struct Voice(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    count: Mutex<Count>,
    over: Condvar,
}

impl IdleTimeout {
    /// Starts listening.
    ///
    /// # Errors
    /// The system's, when there is no thread to be had.
    pub(super) fn listen(timeout: Duration) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let listening = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("mt-silence".into())
            .spawn(move || listening.listen(timeout / PARTS))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// What others break it with.
    pub(super) fn voice(&self) -> Voice {
        Voice(Arc::clone(&self.shared))
    }

    /// Somebody waits from now on. True if it has been silent for too long; if not, `waker` is woken
    /// when it has.
    pub(super) fn wait(&self, waker: &Waker) -> bool {
        self.shared.lock().wait(waker)
    }

    /// Nobody waits any more: there was something.
    pub(super) fn end_wait(&self) {
        self.shared.lock().end_wait();
    }
}

impl Drop for IdleTimeout {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.over.notify_one();
        if let Some(thread) = self.thread.take() {
            // It ends at once; a panic in it was shown.
            let _ = thread.join();
        }
    }
}

impl Voice {
    /// There was a message.
    pub(super) fn heard(&self) {
        self.0.lock().silent = 0;
    }
}

impl Shared {
    fn listen(&self, part: Duration) {
        let mut count = self.lock();
        loop {
            let goes_on = |count: &mut Count| !count.over;
            let waited = self.over.wait_timeout_while(count, part, goes_on);
            count = waited.unwrap_or_else(PoisonError::into_inner).0;
            if count.over {
                return;
            }
            if let Some(waker) = count.tick() {
                drop(count);
                waker.wake();
                count = self.lock();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts the parts that have passed in silence while somebody waited.
#[derive(Debug, Default)]
struct Count {
    silent: u32,
    waiting: Option<Waker>,
    over: bool,
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

    fn end_wait(&mut self) {
        self.waiting = None;
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
        count.end_wait();
        assert!(!ticks(&mut count, 10 * PARTS));
        assert!(!count.wait(Waker::noop()));
        assert!(!ticks(&mut count, PARTS));
    }

    #[test]
    fn a_message_starts_it_over() {
        let silence = IdleTimeout {
            shared: Arc::new(Shared::default()),
            thread: None,
        };
        let voice = silence.voice();
        for _ in 0..5 {
            assert!(!silence.wait(Waker::noop()));
            assert!(!ticks(&mut silence.shared.lock(), PARTS));
            voice.heard();
        }
        assert!(ticks(&mut silence.shared.lock(), PARTS + 1));
        voice.heard();
        assert!(
            !silence.wait(Waker::noop()),
            "said just before the verdict was read"
        );
    }

    #[test]
    fn whoever_waits_is_woken() {
        let silence = IdleTimeout::listen(Duration::from_millis(20)).expect("there are threads");
        let too_long = poll_fn(|cx| match silence.wait(cx.waker()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        });
        block_on(too_long);
    }
}
