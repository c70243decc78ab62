//! The production machines, and between them processes and links as they are: messages keep their order, a
//! death loses what was not read and some of the last words, a kill takes its time.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use bytes::Bytes;
use mt_ipc::Exit;
use mt_pool::supervision::{Death, DeathCause, RestartBudget};
use mt_proto::{FromBee, Round, TaskId, ToBee};

use super::{
    oracle::Oracle,
    process::{Nature, Process},
};
use crate::{
    error::{CancelReason, NoWorkers},
    machine::{
        BUSY_STATUS,
        parent::{
            BeeEnd, BeeId, Config, Dispatch, Effect, Event, ParentMachine, Population, Request,
        },
    },
};

/// How long a bee may take to go.
pub(super) const EXIT_GRACE: Duration = Duration::from_secs(5);
pub(super) const BURY_GRACE: Duration = Duration::from_secs(60);
/// How often messages may go to and fro between events.
const MOST_TURNS: u32 = 10_000;
/// How long a suspect runs before others may join it.
pub(super) const SUSPECT_GRACE: Duration = Duration::from_secs(10);
/// How long a bee may owe an answer.
pub(super) const ANSWER: Duration = Duration::from_secs(30);
/// How long a cancelled task may go on.
pub(super) const CANCEL_GRACE: Duration = Duration::from_millis(100);

/// The settings that stories start from.
pub(super) fn config(dispatch: Dispatch, bees: usize) -> Config {
    Config {
        dispatch,
        population: Population::Fixed(bees),
        crash_limit: 3,
        restarts: RestartBudget {
            limit: 3,
            period: Duration::from_secs(10),
        },
        exit_grace: EXIT_GRACE,
        bury_grace: BURY_GRACE,
        cancel_grace: CANCEL_GRACE,
        answer: ANSWER,
        suspect_grace: SUSPECT_GRACE,
    }
}

pub(super) struct Sim {
    pub(super) parent: ParentMachine,
    pub(super) now: Instant,
    pub(super) oracle: Oracle,
    /// What the next bees are like.
    pub(super) nature: Nature,
    pub(super) processes: BTreeMap<BeeId, Process>,
    /// The bees that are dying, which takes its time.
    pub(super) dying: BTreeSet<u32>,
    pub(super) finished: bool,
    batch: bool,
    /// The bees whose processes were started since this was last looked at.
    spawned: Vec<BeeId>,
    /// All that the parent has said, and all that it has heard, in their order.
    pub(super) told: Vec<(BeeId, ToBee)>,
    pub(super) heard: Vec<(BeeId, FromBee)>,
}

impl Sim {
    /// A hive before its first bee is started.
    pub(super) fn new(config: Config, nature: Nature) -> Self {
        Self {
            oracle: Oracle::new(&config),
            parent: ParentMachine::new(config),
            now: Instant::now(),
            nature,
            processes: BTreeMap::new(),
            dying: BTreeSet::new(),
            finished: false,
            batch: false,
            spawned: Vec::new(),
            told: Vec::new(),
            heard: Vec::new(),
        }
    }

    /// A hive whose bees are ready.
    pub(super) fn ready(config: Config, nature: Nature) -> Self {
        let mut sim = Self::new(config, nature);
        sim.tell(Event::Tick);
        sim.settle();
        sim
    }

    pub(super) fn delegate(&mut self) -> TaskId {
        self.delegate_within(None)
    }

    /// So many tasks.
    pub(super) fn delegate_all<const N: usize>(&mut self) -> [TaskId; N] {
        [(); N].map(|()| self.delegate())
    }

    /// So many tasks, as far as they are begun.
    pub(super) fn begin<const N: usize>(&mut self) -> [TaskId; N] {
        let tasks = self.delegate_all();
        self.settle();
        tasks
    }

    /// A task that has so much time, and is begun.
    pub(super) fn begin_within(&mut self, limit: Duration) -> TaskId {
        let task = self.delegate_within(Some(limit));
        self.settle();
        task
    }

