//! Which thread turns the link's runtime: the link's own, or the main thread while that has nothing to do.
//!
//! Waking a thread takes longer than a quick call. So a main thread that waits for calls turns the link's runtime meanwhile: it
//! reads what comes, calls, and sends the outcome, all by itself. This is the Leader/Followers pattern (Schmidt, O'Ryan,
//! Kircher, Pyarali and Buschmann 2000) with one follower, who is not promoted at each event: while a call has the main
//! thread nobody turns the runtime, until that has lasted for [`PATROL`]. Then the link's thread takes over, and beats,
//! answers and gives calls back as long as the call lasts.
//!
//! Loop: one a worker process, on the link's thread, around the link's own; both things it waits for are cancel-safe.

use std::{
    pin::pin,
    sync::{Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{runtime::Runtime, sync::Notify};

use super::trace::Muted;
use crate::lock::lock;

/// How long nobody turns the runtime before the link's thread does. Its looks cost a quarter of a percent of one processor at
/// most.
const PATROL: Duration = Duration::from_millis(5);
/// After so many looks between which the main thread has had nothing to do, the link's thread looks no more until it has.
const QUIET_LOOKS: u32 = 20;

#[derive(Debug)]
pub(crate) struct Lead {
    runtime: Runtime,
    state: Mutex<LeadState>,
    /// Told when another thread is to turn the runtime, or to look.
    changed: Condvar,
    /// Tells the link's thread that the main thread wants to.
    asked: Notify,
    /// Tells the link that its own thread turns it again.
    taken_over: Notify,
}

#[derive(Debug)]
struct LeadState {
    by: TurnedBy,
    /// How often the main thread has let go.
    turns: u64,
    /// The link's thread does not look by itself.
    asleep: bool,
}

/// Who turns the runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TurnedBy {
    Link,
    Main,
    /// The main thread has something else to do, since then.
    Nobody(Instant),
}

impl Lead {
    pub(super) fn new(runtime: Runtime) -> Self {
        let state = LeadState {
            by: TurnedBy::Link,
            turns: 0,
            asleep: false,
        };
        Self {
            runtime,
            state: Mutex::new(state),
            changed: Condvar::new(),
            asked: Notify::new(),
            taken_over: Notify::new(),
        }
    }

    pub(super) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Link's thread: turns the runtime until `link` has ended, except where the main thread does.
    pub(super) fn keep<T>(&self, link: impl Future<Output = T>) -> T {
        let mut link = pin!(link);
        loop {
            let ended = self.runtime.block_on(async {
                // Both are cancel-safe.
                tokio::select! {
                    biased;
                    ended = &mut link => Some(ended),
                    () = self.asked.notified() => None,
                }
            });
            match ended {
                Some(ended) => return ended,
                None => self.lend(),
            }
            self.taken_over.notify_one();
        }
    }

    /// Lets the main thread turn the runtime; returns when it is the link's thread's again.
    fn lend(&self) {
        let mut state = lock(&self.state);
        state.by = TurnedBy::Main;
        self.changed.notify_one();
        let (mut turns, mut quiet) = (state.turns, 0);
        loop {
            let wait = match state.by {
                TurnedBy::Link => return,
                TurnedBy::Main if quiet >= QUIET_LOOKS => None,
                TurnedBy::Main => Some(PATROL),
                TurnedBy::Nobody(since) => {
                    let left = PATROL.saturating_sub(since.elapsed());
                    if left.is_zero() {
                        state.by = TurnedBy::Link;
                        return;
                    }
                    Some(left)
                }
            };
            state.asleep = wait.is_none();
            state = match wait {
                Some(wait) => {
                    let waited = self.changed.wait_timeout(state, wait);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let waited = self.changed.wait(state);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
            quiet = if state.turns == turns { quiet + 1 } else { 0 };
            turns = state.turns;
        }
    }

    /// Link: waits until its own thread turns it again. Who published something before that has told nobody. Cancel-safe.
    pub(crate) async fn taken_over(&self) {
        self.taken_over.notified().await;
    }

    /// Main thread: turns the runtime until a future of the link's is over, with all that the link does meanwhile.
    pub(crate) fn turn<F: Future>(&self, future: F) -> F::Output {
        let mut state = lock(&self.state);
        if state.by == TurnedBy::Link {
            self.asked.notify_one();
            while state.by == TurnedBy::Link {
                let waited = self.changed.wait(state);
                state = waited.unwrap_or_else(PoisonError::into_inner);
            }
        }
        state.by = TurnedBy::Main;
        drop(state);
        let _turned = Turned(self);
        let _muted = Muted::begin();
        self.runtime.block_on(future)
    }

    /// Main thread: whether the runtime is its own, so that nobody else sends what there is.
    pub(crate) fn is_mains(&self) -> bool {
        lock(&self.state).by != TurnedBy::Link
    }

    /// Main thread: leaves the runtime to the link's thread, at once.
    pub(crate) fn leave(&self) {
        let mut state = lock(&self.state);
        if state.by != TurnedBy::Link {
            state.by = TurnedBy::Link;
            self.changed.notify_one();
        }
    }
}

/// Lets go of the runtime when it is dropped.
struct Turned<'a>(&'a Lead);

impl Drop for Turned<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.by = TurnedBy::Nobody(Instant::now());
        state.turns += 1;
        if state.asleep {
            self.0.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, mpsc},
        thread::{self, ThreadId},
    };

    use tokio::{runtime::Builder, sync::oneshot, task::yield_now};

    use super::*;

    /// A link that lasts until its sender is dropped, with its thread.
    fn link() -> (Arc<Lead>, oneshot::Sender<()>, thread::JoinHandle<()>) {
        let runtime = Builder::new_current_thread().enable_all().build();
        let lead = Arc::new(Lead::new(runtime.expect("there are descriptors")));
        let (end, ended) = oneshot::channel();
        let kept = Arc::clone(&lead);
        let thread = thread::spawn(move || drop(kept.keep(ended)));
        (lead, end, thread)
    }

    /// Where what is spawned now runs; whoever asks waits and turns nothing.
    fn turned_by(lead: &Lead) -> ThreadId {
        let (tell, told) = mpsc::channel();
        lead.runtime()
            .spawn(async move { tell.send(thread::current().id()) });
        told.recv().expect("somebody turns the runtime")
    }

    #[test]
    fn a_main_thread_that_waits_turns_the_runtime() {
        let (lead, end, thread) = link();
        for _ in 0..3 {
            let id = lead.turn(async { tokio::spawn(async { thread::current().id() }).await });
            assert_eq!(id.ok(), Some(thread::current().id()));
            assert!(lead.is_mains());
            lead.leave();
            assert!(!lead.is_mains());
        }
        drop(end);
        thread.join().expect("no panic");
    }

    #[test]
    fn a_main_thread_that_is_busy_or_leaves_is_taken_over_from() {
        let (lead, end, thread) = link();
        assert_eq!(turned_by(&lead), thread.thread().id());
        lead.turn(async {});
        assert_eq!(turned_by(&lead), thread.thread().id(), "busy");
        assert!(!lead.is_mains());
        lead.turn(lead.taken_over());
        lead.turn(async {});
        lead.leave();
        assert_eq!(turned_by(&lead), thread.thread().id(), "left");
        drop(end);
        thread.join().expect("no panic");
    }

    #[test]
    fn a_thread_that_looks_no_more_is_told() {
        let (lead, end, thread) = link();
        lead.turn(async {
            while !lock(&lead.state).asleep {
                yield_now().await;
            }
        });
        assert_eq!(turned_by(&lead), thread.thread().id());
        drop(end);
        thread.join().expect("no panic");
    }
}
