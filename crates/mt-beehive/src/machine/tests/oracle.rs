//! What must hold whatever happens, as somebody sees it who only hears what is said.
//!
//! Books of its own, of messages, deaths and ends, stop the run at the first that can't be.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use mt_pool::supervision::{DeathCause, RestartBudget};
use mt_proto::{FromBee, Round, TaskId, TaskInfo, TaskStatus, ToBee};

use super::{
    ledger::{Ledger, Story, is_answer, why},
    process::value,
};
use crate::{
    error::CancelReason,
    machine::parent::{BeeEnd, BeeId, Config, Dispatch, TaskOutcome},
};

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    pub(super) how: &'static str,
    /// Why it was cancelled, if it was.
    pub(super) reason: Option<CancelReason>,
    pub(super) child: Option<BeeId>,
}

#[derive(Debug, Default)]
pub(super) struct Oracle {
    dispatch: Dispatch,
    crash_limit: u32,
    suspect_grace: Duration,
    budget: RestartBudget,
    tasks: BTreeMap<TaskId, Story>,
    bees: BTreeMap<BeeId, Ledger>,
    pub(super) ends: BTreeMap<TaskId, End>,
    /// Whose end must be told before anything else happens.
    owed: BTreeSet<TaskId>,
    /// The bees that died for nothing in a row, and the last of them.
    pub(super) in_vain: u32,
    last_in_vain: Option<Instant>,
    interrupted: bool,
    pub(super) seen: BTreeMap<&'static str, u64>,
}