    /// A question that bees answer beside their tasks.
    pub(super) fn ask(&mut self) -> TaskId {
        let name = BUSY_STATUS.into();
        let question = Request {
            name,
            ..request(None)
        };
        self.request(question)
    }

    pub(super) fn delegate_within(&mut self, limit: Option<Duration>) -> TaskId {
        self.request(request(limit))
    }

    fn request(&mut self, request: Request) -> TaskId {
        self.oracle.on_quiet(self.now);
        let is_question = request.name == BUSY_STATUS;
        self.oracle
            .on_delegate(TaskId(self.delegated()), is_question);
        let task = self.parent.delegate(self.now, request);
        assert_eq!(task.0 + 1, self.delegated(), "ids count up from 0");
        self.carry_out();
        self.catch_up();
        task
    }

    pub(super) fn delegated(&self) -> u64 {
        (self.oracle.ends.len() + self.oracle.open()) as u64
    }

    pub(super) fn cancel(&mut self, task: TaskId) {
        self.tell(Event::Drop(task));
    }

    /// One bee more.
    pub(super) fn spawn(&mut self) {
        self.tell(Event::SpawnBee);
    }

    /// The bee with this number is to go, or the one with the least to do.
    pub(super) fn bury(&mut self, child: impl Into<Option<u32>>) {
        self.tell(Event::Bury(child.into().map(BeeId)));
    }

    /// The bee with this number gives no sign of life, or does so again.
    pub(super) fn silence(&mut self, child: u32, is_silent: bool) {
        self.tell(Event::Silent(BeeId(child), is_silent));
    }

    /// The hive dies, as soon as it has done what is left.
    pub(super) fn die(&mut self) {
        self.tell(Event::Die);
        self.settle();
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.oracle.on_quiet(self.now);
        if matches!(event, Event::Interrupt | Event::InterruptAtOnce) {
            self.oracle.on_interrupt();
        }
        self.parent.handle(self.now, event);
        self.carry_out();
        self.catch_up();
        for child in std::mem::take(&mut self.spawned) {
            if self.processes.get(&child).is_some_and(Process::is_made) {
                self.oracle.on_made(child, self.now);
                self.tell(Event::Made(child));
            }
        }
    }

    /// What comes together is taken in together: while `batch` holds, nothing more is done about it.
    fn catch_up(&mut self) {
        if self.batch {
            return;
        }
        let mut late = self.parent.late_bees(self.now);
        late.retain(|child| self.dying.contains(&child.0));
        for child in late {
            self.oracle.on_dying(child);
            self.parent.handle(self.now, Event::Dying(child));
        }
        self.parent.settle(self.now);
        self.carry_out();
        let due = self.parent.poll_timeout();
        assert!(due.is_none_or(|due| due > self.now), "it would spin");
    }

    /// The events from here on come together with those that follow, or with none.
    pub(super) fn together(&mut self, batch: bool) {
        self.batch = batch;
        self.catch_up();
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.parent.poll_effect() {
            assert!(!self.finished, "nothing happens after the end");
            match effect {
                Effect::Spawn(child) => {
                    self.oracle.on_spawn(child, self.now);
                    let process = Process::new(child, self.nature);
                    self.processes.insert(child, process);
                    self.spawned.push(child);
                }
                Effect::Say(child, message) => {
                    self.oracle.on_told(child, &message, self.now);
                    self.told.push((child, message.clone()));
                    self.process(child.0).receive(message);
                }
                Effect::Kill(child, cause) => {
                    self.oracle.on_kill(child, &cause, self.now);
                    self.process(child.0).doomed = true;
                }
                Effect::Progress(task, _) => self.oracle.on_progress(task),
                Effect::Resolve(task, end, child) => {
                    let mut living = self.processes.values();
                    let runs = living.any(|process| process.has(task));
                    assert!(!runs, "it still runs somewhere");
                    self.oracle.on_resolve(task, &end, child);
                }
                Effect::Finished => {
                    assert!(self.processes.is_empty(), "bees are left");
                    assert_eq!(self.oracle.open(), 0, "tasks are left");
                    self.finished = true;
                }
            }
        }
        self.oracle.check(self.parent.census());
        assert_eq!(self.parent.outstanding(), self.oracle.open());
    }

