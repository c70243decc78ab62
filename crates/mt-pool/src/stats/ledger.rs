//! What has happened in a run, in figures; and what each worker spends its time on: every moment of a worker's life
//! belongs to one stage.
//!
//! Pure: no IO, no clock, no runtime.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use mt_ipc::Progress;
use mt_proto::WorkerId;

use super::{SlowItem, Stats, WorkerState, WorkerStats, WorkerTimes};
use crate::events::{MemoryShortage, PoolEvent};

/// What counts in a run: what is told to those who look on, and what is not.
#[derive(Debug)]
pub(crate) enum Happened {
    /// To be told.
    Event(PoolEvent),
    /// A worker is asked for.
    Spawned(WorkerId),
    /// A worker has said hello and is being set up.
    Greeted(WorkerId, Progress),
    /// A worker has sent the results of so many items.
    Finished(WorkerId, u32),
    /// Items whose calls took longest in a worker that is left to others.
    Slowest(Vec<(u64, Duration)>),
    /// A worker was told to go, or is being killed.
    Leaving(WorkerId),
    /// A worker's process is reaped, or never was.
    Ended(WorkerId),
    /// So many `tracing` events were seen by nobody.
    Unseen(u64),
    /// The input is over; whether it was pulled to its end.
    InputOver(bool),
}

impl From<PoolEvent> for Happened {
    fn from(event: PoolEvent) -> Self {
        Self::Event(event)
    }
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    counts: Stats,
    lives: BTreeMap<u32, Life>,
    gone: VecDeque<WorkerStats>,
    slowest: Slowest,
}

#[derive(Debug)]
struct Life {
    stats: WorkerStats,
    /// When its present state began.
    since: Instant,
    in_hand: u64,
    progress: Option<Progress>,
}

impl Ledger {
    /// Takes note of what has happened. `now` is asked for when it matters.
    pub(super) fn record(&mut self, now: impl FnOnce() -> Instant, happened: &Happened) {
        match happened {
            Happened::Event(event) => self.on_event(now, event),
            Happened::Spawned(worker) => self.spawned(now(), worker.0),
            Happened::Greeted(worker, progress) => self.change(worker.0, |life| {
                life.progress = Some(progress.clone());
                life.turn(now(), WorkerState::SettingUp);
            }),
            Happened::Finished(worker, items) => {
                self.change(worker.0, |life| life.finished(now, *items));
            }
            Happened::Slowest(items) => self.slowest.note_all(items.iter().copied()),
            Happened::Leaving(worker) => {
                self.change(worker.0, |life| life.turn(now(), WorkerState::Leaving));
            }
            Happened::Ended(worker) => self.ended(now(), worker.0),
            Happened::Unseen(events) => self.counts.events_dropped += events,
            Happened::InputOver(ended) => self.counts.input_ended = *ended,
        }
    }

    fn on_event(&mut self, now: impl FnOnce() -> Instant, event: &PoolEvent) {
        match event {
            PoolEvent::WorkerStarted { worker, pid } => {
                self.counts.workers_started += 1;
                self.change(*worker, |life| life.stats.pid = Some(*pid));
            }
            PoolEvent::WorkerReused { worker, pid } => {
                self.counts.workers_reused += 1;
                self.change(*worker, |life| life.stats.pid = Some(*pid));
            }
            PoolEvent::WorkerReady { worker } => {
                self.change(*worker, |life| life.turn(now(), WorkerState::Waiting));
            }
            PoolEvent::ItemsGiven { worker, count, .. } => {
                self.change(*worker, |life| life.given(now, *count));
            }
            PoolEvent::WorkerReleased { worker, .. } => self.released(now(), *worker),
            PoolEvent::WorkerDied { death, .. } => {
                self.counts.workers_died += 1;
                self.counts.deaths.count(&death.cause);
            }
            PoolEvent::ContextCloseFailed { .. } => self.counts.context_close_errors += 1,
            PoolEvent::MemoryShort { whose } => {
                self.counts.memory_shortages += 1;
                self.counts.memory_short = Some(*whose);
            }
            PoolEvent::MemoryEased => self.counts.memory_short = None,
            PoolEvent::Interrupted => self.counts.interrupted = true,
            _ => {}
        }
    }

    fn change(&mut self, worker: u32, change: impl FnOnce(&mut Life)) {
        if let Some(life) = self.lives.get_mut(&worker) {
            change(life);
        }
    }

    fn spawned(&mut self, now: Instant, worker: u32) {
        let stats = WorkerStats {
            worker,
            ..WorkerStats::default()
        };
        let life = Life {
            stats,
            since: now,
            in_hand: 0,
            progress: None,
        };
        self.lives.insert(worker, life);
    }

    fn ended(&mut self, now: Instant, worker: u32) {
        if let Some(mut life) = self.lives.remove(&worker) {
            if let Some(progress) = life.progress.take() {
                self.slowest.note_all(progress.slowest());
                life.stats.items_started = progress.started();
            }
            self.bury(now, life);
        }
    }

    /// A worker was left to other runs, with all its items finished. Its counters are theirs by now.
    fn released(&mut self, now: Instant, worker: u32) {
        if let Some(mut life) = self.lives.remove(&worker) {
            life.stats.items_started = life.stats.items_finished;
            self.bury(now, life);
        }
    }

