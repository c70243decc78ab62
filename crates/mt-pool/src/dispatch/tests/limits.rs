//! Small stories about time, age and trying again.

use std::time::Duration;

use mt_ipc::Turn;

use super::{
    super::{Event, Look},
    model::{A, B, Model},
};
use crate::{limits::Retries, supervision::DeathCause};

const LIMIT: Duration = Duration::from_millis(100);

/// A worker that has started this many items, each of which may take so long.
fn started(count: u32) -> Model {
    let mut model = Model::with_items(count, |config| config.hard_deadline = Some(LIMIT));
    model.start(A, count as usize);
    model
}

/// Looks at a worker for so long, ten times, and tells that time has passed.
fn watch(model: &mut Model, look: Look, time: Duration) {
    for _ in 0..10 {
        let started = model.workers[&A].started;
        model.tell(Event::Look(A, Look { started, ..look }));
        model.pass(time / 10);
    }
}

#[test]
fn who_keeps_the_thread_is_timed_out_and_its_mates_run_again() {
    let mut model = started(4);
    let turn = Some(Turn {
        place: 2,
        number: 9,
    });
    watch(
        &mut model,
        Look {
            turn,
            ..Look::default()
        },
        LIMIT,
    );
    assert!(model.is_dying(A));
    model.replace(A, B);
    assert_eq!(model.unstarted(B), [0, 1, 3]);
    model.start(B, 3);
    model.finish(B, 0, 2);
    model.finish(B, 3, 1);
    assert_eq!(model.ends(), ["done", "done", "timed out", "done"]);
}

#[test]
fn what_was_done_before_a_call_that_never_ends_but_not_told_runs_again() {
    let mut model = started(3);
    let look = Look {
        finished: 2,
        in_order: true,
        ..Look::default()
    };
    watch(&mut model, look, LIMIT);
    model.replace(A, B);
    assert_eq!(model.unstarted(B), [0, 1]);
    model.work(B, 0, 2);
    assert_eq!(model.ends(), ["done", "done", "timed out"]);
}

#[test]
fn what_comes_in_its_last_moments_counts_and_nothing_comes_twice() {
    let mut model = started(2);
    watch(&mut model, Look::default(), LIMIT);
    assert!(model.is_dying(A));
    model.finish(A, 1, 1);
    model.gone(A);
    assert_eq!(model.ends(), ["timed out", "done"]);
}

/// Case 9: An item whose worker was dying by itself when its deadline passed has crashed, and has not timed out.
#[test]
fn who_dies_first_is_not_timed_out() {
    let mut model = Model::with_items(1, |config| {
        config.hard_deadline = Some(LIMIT);
        config.crash_limit = 1;
    });
    model.start(A, 1);
    watch(&mut model, Look::default(), LIMIT);
    assert!(model.is_dying(A));
    model.gone_as(A, DeathCause::Itself, true);
    assert_eq!(model.ends(), ["crashed"]);
}

/// Case 14: An item whose worker can't be ended is not run again, for it may still be running.
#[test]
fn who_is_out_of_reach_is_not_run_again() {
    let mut model = started(1);
    model.gone_as(A, DeathCause::OutOfReach, false);
    assert_eq!(model.ends(), ["crashed"]);
}

/// The process was stopped for so long.
fn nobody_had(model: &mut Model, time: Duration) {
    model.now += time;
    model.tell(Event::Late(time));
    model.pass(Duration::ZERO);
}

#[test]
fn time_that_nobody_had_is_held_against_nobody() {
    let mut model = started(1);
    watch(&mut model, Look::default(), LIMIT / 2);
    nobody_had(&mut model, 100 * LIMIT);
    assert!(!model.is_dying(A));
    model.finish(A, 0, 1);
    model.end_input();
    assert!(model.is_retired(A));
    let grace = model.config.exit_grace;
    nobody_had(&mut model, 2 * grace);
    assert!(!model.is_dying(A), "it was told to go only just now");
    model.pass(grace);
    assert!(model.is_dying(A));
}

