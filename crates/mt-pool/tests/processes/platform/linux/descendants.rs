//! Processes that tasks leave behind where these can fork, and have a parent that adopts them.

use std::{
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
};

use mt_test_kit::{fork, is_gone};

use crate::{descendants::LEAVES, prelude::*};

/// Forks at 0, and returns in the copy too, or panics there; writes down what it was called for.
#[task]
fn forks(folder: Folder, panics: bool, n: u64) -> u32 {
    folder.note("calls", n);
    let copy = if n == 0 { fork() } else { u32::MAX };
    assert!(copy != 0 || !panics, "in the copy");
    copy
}

/// The same, and waits after it has forked.
#[task]
async fn forks_async(folder: Folder, panics: bool, n: u64) -> u32 {
    tokio::task::yield_now().await;
    let copy = forks(folder, panics, n);
    tokio::task::yield_now().await;
    copy
}

fn is_called_once<T: Task<Input = (Folder, bool, u64), Output = u32, Error: Debug>>(panics: bool) {
    const ITEMS: u64 = 100;
    let folder = Folder::temp();
    let items: Vec<_> = (0..ITEMS).map(|n| (folder.clone(), panics, n)).collect();
    let run = asyn_pmap::<T>(items).processes(1).workers(discards());
    let mut run = run.start().unwrap().into_iter();
    let copies: Vec<u32> = run.by_ref().map(Result::unwrap).collect();
    wait_until_gone(&copies[..1]);
    assert_eq!(folder.noted("calls"), (0..ITEMS).collect::<Vec<_>>());
}

/// Case 34: A task that forks, and returns in the copy too, has one outcome; the copy ends there, and runs no other item.
#[test_with(alone)]
fn a_task_that_forks_and_returns_twice() {
    for panics in [false, true] {
        is_called_once::<forks>(panics);
        is_called_once::<forks_async>(panics);
    }
}

/// Leaves so many processes that end at once, below one that is gone when this returns, and then does this.
#[task]
fn leaves_orphans(count: usize, deed: Deed) -> u64 {
    let orphans = format!("for n in $(seq {count}); do sleep 0 & done");
    Command::new("sh").args(["-c", &orphans]).status().unwrap();
    let own = std::process::id();
    wait_until(|| {
        let orphans = mt_test_kit::children_of(own);
        orphans.iter().all(|&orphan| is_gone(orphan))
    });
    deed.act()
}

/// Case 18: However many processes a task has left that are dead, a hard deadline asks its worker to end before it kills.
#[test_with(alone)]
fn many_dead_ones_and_a_deadline() {
    let run = asyn_pmap::<leaves_orphans>([(300, Deed::Never)]).processes(1);
    let deaths = complete(run.deadlines(hard(Duration::from_secs(3))), 1).deaths();
    assert_eq!(deaths.len(), 1);
    assert_eq!(deaths[0].exit.signal, Some(15), "{}", deaths[0]);
}

/// Leaves processes to its worker in many ways, which all end: at once, later, in a session of their own, below a
/// daemon. Returns how many children the worker has when they are gone, besides these.
fn leaves_to_its_worker(own: &[u32]) -> usize {
    const WAYS: [&str; 4] = [
        "for n in $(seq 75); do sleep 0 & done",
        "sleep 0.2 & sleep 0.2 &",
        "setsid -f sleep 0.2; setsid -f true",
        "setsid -f sh -c 'sleep 0.1 & sleep 0.2 & setsid -f sleep 0.1'",
    ];
    for way in WAYS {
        assert!(
            Command::new("sh")
                .args(["-c", way])
                .status()
                .unwrap()
                .success()
        );
    }
    let left = || {
        let children = mt_test_kit::children_of(std::process::id());
        children.iter().filter(|pid| !own.contains(pid)).count()
    };
    wait_until(|| left() == 0);
    left()
}

#[task]
fn leaves_daemons(_round: u32) -> usize {
    leaves_to_its_worker(&[])
}

#[task]
async fn leaves_daemons_async(_round: u32) -> usize {
    leaves_to_its_worker(&[])
}

/// Case 18: What tasks have left to their worker is reaped when it ends, while the worker goes on.
#[test_with(alone)]
fn what_is_left_to_a_worker_is_reaped() {
    assert_eq!(
        values(asyn_pmap::<leaves_daemons>(0..4).processes(1)),
        [0; 4]
    );
    assert_eq!(
        values(asyn_pmap::<leaves_daemons_async>(0..4).processes(1)),
        [0; 4]
    );
}

fn exits_7() -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "exit 7"]);
    command
}

/// Starts programs from threads that are over, and others, and asks how they ended when the worker has reaped what it
/// has adopted since.
#[task]
async fn waits_late(rounds: u32) -> Vec<Option<i32>> {
    let start = || exits_7().spawn().unwrap();
    let mut asynchronous = tokio::process::Command::from(exits_7()).spawn().unwrap();
    drop(tokio::process::Command::from(exits_7()).spawn().unwrap());
    let mut own = vec![start(), tokio::task::spawn_blocking(start).await.unwrap()];
    for _ in 0..rounds {
        own.push(thread::spawn(start).join().unwrap());
        let ids: Vec<u32> = own.iter().map(Child::id).chain(asynchronous.id()).collect();
        wait_until(|| ids.iter().all(|&pid| is_gone(pid)));
        // Those that come together with the end of a thread are not told apart, but later ones are.
        let mut orphans = Vec::new();
        wait_until(|| {
            let orphan = Command::new("sh")
                .args(["-c", "sleep 0 & echo $!"])
                .output();
            let orphan = String::from_utf8(orphan.unwrap().stdout).unwrap();
            orphans.push(orphan.trim().parse::<u32>().unwrap());
            let children = mt_test_kit::children_of(std::process::id());
            orphans.iter().any(|orphan| !children.contains(orphan))
        });
    }
    let own = own.into_iter();
    let codes = thread::spawn(|| own.map(|mut child| child.wait().unwrap().code()).collect());
    let mut codes: Vec<_> = codes.join().unwrap();
    codes.push(asynchronous.wait().await.unwrap().code());
    codes
}

