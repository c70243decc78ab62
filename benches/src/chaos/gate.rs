//! The input: the numbers from 0 on, held back at some places until a kill has landed.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use rand::{SeedableRng, rngs::StdRng};

use super::{job::Job, plan::Plan, targets::Targets};

/// How long the input is held back at once. With no item left to run, a pool need not have a worker
/// that could be killed; then one more item goes in before the next try.
const HOLD: Duration = Duration::from_millis(100);

/// The input of a chaos run. The targets know how many items were taken of it.
pub(super) fn input(
    plan: &Plan,
    targets: Arc<Targets>,
) -> impl Iterator<Item = Job> + Send + 'static {
    let places = plan.places(&mut StdRng::seed_from_u64(plan.seed ^ 2));
    let mut places = places.into_iter().peekable();
    let plan = *plan;
    (0..plan.tasks).map(move |item| {
        if places.peek().is_some_and(|&place| place <= item) && wait_for_kill(&targets) {
            places.next();
        }
        targets.taken.store(item + 1, Ordering::Relaxed);
        plan.job(item)
    })
}

/// Asks for a kill and waits for it; false when it takes too long. The items just before are on their
/// way meanwhile.
#[cold]
fn wait_for_kill(targets: &Targets) -> bool {
    let mut state = targets.lock();
    if state.asked == state.answered {
        state.asked += 1;
        targets.tell();
    }
    let until = Instant::now() + HOLD;
    while state.answered < state.asked && !state.over {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        state = targets.wait(state, left);
    }
    true
}
