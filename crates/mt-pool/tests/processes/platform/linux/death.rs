//! Deaths that signals come to.

use crate::{
    death::{ITEMS, POISONED, only_the_poisoned_is_lost, poisoned},
    prelude::*,
};

/// Case M162: A worker that is ended by a `SIGTERM` from outside is told apart from a crash.
#[test_with(alone)]
fn a_worker_that_somebody_asks_to_end() {
    for death in [
        only_the_poisoned_is_lost::<act>(&Deed::Signal(15), 2, (true, 2)),
        only_the_poisoned_is_lost::<act_async>(&Deed::Signal(15), 2, (false, 2)),
    ] {
        assert_eq!(death.cause, DeathCause::Terminated, "{death}");
        assert_eq!(death.exit.signal, Some(15));
    }
}

/// Case M163: Workers that ignore a `SIGTERM` go on when it comes from outside, and end when their parent sends it.
#[test_with(alone)]
fn a_worker_that_ignores_what_its_parent_has_not_sent() {
    let ignores = WorkerOptions::new().ignore_terminate(true);
    let deeds = (0..ITEMS).map(|_| Deed::TakeSignal(15));
    let report = complete(asyn_pmap::<act>(deeds).workers(ignores.clone()), ITEMS);
    assert_eq!(
        (report.stats.succeeded, report.stats.workers_died),
        (ITEMS, 0)
    );
    let late = asyn_pmap::<act>(poisoned(&Deed::Spin)).workers(ignores);
    let report = complete(late.deadlines(hard(Duration::from_millis(100))), ITEMS);
    report.lost_only(&[POISONED]);
    let deaths = report.deaths();
    assert_eq!(
        (&deaths[0].cause, deaths[0].exit.signal),
        (&DeathCause::Overran, Some(15))
    );
}
