//! Workers that die: what they ran is tried again alone and given up in the end, nothing else is lost.

use mt_test_kit::ends::{self, End};

use crate::prelude::*;

pub(crate) const ITEMS: u64 = 20;
pub(crate) const POISONED: usize = 7;

/// Twenty items of which one does this.
pub(crate) fn poisoned(deed: &Deed) -> Vec<Deed> {
    let mut deeds: Vec<Deed> = (0..ITEMS).map(Deed::Return).collect();
    deeds[POISONED] = deed.clone();
    deeds
}

/// The one item is given up after `limit` deaths and can be read; all others have their values.
#[track_caller]
pub(crate) fn only_the_poisoned_is_lost<T: Task<Input = Deed, Output = u64, Error: Debug>>(
    deed: &Deed,
    limit: u32,
    (ordered, processes): (bool, usize),
) -> Death {
    let run = asyn_pmap::<T>(poisoned(deed)).crash_limit(limit);
    let report = complete(run.ordered(ordered).processes(processes), ITEMS);
    report.lost_only(&[POISONED]);
    let deaths = report.deaths();
    assert_eq!(deaths.len(), limit as usize, "{deaths:?}");
    let item = report.error(POISONED).item::<Deed>().unwrap().unwrap();
    assert_eq!(&item, deed);
    let (death, attempts) = report.crash(POISONED);
    assert_eq!(attempts, limit);
    death
}

/// Sync and async, ordered and not, with one worker and with three.
fn every_way(deed: &Deed, end: End) {
    for way in [(true, 1), (true, 3), (false, 3)] {
        for death in [
            only_the_poisoned_is_lost::<act>(deed, 3, way),
            only_the_poisoned_is_lost::<act_async>(deed, 2, way),
        ] {
            assert_eq!(death.cause, DeathCause::Itself, "{death}");
            assert_eq!((death.exit.code, death.exit.signal), end);
        }
    }
}

/// A test for each deed, with the exit code and the signal that its worker ends with.
macro_rules! deaths {
    ($($name:ident: $deed:expr => $end:expr;)*) => { $(
        #[test_with(alone)]
        fn $name() {
            every_way(&$deed, $end);
        }
    )* };
}

// Case R5: An abort, a segfault, a stack overflow, an exit or a kill costs the item whose call it came from, which
// can be read back, and no other; how the worker ended is told.
deaths! {
    an_abort: Deed::Abort => ends::ABORT;
    a_segfault: Deed::Segfault => ends::SEGFAULT;
    a_stack_overflow: Deed::Overflow => ends::OVERFLOW;
    an_exit_without_a_result_is_no_success: Deed::Exit(0) => (Some(0), None);
    an_exit_code_is_told: Deed::Exit(42) => (Some(42), None);
    a_kill: Deed::Signal(9) => ends::KILL;
    a_panic_while_panicking: Deed::PanicTwice => ends::ABORT;
}

/// The system's `exit` ends one thread. The process lives on and beats, and nothing will ever come of what it runs.
///
/// Case 9: A worker whose thread for tasks has ended alone ends and says so; its item is given up and no other is.
#[test_with(alone)]
fn a_thread_of_tasks_that_ends_alone() {
    let deed = Deed::EndThread;
    for death in [
        only_the_poisoned_is_lost::<act>(&deed, 2, (true, 2)),
        only_the_poisoned_is_lost::<act_async>(&deed, 2, (false, 2)),
    ] {
        assert_eq!(death.cause, DeathCause::Itself, "{death}");
        assert!(death.to_string().contains("has ended alone"), "{death}");
    }
}

