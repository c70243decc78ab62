//! Whose call is next.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use futures::{FutureExt, future::join_all};
use mt_pool::{Pool, task};
use mt_test_kit::{Folder, wait_until, watchdog};

#[task]
fn notes_when((file, who, go): (PathBuf, String, PathBuf)) {
    wait_until(|| go.exists());
    let mut notes = OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .unwrap();
    writeln!(notes, "{who}").unwrap();
    thread::sleep(Duration::from_millis(2)); // work: some
}

/// Case M208: A caller that has many calls waiting holds up neither another nor an urgent one, also where they wait for a
/// place.
#[test]
fn callers_take_turns_and_urgent_calls_go_first() {
    let _watchdog = watchdog("callers that take turns");
    let pool = Pool::builder().processes(1).calls(4).start().unwrap();
    let folder = Folder::temp();
    let (notes, go) = (folder.file("notes"), folder.file("go"));
    let call = |pool: &Pool, who: &str| {
        pool.call::<notes_when>((notes.clone(), who.to_owned(), go.clone()))
    };
    let (rare, urgent) = (pool.clone(), pool.clone());
    let mut calls: Vec<_> = (0..64)
        .map(|_| call(&pool, "flood").into_future())
        .collect();
    calls.push(call(&rare, "rare").into_future());
    calls.push(call(&urgent, "urgent").priority(1).into_future());
    calls.push(call(&pool, "named").caller(7).into_future());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        // In the line, in this order.
        for call in &mut calls {
            assert!(call.now_or_never().is_none());
        }
        fs::write(&go, "").unwrap();
        assert!(join_all(calls).await.into_iter().all(|end| end.is_ok()));
    });
    let notes = fs::read_to_string(&notes).unwrap();
    let place = |who| notes.lines().position(|note| note == who).unwrap();
    for who in ["rare", "urgent", "named"] {
        assert!(place(who) < 16, "{who} is at {}", place(who));
    }
}

/// Case M249: A call that comes while no worker has room takes its turn at the next room that there is.
#[test]
fn a_call_that_wakes_nobody_misses_no_turn() {
    let _watchdog = watchdog("a call that comes while no worker has room");
    let pool = Pool::builder().processes(1).start().unwrap();
    let folder = Folder::temp();
    let (notes, go) = (folder.file("notes"), folder.file("go"));
    let call = |pool: &Pool, who: &str| {
        let noted = (notes.clone(), who.to_owned(), go.clone());
        pool.call::<notes_when>(noted).spawn()
    };
    let mut calls: Vec<_> = (0..8).map(|_| call(&pool, "flood")).collect();
    wait_until(|| pool.stats().calls.in_workers == 1);
    // The pool has looked for what waits behind the call by then, and has nothing more to look for before its end.
    let since = Instant::now();
    wait_until(|| since.elapsed() > Duration::from_millis(50));
    calls.push(call(&pool.clone(), "rare"));
    fs::write(&go, "").unwrap();
    assert!(calls.into_iter().all(|call| call.wait().is_ok()));
    let notes = fs::read_to_string(&notes).unwrap();
    assert_eq!(notes.lines().position(|note| note == "rare"), Some(1));
}
