//! The rule table of the protocol, row by row, as stories: a test's name begins with its row.
//!
//! Rows 9 (a bee with bees of its own), 12 and 14 have a part here, and are shown with real processes.

mod accepting;
mod cancelling;
mod dispatching;
mod dying;
mod interrupting;
mod losing;
mod populating;
mod rounds;
mod telling;

use mt_proto::{FromBee, Round, TaskId, TaskInfo, TaskStatus, ToBee};

use super::{
    process::{self, Nature},
    sim::{Sim, config},
};
use crate::machine::{
    bee::{self, BeeMachine},
    parent::{ChildId, Config, Dispatch},
};

/// What holds for both ways to find a bee.
const BOTH: [Dispatch; 2] = [Dispatch::Auction, Dispatch::Credit];

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
    for dispatch in BOTH {
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
    for bee in sim.children() {
        sim.say(bee.0, ready(places));
    }
    sim
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
    let returning_value = process::value(task_id, round, ChildId(by)).into();
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

/// Tells a bee's machine something. The last thing it does about it.
fn hear(bee: &mut BeeMachine, message: ToBee) -> Option<bee::Effect> {
    bee.handle(bee::Event::Said(message)).unwrap();
    std::iter::from_fn(|| bee.poll_effect()).last()
}
