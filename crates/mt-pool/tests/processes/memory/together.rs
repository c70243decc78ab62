//! Workers that need too much together, and a machine that has too little.

use super::{HUGE, LIMIT, MIB, exceeded, take};
use crate::prelude::*;

#[task]
fn holds(bytes: u64) -> u64 {
    let memory = take(bytes);
    thread::sleep(Duration::from_millis(250)); // work: long enough for somebody to look
    let pages = memory.iter().step_by(4096);
    pages.map(|&byte| u64::from(byte)).sum()
}

/// Together they need far more than there is; one by one all are done, and nobody is charged.
///
/// Case M55: Workers that use more than `budget_bytes` together make room, the youngest first, and nobody is charged.
#[test_with(alone)]
fn items_that_fit_only_one_at_a_time() {
    let bytes = LIMIT / 2;
    let run = asyn_pmap::<holds>([bytes; 6]).processes(3);
    let run = run.memory(MemoryLimits::new().budget_bytes(LIMIT));
    let report = complete(run.crash_limit(2), 6);
    let displaced = |death: &Death| death.cause == DeathCause::Displaced;
    assert!(report.deaths().iter().all(displaced));
    assert_eq!(report.values(), [bytes / 4096; 6]);
}

#[test_with(alone)]
fn an_item_that_needs_more_than_all_workers_may_have() {
    let run = asyn_pmap::<holds>([MIB, HUGE, MIB]).processes(2);
    let limits = MemoryLimits::new().budget_bytes(LIMIT).oom_retries(1);
    let report = complete(run.memory(limits), 3);
    assert_eq!(report.failed(), [1]);
    let (_, limit_bytes, attempts) = exceeded(report.kind(1));
    assert_eq!((limit_bytes, attempts), (Some(LIMIT), 2));
}

#[task]
fn fails_or_dies_once(#[shared] folder: &Folder, n: u64) -> Result<u64, String> {
    if folder.first(&format!("{n}")) {
        match n % 10 {
            3 => std::process::abort(),
            7 => return Err("not yet".into()),
            _ => {}
        }
    }
    Ok(n)
}

/// The machine never has any memory left, as far as this run goes: it goes on all the same.
///
/// Case M56: Above `pause_above` a run goes on, one item at a time.
#[test_with(alone)]
fn a_machine_without_memory() {
    for ordered in [true, false] {
        let folder = Folder::temp();
        let run = asyn_pmap::<fails_or_dies_once>(0..60).shared(folder.clone());
        let run = run.processes(3).ordered(ordered).retries(1);
        let report = complete(run.memory(MemoryLimits::new().pause_above(Some(0.0))), 60);
        assert_eq!(report.failed(), [0; 0]);
    }
}
