//! The folder and the environment that workers find.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use mt_ipc::SpawnError;

use crate::{platform::set_variable, prelude::*};

const VARIABLE: &str = "MT_POOL_TEST_HERE";

/// The folder, the variable, and the process.
type Found = (PathBuf, Option<String>, u32);

#[task]
fn here(_: u64) -> Found {
    let folder = env::current_dir().unwrap_or_default();
    (folder, env::var(VARIABLE).ok(), std::process::id())
}

/// Goes to a folder of this name, made if it is not there.
fn go(folder: &Folder, name: &str) -> PathBuf {
    let path = fs::canonicalize(folder.path()).unwrap().join(name);
    fs::create_dir_all(&path).unwrap();
    env::set_current_dir(&path).unwrap();
    set_variable(VARIABLE, name);
    path
}

/// Runs in a folder, and comes back to where it was.
fn travels(folder: &Folder, journey: impl FnOnce(&Folder)) {
    let home = env::current_dir().unwrap();
    journey(folder);
    env::set_current_dir(home).unwrap();
}

fn found(pool: &Pool) -> Found {
    values(asyn_pmap::<here>([0]).pool(pool)).remove(0)
}

fn is_at(found: &Found, path: &Path, name: &str) {
    assert_eq!((found.0.as_path(), found.1.as_deref()), (path, Some(name)));
}

/// Case 22: All workers of a run have the folder and the environment of its start, whatever the host does meanwhile.
#[test_with(in_folder)]
fn those_of_the_start_hold_for_the_first_worker_and_for_those_that_replace_it(folder: Folder) {
    travels(&folder, |folder| {
        let start = go(folder, "start");
        let elsewhere = folder.clone();
        let items = (0..5).inspect(move |_| drop(go(&elsewhere, "elsewhere")));
        let run = asyn_pmap::<here>(items).recycle(Recycle::new().after_items(1));
        let all = values(run.processes(1));
        all.iter().for_each(|found| is_at(found, &start, "start"));
        let pids: BTreeSet<u32> = all.iter().map(|found| found.2).collect();
        assert_eq!(pids.len(), 5, "each worker had one item");
    });
}

/// Case 22: A worker that waits in a pool is used again by runs that start in the same folder with the same environment only.
#[test_with(in_folder)]
fn shared_workers_are_those_of_the_same_folder_and_environment(folder: Folder) {
    travels(&folder, |folder| {
        let pool = Pool::builder().processes(2).start().unwrap();
        let start = go(folder, "start");
        let first = found(&pool);
        is_at(&first, &start, "start");
        let other = go(folder, "other");
        is_at(&found(&pool), &other, "other");
        go(folder, "start");
        assert_eq!(found(&pool), first, "the same again");
        set_variable(VARIABLE, "new");
        is_at(&found(&pool), &start, "new");
        // Another folder in the same place.
        go(folder, "start");
        fs::remove_dir(&start).unwrap();
        let again = found_after(&pool, || drop(go(folder, "start")));
        is_at(&again, &start, "start");
        assert_ne!(again.2, first.2);
    });
}

fn found_after(pool: &Pool, change: impl FnOnce()) -> Found {
    change();
    found(pool)
}

/// Case 22: A run whose folder is gone when a worker is to start says so.
#[test_with(in_folder)]
fn a_folder_that_is_gone_is_told(folder: Folder) {
    travels(&folder, |folder| {
        let start = go(folder, "start");
        let gone = start.clone();
        // One alone: what is pulled after there was no worker is not known.
        let items = (0..1).inspect(move |_| drop(fs::remove_dir(&gone)));
        let run = asyn_pmap::<here>(items).workers(restarts(0));
        let report = complete(run.processes(1), 1);
        assert_is!(*report.no_workers(0), WorkerFailure::Spawn(SpawnError::Folder { folder })
            if Path::new(folder) == start);
        // Whoever starts in no folder at all has none in its workers.
        assert_eq!(values(asyn_pmap::<here>([0]))[0].0, PathBuf::new());
    });
}

/// What is said of folder and environment holds for the first worker, for one that replaces it, and chooses among those
/// that wait in a pool.
#[test_with(in_folder)]
fn those_that_are_given_hold_for_all_workers_and_are_what_is_shared_by(folder: Folder) {
    travels(&folder, |folder| {
        let given = go(folder, "given");
        go(folder, "start");
        let options = WorkerOptions::new().env_remove(VARIABLE).cwd("../given");
        let options = options.env("MT_POOL_TEST_LEFT", "x").env(VARIABLE, "set");
        let elsewhere = folder.clone();
        let items = (0..3).inspect(move |_| drop(go(&elsewhere, "elsewhere")));
        let run = asyn_pmap::<here>(items).recycle(Recycle::new().after_items(1));
        let all = values(run.processes(1).workers(options.clone()));
        all.iter().for_each(|found| is_at(found, &given, "set"));

        let pool = Pool::builder().processes(2).start().unwrap();
        let found = |options: &WorkerOptions| {
            let run = asyn_pmap::<here>([0]).pool(&pool);
            values(run.workers(options.clone())).remove(0)
        };
        let first = found(&options);
        let without = found(&options.clone().env_remove(VARIABLE));
        assert_eq!((&without.0, &without.1), (&given, &None));
        assert_ne!(without.2, first.2);
        // Other words for the same.
        go(folder, "start");
        let same = WorkerOptions::new().env("MT_POOL_TEST_LEFT", "x");
        let same = same.cwd(&given).env(VARIABLE, "no").env(VARIABLE, "set");
        assert_eq!(found(&same), first);
    });
}

/// What can't be given is refused by the name of its option.
#[test]
fn names_values_and_folders_that_can_not_be_are_refused() {
    let new = WorkerOptions::new;
    for (workers, option) in [
        (new().env("", "x"), "workers.env"),
        (new().env("A=B", "x"), "workers.env"),
        (new().env_remove("A\0"), "workers.env"),
        (new().env("A", "\0"), "workers.env"),
        (new().cwd("/nowhere"), "workers.cwd"),
        (new().cwd(""), "workers.cwd"),
    ] {
        let run = asyn_pmap::<here>([0]).workers(workers);
        assert_eq!(refused(run.start()).0, option);
    }
}
