//! Single calls on a pool.

use std::{fs, future::pending, path::PathBuf, process, thread, time::Duration};

use mt_pool::{Pool, StartError, TaskErrorKind, asyn_pmap, limits::Deadline, task};
use mt_test_kit::{Folder, is_gone, wait_until, watchdog};

#[task]
fn square(n: u64) -> u64 {
    n * n
}

#[task]
async fn later(n: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(n)).await; // work: of so long
    n
}

#[task]
fn pid(_: ()) -> u32 {
    process::id()
}

#[task]
fn dies(n: u64) -> u64 {
    if n > 0 { process::abort() } else { n }
}

#[task]
async fn dies_at(n: u64, at: u64) -> u64 {
    if n == at { process::abort() } else { n }
}

#[task]
fn fails(text: String) -> Result<u64, String> {
    Err(text)
}

fn pool(workers: usize) -> Pool {
    Pool::builder().processes(workers).start().expect("a pool")
}

/// Case M168: Calls of different tasks, plain and async, go on side by side in the same workers.
#[test]
fn tasks_of_all_kinds_share_workers() {
    let _watchdog = watchdog("calls of all kinds");
    let pool = pool(1);
    let first = pool.call::<pid>(()).wait().unwrap();
    let slow: Vec<_> = (0..8).map(|_| pool.call::<later>(20).spawn()).collect();
    for n in 0..100 {
        assert_eq!(pool.call::<square>(n).wait().unwrap(), n * n);
    }
    let error = pool.call::<fails>("no".to_owned()).wait().unwrap_err();
    assert!(matches!(error.kind(), TaskErrorKind::Raised(text) if text == "no"));
    assert!(slow.into_iter().all(|call| call.wait().unwrap() == 20));
    assert_eq!(pool.call::<pid>(()).wait().unwrap(), first, "one process");
    assert_eq!(pool.workers(), 1);
}

#[task]
async fn yields(n: u64) -> u64 {
    for _ in 0..n % 7 {
        tokio::task::yield_now().await;
    }
    n
}

/// Case M239: A call of an `async fn` that yields goes on, whatever ends at the same moment.
#[test]
fn a_call_that_yields_goes_on() {
    let _watchdog = watchdog("calls that yield");
    let pool = pool(1);
    let calls: Vec<_> = (0..2000).map(|n| pool.call::<yields>(n).spawn()).collect();
    for (n, call) in (0..).zip(calls) {
        assert_eq!(call.wait().unwrap(), n);
    }
}

/// Case M169: A call whose worker dies has its own outcome, and costs no other call.
#[test]
fn a_death_is_the_outcome_of_its_own_call() {
    let _watchdog = watchdog("calls that die");
    let pool = pool(2);
    let calls: Vec<_> = (0..200)
        .map(|n| {
            (
                n,
                pool.call::<dies>(u64::from(n % 50 == 7)).spawn(),
                pool.call::<square>(n).spawn(),
            )
        })
        .collect();
    for (n, dies, square) in calls {
        match dies.wait() {
            Ok(zero) => assert!(zero == 0 && n % 50 != 7),
            Err(error) => {
                assert!(n % 50 == 7, "{error}");
                assert!(
                    matches!(error.kind(), TaskErrorKind::Crashed { attempts: 3, .. }),
                    "{error}"
                );
                assert_eq!(error.item::<u64>().unwrap().unwrap(), 1);
            }
        }
        assert_eq!(square.wait().unwrap(), n * n);
    }
}

/// Case M170: As many calls as may wait are all there are; a further one is given back, or waits for its turn.
#[test]
fn a_full_pool_gives_the_input_back() {
    let _watchdog = watchdog("a full pool");
    let pool = Pool::builder().processes(1).calls(2).start().unwrap();
    let one = pool.try_call::<later>(50).expect("room for one");
    let two = pool.try_call::<later>(50).expect("room for another");
    let mut shed = 0;
    let third = loop {
        match pool.try_call::<later>(7) {
            Ok(call) => break call,
            Err(full) => {
                assert_eq!(full.into_input(), 7);
                shed += 1;
                thread::yield_now();
            }
        }
    };
    assert!(shed > 0);
    assert_eq!(
        (
            one.wait().unwrap(),
            two.wait().unwrap(),
            third.wait().unwrap()
        ),
        (50, 50, 7)
    );
}

