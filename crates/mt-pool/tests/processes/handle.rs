//! Runs that are ended from elsewhere: closed, or cancelled.

use std::sync::{OnceLock, mpsc};

use futures::{FutureExt, executor};
use mt_pool::{Blocking, RunHandle, pmap::Indexed};

use crate::prelude::*;

#[task]
fn some_never_end(n: u64) -> u64 {
    if n > 100 && n.is_multiple_of(7) {
        thread::sleep(FOR_EVER); // work: never gets anywhere
    }
    n
}

#[task]
async fn some_never_end_async(n: u64) -> u64 {
    if n > 100 && n.is_multiple_of(7) {
        std::future::pending::<()>().await;
    }
    tokio::task::yield_now().await;
    n
}

/// All that is left of a run that was cancelled when `seen` outcomes were out: every item that was pulled
/// has one outcome, and nobody works any more. Returns how many were cancelled.
fn rest<T: Task<Input = u64, Error: Debug>>(mut run: Blocking<Indexed<T>>, seen: &[u64]) -> u64 {
    let mut indices = seen.to_vec();
    let mut cancelled = 0;
    for (index, outcome) in run.by_ref() {
        indices.push(index);
        if let Err(error) = outcome {
            assert_is!(*error.kind(), TaskErrorKind::Cancelled);
            assert_eq!(error.item::<u64>().unwrap().unwrap(), index);
            cancelled += 1;
        }
    }
    let left = "nobody works on when the run has ended";
    assert_eq!(children(), [0_u32; 0], "{left}");
    indices.sort_unstable();
    let all = 0..indices.len() as u64;
    assert!(indices.into_iter().eq(all), "one outcome each");
    let stats = run.stats();
    assert_eq!((stats.outstanding, stats.failed), (0, cancelled));
    cancelled
}

/// Case M86: A cancelled run has one outcome for every item that was pulled, and nobody works any more when it ends.
#[test_with(alone)]
fn cancelled_from_another_thread() {
    fn in_the_middle<T: Task<Input = u64, Error: Debug>>(ordered: bool) {
        let run = asyn_pmap::<T>(0..).ordered(ordered).processes(2);
        let run = run.capacity(500).start().unwrap();
        let handle = run.handle();
        let mut run = run.indexed().into_iter();
        let seen: Vec<u64> = run.by_ref().take(60).map(|(index, _)| index).collect();
        thread::spawn(move || handle.cancel()).join().unwrap();
        assert!(rest(run, &seen) > 0, "the input has no end");
    }
    for ordered in [true, false] {
        in_the_middle::<some_never_end>(ordered);
        in_the_middle::<some_never_end_async>(ordered);
    }
}

/// The consumer waits for an outcome that would never come.
#[test_with(alone)]
fn cancelled_while_everybody_waits() {
    let run = asyn_pmap::<forever>(0..5).processes(2);
    let handle: Arc<OnceLock<RunHandle>> = Arc::default();
    let later = Arc::clone(&handle);
    let ready = AtomicU64::new(0);
    let run = run.observe(move |event| {
        if let PoolEvent::WorkerReady { .. } = event
            && ready.fetch_add(1, Ordering::SeqCst) == 1
        {
            // From inside the run itself.
            later.wait().cancel();
        }
    });
    let run = run.start().unwrap();
    handle.set(run.handle()).unwrap();
    assert_eq!(rest(run.indexed().into_iter(), &[]), 5);
    let run = asyn_pmap::<double>(0..5).init::<act_first>(Deed::Block);
    let run = run.start().unwrap();
    let handle = run.handle();
    let cancel = thread::spawn(move || handle.cancel());
    // What was not taken in by then has no outcome.
    assert!(rest(run.indexed().into_iter(), &[]) <= 5);
    cancel.join().unwrap();
}

#[test_with(alone)]
fn ten_thousand_that_wait_are_cancelled() {
    for ordered in [true, false] {
        let run = asyn_pmap::<forever>(0..10_000).ordered(ordered);
        let run = run.processes(2).capacity(20_000).start().unwrap();
        wait_until(|| run.stats().outstanding == 10_000);
        run.handle().cancel();
        assert_eq!(rest(run.indexed().into_iter(), &[]), 10_000);
    }
}

/// Nothing is given out while the results that wait are too long; the handle is heard all the same.
#[test_with(alone)]
fn cancelled_while_nobody_takes_anything_out() {
    let run = asyn_pmap::<double>(0..1000).byte_limits(ByteLimits::new().buffer_bytes(1));
    let run = run.capacity(100).processes(2).start().unwrap();
    run.handle().cancel();
    rest(run.indexed().into_iter(), &[]);
}

/// Fifty items, and then one that does not come as long as the other end of the channel is there.
fn fifty_and_no_end() -> (mpsc::Sender<u64>, impl Iterator<Item = u64> + Send) {
    let (put, taken) = mpsc::channel();
    (put, (0..50).chain(iter::from_fn(move || taken.recv().ok())))
}

/// Case M87: A closed run does all that was pulled, and pulls nothing more.
#[test_with(alone)]
fn what_is_pending_when_a_run_is_closed_is_done() {
    for ordered in [true, false] {
        let folder = Folder::temp();
        let (put, items) = fifty_and_no_end();
        let run = asyn_pmap::<waits_to_go>(items).shared(folder.clone());
        let run = run.processes(2).ordered(ordered).start().unwrap();
        let handle = run.handle();
        wait_until(|| handle.stats().pulled == 50);
        handle.close();
        handle.close();
        assert!(folder.first("go"));
        assert_eq!(run.into_iter().filter(Result::is_ok).count(), 50);
        handle.close();
        handle.cancel();
        drop(put);
    }
}

