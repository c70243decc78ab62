//! Small stories about time, memory, age and trying again.

use std::time::{Duration, Instant};

use mt_proto::WorkerId;

use super::{
    super::{
        DispatchConfig, Event, KillReason, Look, MemoryConfig, RecycleConfig, RestartBudget,
        RetryConfig, Turn,
    },
    model::{Model, config},
};

const A: WorkerId = WorkerId(0);
const B: WorkerId = WorkerId(1);
const LIMIT: Duration = Duration::from_millis(100);

fn one_worker() -> DispatchConfig {
    DispatchConfig {
        processes: 1,
        window_floor: 8,
        ..config()
    }
}

/// A ready worker that was given what there is.
fn with_items(config: DispatchConfig, count: u32) -> Model {
    let mut model = Model::new(config);
    model.input(count);
    model.ready(A);
    model
}

fn ends(model: &Model) -> Vec<&'static str> {
    model.out.iter().map(|(_, end)| *end).collect()
}

/// Looks at a worker for so long, ten times, and tells that time has passed.
fn watch(model: &mut Model, worker: WorkerId, look: Look, time: Duration) {
    for _ in 0..10 {
        model.tell(Event::Look(worker, look));
        model.pass(time / 10);
    }
}

/// Whether a worker is being killed.
fn is_dying(model: &Model, worker: WorkerId) -> bool {
    model.workers[&worker].killed.is_some()
}

#[test]
fn who_keeps_the_thread_is_timed_out_and_its_mates_run_again() {
    let mut model = with_items(
        DispatchConfig {
            hard_deadline: Some(LIMIT),
            ..one_worker()
        },
        4,
    );
    model.start(A, 4);
    let look = Look {
        started: 4,
        turn: Some(Turn {
            place: 2,
            number: 9,
        }),
        ..Look::default()
    };
    watch(&mut model, A, look, LIMIT);
    assert!(is_dying(&model, A));
    model.gone(A);
    model.ready(B);
    assert_eq!(model.workers[&B].unstarted, [0, 1, 3]);
    model.start(B, 3);
    model.finish(B, 0, 2);
    model.finish(B, 3, 1);
    assert_eq!(ends(&model), ["done", "done", "timed out", "done"]);
}

#[test]
fn what_was_done_before_a_call_that_never_ends_but_not_told_runs_again() {
    let mut model = with_items(
        DispatchConfig {
            hard_deadline: Some(LIMIT),
            ..one_worker()
        },
        3,
    );
    model.start(A, 3);
    let look = Look {
        started: 3,
        finished: 2,
        in_order: true,
        turn: None,
    };
    watch(&mut model, A, look, LIMIT);
    model.gone(A);
    model.ready(B);
    assert_eq!(model.workers[&B].unstarted, [0, 1]);
    model.start(B, 2);
    model.finish(B, 0, 2);
    assert_eq!(ends(&model), ["done", "done", "timed out"]);
}

#[test]
fn what_comes_in_its_last_moments_counts_and_nothing_comes_twice() {
    let mut model = with_items(
        DispatchConfig {
            hard_deadline: Some(LIMIT),
            ..one_worker()
        },
        2,
    );
    model.start(A, 2);
    let look = Look {
        started: 2,
        ..Look::default()
    };
    watch(&mut model, A, look, LIMIT);
    assert!(is_dying(&model, A));
    model.finish(A, 1, 1);
    model.gone(A);
    assert_eq!(ends(&model), ["timed out", "done"]);
}

