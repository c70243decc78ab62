//! User code in the parent of a hive panics, with a payload whose own drop panics once more: every delegate has its
//! outcome, and the hive goes on.

use std::{
    panic::{panic_any, set_hook},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake},
    thread,
};

use ::tracing::{Event, Level, Subscriber, subscriber::set_global_default};
use mt_beehive::{
    BeehiveError, BeehiveRun, DelegateError, Hive, TaskCx,
    error::{CrossingProblem, Part},
    hive_of,
};
use mt_pool::StartError;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    scene::{Live as _, block_on, check, children, test_with, until, wait_until},
    tracing::Hears,
};

/// A payload that panics when it is dropped, with another of its kind.
struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        panic_any(Payload);
    }
}

fn burst() -> ! {
    panic_any(Payload)
}

/// Shows only the panics that are the test's, and has one of a thread of ours end it.
fn unshown() {
    set_hook(Box::new(|info| {
        if info.payload_as_str().is_some() {
            eprintln!("{info}");
        }
    }));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum At {
    Never,
    Sent,
    Dropped,
    Read,
}

/// A value of the parent's that bursts there, and no longer when it has crossed.
#[derive(Debug)]
struct Touchy(At, bool);

impl Serialize for Touchy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 == At::Sent {
            burst();
        }
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Touchy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        At::deserialize(deserializer).map(|at| Self(at, true))
    }
}

impl Drop for Touchy {
    fn drop(&mut self) {
        if self.0 == At::Dropped && !self.1 {
            burst();
        }
    }
}

/// A value of a bee's that bursts when it is read.
#[derive(Debug, Serialize)]
struct Returned(At);

impl<'de> Deserialize<'de> for Returned {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match At::deserialize(deserializer)? {
            At::Read => burst(),
            at => Ok(Self(at)),
        }
    }
}

struct Taker(At);

#[mt_beehive::worker]
impl Taker {
    fn new(made_of: Touchy) -> Self {
        Self(made_of.0)
    }

    #[task]
    async fn take(&self, value: Touchy) -> bool {
        value.1 && self.0 != At::Sent
    }

    #[task]
    async fn give(&self, at: At) -> Returned {
        Returned(at)
    }

    #[task]
    async fn raise(&self, at: At) -> Result<u64, Returned> {
        Err(Returned(at))
    }

    #[task]
    async fn walk(&self, cx: TaskCx, steps: u64) -> u64 {
        for step in 1..=steps {
            cx.progress(&(if step % 2 == 0 { At::Read } else { At::Never }));
            tokio::task::yield_now().await;
        }
        steps
    }
}

fn takers() -> BeehiveRun<Taker> {
    hive_of::<Taker>(Touchy(At::Never, false)).processes(1)
}

/// Delegates a task in every way that goes well, and tells that it does.
async fn goes_on(hive: &Hive<Taker>) {
    assert_eq!(hive.take(Touchy(At::Never, false)).await, Ok(true));
    assert_eq!(hive.walk(3).await, Ok(3));
}

