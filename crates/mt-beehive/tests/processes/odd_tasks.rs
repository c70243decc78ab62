//! Tasks that do to their bee's process what no task should: what becomes of them, and of those that come after.

use std::{process::Command, time::Duration};

use mt_beehive::{
    BeehiveRun, Hive, hive_of,
    limits::Deadlines,
    supervision::{DeathCause, LivenessPolicy},
};
use mt_test_kit::{NOBODY, become_user, fork, is_root, wait_until_gone};

use crate::{
    doer::{Deed, DoerTasks},
    scene::{
        Folder, Live as _, assert_late, block_on, both_ways, check, hive, lost, test_with, watched,
        with_hive,
    },
};

/// A bee whose tasks are odd.
#[derive(Default)]
struct Odd;

#[mt_beehive::worker(tasks = OddTasks)]
impl Odd {
    /// Leaves a task behind that never gives the thread back.
    #[task]
    async fn leave_a_spin(&self, n: u64) -> u64 {
        tokio::spawn(async {
            loop {
                std::hint::spin_loop();
            }
        });
        n
    }

    /// Forks at 0, and returns in the copy too, or panics there; writes down what it was called for.
    #[task]
    fn fork(&self, folder: Folder, panics: bool, n: u64) -> u32 {
        folder.note("calls", n);
        let copy = if n == 0 { fork() } else { u32::MAX };
        assert!(copy != 0 || !panics, "in the copy");
        copy
    }

    /// The same, and waits before and after.
    #[task]
    async fn fork_and_wait(&self, folder: Folder, panics: bool, n: u64) -> u32 {
        tokio::task::yield_now().await;
        let copy = self.fork(folder, panics, n);
        tokio::task::yield_now().await;
        copy
    }

    /// Leaves a program behind, becomes another user, and tells the bee's id and the program's.
    #[task]
    fn become_nobody(&self) -> [u32; 2] {
        let left = Command::new("sleep").arg("1000").spawn().unwrap().id();
        assert!(become_user(NOBODY));
        [std::process::id(), left]
    }
}

fn odd() -> BeehiveRun<Odd> {
    hive_of::<Odd>(()).processes(1)
}

fn holds_her_thread() -> BeehiveRun<Odd> {
    let liveness = LivenessPolicy {
        interval: Duration::from_millis(20),
        missed_beats: 50,
        blocked_checks: 3,
        ..LivenessPolicy::default()
    };
    let deadlines = Deadlines::new().exit_grace(Duration::from_millis(100));
    odd().deadlines(deadlines).workers(watched(liveness))
}

/// A task that follows another finds the thread taken, unless it comes at once.
///
/// Case 16: Tasks that a bee can't begin, because an earlier one has left a task behind that holds her thread, are done by
/// the next bee.
#[test_with(check)]
fn what_is_left_behind_and_holds_the_thread() {
    both_ways(holds_her_thread, async |hive| {
        for n in 0..3 {
            assert_eq!(hive.leave_a_spin(n).await, Ok(n));
        }
    });
}

/// Case 34: A bee's task that forks, and returns in the copy too, has one outcome; the copy ends there, and does no other.
#[test_with(with_hive, odd())]
async fn a_task_that_forks_and_returns_twice(hive: Hive<Odd>) {
    for (panics, waits) in [(false, false), (true, false), (false, true), (true, true)] {
        let folder = Folder::temp();
        let tasks = (0..100).map(|n| match waits {
            false => hive.fork(folder.clone(), panics, n),
            true => hive.fork_and_wait(folder.clone(), panics, n),
        });
        let copies = futures::future::try_join_all(tasks).await.unwrap();
        wait_until_gone(&copies[..1]);
        let mut calls = folder.noted("calls");
        calls.sort_unstable();
        assert_eq!(calls, (0..100).collect::<Vec<_>>(), "{panics} {waits}");
    }
    assert_eq!(hive.stats().await.bees_started, 1);
}

/// The system's `exit` ends one thread. The process lives on and beats, and nothing will ever come of what it does.
///
/// Case 9: A bee whose thread for tasks has ended alone ends and says so; her task is given up and no other is.
#[test_with(check)]
fn a_thread_of_tasks_that_ends_alone() {
    both_ways(
        || hive(1).crash_limit(1),
        async |hive| {
            let (death, _) = lost(hive.act(Deed::EndThread).await);
            assert_eq!(death.cause, DeathCause::Itself, "{death}");
            assert!(death.to_string().contains("has ended alone"), "{death}");
            assert_eq!(hive.add(1, 2).await, Ok(3));
            let limit = Duration::from_millis(20);
            assert_late(hive.act(Deed::EndThread).deadline(limit).await);
            assert_eq!(hive.add(1, 2).await, Ok(3));
        },
    );
}

/// Case 8: A bee whose task has ended her connection is told as that, and not as killed from outside.
#[test_with(check)]
fn a_connection_that_a_task_has_ended() {
    both_ways(
        || hive(1).crash_limit(1),
        async |hive| {
            let (death, _) = lost(hive.act(Deed::ShutAll).await);
            assert_eq!(death.cause, DeathCause::HungUp, "{death}");
            assert_eq!(hive.add(1, 2).await, Ok(3));
        },
    );
}

/// Case 14: A bee whose task has become another user is ended like any other, with what it had started before.
#[test_with(check)]
fn a_task_that_becomes_another_user() {
    if is_root() {
        let hive = odd().start().unwrap();
        let pids = block_on(hive.become_nobody()).unwrap();
        drop(hive);
        wait_until_gone(&pids);
    }
}

/// Case P3: A task that prints 100 MB on standard output harms nobody.
#[test_with(check)]
fn a_hundred_megabytes_on_standard_output() {
    let run = hive(1).live(async |hive| {
        let prints = (0..1000).map(|_| hive.act(Deed::Print));
        let printed = futures::future::try_join_all(prints).await;
        assert_eq!(printed.unwrap().len(), 1000);
        hive.add(1, 2).with_bee().await
    });
    assert_eq!(block_on(run), (Ok(3), Some(0)));
}
