//! The state of a run and how events change it.
//!
//! Pure: no IO, no clock, no runtime.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use mt_proto::{Run, WorkerId};

use super::{
    Delivery, Effect, Event, KillReason, Lost, RestartBudget,
    budget::Restarts,
    hand::{Hand, Phase},
    queue::Queue,
    reorder::Reorder,
};
use crate::error::PoolError;

/// The items kept ready for workers that run dry.
const RESERVE: u64 = 1024;

/// The choices of a run. All checked when it was built.
#[derive(Debug, Clone)]
pub(crate) struct DispatchConfig {
    /// The most workers at once.
    pub(crate) processes: u32,
    /// Whether outcomes go out in the order of the input.
    pub(crate) ordered: bool,
    /// The fewest items a worker is offered when there are enough.
    pub(crate) window_floor: u32,
    /// The most items a worker holds.
    pub(crate) window_cap: u32,
    /// The most pieces a worker holds: the bound of its inbox.
    pub(crate) max_pieces: u32,
    /// The items after which a worker is replaced.
    pub(crate) items_per_worker: Option<u64>,
    /// The deaths an item may cause.
    pub(crate) crash_limit: u32,
    /// The fruitless restarts allowed.
    pub(crate) restarts: RestartBudget,
    /// How long a worker may take to go when it is told to.
    pub(crate) exit_grace: Duration,
}

/// Whether the run still takes and gives out items.
#[derive(Debug, Clone)]
pub(super) enum Mode {
    /// It does.
    Running,
    /// It lets what runs finish, and gives nothing out any more.
    Draining,
    /// It has given up: no worker could be had.
    Failed(Arc<PoolError>),
    /// Nobody is interested any more.
    Stopped,
}

/// The dispatch machine of one run.
#[derive(Debug)]
pub(crate) struct Dispatch {
    pub(super) config: DispatchConfig,
    pub(super) mode: Mode,
    pub(super) crew: BTreeMap<WorkerId, Hand>,
    pub(super) queue: Queue,
    pub(super) restarts: Restarts,
    pub(super) last_failure: Option<Arc<PoolError>>,
    pub(super) effects: VecDeque<Effect>,
    pub(super) paused: bool,
    next_worker: u32,
    reorder: Reorder,
    input_ended: bool,
    finished: bool,
    /// Input indices so far; and outcomes given out, for the invariant.
    taken_in: u64,
    given_out: u64,
}

impl Dispatch {
    pub(crate) fn new(config: DispatchConfig) -> Self {
        Self {
            mode: Mode::Running,
            crew: BTreeMap::new(),
            queue: Queue::default(),
            restarts: Restarts::new(config.restarts),
            last_failure: None,
            effects: VecDeque::new(),
            paused: false,
            next_worker: 0,
            reorder: Reorder::default(),
            input_ended: false,
            finished: false,
            taken_in: 0,
            given_out: 0,
            config,
        }
    }

    /// Changes state. Drain [`poll_effect`](Self::poll_effect) afterwards.
    pub(crate) fn handle(&mut self, now: Instant, event: Event) {
        match event {
            Event::Input(run) => self.on_input(run),
            Event::Refused(delivery) => self.on_refused(delivery),
            Event::InputEnded => self.input_ended = true,
            Event::Ready(worker) => self.on_ready(worker),
            Event::Results(worker, run) => self.on_results(worker, run),
            Event::Gone(worker, gone) => self.on_gone(now, worker, gone),
            Event::Paused(paused) => self.paused = paused,
            Event::Drain => self.on_drain(),
            Event::Stop => self.on_stop(),
            Event::Tick => self.on_tick(now),
        }
        self.feed(now);
        self.settle(now);
    }

