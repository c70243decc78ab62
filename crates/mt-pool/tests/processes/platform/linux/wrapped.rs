//! Workers that another program is put before: one that becomes the worker, and one that stays above it.

use std::{fs, path::PathBuf, process::Command};

use mt_ipc::SpawnError;
use mt_test_kit::is_gone;
use rustix::process::getppid;

use crate::prelude::*;

const BECOMES: &str = r#"exec "$@""#;
const STAYS: &str = r#""$@"; code=$?; exit $code"#;

fn wrapped(folder: &Folder, name: &str, script: &str) -> WorkerOptions {
    let script = folder.script(name, script);
    discards().wrapper("env", ["MT_POOL_TEST_WRAPPED=yes".into(), script])
}

/// The worker and its parent.
#[task]
fn above(_: u64) -> (u32, u32) {
    assert_eq!(std::env::var("MT_POOL_TEST_WRAPPED").unwrap(), "yes");
    let parent = getppid().unwrap().as_raw_nonzero().get();
    (std::process::id(), parent.unsigned_abs())
}

/// Case M196: A wrapper may become the worker or stay above it; a pool uses workers again for runs with the same one.
#[test_with(in_folder)]
fn a_wrapper_becomes_the_worker_or_stays_above(folder: Folder) {
    let pool = Pool::builder().processes(3).start().unwrap();
    let seen = |options: &WorkerOptions| {
        let run = asyn_pmap::<above>([0]).processes(1).pool(&pool);
        values(run.workers(options.clone())).remove(0)
    };
    let becomes = wrapped(&folder, "becomes", BECOMES);
    let stays = wrapped(&folder, "stays", STAYS);
    let first = seen(&becomes);
    assert_eq!(first.1, std::process::id());
    let second = seen(&stays);
    assert_ne!(second.1, std::process::id());
    assert_eq!((seen(&becomes), seen(&stays)), (first, second));
    drop(pool);
    wait_until_gone(&[first.0, second.0, second.1]);
}

/// Case M197: How a worker under a wrapper ended is told, as far as the wrapper tells, and nothing is left of the two.
#[test_with(in_folder)]
fn deaths_below_a_wrapper_are_told(folder: Folder) {
    for (script, signal, code) in [(BECOMES, Some(6), None), (STAYS, None, Some(134))] {
        let run = asyn_pmap::<act>([Deed::Abort]).processes(1).crash_limit(1);
        let report = complete(run.workers(wrapped(&folder, "wrapper", script)), 1);
        let exit = report.crash(0).0.exit;
        assert_eq!((exit.signal, exit.code), (signal, code));
    }
    let nowhere = restarts(0).wrapper("/nowhere/wrapper", [""; 0]);
    let report = complete(asyn_pmap::<above>([0]).processes(1).workers(nowhere), 1);
    assert_is!(*report.no_workers(0), WorkerFailure::Spawn(SpawnError::Program { program, .. })
        if program == "/nowhere/wrapper");
    let empty = WorkerOptions::new().wrapper("", [""; 0]);
    let run = asyn_pmap::<above>([0]).workers(empty);
    assert_eq!(refused(run.start()).0, "workers.wrapper");
}

/// Asks its own process to end by way of another program, then tells both ids and gets no further.
#[task]
fn is_asked_to_end(file: PathBuf) -> u64 {
    let pid = std::process::id().to_string();
    Command::new("kill").arg(&pid).status().unwrap();
    let parent = getppid().unwrap().as_raw_nonzero();
    fs::write(file.with_extension("new"), format!("{pid} {parent}")).unwrap();
    fs::rename(file.with_extension("new"), file).unwrap();
    thread::sleep(FOR_EVER); // work: never gets anywhere
    0
}

/// Starts a run of one item, and returns it with the ids of the worker and its parent.
fn started(
    folder: &Folder,
    run: AsynPmap<is_asked_to_end>,
) -> (mt_pool::Pmap<is_asked_to_end>, Vec<u32>) {
    let file = folder.file("ids");
    let run = run.processes(1).crash_limit(1).start().unwrap();
    wait_until(|| file.exists());
    let ids = fs::read_to_string(&file).unwrap();
    fs::remove_file(file).unwrap();
    (run, ids.split(' ').map(|id| id.parse().unwrap()).collect())
}

/// Case M198: Below a wrapper that stays a `SIGTERM` of others is ignored and the pool's is not; all of it ends with the run.
#[test_with(in_folder)]
fn what_is_below_a_wrapper_that_stays_ends_with_the_run(folder: Folder) {
    let options = wrapped(&folder, "stays", STAYS).ignore_terminate(true);
    let new = || asyn_pmap::<is_asked_to_end>([folder.file("ids")]).workers(options.clone());
    let (run, ids) = started(&folder, new());
    drop(run);
    wait_until_gone(&ids);
    let (run, ids) = started(&folder, new());
    // This process is the pool's. A signal that comes while another of its kind waits to be seen is none of its own.
    wait_until(|| {
        is_gone(ids[0]) || {
            signal(ids[0], Signal::TERM);
            false
        }
    });
    let outcomes: Vec<_> = run.into_iter().collect();
    assert_is!(outcomes[0].as_ref().unwrap_err().kind(), TaskErrorKind::Crashed { death, .. }
        if death.exit.code == Some(143));
    wait_until_gone(&ids);
}

/// Uses the processor for a while that is longer than a worker may get no further.
#[task]
fn is_busy(_: u64) -> u64 {
    let until = std::time::Instant::now() + Duration::from_secs(2);
    while std::time::Instant::now() < until {
        std::hint::spin_loop();
    }
    1
}

/// Case M199: A worker that is busy is known to be below a wrapper that sleeps.
#[test_with(in_folder)]
fn a_busy_worker_is_known_below_a_wrapper_that_sleeps(folder: Folder) {
    let mut policy = beats(50, 20);
    policy.blocked_checks = 4;
    let options = wrapped(&folder, "stays", STAYS).liveness(policy);
    let run = asyn_pmap::<is_busy>([0]).processes(1).crash_limit(1);
    assert_eq!(values(run.workers(options)), [1]);
}
