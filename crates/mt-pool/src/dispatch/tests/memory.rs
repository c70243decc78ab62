//! Small stories about memory.

use std::time::Duration;

use mt_proto::WorkerId;

use super::{
    super::{DispatchConfig, Event, KillReason},
    limits::{A, B, ends, is_dying, one_worker, with_items},
    model::{Model, config},
};
use crate::{limits::MemoryLimits, supervision::RestartBudget};

fn weighed(model: &mut Model, worker: WorkerId, rss: u64) {
    model.tell(Event::Weighed(vec![(worker, rss)], false));
}

/// An init that needs more memory than a worker may use must not be tried for ever.
#[test]
fn workers_that_are_too_large_before_they_have_done_anything_use_up_the_budget() {
    for ready in [false, true] {
        let mut model = Model::new(DispatchConfig {
            memory: MemoryLimits::new().max_rss_bytes(100).oom_retries(0),
            restarts: RestartBudget {
                limit: 3,
                ..RestartBudget::default()
            },
            ..one_worker()
        });
        model.input(5);
        model.end_input();
        for life in (0..4).map(WorkerId) {
            if ready {
                model.ready(life);
            }
            weighed(&mut model, life, 101);
            model.gone(life);
            if !model.finished {
                model.pass(Duration::from_secs(1));
            }
        }
        assert!(model.finished);
        assert_eq!(ends(&model), ["pool"; 5]);
    }
}

#[test]
fn what_grew_too_large_alone_is_tried_again_in_a_fresh_worker_and_then_given_up() {
    for oom_retries in 0..3 {
        let mut model = with_items(
            DispatchConfig {
                memory: MemoryLimits::new()
                    .max_rss_bytes(100)
                    .oom_retries(oom_retries),
                ..one_worker()
            },
            1,
        );
        for life in (0..=oom_retries).map(WorkerId) {
            if life != A {
                model.ready(life);
            }
            model.start(life, 1);
            weighed(&mut model, life, 101);
            model.gone(life);
        }
        assert_eq!(ends(&model), ["memory"]);
    }
}

/// One of two has grown; the other has nothing to do with it.
#[test]
fn of_several_that_ran_in_a_worker_that_grew_each_runs_alone_in_a_fresh_one() {
    let mut model = with_items(
        DispatchConfig {
            memory: MemoryLimits::new().max_rss_bytes(100).oom_retries(0),
            ..one_worker()
        },
        2,
    );
    model.start(A, 2);
    weighed(&mut model, A, 101);
    model.gone(A);
    model.ready(B);
    assert_eq!(model.workers[&B].unstarted, [0]);
    model.start(B, 1);
    model.finish(B, 0, 1);
    assert!(model.workers[&B].retired, "it is not fresh any more");
    model.gone(B);
    let third = WorkerId(2);
    model.ready(third);
    model.start(third, 1);
    weighed(&mut model, third, 101);
    model.gone(third);
    assert_eq!(ends(&model), ["done", "memory"]);
}

#[test]
fn with_a_crash_limit_of_one_memory_starts_nothing_twice() {
    for (items, end) in [(1, "memory"), (2, "crashed")] {
        let mut model = with_items(
            DispatchConfig {
                crash_limit: 1,
                memory: MemoryLimits::new().max_rss_bytes(100).oom_retries(5),
                ..one_worker()
            },
            items,
        );
        model.start(A, items as usize);
        weighed(&mut model, A, 101);
        model.gone(A);
        assert_eq!(ends(&model), vec![end; items as usize]);
    }
}

#[test]
fn the_youngest_makes_room_and_is_not_blamed() {
    let mut model = Model::new(DispatchConfig {
        memory: MemoryLimits::new().budget_bytes(100).oom_retries(0),
        window_floor: 1,
        ..config()
    });
    model.input(2);
    model.ready(A);
    model.ready(B);
    model.start(A, 1);
    model.start(B, 1);
    model.tell(Event::Weighed(vec![(A, 60), (B, 60)], false));
    assert_eq!(model.workers[&B].killed, Some(KillReason::Displaced));
    assert!(!is_dying(&model, A));
    model.gone(B);
    model.finish(A, 0, 1);
    assert!(model.workers[&A].retired, "it gives back what it has");
    model.gone(A);
    let third = WorkerId(2);
    model.ready(third);
    model.start(third, 1);
    model.finish(third, 1, 1);
    assert_eq!(ends(&model), ["done", "done"]);
}

#[test]
fn who_has_worked_for_somebody_else_is_not_fresh() {
    let mut model = with_items(
        DispatchConfig {
            memory: MemoryLimits::new().max_rss_bytes(100).oom_retries(1),
            ..one_worker()
        },
        1,
    );
    model.start(A, 1);
    weighed(&mut model, A, 101);
    model.gone(A);
    model.tell(Event::Used(B));
    model.ready(B);
    assert!(model.workers[&B].retired, "it may have been left much");
    model.gone(B);
    let third = WorkerId(2);
    model.ready(third);
    assert_eq!(model.workers[&third].unstarted, [0]);
}