#[task]
fn for_ever(folder: PathBuf) -> u64 {
    fs::write(folder.join(process::id().to_string()), "").unwrap();
    loop {
        std::hint::spin_loop();
    }
}

/// The process in which the only call of [`for_ever`] runs, once it does.
fn process_of(folder: &Folder) -> u32 {
    let mut found = None;
    wait_until(|| {
        let mut files = fs::read_dir(folder.path()).unwrap();
        found = files.next().map(|file| file.unwrap().file_name());
        found.is_some()
    });
    found.unwrap().into_string().unwrap().parse().unwrap()
}

/// Case M171: A call that runs for too long ends with its process, and one that waits for too long is not called.
#[test]
fn each_call_has_its_own_deadlines() {
    let _watchdog = watchdog("calls with deadlines");
    let (pool, folder) = (pool(1), Folder::temp());
    // Within it the call has to say where it runs, on a machine that has other things to do too.
    let limit = Duration::from_secs(2);
    let late = pool
        .call::<for_ever>(folder.path().into())
        .deadline(limit)
        .spawn();
    let process = process_of(&folder);
    let short = Duration::from_millis(1);
    let waits = pool
        .call::<square>(3)
        .queue_deadline(short)
        .wait()
        .unwrap_err();
    assert!(
        matches!(waits.kind(), TaskErrorKind::TimedOut { deadline: Deadline::Queue, limit } if *limit == short),
        "{waits}"
    );
    let late = late.wait().unwrap_err();
    assert!(
        matches!(late.kind(), TaskErrorKind::TimedOut { deadline: Deadline::Hard, limit: told } if *told == limit),
        "{late}"
    );
    assert!(is_gone(process));
    assert_eq!(
        pool.call::<square>(3)
            .deadline(Duration::from_secs(20))
            .wait()
            .unwrap(),
        9,
        "the pool goes on"
    );
}

/// Case M172: A call that is cancelled while it runs ends with its process; one that waits is never called.
#[test]
fn a_cancelled_call_is_gone_when_it_is_told() {
    let _watchdog = watchdog("cancelled calls");
    let (pool, folder) = (pool(1), Folder::temp());
    let runs = pool.call::<for_ever>(folder.path().into()).spawn();
    let process = process_of(&folder);
    let other = Folder::temp();
    let waits = pool.call::<for_ever>(other.path().into()).spawn();
    let dropped = pool.call::<for_ever>(other.path().into()).into_future();
    drop(dropped);
    for call in [waits, runs] {
        call.cancel();
        let error = call.wait().unwrap_err();
        assert!(matches!(error.kind(), TaskErrorKind::Cancelled), "{error}");
    }
    assert!(is_gone(process));
    assert_eq!(
        pool.call::<square>(4).wait().unwrap(),
        16,
        "the pool goes on"
    );
    assert_eq!(
        fs::read_dir(other.path()).unwrap().count(),
        0,
        "never called"
    );
}

/// Case M173: A pool that is closed calls nothing, and says so; what was called before is finished.
#[test]
fn a_closed_pool_says_so() {
    let _watchdog = watchdog("a closed pool");
    let pool = pool(1);
    let call = pool.try_call::<later>(50).unwrap();
    pool.close();
    assert_eq!(call.wait().unwrap(), 50);
    let error = pool.call::<square>(1).wait().unwrap_err();
    assert!(
        matches!(error.kind(), TaskErrorKind::NotStarted(why) if matches!(**why, StartError::PoolClosed)),
        "{error}"
    );
}

#[task]
async fn notes(file: PathBuf) {
    tokio::time::sleep(Duration::from_millis(20)).await; // work: some
    fs::write(file, "done").unwrap();
}

/// Case M179: A call that was spawned goes on when its handle and the pool are dropped, and then leaves nothing behind.
#[test]
fn a_spawned_call_goes_on_by_itself() {
    let _watchdog = watchdog("a call that nobody waits for");
    let (pool, folder) = (pool(1), Folder::temp());
    let process = pool.call::<pid>(()).wait().unwrap();
    drop(pool.call::<notes>(folder.file("note")).spawn());
    drop(pool);
    wait_until(|| folder.file("note").exists());
    wait_until(|| is_gone(process));
}

