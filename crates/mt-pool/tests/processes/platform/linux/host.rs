//! Programs around a run that make it hard: one that reaps every child, one whose file goes away.

use std::{env, fs, path::PathBuf, sync::atomic::AtomicBool};

use rustix::process::{WaitOptions, wait};

use crate::prelude::*;

/// A host that calls `waitpid(-1)` all the time, and reaps workers before the pool can.
#[test_with(alone)]
fn a_host_that_reaps_every_child() {
    let over = Arc::new(AtomicBool::new(false));
    let end = Arc::clone(&over);
    let host = thread::spawn(move || {
        let mut reaped = 0;
        while !end.load(Ordering::SeqCst) {
            match wait(WaitOptions::NOHANG) {
                Ok(Some(_)) => reaped += 1,
                _ => thread::park_timeout(Duration::from_micros(50)),
            }
        }
        reaped
    });
    for processes in [1, 3] {
        let deeds = (0..60).map(|n| match n {
            20 => Deed::Abort,
            40 => Deed::Exit(3),
            n => Deed::Return(n),
        });
        let run = asyn_pmap::<act>(deeds).processes(processes);
        let report = complete(run.crash_limit(2), 60);
        assert_eq!(report.failed(), [20, 40]);
        for index in [20, 40] {
            let (death, attempts) = report.crash(index);
            assert_eq!(attempts, 2);
            // Who reaps it knows how it ended, and may be the host.
            let known = (death.exit.code, death.exit.signal);
            let expected = [(None, Some(6)), (Some(3), None)][usize::from(index == 40)];
            assert!(known == expected || known == (None, None), "{death}");
        }
    }
    over.store(true, Ordering::SeqCst);
    assert!(host.join().unwrap() > 0, "the host was never first");
}

#[task]
fn takes_the_program_away(program: PathBuf, n: u64) -> u64 {
    if n == 10 {
        fs::remove_file(program).unwrap();
        std::process::abort();
    }
    n
}

/// Nobody is left, and nobody can be had: what waits learns why at once.
#[test_with(in_folder)]
fn a_replacement_that_can_not_be_started(folder: Folder) {
    let own = env::current_exe().unwrap();
    let text = format!(
        "exec -a mt-worker '{}' mt_pool_worker --exact --nocapture --test-threads=1 >/dev/null",
        own.display()
    );
    let program = folder.script("program", &text);
    let path = program.clone();
    let items = (0..200).map(move |n| (path.clone(), n));
    let run = asyn_pmap::<takes_the_program_away>(items).crash_limit(1);
    let run = run.workers(restarts(2).program(&program));
    let report = complete(run.processes(1), 200);
    // Results that were not sent yet when it died are lost with it, and can't be made again.
    let failed = report.failed();
    let lost: Vec<_> = (10..200).collect();
    assert!(failed.ends_with(&lost), "{failed:?}");
    report.crash(10);
    for cause in (11..200).map(|index| report.no_workers(index)) {
        assert!(matches!(cause, WorkerFailure::Spawn(_)), "{cause}");
    }
    let why = report.error(11).to_string();
    assert!(why.contains(program.to_str().unwrap()), "{why}");
    assert_eq!(report.stats.workers_started, 1);
}
