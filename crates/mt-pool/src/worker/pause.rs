//! How a link leaves the processors to the user's code while that is busy and needs nothing.
//!
//! A link that waits for its socket is woken by each frame of the parent. While there is work for longer than
//! results gather, what comes can be read when they leave: at the next tick. Ticks are the same instants in all
//! processes of a system, so the results of all workers reach the parent together, and it is woken once for them.

use std::{
    sync::{Condvar, Mutex, OnceLock, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mt_ipc::FrameSender;
use tokio::{sync::Notify, time::Instant};

use crate::lock::lock;

/// The time between two ticks.
const TICK: Duration = Duration::from_millis(20);

/// The pause of a link, which blocks the link's whole runtime from when that has sent all and has nothing else to do.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    until: Mutex<Option<Instant>>,
    sender: OnceLock<FrameSender>,
    ended: Condvar,
    over: Notify,
}

impl Pause {
    /// Nothing is paused for before what this sends is with the operating system.
    pub(super) fn after(&self, sender: FrameSender) {
        let _ = self.sender.set(sender);
    }

    /// Link: nothing has to be read before then, and all timers may wait. Who [ends](Self::end) pauses may have come
    /// before this, so what it depends on has to be looked at after it.
    pub(crate) fn begin(&self, until: Instant) {
        *lock(&self.until) = Some(until);
    }

    /// Link: there is none, after all.
    pub(crate) fn call_off(&self) {
        *lock(&self.until) = None;
    }

    /// Ends the pause, also one that has yet to block.
    pub(crate) fn end(&self) {
        if lock(&self.until).take().is_some() {
            self.ended.notify_one();
            self.over.notify_one();
        }
    }

    /// Link: waits until a pause is over. Cancel-safe.
    pub(crate) async fn over(&self) {
        self.over.notified().await;
    }

    /// Blocks for the pause, if there is one. To be called by the runtime of the link that has nothing to do.
    pub(super) fn park(&self) {
        let mut until = lock(&self.until);
        if until.is_none() || !self.sender.get().is_none_or(FrameSender::all_sent) {
            return;
        }
        while let Some(time) = *until {
            let left = time.saturating_duration_since(Instant::now());
            if left.is_zero() {
                *until = None;
                self.over.notify_one();
                return;
            }
            let waited = self.ended.wait_timeout(until, left);
            until = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The first tick after this time. Ticks divide the time of the system's clock, as it was when this process first asked,
/// so a clock that is set only moves those of processes that start later.
pub(crate) fn tick_after(now: Instant) -> Instant {
    static TICKED: OnceLock<Instant> = OnceLock::new();
    let ticked = *TICKED.get_or_init(|| last_tick().unwrap_or(now));
    let since = now.saturating_duration_since(ticked).as_nanos() % TICK.as_nanos();
    now + TICK - Duration::from_nanos(since as u64)
}

fn last_tick() -> Option<Instant> {
    let (now, system) = (Instant::now(), SystemTime::now());
    let since = system.duration_since(UNIX_EPOCH).ok()?.as_nanos() % TICK.as_nanos();
    now.checked_sub(Duration::from_nanos(since as u64))
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn ticks_are_far_apart_and_ahead() {
        let now = Instant::now();
        let first = tick_after(now);
        assert!(first > now && first - now <= TICK);
        assert_eq!(tick_after(first), first + TICK);
        assert_eq!(tick_after(first - Duration::from_nanos(1)), first);
    }

    #[test]
    fn a_pause_lasts_its_time_and_says_so() {
        let pause = Pause::default();
        pause.park();
        assert_eq!(pause.over().now_or_never(), None, "there was none");
        let until = Instant::now() + Duration::from_millis(5);
        pause.begin(until);
        pause.park();
        assert!(Instant::now() >= until);
        assert_eq!(pause.over().now_or_never(), Some(()));
        pause.park();
        assert_eq!(pause.over().now_or_never(), None, "it was said already");
    }

    #[test]
    fn a_pause_is_ended_before_it_blocks_and_while_it_does() {
        let pause = Arc::new(Pause::default());
        let never = || Instant::now() + Duration::from_secs(86_400);
        pause.begin(never());
        pause.end();
        pause.park();
        pause.begin(never());
        let blocked = Arc::clone(&pause);
        let blocked = thread::spawn(move || blocked.park());
        pause.end();
        blocked.join().expect("no panic");
        assert_eq!(pause.over().now_or_never(), Some(()));
    }
}
