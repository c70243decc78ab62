//! The live workers, what was done to them, and what was told of them.
//!
//! Workers are held by process descriptors: a number that the system has given to another process
//! since is never killed.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Condvar, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    time::{Duration, Instant},
};

use mt_beehive::stats::{BeeState, BeeStatus};
use mt_pool::events::PoolEvent;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{
    fault::{Fault, OUTSIDE},
    victim::Victim,
};

/// The longest that a worker is left alone after its start: kills fall anywhere in its setup.
const START_PEACE: Duration = Duration::from_millis(3);
/// The longest that a worker is left alone once it is ready: kills fall on its first items too, and
/// yet the run gets on when they come as fast as workers start.
const READY_PEACE: Duration = Duration::from_millis(4);
/// The longest that a worker is stopped; it goes on then, and nothing is to come of it.
const PAUSE: Duration = Duration::from_millis(80);
/// One in so many that are chosen is stopped for a while and not killed.
const PAUSES: u32 = 8;

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
    /// What was done to workers.
    pub(super) done: BTreeMap<u32, (Instant, Fault)>,
    /// The workers that are stopped, and until when.
    paused: Vec<(Victim, Instant)>,
    /// The processes of bees, also of those that are gone.
    pids: BTreeMap<u32, u32>,
    pub(super) first_ready: Option<Instant>,
    /// Kills that the input has asked for, and those done.
    pub(super) asked: u64,
    pub(super) answered: u64,
    pub(super) kills: u64,
    pub(super) pauses: u64,
    /// The deaths that were told.
    pub(super) told: Vec<Told>,
    /// From kill to notice.
    pub(super) notices: Vec<Duration>,
    /// The kills of workers that nobody has taken the place of yet.
    vacant: VecDeque<Instant>,
    /// From kill to the readiness of the next.
    pub(super) replacements: Vec<Duration>,
    pub(super) over: bool,
}

/// A death as it was told.
pub(super) struct Told {
    pub(super) worker: u32,
    /// The process's id, which the system may have given to several in turn.
    pub(super) pid: u32,
    pub(super) how: String,
}

struct Target {
    victim: Victim,
    ready: bool,
    /// When the worker was killed whose place it has taken.
    next_of: Option<Instant>,
    not_before: Instant,
}

impl Targets {
    pub(super) fn new(seed: u64) -> Self {
        let state = State {
            live: BTreeMap::new(),
            random: StdRng::seed_from_u64(seed),
            spared_start: false,
            done: BTreeMap::new(),
            paused: Vec::new(),
            pids: BTreeMap::new(),
            first_ready: None,
            asked: 0,
            answered: 0,
            kills: 0,
            pauses: 0,
            told: Vec::new(),
            notices: Vec::new(),
            vacant: VecDeque::new(),
            replacements: Vec::new(),
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
                worker,
                pid,
                death,
                noticed,
            } => state.on_died(*worker, *pid, death.to_string(), *noticed),
            PoolEvent::WorkerLeft { worker, .. } => drop(state.live.remove(worker)),
            _ => return,
        }
        drop(state);
        self.tell();
    }
}

impl State {
    pub(super) fn on_started(&mut self, worker: u32, pid: u32) {
        // There is none if it is dead and reaped already.
        let Some(victim) = Victim::new(pid) else {
            return;
        };
        let not_before = Instant::now() + self.up_to(START_PEACE);
        let target = Target {
            victim,
            ready: false,
            next_of: self.vacant.pop_front(),
            not_before,
        };
        self.live.insert(worker, target);
    }

    pub(super) fn on_ready(&mut self, worker: u32) {
        let now = Instant::now();
        self.first_ready.get_or_insert(now);
        let not_before = now + self.up_to(READY_PEACE);
        if let Some(target) = self.live.get_mut(&worker) {
            target.ready = true;
            target.not_before = not_before;
            let taken = target.next_of.take();
            let taken = taken.map(|killed| now.saturating_duration_since(killed));
            self.replacements.extend(taken);
        }
    }

