//! Exit hooks: every worker that is told to go calls its own once, whatever it does.

use std::cell::Cell;

use mt_pool::{Counter, NoContext, is_cancelled, task_index};

use crate::prelude::*;

const SHORT: Duration = Duration::from_millis(50);

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static SET_UP: Cell<u64> = const { Cell::new(0) };
}

#[task]
fn calls(n: u64) -> u64 {
    CALLS.set(CALLS.get() + 1);
    n
}

#[task]
async fn calls_async(n: u64) -> u64 {
    CALLS.set(CALLS.get() + 1);
    tokio::task::yield_now().await;
    n
}

#[task]
fn calls_or_aborts(n: u64) -> u64 {
    CALLS.set(CALLS.get() + u64::from(n != 5));
    let deed = if n == 5 { Deed::Abort } else { Deed::Return(n) };
    deed.act()
}

#[task]
fn set_up(by: u64) {
    SET_UP.set(by);
}

/// The calls of this worker, and what its init was told.
#[task]
fn count(sign: i64) -> (i64, u64) {
    assert_eq!((task_index(), is_cancelled()), (None, false));
    (sign * CALLS.get() as i64, SET_UP.get())
}

#[task]
async fn count_async(sign: i64) -> Result<(i64, u64), String> {
    tokio::time::sleep(Duration::from_millis(1)).await; // work: needs a runtime
    Ok((sign * CALLS.get() as i64, SET_UP.get()))
}

/// What the hooks of a run returned, so many items having been done, and what it told.
fn exits<E: Task, T: Task>(run: AsynPmap<T>, items: usize) -> (Vec<E::Output>, Vec<PoolEvent>) {
    let run = run.start().unwrap();
    let events = run.events();
    let mut run = run.into_iter();
    assert_eq!(run.by_ref().filter(Result::is_ok).count(), items);
    let values = run.exit_values::<E>();
    assert!(run.exit_values::<E>().is_empty(), "each is told once");
    let values = values.into_iter().map(Result::unwrap);
    (values.collect(), events.into_iter().collect())
}

/// Every call is counted by one hook.
fn all_there_once<T, E>(sign: i64, processes: usize, (recycle, least): (Recycle, usize))
where
    T: Task<Input = u64>,
    E: Task<Input = i64, Output = (i64, u64), Shared = (), Context = NoContext>,
{
    let run = asyn_pmap::<T>(0..100).init::<set_up>(4).exit::<E>(sign);
    let run = run.recycle(recycle).processes(processes);
    let (told, _) = exits::<E, _>(run, 100);
    assert_eq!(told.iter().map(|(count, _)| count).sum::<i64>(), sign * 100);
    assert!(told.iter().all(|(_, told)| *told == 4));
    assert!(told.len() >= least);
}

/// Case M35: An exit hook is called once in every worker that is told to go, and what it returns is there once.
#[test_with(alone)]
fn what_hooks_return_is_all_there_once() {
    for processes in [1, 3] {
        for recycle in [(Recycle::new(), 1), (Recycle::new().after_items(7), 15)] {
            all_there_once::<calls, count>(-1, processes, recycle);
            all_there_once::<calls_async, count_async>(1, processes, recycle);
        }
    }
}

/// Case M146: A worker that dies does not get to its exit hook.
#[test_with(alone)]
fn a_worker_that_dies_does_not_get_to_its_hook() {
    let run = asyn_pmap::<calls_or_aborts>(0..20).exit::<count>(1);
    let run = run.processes(1).crash_limit(2);
    let (told, _) = exits::<count, _>(run, 19);
    let counted = told.iter().map(|(count, _)| count).sum::<i64>();
    assert!(counted <= 19 && told.len() == 1, "{told:?}");
}

#[task]
fn exit_fails(why: Deed) -> Result<u64, String> {
    Err(format!("{why:?}"))
}

/// All items are done, no value is there, and each worker's end is told of as `expected`.
fn without_a_value<E: Task<Input = Deed, Shared = (), Context = NoContext>>(
    deed: Deed,
    grace: Duration,
    expected: impl Fn(&PoolEvent) -> bool,
) {
    // One: a second that is not ready when all is done is ended without having begun.
    let run = asyn_pmap::<calls>(0..50).exit::<E>(deed).processes(1);
    let run = run.deadlines(Deadlines::new().exit_grace(grace));
    let (told, events) = exits::<E, _>(run, 50);
    assert!(told.is_empty());
    let ends = events.iter().filter(|event| expected(event)).count();
    assert_eq!(ends, 1, "{events:?}");
}

/// Case M36: An exit hook that fails or panics is told of.
#[test_with(alone)]
fn hooks_that_fail_or_panic_are_told_of() {
    let says = |event: &PoolEvent| matches!(event, PoolEvent::ExitHookFailed { message, .. } if message.contains("no way out"));
    let panic = || Deed::Panic("no way out".into());
    without_a_value::<exit_fails>(panic(), FOR_EVER, says);
    without_a_value::<act_async>(panic(), FOR_EVER, says);
}

