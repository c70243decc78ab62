//! The driver's loop: it reads an event, hands it to the dispatch machine, and carries out what that asks for.
//!
//! Loop: one a run. Everything it awaits is cancel-safe.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{
    deliveries::DeliverySender,
    exit_hooks::Collected,
    watch::{WEIGH, WatchSchedule},
    workers::WorkerHandles,
};
use crate::{
    dispatch::{Dispatch, DispatchConfig, Effect, Event, MemoryShortage},
    events::{Audience, PoolEvent},
    input::{Asked, DriverEnd},
    load,
    stats::{Happened, InWorkers, StatsCell},
    supervision::{
        IdleWorkers, Interruption, Interrupts, LATE, OnSignals, SessionEvents, SpawnSpec,
        WorkerEvents, until,
    },
};

/// The workers events handled before the effects of all of them are carried out together.
const EVENTS_PER_TURN: usize = 64;

/// How long items may gather while every worker has something to do.
const GATHER: Duration = Duration::from_millis(1);

/// All that a run is told when it starts.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) dispatch: DispatchConfig,
    pub(crate) spec: SpawnSpec,
    /// The pool whose workers are used, if they are shared.
    pub(crate) idle: Option<Arc<IdleWorkers>>,
    pub(crate) on_signals: OnSignals,
    pub(crate) audience: Audience,
    pub(crate) collected: Arc<Collected>,
    pub(crate) relay: WorkerEvents,
    pub(crate) exchange: DriverEnd,
    pub(crate) stats: Arc<StatsCell>,
    /// Where the calls of a pool are counted, if they are what is run.
    pub(crate) calls: Option<InWorkers>,
    pub(crate) output: DeliverySender,
}

#[derive(Debug)]
pub(super) struct Driver {
    pub(super) dispatch: Dispatch,
    pub(super) workers: WorkerHandles,
    pub(super) watch: WatchSchedule,
    pub(super) collected: Arc<Collected>,
    pub(super) exchange: DriverEnd,
    pub(super) stats: Arc<StatsCell>,
    calls: Option<InWorkers>,
    pub(super) audience: Audience,
    pub(super) output: DeliverySender,
    pub(super) relay: WorkerEvents,
    pub(super) finished: bool,
    input_ended: bool,
    stopped: bool,
    /// What the run's handle has asked for and was done.
    heeded: Asked,
    /// When it should be awake at the latest.
    pub(super) expected: Option<Instant>,
    paused: bool,
    /// When to look at the input again without being told.
    look_again: Option<Instant>,
}

/// Runs a plan to its end: when this returns, every outcome is in the output and every worker is
/// reaped.
pub(crate) async fn supervise(plan: Plan) {
    let mut interrupts = Interrupts::listen(plan.on_signals);
    let mut wanted = plan.idle.as_ref().map(|idle| idle.wanted());
    let (workers, mut events) = WorkerHandles::new(plan.spec, plan.dispatch.in_order, plan.idle);
    let mut driver = Driver {
        watch: WatchSchedule::new(&plan.dispatch, Instant::now()),
        dispatch: Dispatch::new(plan.dispatch),
        workers,
        collected: plan.collected,
        exchange: plan.exchange,
        stats: plan.stats,
        calls: plan.calls,
        audience: plan.audience,
        output: plan.output,
        relay: plan.relay,
        finished: false,
        input_ended: false,
        stopped: false,
        heeded: Asked::Nothing,
        expected: None,
        paused: false,
        look_again: None,
    };
    // The workers that are kept do not wait for the first item.
    driver.dispatch(Event::Tick);
    loop {
        driver.take_input();
        driver.output.flush();
        if driver.finished {
            driver.relay.finish().await;
            driver.stats.set_complete();
            return;
        }
        let wakeup = driver.wakeup();
        driver.expected = wakeup;
        tokio::select! {
            Some((worker, event)) = events.recv() => {
                driver.take_calls();
                driver.on_session(worker, event);
                driver.on_more(&mut events);
            }
            () = driver.exchange.filled() => {}
            is_wanted = changed(&mut wanted) => driver.dispatch(Event::Wanted(is_wanted)),
            () = until(wakeup.map(Into::into)), if wakeup.is_some() => driver.on_time(),
            how = interrupts.interrupted() => driver.on_interrupt(how),
        }
    }
}

