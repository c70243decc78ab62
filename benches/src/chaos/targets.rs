//! The live workers as the run's events tell, and what was done to them.
//!
//! Workers are held by process descriptors: a number that the system has given to another process
//! since is never killed.

use std::{
    collections::BTreeMap,
    os::fd::OwnedFd,
    sync::{Condvar, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    time::{Duration, Instant},
};

use mt_pool::events::PoolEvent;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The longest that a worker is left alone after its start: kills fall anywhere in its setup.
const START_PEACE: Duration = Duration::from_millis(3);
/// The longest that a worker is left alone once it is ready: kills fall on its first items too, and
/// yet the run gets on when they come as fast as workers start.
const READY_PEACE: Duration = Duration::from_millis(4);

/// What killer, input and observer share.
pub(super) struct Targets {
    state: Mutex<State>,
    changed: Condvar,
    /// The items that the run has asked its input for.
    pub(super) taken: AtomicU64,
    /// The outcomes so far.
    pub(super) yielded: AtomicU64,
}

/// The workers and the kills.
pub(super) struct State {
    live: BTreeMap<u32, Target>,
    random: StdRng,
    /// Whether the last one killed was not ready yet. Not twice in a row: workers that all die in
    /// their setup are for a pool's restart budget to give up on.
    spared_start: bool,
    killed: BTreeMap<u32, Instant>,
    pub(super) first_ready: Option<Instant>,
    /// Kills that the input has asked for, and those done.
    pub(super) asked: u64,
    pub(super) answered: u64,
    pub(super) kills: u64,
    pub(super) deaths: u64,
    /// Deaths of workers that were not killed here.
    pub(super) other_deaths: u64,
    /// From kill to notice.
    pub(super) notices: Vec<Duration>,
    pub(super) over: bool,
}

struct Target {
    process: OwnedFd,
    ready: bool,
    not_before: Instant,
}

impl Targets {
    pub(super) fn new(seed: u64) -> Self {
        let state = State {
            live: BTreeMap::new(),
            random: StdRng::seed_from_u64(seed),
            spared_start: false,
            killed: BTreeMap::new(),
            first_ready: None,
            asked: 0,
            answered: 0,
            kills: 0,
            deaths: 0,
            other_deaths: 0,
            notices: Vec::new(),
            over: false,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            taken: AtomicU64::new(0),
            yielded: AtomicU64::new(0),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something changes, at most this long.
    pub(super) fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        at_most: Duration,
    ) -> MutexGuard<'a, State> {
        let waited = self.changed.wait_timeout(state, at_most);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    pub(super) fn tell(&self) {
        self.changed.notify_all();
    }

    /// Takes note of an event of the run.
    pub(super) fn observe(&self, event: &PoolEvent) {
        let mut state = self.lock();
        match event {
            PoolEvent::WorkerStarted { worker, pid } => state.on_started(*worker, *pid),
            PoolEvent::WorkerReady { worker } => state.on_ready(*worker),
            PoolEvent::WorkerDied {
                worker, noticed, ..
            } => state.on_died(*worker, *noticed),
            PoolEvent::WorkerLeft { worker, .. } => drop(state.live.remove(worker)),
            _ => return,
        }
        drop(state);
        self.tell();
    }
}

impl State {
    fn on_started(&mut self, worker: u32, pid: u32) {
        let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
            return;
        };
        // It fails for one that is dead and reaped already.
        let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else {
            return;
        };
        let not_before = Instant::now() + self.up_to(START_PEACE);
        let target = Target {
            process,
            ready: false,
            not_before,
        };
        self.live.insert(worker, target);
    }

    fn on_ready(&mut self, worker: u32) {
        let now = Instant::now();
        self.first_ready.get_or_insert(now);
        let not_before = now + self.up_to(READY_PEACE);
        if let Some(target) = self.live.get_mut(&worker) {
            target.ready = true;
            target.not_before = not_before;
        }
    }

    fn on_died(&mut self, worker: u32, noticed: Instant) {
        self.live.remove(&worker);
        self.deaths += 1;
        match self.killed.get(&worker) {
            Some(killed) => self
                .notices
                .push(noticed.saturating_duration_since(*killed)),
            None => self.other_deaths += 1,
        }
    }

    fn up_to(&mut self, longest: Duration) -> Duration {
        longest.mul_f64(self.random.random())
    }

    /// Kills one of those that may be killed now. `Err` with how long to wait when there is none.
    pub(super) fn kill_one(&mut self) -> Result<(), Duration> {
        let now = Instant::now();
        let spared_start = self.spared_start;
        let fair = |target: &&Target| target.ready || !spared_start;
        let open: Vec<u32> = self
            .live
            .iter()
            .filter(|(_, target)| fair(target) && target.not_before <= now)
            .map(|(worker, _)| *worker)
            .collect();
        if open.is_empty() {
            let fair = self.live.values().filter(fair);
            let soonest = fair.map(|target| target.not_before).min();
            return Err(soonest.map_or(super::killer::IDLE, |then| then - now));
        }
        let victim = open[self.random.random_range(0..open.len())];
        if let Some(target) = self.live.remove(&victim) {
            let at = Instant::now();
            if pidfd_send_signal(&target.process, Signal::KILL).is_ok() {
                self.killed.insert(victim, at);
                self.kills += 1;
                self.spared_start = !target.ready;
            }
        }
        Ok(())
    }
}
