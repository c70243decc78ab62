//! Small stories about time, age and trying again.

use std::time::{Duration, Instant};

use mt_proto::WorkerId;

use super::{
    super::{DispatchConfig, Event, Look, Turn},
    model::{Model, config},
};
use crate::limits::{Recycle, Retries};

pub(super) const A: WorkerId = WorkerId(0);
pub(super) const B: WorkerId = WorkerId(1);
const LIMIT: Duration = Duration::from_millis(100);

pub(super) fn one_worker() -> DispatchConfig {
    DispatchConfig {
        processes: 1,
        window_floor: 8,
        ..config()
    }
}

/// A ready worker that was given what there is.
pub(super) fn with_items(config: DispatchConfig, count: u32) -> Model {
    let mut model = Model::new(config);
    model.input(count);
    model.ready(A);
    model
}

pub(super) fn ends(model: &Model) -> Vec<&'static str> {
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
pub(super) fn is_dying(model: &Model, worker: WorkerId) -> bool {
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

#[test]
fn an_error_is_told_and_not_tried_again_once_nothing_is_given_out_any_more() {
    let mut model = with_items(
        DispatchConfig {
            retries: Retries::new(9),
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
    let aged = Recycle {
        age: Some(LIMIT),
        idle: Some(LIMIT),
        ..Recycle::default()
    };
    let retried = Retries::new(9);
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
                retries: retried.clone(),
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
            recycle: Recycle {
                idle: Some(LIMIT),
                ..Recycle::default()
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
