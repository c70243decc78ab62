//! A run of the machine with everything that must hold of it.

mod outcomes;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use mt_ipc::Exit;
use mt_proto::{ItemIndex, Segment, WorkerId};

use super::{
    super::{
        AHEAD, Delivery, Dispatch, DispatchConfig, Effect, Event, Lost, MAX_PREPARED,
        MemoryShortage, Prepared, Terms, attempt_history::AttemptHistory,
    },
    payload::{cancelled, error, items, payloads, prepared},
    worker::ModelWorker,
};
use crate::{
    limits::{MemoryLimits, Recycle, Retries},
    supervision::{Death, DeathCause, RestartBudget, WorkerEnd, WorkerFailure},
};

pub(super) fn config() -> DispatchConfig {
    DispatchConfig {
        processes: 2,
        ordered: true,
        in_order: false,
        takes_all: false,
        ahead: AHEAD,
        most_shared: 0,
        window_floor: 2,
        window_cap: 64,
        max_pieces: 8,
        crash_limit: 3,
        restarts: RestartBudget::default(),
        exit_grace: Duration::from_secs(5),
        shared: false,
        min_processes: 0,
        queue_deadline: None,
        hard_deadline: None,
        close_deadline: None,
        memory: MemoryLimits::new().oom_retries(0),
        retries: Retries::default(),
        buffer_bytes: usize::MAX,
        keep_items: false,
        recycle: Recycle::default(),
        seed: 0,
    }
}

pub(super) const A: WorkerId = WorkerId(0);
pub(super) const B: WorkerId = WorkerId(1);
pub(super) const C: WorkerId = WorkerId(2);

pub(super) struct Model {
    pub(super) config: DispatchConfig,
    pub(super) dispatch: Dispatch,
    pub(super) now: Instant,
    pub(super) workers: BTreeMap<WorkerId, ModelWorker>,
    pub(super) taken_in: u64,
    pub(super) input_ended: bool,
    pub(super) paused: bool,
    pub(super) drained: bool,
    pub(super) stopped: bool,
    pub(super) finished: bool,
    pub(super) spawned: u32,
    /// What came out, in that order: how each item ended.
    pub(super) out: Vec<(u64, &'static str)>,
    /// What items have been through, and must not come to more.
    pub(super) past: BTreeMap<u64, AttemptHistory>,
    /// Items that were done when their worker died, and must not be done again.
    outcome_lost: BTreeSet<u64>,
    /// Items that were past their deadline when their worker was killed for it.
    timed_out: BTreeSet<u64>,
    pub(super) cancelled: bool,
    /// The calls that nobody waits for any more.
    withdrawn: BTreeSet<u64>,
    /// The calls that workers are asked to give back.
    asked_back: Vec<(WorkerId, u64)>,
    /// When items were last started.
    ran: BTreeMap<u64, Instant>,
    /// What was told of memory, in that order.
    pub(super) shortages: Vec<Option<MemoryShortage>>,
    is_out: BTreeSet<u64>,
    /// What calls are of: more than a worker keeps.
    prepared: Vec<Arc<Prepared>>,
}

/// The prepared task that a call is of, if it is of one.
fn prepared_of(call: u64) -> Option<u64> {
    call.is_multiple_of(2).then_some(call % 40 / 2)
}

impl Model {
    pub(super) fn new(config: DispatchConfig) -> Self {
        Self {
            dispatch: Dispatch::new(config.clone()),
            config,
            now: Instant::now(),
            workers: BTreeMap::new(),
            taken_in: 0,
            input_ended: false,
            paused: false,
            drained: false,
            stopped: false,
            finished: false,
            spawned: 0,
            out: Vec::new(),
            past: BTreeMap::new(),
            outcome_lost: BTreeSet::new(),
            timed_out: BTreeSet::new(),
            cancelled: false,
            prepared: (0..20).map(prepared).collect(),
            withdrawn: BTreeSet::new(),
            asked_back: Vec::new(),
            ran: BTreeMap::new(),
            shortages: Vec::new(),
            is_out: BTreeSet::new(),
        }
    }

    /// A run of two workers, but for this.
    pub(super) fn but(change: impl FnOnce(&mut DispatchConfig)) -> Self {
        let mut config = config();
        change(&mut config);
        Self::new(config)
    }