/// An item that has raised its last error is told of, one with tries left is cancelled; which of the two it is
/// does not depend on whether it waits for its next try or fails just now.
///
/// Case 31: An interrupted or cancelled run never tells the error of an item with retries left as final.
#[test]
fn an_error_with_tries_left_is_cancelled_once_nothing_is_given_out_any_more() {
    type Step = fn(&mut Model);
    let cancel: Step = |model| {
        model.cancelled = true;
        model.tell(Event::Cancel);
    };
    // What a worker still says that is killed is not believed.
    for (end, last_try) in [(Model::drain as Step, "done"), (cancel, "cancelled")] {
        for ordered in [true, false] {
            let mut model = Model::with_items(4, |config| {
                config.retries = Retries::new(1);
                config.ordered = ordered;
            });
            model.start(A, 4);
            model.raise(A, 0);
            model.raise(A, 1);
            model.pass(Retries::<()>::default().longest_pause);
            model.start(A, 1);
            let again = model.workers[&A].running.first().copied();
            assert_eq!((model.ends(), again), (vec![], Some(0)), "its second try");
            end(&mut model);
            model.raise(A, 0);
            model.raise(A, 2);
            if !model.is_dying(A) {
                model.finish(A, 3, 1);
            }
            model.end_input();
            if model.workers.contains_key(&A) {
                model.gone(A);
            }
            let mut out = model.out.clone();
            out.sort_unstable();
            let cancelled = |item| (item, "cancelled");
            assert_eq!(out[..3], [(0, last_try), cancelled(1), cancelled(2)]);
        }
    }
}

/// Case M60: The pause before another try doubles up to the longest, and half of it is chance.
#[test]
fn the_pause_before_another_try_doubles_up_to_the_longest_and_half_of_it_is_chance() {
    let step = LIMIT / 100;
    let mut pauses = Vec::new();
    let mut model = Model::with_items(1, |config| {
        config.retries = Retries::new(22).pause(LIMIT, 4 * LIMIT);
    });
    let doubled = [1, 2].into_iter().chain(std::iter::repeat_n(4, 20));
    for longest in doubled.map(|times| times * LIMIT) {
        model.start(A, 1);
        model.raise(A, 0);
        let mut pause = Duration::ZERO;
        while model.unstarted(A).is_empty() {
            model.pass(step);
            pause += step;
        }
        let range = longest / 2..=longest + step;
        assert!(range.contains(&pause), "{pause:?} of {longest:?}");
        pauses.push(pause);
    }
    pauses.sort_unstable();
    pauses.dedup();
    assert!(pauses.len() > 8, "they are not all the same: {pauses:?}");
}

/// What is due while nothing may be given out is noticed, or the driver would turn without end.
#[test]
fn nothing_is_due_in_the_past_while_the_consumer_is_slow_or_memory_is_short() {
    type Hold = fn(&mut Model);
    let holds: [Hold; 3] = [
        |model| model.pause(true),
        |model| model.tell(Event::Weighed(Vec::new(), true)),
        Model::drain,
    ];
    for hold in holds {
        let mut model = Model::with_items(6, |config| {
            config.processes = 3;
            config.recycle.age = Some(LIMIT);
            config.recycle.idle = Some(LIMIT);
            config.retries = Retries::new(9);
        });
        model.ready(B);
        model.start(A, 2);
        let running = model.workers[&A].running.first().copied();
        model.raise(A, running.expect("it runs"));
        hold(&mut model);
        // Each asserts that nothing is due in the past.
        (0..30).for_each(|_| model.pass(LIMIT));
    }
}

#[test]
fn who_is_idle_goes_also_while_the_consumer_is_slow() {
    let mut model = Model::with_items(1, |config| config.recycle.idle = Some(LIMIT));
    model.work(A, 0, 1);
    model.pause(true);
    model.pass(LIMIT);
    assert!(model.is_retired(A));
}