impl Oracle {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            dispatch: config.dispatch,
            crash_limit: config.crash_limit,
            suspect_grace: config.suspect_grace,
            budget: config.restarts,
            ..Self::default()
        }
    }

    pub(super) fn see(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    pub(super) fn on_delegate(&mut self, task: TaskId, is_question: bool) {
        assert_eq!(task.0, self.tasks.len() as u64, "ids count up from 0");
        let story = Story {
            is_question,
            ..Story::default()
        };
        self.tasks.insert(task, story);
        if self.interrupted {
            self.owed.insert(task);
        }
    }

    /// Whatever nobody does is to end at once.
    pub(super) fn on_interrupt(&mut self) {
        self.interrupted = true;
        let open = self.tasks.iter().filter(|(task, story)| {
            let is_open = !self.ends.contains_key(*task);
            is_open && story.owner.is_none()
        });
        self.owed.extend(open.map(|(task, _)| *task));
    }

    pub(super) fn on_spawn(&mut self, child: BeeId, now: Instant) {
        self.on_quiet(now);
        assert!(self.in_vain <= self.budget.limit, "more than the budget");
        assert!(!self.interrupted, "for nothing");
        let before = self.bees.insert(child, Ledger::default());
        assert!(before.is_none(), "an id is used again");
    }

    pub(super) fn on_kill(&mut self, child: BeeId, cause: &DeathCause, now: Instant) {
        if let DeathCause::NoAnswer { limit } = cause {
            let since = self.bee(child).waited_since;
            let waited = since.expect("it owes nothing");
            assert!(now - waited >= *limit, "too early");
            self.see("a bee that owes an answer is killed");
        }
        let bee = self.bee(child);
        assert!(!std::mem::replace(&mut bee.killed, true), "killed twice");
        bee.is_excused = matches!(
            cause,
            DeathCause::Stopped | DeathCause::Lingered | DeathCause::Overran
        );
        // Whatever it wanted is not its any more.
        bee.accepts.clear();
        bee.offers.clear();
    }

    /// A child's process is set up: it owes its `ready`.
    pub(super) fn on_made(&mut self, child: BeeId, now: Instant) {
        self.bee(child).waited_since = Some(now);
    }

    /// A quiet period makes up for deaths.
    pub(super) fn on_quiet(&mut self, now: Instant) {
        let last = self.last_in_vain;
        if last.is_some_and(|last| now.duration_since(last) > self.budget.period) {
            self.in_vain = 0;
        }
    }

    /// The parent tells a child something.
    pub(super) fn on_told(&mut self, child: BeeId, message: &ToBee, now: Instant) {
        let interrupted = self.interrupted;
        let bee = self.bee(child);
        let is_cancel = matches!(message, ToBee::TaskCancel { .. });
        let asks_back = matches!(message, ToBee::GiveBack { .. });
        let is_late = is_cancel || asks_back;
        assert!(!bee.told_to_die || is_late, "after die: {message:?}");
        assert!(!bee.killed || is_cancel, "after kill: {message:?}");
        if asks_back || matches!(message, ToBee::NewTask { .. }) {
            bee.waited_since.get_or_insert(now);
        }
        let begins = matches!(message, ToBee::NewTask { .. } | ToBee::TaskInfo(_));
        assert!(!interrupted || !begins, "interrupted: {message:?}");
        match message {
            ToBee::NewTask { task_id, round } => self.on_offer(child, *task_id, *round),
            ToBee::TaskTaken { task_id, round } => self.on_taken(child, *task_id, *round),
            ToBee::TaskInfo(info) => self.on_info(child, info, now),
            ToBee::TaskCancel { task_id, round } => {
                assert_eq!(bee.owned.get(task_id), Some(round), "not hers");
                let dies = bee.dies;
                let story = self.task(*task_id);
                story.died_first = dies;
                assert!(!std::mem::replace(&mut story.cancelled, true), "twice");
            }
            ToBee::Die => {
                bee.told_to_die = true;
                bee.accepts.clear();
                bee.offers.clear();
                self.see("die");
            }
            ToBee::GiveBack { most } => {
                assert!(bee.behind || *most == 0, "it is not behind");
                assert!(!bee.owned.is_empty(), "it has nothing");
                assert!(!std::mem::replace(&mut bee.gives_back, true), "twice");
                if *most == 0 {
                    return self.see("a bee is asked whether she hears");
                }
                let takes = |bee: &Ledger| !bee.behind && !bee.told_to_die && !bee.killed;
                assert!(self.bees.values().any(takes), "for whom?");
            }
        }
    }

    fn check_room(&self, child: BeeId) {
        let bee = &self.bees[&child];
        let places = bee.places.expect("she has said what she can");
        assert!(!bee.behind, "it wants no more");
        let taken = bee.owned.len() + bee.offers.len();
        assert!(places.is_none_or(|places| taken < places as usize), "full");
    }

    fn on_offer(&mut self, child: BeeId, task: TaskId, round: Round) {
        assert_eq!(self.dispatch, Dispatch::Auction, "credit has no offers");
        self.check_room(child);
        assert_eq!(self.ends.get(&task), None);
        let story = self.task(task);
        assert_eq!(story.owner, None);
        assert!(round >= story.round, "rounds go up");
        if round > story.round {
            (story.asked, story.denied) = (0, 0);
        }
        story.round = round;
        story.asked += 1;
        let bee = self.bee(child);
        assert!(bee.offers.insert((task, round)), "offered twice");
        let earlier = bee.offers.iter().filter(|(offered, _)| *offered == task);
        if earlier.count() > 1 {
            self.see("two rounds of a task open with one bee");
        }
    }

    fn on_taken(&mut self, child: BeeId, task: TaskId, round: Round) {
        self.on_answered(child, task, round);
        self.see("task taken");
    }

    /// An accept is answered, by `task_taken` or by `task_info`.
    fn on_answered(&mut self, child: BeeId, task: TaskId, round: Round) {
        let bee = self.bee(child);
        let open = bee.accepts.remove(&(task, round));
        assert!(open, "an answer without an accept that waits for it");
        assert!(bee.answered.insert((task, round)), "answered twice");
        assert!(bee.offers.remove(&(task, round)));
    }

    fn on_info(&mut self, child: BeeId, info: &TaskInfo, now: Instant) {
        let (task, round) = (info.task_id, info.round);
        let (before, is_question) = (self.tasks[&task].round, self.tasks[&task].is_question);
        match self.dispatch {
            _ if is_question => {
                assert!(self.bees[&child].places.is_some(), "before it is ready");
                assert!(round > before, "rounds go up");
                if self.bees[&child].behind {
                    self.see("a question to a bee that is behind");
                }
            }
            Dispatch::Auction => {
                self.on_answered(child, task, round);
                assert_eq!(round, before, "its round");
            }
            Dispatch::Credit => {
                self.check_room(child);
                assert!(round > before, "rounds go up");
            }
        }
        assert!(!self.ends.contains_key(&task), "it has ended");
        let crash_limit = self.crash_limit;
        let story = self.task(task);
        assert_eq!(story.owner, None, "one live owner");
        assert!(!story.cancelled, "cancelled");
        assert!(story.charges < crash_limit, "given up");
        story.starts += 1;
        assert_eq!(info.attempt, story.starts, "every bee that had it counts");
        assert!(crash_limit > 1 || story.starts == 1, "begun twice");
        (story.owner, story.round, story.given) = (Some(child), round, Some(now));
        let bee = self.bee(child);
        assert!(bee.owned.insert(task, round).is_none());
        bee.places_of.insert(task, bee.given);
        bee.given += 1;
        let last = |task: &TaskId| crash_limit > 1 && self.tasks[task].charges + 1 == crash_limit;
        let owned = self.bees[&child].owned.keys();
        let fresh: Vec<TaskId> = owned
            .copied()
            .filter(|&task| !self.is_seasoned(task, now) && !self.tasks[&task].is_question)
            .collect();
        if !is_question && fresh.iter().any(last) {
            assert_eq!(fresh.len(), 1, "in its last attempt a task is alone");
            let others = self.bees[&child].owned.len() > 1;
            self.see("a last attempt");
            if others {
                self.see("a last attempt beside others that have gone on for long");
            }
        }
    }

    /// Whether it has run for so long in its bee that others may join it.
    fn is_seasoned(&self, task: TaskId, now: Instant) -> bool {
        let story = &self.tasks[&task];
        let grace = self.suspect_grace * 2_u32.pow(story.doubled);
        story.given.is_some_and(|given| given + grace <= now)
    }

    /// The parent is about to hear what a child has said.
    pub(super) fn on_heard(&mut self, child: BeeId, message: &FromBee, now: Instant) {
        let bee = self.bee(child);
        if bee.killed {
            if matches!(message, FromBee::TaskDone { .. }) {
                self.see("a fenced late result");
            }
            return;
        }
        if !bee.expects(message) {
            return self.see("something out of turn");
        }
        if is_answer(message) {
            bee.waited_since = bee.waited_since.map(|_| now);
        }
        match message {
            FromBee::Ready { max_concurrency } => bee.places = Some(*max_concurrency),
            FromBee::TaskAccepted { task_id, round } => self.on_accept(child, *task_id, *round),
            FromBee::TaskDenied { task_id, round } => {
                let offered = bee.offers.remove(&(*task_id, *round));
                let story = self.task(*task_id);
                if offered && story.round == *round && story.owner.is_none() {
                    story.denied += 1;
                    story.unwanted |= story.denied == story.asked;
                }
            }
            FromBee::TaskDone { task_id, round, .. } => {
                if bee.owned.get(task_id) == Some(round) {
                    bee.owned.remove(task_id);
                    bee.fruitful = true;
                    self.in_vain = 0;
                    self.task(*task_id).owner = None;
                    self.owed.insert(*task_id);
                }
            }
            FromBee::Dying => {
                assert!(bee.told_to_die && bee.owned.is_empty(), "not yet");
                bee.is_dying = true;
                self.see("her own bees die first");
            }
            FromBee::Behind { .. } => bee.behind = true,
            FromBee::CaughtUp => bee.behind = false,
            FromBee::TaskReturned { task_id, round } => self.on_returned(child, *task_id, *round),
            FromBee::GaveBack { .. } => bee.gives_back = false,
            FromBee::Dead => bee.is_dead = true,
            FromBee::TaskProgress { .. } => {}
        }
    }

    /// A task was not begun, and is nobody's again.
    fn on_returned(&mut self, child: BeeId, task: TaskId, round: Round) {
        let bee = self.bee(child);
        assert!(bee.gives_back, "nobody has asked");
        assert_eq!(bee.owned.remove(&task), Some(round), "not hers");
        self.not_begun(task);
        self.see("a task was given back");
    }

    /// A task that its bee has not begun: nothing of it counts.
    fn not_begun(&mut self, task: TaskId) {
        let interrupted = self.interrupted;
        let story = self.task(task);
        (story.owner, story.starts) = (None, story.starts - 1);
        if story.cancelled || interrupted {
            self.owed.insert(task);
        }
    }

    fn on_accept(&mut self, child: BeeId, task: TaskId, round: Round) {
        let ended = self.ends.contains_key(&task);
        let story = &self.tasks[&task];
        let late = ended || story.owner.is_some() || story.round != round;
        let bee = self.bee(child);
        if bee.told_to_die {
            self.see("die with an open accept");
        } else if bee.offers.contains(&(task, round)) {
            assert!(bee.accepts.insert((task, round)), "accepted twice");
            if late {
                self.see("a late accept");
            }
        }
    }

    /// The parent is told that a child is dying.
    pub(super) fn on_dying(&mut self, child: BeeId) {
        self.bee(child).dies = true;
    }

    /// A child's end is about to be told to the parent.
    pub(super) fn on_gone(&mut self, child: BeeId, end: &BeeEnd, now: Instant) {
        let mut bee = self.bees.remove(&child).expect("gone once");
        bee.is_excused &= !end.died_first;
        let is_out_of_reach = end.death.cause == DeathCause::OutOfReach;
        let is_begun =
            |task: &TaskId| bee.places_of[task] < end.started && !self.tasks[task].is_question;
        let owned = bee.owned.keys().copied();
        let (begun, untouched): (Vec<TaskId>, Vec<TaskId>) = owned.partition(is_begun);
        for task in untouched {
            self.not_begun(task);
            self.see("a task was not begun when its bee died");
        }
        let blamed = !begun.is_empty();
        let has_company = begun.len() > 1;
        let mut given_up = 0;
        for task in begun {
            // It may have killed her; when the parent did, it was for a task that was cancelled, or for what she said.
            let is_charged = !bee.is_excused || self.crash_limit == 1 || is_out_of_reach;
            let limit = self.crash_limit;
            let was_suspect = self.tasks[&task].charges > 0;
            let seasoned = limit > 1 && was_suspect && self.is_seasoned(task, now);
            let story = self.task(task);
            story.owner = None;
            let is_cancelled = story.cancelled;
            story.is_out_of_reach = is_out_of_reach;
            story.charges += u32::from(is_charged && !is_cancelled);
            if is_charged && !is_cancelled && seasoned {
                story.doubled += 1;
                if has_company {
                    story.charges = story.charges.min(limit - 1);
                }
            }
            given_up += u32::from(is_charged && !is_cancelled && story.charges == limit);
            let is_given_up = is_out_of_reach || is_charged && story.charges == self.crash_limit;
            if self.interrupted || is_cancelled || is_given_up {
                self.owed.insert(task);
            }
            if !is_cancelled && !is_charged {
                self.see("an innocent task lost its bee");
            }
        }
        assert!(
            self.crash_limit == 1 || given_up <= 1,
            "one death costs one task"
        );
        if !bee.is_excused && !bee.told_to_die && !bee.fruitful && !blamed {
            self.in_vain += 1;
            self.last_in_vain = Some(now);
        }
    }

    pub(super) fn on_progress(&self, task: TaskId) {
        assert!(self.tasks[&task].owner.is_some(), "of a task nobody does");
    }

    pub(super) fn on_resolve(&mut self, task: TaskId, end: &TaskOutcome, by: Option<BeeId>) {
        self.owed.remove(&task);
        let story = &self.tasks[&task];
        assert_eq!(story.owner, None, "it still has an owner");
        let charges = story.charges;
        let (how, reason) = match end {
            TaskOutcome::Told(TaskStatus::Succeeded { returning_value }) => {
                let by = by.expect("somebody has done it");
                let expected = value(task, story.round, by);
                assert_eq!(returning_value, expected.as_bytes(), "another's result");
                ("succeeded", None)
            }
            TaskOutcome::Told(other) => panic!("nobody says {other:?} here"),
            TaskOutcome::Cancelled(reason) => (why(reason), Some(CancelReason::clone(reason))),
        };
        match &reason {
            Some(CancelReason::Interrupted { begun, .. }) => {
                assert!(self.interrupted, "too early");
                assert_eq!(*begun, story.starts);
            }
            Some(CancelReason::WorkerLost { attempts, .. }) => {
                let died_first = story.cancelled && story.died_first;
                let is_early = died_first || story.is_out_of_reach;
                assert!(charges == self.crash_limit || is_early, "charged");
                assert_eq!(*attempts, charges + u32::from(story.cancelled));
            }
            _ => {}
        }
        if how == "succeeded" && charges > 0 {
            self.see("a retry that succeeds");
        }
        if how == "succeeded" && self.tasks[&task].unwanted {
            self.see("all deny, then success");
        }
        self.see(how);
        let child = by;
        let end = End { how, reason, child };
        assert!(self.ends.insert(task, end).is_none(), "{task:?} twice");
    }

    /// What holds after everything that happens: submitted = pending + offered + owned + resolved.
    pub(super) fn check(&self, [pending, offered, owned]: [usize; 3]) {
        assert_eq!(self.owed, BTreeSet::new(), "their end is not told");
        let owners = self.tasks.values().filter(|story| story.owner.is_some());
        assert_eq!(owned, owners.count(), "owned");
        assert_eq!(pending + offered + owned, self.open(), "none is lost");
        assert!(self.dispatch == Dispatch::Auction || offered == 0);
    }

    /// What holds when nothing is under way: every accept of a bee that lives is answered.
    pub(super) fn check_quiet(&self) {
        let open = |(_, bee): &(&BeeId, &Ledger)| !bee.accepts.is_empty();
        let open: Vec<_> = self.bees.iter().filter(open).collect();
        assert!(open.is_empty(), "accepts without an answer: {open:?}");
    }

    pub(super) fn open(&self) -> usize {
        self.tasks.len() - self.ends.len()
    }

    fn bee(&mut self, child: BeeId) -> &mut Ledger {
        self.bees.get_mut(&child).expect("she lives")
    }

    fn task(&mut self, task: TaskId) -> &mut Story {
        self.tasks.get_mut(&task).expect("delegated")
    }
}