#[test]
fn time_that_nobody_had_is_held_against_nobody() {
    let mut model = with_items(
        DispatchConfig {
            hard_deadline: Some(LIMIT),
            ..one_worker()
        },
        1,
    );
    model.start(A, 1);
    let look = Look {
        started: 1,
        ..Look::default()
    };
    watch(&mut model, A, look, LIMIT / 2);
    model.now += 100 * LIMIT;
    model.tell(Event::Late(100 * LIMIT));
    model.pass(Duration::ZERO);
    assert!(!is_dying(&model, A));
    model.finish(A, 0, 1);
    model.end_input();
    assert!(model.workers[&A].retired);
    let grace = model.config.exit_grace;
    model.now += 2 * grace;
    model.tell(Event::Late(2 * grace));
    model.pass(Duration::ZERO);
    assert!(!is_dying(&model, A), "it was told to go only just now");
    model.pass(grace);
    assert!(is_dying(&model, A));
}

fn weighed(model: &mut Model, worker: WorkerId, rss: u64) {
    model.tell(Event::Weighed(vec![(worker, rss)], false));
}

/// An init that needs more memory than a worker may use must not be tried for ever.
#[test]
fn workers_that_are_too_large_before_they_have_done_anything_use_up_the_budget() {
    for ready in [false, true] {
        let mut model = Model::new(DispatchConfig {
            memory: MemoryConfig {
                max_rss: Some(100),
                ..MemoryConfig::default()
            },
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
                memory: MemoryConfig {
                    max_rss: Some(100),
                    oom_retries,
                    budget: None,
                },
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
            memory: MemoryConfig {
                max_rss: Some(100),
                oom_retries: 0,
                budget: None,
            },
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
                memory: MemoryConfig {
                    max_rss: Some(100),
                    oom_retries: 5,
                    budget: None,
                },
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
fn an_error_is_told_and_not_tried_again_once_nothing_is_given_out_any_more() {
    let mut model = with_items(
        DispatchConfig {
            retry: RetryConfig {
                limit: 9,
                ..RetryConfig::default()
            },
            ..one_worker()
        },
        2,
    );
    model.start(A, 2);
    model.raise(A, 0);
    assert_eq!(ends(&model), [""; 0], "it waits for its next try");
    model.drained = true;
    model.tell(Event::Drain);
    model.raise(A, 1);
    model.end_input();
    assert_eq!(ends(&model), ["cancelled", "done"]);
}

/// What is due while nothing may be given out is noticed, or the driver would turn without end.
#[test]
fn nothing_is_due_in_the_past_while_the_consumer_is_slow_or_memory_is_short() {
    let aged = RecycleConfig {
        age: Some(LIMIT),
        idle: Some(LIMIT),
        ..RecycleConfig::default()
    };
    let retried = RetryConfig {
        limit: 9,
        ..RetryConfig::default()
    };
    type Hold = fn(&mut Model);
    let holds: [Hold; 3] = [
        |model| model.pause(true),
        |model| model.tell(Event::Weighed(Vec::new(), true)),
        |model| {
            model.drained = true;
            model.tell(Event::Drain);
        },
    ];
    for hold in holds {
        let mut model = with_items(
            DispatchConfig {
                processes: 3,
                recycle: aged,
                retry: retried.clone(),
                ..one_worker()
            },
            6,
        );
        model.ready(B);
        model.start(A, 2);
        model.raise(
            A,
            model.workers[&A].running.first().copied().expect("it runs"),
        );
        hold(&mut model);
        for _ in 0..30 {
            model.pass(LIMIT);
        }
        let due: Option<Instant> = model.dispatch.poll_timeout();
        assert!(due.is_none_or(|due| due > model.now));
    }
}

#[test]
fn who_is_idle_goes_also_while_the_consumer_is_slow() {
    let mut model = with_items(
        DispatchConfig {
            recycle: RecycleConfig {
                idle: Some(LIMIT),
                ..RecycleConfig::default()
            },
            ..one_worker()
        },
        1,
    );
    model.start(A, 1);
    model.finish(A, 0, 1);
    model.pause(true);
    model.pass(LIMIT);
    assert!(model.workers[&A].retired);
}

#[test]
fn the_youngest_makes_room_and_is_not_blamed() {
    let mut model = Model::new(DispatchConfig {
        memory: MemoryConfig {
            budget: Some(100),
            ..MemoryConfig::default()
        },
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