    /// A run of one worker that takes eight items at once, but for this.
    pub(super) fn one_worker(change: impl FnOnce(&mut DispatchConfig)) -> Self {
        Self::but(|config| {
            config.processes = 1;
            config.window_floor = 8;
            change(config);
        })
    }

    /// … that is ready and was given what there is.
    pub(super) fn with_items(count: u32, change: impl FnOnce(&mut DispatchConfig)) -> Self {
        let mut model = Self::one_worker(change);
        model.input(count);
        model.ready(A);
        model
    }

    /// How the items ended, in the order they came out.
    pub(super) fn ends(&self) -> Vec<&'static str> {
        self.out.iter().map(|(_, end)| *end).collect()
    }

    /// What a worker has been sent and has not started.
    pub(super) fn unstarted(&self, worker: WorkerId) -> Vec<u64> {
        self.workers[&worker].unstarted.iter().copied().collect()
    }

    /// The item from which on a worker starts none.
    pub(super) fn gate(&self, worker: WorkerId) -> Option<ItemIndex> {
        self.workers[&worker].gate
    }

    pub(super) fn is_retired(&self, worker: WorkerId) -> bool {
        self.workers[&worker].retired
    }

    pub(super) fn is_dying(&self, worker: WorkerId) -> bool {
        self.workers[&worker].killed.is_some()
    }

    pub(super) fn drain(&mut self) {
        self.drained = true;
        self.tell(Event::Drain);
    }

    pub(super) fn tell(&mut self, event: Event) {
        assert!(!self.finished, "nothing happens after the end");
        self.dispatch.handle(self.now, event);
        while let Some(effect) = self.dispatch.poll_effect() {
            self.carry_out(effect);
        }
        let held: usize = self.workers.values().map(ModelWorker::held).sum();
        let known = self.workers.values().all(|worker| worker.killed.is_none());
        assert!(!known || held as u64 == self.dispatch.held.items);
        self.give_back();
    }

    /// Workers give back what they were asked for, unless they have begun it.
    fn give_back(&mut self) {
        while let Some((id, call)) = self.asked_back.pop() {
            let worker = self
                .workers
                .get_mut(&id)
                .filter(|worker| worker.killed.is_none());
            if worker.is_some_and(|worker| worker.give_back(call)) {
                self.tell(Event::Results(id, cancelled(call)));
            }
        }
    }

    pub(super) fn input(&mut self, count: u32) {
        let run = items(self.taken_in, count);
        self.taken_in += u64::from(count);
        self.tell(Event::Input(run));
    }

    pub(super) fn call(&mut self, terms: Terms) {
        let call = items(self.taken_in, 1);
        let prepared = prepared_of(self.taken_in).map(|id| Arc::clone(&self.prepared[id as usize]));
        self.taken_in += 1;
        let terms = Terms { prepared, ..terms };
        self.tell(Event::Calls(vec![(call, terms)]));
    }

    /// Nobody waits for a call any more, which may be over.
    pub(super) fn withdraw(&mut self, call: u64) {
        self.withdrawn.insert(call);
        self.tell(Event::Withdraw(ItemIndex(call)));
    }

    pub(super) fn refuse(&mut self) {
        let lost = Lost::TooLarge { limit_bytes: 1 };
        let index = ItemIndex(self.taken_in);
        self.taken_in += 1;
        self.tell(Event::Refused(Delivery::refused(index, lost)));
    }

    pub(super) fn end_input(&mut self) {
        self.input_ended = true;
        self.tell(Event::InputEnded);
    }

    pub(super) fn pause(&mut self, paused: bool) {
        self.paused = paused;
        self.tell(Event::Paused(paused));
    }

    pub(super) fn ready(&mut self, worker: WorkerId) {
        self.workers.get_mut(&worker).expect("it lives").ready = true;
        self.tell(Event::Ready(worker));
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.tell(Event::Tick);
        // Or the driver would turn without end.
        let due = self.dispatch.poll_timeout();
        assert!(due.is_none_or(|due| due > self.now), "due in the past");
    }

    /// Starts up to `count` items.
    pub(super) fn start(&mut self, worker: WorkerId, count: usize) {
        for _ in 0..count {
            self.start_one(worker);
        }
    }

