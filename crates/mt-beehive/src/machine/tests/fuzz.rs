//! Both machines fed from bytes: what happens, and what the other side says, in and out of turn.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use bytes::Bytes;
use mt_proto::{Failure, FromBee, Round, TaskId, TaskInfo, TaskStatus, ToBee};
use mt_test_kit::{Dice, Trail, fuzz};

use super::{
    random::{play, random_config},
    sim::{death, request, unmade},
};
use crate::machine::{
    bee::{BeeEffect, BeeEvent, BeeMachine},
    parent::{BeeEnd, BeeId, Effect, Event, ParentMachine, TaskOutcome},
};

/// Case Z3: Every task is resolved once, whenever bees die.
#[test]
fn hive() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/hive.hex");
    fuzz("hive", corpus, |input, trail| {
        let sim = play(Dice::of(input));
        sim.oracle.seen.keys().for_each(|what| trail.note(what));
        sim.told
            .iter()
            .for_each(|(_, message)| trail.note(std::mem::discriminant(message)));
    });
}

/// A parent whose bees say anything at any time.
struct Hostile {
    parent: ParentMachine,
    now: Instant,
    bees: BTreeSet<BeeId>,
    open: BTreeSet<TaskId>,
    /// What the parent has last said about a task to each bee.
    rounds: BTreeMap<BeeId, (TaskId, Round)>,
    finished: bool,
}

/// Case Z4: Whatever bees say, in and out of turn, every task is resolved once and the hive ends.
#[test]
fn hostile_bees() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/hostile_bees.hex");
    fuzz("hostile_bees", corpus, |input, trail| {
        let mut dice = Dice::of(input);
        let parent = ParentMachine::new(random_config(&mut dice));
        let mut hive = Hostile {
            parent,
            now: Instant::now(),
            bees: BTreeSet::new(),
            open: BTreeSet::new(),
            rounds: BTreeMap::new(),
            finished: false,
        };
        hive.tell(Event::Tick, trail);
        for _ in 0..dice.below(100) {
            hive.anything(&mut dice, trail);
        }
        hive.end(trail);
    });
}

impl Hostile {
    fn anything(&mut self, dice: &mut Dice<'_>, trail: &mut Trail) {
        let bees: Vec<BeeId> = self.bees.iter().copied().collect();
        let bee = dice.pick(&bees);
        let event = match dice.below(16) {
            0..=2 => {
                let limit = dice.one_in(2).then_some(Duration::from_millis(100));
                let task = self.parent.delegate(self.now, request(limit));
                self.open.insert(task);
                Event::Tick
            }
            3 => {
                self.now += Duration::from_millis(dice.one_of(&[1, 150, 6000]));
                Event::Tick
            }
            4 => Event::Drop(any_task(dice)),
            5 => Event::SpawnBee,
            6 => Event::Bury(bee),
            7 => Event::Pressed(dice.one_in(2)),
            8 if dice.one_in(8) => Event::Interrupt,
            9 => match bee {
                Some(bee) => self.gone(bee, dice.below(4), dice.one_in(2)),
                None => Event::Tick,
            },
            11 if dice.one_in(2) => Event::Dying(bee.unwrap_or(BeeId(76))),
            11 => Event::Made(bee.unwrap_or(BeeId(79))),
            10 => Event::Silent(bee.unwrap_or(BeeId(77)), dice.one_in(2)),
            _ => {
                let bee = bee.unwrap_or(BeeId(78));
                Event::Said(bee, self.any_word(bee, dice))
            }
        };
        self.tell(event, trail);
    }

    fn gone(&mut self, bee: BeeId, begun: u64, is_unmade: bool) -> Event {
        self.bees.remove(&bee);
        let end = BeeEnd {
            death: death(),
            started: begun,
            died_first: is_unmade,
            unmade: is_unmade.then(|| Box::new(unmade())),
        };
        Event::Gone(bee, end)
    }

    /// About what the parent has just asked, or about anything.
    fn any_word(&self, bee: BeeId, dice: &mut Dice<'_>) -> FromBee {
        let asked = self.rounds.get(&bee).filter(|_| !dice.one_in(4));
        let (task_id, round) = asked.copied().unwrap_or_else(|| any_offer(dice));
        match dice.below(12) {
            0 => FromBee::Ready {
                max_concurrency: dice.one_of(&[None, Some(0), Some(1), Some(3), Some(u32::MAX)]),
            },
            1 | 2 => FromBee::TaskAccepted { task_id, round },
            3 => FromBee::TaskDenied { task_id, round },
            4 => FromBee::TaskProgress {
                task_id,
                round,
                progress: Bytes::new(),
            },
            5 | 6 => FromBee::TaskDone {
                task_id,
                round,
                status: any_status(dice),
            },
            7 => FromBee::Behind {
                waiting: dice.one_of(&[0, 1, 3, u32::MAX]),
            },
            8 => FromBee::GaveBack {
                waiting: dice.one_of(&[0, 1, 3, u32::MAX]),
            },
            9 => FromBee::TaskReturned { task_id, round },
            10 => FromBee::CaughtUp,
            _ if dice.one_in(2) => FromBee::Dying,
            _ => FromBee::Dead,
        }
    }

