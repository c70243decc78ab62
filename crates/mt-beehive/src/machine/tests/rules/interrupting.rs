//! Ctrl-C: what runs goes on to its end, the rest is cancelled and says why. None of the fifteen rules.

use mt_proto::TaskId;

use super::{Nature, Sim, accept, config, either_way, half_answered, test_with, with};
use crate::{
    error::CancelReason,
    machine::{
        parent::{Dispatch, Event, HiveStats},
        tests::sim::death,
    },
};

/// A task was interrupted that was begun so often; its bee has died just now, or not.
#[track_caller]
fn assert_interrupted(sim: &Sim, task: TaskId, begun: u32, has_died: bool) {
    let death = has_died.then(death);
    sim.assert_cancelled(task, CancelReason::Interrupted { begun, death }, None);
}

#[test_with(either_way, 1, 2)]
fn what_runs_goes_on_and_the_rest_is_cancelled(mut sim: Sim) {
    let tasks = sim.begin::<5>();
    sim.forget();
    sim.tell(Event::Interrupt);
    sim.tell(Event::Interrupt);
    let late = sim.delegate();
    for &task in tasks[2..].iter().chain([&late]) {
        assert_interrupted(&sim, task, 0, false);
    }
    sim.settle();
    assert_eq!(sim.told(0), [""; 0], "nobody is told");
    for task in &tasks[..2] {
        assert_eq!(sim.ended(*task), None);
        sim.end(*task);
    }
    sim.settle();
    sim.assert_succeeded(&tasks[..2]);
    sim.die();
    assert!(sim.finished);
    let expected = HiveStats {
        delegated: 6,
        succeeded: 2,
        cancelled: 4,
        bees_started: 1,
        interrupted: true,
        ..HiveStats::default()
    };
    assert_eq!(sim.parent.stats(), expected);
}

/// After the first has let it go on, too.
#[test_with(either_way, 1, 2)]
fn at_once_what_runs_is_cancelled_too(mut sim: Sim) {
    let tasks = sim.begin::<3>();
    sim.tell(Event::Interrupt);
    assert_interrupted(&sim, tasks[2], 0, false);
    sim.forget();
    sim.tell(Event::InterruptAtOnce);
    sim.tell(Event::InterruptAtOnce);
    sim.settle();
    let told = sim.told(0);
    let cancels = told.iter().filter(|said| said.starts_with("task_cancel"));
    assert_eq!(cancels.count(), 2, "once each: {told:?}");
    for &task in &tasks[..2] {
        sim.finish(task);
        assert_eq!(sim.ended(task), sim.ended(tasks[2]));
    }
    sim.die();
    assert!(sim.finished);
}

#[test]
fn an_open_offer_is_withdrawn_and_its_accepts_are_answered() {
    let (mut sim, [first, second]) = half_answered(config(Dispatch::Auction, 2));
    sim.tell(Event::Interrupt);
    assert_interrupted(&sim, second, 0, false);
    assert_eq!(sim.ended(first), None, "it runs");
    assert_eq!(sim.told(0), ["task_taken 1/1"], "she had wanted it");
    assert_eq!(sim.told(1), [""; 0], "she has not answered");
    sim.say(1, accept(second, 1));
    assert_eq!(sim.told(1), ["task_taken 1/1"], "now she has");
}

#[test_with(either_way, 2, 2)]
fn a_task_whose_bee_dies_then_is_not_begun_again_and_says_so(mut sim: Sim) {
    let [task] = sim.begin();
    let doer = sim.doer(task).unwrap();
    sim.tell(Event::Interrupt);
    sim.lose(doer);
    assert_interrupted(&sim, task, 1, true);
    assert_eq!(sim.bees().len(), 1, "she is not replaced");
    sim.spawn();
    assert_eq!(sim.bees().len(), 1, "and nobody else is started");
    sim.die();
    assert!(sim.finished);
}

#[test_with(either_way, 1, 2)]
fn a_suspect_that_waits_is_cancelled_and_known_to_have_been_begun(mut sim: Sim) {
    let [task] = sim.begin();
    sim.nature.by_hand = true;
    sim.lose(0);
    assert_eq!(sim.parent.census(), [1, 0, 0]);
    sim.tell(Event::Interrupt);
    assert_interrupted(&sim, task, 1, false);
    sim.die();
    assert!(!sim.finished, "her successor is not gone yet");
    sim.lose(1);
    assert!(sim.finished);
}

#[test]
fn a_hive_without_bees_is_interrupted_too() {
    let unborn = |dispatch| Sim::new(config(dispatch, 1), Nature::of(1));
    with(unborn, |mut sim| {
        let task = sim.delegate();
        sim.tell(Event::Interrupt);
        assert_interrupted(&sim, task, 0, false);
        sim.tell(Event::Die);
        while let Some(&bee) = sim.bees().first() {
            sim.lose(bee);
        }
        assert!(sim.finished);
    });
}