/// Case M180: Calls from many threads and tasks have each their own outcome, whatever dies meanwhile.
#[test]
fn calls_from_everywhere() {
    let _watchdog = watchdog("calls from many threads");
    let pool = pool(2);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let pool = pool.clone();
            runtime.spawn(async move {
                for n in 0..200_u64 {
                    let n = 1000 * task + n;
                    assert_eq!(pool.call::<square>(n).await.unwrap(), n * n);
                    if n % 97 == 0 {
                        let error = pool.call::<dies>(1).await.unwrap_err();
                        assert!(
                            matches!(error.kind(), TaskErrorKind::Crashed { .. }),
                            "{error}"
                        );
                    }
                    if n % 7 == 0 {
                        // Given up after its first poll, as by a client that has gone.
                        let call = pool.call::<later>(30).into_future();
                        let _ = tokio::time::timeout(Duration::ZERO, call).await;
                    }
                }
            })
        })
        .collect();
    thread::scope(|scope| {
        for thread in 0..4_u64 {
            let pool = pool.clone();
            scope.spawn(move || {
                for n in 0..200 {
                    assert_eq!(pool.call::<later>(n % 3).wait().unwrap(), n % 3);
                    assert_eq!(
                        pool.call::<square>(thread + n).wait().unwrap(),
                        (thread + n).pow(2)
                    );
                }
            });
        }
    });
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
}

/// Says that it is dropped.
struct Leaves(PathBuf);

impl Drop for Leaves {
    fn drop(&mut self) {
        fs::write(&self.0, "").unwrap();
    }
}

#[task]
async fn waits_for_ever(folder: PathBuf) -> u64 {
    let _left = Leaves(folder.join("left"));
    fs::write(folder.join("begun"), "").unwrap();
    pending().await
}

/// Case M206: A cancelled call of an `async fn` is dropped where it waits, and costs neither its worker nor its mates.
#[test]
fn a_cancelled_call_that_waits_is_dropped() {
    let _watchdog = watchdog("calls that wait and are cancelled");
    let (pool, folder) = (pool(1), Folder::temp());
    let process = pool.call::<pid>(()).wait().unwrap();
    let mate = pool.call::<later>(300).spawn();
    let waits = pool.call::<waits_for_ever>(folder.path().into()).spawn();
    wait_until(|| folder.file("begun").exists());
    waits.cancel();
    let error = waits.wait().unwrap_err();
    assert!(matches!(error.kind(), TaskErrorKind::Cancelled), "{error}");
    assert!(
        folder.file("left").exists(),
        "it is dropped when it is told"
    );
    assert_eq!(mate.wait().unwrap(), 300);
    assert_eq!(pool.call::<pid>(()).wait().unwrap(), process, "one process");
}

#[task]
fn until_there(file: PathBuf) {
    wait_until(|| file.exists());
}

/// Case M264: A call of an `async fn` that crashes costs none of those that came to its worker with it and had not begun.
#[test]
fn what_has_not_begun_is_not_to_blame() {
    let _watchdog = watchdog("a crash among calls that came together");
    let pool = Pool::builder().processes(1).crash_limit(1).start();
    let (pool, folder) = (pool.unwrap(), Folder::temp());
    let holds = pool.call::<until_there>(folder.file("go")).spawn();
    let calls: Vec<_> = (0..40)
        .map(|n| pool.call::<dies_at>((n, 10)).spawn())
        .collect();
    wait_until(|| pool.stats().calls.in_workers == 41);
    fs::write(folder.file("go"), "").unwrap();
    let _ = holds.wait();
    let mut ends: Vec<_> = calls.into_iter().map(|call| call.wait()).collect();
    let behind = ends.split_off(11);
    assert!(matches!(
        ends[10].as_ref().unwrap_err().kind(),
        TaskErrorKind::Crashed { .. }
    ));
    for (n, end) in (11..).zip(behind) {
        assert_eq!(end.unwrap(), n);
    }
}

