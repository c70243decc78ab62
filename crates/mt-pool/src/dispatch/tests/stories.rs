//! Small stories, each about one rule.

use std::time::Duration;

use mt_proto::WorkerId;

use super::{
    super::{DispatchConfig, Event},
    model::{A, B, C, Model},
    payload::items,
};
use crate::supervision::{DeathCause, RestartBudget};

/// Two items at once in a worker.
fn floor_of_two(config: &mut DispatchConfig) {
    config.window_floor = 2;
}

#[test]
fn no_input_needs_no_worker() {
    let mut model = Model::but(|_| {});
    model.end_input();
    assert!(model.finished);
    assert_eq!(model.spawned, 0);
}

/// Case G2: An item that was sent to a worker that had died already is not charged, and is given to another.
#[test]
fn what_a_dead_worker_was_given_and_had_not_started_is_not_charged() {
    let mut model = Model::with_items(3, |config| config.crash_limit = 1);
    model.gone(A);
    model.pass(Duration::from_secs(1));
    model.ready(B);
    assert_eq!(model.unstarted(B), [0, 1, 2]);
    assert!(model.past.is_empty());
    model.work(B, 0, 3);
    assert_eq!(model.ends(), ["done"; 3]);
}

/// Case R29: A death is blamed on what was running in the worker: what was done stands, and what was not started goes
/// to another.
#[test]
fn what_a_dead_worker_had_done_stands_and_what_it_ran_is_suspect() {
    let mut model = Model::with_items(5, |_| {});
    model.start(A, 3);
    model.finish(A, 1, 1);
    model.gone(A);
    assert!(model.out.is_empty(), "item 0 is not done");
    model.pass(Duration::from_secs(1));
    model.ready(B);
    assert_eq!(model.unstarted(B), [0], "suspects first, alone");
    model.work(B, 0, 1);
    model.work(B, 2, 1);
    assert_eq!(model.unstarted(B), [3, 4]);
    assert_eq!(model.ends(), ["done"; 3]);
}

/// Case R30: A suspect is tried again alone, and given up after `crash_limit` deaths.
#[test]
fn poison_is_given_up_after_the_limit_and_holds_nobody_back_for_ever() {
    for limit in 1..4 {
        let mut model = Model::one_worker(|config| {
            floor_of_two(config);
            config.crash_limit = limit;
        });
        model.input(3);
        for life in (0..limit).map(WorkerId) {
            model.pass(Duration::from_secs(1));
            model.ready(life);
            model.start(life, 1);
            model.gone(life);
        }
        assert_eq!(model.ends(), ["crashed"]);
    }
}

/// What a quick function has finished is told every two milliseconds; the rest of it dies with the worker.
///
/// Case G1: An item that was finished and not reported when its worker died is done again, uncharged; with a crash
/// limit of one it is told as done and its outcome as lost.
#[test]
fn what_was_finished_and_not_reported_is_done_again_or_told_as_lost() {
    for (limit, ends) in [
        (1, ["outcome lost", "outcome lost", "crashed"]),
        (2, ["done"; 3]),
    ] {
        let mut model = Model::with_items(4, |config| {
            config.in_order = true;
            config.crash_limit = limit;
        });
        model.start(A, 3);
        model.gone(A);
        model.end_input();
        model.pass(Duration::from_secs(1));
        model.ready(B);
        while !model.finished {
            if let Some(&item) = model.workers[&B].running.first() {
                model.finish(B, item, 1);
            } else if model.start_one(B).is_none() {
                model.gone(B);
            }
        }
        assert_eq!(model.ends()[..3], ends);
        assert_eq!(model.ends()[3], "done");
        assert!(limit == 1 || !model.past.contains_key(&0), "not charged");
    }
}

#[test]
fn a_suspect_that_was_not_started_keeps_its_record() {
    let mut model = Model::with_items(1, |config| config.crash_limit = 2);
    model.start(A, 1);
    model.replace(A, B);
    assert_eq!(model.unstarted(B), [0]);
    model.gone(B);
    model.input(1);
    model.pass(Duration::from_secs(1));
    model.ready(C);
    assert_eq!(model.unstarted(C), [0], "still alone");
    model.start(C, 1);
    model.gone(C);
    assert_eq!(model.ends(), ["crashed"], "two deaths are two deaths");
}