/// Waits until other runs of the pool want a worker, or no longer do. Cancel-safe.
async fn changed(wanted: &mut Option<watch::Receiver<bool>>) -> bool {
    if let Some(wanted) = wanted
        && wanted.changed().await.is_ok()
    {
        return *wanted.borrow_and_update();
    }
    std::future::pending().await
}

impl Driver {
    /// Handles what has come meanwhile, so that one look at the input and one wake-up of each writer
    /// serve many events.
    fn on_more(&mut self, events: &mut SessionEvents) {
        for _ in 0..EVENTS_PER_TURN {
            let Ok((worker, event)) = events.try_recv() else {
                return;
            };
            self.on_session(worker, event);
        }
    }

    /// Hands an event to the dispatch machine and does what it asks for.
    pub(super) fn dispatch(&mut self, event: Event) {
        let now = Instant::now();
        self.notice_lateness(now);
        self.dispatch.handle(now, event);
        self.act();
        if let Some(calls) = &mut self.calls {
            calls.set(self.dispatch.in_workers());
            for ended in self.dispatch.ended_calls() {
                let worked = now.saturating_duration_since(ended.given);
                calls.recorder.worked(ended.queued, worked, ended.count);
            }
        }
    }

    pub(super) fn act(&mut self) {
        while let Some(effect) = self.dispatch.poll_effect() {
            match effect {
                Effect::Spawn(worker) => {
                    self.record(Happened::Spawned(worker));
                    self.workers.start(worker);
                }
                Effect::Send(worker, run, patience) => {
                    self.record(PoolEvent::ItemsGiven {
                        worker: worker.0,
                        first: run.first.0,
                        count: run.count,
                    });
                    self.workers.send(worker, run, patience);
                }
                Effect::Withdraw(worker, call) => self.workers.withdraw(worker, call),
                Effect::Prepare(worker, prepared) => self.workers.prepare(worker, &prepared),
                Effect::Forget(worker, prepared) => {
                    // Closing its context is looked at.
                    self.watch.watch_calls();
                    self.workers.forget(worker, prepared);
                }
                Effect::Gate(worker, gate) => self.workers.set_gate(worker, gate),
                Effect::Retire(worker) => {
                    self.record(Happened::Leaving(worker));
                    self.workers.retire(worker);
                }
                Effect::Release(worker) => {
                    self.record(Happened::Leaving(worker));
                    self.workers.release(worker);
                }
                Effect::Kill(worker, cause) => {
                    self.record(Happened::Leaving(worker));
                    self.workers.end(worker, cause);
                }
                Effect::Deliver(delivery) => {
                    self.exchange.on_delivered(delivery.len_bytes());
                    self.output.push(delivery);
                }
                Effect::Shortage(shortage) => self.on_shortage(shortage),
                Effect::Finished => self.finished = true,
            }
        }
    }

    /// Takes from the exchange what can be put to use.
    fn take_input(&mut self) {
        let everything = self.dispatch.is_closed();
        if everything {
            self.exchange.close();
        }
        let appetite = match everything {
            true => u64::MAX,
            false => self.dispatch.appetite(),
        };
        let wake_at = self.dispatch.worth_waking_for();
        let held_bytes = self.dispatch.held_bytes();
        let found = self.exchange.take(appetite, wake_at, held_bytes);
        // Items that come in a trickle are told one by one, those that come in a stream are looked for.
        let streaming =
            appetite > 0 && wake_at.first == 1 && wake_at.next > 1 && !found.events.is_empty();
        self.look_again = streaming.then(|| Instant::now() + GATHER);
        let asked = found.asked > self.heeded;
        if asked {
            self.heed(found.asked);
        }
        if found.cancelled && !self.stopped {
            self.stopped = true;
            self.dispatch(Event::Stop);
        }
        for event in found.events {
            let is_watched = match &event {
                Event::Calls(calls) => calls.iter().any(|(_, terms)| terms.hard.is_some()),
                Event::Withdraw(_) => true,
                _ => false,
            };
            if is_watched {
                self.watch.watch_calls();
            }
            self.dispatch(event);
        }
        // A feeder that is inside the input's `next` can't be waited for once the run is over.
        let closed = everything || found.asked != Asked::Nothing;
        let ended = found.ended || (closed && self.exchange.is_drained());
        if ended && !self.input_ended {
            self.input_ended = true;
            self.record(Happened::InputOver(found.ended));
            self.dispatch(Event::InputEnded);
        }
        if asked && self.dispatch.is_closed() && !everything {
            // What there was no appetite for gets its outcome now.
            self.take_input();
        }
        if found.output_full != self.paused {
            self.paused = found.output_full;
            self.dispatch(Event::Paused(self.paused));
            if !self.paused {
                // There was no appetite above, so the feeder wakes nobody: look again with one.
                self.take_input();
            }
        }
    }

