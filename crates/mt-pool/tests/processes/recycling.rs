//! Workers that are replaced after so many batches.

use std::collections::BTreeMap;

use mt_pool::{AsynPmap, Task, asyn_pmap, task};

use crate::{report::complete, scene::check};

#[task]
fn pid(_: u64) -> u32 {
    std::process::id()
}

#[task]
async fn pid_async(n: u64) -> u32 {
    if n.is_multiple_of(3) {
        tokio::task::yield_now().await;
    }
    std::process::id()
}

/// No worker has more than `most` items, and no more workers are started than that takes.
fn shares<T: Task<Output = u32>>(run: AsynPmap<T>, (processes, batches, items): (usize, usize, u64))
where
    T::Error: std::fmt::Debug,
{
    let batch_size = 1;
    let run = run.pool_processes(processes).batch_size(batch_size);
    let report = complete(run.pool_maxtasksperchild(batches), items);
    let mut counts = BTreeMap::new();
    for outcome in &report.outcomes {
        *counts.entry(*outcome.as_ref().unwrap()).or_insert(0) += 1;
    }
    let most = batches * batch_size;
    let what = format!("({processes}, {batches}, {items}): {counts:?}");
    assert!(counts.values().all(|&count| count <= most), "{what}");
    assert!(counts.len() as u64 >= items.div_ceil(most as u64), "{what}");
    if processes == 1 {
        let exact = items.div_ceil(most as u64);
        assert_eq!(report.stats.workers_started, exact, "{what}");
    }
    assert_eq!(report.stats.workers_died, 0);
}

#[test]
fn with_a_backlog() {
    check(|| {
        for ordered in [true, false] {
            for case in [
                (1, 2, 6),
                (2, 2, 8),
                (1, 1, 5),
                (3, 2, 7),
                (2, 100, 10),
                (2, 3, 40),
            ] {
                shares(asyn_pmap::<pid>(0..case.2).pool_ordered(ordered), case);
                shares(
                    asyn_pmap::<pid_async>(0..case.2).pool_ordered(ordered),
                    case,
                );
            }
        }
    });
}

#[test]
fn with_little_room() {
    check(|| {
        for capacity in [1, 2, 3] {
            shares(asyn_pmap::<pid>(0..12).capacity(capacity), (2, 2, 12));
            shares(asyn_pmap::<pid_async>(0..12).capacity(capacity), (2, 2, 12));
        }
    });
}

#[task]
fn aborts_at_times(n: u64) -> u32 {
    if n % 10 == 3 {
        std::process::abort();
    }
    std::process::id()
}

#[test]
fn while_items_crash() {
    check(|| {
        for (processes, batches) in [(1, 1), (1, 3), (2, 2)] {
            let run = asyn_pmap::<aborts_at_times>(0..30)
                .batch_size(1)
                .crash_limit(2);
            let run = run.pool_processes(processes).pool_maxtasksperchild(batches);
            let report = complete(run, 30);
            assert_eq!(report.failed(), [3, 13, 23]);
        }
    });
}
