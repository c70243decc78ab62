//! Workers that several runs share.

use std::sync::OnceLock;

use mt_pool::{PoolStats, StartError, stats::Deaths};

use crate::{
    platform::{HAS_SIGNALS, linger_at_exit},
    prelude::*,
};

#[task]
async fn length(#[shared] more: &usize, text: String) -> usize {
    text.len() + more
}

#[task]
fn fails() -> Result<(), String> {
    Err("not here".into())
}

#[task]
fn farewell() -> u32 {
    std::process::id()
}

fn pool(processes: usize) -> Pool {
    Pool::builder().processes(processes).start().unwrap()
}

/// The values of a run on a pool, and its counts.
fn values<T: Task<Error: Debug>>(run: AsynPmap<T>, pool: &Pool) -> (Vec<T::Output>, Stats) {
    let mut run = run.pool(pool).start().unwrap().into_iter();
    let values = run.by_ref().map(Result::unwrap).collect();
    (values, run.stats())
}

/// Case M68: A second run on a pool finds the workers of the first, also for another task with hooks of its own.
#[test_with(alone)]
fn the_second_run_finds_the_workers_of_the_first() {
    let pool = pool(2);
    assert_eq!(pool.workers(), 0, "none before there is anything to do");
    let (_, stats) = values(asyn_pmap::<pid>(0..1000).processes(2..), &pool);
    assert_eq!((stats.workers_started, stats.workers_reused), (2, 0));
    for _ in 0..20 {
        let (_, stats) = values(asyn_pmap::<pid>(0..100), &pool);
        // The one that did the last run's last item waits. Another may have been too late for it.
        assert!((1..=2).contains(&stats.workers_reused));
    }
    assert!((1..=2).contains(&pool.idle_workers()));
    // Another task, with a value for all items and an exit hook.
    let texts = ["a", "bc"].map(String::from);
    let run = asyn_pmap::<length>(texts).shared(10).exit::<farewell>(());
    let mut run = run.pool(&pool).start().unwrap();
    let mut lengths = Vec::new();
    while let Some(outcome) = futures::executor::block_on(run.next()) {
        lengths.push(outcome.unwrap());
    }
    assert_eq!(lengths, [11, 12]);
    let exits = run.exit_values::<farewell>();
    assert!((1..=2).contains(&exits.len()));
    drop(run);
    assert!((1..=2).contains(&pool.workers()));
}

#[task]
fn lingers(_: u64) {
    linger_at_exit();
}

/// Case M250: A pool that is dropped kills a worker that does not go by itself, and none is left.
#[test_with(alone)]
fn a_worker_that_lingers_is_gone_when_its_pool_is_dropped() {
    let pool = pool(1);
    values(asyn_pmap::<lingers>(0..1), &pool);
    assert_eq!(pool.idle_workers(), 1);
    drop(pool);
    // `alone` finds no process left.
}

/// Case M69: A worker of a pool that dies while it waits is not given to a run.
#[test_with(alone)]
fn what_dies_while_it_waits_is_not_given_out() {
    let pool = pool(1);
    for _ in 0..10 {
        let (pids, _) = values(asyn_pmap::<pid>(0..1), &pool);
        signal(pids[0], Signal::KILL);
        let (after, _) = values(asyn_pmap::<pid_again>(0..1), &pool);
        assert_ne!(after[0], pids[0]);
    }
}

#[task]
fn pid_again(_: u64) -> u32 {
    std::process::id()
}

#[test_with(alone)]
fn a_worker_that_dies_is_replaced_and_one_run_that_fails_costs_the_next_nothing() {
    let pool = pool(2);
    let deeds = (0..50).map(|n| match n {
        20 => Deed::Abort,
        n => Deed::Return(n),
    });
    assert_eq!(succeeded(asyn_pmap::<act>(deeds).pool(&pool)), 49);
    let run = asyn_pmap::<pid>(0..10).init::<fails>(());
    assert_eq!(succeeded(run.pool(&pool)), 0);
    // Dropped in the middle: its workers are killed, the pool goes on.
    let run = asyn_pmap::<act>((0..).map(Deed::Return));
    drop(run.pool(&pool).start().unwrap());
    let (pids, _) = values(asyn_pmap::<pid>(0..10), &pool);
    assert_eq!(pids.len(), 10);
}

