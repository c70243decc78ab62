//! Calls that take too long, or wait too long: asked to end, or ended, and nobody else with them.

mod hard;
mod queue;
mod soft;

use std::time::Duration;

use mt_pool::{
    TaskError, TaskErrorKind, asyn_pmap,
    error::Deadline,
    limits::{Deadlines, Recycle, Retries},
    task,
};

use crate::{report::complete, scene::check, tasks::double_async};

/// Far longer than any call here takes by itself, however busy the machine is.
const LONG: Duration = Duration::from_millis(600);
const SHORT: Duration = Duration::from_millis(30);

#[track_caller]
fn is_timeout<E: std::fmt::Debug>(error: &TaskError<E>, which: Deadline, after: Duration) {
    assert!(
        matches!(error.kind(), TaskErrorKind::TimedOut { deadline, limit }
            if *deadline == which && *limit == after),
        "{error:?}"
    );
}

#[task]
fn fails(_: u64) -> Result<(), String> {
    Err("never".into())
}

#[test]
fn times_without_an_end_can_be_given() {
    check(|| {
        let run = asyn_pmap::<double_async>([0; 20])
            .deadlines(
                Deadlines::new()
                    .queue(Duration::MAX)
                    .soft(Duration::MAX)
                    .hard(Duration::MAX)
                    .context(Duration::MAX)
                    .init(Duration::MAX)
                    .kill_grace(Duration::MAX)
                    .exit_grace(Duration::MAX),
            )
            .retries(Retries::new(1).pause(Duration::MAX, Duration::MAX))
            .recycle(
                Recycle::new()
                    .after_age(Duration::MAX)
                    .after_idle(Duration::MAX),
            );
        assert_eq!(complete(run.processes(2), 20).failed(), [0; 0]);
        let run = asyn_pmap::<fails>([1])
            .deadlines(Deadlines::new().soft(SHORT))
            .retries(Retries::new(1).pause(Duration::from_nanos(1), Duration::from_nanos(1)));
        assert_eq!(complete(run, 1).failed(), [0]);
    });
}
