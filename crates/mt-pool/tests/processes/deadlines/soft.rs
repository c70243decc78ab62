//! Calls that are asked to end.

use mt_pool::is_cancelled;

use super::{SHORT, is_timeout};
use crate::prelude::*;

#[task]
async fn waits_where_told(#[shared] folder: &Folder, n: u64) -> u32 {
    struct Dropped<'a>(&'a Folder);
    impl Drop for Dropped<'_> {
        fn drop(&mut self) {
            self.0.note("dropped", 1);
        }
    }
    if n == 1 {
        let _dropped = Dropped(folder);
        std::future::pending::<()>().await;
    }
    std::process::id()
}

/// Case M47: A soft deadline drops an `async` call at its `await`; the worker goes on, and nothing else is affected.
#[test_with(in_folder)]
fn a_soft_deadline_drops_an_async_call_and_nothing_else(folder: Folder) {
    let run = asyn_pmap::<waits_where_told>(0..3).shared(folder.clone());
    let report = complete(run.processes(1).deadlines(soft(SHORT)), 3);
    assert_eq!(report.failed(), [1]);
    is_timeout(report.error(1), Deadline::Soft, SHORT);
    assert!(report.error(1).payload().is_none(), "the worker lives on");
    let pid = |index: usize| *report.outcomes[index].as_ref().unwrap();
    assert_eq!(pid(0), pid(2));
    assert_eq!(folder.noted("dropped"), [1]);
    assert_eq!(report.stats.workers_died, 0);
}

fn ask() -> Result<(), String> {
    while !is_cancelled() {
        thread::sleep(Duration::from_millis(1)); // work: goes on until it is told to end
    }
    Err("cancelled".into())
}

#[task]
fn asks(_: u64) -> Result<(), String> {
    ask()
}

/// Never lets go of the thread, so that nobody can cancel it.
#[task]
async fn asks_async(_: u64) -> Result<(), String> {
    ask()
}

/// Case M48: A plain call learns by `is_cancelled` that its time is over.
#[test_with(alone)]
fn a_call_that_asks_learns_that_its_time_is_over() {
    fn learns<T: Task<Input = u64, Output = (), Error = String>>() {
        let run = asyn_pmap::<T>(0..3).deadlines(soft(SHORT));
        let report = complete(run.processes(1), 3);
        for kind in (0..3).map(|index| report.kind(index)) {
            assert_is!(*kind, TaskErrorKind::Raised(why) if why == "cancelled");
        }
    }
    assert!(!is_cancelled(), "outside of a call");
    learns::<asks>();
    learns::<asks_async>();
}