/// The first run holds the only worker while its consumer waits for the second.
///
/// Case 29: Runs of a pool that wait for each other take turns, and need no process more than the pool may have.
#[test_with(alone)]
fn runs_that_wait_for_each_other_go_on() {
    let pool = pool(1);
    let start = || {
        let run = asyn_pmap::<act>((0..200).map(Deed::Return)).capacity(4);
        run.pool(&pool).start().unwrap()
    };
    let both = start().into_iter().zip(start());
    let mut both = both.into_iter();
    for (a, b) in both.by_ref() {
        assert_eq!(a.unwrap(), b.unwrap());
        assert!(pool.workers() <= 1 && children().len() <= 1);
    }
    drop(both);
}

/// Case 29: However many runs there are at once, a pool has no more processes than it may have.
#[test_with(alone)]
fn many_runs_at_once() {
    let pool = pool(2);
    let pids = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let (seen, _) = values(asyn_pmap::<pid>(0..200), &pool);
                    assert_eq!(seen.len(), 200);
                    pids.lock().unwrap().extend(seen);
                    assert!(pool.workers() <= 2, "{}", pool.workers());
                }
            });
        }
    });
    let all = pids.into_inner().unwrap();
    assert!(
        all.len() < 16,
        "two at a time, used again and again: {all:?}"
    );
}

/// A consumer that starts a run on the same pool for every outcome that it takes.
///
/// Case 29: A run inside another run's consumer goes on, on a pool with a single worker that the outer run has work for.
#[test_with(alone)]
fn a_run_inside_the_consumer_of_another() {
    let pool = pool(1);
    let outer = asyn_pmap::<act>((0..2000).map(Deed::Return)).capacity(2000);
    let outer = outer.pool(&pool).start().unwrap().into_iter();
    for outcome in outer.take(20) {
        let n = outcome.unwrap();
        let (inner, _) = values(asyn_pmap::<act>([Deed::Return(n)]), &pool);
        assert_eq!(inner, [n]);
        assert!(pool.workers() <= 1);
    }
}

/// One run has work for hours, in calls of some milliseconds.
///
/// Case 29: A run that comes later has its turn while another has work without end.
#[test_with(alone)]
fn a_run_without_end_takes_turns_with_others() {
    for processes in [1, 2] {
        let pool = pool(processes);
        let deeds = (0..).map(|_| Deed::Sleep(Duration::from_millis(2)));
        let mut endless = asyn_pmap::<act>(deeds)
            .pool(&pool)
            .start()
            .unwrap()
            .into_iter();
        for _ in 0..3 {
            endless.next().unwrap().unwrap();
            let (pids, _) = values(asyn_pmap::<pid>(0..10), &pool);
            assert_eq!(pids.len(), 10);
        }
        assert!(pool.workers() <= processes);
    }
}

/// Case M70: Workers of a pool go when they have been idle, but for those that are kept.
#[test_with(alone)]
fn idle_workers_go_but_for_those_that_are_kept() {
    let builder = Pool::builder().processes(3).idle(Duration::from_millis(20));
    for keep in [0, 1] {
        let pool = builder.clone().keep(keep).start().unwrap();
        values(asyn_pmap::<pid>(0..100).processes(3..=3), &pool);
        wait_until(|| pool.workers() == keep);
        assert_eq!(pool.idle_workers(), keep);
    }
}

