//! Rules 6 and 11: what ends first counts, the bee or the time of her task. And bees that can't be ended.

use mt_pool::supervision::DeathCause;
use mt_proto::TaskId;

use super::{LIMIT, MOMENT, Sim, either_way, test_with};
use crate::{
    error::CancelReason,
    machine::tests::sim::{CANCEL_GRACE, death_by},
};

fn assert_lost(sim: &Sim, task: TaskId, cause: DeathCause, attempts: u32) {
    let death = death_by(cause);
    sim.assert_cancelled(task, CancelReason::WorkerLost { death, attempts }, None);
}

/// The bee is at her core dump while the time passes, and it is to be killed for that in the end.
///
/// Case 9: A task whose bee was dying by herself when its time was over is lost with her, and has not overrun; what
/// else she had is charged like after any death, and begun again.
#[test_with(either_way, 1, 2)]
fn rule_06_a_bee_that_dies_first_has_not_overrun(mut sim: Sim) {
    let [neighbour] = sim.begin();
    let late = sim.begin_within(LIMIT);
    sim.pass(LIMIT - MOMENT);
    sim.dying.insert(0);
    sim.pass(MOMENT);
    sim.pass(CANCEL_GRACE);
    assert!(sim.is_doomed(0), "nobody waits for ever");
    assert_eq!(sim.ended(late), None, "it may still be at it");
    sim.lose(0);
    assert_lost(&sim, late, DeathCause::Itself, 1);
    sim.settle();
    for bee in 1..3 {
        assert_eq!(sim.doer(neighbour), Some(bee));
        sim.lose(bee);
        sim.settle();
    }
    assert_lost(&sim, neighbour, DeathCause::Itself, 3);
}

/// Case 9: A task whose time is over before its bee begins to die has overrun.
#[test_with(either_way, 1, 2)]
fn rule_11_a_bee_that_dies_later_has_overrun(mut sim: Sim) {
    let late = sim.begin_within(LIMIT);
    sim.pass(LIMIT);
    sim.dying.insert(0);
    sim.pass(CANCEL_GRACE);
    sim.lose(0);
    assert_eq!(sim.ended(late), Some("deadline"));
}

/// A death that the parent has brought about says nothing of who was first.
#[test_with(either_way, 1, 2)]
fn rule_11_who_is_killed_for_one_task_does_not_die_first(mut sim: Sim) {
    let [slow, later] = [LIMIT, LIMIT + CANCEL_GRACE + MOMENT].map(|it| sim.begin_within(it));
    sim.pass(LIMIT);
    sim.pass(CANCEL_GRACE);
    assert!(sim.is_doomed(0));
    sim.dying.insert(0);
    sim.pass(MOMENT);
    sim.lose_for(0, DeathCause::Overran);
    assert_eq!([slow, later].map(|it| sim.ended(it)), [Some("deadline"); 2]);
}

/// Case 14: A task whose bee can't be ended is not begun again, for it may still be running.
#[test_with(either_way, 1, 2)]
fn rule_06_who_is_out_of_reach_is_not_begun_again(mut sim: Sim) {
    let [begun] = sim.begin();
    let late = sim.begin_within(LIMIT);
    sim.pass(LIMIT);
    sim.lose_for(0, DeathCause::OutOfReach);
    assert_lost(&sim, begun, DeathCause::OutOfReach, 1);
    assert_eq!(sim.ended(late), Some("deadline"));
    let [next] = sim.begin();
    sim.finish(next);
    sim.assert_succeeded(&[next]);
}
