//! Calls that take too long, or wait too long: asked to end, or ended, and nobody else with them.

mod hard;
mod queue;
mod soft;

use crate::prelude::*;

/// Far longer than any call here takes by itself, however busy the machine is.
const LONG: Duration = Duration::from_millis(600);
const SHORT: Duration = Duration::from_millis(30);

#[track_caller]
fn is_timeout<E: std::fmt::Debug>(error: &TaskError<E>, which: Deadline, after: Duration) {
    assert_is!(*error.kind(), TaskErrorKind::TimedOut { deadline, limit }
        if *deadline == which && *limit == after);
}

#[task]
fn fails(_: u64) -> Result<(), String> {
    Err("never".into())
}

/// Case M26: Times may be as long as there are; beyond 30 years they mean "never".
#[test_with(alone)]
fn times_without_an_end_can_be_given() {
    let (max, nano) = (Duration::MAX, Duration::from_nanos(1));
    let deadlines = hard(max).queue(max).soft(max).context(max).init(max);
    let run = asyn_pmap::<double_async>([0; 20])
        .deadlines(deadlines.kill_grace(max).exit_grace(max))
        .retries(Retries::new(1).pause(max, max))
        .recycle(Recycle::new().after_age(max).after_idle(max));
    assert_eq!(complete(run.processes(2), 20).failed(), [0; 0]);
    let run = asyn_pmap::<fails>([1]).deadlines(soft(SHORT));
    let run = run.retries(Retries::new(1).pause(nano, nano));
    assert_eq!(complete(run, 1).failed(), [0]);
}
