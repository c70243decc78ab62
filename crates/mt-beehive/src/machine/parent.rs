//! The side that delegates: a bee towards all her children.
//!
//! Pure: no IO, no clock, no runtime.

mod auction;
mod bee_slot;
mod census;
mod event;
mod interrupt;
mod loss;
mod population;
mod sharing;
mod suspects;
mod task;
mod waits;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use mt_pool::supervision::{DeathCause, RestartBudget, Restarts};
use mt_proto::{FromBee, Round, TaskId, TaskStatus, ToBee};
use rustc_hash::FxHashMap;

pub(crate) use self::event::{BeeEnd, BeeId, Effect, Event, Request, TaskOutcome};
use self::{
    bee_slot::{BeeSlot, Farewell, Phase},
    task::{Line, Task, TaskState},
};
pub use self::{
    census::{BeeState, BeeStatus, HiveStats},
    population::Population,
};
use crate::error::{CancelReason, NoWorkers};

/// How tasks find their bees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Dispatch {
    /// Each task is offered to all that have room, and one of those that want it gets it.
    #[default]
    Auction,
    /// Each task is given to the bee with the fewest; the parent counts the places.
    Credit,
}

/// The choices of a hive.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) dispatch: Dispatch,
    pub(crate) population: Population,
    /// How many bees may die while a task runs before it is given up, at least 1.
    pub(crate) crash_limit: u32,
    pub(crate) restarts: RestartBudget,
    /// How long a bee may take to go when it is told to.
    pub(crate) exit_grace: Duration,
    /// How long a bee may take to let its own bees die.
    pub(crate) bury_grace: Duration,
    /// How long a task that is cancelled may go on before its bee is killed.
    pub(crate) cancel_grace: Duration,
    /// How long a suspect runs before others may join it.
    pub(crate) suspect_grace: Duration,
    /// How long a bee may owe an answer that no task holds up.
    pub(crate) answer: Duration,
}

/// The parent's machine.
#[derive(Debug)]
pub(crate) struct ParentMachine {
    config: Config,
    /// The time of the last event.
    now: Option<Instant>,
    tasks: FxHashMap<TaskId, Task>,
    /// The tasks that nobody is asked about, oldest first; and some that were resolved while they waited.
    pending: VecDeque<TaskId>,
    /// How many of the latter.
    ghosts: usize,
    /// The questions that bees answer beside their tasks, as far as no bee was there to be asked, oldest first.
    questions: VecDeque<TaskId>,
    /// The tasks that nobody is asked about because a bee has died that had them, oldest first.
    suspects: VecDeque<TaskId>,
    /// When suspects that run will have done so for long enough.
    graces: BTreeSet<(Instant, TaskId)>,
    /// When something is to be done about a task: of those that have such a time.
    due: BTreeSet<(Instant, TaskId)>,
    bees: BTreeMap<BeeId, BeeSlot>,
    /// The bees there should be.
    wanted: usize,
    restarts: Restarts,
    /// Why the last bee was lost that did nothing.
    last_loss: Option<NoWorkers>,
    next_task: u64,
    next_bee: u32,
    interrupted: bool,
    dying: bool,
    finished: bool,
    effects: VecDeque<Effect>,
    /// Messages about tasks that have gone on since.
    stale: u64,
    /// What is counted on the way; the rest is known anyway.
    stats: HiveStats,
}

