//! Inits that fail, in every way: for good, at first, or without an end.

use mt_pool::error::SetupStep;

use crate::prelude::*;

#[task]
fn init_fails() -> Result<(), String> {
    Err("no library here".into())
}

#[task]
fn init_fails_at_first(folder: Folder, times: usize) -> Result<(), String> {
    folder.note("tries", 0);
    match folder.noted("tries").len() {
        tries if tries > times => Ok(()),
        tries => Err(format!("try {tries}")),
    }
}

/// The first one hangs, or all but the first.
#[task]
fn init_hangs_if(folder: Folder, first: bool) {
    if folder.first("taken") == first {
        thread::sleep(FOR_EVER); // work: never gets anywhere
    }
}

fn run() -> AsynPmap<double> {
    asyn_pmap::<double>(0..50)
}

/// No worker can be had: every item says why, and no more are tried than the budget has.
fn hopeless(run: AsynPmap<double>, processes: u64) -> Report<u64, Never> {
    let report = complete(run.processes(processes as usize), 50);
    (0..50).for_each(|index| drop(report.no_workers(index).to_string()));
    let started = report.stats.workers_started;
    assert!(started <= 8 + processes, "{started} workers started");
    let failed = report.told(|event| matches!(event, PoolEvent::WorkerFailed { .. }));
    assert!((9..=started).contains(&(failed as u64)), "each is told of");
    report
}

/// Case M32: An init that fails everywhere is every item's error, after as many tries as the restart budget has.
#[test_with(alone)]
fn an_init_that_fails_everywhere_is_every_items_error() {
    for processes in [1, 2, 5] {
        let report = hopeless(run().init::<init_fails>(()), processes);
        assert_is!(*report.no_workers(3), WorkerFailure::Setup { step: SetupStep::Init, message }
            if message == "no library here");
    }
}

#[test_with(alone)]
fn an_init_that_panics_or_dies_everywhere() {
    let panics = hopeless(
        run().init::<act_first>(Deed::Panic("no library here".into())),
        2,
    );
    let dies = hopeless(run().init::<act_first>(Deed::Abort), 2);
    for (report, why) in [(panics, "no library here"), (dies, "SIGABRT")] {
        let error = report.error(0).to_string();
        assert!(error.contains(why), "{error}");
    }
}

/// Case M33: An init that works in the end costs nothing.
#[test_with(alone)]
fn an_init_that_works_in_the_end() {
    for (processes, times) in [(1, 8), (2, 5), (4, 8)] {
        let folder = Folder::temp();
        let run = run().init::<init_fails_at_first>((folder.clone(), times));
        complete(run.processes(processes), 50).values();
    }
}

/// Case M34: An init that takes longer than its deadline is ended with its worker.
#[test_with(alone)]
fn an_init_that_hangs_everywhere_ends_the_run_by_its_deadline() {
    let limit = Duration::from_millis(50);
    let run = run().init::<act_first>(Deed::Block).workers(restarts(3));
    let run = run.deadlines(Deadlines::new().init(limit));
    let report = complete(run.processes(2), 50);
    for cause in (0..50).map(|index| report.no_workers(index)) {
        assert_is!(*cause, WorkerFailure::SetupTimedOut { limit: told } if *told == limit);
    }
    assert!(report.error(0).to_string().contains("init_deadline"));
    let started = report.stats.workers_started;
    assert!((4..=5).contains(&started), "{started} workers started");
}

#[test_with(in_folder)]
fn an_init_that_hangs_once_is_replaced(folder: Folder) {
    let run = run().init::<init_hangs_if>((folder.clone(), true));
    let run = run.deadlines(Deadlines::new().init(Duration::from_secs(1)));
    let report = complete(run.processes(1), 50);
    assert_eq!(report.failed(), [0; 0]);
    assert_eq!(report.stats.workers_started, 2);
}

#[test_with(in_folder)]
fn an_init_that_never_ends(folder: Folder) {
    let hangs = run().init::<init_hangs_if>((folder.clone(), false));
    let report = complete(hangs.processes(3), 50);
    let what = "one worker does it all, the others are killed";
    assert_eq!(report.failed(), [0; 0], "{what}");
    assert!(report.deaths().is_empty());
    // Dropping a run whose only worker hangs takes the worker along.
    drop(
        run()
            .init::<act_first>(Deed::Block)
            .processes(1)
            .start()
            .unwrap(),
    );
}
