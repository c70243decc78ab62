//! The rule table of the protocol, row by row, as stories: a test's name begins with its row.
//!
//! Rows 9 (a bee with bees of its own), 12 and 14 have a part here, and are shown with real processes.

mod accepting;
mod answering;
mod cancelling;
mod dispatching;
mod dying;
mod dying_first;
mod interrupting;
mod losing;
mod populating;
mod rounds;
mod sharing;
mod telling;

use std::time::Duration;

use mt_proto::{FromBee, Round, TaskId, TaskInfo, TaskStatus, ToBee};
use mt_test_kit::test_with;

use super::{
    process::{self, Nature},
    sim::{Sim, config},
};
use crate::machine::{
    bee::{BeeEffect, BeeEvent, BeeMachine},
    parent::{BeeId, Config, Dispatch},
};

/// The deadline of tasks that have one.
const LIMIT: Duration = Duration::from_millis(500);
const MOMENT: Duration = Duration::from_millis(1);

/// `bees` that are ready and do `places` tasks at once.
fn hive(dispatch: Dispatch, bees: usize, places: u32) -> Sim {
    Sim::ready(config(dispatch, bees), Nature::of(places))
}

/// Tells a story of such a hive with the auction and with credit.
fn either_way(bees: usize, places: u32, story: impl Fn(Sim)) {
    with(|dispatch| hive(dispatch, bees, places), story);
}

/// The same of a hive that is made so.
fn with(made: impl Fn(Dispatch) -> Sim, story: impl Fn(Sim)) {
    for dispatch in [Dispatch::Auction, Dispatch::Credit] {
        eprintln!("{dispatch:?}"); // shown if the story is another
        story(made(dispatch));
    }
}

/// An auction among `bees` that say what the test says, and say that they do `places` tasks at once.
fn puppets(bees: usize, places: u32) -> Sim {
    puppets_of(config(Dispatch::Auction, bees), places)
}

fn puppets_of(config: Config, places: u32) -> Sim {
    let by_hand = Nature {
        by_hand: true,
        ..Nature::of(places)
    };
    let mut sim = Sim::ready(config, by_hand);
    for bee in sim.bees() {
        sim.say(bee, ready(places));
    }
    sim
}

/// Tells a story of one such bee, which does a task at once, with the auction and with credit.
fn puppet_either_way(story: impl Fn(Sim)) {
    with(|dispatch| puppets_of(config(dispatch, 1), 1), story);
}

/// Two puppets with two places each. Bee 0 has the first task and wants the second; bee 1 has less to do and has not
/// answered, so nobody has that yet.
fn half_answered(config: Config) -> (Sim, [TaskId; 2]) {
    let mut sim = puppets_of(config, 2);
    let first = sim.delegate();
    sim.say(0, accept(first, 1));
    sim.say(1, accept(first, 1));
    let second = sim.delegate();
    sim.say(0, accept(second, 1));
    assert_eq!(sim.last_told(0), "new_task 1/1");
    sim.forget();
    (sim, [first, second])
}

fn ready(places: u32) -> FromBee {
    let max_concurrency = Some(places);
    FromBee::Ready { max_concurrency }
}

fn accept(task_id: TaskId, round: u32) -> FromBee {
    let round = Round(round);
    FromBee::TaskAccepted { task_id, round }
}

/// A bee wants a task, if it is asked: with credit it is given it.
fn accept_if_asked(sim: &mut Sim, bee: u32, task: TaskId) {
    let last = sim.told.iter().rfind(|(whom, _)| whom.0 == bee);
    if let Some((_, ToBee::NewTask { round, .. })) = last {
        let accept = accept(task, round.0);
        sim.say(bee, accept);
    }
}

fn deny(task_id: TaskId, round: u32) -> FromBee {
    let round = Round(round);
    FromBee::TaskDenied { task_id, round }
}

fn done(task_id: TaskId, round: u32, by: u32) -> FromBee {
    let round = Round(round);
    let returning_value = process::value(task_id, round, BeeId(by)).into();
    FromBee::TaskDone {
        task_id,
        round,
        status: TaskStatus::Succeeded { returning_value },
    }
}

fn offer(task: u64) -> ToBee {
    let (task_id, round) = (TaskId(task), Round(1));
    ToBee::NewTask { task_id, round }
}

fn info(task: u64, round: u32) -> ToBee {
    ToBee::TaskInfo(TaskInfo {
        task_id: TaskId(task),
        round: Round(round),
        name: "work".into(),
        args: bytes::Bytes::new(),
        deadline: None,
        attempt: 1,
    })
}

/// Tells a bee's machine that something happened, and returns what it does.
fn happen(bee: &mut BeeMachine, event: BeeEvent) -> Vec<BeeEffect> {
    bee.handle(event).unwrap();
    std::iter::from_fn(|| bee.poll_effect()).collect()
}

/// Tells a bee's machine something, and returns what it does.
fn hear(bee: &mut BeeMachine, message: ToBee) -> Vec<BeeEffect> {
    happen(bee, BeeEvent::Said(message))
}

/// A bee's machine that has said that it is ready.
fn bee_machine(places: Option<u32>) -> BeeMachine {
    let mut bee = BeeMachine::new(places);
    let said = bee.poll_effect();
    assert!(matches!(said, Some(BeeEffect::Say(FromBee::Ready { .. }))));
    bee
}
