//! Workers that die: what they ran is tried again alone and given up in the end, nothing else is lost.

use std::{collections::BTreeMap, path::PathBuf};

use mt_pool::{AsynPmap, DeathCause, Task, asyn_pmap, task};
use serde::{Deserialize, Serialize};

use crate::{
    deed::{Deed, act, act_async, note, noted},
    report::{Report, by_itself, complete},
    scene::check,
};

const ITEMS: u64 = 20;
const POISONED: usize = 7;

/// Twenty items of which one does this.
fn poisoned(deed: &Deed) -> Vec<Deed> {
    let mut deeds: Vec<Deed> = (0..ITEMS).map(Deed::Return).collect();
    deeds[POISONED] = deed.clone();
    deeds
}

/// The one item is given up after `limit` deaths and can be read; all others have their values.
#[track_caller]
fn only_the_poisoned_is_lost<T>(run: AsynPmap<T>, deed: &Deed, limit: u32) -> Report<T>
where
    T: Task<Input = Deed, Output = u64>,
    T::Error: std::fmt::Debug,
{
    let report = complete(run.crash_limit(limit), ITEMS);
    assert_eq!(report.failed(), [POISONED]);
    for (index, outcome) in report.outcomes.iter().enumerate() {
        assert!(outcome.as_ref().is_ok_and(|n| *n == index as u64) || index == POISONED);
    }
    let (_, attempts) = report.crash(POISONED);
    assert_eq!(attempts, limit);
    assert_eq!(
        report.deaths().len(),
        limit as usize,
        "{:?}",
        report.deaths()
    );
    let item = report.error(POISONED).item::<Deed>().unwrap().unwrap();
    assert_eq!(&item, deed);
    report
}

/// Sync and async, ordered and not, with one worker and with three.
#[track_caller]
fn every_way(deed: Deed, code: Option<i32>, signal: Option<i32>) {
    for (ordered, processes) in [(true, 1), (true, 3), (false, 3)] {
        let run = asyn_pmap::<act>(poisoned(&deed));
        let run = run.pool_ordered(ordered).pool_processes(processes);
        let report = only_the_poisoned_is_lost(run, &deed, 3);
        assert_eq!(by_itself(&report.crash(POISONED).0), (code, signal));
        let run = asyn_pmap::<act_async>(poisoned(&deed));
        let run = run.pool_ordered(ordered).pool_processes(processes);
        let report = only_the_poisoned_is_lost(run, &deed, 2);
        assert_eq!(by_itself(&report.crash(POISONED).0), (code, signal));
    }
}

#[test]
fn an_abort() {
    check(|| every_way(Deed::Abort, None, Some(6)));
}

#[test]
fn a_segfault() {
    check(|| every_way(Deed::Segfault, None, Some(11)));
}

#[test]
fn a_stack_overflow() {
    check(|| every_way(Deed::Overflow, None, Some(6)));
}

#[test]
fn an_exit_without_a_result_is_no_success() {
    check(|| every_way(Deed::Exit(0), Some(0), None));
}

#[test]
fn an_exit_code_is_told() {
    check(|| every_way(Deed::Exit(42), Some(42), None));
}

#[test]
fn a_kill() {
    check(|| every_way(Deed::Signal(9), None, Some(9)));
}

#[test]
fn a_panic_while_panicking() {
    check(|| every_way(Deed::PanicTwice, None, Some(6)));
}

/// Garbage on the connection is no item's outcome: the worker is killed and replaced.
#[test]
fn garbage_where_results_go() {
    check(|| {
        for garbage in [
            vec![0xff; 64],
            vec![0; 64],
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        ] {
            let deed = Deed::Garble(garbage);
            let run = asyn_pmap::<act>(poisoned(&deed)).pool_processes(2);
            let report = only_the_poisoned_is_lost(run, &deed, 2);
            let (death, _) = report.crash(POISONED);
            assert!(
                matches!(death.cause, DeathCause::BrokeProtocol(_)),
                "{death}"
            );
        }
    });
}

/// The first item is poison, and there is no room for the others to go on meanwhile.
#[test]
fn at_the_head_of_the_line() {
    check(|| {
        for capacity in [1, 2, 5] {
            for processes in [1, 2] {
                let deeds = [vec![Deed::Abort], (0..9).map(Deed::Return).collect()].concat();
                let run = asyn_pmap::<act>(deeds)
                    .capacity(capacity)
                    .pool_processes(processes);
                let report = complete(run, 10);
                assert_eq!(report.failed(), [0]);
                assert_eq!(report.crash(0).1, 3);
            }
        }
    });
}

#[test]
fn all_descriptors_closed() {
    check(|| {
        let run = asyn_pmap::<act>(poisoned(&Deed::CloseAll)).pool_processes(2);
        only_the_poisoned_is_lost(run, &Deed::CloseAll, 2);
    });
}

/// Where starts are counted.
#[derive(Serialize, Deserialize)]
struct Log(PathBuf);

#[task]
fn noted_abort(#[shared] log: &Log, item: u8) -> u8 {
    note(&log.0, item);
    if item % 50 == 25 {
        std::process::abort();
    }
    item
}

#[task]
async fn noted_abort_async(#[shared] log: &Log, item: u8) -> u8 {
    note(&log.0, item);
    tokio::task::yield_now().await;
    if item % 50 == 25 {
        std::process::abort();
    }
    item
}

fn never_twice<T: Task<Input = u8, Output = u8, Shared = Log>>()
where
    T::Error: std::fmt::Debug,
{
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("starts");
    let run = asyn_pmap::<T>(0..200)
        .shared(Log(log.clone()))
        .crash_limit(1);
    let report = complete(run.pool_processes(3), 200);
    let mut starts = BTreeMap::new();
    for item in noted(&log) {
        *starts.entry(item).or_insert(0) += 1;
    }
    for index in 0..200_usize {
        let count = starts.get(&(index as u8)).copied().unwrap_or(0);
        assert_eq!(count, 1, "item {index} was started {count} times");
        if report.outcomes[index].is_err() {
            assert_eq!(report.crash(index).1, 1);
        }
    }
    for poisoned in [25, 75, 125, 175] {
        report.crash(poisoned);
    }
    assert!(report.deaths().len() <= 4);
}

#[test]
fn a_crash_limit_of_one_never_starts_an_item_twice() {
    check(|| {
        never_twice::<noted_abort>();
        never_twice::<noted_abort_async>();
    });
}