/// The worker that could take it is kept busy by the others' items, unless it is left to run dry.
#[test]
fn a_suspect_is_not_held_back_by_an_endless_input() {
    let mut model = Model::but(|_| {});
    model.input(20);
    model.ready(A);
    model.ready(B);
    model.start(A, 1);
    model.gone(A);
    for _ in 0..10 {
        model.input(1);
        model.start(B, 1);
        let Some(running) = model.workers[&B].running.first().copied() else {
            break;
        };
        if model.past.contains_key(&running) {
            return;
        }
        model.finish(B, running, 1);
    }
    panic!("the suspect waits for a worker that is never free");
}

#[test]
fn workers_that_all_die_at_once_are_not_restarted_beyond_the_budget() {
    for processes in [1, 2, 3, 8, 20] {
        for limit in [0, 1, 8] {
            let period = Duration::from_secs(10);
            let mut model = Model::but(|config| {
                config.processes = processes;
                config.restarts = RestartBudget { limit, period };
            });
            model.input(100);
            model.end_input();
            while !model.finished {
                let all: Vec<WorkerId> = model.workers.keys().copied().collect();
                all.into_iter().for_each(|worker| model.gone(worker));
                if !model.finished {
                    model.pass(Duration::from_millis(128));
                }
            }
            assert!(model.spawned <= processes + limit, "{processes} {limit}");
            assert_eq!(model.ends(), ["pool"; 100]);
        }
    }
}

#[test]
fn results_that_are_not_due_kill_and_are_not_believed() {
    for (first, count) in [(0, 3), (2, 1), (5, 1), (u64::MAX - 9, 4)] {
        let mut model = Model::with_items(5, floor_of_two);
        model.start(A, 2);
        model.tell(Event::Results(A, items(first, count)));
        assert!(model.is_dying(A), "{first} {count}");
        assert_eq!(model.out, []);
        model.tell(Event::Results(A, items(0, 1)));
        assert_eq!(model.out, [], "nothing it still says counts");
        model.gone(A);
    }
}

#[test]
fn results_told_twice_kill() {
    let mut model = Model::with_items(5, floor_of_two);
    model.start(A, 2);
    model.finish(A, 0, 1);
    model.tell(Event::Results(A, items(0, 1)));
    assert!(model.is_dying(A));
    assert_eq!(model.ends(), ["done"]);
}

#[test]
fn a_drain_lets_what_is_given_out_finish_and_cancels_the_rest() {
    let mut model = Model::with_items(5, floor_of_two);
    model.start(A, 1);
    model.drain();
    assert!(model.dispatch.is_closed());
    model.end_input();
    model.start(A, 9);
    model.finish(A, 0, 2);
    assert_eq!(model.ends()[..2], ["done"; 2]);
    assert_eq!(model.ends()[2..], ["cancelled"; 3]);
    assert!(model.is_retired(A));
    model.gone(A);
    assert!(model.finished);
}

#[test]
fn a_worker_that_does_not_go_is_killed_after_its_grace() {
    let mut model = Model::with_items(1, |_| {});
    model.end_input();
    model.work(A, 0, 1);
    assert!(model.is_retired(A));
    model.pass(Duration::from_millis(4999));
    assert!(!model.is_dying(A));
    model.pass(Duration::from_millis(1));
    assert!(model.is_dying(A));
    model.gone(A);
    assert!(model.finished);
}

/// Case M161: An item whose worker is ended by a `SIGTERM` from outside while its run drains is cancelled, and not to
/// blame; otherwise it is after any death.
#[test]
fn what_a_terminated_worker_ran_is_cancelled_while_the_run_drains() {
    for (drains, end) in [(true, "cancelled"), (false, "crashed")] {
        let mut model = Model::with_items(1, |config| config.crash_limit = 1);
        model.start(A, 1);
        if drains {
            model.drain();
        }
        model.gone_as(A, DeathCause::Terminated, false);
        assert_eq!(model.ends(), [end]);
    }
}