    fn bury(&mut self, now: Instant, mut life: Life) {
        life.turn(now, WorkerState::Gone);
        self.gone.push_back(life.stats);
        if self.gone.len() > Stats::GONE_WORKERS {
            self.gone.pop_front();
        }
    }

    /// Whether the input has ended, and whose memory is short.
    pub(super) fn now(&self) -> (bool, Option<MemoryShortage>) {
        (self.counts.input_ended, self.counts.memory_short)
    }

    /// All there is to tell, as it is now; but what is read off the processes and what others count.
    pub(super) fn stats(&self, now: Instant) -> Stats {
        let living = self.lives.values().map(|life| life.stats_at(now));
        let mut slowest = self.slowest.clone();
        let lives = self.lives.values();
        for progress in lives.filter_map(|life| life.progress.as_ref()) {
            slowest.note_all(progress.slowest());
        }
        Stats {
            workers: self.gone.iter().cloned().chain(living).collect(),
            slowest: slowest.0,
            ..self.counts.clone()
        }
    }
}

impl Life {
    fn given(&mut self, now: impl FnOnce() -> Instant, items: u32) {
        self.stats.items_given += u64::from(items);
        self.in_hand += u64::from(items);
        if self.stats.state == WorkerState::Waiting {
            self.turn(now(), WorkerState::Working);
        }
    }

    fn finished(&mut self, now: impl FnOnce() -> Instant, items: u32) {
        self.stats.items_finished += u64::from(items);
        self.in_hand = self.in_hand.saturating_sub(items.into());
        if self.in_hand == 0 && self.stats.state == WorkerState::Working {
            self.turn(now(), WorkerState::Waiting);
        }
    }

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

/// The slowest items, each once, the slowest first. As many are kept as each worker keeps, so the slowest of all are
/// among theirs.
#[derive(Debug, Clone, Default)]
struct Slowest(Vec<SlowItem>);

impl Slowest {
    fn note_all(&mut self, items: impl IntoIterator<Item = (u64, Duration)>) {
        for (item, time) in items {
            match self.0.iter_mut().find(|known| known.item == item) {
                Some(known) => known.time = known.time.max(time),
                None => self.0.push(SlowItem { item, time }),
            }
            self.0.sort_by_key(|slow| (Reverse(slow.time), slow.item));
            self.0.truncate(Stats::SLOWEST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEVEN: WorkerId = WorkerId(7);

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn given(count: u32) -> Happened {
        let (worker, first) = (SEVEN.0, 0);
        PoolEvent::ItemsGiven {
            worker,
            first,
            count,
        }
        .into()
    }

    #[test]
    fn every_moment_of_a_life_belongs_to_one_stage() {
        let start = Instant::now();
        let at = |millis| move || start + ms(millis);
        let (worker, pid) = (SEVEN.0, 123);
        let mut ledger = Ledger::default();
        ledger.record(at(0), &Happened::Spawned(SEVEN));
        ledger.record(at(1), &PoolEvent::WorkerStarted { worker, pid }.into());
        // No memory is shared in this test: a greeting without it.
        ledger.change(worker, |life| life.turn(at(5)(), WorkerState::SettingUp));
        ledger.record(at(8), &PoolEvent::WorkerReady { worker }.into());
        ledger.record(at(10), &given(3));
        ledger.record(|| unreachable!("it works already"), &given(2));
        let finished = |count| Happened::Finished(SEVEN, count);
        ledger.record(|| unreachable!("it has more to do"), &finished(4));
        ledger.record(at(30), &finished(1));
        ledger.record(at(31), &given(1));
        let now = &ledger.stats(at(35)()).workers[0];
        assert_eq!(now.state, WorkerState::Working);
        assert_eq!(now.times.work, ms(24));
        ledger.record(at(40), &Happened::Leaving(SEVEN));
        ledger.record(|| unreachable!("it leaves"), &finished(1));
        ledger.record(at(42), &Happened::Ended(SEVEN));
        let [gone] = &ledger.stats(at(99)()).workers[..] else {
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
        assert_eq!((gone.items_given, gone.items_finished), (6, 6));
    }

    #[test]
    fn only_the_last_of_the_gone_are_told_of() {
        let now = Instant::now();
        let mut ledger = Ledger::default();
        let all = Stats::GONE_WORKERS as u32 + 10;
        for worker in (0..all).map(WorkerId) {
            ledger.record(|| now, &Happened::Spawned(worker));
            ledger.record(|| now, &Happened::Ended(worker));
        }
        ledger.record(|| now, &Happened::Spawned(WorkerId(all)));
        let workers = ledger.stats(now).workers;
        let numbers: Vec<u32> = workers.iter().map(|worker| worker.worker).collect();
        assert_eq!(numbers, (10..=all).collect::<Vec<_>>());
    }

    #[test]
    fn the_slowest_are_kept_each_once_with_its_longest_time() {
        let mut slowest = Slowest::default();
        slowest.note_all((0..100).map(|n| (n * 7 % 100, ms(n * 7 % 100))));
        slowest.note_all([(95, ms(200)), (99, ms(1))]);
        let slowest = slowest.0.iter();
        let found: Vec<_> = slowest.map(|slow| (slow.item, slow.time)).collect();
        let mut expected = vec![(95, ms(200))];
        expected.extend([99, 98, 97, 96, 94, 93, 92].map(|n| (n, ms(n))));
        assert_eq!(found, expected);
    }
}