    /// Starts the next item.
    pub(super) fn start_one(&mut self, worker: WorkerId) -> Option<u64> {
        let model = self.workers.get_mut(&worker).expect("it lives");
        let before = model.running.clone();
        let item = model.start()?;
        if self.config.in_order {
            model.running.retain(|runs| !before.contains(runs));
            model.unsent.extend(before);
        }
        self.ran.insert(item, self.now);
        Some(item)
    }

    /// Tells the results of running items, which are consecutive.
    pub(super) fn finish(&mut self, worker: WorkerId, first: u64, count: u32) {
        let model = self.workers.get_mut(&worker).expect("it lives");
        (first..first + u64::from(count)).for_each(|item| model.finish(item));
        self.tell(Event::Results(worker, items(first, count)));
    }

    /// A worker starts items, which are consecutive, and finishes them.
    pub(super) fn work(&mut self, worker: WorkerId, first: u64, count: u32) {
        self.start(worker, count as usize);
        self.finish(worker, first, count);
    }

    /// One is gone and the next is ready.
    pub(super) fn replace(&mut self, gone: WorkerId, next: WorkerId) {
        self.gone(gone);
        self.ready(next);
    }

    /// A worker is gone, by itself or because it was told to.
    pub(super) fn gone(&mut self, worker: WorkerId) {
        self.gone_as(worker, DeathCause::Itself, false);
    }

    /// The same for this cause, or by itself first.
    pub(super) fn gone_as(&mut self, worker: WorkerId, cause: DeathCause, died_first: bool) {
        let mut model = self.workers.remove(&worker).expect("it lives");
        model.killed.take_if(|_| died_first);
        self.charge(&model);
        let death = Death::new(Exit::default(), cause);
        let no_hello = || WorkerFailure::NoHello {
            death: death.clone(),
        };
        let end = WorkerEnd {
            started: model.started,
            finished: model.started - model.running.len() as u64,
            captured: None,
            failure: (!model.ready).then(no_hello).map(Arc::new),
            said_bye: false,
            died_first,
            death,
        };
        self.tell(Event::Gone(worker, end));
    }

    /// An item raises an error.
    pub(super) fn raise(&mut self, worker: WorkerId, item: u64) {
        let model = self.workers.get_mut(&worker).expect("it lives");
        model.finish(item);
        self.past_of(item).errors += 1;
        self.tell(Event::Results(worker, error(item)));
    }

    fn past_of(&mut self, item: u64) -> &mut AttemptHistory {
        self.past.entry(item).or_default()
    }

    /// What an item goes through when its worker is gone.
    fn charge(&mut self, model: &ModelWorker) {
        let no_second_start = self.config.crash_limit == 1;
        let stopped = model.killed == Some(DeathCause::Stopped);
        let mut running = model.running.clone();
        if no_second_start && !stopped {
            self.outcome_lost.extend(&model.unsent);
        } else if running.is_empty() {
            running.clone_from(&model.unsent);
        }
        let sole = running.len() == 1;
        for &item in &running {
            let is_death = match &model.killed {
                Some(DeathCause::Overran) if model.is_late(item) => {
                    self.timed_out.insert(item);
                    continue;
                }
                Some(DeathCause::Overran | DeathCause::Displaced) => no_second_start,
                Some(DeathCause::MemoryExceeded { .. }) => {
                    self.past_of(item).fresh = true;
                    self.past_of(item).breaches += u32::from(sole);
                    !sole && no_second_start
                }
                Some(DeathCause::Stopped) => continue,
                _ => true,
            };
            self.past_of(item).deaths += u32::from(is_death);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Spawn(worker) => {
                assert_eq!(worker, WorkerId(self.spawned), "names are never used again");
                self.spawned += 1;
                self.workers.insert(worker, ModelWorker::default());
                let most = self.config.processes + self.config.recycle.at_once;
                assert!(self.workers.len() <= most as usize);
            }
            Effect::Send(worker, run, _) => self.on_send(worker, &run),
            Effect::Retire(worker) | Effect::Release(worker) => {
                let shared = self.config.shared;
                let worker = self.workers.get_mut(&worker).expect("it lives");
                assert!(worker.ready || shared);
                assert!(worker.held() == 0 && worker.killed.is_none());
                worker.retired = true;
            }
            Effect::Kill(worker, cause) => {
                let model = self.workers.get_mut(&worker).expect("it lives");
                model.overrun = self.dispatch.workers[&worker].overrun;
                let overran = cause == DeathCause::Overran;
                assert!(model.killed.replace(cause).is_none(), "killed once");
                if overran {
                    self.check_overrun(worker);
                }
            }
            Effect::Deliver(delivery) => self.on_deliver(&delivery),
            Effect::Withdraw(worker, call) => {
                assert!(self.workers[&worker].holds(call.0));
                if !self.withdrawn.contains(&call.0) {
                    self.asked_back.push((worker, call.0));
                }
            }
            Effect::Prepare(worker, prepared) => {
                let known = &mut self.workers.get_mut(&worker).expect("it lives").prepared;
                assert!(known.insert(prepared.id.0), "it is told once");
                assert!(known.len() <= MAX_PREPARED);
            }
            Effect::Forget(worker, id) => {
                let known = &mut self.workers.get_mut(&worker).expect("it lives").prepared;
                assert!(known.remove(&id.0), "it knew");
            }
            Effect::Gate(worker, gate) => {
                let worker = self.workers.get_mut(&worker).expect("it lives");
                assert_ne!(std::mem::replace(&mut worker.gate, gate), gate, "it moves");
            }
            Effect::Shortage(shortage) => self.shortages.push(shortage),
            Effect::Finished => {
                assert!(self.workers.is_empty());
                assert!(self.stopped || self.out.len() as u64 == self.taken_in);
                self.finished = true;
            }
        }
    }