#[test_with(alone)]
fn a_worn_worker_does_not_come_back() {
    let pool = pool(1);
    let recycle = Recycle::new().after_items(5);
    let (pids, stats) = values(asyn_pmap::<pid>(0..10).recycle(recycle), &pool);
    assert_eq!(pids.into_iter().collect::<BTreeSet<_>>().len(), 2);
    assert_eq!(stats.workers_started, 2);
}

#[task]
fn with_a_pool_of_its_own(n: u64) -> u64 {
    let pool = Pool::global().unwrap();
    let run = asyn_pmap::<pid>(0..n).pool(&pool).start().unwrap();
    let pids: BTreeSet<u32> = run.into_iter().map(Result::unwrap).collect();
    pids.len() as u64
}

#[test_with(alone)]
fn a_pool_inside_a_worker_goes_with_it() {
    let pool = pool(2);
    let (counts, _) = values(asyn_pmap::<with_a_pool_of_its_own>([3; 6]), &pool);
    assert!(counts.iter().all(|&count| count >= 1));
    drop(pool);
    assert_eq!(children(), [0_u32; 0]);
}

/// Items that were pulled when the pool was closed are done, and no more are pulled.
///
/// Case M71: A closed pool pulls nothing more, finishes what it has, and refuses further runs.
#[test_with(alone)]
fn a_closed_pool_finishes_what_it_has() {
    let pool = pool(1);
    let pulled = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&pulled);
    let input = (0..).inspect(move |_| {
        seen.fetch_add(1, Ordering::SeqCst);
    });
    let run = asyn_pmap::<pid>(input).capacity(50).pool(&pool);
    let run = run.start().unwrap();
    wait_until(|| pulled.load(Ordering::SeqCst) >= 50);
    pool.close();
    pool.close();
    let outcomes: Vec<_> = run.into_iter().collect();
    assert!(outcomes.iter().all(Result::is_ok));
    let pulled = pulled.load(Ordering::SeqCst);
    let done = outcomes.len() as u64;
    assert!((pulled - 1..=pulled).contains(&done), "{pulled}");
    let refused = asyn_pmap::<pid>(0..1).pool(&pool).start().unwrap_err();
    assert!(matches!(refused, StartError::PoolClosed));
}

/// Case M72: A cancelled pool has an outcome for every item that was pulled.
#[test_with(alone)]
fn a_cancelled_pool_has_an_outcome_for_every_item() {
    let pool = pool(1);
    let (told, ended) = std::sync::mpsc::channel();
    // Asked for one more after the last, which is part of the run by then.
    let last = std::iter::from_fn(move || {
        told.send(()).unwrap();
        None
    });
    let items = (0..10_000).chain(last);
    let run = asyn_pmap::<forever>(items).capacity(20_000).pool(&pool);
    let run = run.start().unwrap();
    ended.recv().unwrap();
    pool.cancel();
    let outcomes: Vec<_> = run.into_iter().collect();
    assert_eq!(outcomes.len(), 10_000);
    let errors = outcomes.into_iter().map(Result::unwrap_err);
    for error in errors {
        assert_is!(error.kind(), TaskErrorKind::Cancelled);
    }
    assert_eq!(pool.idle_workers(), 0);
}