/// The same where something else ends the worker first.
///
/// Case 9: A deadline of an item, of an init or of an exit hook ends a worker also when its thread for tasks has ended.
#[test_with(alone)]
fn deadlines_of_a_work_thread_that_has_ended() {
    const LIMIT: Duration = Duration::from_millis(100);
    let report = complete(
        asyn_pmap::<act>(poisoned(&Deed::EndThread)).deadlines(hard(LIMIT)),
        ITEMS,
    );
    report.lost_only(&[POISONED]);
    assert_is!(
        report.error(POISONED).kind(),
        TaskErrorKind::TimedOut { .. }
    );
    let init = asyn_pmap::<double>(0..1).init::<act_first>(Deed::EndThread);
    let init = init
        .deadlines(Deadlines::new().init(LIMIT))
        .workers(restarts(0));
    let failed = init.start().unwrap().into_iter().next().unwrap();
    assert_is!(failed.unwrap_err().kind(), TaskErrorKind::Pool(_));
    let exit = asyn_pmap::<double>(0..1).exit::<act_first>(Deed::EndThread);
    let report = complete(exit.deadlines(Deadlines::new().exit_grace(LIMIT)), 1);
    assert_eq!(report.stats.deaths.lingered, 1);
}

/// The worker's own guard ends it then, by a signal that nobody outside has sent.
///
/// Case 8: A worker whose task has ended its connection is told as that, and not as killed from outside.
#[test_with(alone)]
fn a_connection_that_a_task_has_ended() {
    for death in [
        only_the_poisoned_is_lost::<act>(&Deed::ShutAll, 2, (true, 2)),
        only_the_poisoned_is_lost::<act_async>(&Deed::ShutAll, 2, (false, 2)),
    ] {
        assert_eq!(death.cause, DeathCause::HungUp, "{death}");
    }
}

/// Garbage on the connection is no item's outcome: the worker is killed and replaced.
#[test_with(alone)]
fn garbage_where_results_go() {
    for garbage in [&[0xff; 64][..], &[0; 64], b"GET / HTTP/1.1\r\n\r\n"] {
        let deed = Deed::Garble(garbage.to_vec());
        let death = only_the_poisoned_is_lost::<act>(&deed, 2, (true, 2));
        assert_is!(death.cause, DeathCause::BrokeProtocol(_));
    }
}

/// The first item is poison, and there is no room for the others to go on meanwhile.
#[test_with(alone)]
fn at_the_head_of_the_line() {
    for capacity in [1, 2, 5] {
        for processes in [1, 2] {
            let deeds = [vec![Deed::Abort], (0..9).map(Deed::Return).collect()].concat();
            let run = asyn_pmap::<act>(deeds).capacity(capacity);
            let report = complete(run.processes(processes), 10);
            assert_eq!(report.failed(), [0]);
            assert_eq!(report.crash(0).1, 3);
        }
    }
}

#[test_with(alone)]
fn all_descriptors_closed() {
    only_the_poisoned_is_lost::<act>(&Deed::CloseAll, 2, (true, 2));
}

#[task]
fn noted(#[shared] folder: &Folder, item: u64, deed: Deed) -> u64 {
    folder.note("starts", item);
    deed.act()
}

#[task]
async fn noted_async(#[shared] folder: &Folder, item: u64, deed: Deed) -> u64 {
    folder.note("starts", item);
    tokio::task::yield_now().await;
    deed.act()
}

fn never_twice<T: Task<Input = (u64, Deed), Output = u64, Shared = Folder, Error: Debug>>() {
    let folder = Folder::temp();
    let items = (0..200).map(|n| match n % 50 {
        25 => (n, Deed::Abort),
        _ => (n, Deed::Return(n)),
    });
    let run = asyn_pmap::<T>(items).shared(folder.clone()).crash_limit(1);
    let report = complete(run.processes(3), 200);
    let mut starts = folder.noted("starts");
    starts.sort_unstable();
    assert_eq!(starts, (0..200).collect::<Vec<_>>(), "each once");
    for index in report.failed() {
        // What had ended and was not reported is none that killed.
        assert_is!(
            *report.kind(index),
            TaskErrorKind::Crashed { attempts: 1, .. } | TaskErrorKind::OutcomeLost { .. }
        );
    }
    for poisoned in [25, 75, 125, 175] {
        report.crash(poisoned);
    }
    assert!(report.deaths().len() <= 4);
}

/// Case M67: With `crash_limit(1)` no item is ever started twice.
#[test_with(alone)]
fn a_crash_limit_of_one_never_starts_an_item_twice() {
    never_twice::<noted>();
    never_twice::<noted_async>();
}