    pub(super) fn process(&mut self, child: u32) -> &mut Process {
        let process = self.processes.get_mut(&BeeId(child));
        process.expect("there is such a bee")
    }

    /// The parent takes a bee's next message, or its end when there is none left; false if there is neither.
    pub(super) fn listen(&mut self, bee: u32) -> bool {
        let child = BeeId(bee);
        let died_first = self.dying.contains(&bee);
        let process = self.process(bee);
        match process.from.pop_front() {
            Some(message) => {
                self.oracle.on_heard(child, &message, self.now);
                self.heard.push((child, message.clone()));
                self.tell(Event::Said(child, message));
                true
            }
            None if process.over => {
                let end = BeeEnd {
                    death: death(),
                    started: process.started,
                    died_first,
                    unmade: process.nature.barren.then(|| Box::new(unmade())),
                };
                self.end_of(bee, end);
                true
            }
            None => false,
        }
    }

    /// The parent hears of a bee's end.
    fn end_of(&mut self, bee: u32, end: BeeEnd) {
        let child = BeeId(bee);
        self.processes.remove(&child);
        self.oracle.on_gone(child, &end, self.now);
        self.tell(Event::Gone(child, end));
    }

    /// The parent takes all that a bee has said, and its end if that is there; false if there was nothing.
    fn listen_out(&mut self, bee: u32) -> bool {
        let mut any = false;
        while self.processes.contains_key(&BeeId(bee)) && self.listen(bee) {
            any = true;
        }
        any
    }

    /// All messages arrive, until there are none; bees that have ended are reaped.
    pub(super) fn settle(&mut self) {
        let mut turns = 0..MOST_TURNS;
        let mut moved = true;
        while moved {
            let goes_on = turns.next().is_some();
            assert!(goes_on, "they talk for ever: {:?}", self.parent);
            moved = false;
            for bee in self.bees() {
                while self.process(bee).hear() || self.process(bee).take_answer() {
                    moved = true;
                }
                moved |= self.listen_out(bee);
            }
        }
        // One that does not answer is waited for, for a while.
        if !self.processes.values().any(|process| process.mute) {
            self.oracle.check_quiet();
        }
    }

    /// A bee's session finds that tasks wait for its thread, and the parent hears of it.
    pub(super) fn fall_behind(&mut self, bee: u32) {
        assert!(self.process(bee).fall_behind(), "none waits");
        self.settle();
    }

    /// A bee is killed, all it had said has been heard, and it is reaped.
    pub(super) fn lose(&mut self, bee: u32) {
        self.process(bee).crash(usize::MAX);
        self.listen_out(bee);
    }

    /// The same of one that the parent has ended for this, or has left to itself.
    pub(super) fn lose_for(&mut self, bee: u32, cause: DeathCause) {
        let end = BeeEnd {
            death: death_by(cause),
            started: self.process(bee).started,
            died_first: false,
            unmade: None,
        };
        self.end_of(bee, end);
    }

