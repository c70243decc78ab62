//! Calls that use more memory than their worker may: who is charged with it, and who is not.

mod together;

use std::{
    cell::{Cell, RefCell},
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::prelude::*;

const MIB: u64 = 1 << 20;
/// Far more than a worker that does nothing.
const LIMIT: u64 = 128 * MIB;
/// More than the limit.
const HUGE: u64 = 192 * MIB;

/// Memory that is really there: every page is written to.
fn take(bytes: u64) -> Vec<u8> {
    let mut memory = vec![0_u8; bytes as usize];
    for page in memory.iter_mut().step_by(4096) {
        *page = 1;
    }
    memory
}

fn resident() -> u64 {
    mt_test_kit::resident_bytes()
}

#[task]
fn huge_at_3(n: u64) -> u64 {
    if n == 3 {
        let memory = take(HUGE);
        thread::sleep(FOR_EVER); // work: holds on to what it has
        drop(memory);
    }
    n
}

/// Item 3 is given up for its memory after so many workers; all others have their values.
#[track_caller]
fn only_3_is_too_large<T>(run: AsynPmap<T>, items: u64, oom_retries: u32) -> Report<u64, T::Error>
where
    T: Task<Output = u64>,
{
    let limits = MemoryLimits::new().max_rss_bytes(LIMIT);
    let report = complete(run.memory(limits.oom_retries(oom_retries)), items);
    report.lost_only(&[3]);
    let (rss_bytes, limit_bytes, attempts) = exceeded(report.kind(3));
    assert!(rss_bytes > LIMIT, "{rss_bytes}");
    assert_eq!((limit_bytes, attempts), (Some(LIMIT), oom_retries + 1));
    assert!(report.error(3).payload().is_some());
    let by_memory = |death: &Death| matches!(death.cause, DeathCause::MemoryExceeded { .. });
    assert!(report.deaths().iter().all(by_memory));
    report
}

/// The memory an item is given up for, the limit, and how many workers it has cost.
#[track_caller]
fn exceeded<E>(kind: &TaskErrorKind<E>) -> (u64, Option<u64>, u32) {
    match kind {
        TaskErrorKind::MemoryExceeded {
            rss_bytes,
            limit_bytes,
            attempts,
            ..
        } => (*rss_bytes, *limit_bytes, *attempts),
        _ => panic!("it is not about memory"),
    }
}

/// Case R33: A call that uses more memory than it may is tried alone as often as `oom_retries` says, and then given
/// up.
#[test_with(alone)]
fn one_item_of_many_that_needs_too_much() {
    for (oom_retries, processes) in [(0, 1), (2, 2)] {
        let run = asyn_pmap::<huge_at_3>(0..30).processes(processes);
        let report = only_3_is_too_large(run, 30, oom_retries);
        assert_eq!(report.deaths().len() as u32, oom_retries + 1);
    }
}

/// All that run when the large one grows wait for something that never comes.
#[task]
async fn huge_among_others(#[shared] folder: &Folder, n: u64) -> u64 {
    if n == 3 {
        folder.note("grown", 1);
        let memory = take(HUGE);
        std::future::pending::<()>().await;
        drop(memory);
    }
    if !folder.exists("grown") {
        std::future::pending::<()>().await;
    }
    n
}

/// Case M53: Of several calls in a worker that grew too large, each is run alone to see which it is.
#[test_with(alone)]
fn one_of_several_in_the_same_worker() {
    for oom_retries in [0, 1] {
        let folder = Folder::temp();
        let run = asyn_pmap::<huge_among_others>(0..6).shared(folder.clone());
        let report = only_3_is_too_large(run.processes(1), 6, oom_retries);
        // Together, and alone.
        assert_eq!(report.deaths().len() as u32, oom_retries + 2);
    }
}

/// Maps a file of so many bytes and reads every page of it, long enough to be seen with them.
#[task]
fn maps_a_file((path, bytes): (PathBuf, u64)) -> u64 {
    let sum = crate::platform::sum_of_pages(&path, bytes as usize);
    thread::sleep(Duration::from_millis(350)); // work: is weighed meanwhile
    sum
}

/// Case 27: Pages of files that a task maps do not count as its worker's memory.
#[test_with(in_folder)]
fn pages_of_files_do_not_count(folder: Folder) {
    let path = folder.file("large");
    fs::write(&path, vec![1; HUGE as usize]).unwrap();
    let run = asyn_pmap::<maps_a_file>([(path, HUGE)]).processes(1);
    let run = run.memory(MemoryLimits::new().max_rss_bytes(LIMIT));
    assert_eq!(values(run), [HUGE / 4096]);
}

/// Starts a program that holds so many bytes, and is weighed with it.
#[task]
fn has_a_child_with(bytes: u64) -> u64 {
    // Without the end of a line it has to keep all that comes.
    let mut child = Command::new("tail").stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    (0..bytes / MIB).for_each(|_| stdin.write_all(&vec![b'x'; MIB as usize]).unwrap());
    thread::sleep(Duration::from_millis(500)); // work: is weighed meanwhile
    child.kill().unwrap();
    child.wait().unwrap();
    bytes
}

/// Case 27: What programs use that a task starts counts as its worker's memory where that is asked for, and only there.
#[test_with(
    alone,
    not_on(windows, "there is no program that keeps all that it reads")
)]
fn children_count_where_that_is_asked_for() {
    let limits = MemoryLimits::new().max_rss_bytes(LIMIT).oom_retries(0);
    let run = || asyn_pmap::<has_a_child_with>([HUGE]).processes(1);
    assert_eq!(values(run().memory(limits)), [HUGE]);
    let report = complete(run().memory(limits.with_children(true)), 1);
    let (used, limit, _) = exceeded(report.kind(0));
    assert!(used > LIMIT && limit == Some(LIMIT), "{used}");
}

