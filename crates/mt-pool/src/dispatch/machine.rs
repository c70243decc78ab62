//! The state of a run and how events change it.
//!
//! Pure: no IO, no clock, no runtime.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use mt_proto::{Segment, WorkerId};
use rand::{SeedableRng, rngs::ChaCha8Rng};

use super::{
    Delivery, DispatchConfig, Effect, Event, Look, Lost,
    delivery::Reorder,
    holdings::Holdings,
    memory::MemoryShortage,
    queue::Queue,
    window::{Reported, Window},
    worker_slot::{SlotPhase, WorkerSlot},
};
use crate::supervision::{DeathCause, ProcessRecord, Restarts, WorkerFailure};

/// The items kept ready for workers that run dry.
const RESERVE: u64 = 1024;

/// How long a run that is over waits for a worker that is still being set up, to leave it to others.
const SETTLE: Duration = Duration::from_millis(100);

/// Whether the run still takes and gives out items.
#[derive(Debug, Clone)]
pub(super) enum RunMode {
    /// Items are taken and given out.
    Running,
    /// What runs is let finish, and nothing is given out any more.
    Draining,
    /// Given up: no worker could be had.
    Failed(Arc<WorkerFailure>),
    /// What runs is killed, and everything that has no outcome yet is cancelled.
    Cancelled,
    /// Nobody is interested any more.
    Stopped,
}

#[derive(Debug)]
pub(crate) struct Dispatch {
    pub(super) config: DispatchConfig,
    pub(super) mode: RunMode,
    pub(super) workers: BTreeMap<WorkerId, WorkerSlot>,
    /// What they hold together.
    pub(super) held: Holdings,
    pub(super) queue: Queue,
    pub(super) restarts: Restarts,
    pub(super) last_failure: Option<Arc<WorkerFailure>>,
    pub(super) effects: VecDeque<Effect>,
    pub(super) paused: bool,
    /// Whether another run waits for a worker and has none.
    pub(super) wanted: bool,
    pub(super) shortage: Option<MemoryShortage>,
    pub(super) chance: ChaCha8Rng,
    /// Items that were put back to be tried again after an error.
    pub(super) retries: u64,
    next_worker: u32,
    pub(super) reorder: Reorder,
    /// Whether some worker's gate is closed.
    pub(super) is_gated: bool,
    pub(super) input_ended: bool,
    finished: bool,
    /// Input indices so far; and outcomes given out, for the invariant.
    pub(super) taken_in: u64,
    given_out: u64,
}

impl Dispatch {
    pub(crate) fn new(config: DispatchConfig) -> Self {
        Self {
            mode: RunMode::Running,
            workers: BTreeMap::new(),
            held: Holdings::default(),
            queue: Queue::new(config.queue_deadline),
            restarts: Restarts::new(config.restarts),
            last_failure: None,
            effects: VecDeque::new(),
            paused: false,
            wanted: false,
            shortage: None,
            chance: ChaCha8Rng::seed_from_u64(config.seed),
            retries: 0,
            next_worker: 0,
            reorder: Reorder::default(),
            is_gated: false,
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
            Event::Input(run) => self.on_input(now, run),
            Event::Calls(calls) => self.on_calls(now, calls),
            Event::Refused(delivery) => self.on_refused(delivery),
            Event::Withdraw(index) => self.on_withdraw(now, index),
            Event::InputEnded => self.input_ended = true,
            Event::Used(worker, record) => self.on_used(worker, &record),
            Event::Ready(worker) => self.on_ready(now, worker),
            Event::Results(worker, run) => self.on_results(now, worker, run),
            Event::Gone(worker, end) => self.on_gone(now, worker, end),
            Event::Paused(paused) => self.paused = paused,
            Event::Wanted(wanted) => self.on_wanted(wanted),
            Event::Look(worker, look) => self.on_look(now, worker, look),
            Event::Weighed(weights, high) => self.on_weighed(&weights, high),
            Event::Late(time) => self.on_late(time),
            Event::Drain => self.on_drain(),
            Event::Cancel => self.on_cancel(),
            Event::Stop => self.on_stop(),
            Event::Tick => self.on_tick(now),
        }
        self.end_waits(now);
        self.end_waits_of_calls(now);
        self.take_back_stuck(now);
        self.feed(now);
        if self.wanted {
            self.share(now);
        }
        self.set_gates();
        self.settle(now);
    }