/// Case M37: An exit hook that does not return is ended after `exit_grace`, and costs no outcome.
#[test_with(alone)]
fn hooks_that_never_return_are_ended_after_the_grace() {
    let died = |event: &PoolEvent| match event {
        PoolEvent::WorkerDied { death, .. } => {
            Some((death.cause.clone(), (death.exit.code, death.exit.signal)))
        }
        _ => None,
    };
    let lingered =
        |event: &PoolEvent| died(event).is_some_and(|(cause, _)| cause == DeathCause::Lingered);
    without_a_value::<act>(Deed::Block, SHORT, lingered);
    without_a_value::<act_async>(Deed::Never, SHORT, lingered);
    let aborted =
        |event: &PoolEvent| died(event).is_some_and(|(_, end)| end == mt_test_kit::ends::ABORT);
    without_a_value::<act>(Deed::Abort, FOR_EVER, aborted);
}

#[test_with(alone)]
fn a_value_that_is_another_hooks_is_an_error() {
    let run = asyn_pmap::<calls>(0..5).exit::<count>(1).processes(1);
    let mut run = run.start().unwrap().into_iter();
    assert_eq!(run.by_ref().filter(Result::is_ok).count(), 5);
    let values = run.exit_values::<set_up>();
    assert!(matches!(values[..], [Err(_)]), "it returns nothing");
}

#[task]
fn note_exit(folder: Folder) -> u64 {
    folder.note("gone", u64::from(std::process::id()));
    1
}

#[test_with(in_folder)]
fn a_cancelled_run_calls_no_hook(folder: Folder) {
    let run = asyn_pmap::<calls>(0..).exit::<note_exit>(folder.clone());
    let mut run = run.capacity(10).start().unwrap().into_iter();
    assert_eq!(run.by_ref().take(20).filter(Result::is_ok).count(), 20);
    run.handle().cancel();
    while run.next().is_some() {}
    assert!(run.exit_values::<note_exit>().is_empty());
    assert!(folder.noted("gone").is_empty());
}

/// What calls count is not lost with a hook that hangs behind them.
#[test_with(alone)]
fn counters_stand_when_a_hook_hangs() {
    let counter = Counter::new();
    let run = asyn_pmap::<counts>(0..50).shared(counter.clone());
    let run = run.exit::<act>(Deed::Block).processes(2);
    let run = run.deadlines(Deadlines::new().exit_grace(Duration::from_millis(10)));
    assert_eq!(run.start().unwrap().into_iter().count(), 50);
    assert_eq!(counter.value(), 50);
}

#[task]
fn counts(#[shared] counter: &Counter, n: u64) -> u64 {
    counter.increment();
    n
}

#[task]
async fn leaves_a_thread(n: u64) -> u64 {
    let blocks = tokio::task::spawn_blocking(|| {
        loop {
            thread::park();
        }
    });
    let late = tokio::time::timeout(Duration::from_millis(1), blocks).await;
    assert!(late.is_err());
    n
}

/// Case 15: A thread that a task has left blocked costs its worker neither its exit hook nor a peaceful end.
#[test_with(alone)]
fn nobody_waits_for_a_blocking_thread_that_was_left_behind() {
    let run = asyn_pmap::<leaves_a_thread>(0..10).exit::<note_nothing>(());
    let run = run.deadlines(Deadlines::new().exit_grace(FOR_EVER));
    let (told, events) = exits::<note_nothing, _>(run.processes(1), 10);
    assert_eq!(told, [7]);
    let left = |event: &PoolEvent| matches!(event, PoolEvent::WorkerLeft { exit, .. } if exit.code == Some(0));
    assert_eq!(events.iter().filter(|event| left(event)).count(), 1);
}

/// Case 15: A worker of a pool goes on to the next run past a blocking thread that was left behind.
#[test_with(alone)]
fn a_shared_worker_waits_for_no_blocking_thread_either() {
    let pool = Pool::builder().processes(1).start().unwrap();
    let pids = [0, 1, 2].map(|_| {
        let run = asyn_pmap::<leaves_a_thread>(0..3)
            .exit::<own_pid>(())
            .pool(&pool);
        let run = run.deadlines(Deadlines::new().exit_grace(FOR_EVER));
        let mut run = run.start().unwrap().into_iter();
        assert_eq!(run.by_ref().filter(Result::is_ok).count(), 3);
        run.exit_values::<own_pid>().remove(0).unwrap()
    });
    assert!(pids.iter().all(|pid| *pid == pids[0]), "{pids:?}");
}

#[task]
fn note_nothing() -> u32 {
    7
}

#[task]
fn own_pid() -> u32 {
    std::process::id()
}