    /// Whoever is past the deadline really is.
    fn check_overrun(&self, worker: WorkerId) {
        let model = &self.workers[&worker];
        let given_up = model.running.intersection(&self.withdrawn).count();
        if self.config.takes_all && given_up > 0 {
            return;
        }
        let limit = self.config.hard_deadline.expect("there is one");
        // It may have been done since it was looked at.
        let begun = model.running.union(&model.unsent);
        let late = begun.filter(|item| model.is_late(**item));
        let late = late.inspect(|item| {
            assert!(self.ran[item] + limit <= self.now, "{item} has time left");
        });
        assert!(late.count() > 0, "somebody is late");
    }

    fn on_send(&mut self, worker: WorkerId, run: &Segment) {
        assert!(!self.paused && !self.drained && !self.stopped && !self.cancelled);
        let sent: Vec<u64> = (run.first.0..run.end().0).collect();
        for item in &sent {
            assert!(!self.is_out.contains(item), "{item} is out");
            assert!(!self.withdrawn.contains(item), "nobody waits for {item}");
            assert!(
                self.workers.values().all(|w| !w.holds(*item)),
                "{item} is held"
            );
        }
        assert_eq!(payloads(run), sent, "each item as it came in");
        // Not by the methods that dispatch goes by: these are what is held against this.
        let is_suspect = |item: &u64| {
            let past = self.past.get(item);
            past.is_some_and(|past| past.deaths > 0 || past.fresh)
        };
        let suspects = sent.iter().filter(|item| is_suspect(item)).count();
        let model = self.workers.get_mut(&worker).expect("it lives");
        assert!(model.ready && !model.retired && model.killed.is_none());
        if self.config.takes_all {
            let mut of = sent.iter().filter_map(|call| prepared_of(*call));
            assert!(
                of.all(|id| model.prepared.contains(&id)),
                "it knows of them"
            );
        }
        let mut items = self.past.keys().filter(|item| is_suspect(item));
        let running_alone = model.held() == 1 && items.any(|item| model.holds(*item));
        assert!(!running_alone, "nobody joins a suspect");
        assert!(
            suspects == 0 || (sent.len() == 1 && model.held() == 0),
            "suspects run alone"
        );
        let errors = self.past.get(&sent[0]).map_or(0, |past| past.errors);
        assert!(errors <= self.config.retries.limit);
        if self.config.crash_limit == 1 && self.config.retries.limit == 0 {
            let again = sent.iter().any(|item| self.ran.contains_key(item));
            assert!(!again, "with a crash limit of one nothing is started twice");
        }
        model.give(&sent);
        assert!(model.held() <= (self.config.window_cap + self.config.most_shared) as usize);
        assert!(model.held_pieces() <= self.config.max_pieces as usize);
        let quota = self.config.recycle.items.unwrap_or(u64::MAX);
        assert!(model.sent <= quota);
    }
}