    /// The next thing to do; `None` until the next event.
    pub(crate) fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When a [`Event::Tick`] is due at the latest.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let leaving = self.crew.values().filter_map(|hand| match hand.phase {
            Phase::Leaving { until } => Some(until),
            Phase::Starting | Phase::Ready | Phase::Dying => None,
        });
        let restart = if self.wants_worker() && !self.paused {
            self.restarts.wakeup()
        } else {
            None
        };
        leaving.chain(restart).min()
    }

    /// How many more items could be put to use now or very soon. The input should not be asked for
    /// more. The reserve lets a window see that there is something to grow for.
    pub(crate) fn appetite(&self) -> u64 {
        if !matches!(self.mode, Mode::Running) || self.paused {
            return 0;
        }
        let floor = u64::from(self.config.window_floor);
        let missing = u64::from(self.config.processes).saturating_sub(self.crew.len() as u64);
        let room: u64 = self
            .crew
            .values()
            .filter(|hand| matches!(hand.phase, Phase::Starting | Phase::Ready))
            .map(|hand| u64::from(hand.room()))
            .sum();
        (room + missing * floor + RESERVE).saturating_sub(self.queue.items())
    }

    /// How many items make it worth looking at the input before something else happens: one, if
    /// anybody has nothing to do; otherwise a good part of what the least busy worker has.
    pub(crate) fn worth_waking_for(&self) -> u64 {
        if self.crew.len() < self.config.processes as usize {
            return 1;
        }
        let least = self.crew.values().map(Hand::in_hand).min().unwrap_or(0);
        u64::from(least / 4).max(1)
    }

    /// The bytes of the items it has, waiting or given out.
    pub(crate) fn held_bytes(&self) -> usize {
        let given: usize = self.crew.values().map(Hand::held_bytes).sum();
        given + self.queue.len_bytes()
    }

    /// Whether the run takes no more input, because it is over in one way or another.
    pub(crate) fn is_closed(&self) -> bool {
        !matches!(self.mode, Mode::Running)
    }

    /// Whether the run waits for items that workers hold.
    #[cfg(test)]
    pub(crate) fn in_hand(&self) -> u64 {
        self.crew
            .values()
            .map(|hand| u64::from(hand.in_hand()))
            .sum()
    }

    fn on_input(&mut self, run: Run) {
        self.taken_in += u64::from(run.count);
        self.queue.push(run);
    }

    fn on_refused(&mut self, delivery: Delivery) {
        self.taken_in += u64::from(delivery.count());
        self.deliver(delivery);
    }

    fn on_ready(&mut self, worker: WorkerId) {
        if let Some(hand) = self.crew.get_mut(&worker)
            && hand.phase == Phase::Starting
        {
            hand.phase = Phase::Ready;
        }
    }

    fn on_results(&mut self, worker: WorkerId, run: Run) {
        let waiting = !self.queue.is_empty();
        let Some(hand) = self.crew.get_mut(&worker) else {
            return;
        };
        if hand.phase == Phase::Dying {
            return;
        }
        let first = !hand.fruitful;
        match hand.finish(&run) {
            Ok(()) => {
                hand.alone = None;
                hand.window.on_results(run.count, hand.in_hand(), waiting);
                self.restarts.on_fruit(first);
                self.deliver(Delivery::Results(run));
            }
            Err(error) => self.kill(worker, KillReason::Results(error)),
        }
    }

    fn on_drain(&mut self) {
        if matches!(self.mode, Mode::Running) {
            self.mode = Mode::Draining;
        }
    }

    fn on_stop(&mut self) {
        self.mode = Mode::Stopped;
        for worker in self.workers() {
            self.kill(worker, KillReason::Stopped);
        }
    }

    fn on_tick(&mut self, now: Instant) {
        for worker in self.workers() {
            let phase = self.crew[&worker].phase;
            if matches!(phase, Phase::Leaving { until } if until <= now) {
                self.kill(worker, KillReason::Lingered);
            }
        }
    }

    fn workers(&self) -> Vec<WorkerId> {
        self.crew.keys().copied().collect()
    }

    /// Names a new worker and asks for it.
    pub(super) fn start_worker(&mut self) {
        let worker = WorkerId(self.next_worker);
        self.next_worker += 1;
        let window = super::window::Window::new(self.config.window_floor, self.config.window_cap);
        self.crew
            .insert(worker, Hand::new(window, self.config.items_per_worker));
        self.effects.push_back(Effect::Spawn(worker));
    }

    /// Asks for a worker's end, once. What it holds stays with it until it is gone.
    pub(super) fn kill(&mut self, worker: WorkerId, reason: KillReason) {
        if let Some(hand) = self.crew.get_mut(&worker)
            && hand.phase != Phase::Dying
        {
            hand.excused = matches!(reason, KillReason::Stopped | KillReason::Lingered);
            hand.phase = Phase::Dying;
            self.effects.push_back(Effect::Kill(worker, reason));
        }
    }

    /// Tells a worker that holds nothing to go.
    pub(super) fn retire(&mut self, now: Instant, worker: WorkerId) {
        let until = now + self.config.exit_grace;
        if let Some(hand) = self.crew.get_mut(&worker) {
            debug_assert_eq!(hand.in_hand(), 0, "only an idle worker is retired");
            match hand.phase {
                // It may be in the middle of an init of any length, and has nothing to finish.
                Phase::Starting => self.kill(worker, KillReason::Stopped),
                Phase::Ready => {
                    hand.phase = Phase::Leaving { until };
                    self.effects.push_back(Effect::Retire(worker));
                }
                Phase::Leaving { .. } | Phase::Dying => {}
            }
        }
    }

    /// Gives an outcome out, in its turn if the order counts.
    pub(super) fn deliver(&mut self, delivery: Delivery) {
        if matches!(self.mode, Mode::Stopped) {
            return;
        }
        if !self.config.ordered {
            self.given_out += u64::from(delivery.count());
            self.effects.push_back(Effect::Deliver(delivery));
            return;
        }
        self.reorder.push(delivery);
        while let Some(delivery) = self.reorder.pop() {
            self.given_out += u64::from(delivery.count());
            self.effects.push_back(Effect::Deliver(delivery));
        }
    }

    /// Resolves what can't be worked on any more, and ends the run when all is done.
    fn settle(&mut self, now: Instant) {
        match &self.mode {
            Mode::Running => {}
            Mode::Draining => self.resolve_queue(|payload| Lost::Cancelled { payload }),
            Mode::Failed(cause) => {
                let cause = Arc::clone(cause);
                self.resolve_queue(|_| Lost::Pool(Arc::clone(&cause)));
            }
            Mode::Stopped => drop(self.queue.drain()),
        }
        let idle = self.queue.is_empty() && self.crew.values().all(|hand| hand.in_hand() == 0);
        let no_more_input = self.input_ended || matches!(self.mode, Mode::Stopped);
        if !idle || !no_more_input || self.finished {
            return;
        }
        for worker in self.workers() {
            self.retire(now, worker);
        }
        if self.crew.is_empty() {
            self.finished = true;
            debug_assert!(self.reorder.is_empty() || matches!(self.mode, Mode::Stopped));
            debug_assert!(
                self.taken_in == self.given_out || matches!(self.mode, Mode::Stopped),
                "every item that came in has gone out"
            );
            self.effects.push_back(Effect::Finished);
        }
    }

    fn resolve_queue(&mut self, lost: impl Fn(bytes::Bytes) -> Lost) {
        for (index, payload) in self.queue.drain() {
            self.deliver(Delivery::from((index, lost(payload))));
        }
    }
}
