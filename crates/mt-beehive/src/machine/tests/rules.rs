//! The rule table of the protocol, row by row, as stories: a test's name begins with its row.
//!
//! Rows 9 (a bee with bees of her own), 12 and 14 have a part here, and are shown with real processes.

mod accepting;
mod cancelling;
mod dispatching;
mod dying;
mod interrupting;
mod losing;
mod populating;
mod rounds;
mod telling;

use mt_proto::{FromBee, Round, TaskId, TaskStatus};

use super::{
    process::Nature,
    sim::{Sim, config},
};
use crate::machine::parent::{Config, Dispatch};

/// What holds for both ways to find a bee.
const BOTH: [Dispatch; 2] = [Dispatch::Auction, Dispatch::Credit];

/// `bees` that are ready and do `places` tasks at once.
fn hive(dispatch: Dispatch, bees: usize, places: u32) -> Sim {
    Sim::ready(config(dispatch, bees), Nature::of(places))
}

/// An auction among `bees` that say what the test says, and say that they do `places` tasks at once.
fn puppets(config: Config, bees: u32, places: u32) -> Sim {
    let by_hand = Nature {
        by_hand: true,
        ..Nature::of(places)
    };
    let mut sim = Sim::ready(config, by_hand);
    for bee in 0..bees {
        let max_concurrency = Some(places);
        sim.say(bee, FromBee::Ready { max_concurrency });
    }
    sim
}

fn accept(task_id: TaskId, round: u32) -> FromBee {
    let round = Round(round);
    FromBee::TaskAccepted { task_id, round }
}

fn deny(task_id: TaskId, round: u32) -> FromBee {
    let round = Round(round);
    FromBee::TaskDenied { task_id, round }
}

fn done(task_id: TaskId, round: u32, by: u32) -> FromBee {
    let (round, by) = (Round(round), crate::machine::parent::ChildId(by));
    let returning_value = super::process::value(task_id, round, by).into();
    FromBee::TaskDone {
        task_id,
        round,
        status: TaskStatus::Succeeded { returning_value },
    }
}
