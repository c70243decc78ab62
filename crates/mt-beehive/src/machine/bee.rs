//! The side that does tasks: one bee towards its parent.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! A bee that has children herself lets them die when she has nothing left to do, says so when her thread has begun
//! with that, and says that she is dead when they are gone. After that she says nothing.
//!
//! An accept reserves a place until it is answered. `die` drops the places that were reserved and not
//! answered: by the order of messages no answer can follow it.
//!
//! A bee whose thread is held by one task wants no others, and gives back those that wait for it when it is asked to:
//! somebody else may be free. What was given back is never begun.

use std::collections::VecDeque;

use mt_proto::{FromBee, Round, TaskId, TaskInfo, TaskStatus, ToBee};
use rustc_hash::{FxHashMap, FxHashSet};

use super::BUSY_STATUS;

/// Something happened to the bee.
#[derive(Debug)]
pub(crate) enum BeeEvent {
    /// The parent said something.
    Said(ToBee),
    /// A task has ended, in one way or another.
    Ended(TaskId, TaskStatus),
    /// A task told how far it is.
    Progress(TaskId, bytes::Bytes),
    /// So many tasks wait for the bee's thread, and have for too long.
    Behind(u32),
    /// None waits for it any more.
    CaughtUp,
    /// Tasks were not begun and never will be, as was asked: which; and how many others were not begun either.
    GaveBack(Vec<TaskId>, u32),
    /// The bee's thread has begun to let her children die.
    Burying,
    /// The children of the bee are gone, all of them.
    ChildrenGone,
}

/// Do this.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BeeEffect {
    /// Tell the parent.
    Say(FromBee),
    /// Start a task.
    Start(TaskInfo),
    /// Cancel a task; its end is told all the same.
    Cancel(TaskId),
    /// Take up to so many tasks back that were not begun, and tell which.
    GiveBack(u32),
    /// Let the children of the bee die, and tell when that has begun, and when they are gone.
    Bury,
    /// All is done and said: exit. The last effect.
    Exit,
}

/// The parent has said what it can't say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nonsense(pub(crate) &'static str);

/// The children of a bee that is a parent itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Children {
    /// There are none, or none any more.
    #[default]
    None,
    Alive,
    /// The children are to die, as soon as the bee's thread comes to it.
    Condemned,
    Dying,
}

/// The child's machine.
#[derive(Debug, Default)]
pub(crate) struct BeeMachine {
    /// The most tasks at once, reserved places included.
    max_concurrency: Option<u32>,
    reserved: FxHashSet<(TaskId, Round)>,
    running: FxHashMap<TaskId, Round>,
    children: Children,
    /// Tasks wait for its thread: it wants no more.
    behind: bool,
    dying: bool,
    dead: bool,
    effects: VecDeque<BeeEffect>,
}

impl BeeMachine {
    pub(crate) fn new(max_concurrency: Option<u32>) -> Self {
        let ready = FromBee::Ready { max_concurrency };
        Self {
            max_concurrency,
            effects: VecDeque::from([BeeEffect::Say(ready)]),
            ..Self::default()
        }
    }

    /// The same of a bee that has children, or may get some: they are gone before she is.
    pub(crate) fn with_children(mut self) -> Self {
        self.children = Children::Alive;
        self
    }

    /// Changes state. Drain [`poll_effect`](Self::poll_effect) afterwards.
    ///
    /// # Errors
    /// [`Nonsense`]: the parent is not to be trusted any more.
    pub(crate) fn handle(&mut self, event: BeeEvent) -> Result<(), Nonsense> {
        if self.dead {
            return Ok(());
        }
        match event {
            BeeEvent::Said(message) => self.on_said(message)?,
            BeeEvent::Ended(task_id, status) => self.on_ended(task_id, status),
            BeeEvent::Progress(task_id, progress) => {
                if let Some(&round) = self.running.get(&task_id) {
                    self.say(FromBee::TaskProgress {
                        task_id,
                        round,
                        progress,
                    });
                }
            }
            BeeEvent::Behind(waiting) => {
                if !std::mem::replace(&mut self.behind, true) {
                    self.say(FromBee::Behind { waiting });
                }
            }
            BeeEvent::CaughtUp => {
                if std::mem::take(&mut self.behind) {
                    self.say(FromBee::CaughtUp);
                }
            }
            BeeEvent::GaveBack(tasks, waiting) => self.on_gave_back(tasks, waiting),
            BeeEvent::Burying if self.children == Children::Condemned => {
                self.children = Children::Dying;
                self.say(FromBee::Dying);
            }
            BeeEvent::Burying => {}
            BeeEvent::ChildrenGone => self.children = Children::None,
        }
        if self.dying && self.running.is_empty() {
            self.die();
        }
        Ok(())
    }