    fn on_died(&mut self, worker: u32, pid: u32, death: String, noticed: Instant) {
        self.told.push(Told {
            worker,
            pid,
            how: death,
        });
        self.on_gone(worker, noticed);
    }

    /// A worker is no more, whatever it died of.
    pub(super) fn on_gone(&mut self, worker: u32, noticed: Instant) {
        self.live.remove(&worker);
        if let Some((killed, _)) = self.done.get(&worker) {
            self.notices
                .push(noticed.saturating_duration_since(*killed));
            self.vacant.push_back(*killed);
        }
    }

    /// A bee is lost, as its hive tells.
    pub(super) fn on_lost(&mut self, bee: u32, why: String) {
        if let Some(pid) = self.pids.get(&bee) {
            self.on_died(bee, *pid, why, Instant::now());
        }
    }

    /// Whoever lives goes on from here on.
    pub(super) fn end(&mut self) {
        self.over = true;
        self.live.clear();
    }

    /// The bees of a hive as they are now: what a pool tells by events.
    pub(super) fn on_bees(&mut self, bees: &[BeeStatus], now: Instant) {
        let gone = |id: &u32| !bees.iter().any(|bee| bee.id == *id);
        self.live.retain(|id, _| !gone(id));
        for bee in bees {
            let Some(pid) = bee.pid.filter(|_| !self.done.contains_key(&bee.id)) else {
                continue;
            };
            self.pids.insert(bee.id, pid);
            if !self.live.contains_key(&bee.id) {
                self.on_started(bee.id, pid);
            }
            let was_ready = self.live.get(&bee.id).is_none_or(|target| target.ready);
            if bee.state == BeeState::Ready && !was_ready {
                self.on_ready(bee.id);
            }
        }
        self.first_ready.get_or_insert(now);
    }

    /// The processes of a pool as they are now, whose numbers are taken for those of workers, and those that were called.
    pub(super) fn on_processes(&mut self, pids: &BTreeSet<u32>, called: &BTreeSet<u32>) {
        for pid in pids {
            match self.live.get(pid) {
                None if self.done.contains_key(pid) => {}
                None => self.on_started(*pid, *pid),
                Some(target) if !target.ready && called.contains(pid) => self.on_ready(*pid),
                Some(_) => {}
            }
        }
    }

    fn up_to(&mut self, longest: Duration) -> Duration {
        longest.mul_f64(self.random.random())
    }

    /// Lets those go on whose time is over; all of them at the end.
    pub(super) fn resume(&mut self, now: Instant) {
        let over = self.over;
        let is_due = |(_, until): &mut (Victim, Instant)| over || *until <= now;
        for (victim, _) in self.paused.extract_if(.., is_due) {
            victim.go_on();
        }
    }

    /// Ends one of those that may be killed now. `Err` with how long to wait when there is none, and when one was stopped only.
    pub(super) fn strike(&mut self) -> Result<(), Duration> {
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
        if self.random.random_range(0..PAUSES) == 0 {
            self.pause(victim, now);
            return Err(Duration::from_millis(1));
        }
        let (fault, signal) = OUTSIDE[self.random.random_range(0..OUTSIDE.len())];
        let at = Instant::now();
        let struck = self
            .live
            .remove(&victim)
            .filter(|target| target.victim.signal(signal));
        // Whoever has died by itself meanwhile was not killed: somebody else is.
        let target = struck.ok_or(Duration::ZERO)?;
        self.done.insert(victim, (at, fault));
        self.kills += 1;
        self.spared_start = !target.ready;
        Ok(())
    }

    fn pause(&mut self, victim: u32, now: Instant) {
        let until = now + self.up_to(PAUSE);
        let Some(target) = self.live.get_mut(&victim) else {
            return;
        };
        // Who is stopped does not die of some signals before it goes on.
        target.not_before = until + READY_PEACE;
        if let Some(victim) = target.victim.stop() {
            self.paused.push((victim, until));
            self.pauses += 1;
        }
    }
}