    fn tell(&mut self, event: Event, trail: &mut Trail) {
        self.parent.handle(self.now, event);
        self.parent.settle(self.now);
        while let Some(effect) = self.parent.poll_effect() {
            assert!(!self.finished, "nothing happens after the end");
            trail.note(std::mem::discriminant(&effect));
            match effect {
                Effect::Spawn(bee) => assert!(self.bees.insert(bee)),
                Effect::Say(bee, message) => {
                    trail.note(std::mem::discriminant(&message));
                    if let Some(about) = subject(&message) {
                        self.rounds.insert(bee, about);
                    }
                }
                Effect::Kill(bee, _) => assert!(self.bees.contains(&bee), "it lives"),
                Effect::Progress(task, _) => assert!(self.open.contains(&task)),
                Effect::Resolve(task, end, _) => {
                    assert!(self.open.remove(&task), "{task:?} is resolved twice");
                    if let TaskOutcome::Cancelled(reason) = end {
                        trail.note(std::mem::discriminant(&*reason));
                    }
                }
                Effect::Finished => self.finished = true,
            }
        }
        let due = self.parent.poll_timeout();
        assert!(due.is_none_or(|due| due > self.now), "it would spin");
        assert_eq!(self.parent.outstanding(), self.open.len());
        self.parent.census();
    }

    /// All bees die, and so do those that take their places, until there is nothing left.
    fn end(&mut self, trail: &mut Trail) {
        self.tell(Event::Die, trail);
        for _ in 0..10_000 {
            if self.finished {
                assert!(self.open.is_empty() && self.bees.is_empty());
                return;
            }
            let event = match self.bees.first().copied() {
                Some(bee) => self.gone(bee, 0, true),
                None => {
                    let due = self.parent.poll_timeout();
                    self.now = due.expect("somebody is waited for, or something is due");
                    Event::Tick
                }
            };
            self.tell(event, trail);
        }
        panic!("it does not end: {:?}", self.parent);
    }
}

/// Case Z5: A bee that is told what makes no sense says so, and what she does never is more than she can.
#[test]
fn hostile_parent() {
    let corpus = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/corpus/hostile_parent.hex"
    );
    fuzz("hostile_parent", corpus, |input, trail| {
        let mut dice = Dice::of(input);
        let places = dice.one_of(&[None, Some(1), Some(3)]);
        let mut bee = BeeMachine::new(places);
        if dice.one_in(2) {
            bee = bee.with_children();
        }
        let (mut running, mut is_over) = (BTreeSet::new(), false);
        for _ in 0..dice.below(100) {
            let event = any_event(&mut dice, &running);
            if let BeeEvent::Ended(task, _) = &event {
                running.remove(task);
            }
            let handled = bee.handle(event);
            trail.note(handled.map_err(|nonsense| nonsense.0));
            while let Some(effect) = bee.poll_effect() {
                assert!(!is_over, "nothing is done after the exit");
                trail.note(std::mem::discriminant(&effect));
                match effect {
                    BeeEffect::Start(info) => assert!(running.insert(info.task_id)),
                    BeeEffect::Cancel(task) => assert!(running.contains(&task)),
                    BeeEffect::Exit => is_over = true,
                    BeeEffect::Say(_) | BeeEffect::Bury | BeeEffect::GiveBack(_) => {}
                }
            }
            assert!(places.is_none_or(|most| running.len() <= most as usize));
            // She exits for it.
            if handled.is_err() || is_over {
                return;
            }
        }
    });
}

fn any_event(dice: &mut Dice<'_>, running: &BTreeSet<TaskId>) -> BeeEvent {
    let (task_id, round) = any_offer(dice);
    let runs: Vec<TaskId> = running.iter().copied().collect();
    match dice.below(13) {
        0..=2 => BeeEvent::Said(ToBee::NewTask { task_id, round }),
        3 => BeeEvent::Said(ToBee::TaskTaken { task_id, round }),
        4 | 5 => BeeEvent::Said(ToBee::TaskInfo(TaskInfo {
            task_id,
            round,
            name: "work".into(),
            args: Bytes::new(),
            deadline: None,
            attempt: 1,
        })),
        6 => BeeEvent::Said(ToBee::TaskCancel { task_id, round }),
        7 if dice.one_in(4) => BeeEvent::Said(ToBee::Die),
        8 if dice.one_in(2) => BeeEvent::ChildrenGone,
        8 => BeeEvent::Progress(task_id, Bytes::new()),
        9 => BeeEvent::Said(ToBee::GiveBack {
            most: dice.one_of(&[0, 1, u32::MAX]),
        }),
        10 => BeeEvent::Behind(1),
        11 => BeeEvent::CaughtUp,
        _ => BeeEvent::Ended(dice.pick(&runs).unwrap_or(task_id), any_status(dice)),
    }
}

fn any_task(dice: &mut Dice<'_>) -> TaskId {
    TaskId(dice.one_of(&[0, 1, 2, 3, 4, 5, 6, 7, u64::MAX]))
}

fn any_offer(dice: &mut Dice<'_>) -> (TaskId, Round) {
    let round = Round(dice.one_of(&[0, 1, 2, 3, u32::MAX]));
    (any_task(dice), round)
}

fn any_status(dice: &mut Dice<'_>) -> TaskStatus {
    match dice.below(4) {
        0 => TaskStatus::Cancelled,
        1 => TaskStatus::NoSuchTask,
        2 => TaskStatus::Failed(Box::new(Failure::TooLarge { limit_bytes: 1 })),
        _ => TaskStatus::Succeeded {
            returning_value: Bytes::new(),
        },
    }
}

/// The offer that a message is about.
fn subject(message: &ToBee) -> Option<(TaskId, Round)> {
    match message {
        ToBee::NewTask { task_id, round }
        | ToBee::TaskTaken { task_id, round }
        | ToBee::TaskCancel { task_id, round } => Some((*task_id, *round)),
        ToBee::TaskInfo(info) => Some((info.task_id, info.round)),
        ToBee::Die | ToBee::GiveBack { .. } => None,
    }
}
