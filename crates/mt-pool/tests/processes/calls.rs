//! Single calls on a pool.

use std::{fs, path::PathBuf, process, thread, time::Duration};

use mt_pool::{Pool, StartError, TaskErrorKind, limits::Deadline, task};
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
    let limit = Duration::from_millis(200);
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
        pool.call::<square>(3).deadline(limit).wait().unwrap(),
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
