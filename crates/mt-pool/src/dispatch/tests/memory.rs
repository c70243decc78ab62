//! Small stories about memory.

use std::time::Duration;

use mt_proto::WorkerId;

use super::{
    super::{DispatchConfig, Event, MemoryShortage},
    model::{A, B, C, Model},
};
use crate::{
    limits::MemoryLimits,
    supervision::{DeathCause, ProcessRecord, RestartBudget},
};

/// Workers may use so much, and items are tried so often again that need more.
fn limit(oom_retries: u32) -> impl Fn(&mut DispatchConfig) {
    move |config| {
        config.memory = MemoryLimits::new()
            .max_rss_bytes(100)
            .oom_retries(oom_retries)
    }
}

/// A worker uses too much, and is gone.
fn outgrow(model: &mut Model, worker: WorkerId) {
    model.tell(Event::Weighed(vec![(worker, 101)], false));
    model.gone(worker);
}

/// An init that needs more memory than a worker may use must not be tried for ever.
#[test]
fn workers_that_are_too_large_before_they_have_done_anything_use_up_the_budget() {
    for ready in [false, true] {
        let mut model = Model::one_worker(|config| {
            limit(0)(config);
            config.restarts = RestartBudget {
                limit: 3,
                ..RestartBudget::default()
            };
        });
        model.input(5);
        model.end_input();
        for life in (0..4).map(WorkerId) {
            if ready {
                model.ready(life);
            }
            outgrow(&mut model, life);
            if !model.finished {
                model.pass(Duration::from_secs(1));
            }
        }
        assert!(model.finished);
        assert_eq!(model.ends(), ["pool"; 5]);
    }
}

#[test]
fn what_grew_too_large_alone_is_tried_again_in_a_fresh_worker_and_then_given_up() {
    for oom_retries in 0..3 {
        let mut model = Model::with_items(1, limit(oom_retries));
        for life in (0..=oom_retries).map(WorkerId) {
            if life != A {
                model.ready(life);
            }
            model.start(life, 1);
            outgrow(&mut model, life);
        }
        assert_eq!(model.ends(), ["memory"]);
    }
}

/// One of two has grown; the other has nothing to do with it.
#[test]
fn of_several_that_ran_in_a_worker_that_grew_each_runs_alone_in_a_fresh_one() {
    let mut model = Model::with_items(2, limit(0));
    model.start(A, 2);
    outgrow(&mut model, A);
    model.ready(B);
    assert_eq!(model.unstarted(B), [0]);
    model.work(B, 0, 1);
    assert!(model.is_retired(B), "it is not fresh any more");
    model.replace(B, C);
    model.start(C, 1);
    outgrow(&mut model, C);
    assert_eq!(model.ends(), ["done", "memory"]);
}

#[test]
fn with_a_crash_limit_of_one_memory_starts_nothing_twice() {
    for (items, end) in [(1, "memory"), (2, "crashed")] {
        let mut model = Model::with_items(items, |config| {
            limit(5)(config);
            config.crash_limit = 1;
        });
        model.start(A, items as usize);
        outgrow(&mut model, A);
        assert_eq!(model.ends(), vec![end; items as usize]);
    }
}

#[test]
fn the_youngest_makes_room_and_is_not_blamed() {
    let mut model = Model::but(|config| {
        config.memory = MemoryLimits::new().budget_bytes(100).oom_retries(0);
        config.window_floor = 1;
    });
    model.input(2);
    for worker in [A, B] {
        model.ready(worker);
        model.start(worker, 1);
    }
    model.tell(Event::Weighed(vec![(A, 60), (B, 60)], false));
    assert_eq!(model.workers[&B].killed, Some(DeathCause::Displaced));
    assert!(!model.is_dying(A));
    model.gone(B);
    model.finish(A, 0, 1);
    assert!(model.is_retired(A), "it gives back what it has");
    model.replace(A, C);
    model.work(C, 1, 1);
    assert_eq!(model.ends(), ["done", "done"]);
}

#[test]
fn who_has_worked_for_somebody_else_is_not_fresh() {
    let mut model = Model::with_items(1, limit(1));
    model.start(A, 1);
    outgrow(&mut model, A);
    model.tell(Event::Used(B, ProcessRecord::default()));
    model.ready(B);
    assert!(model.is_retired(B), "it may have been left much");
    model.replace(B, C);
    assert_eq!(model.unstarted(C), [0]);
}

/// Case 26: That memory is short is told when it becomes so and when it no longer is, and not at every look.
#[test]
fn a_shortage_is_told_when_it_comes_and_when_it_goes() {
    let mut model =
        Model::one_worker(|config| config.memory = MemoryLimits::new().budget_bytes(100));
    model.input(2);
    model.ready(A);
    for (weight, high) in [
        (10, false),
        (10, true),
        (10, true),
        (95, true),
        (10, false),
        (10, false),
    ] {
        model.tell(Event::Weighed(vec![(A, weight)], high));
    }
    let (machine, budget) = (MemoryShortage::Machine, MemoryShortage::Budget);
    assert_eq!(model.shortages, [Some(machine), Some(budget), None]);
}