/// Case M166: A pool tells how many workers and runs it has, and what workers have died of, in runs and while they waited.
#[test_with(alone)]
fn a_pool_tells_what_it_has_done() {
    let pool = pool(1);
    assert_eq!(pool.stats(), PoolStats::default());
    let idle = || wait_until(|| pool.stats().idle_workers == 1 && pool.stats().runs == 0);
    for _ in 0..2 {
        values(asyn_pmap::<pid>(0..1), &pool);
        idle();
    }
    let stats = pool.stats();
    assert_eq!(
        (stats.workers, stats.workers_started, stats.workers_reused),
        (1, 1, 1)
    );
    assert_eq!(stats.deaths, Deaths::default());
    // One run has the worker, another waits for it.
    let folder = Folder::temp();
    let runs = [(); 2].map(|()| {
        let run = asyn_pmap::<waits_to_go>(0..1).shared(folder.clone());
        run.pool(&pool).start().unwrap()
    });
    wait_until(|| pool.stats().wanted_workers == 1);
    assert_eq!((pool.stats().runs, pool.stats().idle_workers), (2, 0));
    assert!(folder.first("go"));
    for run in runs {
        assert_eq!(run.into_iter().filter(Result::is_ok).count(), 1);
    }
    idle();
    // In a run, and while it waits.
    let run = asyn_pmap::<act>([Deed::Abort]).crash_limit(1);
    assert_eq!(succeeded(run.pool(&pool)), 0);
    wait_until(|| pool.stats().deaths.by_themselves == 1);
    let (pids, _) = values(asyn_pmap::<pid>(0..1), &pool);
    idle();
    if HAS_SIGNALS {
        signal(pids[0], Signal::TERM);
        wait_until(|| pool.stats().deaths.terminated == 1 && pool.workers() == 0);
    }
    assert_eq!(pool.stats().workers_started, 2);
}

#[test]
fn numbers_out_of_range_are_refused() {
    for processes in [0, 1 << 20] {
        let refused = Pool::builder().processes(processes).start().unwrap_err();
        assert!(refused.to_string().contains("processes"), "{refused}");
    }
}

/// A run whose only worker dies gets another, also when others have all the places and a second worker of
/// its own has been waiting for one.
#[test_with(alone)]
fn a_run_that_has_lost_its_last_worker_does_not_wait_for_others() {
    let pool = pool(1);
    let gate = |deeds: Vec<Deed>| {
        let (open, opened) = sync_channel::<()>(1);
        let later = iter::once_with(move || opened.recv().ok());
        (open, later.flat_map(move |_| deeds.clone()))
    };
    let (go_on, later) = gate(vec![Deed::Abort, Deed::Return(9)]);
    let deeds = (0..50).map(Deed::Return).chain(later);
    let run = asyn_pmap::<act>(deeds).processes(2).crash_limit(1);
    let mut first = run.pool(&pool).start().unwrap().into_iter();
    assert!(first.by_ref().take(50).all(|outcome| outcome.is_ok()));
    let (end, later) = gate(Vec::new());
    let deeds = iter::once(Deed::Return(1)).chain(later);
    let second = asyn_pmap::<act>(deeds).pool(&pool).start();
    let mut second = second.unwrap().into_iter();
    assert!(
        second.next().unwrap().is_ok(),
        "it has a worker, and keeps it"
    );
    go_on.send(()).unwrap();
    assert!(first.next().unwrap().is_err());
    assert_eq!(first.next().unwrap().unwrap(), 9);
    assert!(first.next().is_none());
    end.send(()).unwrap();
    assert!(second.next().is_none());
}

/// The processes that did so many runs of one item each.
fn processes_of(
    runs: u64,
    pool: &Pool,
    option: impl Fn(AsynPmap<pid>) -> AsynPmap<pid>,
) -> Vec<u32> {
    let one = |n| values(option(asyn_pmap::<pid>([n])), pool).0[0];
    (0..runs).map(one).collect()
}

/// Case 19: `after_items`, `after_batches` and `pool_maxtasksperchild` hold for a process, over all runs that share it.
#[test_with(alone)]
fn what_recycles_by_items_counts_over_all_runs() {
    let pool = pool(1);
    let by_items = |run: AsynPmap<pid>| run.recycle(Recycle::new().after_items(5));
    let by_batches = |run: AsynPmap<pid>| run.batch_size(1).pool_maxtasksperchild(5);
    for pids in [
        processes_of(30, &pool, by_items),
        processes_of(30, &pool, by_batches),
    ] {
        let distinct: BTreeSet<_> = pids.iter().collect();
        assert_eq!(distinct.len(), 6, "{pids:?}");
        assert!(
            pids.chunks(5)
                .all(|five| five.iter().all(|pid| *pid == five[0])),
            "{pids:?}"
        );
    }
    // In the middle of a run: of the first five, two are used up.
    let used = processes_of(2, &pool, by_items)[0];
    let (pids, _) = values(by_items(asyn_pmap::<pid>(0..10)).processes(1), &pool);
    assert_eq!(
        pids.iter().filter(|pid| **pid == used).count(),
        3,
        "{pids:?}"
    );
}

