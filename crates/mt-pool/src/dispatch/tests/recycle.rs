//! When workers that grow old, or large, are replaced.

use std::{collections::BTreeSet, time::Duration};

use mt_proto::WorkerId;

use super::{super::Event, model::Model};
use crate::limits::Recycle;

const WORKERS: u32 = 20;
const MILLISECOND: Duration = Duration::from_millis(1);

/// How a worker grows by a hundredth of what it may, and what that is.
type Growth = (fn(&mut Recycle), fn(&mut Model, u64));

const AGE: Growth = (
    |recycle| recycle.age = Some(100 * MILLISECOND),
    |model, _| model.pass(MILLISECOND),
);
const SIZE: Growth = (
    |recycle| recycle.rss_bytes = Some(100),
    |model, bytes| {
        let weights = model.workers.keys().map(|worker| (*worker, bytes));
        model.tell(Event::Weighed(weights.collect(), false));
    },
);

/// How much of what each of the workers may have it had when it was replaced, in hundredths.
fn replaced_at((limit, grow): Growth, jitter: f64) -> Vec<u64> {
    let mut model = Model::but(|config| {
        config.processes = WORKERS;
        config.recycle = Recycle::new().jitter(jitter);
        limit(&mut config.recycle);
    });
    model.input(2 * WORKERS);
    let workers: Vec<_> = (0..WORKERS).map(WorkerId).collect();
    for worker in &workers {
        model.ready(*worker);
        while let Some(item) = model.start_one(*worker) {
            model.finish(*worker, item, 1);
        }
    }
    let times = (1..=110).flat_map(|time| {
        let before = workers.iter().filter(|worker| !model.is_retired(**worker));
        let before: Vec<_> = before.copied().collect();
        grow(&mut model, time);
        let gone = before.iter().filter(|worker| model.is_retired(**worker));
        vec![time; gone.count()]
    });
    times.collect()
}

/// Case M141: Workers are replaced up to a part of `jitter` before they have reached their age or size, at random, each at
/// another time; without it all at once.
#[test]
fn workers_of_the_same_age_or_size_are_replaced_at_different_times() {
    for growth in [AGE, SIZE] {
        let at_once: BTreeSet<_> = replaced_at(growth, 0.0).into_iter().collect();
        assert_eq!(at_once.len(), 1, "{at_once:?}");
        let last = at_once.last().copied().unwrap();
        assert!((100..=101).contains(&last));
        for (jitter, first, different) in [(0.1, 90, 5), (0.5, 50, 10), (1.0, 1, 14)] {
            let times = replaced_at(growth, jitter);
            assert_eq!(times.len(), WORKERS as usize, "all of them are");
            assert!(
                times.iter().all(|time| (first..=last).contains(time)),
                "{times:?}"
            );
            let times: BTreeSet<_> = times.into_iter().collect();
            assert!(times.len() >= different, "{times:?}");
        }
    }
}
