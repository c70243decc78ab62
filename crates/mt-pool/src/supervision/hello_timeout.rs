//! How long to wait for a worker's first word.

use std::time::Duration;

use mt_ipc::Activity;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

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
pub(crate) struct HelloTimeout {
    looks: Interval,
    since: Instant,
    last: Option<Activity>,
    idle: u32,
}

impl HelloTimeout {
    pub(crate) fn new() -> Self {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            looks,
            since: Instant::now(),
            last: None,
            idle: 0,
        }
    }

    /// Waits until the next look is due. Cancel-safe.
    pub(crate) async fn look_due(&mut self) {
        self.looks.tick().await;
    }

    /// Looks at the process; returns how long it was waited for when that was long enough.
    pub(crate) fn look(&mut self, pid: u32) -> Option<Duration> {
        let waited = self.since.elapsed();
        let now = Activity::of(pid);
        let asleep = now.is_some_and(|now| now.state == 'S');
        self.idle = if asleep && now == self.last {
            self.idle + 1
        } else {
            0
        };
        self.last = now;
        (self.idle >= IDLE_LOOKS || waited >= LONGEST).then_some(waited)
    }
}