/// Case 19: `after_age` is the age of a process, whatever runs have shared it.
#[test_with(alone)]
fn what_recycles_by_age_counts_over_all_runs() {
    let pool = pool(1);
    let age = Duration::from_millis(50);
    let by_age = |run: AsynPmap<pid>| run.recycle(Recycle::new().after_age(age).jitter(0.0));
    let first = processes_of(1, &pool, by_age)[0];
    let begun = std::time::Instant::now();
    wait_until(|| begun.elapsed() > age);
    assert_ne!(processes_of(1, &pool, by_age), [first]);
    // Without the limit age is nothing.
    let (last, _) = values(asyn_pmap::<pid>([0]), &pool);
    wait_until(|| begun.elapsed() > 3 * age);
    assert_eq!(values(asyn_pmap::<pid>([0]), &pool).0, last);
}

static SET: OnceLock<u64> = OnceLock::new();

/// Can be done once in a process.
#[task]
fn sets(to: u64) -> Result<(), String> {
    SET.set(to).map_err(|_| "it is set".to_owned())
}

#[task]
fn what_is_set(_: u64) -> (Option<u64>, u32) {
    (SET.get().copied(), std::process::id())
}

/// What is set in the workers of a run, which were all set up at the first try; and how many had been used before.
fn set(pool: &Pool, to: u64) -> u64 {
    let run = asyn_pmap::<what_is_set>(0..50).init::<sets>(to);
    let (found, stats) = values(run, pool);
    assert!(found.iter().all(|(set, _)| *set == Some(to)), "{found:?}");
    let tried = stats.workers_started + stats.workers_reused;
    assert!(tried <= 2 && stats.workers_died == 0, "{stats:?}");
    stats.workers_reused
}

/// Case 20: An init runs once in a process; a run with another init gets other processes.
#[test_with(alone)]
fn an_init_runs_once_in_a_process() {
    let pool = pool(2);
    set(&pool, 1);
    for _ in 0..10 {
        assert!(set(&pool, 1) >= 1, "it is used again");
    }
    let (found, stats) = values(asyn_pmap::<what_is_set>(0..50), &pool);
    assert!(stats.workers_reused >= 1 && found.iter().any(|(set, _)| *set == Some(1)));
    for to in [2, 1, 2] {
        set(&pool, to);
    }
}

static ASK: OnceLock<tokio::sync::mpsc::Sender<tokio::sync::oneshot::Sender<u32>>> =
    OnceLock::new();

/// Leaves somebody on the runtime who answers.
#[task]
async fn starts_a_service() {
    let (ask, mut asked) = tokio::sync::mpsc::channel::<tokio::sync::oneshot::Sender<u32>>(1);
    ASK.set(ask).unwrap();
    tokio::spawn(async move {
        while let Some(answer) = asked.recv().await {
            answer.send(std::process::id()).unwrap();
        }
    });
}

#[task]
async fn asks_the_service(_: u64) -> u32 {
    let (answer, answered) = tokio::sync::oneshot::channel();
    ASK.get().unwrap().send(answer).await.unwrap();
    answered.await.unwrap()
}

/// Case 20: What an init has started on the runtime still works in the next run.
#[test_with(alone)]
fn what_an_init_has_started_lives_as_long_as_its_process() {
    let pool = pool(1);
    let run = || asyn_pmap::<asks_the_service>(0..5).init::<starts_a_service>(());
    let pids: BTreeSet<u32> = (0..3).flat_map(|_| values(run(), &pool).0).collect();
    assert_eq!(pids.len(), 1);
}