    /// Time passes.
    pub(super) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.tell(Event::Tick);
    }

    /// In how long the parent wants to be told that time has passed.
    pub(super) fn due_in(&self) -> Option<Duration> {
        self.parent.poll_timeout().map(|due| due - self.now)
    }

    /// A task ends in the bee that does it.
    pub(super) fn end(&mut self, task: TaskId) {
        let bee = self.doer(task).expect("somebody does it");
        self.process(bee).end(task);
    }

    /// The same, and the parent hears of it.
    pub(super) fn finish(&mut self, task: TaskId) {
        self.end(task);
        self.settle();
    }

    /// What the bee with this number says, if the test speaks for her.
    pub(super) fn say(&mut self, bee: u32, message: FromBee) {
        self.process(bee).from.push_back(message);
        self.listen(bee);
    }

    /// The numbers of the bees that there are.
    pub(super) fn bees(&self) -> Vec<u32> {
        self.processes.keys().map(|child| child.0).collect()
    }

    /// Who does a task.
    pub(super) fn doer(&self, task: TaskId) -> Option<u32> {
        let mut all = self.processes.iter();
        let doer = all.find(|(_, process)| process.running.contains_key(&task));
        doer.map(|(child, _)| child.0)
    }

    /// How many tasks each bee does.
    pub(super) fn shares(&self) -> Vec<usize> {
        let all = self.processes.values();
        all.map(|process| process.running.len()).collect()
    }

    /// How many places of each bee are taken: by tasks, and by offers it has accepted.
    pub(super) fn taken(&mut self) -> Vec<usize> {
        let all = self.processes.values_mut();
        all.map(|process| process.machine().places_taken())
            .collect()
    }

    pub(super) fn is_doomed(&mut self, bee: u32) -> bool {
        self.process(bee).doomed
    }

    /// What the last message to a bee was, in short.
    pub(super) fn last_told(&self, bee: u32) -> String {
        self.told(bee).pop().expect("something was said")
    }

    #[track_caller]
    pub(super) fn assert_succeeded(&self, tasks: &[TaskId]) {
        for &task in tasks {
            assert_eq!(self.ended(task), Some("succeeded"), "{task:?}");
        }
    }

    /// How a task has ended: `None` if it has not.
    pub(super) fn ended(&self, task: TaskId) -> Option<&'static str> {
        self.oracle.ends.get(&task).map(|end| end.how)
    }

    /// A task was cancelled for this reason, as its bee has told, or nobody.
    #[track_caller]
    pub(super) fn assert_cancelled(&self, task: TaskId, reason: CancelReason, by: Option<u32>) {
        let end = &self.oracle.ends[&task];
        let by = by.map(BeeId);
        assert_eq!((&end.reason, end.child), (&Some(reason), by), "{task:?}");
    }

    /// What the parent has told a bee so far, in short: `new_task 0/1` is task 0 in its first round.
    pub(super) fn told(&self, bee: u32) -> Vec<String> {
        let told = self.told.iter().filter(|(whom, _)| whom.0 == bee);
        told.map(|(_, message)| short(message)).collect()
    }

    /// Forgets what was said, to look at what is said from here on.
    pub(super) fn forget(&mut self) {
        self.told.clear();
        self.heard.clear();
    }
}

/// A task as it is delegated here.
pub(super) fn request(limit: Option<Duration>) -> Request {
    Request {
        name: "work".into(),
        args: Bytes::new(),
        limit,
    }
}

/// How a process of a bee's ends here.
pub(super) fn death() -> Death {
    death_by(DeathCause::Itself)
}

pub(super) fn death_by(cause: DeathCause) -> Death {
    let mut exit = Exit::default();
    exit.signal = Some(9);
    Death::new(exit, cause)
}

/// Why a bee can't be made here.
pub(super) fn unmade() -> NoWorkers {
    NoWorkers::NotMade {
        message: "the seed is bad".into(),
    }
}

fn short(message: &ToBee) -> String {
    let about = |what: &str, task: &TaskId, round: &Round| format!("{what} {}/{}", task.0, round.0);
    match message {
        ToBee::NewTask { task_id, round } => about("new_task", task_id, round),
        ToBee::TaskTaken { task_id, round } => about("task_taken", task_id, round),
        ToBee::TaskInfo(info) => about("task_info", &info.task_id, &info.round),
        ToBee::TaskCancel { task_id, round } => about("task_cancel", task_id, round),
        ToBee::Die => "die".into(),
        ToBee::GiveBack { most } => format!("give_back {most}"),
    }
}
