//! The hot paths of both machines as single calls, whose instructions the gate of the benches counts.
//!
//! Pure: no IO, no clock, no runtime.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bytes::Bytes;
use mt_pool::supervision::RestartBudget;
use mt_proto::{FromBee, TaskStatus, ToBee};

use super::{
    bee::{BeeEffect, BeeEvent, BeeMachine},
    parent::{BeeId, Config, Dispatch, Effect, Event, ParentMachine, Population, Request},
};

/// The worker bees, and how many tasks each does at once.
const BEES: u32 = 2;
const PLACES: u32 = 1024;
/// The tasks that are delegated together.
const TOGETHER: u64 = 64;
const GRACE: Duration = Duration::from_secs(5);

/// A hive whose bees do each task as soon as they have it: from the delegate to its end, both sides of the protocol.
#[derive(Debug)]
pub struct DelegateRun {
    parent: ParentMachine,
    bees: Vec<BeeMachine>,
    now: Instant,
    said: VecDeque<(BeeId, FromBee)>,
    resolved: u64,
}

impl DelegateRun {
    /// A hive whose bees are ready.
    #[must_use]
    pub fn new(now: Instant, dispatch: Dispatch) -> Self {
        let config = Config {
            dispatch,
            population: Population::Fixed(BEES as usize),
            crash_limit: 3,
            restarts: RestartBudget::default(),
            exit_grace: GRACE,
            bury_grace: GRACE,
            cancel_grace: GRACE,
            suspect_grace: GRACE,
            answer: GRACE,
        };
        let mut run = Self {
            parent: ParentMachine::new(config),
            bees: Vec::new(),
            now,
            said: VecDeque::new(),
            resolved: 0,
        };
        run.settle();
        for bee in (0..BEES).map(BeeId) {
            run.parent.handle(now, Event::Made(bee));
            run.bees.push(BeeMachine::new(Some(PLACES)));
            run.act(bee);
        }
        run.converse();
        run
    }

    /// Delegates so many tasks, and returns how many have come to an end.
    pub fn run(&mut self, tasks: u64) -> u64 {
        for first in (0..tasks).step_by(TOGETHER as usize) {
            for _ in first..tasks.min(first + TOGETHER) {
                let request = Request {
                    name: "same".into(),
                    args: Bytes::from_static(&[7]),
                    limit: None,
                };
                self.parent.delegate(self.now, request);
            }
            self.settle();
            self.converse();
        }
        self.resolved
    }

    /// Carries messages until nobody has any more to say.
    fn converse(&mut self) {
        while !self.said.is_empty() {
            for (bee, message) in std::mem::take(&mut self.said) {
                self.parent.handle(self.now, Event::Said(bee, message));
            }
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.parent.settle(self.now);
        while let Some(effect) = self.parent.poll_effect() {
            match effect {
                Effect::Say(bee, message) => self.hear(bee, message),
                Effect::Resolve(..) => self.resolved += 1,
                _ => {}
            }
        }
    }

    /// A bee hears a message. What its machine says to nonsense would be missed in the count of tasks.
    fn hear(&mut self, bee: BeeId, message: ToBee) {
        let _ = self.bees[bee.0 as usize].handle(BeeEvent::Said(message));
        self.act(bee);
    }

    fn act(&mut self, bee: BeeId) {
        let machine = &mut self.bees[bee.0 as usize];
        while let Some(effect) = machine.poll_effect() {
            match effect {
                BeeEffect::Say(message) => self.said.push_back((bee, message)),
                BeeEffect::Start(task) => {
                    let status = TaskStatus::Succeeded {
                        returning_value: task.args,
                    };
                    let _ = machine.handle(BeeEvent::Ended(task.task_id, status));
                }
                _ => {}
            }
        }
    }
}