/// Case M216: Quick calls that were sent ahead to a worker do not wait there for one that takes long.
#[test]
fn quick_calls_do_not_wait_behind_a_long_one() {
    let _watchdog = watchdog("quick calls behind a long one");
    let (pool, folder) = (pool(2), Folder::temp());
    let quick = || {
        let calls: Vec<_> = (0..500).map(|n| pool.call::<square>(n).spawn()).collect();
        calls
    };
    let before = quick();
    let long = pool.call::<until_there>(folder.file("go")).spawn();
    for (n, call) in (0..500)
        .chain(0..500)
        .zip(before.into_iter().chain(quick()))
    {
        assert_eq!(call.wait().unwrap(), n * n);
    }
    assert!(!long.is_finished());
    fs::write(folder.file("go"), "").unwrap();
    long.wait().unwrap();
    assert_eq!(pool.workers(), 2, "no worker was ended for it");
}

#[task]
fn fails_once(file: PathBuf) -> Result<u32, String> {
    match file.exists() {
        true => Ok(process::id()),
        false => {
            fs::write(&file, "").unwrap();
            Err("not yet".to_owned())
        }
    }
}

/// Case M207: A call whose function returns an error is made again as often as it may, and no more.
#[test]
fn errors_are_tried_again() {
    let _watchdog = watchdog("calls that are tried again");
    let (pool, folder) = (pool(1), Folder::temp());
    let again = pool.call::<fails_once>(folder.file("a")).retries(1);
    assert!(again.wait().is_ok());
    let error = pool
        .call::<fails_once>(folder.file("b"))
        .wait()
        .unwrap_err();
    assert!(matches!(error.kind(), TaskErrorKind::Raised(_)), "{error}");
    let error = pool.call::<fails>("no".to_owned()).retries(2).wait();
    let error = error.unwrap_err();
    assert!(
        matches!(error.kind(), TaskErrorKind::Raised(text) if text == "no"),
        "{error}"
    );
    assert_eq!(error.attempts(), 3);
}

/// Case M209: A run and calls share a worker, and take turns at it.
#[test]
fn a_run_and_calls_take_turns() {
    let _watchdog = watchdog("a run beside calls");
    let pool = pool(1);
    let run = asyn_pmap::<later>((0..600).map(|_| 1)).pool(&pool);
    let mut run = run.start().unwrap().into_iter();
    assert_eq!(run.next().unwrap().unwrap(), 1);
    for n in 0..20 {
        assert_eq!(pool.call::<square>(n).wait().unwrap(), n * n);
    }
    assert_eq!(run.count(), 599);
    assert!(pool.workers() <= 1);
}

/// Case M210: A shutdown lets calls finish within its grace, and tells the rest that they are cancelled.
#[test]
fn a_shutdown_lets_calls_finish() {
    let _watchdog = watchdog("a shutdown with calls");
    let (pool, folder) = (pool(1), Folder::temp());
    let quick: Vec<_> = (0..8).map(|_| pool.call::<later>(50).spawn()).collect();
    let endless = pool.call::<waits_for_ever>(folder.path().into()).spawn();
    wait_until(|| folder.file("begun").exists());
    let shutdown = pool.shutdown_blocking(Duration::from_millis(300));
    assert_eq!(shutdown.cancelled_runs, 1);
    assert!(quick.into_iter().all(|call| call.wait().unwrap() == 50));
    let error = endless.wait().unwrap_err();
    assert!(matches!(error.kind(), TaskErrorKind::Cancelled), "{error}");
    assert_eq!(pool.workers(), 0);
}

/// Case M211: A plain call waits for none of the calls of `async fn`s that go on, also when these are all that there may be.
#[test]
fn a_plain_call_waits_for_no_others() {
    let _watchdog = watchdog("a plain call among many that wait");
    let (pool, folder) = (pool(1), Folder::temp());
    let waiting: Vec<_> = (0..70)
        .map(|_| pool.call::<waits_for_ever>(folder.path().into()).spawn())
        .collect();
    wait_until(|| folder.file("begun").exists());
    for n in 0..10 {
        assert_eq!(pool.call::<square>(n).wait().unwrap(), n * n);
    }
    waiting.iter().for_each(|call| call.cancel());
    for call in waiting {
        assert!(call.wait().unwrap_err().is_cancelled());
    }
}
