//! Workers that are replaced after so many batches.

use crate::prelude::*;

#[task]
async fn pid_async(n: u64) -> u32 {
    if n.is_multiple_of(3) {
        tokio::task::yield_now().await;
    }
    std::process::id()
}

/// No worker has more than its batches, of one item each, and no more workers are started than that takes.
fn shares<T: Task<Input = u64, Output = u32, Error: Debug>>(
    option: impl Fn(AsynPmap<T>) -> AsynPmap<T>,
    (processes, batches, items): (usize, u64, u64),
) {
    let run = asyn_pmap::<T>(0..items).processes(processes);
    let run = run.batch_size(1).pool_maxtasksperchild(batches);
    let report = complete(option(run), items);
    let counts = report.shares();
    let what = format!("({processes}, {batches}, {items}): {counts:?}");
    assert!(counts.values().all(|&count| count <= batches), "{what}");
    assert!(counts.len() as u64 >= items.div_ceil(batches), "{what}");
    if processes == 1 {
        let exact = items.div_ceil(batches);
        assert_eq!(report.stats.workers_started, exact, "{what}");
    }
    assert_eq!(report.stats.workers_died, 0);
}

#[test_with(alone)]
fn with_a_backlog() {
    for ordered in [true, false] {
        for case in [
            (1, 2, 6),
            (2, 2, 8),
            (1, 1, 5),
            (3, 2, 7),
            (2, 100, 10),
            (2, 3, 40),
        ] {
            shares::<pid>(|run| run.ordered(ordered), case);
            shares::<pid_async>(|run| run.ordered(ordered), case);
        }
    }
}

#[test_with(alone)]
fn with_little_room() {
    for capacity in [1, 2, 3] {
        shares::<pid>(|run| run.capacity(capacity), (2, 2, 12));
        shares::<pid_async>(|run| run.capacity(capacity), (2, 2, 12));
    }
}

#[test_with(alone)]
fn while_items_crash() {
    for (processes, batches) in [(1, 1), (1, 3), (2, 2)] {
        let deeds = (0..30).map(|n| if n % 10 == 3 { Deed::Abort } else { Deed::Pid });
        let run = asyn_pmap::<act>(deeds).batch_size(1).crash_limit(2);
        let run = run.processes(processes).pool_maxtasksperchild(batches);
        assert_eq!(complete(run, 30).failed(), [3, 13, 23]);
    }
}