    /// The next thing to do; `None` until the next event.
    pub(crate) fn poll_effect(&mut self) -> Option<BeeEffect> {
        self.effects.pop_front()
    }

    /// How busy it is: 0 is free, 1 is full; 0 without a limit.
    pub(crate) fn busy_status(&self) -> f64 {
        let busy = self.places_taken() as f64;
        self.max_concurrency
            .map_or(0.0, |most| (busy / f64::from(most.max(1))).min(1.0))
    }

    /// The tasks that run and the places that are reserved.
    pub(crate) fn places_taken(&self) -> usize {
        self.running.len() + self.reserved.len()
    }

    /// Whether it has been told to die.
    #[cfg(test)]
    pub(crate) fn is_dying(&self) -> bool {
        self.dying
    }

    fn is_full(&self) -> bool {
        let taken = self.places_taken();
        self.max_concurrency
            .is_some_and(|most| taken >= most as usize)
    }

    fn on_said(&mut self, message: ToBee) -> Result<(), Nonsense> {
        match message {
            ToBee::NewTask { task_id, round } => self.on_offer(task_id, round),
            ToBee::TaskTaken { task_id, round } => {
                let reserved = self.reserved.remove(&(task_id, round));
                if !reserved && !self.dying {
                    return Err(Nonsense("task_taken without an accept"));
                }
            }
            ToBee::TaskInfo(info) => return self.on_info(info),
            ToBee::TaskCancel { task_id, round } => {
                if self.running.get(&task_id) == Some(&round) {
                    self.effects.push_back(BeeEffect::Cancel(task_id));
                }
            }
            ToBee::Die => {
                self.dying = true;
                self.reserved.clear();
            }
            ToBee::GiveBack { most } => self.effects.push_back(BeeEffect::GiveBack(most)),
        }
        Ok(())
    }

    fn on_offer(&mut self, task_id: TaskId, round: Round) {
        if self.dying || self.behind || self.is_full() {
            self.say(FromBee::TaskDenied { task_id, round });
        } else {
            self.reserved.insert((task_id, round));
            self.say(FromBee::TaskAccepted { task_id, round });
        }
    }

    fn on_info(&mut self, info: TaskInfo) -> Result<(), Nonsense> {
        if self.dying {
            return Err(Nonsense("task_info after die"));
        }
        // Without an offer: the parent counts the places itself. A question needs none: it is answered at once.
        let was_reserved = self.reserved.remove(&(info.task_id, info.round));
        if !was_reserved && info.name != BUSY_STATUS && self.is_full() {
            return Err(Nonsense("more tasks than there are places"));
        }
        if self.running.insert(info.task_id, info.round).is_some() {
            return Err(Nonsense("a task that runs already"));
        }
        self.effects.push_back(BeeEffect::Start(info));
        Ok(())
    }

    fn on_ended(&mut self, task_id: TaskId, status: TaskStatus) {
        if let Some(round) = self.running.remove(&task_id) {
            self.say(FromBee::TaskDone {
                task_id,
                round,
                status,
            });
        }
    }

    fn on_gave_back(&mut self, tasks: Vec<TaskId>, waiting: u32) {
        for task_id in tasks {
            if let Some(round) = self.running.remove(&task_id) {
                self.say(FromBee::TaskReturned { task_id, round });
            }
        }
        self.say(FromBee::GaveBack { waiting });
    }

    /// Nothing is left to do: the children go first.
    fn die(&mut self) {
        match self.children {
            Children::Alive => {
                self.children = Children::Condemned;
                self.effects.push_back(BeeEffect::Bury);
            }
            Children::Condemned | Children::Dying => {}
            Children::None => {
                self.dead = true;
                self.say(FromBee::Dead);
                self.effects.push_back(BeeEffect::Exit);
            }
        }
    }

    fn say(&mut self, message: FromBee) {
        self.effects.push_back(BeeEffect::Say(message));
    }
}
