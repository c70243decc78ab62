//! Calls that are ended, whatever they do, with everything they have started.

use mt_test_kit::{detached, ends, is_gone, sleeper};

use super::{LONG, SHORT, is_timeout};
use crate::{platform, prelude::*};

/// So many items, of which one does this.
fn all_but(items: u64, one: u64, deed: Deed) -> impl Iterator<Item = Deed> + Send {
    (0..items).map(move |n| match n {
        _ if n == one => deed.clone(),
        _ => Deed::Return(n),
    })
}

/// Keeps the thread for itself when its mates are in the middle of something.
#[task]
async fn blocks_at_7(after_await: bool, n: u64) -> u64 {
    if n == 7 {
        if after_await {
            tokio::task::yield_now().await;
        }
        thread::sleep(FOR_EVER); // work: never gets anywhere
    }
    tokio::time::sleep(LONG / 5).await; // work: waits as a task would
    n
}

/// Whether a worker has ended by what asks it to end: a kill, where the system knows nothing else.
fn is_asked(death: &Death) -> bool {
    let end = (death.exit.code, death.exit.signal);
    end == ends::TERMINATE || cfg!(windows) && end == ends::KILL
}

/// Only item 7 is late, and one worker is killed for it.
fn only_7_is_late<T: Task<Output = u64, Error: Debug>>(
    run: AsynPmap<T>,
    items: u64,
) -> Report<u64, T::Error> {
    let report = complete(run.deadlines(hard(LONG)), items);
    report.lost_only(&[7]);
    is_timeout(report.error(7), Deadline::Hard, LONG);
    let deaths = report.deaths();
    assert_eq!(deaths.len(), 1, "{deaths:?}");
    assert_eq!(deaths[0].cause, DeathCause::Overran);
    assert!(is_asked(&deaths[0]), "{}", deaths[0]);
    report
}

/// Case R31: A call that loops for ever is ended with its process at its hard deadline, and its outcome says so and
/// has the item.
#[test_with(alone)]
fn an_endless_loop_in_a_plain_function() {
    for (processes, ordered) in [(1, true), (3, false)] {
        let run = asyn_pmap::<act>(all_but(50, 7, Deed::Spin)).processes(processes);
        let report = only_7_is_late(run.ordered(ordered), 50);
        let item = report.error(7).item::<Deed>().unwrap().unwrap();
        assert_eq!(item, Deed::Spin);
    }
}

/// Case R32: A call that blocks its thread for ever is too, and those that shared the thread are done elsewhere.
#[test_with(alone)]
fn a_call_that_blocks_the_thread_of_others() {
    for after_await in [false, true] {
        let items = (0..20).map(move |n| (after_await, n));
        only_7_is_late(asyn_pmap::<blocks_at_7>(items).processes(1), 20);
    }
}

#[test_with(alone)]
fn a_call_that_waits_for_ever() {
    let run = asyn_pmap::<act_async>(all_but(50, 7, Deed::Never));
    only_7_is_late(run.processes(2), 50);
}

/// Results of quick calls leave together, and some wait with a call that never ends.
#[test_with(alone)]
fn quick_calls_before_an_endless_one_have_their_values() {
    let run = asyn_pmap::<act>(all_but(5000, 4999, Deed::Spin)).processes(1);
    complete(run.deadlines(hard(LONG)), 5000).lost_only(&[4999]);
}

#[task]
fn tells_its_pid_and_hangs(#[shared] folder: &Folder, _: u64) {
    folder.note("pid", u64::from(std::process::id()));
    thread::sleep(FOR_EVER); // work: never gets anywhere
}

/// Case D7: The outcome of a call that was ended comes when its process is gone, and not before.
#[test_with(in_folder)]
fn the_process_is_gone_when_the_outcome_comes(folder: Folder) {
    let run = asyn_pmap::<tells_its_pid_and_hangs>([1]).shared(folder.clone());
    let run = run.deadlines(hard(LONG / 4)).start().unwrap();
    let mut run = run.into_iter();
    is_timeout(&run.next().unwrap().unwrap_err(), Deadline::Hard, LONG / 4);
    let pids = folder.noted("pid");
    assert!(pids.len() == 1 && is_gone(pids[0] as u32));
    let letters = run.dead_letters().letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].item::<u64>().unwrap().unwrap(), 1);
    assert!(run.next().is_none());
}

/// Takes note of `SIGTERM`, and ends when it has come unless it is deaf.
#[task]
fn takes_sigterm(is_deaf: bool) -> u64 {
    let told = platform::flag_on(Signal::TERM);
    while is_deaf || !told.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(1)); // work: goes on until it is told to end
    }
    17
}

