//! The thread that kills workers: when it is time, and when the input asks for it.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use rand::{SeedableRng, rngs::StdRng};

use super::{plan::Plan, targets::Targets};

/// How long the killer waits for something to change before it looks again. It is told; this only
/// bounds what a lost wake-up would cost.
pub(super) const IDLE: Duration = Duration::from_millis(100);
/// How often the killer looks at those that are stopped.
const PATIENCE: Duration = Duration::from_millis(10);
/// A run that yields nothing for so long hangs.
const STALL: Duration = Duration::from_secs(60);

/// Kills until the run is over.
pub(super) fn kill(plan: &Plan, targets: &Targets) {
    let mut schedule = Schedule::new(plan);
    let mut last_yield = (0, Instant::now());
    let mut state = targets.lock();
    while !state.over {
        let now = Instant::now();
        state.resume(now);
        last_yield = watch(last_yield, targets.yielded.load(Ordering::Relaxed), now);
        let is_asked = state.answered < state.asked;
        let wait = match state.first_ready {
            Some(ready) => schedule.wait(ready, now),
            None => IDLE,
        };
        if !is_asked && !wait.is_zero() {
            state = targets.wait(state, wait.min(PATIENCE));
            continue;
        }
        match state.strike() {
            Err(wait) => state = targets.wait(state, wait.min(PATIENCE)),
            Ok(()) if is_asked => {
                state.answered += 1;
                targets.tell();
            }
            Ok(()) => schedule.advance(now),
        }
    }
    state.resume(Instant::now());
}

/// Takes note of when there was a new outcome. Ends this process when the run hangs: there is no other
/// way out of a wait for an outcome. The workers go with it.
fn watch(last: (u64, Instant), yielded: u64, now: Instant) -> (u64, Instant) {
    if yielded != last.0 {
        return (yielded, now);
    }
    if now - last.1 > STALL {
        eprintln!("error: no outcome for {STALL:?} after {yielded} outcomes: the run hangs");
        std::process::exit(3);
    }
    last
}

/// The kills by time.
struct Schedule<'a> {
    plan: &'a Plan,
    random: StdRng,
    start: Option<Instant>,
    done: u32,
    /// When the next one is due, from the start on.
    due: Duration,
}

impl<'a> Schedule<'a> {
    fn new(plan: &'a Plan) -> Self {
        let mut random = StdRng::seed_from_u64(plan.seed ^ 1);
        let due = plan.due(0, &mut random);
        Self {
            plan,
            random,
            start: None,
            done: 0,
            due,
        }
    }

    /// How long until the next kill is due; nothing when it is.
    fn wait(&mut self, first_ready: Instant, now: Instant) -> Duration {
        let start = *self.start.get_or_insert(first_ready);
        (start + self.due).saturating_duration_since(now)
    }

    /// A kill that was due is done.
    fn advance(&mut self, now: Instant) {
        if let Some(start) = &mut self.start {
            let late = now.saturating_duration_since(*start + self.due);
            *start += late.saturating_sub(self.plan.most_late());
        }
        self.done += 1;
        self.due = self.plan.due(self.done, &mut self.random);
    }
}
