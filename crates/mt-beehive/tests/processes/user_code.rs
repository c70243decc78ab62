//! Everything of the user's that runs in a bee's process panics, one thing at a time: it is told, by its message, and
//! the bee goes on.

use std::{fmt, panic::panic_any, process};

use mt_beehive::{
    BeehiveRun, CancelReason, DelegateError, TaskCx, error::NoWorkers, hive_of,
    limits::WorkerOptions, supervision::RestartBudget,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::scene::{
    LONG, Live as _, block_on, both_ways, check, is_gone, lost, patient, reason, test_with, until,
};

/// Where a value of the user's panics. In the parent it never does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum At {
    Nowhere,
    Decode,
    Encode,
    Drop,
    /// When it is displayed.
    Show,
    /// When it is told as progress.
    Progress,
    /// In tasks that are spawned beside, with a payload that panics when it is dropped.
    Beside,
}

/// A payload that panics when it is dropped, with another of its kind.
struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        panic_any(Payload);
    }
}

async fn panic_beside<T>() -> T {
    tokio::spawn(async { panic_any(Payload) });
    tokio::task::spawn_local(async { panic_any(Payload) });
    std::future::pending().await
}

impl At {
    fn is(self, place: Self) {
        let traps = self == place && mt_ipc::is_worker_process();
        assert!(!traps, "trapped at {self:?}");
    }
}

/// A value with a trap in it.
#[derive(Debug)]
struct Trap(At);

impl Serialize for Trap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.is(At::Encode);
        self.0.is(At::Progress);
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Trap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let at = At::deserialize(deserializer)?;
        at.is(At::Decode);
        Ok(Self(at))
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        self.0.is(At::Drop);
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.is(At::Show);
        f.write_str("shown")
    }
}

/// A bee that is dropped over a trap.
struct Trapped {
    _trap: Trap,
}

#[mt_beehive::worker]
impl Trapped {
    async fn new(trap: Trap) -> Result<Self, Trap> {
        match trap.0 {
            At::Show => Err(Trap(At::Show)),
            At::Beside => panic_beside().await,
            _ => Ok(Self { _trap: trap }),
        }
    }

    #[task]
    async fn act(&self, cx: TaskCx, item: Trap, made: At) -> Result<Trap, Trap> {
        tokio::task::yield_now().await;
        drop(item);
        match made {
            At::Show => Err(Trap(At::Show)),
            At::Progress => {
                cx.progress(&Trap(At::Progress));
                Ok(Trap(At::Nowhere))
            }
            At::Beside => panic_beside().await,
            at => Ok(Trap(at)),
        }
    }

    /// Panics in a process that has no memory for one more thread.
    #[task]
    async fn panic_without_threads(&self) {
        let before = getrlimit(Resource::As);
        let current = Some(1 << 20);
        setrlimit(Resource::As, Rlimit { current, ..before }).unwrap();
        panic!("on purpose");
    }

    #[task]
    async fn call_init(&self) {
        mt_beehive::init();
    }

    #[task]
    fn pid(&self) -> u32 {
        process::id()
    }
}

fn trapped(at: At) -> BeehiveRun<Trapped> {
    let (limit, period) = (1, LONG);
    let workers = WorkerOptions::new().restart_budget(RestartBudget { limit, period });
    hive_of::<Trapped>(Trap(at))
        .processes(1)
        .workers(workers)
        .deadlines(patient())
}

/// Case 7: Whatever of a task's arguments, progress, result or error panics is that task's end, with its message, and the bee
/// goes on.
#[test_with(check)]
fn what_panics_of_a_task_is_its_end() {
    both_ways(
        || trapped(At::Nowhere),
        async |hive| {
            let bee = hive.pid().await.unwrap();
            let none = At::Nowhere;
            for (item, made, expected) in [
                (At::Decode, none, "Decode"),
                (At::Drop, none, "Drop"),
                (none, At::Encode, "Encode"),
                (none, At::Drop, "Drop"),
                (none, At::Show, "Show"),
                (none, At::Progress, "Progress"),
            ] {
                match hive.act(Trap(item), made).await {
                    Err(DelegateError::Panicked(panic)) => {
                        assert_eq!(panic.exception, format!("trapped at {expected}"));
                    }
                    other => panic!("{other:?}"),
                }
                assert_eq!(hive.pid().await, Ok(bee));
            }
        },
    );
}

/// Case 7: Whatever panics while a bee is made is told as the reason why there is none.
#[test_with(check)]
fn what_panics_while_a_bee_is_made_is_told() {
    for at in [At::Decode, At::Show] {
        let why = block_on(trapped(at).live(async |hive| reason(hive.pid().await)));
        let CancelReason::NoWorkers(NoWorkers::NotMade { message }) = why else {
            panic!("{why}");
        };
        assert!(message.contains(&format!("trapped at {at:?}")), "{message}");
    }
}

/// Case 7: A bee whose drop panics goes in peace.
#[test_with(check)]
fn a_bee_that_panics_when_she_is_dropped_goes_all_the_same() {
    both_ways(
        || trapped(At::Drop),
        async |hive| {
            let bee = hive.pid().await.unwrap();
            hive.bury(Some(0));
            until(|| is_gone(bee)).await;
            assert_eq!(hive.stats().await.bees_lost, 0);
        },
    );
}

/// Case 2, 7: A task that a bee has spawned and that panics with what panics when it is dropped, in her `new` or in a
/// task, costs the bee, and the reason says so.
#[test_with(check)]
fn what_panics_beside_a_task_is_told() {
    let told = "a task that was spawned here has panicked";
    both_ways(
        || trapped(At::Nowhere).crash_limit(1),
        async |hive| {
            let (death, _) = lost(hive.act(Trap(At::Nowhere), At::Beside).await);
            let why = death.to_string();
            assert!(why.contains("code 101") && why.contains(told), "{why}");
            hive.pid().await.unwrap();
        },
    );
    let unmade = trapped(At::Beside).live(async |hive| reason(hive.pid().await));
    let why = block_on(unmade).to_string();
    assert!(why.contains(told), "{why}");
}

/// What it said, of a task that has panicked.
fn panicked(result: Result<(), DelegateError>) -> String {
    match result {
        Err(DelegateError::Panicked(panic)) => panic.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Case 36: A panic is told with its place where there is no thread left to look up its call stack, and the bee goes on.
#[test_with(check)]
fn a_panic_where_no_thread_can_be_had() {
    both_ways(
        || trapped(At::Nowhere),
        async |hive| {
            let bee = hive.pid().await.unwrap();
            for _ in 0..2 {
                let why = panicked(hive.panic_without_threads().await);
                assert!(why.starts_with("on purpose (at "), "{why}");
            }
            assert_eq!(hive.pid().await, Ok(bee));
        },
    );
}

/// A task that calls `init` is told that this does not belong there, and blocks nobody.
#[test_with(check)]
fn a_task_that_calls_init() {
    both_ways(
        || trapped(At::Nowhere),
        async |hive| {
            let why = panicked(hive.call_init().await);
            assert!(why.contains("`init()` is called by a task"), "{why}");
            hive.pid().await.unwrap();
        },
    );
}