/// Case M156: A drained run finishes what workers have, and all else that was pulled is `Cancelled` and no failure, also
/// when nobody has taken anything out and the input does not come back.
#[test_with(alone)]
fn what_waits_when_a_run_is_drained_is_cancelled() {
    for (ordered, buffer) in [(true, 1 << 20), (false, 1 << 20), (true, 1)] {
        let folder = Folder::temp();
        let (put, items) = fifty_and_no_end();
        let run = asyn_pmap::<waits_to_go>(items).shared(folder.clone());
        let run = run.byte_limits(ByteLimits::new().buffer_bytes(buffer));
        let run = run.processes(2).ordered(ordered).start().unwrap();
        let handle = run.handle();
        wait_until(|| {
            handle
                .stats()
                .workers
                .iter()
                .any(|worker| worker.items_started > 0)
        });
        handle.drain();
        handle.close();
        assert!(folder.first("go"));
        let outcomes: Vec<_> = run.into_iter().collect();
        let (done, left): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        let stats = handle.stats();
        assert!(
            !done.is_empty()
                && left
                    .into_iter()
                    .all(|left| left.unwrap_err().is_cancelled())
        );
        assert_eq!((stats.failed, stats.outstanding), (stats.cancelled, 0));
        assert_eq!(stats.succeeded + stats.cancelled, stats.pulled);
        assert!(!stats.interrupted);
        drop(put);
    }
}

#[test_with(alone)]
fn closed_and_then_cancelled() {
    let (put, items) = fifty_and_no_end();
    let run = asyn_pmap::<forever>(items).processes(2);
    let run = run.start().unwrap();
    let handle = run.handle();
    wait_until(|| handle.stats().pulled == 50);
    handle.close();
    handle.cancel();
    handle.close();
    assert_eq!(rest(run.indexed().into_iter(), &[]), 50);
    drop(put);
}

/// At the very first moment, and at the very last.
///
/// Case M88: A handle that comes too early or too late does nothing wrong.
#[test_with(alone)]
fn a_handle_may_come_too_early_or_too_late() {
    for end in [RunHandle::close, RunHandle::drain, RunHandle::cancel] {
        let start = || {
            let run = asyn_pmap::<double>(0..10).start().unwrap();
            (run.handle(), run)
        };
        let (handle, run) = start();
        end(&handle);
        rest(run.indexed().into_iter(), &[]);
        end(&handle);
        let (handle, run) = start();
        drop(run);
        end(&handle);
        let (handle, run) = start();
        assert_eq!(run.into_iter().filter(Result::is_ok).count(), 10);
        end(&handle);
    }
}

/// Many hands at once, at any moment of a run.
#[test_with(alone)]
fn cancelled_by_many_at_once() {
    for after in [0, 1, 10, 100, 1000] {
        let run = asyn_pmap::<double>(0..).processes(2).capacity(300);
        let run = run.start().unwrap();
        let handle = run.handle();
        let mut run = run.indexed().into_iter();
        let seen: Vec<u64> = run.by_ref().take(after).map(|(index, _)| index).collect();
        thread::scope(|scope| {
            for hand in 0..4 {
                let handle = handle.clone();
                scope.spawn(move || match hand % 3 {
                    0 => handle.close(),
                    1 => handle.drain(),
                    _ => handle.cancel(),
                });
            }
            rest(run, &seen);
        });
    }
}

/// The thread of all runs of the pool is held, so that none can end. A drop that waited would wait for a second, and two
/// hundred for longer than the watchdog.
///
/// Case M157: A run, or a pool, that is dropped inside a task of a runtime holds up nobody, however long its workers stay.
#[test_with(alone)]
fn a_drop_inside_a_task_does_not_wait() {
    let pool = Pool::builder().processes(1).start().unwrap();
    let (held, gate) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::new()));
    let (tell, wait) = (Arc::clone(&held), Arc::clone(&gate));
    let first = asyn_pmap::<forever>(0..10).observe(move |event| {
        if let PoolEvent::WorkerReady { .. } = event {
            tell.get_or_init(|| ());
            wait.wait();
        }
    });
    let first = first.pool(&pool).start().unwrap();
    held.wait();
    let mut handles = vec![first.handle()];
    block_on(async {
        for _ in 0..200 {
            let run = asyn_pmap::<double>(0..10).pool(&pool).start().unwrap();
            handles.push(run.handle());
        }
        drop((first, pool));
        for handle in &handles {
            assert!(handle.wait().now_or_never().is_none(), "it goes on");
        }
    });
    gate.get_or_init(|| ());
    for handle in handles {
        executor::block_on(handle.wait());
    }
}

/// Case M158: Whoever cancels a run and waits knows that every worker is gone, on any executor.
#[test_with(alone)]
fn cancelled_and_waited_for() {
    for others in [false, true] {
        let run = asyn_pmap::<forever>(0..10).processes(2).start().unwrap();
        let handle = run.handle();
        wait_until(|| handle.stats().pulled == 10);
        let cancel = async {
            match others {
                true => handle.cancel_and_wait().await,
                false => run.cancel_and_wait().await,
            }
            assert_eq!(children(), [0_u32; 0]);
        };
        match others {
            true => executor::block_on(cancel),
            false => block_on(cancel),
        }
    }
    let run = asyn_pmap::<forever>(0..10).start().unwrap();
    wait_until(|| run.stats().pulled == 10);
    executor::block_on(run.handle().cancel_and_wait());
    assert_eq!(rest(run.indexed().into_iter(), &[]), 10);
}
