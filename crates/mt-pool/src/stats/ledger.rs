//! What each worker spends its time on: every moment of a worker's life belongs to one stage.
//!
//! Pure: no IO, no clock, no runtime.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use mt_ipc::Progress;

use super::{SlowItem, WorkerState, WorkerStats, WorkerTimes, slowest::Slowest};

/// The workers that are gone and still told of.
pub(super) const GONE_WORKERS: usize = 256;

/// The workers of a run.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    lives: BTreeMap<u32, Life>,
    gone: VecDeque<WorkerStats>,
    slowest: Slowest,
}

#[derive(Debug)]
struct Life {
    stats: WorkerStats,
    /// Since when it is in this state.
    since: Instant,
    in_hand: u64,
    progress: Option<Progress>,
}

impl Ledger {
    /// It is decided that there shall be a worker.
    pub(super) fn spawned(&mut self, now: Instant, worker: u32) {
        let stats = WorkerStats {
            worker,
            pid: None,
            state: WorkerState::Starting,
            items_given: 0,
            items_started: 0,
            items_finished: 0,
            rss_bytes: None,
            times: WorkerTimes::default(),
        };
        let life = Life {
            stats,
            since: now,
            in_hand: 0,
            progress: None,
        };
        self.lives.insert(worker, life);
    }

    /// Its process exists.
    pub(super) fn has_pid(&mut self, worker: u32, pid: u32) {
        if let Some(life) = self.lives.get_mut(&worker) {
            life.stats.pid = Some(pid);
        }
    }

    /// It has said hello and is being set up.
    pub(super) fn greeted(&mut self, now: Instant, worker: u32, progress: Progress) {
        if let Some(life) = self.lives.get_mut(&worker) {
            life.progress = Some(progress);
            life.turn(now, WorkerState::SettingUp);
        }
    }

    /// It takes items.
    pub(super) fn ready(&mut self, now: Instant, worker: u32) {
        self.turn(now, worker, WorkerState::Waiting);
    }

    /// It was told to go, or is being killed.
    pub(super) fn leaving(&mut self, now: Instant, worker: u32) {
        self.turn(now, worker, WorkerState::Leaving);
    }

    /// It was given items. `now` is asked for when it matters.
    pub(super) fn given(&mut self, now: impl FnOnce() -> Instant, worker: u32, items: u32) {
        let Some(life) = self.lives.get_mut(&worker) else {
            return;
        };
        life.stats.items_given += u64::from(items);
        life.in_hand += u64::from(items);
        if life.stats.state == WorkerState::Waiting {
            life.turn(now(), WorkerState::Working);
        }
    }

    /// It has sent results.
    pub(super) fn finished(&mut self, now: impl FnOnce() -> Instant, worker: u32, items: u32) {
        let Some(life) = self.lives.get_mut(&worker) else {
            return;
        };
        life.stats.items_finished += u64::from(items);
        life.in_hand = life.in_hand.saturating_sub(items.into());
        if life.in_hand == 0 && life.stats.state == WorkerState::Working {
            life.turn(now(), WorkerState::Waiting);
        }
    }

    /// It has told its slowest items.
    pub(super) fn slowest(&mut self, items: impl IntoIterator<Item = (u64, Duration)>) {
        self.slowest.note_all(items);
    }

    /// Its process is reaped. `started` is what it had started.
    pub(super) fn ended(&mut self, now: Instant, worker: u32, started: u64) {
        let Some(mut life) = self.lives.remove(&worker) else {
            return;
        };
        if let Some(progress) = life.progress.take() {
            self.slowest.note_all(progress.slowest());
        }
        life.stats.items_started = started;
        self.bury(now, life);
    }

    /// It was left to other runs, with all its items finished. Its counters are theirs by now.
    pub(super) fn released(&mut self, now: Instant, worker: u32) {
        if let Some(mut life) = self.lives.remove(&worker) {
            life.stats.items_started = life.stats.items_finished;
            self.bury(now, life);
        }
    }

