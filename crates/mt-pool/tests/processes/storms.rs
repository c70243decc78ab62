//! Workers killed from outside, many and all at once, at any moment.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use mt_pool::{AsynPmap, PoolEvent, Task, asyn_pmap, task};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    deed::{note, noted},
    scene::check,
};

#[task]
fn work(n: u64) -> u64 {
    thread::sleep(Duration::from_micros(n % 5 * 100)); // work: some items take longer than others
    n
}

#[task]
async fn work_async(n: u64) -> u64 {
    tokio::time::sleep(Duration::from_micros(n % 5 * 300)).await; // work: waits as a task would
    n
}

#[task]
fn big(n: u64) -> Vec<u64> {
    vec![n; 1 << 19]
}

#[task]
fn take_big(bytes: Vec<u64>) -> u64 {
    bytes[0]
}

/// The pids of the workers that live, as the run tells them.
pub(crate) type Living = Arc<Mutex<BTreeSet<u32>>>;

fn watch<T: Task>(run: AsynPmap<T>) -> (AsynPmap<T>, Living) {
    let living = Living::default();
    let told = Arc::clone(&living);
    let run = run.observe(move |event| match event {
        PoolEvent::WorkerStarted { pid, .. } => drop(told.lock().unwrap().insert(*pid)),
        PoolEvent::WorkerDied { pid, .. } | PoolEvent::WorkerLeft { pid, .. } => {
            told.lock().unwrap().remove(pid);
        }
        _ => {}
    });
    (run, living)
}

pub(crate) fn kill_all(living: &Living) {
    // Under the lock: what is in the set is not reaped, so the number is not somebody else's.
    for pid in living.lock().unwrap().iter() {
        let pid = Pid::from_raw(pid.cast_signed()).unwrap();
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Kills every worker each time so many outcomes are out. All items come out once; with enough
/// patience for suspects, all with their values.
fn under_fire<T: Task>(run: AsynPmap<T>, items: u64, every: u64, value: impl Fn(&T::Output) -> u64)
where
    T::Error: std::fmt::Debug,
{
    // So few places that the run can't be over when the first shots fall.
    let (run, living) = watch(run.crash_limit(1000).capacity(2 * every as usize));
    let mut run = run.start().unwrap().indexed().into_iter();
    let mut seen = BTreeSet::new();
    for (index, outcome) in run.by_ref() {
        assert!(seen.insert(index), "{index} came twice");
        assert_eq!(value(&outcome.unwrap()), index);
        if (seen.len() as u64).is_multiple_of(every) {
            kill_all(&living);
        }
    }
    assert_eq!(seen.len() as u64, items);
    assert!(run.stats().workers_died > 0);
    assert!(living.lock().unwrap().is_empty());
}

#[test]
fn all_workers_killed_in_the_same_instant_again_and_again() {
    check(|| {
        for ordered in [true, false] {
            let run = asyn_pmap::<work>(0..2000)
                .pool_ordered(ordered)
                .pool_processes(3);
            under_fire(run, 2000, 300, |n| *n);
            let run = asyn_pmap::<work_async>(0..2000)
                .pool_ordered(ordered)
                .pool_processes(3);
            under_fire(run, 2000, 300, |n| *n);
        }
    });
}

#[test]
fn killed_in_the_middle_of_a_body_larger_than_the_socket_buffer() {
    check(|| {
        let run = asyn_pmap::<big>(0..40).pool_processes(2).capacity(10);
        under_fire(run, 40, 3, |values| values[0]);
        let items = (0..40).map(|n| vec![n; 1 << 19]);
        let run = asyn_pmap::<take_big>(items).pool_processes(2).capacity(10);
        under_fire(run, 40, 3, |n| *n);
    });
}

#[task]
fn kills_its_mate(pids: std::path::PathBuf, n: u64) -> u64 {
    let own = std::process::id();
    for byte in own.to_le_bytes() {
        note(&pids.join(format!("{own}")), byte);
    }
    if n.is_multiple_of(10) && noted(&pids.join(format!("done-{n}"))).is_empty() {
        note(&pids.join(format!("done-{n}")), 1);
        kill_others(&pids, own);
    }
    n
}

fn kill_others(pids: &Path, own: u32) {
    for entry in std::fs::read_dir(pids).unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        // Only a worker of this run: a child of the same parent.
        if pid != own && parent_of(pid).is_some_and(|parent| Some(parent) == parent_of(own)) {
            let _ = kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL);
        }
    }
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(1)?.parse().ok()
}

#[test]
fn workers_that_kill_each_other() {
    check(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let items = (0..200).map(move |n| (path.clone(), n));
        let run = asyn_pmap::<kills_its_mate>(items)
            .pool_processes(3)
            .crash_limit(1000);
        let values: Vec<u64> = run
            .start()
            .unwrap()
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(values, (0..200).collect::<Vec<_>>());
    });
}