/// Case 18: How programs ended that a task has started stays to be asked, however late, and whichever thread has started
/// them or asks.
#[test_with(alone)]
fn what_tasks_wait_for_is_not_reaped() {
    let codes = values(asyn_pmap::<waits_late>([5, 5]).processes(1));
    assert_eq!(codes, vec![vec![Some(7); 8]; 2]);
}

/// Leaves so many processes in sessions of their own, which a program between has started, and as many in its group.
/// They keep on when they are asked to end.
#[task]
fn leaves_families(count: usize, deed: Deed) -> u64 {
    let script = "trap '' TERM; for n in $(seq $0); do setsid -f sleep 1000; sleep 1000 & done";
    let count = count.to_string();
    let family = Command::new("sh").args(["-c", script, &count]).status();
    assert!(family.unwrap().success());
    deed.act()
}

/// Drops a run when it has had so many of its outcomes.
fn dropped_after(count: usize, deeds: Vec<(usize, Deed)>) {
    let run = asyn_pmap::<leaves_families>(deeds).processes(1).capacity(2);
    let outcomes = run.workers(discards()).start().unwrap().into_iter();
    assert_eq!(outcomes.take(count).count(), count);
}

/// Ends runs whose tasks leave processes behind, in every way, and checks after each.
fn leave_by_all_ways(with_hundreds: bool, check: &impl Fn(&str)) {
    for leave in LEAVES {
        let deeds = iter::repeat_n(leave, 2);
        values(asyn_pmap::<act>(deeds.clone()).processes(1));
        check("has ended");
        let run = asyn_pmap::<act>(deeds.chain(iter::repeat(Deed::Pid)));
        let run = run.processes(1).capacity(2).start().unwrap().into_iter();
        assert_eq!(run.take(2).count(), 2);
        check("was dropped");
    }
    let pid = |_| (0, Deed::Pid);
    dropped_after(1, vec![(2, Deed::Pid)]);
    check("has ended with families");
    dropped_after(
        1,
        iter::once((2, Deed::Pid))
            .chain((0..100).map(pid))
            .collect(),
    );
    check("was dropped with families");
    dropped_after(1, vec![(2, Deed::Pid), (2, Deed::Block)]);
    check("was dropped while a task was busy");
    if with_hundreds {
        dropped_after(1, vec![(300, Deed::Pid), (0, Deed::Block)]);
        check("had hundreds");
    }
    for deed in [Deed::Block, Deed::Never] {
        let run = asyn_pmap::<leaves_families>([(2, deed)]).processes(1);
        let run = run.deadlines(hard(Duration::from_millis(300)));
        assert_eq!(complete(run, 1).deaths().len(), 1);
        check("had a deadline");
    }
    let run = asyn_pmap::<act>([Deed::LeaveAndDie]).processes(1);
    let run = run.crash_limit(1).workers(discards());
    assert_eq!(complete(run, 1).deaths().len(), 1);
    check("had a death");
}

/// Case 35: A host that adopts orphans, as the first process of a container does, reaps what tasks have left and their runs have ended, and takes no exit status of a child of the application's.
#[test_with(alone)]
fn in_a_host_that_adopts_orphans() {
    use rustix::process::{Pid, getpid, set_child_subreaper};
    if getpid() != Pid::INIT {
        set_child_subreaper(Some(getpid())).unwrap();
    }
    let own = |group: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", "read line; exit 7"]);
        command.stdin(Stdio::piped());
        if group == "own" {
            command.process_group(0);
        }
        command.spawn().unwrap()
    };
    let mut waiting = [own("own"), own("ours")];
    let mut dead = [own("own"), own("ours")];
    dead.iter_mut().for_each(|child| drop(child.stdin.take()));
    let mut known: Vec<u32> = [&waiting, &dead]
        .into_iter()
        .flatten()
        .map(Child::id)
        .collect();
    known.sort_unstable();
    let check = |what: &str| {
        let mut left = children();
        left.sort_unstable();
        assert_eq!(left, known, "after a run that {what}");
    };

    for round in 0..3 {
        leave_by_all_ways(round == 0, &check);
    }
    waiting
        .iter_mut()
        .for_each(|child| drop(child.stdin.take()));
    for mut child in waiting.into_iter().chain(dead) {
        assert_eq!(child.wait().unwrap().code(), Some(7));
    }
}

/// Case 35: The same holds for a host that is the first process of its container.
#[test_with(alone)]
fn in_the_first_process_of_a_container() {
    let host = "platform::linux::descendants::in_a_host_that_adopts_orphans";
    let first = |program: &str| {
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc", program]);
        command
    };
    if !first("true").status().is_ok_and(|status| status.success()) {
        eprintln!("not tried: no container can be made here");
        return;
    }
    let itself = mt_test_kit::itself(host);
    let mut first = first(itself.get_program().to_str().unwrap());
    first.args(itself.get_args()).env(mt_test_kit::ALONE, host);
    let output = first.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{output:?}"
    );
}