impl ParentMachine {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            wanted: config.population.first(),
            restarts: Restarts::new(config.restarts),
            config,
            now: None,
            tasks: FxHashMap::default(),
            pending: VecDeque::new(),
            ghosts: 0,
            questions: VecDeque::new(),
            suspects: VecDeque::new(),
            graces: BTreeSet::new(),
            due: BTreeSet::new(),
            bees: BTreeMap::new(),
            last_loss: None,
            next_task: 0,
            next_bee: 0,
            interrupted: false,
            dying: false,
            finished: false,
            effects: VecDeque::new(),
            stale: 0,
            stats: HiveStats::default(),
        }
    }

    /// Takes a task in. [`settle`](Self::settle) afterwards.
    pub(crate) fn delegate(&mut self, now: Instant, request: Request) -> TaskId {
        self.now = Some(now);
        let task_id = TaskId(self.next_task);
        self.next_task += 1;
        let task = Task::new(now, request);
        self.due.extend(task.due().map(|due| (due, task_id)));
        self.line(task.line()).push_back(task_id);
        self.tasks.insert(task_id, task);
        if self.dying {
            self.cancel_now(task_id, CancelReason::HiveClosed);
        } else if let Some(reason) = self.interruption(task_id, None) {
            self.cancel_now(task_id, reason);
        }
        task_id
    }

    /// Changes state. [`settle`](Self::settle) afterwards, once for events that come together.
    pub(crate) fn handle(&mut self, now: Instant, event: Event) {
        self.now = Some(now);
        match event {
            Event::Said(child, message) => self.on_said(child, message),
            Event::Silent(child, silent) => self.on_silent(child, silent),
            Event::Made(child) => self.on_made(child),
            Event::Gone(child, end) => self.on_gone(now, child, end),
            Event::Dying(child) => self.on_dying(child),
            Event::Drop(task_id) => self.on_cancel(now, task_id, CancelReason::Dropped),
            Event::SpawnBee => self.wanted += 1,
            Event::Bury(child) => self.bury(child),
            Event::Pressed(pressed) => self.on_period(pressed),
            Event::Interrupt => self.on_interrupt(now),
            Event::InterruptAtOnce => self.on_interrupt_at_once(now),
            Event::Die => self.dying = true,
            Event::Abandon => self.on_abandon(now),
            Event::Tick => {}
        }
    }

    /// Does what is due by now. Drain [`poll_effect`](Self::poll_effect) afterwards.
    pub(crate) fn settle(&mut self, now: Instant) {
        self.on_deadlines(now);
        self.end_waits(now);
        self.end_graces(now);
        self.see_off(now);
        self.populate(now);
        self.deal();
        self.share();
        self.die_if_done(now);
    }

    /// The next thing to do; `None` until the next event.
    pub(crate) fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When a [`Event::Tick`] is due at the latest.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let tasks = self.due.first().map(|(due, _)| *due);
        let bees = self.bees.values().filter_map(BeeSlot::due);
        let restart = self.restarts.wakeup().filter(|_| self.wants_bee());
        let others = [tasks, restart, self.answers_due(), self.graces_due()];
        bees.chain(others.into_iter().flatten()).min()
    }

    /// The tasks that are not resolved.
    pub(crate) fn outstanding(&self) -> usize {
        self.tasks.len()
    }

    /// How many tasks are pending, how many are offered, how many are owned.
    #[cfg(test)]
    pub(crate) fn census(&self) -> [usize; 3] {
        let mut census = [0; 3];
        for task in self.tasks.values() {
            census[match task.state {
                TaskState::Pending => 0,
                TaskState::Offered(_) => 1,
                TaskState::Owned { .. } => 2,
            }] += 1;
        }
        let others = self.suspects.len() + self.questions.len();
        let waiting = self.pending.len() - self.ghosts + others;
        assert_eq!(census[0], waiting, "each waits once");
        census
    }

    /// The messages that came too late to matter.
    #[cfg(test)]
    pub(crate) fn stale(&self) -> u64 {
        self.stale
    }

    fn on_said(&mut self, child: BeeId, message: FromBee) {
        let Some(bee) = self.bees.get_mut(&child) else {
            return;
        };
        match (bee.phase, &message) {
            (Phase::Killed, _) => return,
            (Phase::Starting, FromBee::Ready { .. }) => {}
            (Phase::Starting, _) => {
                return self.broke_protocol(child, "it spoke before it was ready");
            }
            (_, message) => {
                if let Some(what) = bee.out_of_turn(message) {
                    return self.broke_protocol(child, what);
                }
            }
        }
        bee.quiet_since = self.now;
        match message {
            FromBee::Ready { max_concurrency } => {
                bee.on_ready(max_concurrency);
                self.join(child);
            }
            FromBee::TaskAccepted { task_id, round } => self.on_accepted(child, task_id, round),
            FromBee::TaskDenied { task_id, round } => self.on_denied(child, task_id, round),
            FromBee::TaskProgress {
                task_id,
                round,
                progress,
            } => {
                if self.owns(child, task_id, round) {
                    self.effects.push_back(Effect::Progress(task_id, progress));
                } else {
                    self.stale += 1;
                }
            }
            FromBee::TaskDone {
                task_id,
                round,
                status,
            } => self.on_done(child, task_id, round, status),
            FromBee::Dying => bee.on_farewell(Farewell::Buries),
            FromBee::Dead => bee.on_farewell(Farewell::Dead),
            FromBee::Behind { waiting } => self.on_behind(child, waiting),
            FromBee::CaughtUp => self.on_caught_up(child),
            FromBee::TaskReturned { task_id, round } => self.on_returned(child, task_id, round),
            FromBee::GaveBack { waiting } => self.on_gave_back(child, waiting),
        }
    }

    fn broke_protocol(&mut self, child: BeeId, what: &str) {
        self.kill(child, DeathCause::BrokeProtocol(what.to_owned()));
    }

    fn on_done(&mut self, child: BeeId, task_id: TaskId, round: Round, status: TaskStatus) {
        if !self.owns(child, task_id, round) {
            self.stale += 1;
            return;
        }
        if let Some(bee) = self.bees.get_mut(&child) {
            bee.owned -= 1;
            bee.declines = false;
            let first = !std::mem::replace(&mut bee.fruitful, true);
            self.restarts.on_fruit(first);
        }
        let task = &self.tasks[&task_id];
        let end = match (&task.cancel, status) {
            // It ended because it was told to: by whom is known here.
            (Some(cancel), TaskStatus::Cancelled) => {
                TaskOutcome::Cancelled(Box::new(cancel.reason.clone()))
            }
            (None, TaskStatus::Cancelled) => {
                TaskOutcome::Cancelled(Box::new(CancelReason::Unasked))
            }
            (_, status) => TaskOutcome::Told(status),
        };
        self.resolve(task_id, end, Some(child));
    }

    fn owns(&self, child: BeeId, task_id: TaskId, round: Round) -> bool {
        let task = self.tasks.get(&task_id);
        task.is_some_and(|task| task.round == round && task.state == TaskState::Owned { child })
    }

    /// The task is cancelled, and nobody has it.
    fn cancel_now(&mut self, task_id: TaskId, reason: CancelReason) {
        self.resolve(task_id, TaskOutcome::Cancelled(Box::new(reason)), None);
    }

    fn resolve(&mut self, task_id: TaskId, end: TaskOutcome, child: Option<BeeId>) {
        self.forget_grace(task_id);
        if let Some(task) = self.tasks.remove(&task_id) {
            match (&task.state, task.line()) {
                (TaskState::Pending, Line::Others) => {
                    self.ghosts += 1;
                    self.lay_ghosts();
                }
                (TaskState::Pending, short) => {
                    let line = self.line(short);
                    let at = line.binary_search(&task_id);
                    at.ok().map(|at| line.remove(at));
                }
                _ => {}
            }
            if let Some(due) = task.due() {
                self.due.remove(&(due, task_id));
            }
            self.stats.count(&end);
            self.effects.push_back(Effect::Resolve(task_id, end, child));
        }
    }

    /// The tasks that wait in this line.
    fn line(&mut self, line: Line) -> &mut VecDeque<TaskId> {
        match line {
            Line::Questions => &mut self.questions,
            Line::Suspects => &mut self.suspects,
            Line::Others => &mut self.pending,
        }
    }

    /// Keeps those that wait no more from outnumbering those that do.
    fn lay_ghosts(&mut self) {
        if self.ghosts > self.pending.len() / 2 {
            self.pending
                .retain(|task_id| self.tasks.contains_key(task_id));
            self.ghosts = 0;
        }
    }

    /// The tasks for which this holds, oldest first.
    fn tasks_that(&self, are: impl Fn(&Task) -> bool) -> Vec<TaskId> {
        let are = self.tasks.iter().filter(|(_, task)| are(task));
        let mut tasks: Vec<TaskId> = are.map(|(task_id, _)| *task_id).collect();
        tasks.sort_unstable();
        tasks
    }

    fn say(&mut self, child: BeeId, message: ToBee) {
        self.effects.push_back(Effect::Say(child, message));
    }

    /// When the last task is resolved, the children are told to die; when the last of them is gone, that is
    /// the end.
    fn die_if_done(&mut self, now: Instant) {
        if !self.dying || !self.tasks.is_empty() || self.finished {
            return;
        }
        for child in self.children_that(|bee| bee.phase != Phase::Killed) {
            self.tell_to_die(child);
        }
        self.see_off(now);
        if self.bees.is_empty() {
            self.finished = true;
            self.effects.push_back(Effect::Finished);
        }
    }

    fn children_that(&self, are: impl Fn(&BeeSlot) -> bool) -> Vec<BeeId> {
        let are = self.bees.iter().filter(|(_, bee)| are(bee));
        are.map(|(child, _)| *child).collect()
    }
}