    /// Takes in the calls that woke nobody, so that one whose turn it is gets the room that an event makes.
    fn take_calls(&mut self) {
        if self.dispatch.takes_all() {
            self.take_input();
        }
    }

    fn heed(&mut self, asked: Asked) {
        self.heeded = asked;
        match asked {
            // The exchange has heard it.
            Asked::Nothing | Asked::Close => {}
            Asked::Drain => self.dispatch(Event::Drain),
            Asked::Cancel => self.dispatch(Event::Cancel),
        }
    }

    fn wakeup(&self) -> Option<Instant> {
        let working = self.dispatch.is_working();
        let times = [
            self.dispatch.poll_timeout(),
            self.watch.wakeup(working, self.workers.is_empty()),
            self.look_again,
        ];
        times.into_iter().flatten().min()
    }

    fn on_time(&mut self) {
        self.on_watch(Instant::now());
        self.dispatch(Event::Tick);
    }

    fn on_watch(&mut self, now: Instant) {
        // Before a deadline is held against anybody, what happened in the last moment is taken in.
        let due = self.dispatch.poll_timeout().is_some_and(|due| due <= now);
        if let Some(every) = self.watch.every
            && (self.watch.next_look <= now || due)
        {
            self.watch.next_look = now + every;
            for (worker, look) in self.workers.looks() {
                self.dispatch(Event::Look(worker, look));
            }
        }
        if self.watch.weighs() && self.watch.next_weigh <= now {
            self.watch.next_weigh = now + WEIGH;
            self.weigh();
        }
    }

    /// A process that was stopped, or a machine that was, wakes up late. Must come before anything that
    /// looks at the time.
    fn notice_lateness(&mut self, now: Instant) {
        let late = self
            .expected
            .map(|then| now.saturating_duration_since(then));
        if let Some(late) = late.filter(|&late| late > LATE) {
            self.expected = Some(now);
            self.dispatch.handle(now, Event::Late(late));
        }
    }

    fn weigh(&mut self) {
        let high = self.watch.memory_high;
        let high = high.is_some_and(load::used_memory_above);
        let pids = if self.watch.weighs_each {
            self.workers.pids()
        } else {
            Vec::new()
        };
        let with_children = self.watch.with_children;
        let weigh = |(worker, pid)| Some((worker, load::memory_of(pid, with_children)?));
        let weights = pids.into_iter().filter_map(weigh).collect();
        self.dispatch(Event::Weighed(weights, high));
    }

    /// Tells that items run one at a time from now on, or no longer.
    fn on_shortage(&mut self, shortage: Option<MemoryShortage>) {
        self.record(match shortage {
            Some(whose) => {
                self.relay.tell(move || {
                    tracing::warn!(
                        ?whose,
                        "memory is short: items run one at a time until there is more"
                    );
                });
                PoolEvent::MemoryShort { whose }
            }
            None => PoolEvent::MemoryEased,
        });
    }

    fn on_interrupt(&mut self, how: Interruption) {
        let asked = match how {
            Interruption::Drain => Asked::Drain,
            Interruption::AtOnce => Asked::Cancel,
        };
        // What drains can still be cancelled.
        if asked <= self.heeded || (asked == Asked::Drain && self.dispatch.is_closed()) {
            return;
        }
        self.record(PoolEvent::Interrupted);
        self.heed(asked);
    }
}