    fn bury(&mut self, now: Instant, mut life: Life) {
        life.turn(now, WorkerState::Gone);
        self.gone.push_back(life.stats);
        if self.gone.len() > GONE_WORKERS {
            self.gone.pop_front();
        }
    }

    fn turn(&mut self, now: Instant, worker: u32, state: WorkerState) {
        if let Some(life) = self.lives.get_mut(&worker) {
            life.turn(now, state);
        }
    }

    /// All workers, as they are now.
    pub(super) fn workers(&self, now: Instant) -> Vec<WorkerStats> {
        let living = self.lives.values().map(|life| life.stats_at(now));
        self.gone.iter().cloned().chain(living).collect()
    }

    /// The slowest items so far.
    pub(super) fn slowest_items(&self) -> Vec<SlowItem> {
        let mut slowest = self.slowest.clone();
        for progress in self
            .lives
            .values()
            .filter_map(|life| life.progress.as_ref())
        {
            slowest.note_all(progress.slowest());
        }
        slowest.into_vec()
    }
}

impl Life {
    /// What comes next is another stage.
    fn turn(&mut self, now: Instant, state: WorkerState) {
        self.stats.times = self.times_at(now);
        self.since = now;
        self.stats.state = state;
    }

    fn times_at(&self, now: Instant) -> WorkerTimes {
        let mut times = self.stats.times;
        let spent = now.saturating_duration_since(self.since);
        match self.stats.state {
            WorkerState::Starting => times.start += spent,
            WorkerState::SettingUp => times.init += spent,
            WorkerState::Waiting => times.wait += spent,
            WorkerState::Working => times.work += spent,
            WorkerState::Leaving => times.exit += spent,
            WorkerState::Gone => {}
        }
        times
    }

    fn stats_at(&self, now: Instant) -> WorkerStats {
        let mut stats = self.stats.clone();
        stats.times = self.times_at(now);
        if let Some(progress) = &self.progress {
            stats.items_started = progress.started();
        }
        stats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn every_moment_of_a_life_belongs_to_one_stage() {
        let start = Instant::now();
        let at = |millis| start + ms(millis);
        let mut ledger = Ledger::default();
        ledger.spawned(at(0), 7);
        ledger.has_pid(7, 123);
        // No memory is shared in this test: a greeting without it.
        ledger.turn(at(5), 7, WorkerState::SettingUp);
        ledger.ready(at(8), 7);
        ledger.given(|| at(10), 7, 3);
        ledger.given(|| unreachable!("it works already"), 7, 2);
        ledger.finished(|| unreachable!("it has more to do"), 7, 4);
        ledger.finished(|| at(30), 7, 1);
        ledger.given(|| at(31), 7, 1);
        let now = &ledger.workers(at(35))[0];
        assert_eq!(now.state, WorkerState::Working);
        assert_eq!(now.times.work, ms(24));
        ledger.leaving(at(40), 7);
        ledger.finished(|| unreachable!("it leaves"), 7, 1);
        ledger.ended(at(42), 7, 6);
        let [gone] = &ledger.workers(at(99))[..] else {
            panic!("one worker");
        };
        let expected = WorkerTimes {
            start: ms(5),
            init: ms(3),
            wait: ms(3),
            work: ms(29),
            exit: ms(2),
        };
        assert_eq!(gone.times, expected);
        assert_eq!(gone.times.total(), ms(42));
        assert_eq!((gone.worker, gone.pid), (7, Some(123)));
        assert_eq!(gone.state, WorkerState::Gone);
        let counts = (gone.items_given, gone.items_started, gone.items_finished);
        assert_eq!(counts, (6, 6, 6));
    }

    #[test]
    fn only_the_last_of_the_gone_are_told_of() {
        let now = Instant::now();
        let mut ledger = Ledger::default();
        let all = GONE_WORKERS as u32 + 10;
        for worker in 0..all {
            ledger.spawned(now, worker);
            ledger.ended(now, worker, 0);
        }
        ledger.spawned(now, all);
        let workers = ledger.workers(now);
        let numbers: Vec<u32> = workers.iter().map(|worker| worker.worker).collect();
        assert_eq!(numbers, (10..=all).collect::<Vec<_>>());
    }
}