    /// The next thing to do; `None` until the next event.
    pub(crate) fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When a [`Event::Tick`] is due at the latest.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let leaving = self.workers.values().filter_map(|slot| match slot.phase {
            SlotPhase::Leaving { until } => Some(until),
            SlotPhase::Starting | SlotPhase::Ready | SlotPhase::Dying => None,
        });
        // With little memory, or room for results, there is a new one only when there is none at all.
        let little = self.shortage.is_some() || self.is_over();
        let enough = !little || self.workers.is_empty();
        let may_start = !self.paused && enough && self.wants_worker();
        let restart = self.restarts.wakeup().filter(|_| may_start);
        let overruns = self.config.hard_deadline.into_iter().flat_map(|limit| {
            let slots = self.workers.values();
            let slots = slots.filter(|slot| slot.phase != SlotPhase::Dying);
            slots.filter_map(move |slot| slot.running.due(limit))
        });
        let closes = self.config.close_deadline.into_iter().flat_map(|limit| {
            let since = self
                .workers
                .values()
                .map(|slot| slot.running.closes_since());
            since.flatten().map(move |since| since + limit)
        });
        let others = [
            restart,
            self.queue.wakeup(),
            self.recycle_due(),
            self.turn_due(),
            self.stuck_due(),
        ];
        leaving
            .chain(others.into_iter().flatten())
            .chain(overruns)
            .chain(closes)
            .min()
    }

    /// How many more items could be put to use now or very soon. The input should not be asked for
    /// more. The reserve lets a window see that there is something to grow for.
    pub(crate) fn appetite(&self) -> u64 {
        if self.is_closed() {
            return 0;
        }
        if self.takes_all() {
            // Their time runs, or somebody may give them up, so they are taken in as they come.
            return u64::MAX;
        }
        if self.paused || self.is_over() {
            return 0;
        }
        let floor = u64::from(self.config.window_floor);
        let missing = u64::from(self.config.processes).saturating_sub(self.workers.len() as u64);
        let slots = self.workers.values();
        let takers =
            slots.filter(|slot| matches!(slot.phase, SlotPhase::Starting | SlotPhase::Ready));
        let room: u64 = takers.map(|slot| u64::from(slot.room())).sum();
        (room + missing * floor + RESERVE).saturating_sub(self.queue.items())
    }

    /// Whether the input is taken in as it comes.
    pub(crate) fn takes_all(&self) -> bool {
        self.config.queue_deadline.is_some() || self.config.takes_all
    }

    /// The bytes of the items it has, waiting or given out.
    pub(crate) fn held_bytes(&self) -> usize {
        self.held.bytes + self.queue.len_bytes()
    }

    /// Whether the run takes no more input, because it is over in one way or another.
    pub(crate) fn is_closed(&self) -> bool {
        !matches!(self.mode, RunMode::Running)
    }

    /// Whether what runs is let finish, and nothing follows.
    pub(super) fn is_draining(&self) -> bool {
        matches!(self.mode, RunMode::Draining)
    }

    /// Whether what runs is being killed.
    pub(super) fn is_dropped(&self) -> bool {
        matches!(self.mode, RunMode::Cancelled | RunMode::Stopped)
    }

    pub(crate) fn is_working(&self) -> bool {
        self.held.busy > 0
    }

    fn on_input(&mut self, now: Instant, run: Segment) {
        self.taken_in += u64::from(run.count);
        self.queue.push(run, now);
    }

    fn on_refused(&mut self, delivery: Delivery) {
        self.taken_in += u64::from(delivery.count());
        self.deliver(delivery);
    }

    fn on_used(&mut self, worker: WorkerId, record: &ProcessRecord) {
        if let Some(slot) = self.workers.get_mut(&worker) {
            slot.used = true;
            slot.ready_at = record.ready_at;
            if let Some(quota) = &mut slot.quota {
                *quota = quota.saturating_sub(record.items);
            }
        }
    }

    fn on_ready(&mut self, now: Instant, worker: WorkerId) {
        if let Some(slot) = self.workers.get_mut(&worker)
            && slot.phase == SlotPhase::Starting
        {
            slot.phase = SlotPhase::Ready;
            self.on_birth(now, worker);
        }
    }

    fn on_results(&mut self, now: Instant, worker: WorkerId, run: Segment) {
        let waiting = !self.queue.is_empty();
        let apart = self.set_apart(worker, &run);
        let Some(slot) = self.workers.get_mut(&worker) else {
            return;
        };
        if !slot.is_believed() {
            return;
        }
        let first = !slot.fruitful;
        let noted = self.change(worker, |slot| slot.finish(&run));
        let Some((noted, slot)) = noted.zip(self.workers.get_mut(&worker)) else {
            return;
        };
        match noted {
            Ok(items) => {
                let back = apart.iter().filter(|item| item.comes_back()).count();
                let items = items - back as u32;
                slot.alone &= slot.in_hand() > 0;
                if slot.in_hand() == 0 {
                    slot.idle_since = Some(now);
                }
                // Those that share the thread tell nothing of its pace.
                if items > 0 {
                    slot.stuck = false;
                    let left = slot.plain_in_hand();
                    slot.window.on_results(
                        now,
                        Reported {
                            items,
                            left,
                            waiting,
                        },
                    );
                }
                self.restarts.on_fruit(first);
                if apart.is_empty() {
                    self.deliver(Delivery::results(run));
                } else {
                    self.deliver_but(now, run, apart);
                }
            }
            Err(error) => self.kill(worker, DeathCause::BrokeProtocol(error.to_string())),
        }
    }

    fn on_drain(&mut self) {
        if matches!(self.mode, RunMode::Running) {
            self.mode = RunMode::Draining;
        }
    }

    fn on_cancel(&mut self) {
        if matches!(self.mode, RunMode::Running | RunMode::Draining) {
            self.mode = RunMode::Cancelled;
            self.kill_all();
        }
    }

    fn on_stop(&mut self) {
        self.mode = RunMode::Stopped;
        self.kill_all();
    }

    fn kill_all(&mut self) {
        for worker in self.workers_that(|_| true) {
            self.kill(worker, DeathCause::Stopped);
        }
    }

    fn on_tick(&mut self, now: Instant) {
        let lingers =
            |slot: &WorkerSlot| matches!(slot.phase, SlotPhase::Leaving { until } if until <= now);
        for worker in self.workers_that(lingers) {
            self.kill(worker, DeathCause::Lingered);
        }
        self.end_overruns(now);
        self.end_overruns_of_calls(now);
        self.end_closes(now);
    }

    fn on_look(&mut self, now: Instant, worker: WorkerId, look: Look) {
        if let Some(slot) = self.workers.get_mut(&worker) {
            slot.look(now, look);
        }
    }

    fn on_late(&mut self, time: Duration) {
        for slot in self.workers.values_mut() {
            slot.running.forgive(time);
            if let SlotPhase::Leaving { until } = &mut slot.phase {
                *until += time;
            }
        }
    }

    pub(super) fn workers_that(&self, are: impl Fn(&WorkerSlot) -> bool) -> Vec<WorkerId> {
        let are = self.workers.iter().filter(|(_, slot)| are(slot));
        are.map(|(worker, _)| *worker).collect()
    }

    pub(super) fn start_worker(&mut self) -> WorkerId {
        let worker = WorkerId(self.next_worker);
        self.next_worker += 1;
        let window = Window::new(
            self.config.ahead,
            self.config.window_floor,
            self.config.window_cap,
        );
        let slot = WorkerSlot::new(window, self.config.recycle.items);
        self.workers.insert(worker, slot);
        self.effects.push_back(Effect::Spawn(worker));
        worker
    }

    /// Asks for a worker's end, once. What it holds stays with it until it is gone.
    pub(super) fn kill(&mut self, worker: WorkerId, cause: DeathCause) {
        if let Some(slot) = self.workers.get_mut(&worker)
            && slot.phase != SlotPhase::Dying
        {
            slot.phase = SlotPhase::Dying;
            slot.verdict = Some(cause.clone());
            self.effects.push_back(Effect::Kill(worker, cause));
        }
    }

    /// Tells a worker that holds nothing to go: it is worn, or in the way.
    pub(super) fn retire(&mut self, now: Instant, worker: WorkerId) {
        self.let_go(now, worker, Effect::Retire(worker));
    }

    /// Tells a worker that holds nothing to go: this run has no more use for it.
    pub(super) fn release(&mut self, now: Instant, worker: WorkerId) {
        let worn = self.workers.get(&worker).is_none_or(|slot| slot.tired);
        if worn {
            self.retire(now, worker);
        } else {
            self.let_go(now, worker, Effect::Release(worker));
        }
    }

    fn let_go(&mut self, now: Instant, worker: WorkerId, how: Effect) {
        let until = now + self.config.exit_grace;
        if let Some(slot) = self.workers.get_mut(&worker) {
            debug_assert_eq!(slot.in_hand(), 0, "only an idle worker is retired");
            match slot.phase {
                // Another run may have use for it, if it is nearly there.
                SlotPhase::Starting if self.config.shared && matches!(how, Effect::Release(_)) => {
                    let until = now + self.config.exit_grace.min(SETTLE);
                    slot.phase = SlotPhase::Leaving { until };
                    self.effects.push_back(how);
                }
                // It may be in the middle of an init of any length, and has nothing to finish.
                SlotPhase::Starting => self.kill(worker, DeathCause::Stopped),
                SlotPhase::Ready => {
                    slot.phase = SlotPhase::Leaving { until };
                    self.effects.push_back(how);
                }
                SlotPhase::Leaving { .. } | SlotPhase::Dying => {}
            }
        }
    }

    /// Gives an outcome out, in its turn if the order counts.
    pub(super) fn deliver(&mut self, delivery: Delivery) {
        if !self.queue.calls.has_none() {
            self.queue.calls.forget(delivery.indices());
        }
        if matches!(self.mode, RunMode::Stopped) {
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
            RunMode::Running => {}
            RunMode::Draining | RunMode::Cancelled => {
                self.resolve_queue(&Lost::Cancelled);
            }
            RunMode::Failed(cause) => {
                let lost = Lost::Pool(Arc::clone(cause));
                self.resolve_queue(&lost);
            }
            RunMode::Stopped => drop(self.queue.drain()),
        }
        debug_assert_eq!(self.held, self.count_held(), "what workers hold");
        let idle = self.queue.is_empty() && !self.is_working();
        let no_more_input = self.input_ended || matches!(self.mode, RunMode::Stopped);
        if !idle || !no_more_input || self.finished {
            return;
        }
        for worker in self.workers_that(|_| true) {
            self.release(now, worker);
        }
        if self.workers.is_empty() {
            self.finished = true;
            debug_assert!(self.reorder.is_empty() || matches!(self.mode, RunMode::Stopped));
            debug_assert!(
                self.taken_in == self.given_out || matches!(self.mode, RunMode::Stopped),
                "every item that came in has gone out"
            );
            self.effects.push_back(Effect::Finished);
        }
    }

    fn resolve_queue(&mut self, lost: &Lost) {
        for item in self.queue.drain() {
            self.deliver(item.lost(lost.clone()));
        }
    }
}