/// The part of a task that could not cross, and why.
fn crossing<R: std::fmt::Debug, E: std::fmt::Debug>(
    result: Result<R, DelegateError<E>>,
) -> (Part, String) {
    match result {
        Err(DelegateError::Crossing(error)) => match error.problem {
            CrossingProblem::Unserialisable { message }
            | CrossingProblem::Undecodable { message, .. } => (error.part, message),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// Case 2, 38: Arguments, a value or an error of a task whose `Serialize`, `Deserialize` or `Drop` panics are its own
/// outcome, by method and by name.
#[test_with(check)]
fn what_a_task_takes_and_gives() {
    unshown();
    block_on(takers().live(async |hive| {
        for _ in 0..3 {
            let by_method = crossing(hive.take(Touchy(At::Sent, false)).await);
            let by_name = hive.delegate::<bool>("take", Touchy(At::Sent, false)).await;
            for (part, why) in [by_method, crossing(by_name)] {
                assert!(
                    part == Part::Arguments && why.contains("`Serialize` panicked"),
                    "{why}"
                );
            }
            assert_eq!(hive.take(Touchy(At::Dropped, false)).await, Ok(true));
            let named = hive.delegate::<bool>("take", Touchy(At::Dropped, false));
            assert_eq!(named.await, Ok(true));

            let value = crossing(hive.give(At::Read).await);
            let named = crossing(hive.delegate::<Returned>("give", At::Read).await);
            for (part, why) in [value, named] {
                assert!(
                    part == Part::Value && why.contains("`Deserialize` panicked"),
                    "{why}"
                );
            }
            let (part, why) = crossing(hive.raise(At::Read).await);
            assert!(
                part == Part::Error && why.contains("`Deserialize` panicked"),
                "{why}"
            );
            goes_on(&hive).await;
        }
    }));
}

/// Case 2: A callback for progress that panics, or progress whose `Deserialize` does, costs no outcome.
#[test_with(check)]
fn progress() {
    unshown();
    block_on(takers().live(async |hive| {
        let held = Touchy(At::Dropped, false);
        let bursts = hive.walk(100).on_progress(move |_: At| {
            let _held = &held;
            burst()
        });
        assert_eq!(bursts.await, Ok(100));
        let unread = hive.walk(100).on_progress(|_: Returned| {});
        assert_eq!(unread.await, Ok(100));
        goes_on(&hive).await;
    }));
}

/// Case 2, 38: What bees are made of is a typed error of the start if its `Serialize` panics, and none if its `Drop`
/// does.
#[test_with(check)]
fn what_bees_are_made_of() {
    unshown();
    match hive_of::<Taker>(Touchy(At::Sent, false)).start() {
        Err(BeehiveError::Start(StartError::Value { option, message })) => {
            assert_eq!(option, "init");
            assert!(message.contains("`Serialize` panicked"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    let made = hive_of::<Taker>(Touchy(At::Dropped, false)).processes(1);
    block_on(made.live(async |hive| goes_on(&hive).await));
}

/// How often something has burst in a thread of ours.
static BURSTS: AtomicU64 = AtomicU64::new(0);

/// Bursts in the threads of ours.
fn burst_in_ours() {
    let ours = thread::current();
    if ours.name().is_some_and(|name| name.starts_with("mt-")) {
        BURSTS.fetch_add(1, Ordering::SeqCst);
        burst();
    }
}

/// A subscriber that bursts in the threads of ours.
fn bursts() -> impl Subscriber {
    Hears(Level::TRACE, |_: &Event<'_>| burst_in_ours())
}

/// Case 2: A subscriber of `tracing` that panics ends no hive.
#[test_with(check)]
fn subscribers() {
    unshown();
    set_global_default(bursts()).unwrap();
    block_on(takers().live(async |hive| {
        goes_on(&hive).await;
        let second = hive.spawn().await;
        assert_eq!(hive.bury(second).await, second);
        goes_on(&hive).await;
    }));
    assert!(BURSTS.load(Ordering::SeqCst) > 0, "nobody was told");
}

/// A waker that bursts when a thread of ours wakes it. The test's own may too: as it registers it, and where its runtime
/// has put it off.
struct Waking;

impl Wake for Waking {
    fn wake(self: Arc<Self>) {
        burst_in_ours();
    }
}

/// Case 2: A waker of the caller's that panics ends nothing but its own waiting.
#[test_with(check)]
fn wakers() {
    unshown();
    block_on(takers().live(async |hive| {
        let waker = Arc::new(Waking).into();
        let mut cx = Context::from_waker(&waker);
        let mut delegate = pin!(hive.walk(50).on_progress(|_: At| {}));
        let mut asked = pin!(hive.bees());
        let (mut walked, mut bees) = (None, None);
        until(|| {
            if walked.is_none()
                && let Poll::Ready(ended) = delegate.as_mut().poll(&mut cx)
            {
                walked = Some(ended);
            }
            if bees.is_none()
                && let Poll::Ready(all) = asked.as_mut().poll(&mut cx)
            {
                bees = Some(all.len());
            }
            walked.is_some() && bees.is_some()
        })
        .await;
        assert_eq!((walked, bees), (Some(Ok(50)), Some(1)));
        goes_on(&hive).await;
    }));
    assert!(BURSTS.load(Ordering::SeqCst) > 0, "nobody was woken");
}

/// Case 2: A panic of the caller's own closure goes through, and no bee is left behind.
#[test_with(check)]
fn the_callers_own_closure() {
    unshown();
    let running = thread::spawn(|| {
        block_on(
            takers().run(async |hive: Hive<Taker>| -> Result<(), BeehiveError> {
                goes_on(&hive).await;
                burst()
            }),
        )
    });
    std::mem::forget(running.join().unwrap_err());
    wait_until(|| children().is_empty());
}
