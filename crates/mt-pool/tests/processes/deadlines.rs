//! Calls that take too long, or wait too long: asked to end, or ended, and nobody else with them.

mod hard;
mod queue;
mod soft;

use std::time::Duration;

use mt_pool::{Deadline, Recycle, TaskError, TaskErrorKind, asyn_pmap, task};

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
            .queue_deadline(Duration::MAX)
            .soft_deadline(Duration::MAX)
            .hard_deadline(Duration::MAX)
            .context_deadline(Duration::MAX)
            .init_deadline(Duration::MAX)
            .kill_grace(Duration::MAX)
            .exit_grace(Duration::MAX)
            .retries(1)
            .retry_pause(Duration::MAX, Duration::MAX)
            .recycle(
                Recycle::never()
                    .after_age(Duration::MAX)
                    .after_idle(Duration::MAX),
            );
        assert_eq!(complete(run.pool_processes(2), 20).failed(), [0; 0]);
        let run = asyn_pmap::<fails>([1]).soft_deadline(SHORT).retries(1);
        let run = run.retry_pause(Duration::from_nanos(1), Duration::from_nanos(1));
        assert_eq!(complete(run, 1).failed(), [0]);
    });
}