thread_local! {
    static KEPT: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
    static LEAKED: Cell<u64> = const { Cell::new(0) };
}

/// The last one needs nothing, but is not done as long as others have left much behind.
#[task]
fn leaks(n: u64) -> u64 {
    if n < 10 {
        KEPT.with_borrow_mut(|kept| kept.push(take(LIMIT / 8)));
        LEAKED.set(LEAKED.get() + LIMIT / 8);
    } else if LEAKED.get() >= LIMIT {
        thread::sleep(FOR_EVER); // work: until somebody looks at the memory
    }
    n
}

/// Case M54: What earlier items have left behind is not held against the last.
#[test_with(alone)]
fn what_others_have_left_behind_is_not_held_against_the_last() {
    let run = asyn_pmap::<leaks>(0..11).memory(MemoryLimits::new().max_rss_bytes(LIMIT));
    let report = complete(run.processes(1), 11);
    assert_eq!(report.failed(), [0; 0]);
    assert!(!report.deaths().is_empty());
}

#[task]
fn huge_init() {
    let memory = take(HUGE);
    thread::sleep(FOR_EVER); // work: holds on to what it has
    drop(memory);
}

/// Case M148: An init that needs more memory than a worker may use counts against the restart budget.
#[test_with(alone)]
fn an_init_that_needs_too_much_ends_the_run() {
    let run = asyn_pmap::<huge_at_3>(0..10).init::<huge_init>(());
    let run = run.memory(MemoryLimits::new().max_rss_bytes(LIMIT));
    let report = complete(run.workers(restarts(1)).processes(1), 10);
    assert_is!(*report.no_workers(0), WorkerFailure::DiedInSetup { death }
        if matches!(death.cause, DeathCause::MemoryExceeded { .. }));
    assert_eq!(report.failed().len(), 10);
    assert_eq!(report.stats.workers_started, 2);
}

#[task]
fn own_size(_: u64) -> u64 {
    resident()
}

/// Every worker is too large from its first moment. What is quick is done; what is not, is not.
#[test_with(alone)]
fn a_limit_that_no_worker_can_keep() {
    let tiny = || MemoryLimits::new().max_rss_bytes(1);
    let run = asyn_pmap::<own_size>(0..500).memory(tiny()).processes(2);
    for outcome in complete(run, 500).outcomes {
        match outcome.as_ref().map_err(|error| error.kind()) {
            Ok(&size) => assert!(size > 1),
            Err(TaskErrorKind::MemoryExceeded { .. } | TaskErrorKind::Pool(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    let report = complete(asyn_pmap::<huge_at_3>([3]).memory(tiny()), 1);
    assert_is!(
        *report.kind(0),
        TaskErrorKind::MemoryExceeded { .. } | TaskErrorKind::Pool(_)
    );
}

/// With a crash limit of one nothing is ever started twice, whatever it is killed for.
///
/// Case M149: With `crash_limit(1)` no item is started twice for its memory either.
#[test_with(alone)]
fn memory_starts_nothing_twice_where_nothing_may_be() {
    let run = asyn_pmap::<huge_at_3>(0..8).processes(1).crash_limit(1);
    let limits = MemoryLimits::new().max_rss_bytes(LIMIT).oom_retries(5);
    let report = complete(run.memory(limits), 8);
    report.lost_only(&[3]);
    assert_eq!(exceeded(report.kind(3)).2, 1);
}
