//! How long to wait for a worker's hello.

use std::time::Duration;

use mt_ipc::Activity;
use tokio::time::Instant;

/// How often a silent worker is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// The looks in a row at which a worker that does nothing counts as one that will never speak.
const IDLE_LOOKS: u32 = 3;
/// The longest wait, for one that is busy with something else, or where the system does not tell.
const LONGEST: Duration = Duration::from_secs(30);

/// Waits for a worker's hello.
///
/// A worker that is on its way to `init()` uses the processor, or waits for one, however loaded the
/// machine is. One that sleeps and uses no time waits for something else: it is a program that does
/// not call `init()`.
#[derive(Debug)]
pub(super) struct HelloTimeout {
    next_look: Instant,
    since: Instant,
    last: Option<Activity>,
    idle: u32,
}

impl HelloTimeout {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            next_look: now + LOOK,
            since: now,
            last: None,
            idle: 0,
        }
    }

    pub(super) fn due(&self) -> Instant {
        self.next_look
    }

    /// Looks at the process; returns how long it was waited for when that was long enough.
    pub(super) fn look(&mut self, now: Instant, pid: u32) -> Option<Duration> {
        self.next_look = now + LOOK;
        let waited = now - self.since;
        let seen = Activity::of(pid);
        let asleep = seen.is_some_and(|seen| seen.state == 'S');
        self.idle = if asleep && seen == self.last {
            self.idle + 1
        } else {
            0
        };
        self.last = seen;
        (self.idle >= IDLE_LOOKS || waited >= LONGEST).then_some(waited)
    }
}