/// Case M49: What does not end by `SIGTERM` within `kill_grace` is killed.
#[test_with(alone)]
fn what_does_not_hear_sigterm_is_killed() {
    let run = asyn_pmap::<takes_sigterm>([true]);
    let report = complete(run.deadlines(hard(SHORT).kill_grace(SHORT)), 1);
    is_timeout(report.error(0), Deadline::Hard, SHORT);
    // A worker that had not come to ignoring it when it came has died of it.
    let death = &report.deaths()[0];
    let is_killed = (death.exit.code, death.exit.signal) == ends::KILL;
    assert!(is_killed || is_asked(death), "{death}");
}

/// A result that comes in the last moment is the outcome, and the only one.
///
/// Case M50: A result that comes before the process is gone counts.
#[test_with(
    alone,
    not_on(wine, "Wine 8 knows no Ctrl-Break, so nothing asks a worker to end")
)]
fn what_is_done_in_its_grace_counts() {
    let run = asyn_pmap::<takes_sigterm>([false]);
    let report = complete(run.deadlines(hard(LONG / 2).kill_grace(LONG)), 1);
    assert_eq!(*report.outcomes[0].as_ref().unwrap(), 17);
    assert_eq!(report.deaths()[0].cause, DeathCause::Overran);
}

/// Starts programs in sessions of their own as long as it lives.
#[task]
fn leaves_without_end(#[shared] folder: &Folder, _: u64) {
    loop {
        let child = detached(&sleeper()).spawn();
        folder.note("pid", u64::from(child.unwrap().id()));
    }
}

/// Case M51: A call that is ended takes along what it has started.
#[test_with(alone)]
fn what_it_had_started_goes_with_it() {
    goes_with_it::<leaves_without_end>(LONG / 4);
}

#[task]
fn runs_what_hangs(#[shared] folder: &Folder, n: u64) {
    let run = asyn_pmap::<tells_its_pid_and_hangs>([n, n]).shared(folder.clone());
    run.processes(2).start().unwrap().into_iter().for_each(drop);
}

#[test_with(alone)]
fn a_run_inside_a_call_goes_with_it() {
    goes_with_it::<runs_what_hangs>(LONG);
}

/// The processes whose pids are noted are gone after the deadline of the call that they are below.
fn goes_with_it<T: Task<Input = u64, Shared = Folder, Error: Debug>>(limit: Duration) {
    let folder = Folder::temp();
    let run = asyn_pmap::<T>([1]).shared(folder.clone());
    let report = complete(run.deadlines(hard(limit)), 1);
    is_timeout(report.error(0), Deadline::Hard, limit);
    let pids = folder.noted("pid").into_iter().map(|pid| pid as u32);
    let pids: Vec<u32> = pids.collect();
    assert!(!pids.is_empty());
    wait_until_gone(&pids);
}

/// Deadline and result race; [`complete`] sees to it that there is one outcome each.
#[test_with(alone)]
fn a_result_in_the_instant_of_the_deadline() {
    fn one_or_the_other<T: Task<Output = u64, Error: Debug>>(run: AsynPmap<T>) -> Stats {
        let report = complete(run, 24);
        for index in report.failed() {
            assert_is!(*report.kind(index), TaskErrorKind::TimedOut { .. });
        }
        report.stats
    }
    let items = || (0..24).map(|n| Deed::Sleep(Duration::from_millis(18 + n % 5)));
    let limit = Duration::from_millis(20);
    let run = asyn_pmap::<act>(items()).deadlines(hard(limit));
    one_or_the_other(run.processes(2));
    let run = asyn_pmap::<act_async>(items()).deadlines(hard(limit));
    one_or_the_other(run.processes(2));
    let run = asyn_pmap::<act_async>(items()).deadlines(soft(limit));
    assert_eq!(one_or_the_other(run.processes(1)).workers_started, 1);
}

/// Looking up names takes a program of this size longer than the deadline, once in each worker.
fn panics_in_time<T: Task<Input = Deed, Output = u64, Error = Never>>() {
    let deeds = (0..6).map(|n| Deed::Panic(n.to_string()));
    let run = asyn_pmap::<T>(deeds).processes(2);
    let report = complete(run.deadlines(hard(Duration::from_millis(200))), 6);
    for index in 0..6 {
        assert_is!(report.kind(index), TaskErrorKind::Panicked { message, .. }
            if *message == index.to_string());
    }
    assert_eq!(report.stats.workers_died, 0);
}

/// Case 10, G9: The time that it takes to tell where a panic came from is charged to no item's deadline.
#[test_with(alone)]
fn the_call_stack_of_a_panic_is_no_part_of_the_call() {
    panics_in_time::<act>();
    panics_in_time::<act_async>();
}
