//! Everything of the user's that runs in a worker panics, one thing at a time: it is told, by its message, and costs
//! nothing else.

use std::fmt;

use mt_pool::{Context, error::ContextStep};
use mt_proto::SetupStep;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::prelude::*;

/// Where a value of the user's panics. In the parent it never does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum At {
    Nowhere,
    Decode,
    Encode,
    Drop,
    EncodeAndDrop,
    /// When it is displayed.
    Show,
    /// In a function that makes a future, before there is one.
    Call,
    /// The payload panics when it is dropped.
    Payload,
}

impl At {
    fn is(self, place: Self) {
        if self != place || !mt_pool::__private::is_worker_process() {
            return;
        }
        match place {
            Self::Payload => std::panic::panic_any(Trap(Self::Drop)),
            _ => panic!("trapped at {self:?}"),
        }
    }
}

/// A value with a trap in it.
#[derive(Debug)]
struct Trap(At);

impl Serialize for Trap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.is(At::Encode);
        self.0.is(At::EncodeAndDrop);
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
        self.0.is(At::EncodeAndDrop);
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.is(At::Show);
        f.write_str("shown")
    }
}

/// A context that is opened, is dropped and is closed over traps.
struct Snare(Trap, At);

/// A context's config, and where opening and closing fail: `Nowhere` for not at all.
type Config = (Trap, At, At);

fn step(at: At, made: Snare) -> impl Future<Output = Result<Snare, Trap>> {
    at.is(At::Call);
    async move {
        tokio::task::yield_now().await;
        match at {
            At::Show => Err(Trap(at)),
            _ => Ok(made),
        }
    }
}

impl Context for Snare {
    type Config = Config;
    type Error = Trap;

    fn open((_, open, close): &Config) -> impl Future<Output = Result<Self, Trap>> {
        let dropped = if *close == At::Drop {
            At::Drop
        } else {
            At::Nowhere
        };
        step(*open, Self(Trap(dropped), *close))
    }

    fn close(self) -> impl Future<Output = Result<(), Trap>> {
        let (_, close) = (&self.0, self.1);
        let closed = step(close, self);
        async { closed.await.map(drop) }
    }
}

#[task]
fn plain(#[shared] _s: &Trap, #[context] _c: &Snare, item: Trap, made: At) -> Result<Trap, Trap> {
    item.0.is(At::Payload);
    match made {
        At::Show => Err(Trap(At::Encode)),
        at => Ok(Trap(at)),
    }
}

#[task]
async fn asynchronous(
    #[shared] _s: &Trap,
    #[context] _c: &Snare,
    item: Trap,
    made: At,
) -> Result<Trap, Trap> {
    if made != At::EncodeAndDrop {
        tokio::task::yield_now().await;
    }
    item.0.is(At::Payload);
    match made {
        At::Show => Err(Trap(At::Encode)),
        at => Ok(Trap(at)),
    }
}

#[task]
fn first(trap: Trap) -> Result<(), Raises> {
    match trap.0 {
        At::Show => Err(Raises),
        _ => Ok(()),
    }
}

#[task]
fn hook(trap: Trap) -> Result<Trap, Raises> {
    match trap.0 {
        At::Show => Err(Raises),
        at => Ok(Trap(at)),
    }
}

/// An error that does not cross, and panics when it is asked for its text.
struct Raises;

impl fmt::Display for Raises {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("trapped at Show")
    }
}

/// Which value has which trap.
#[derive(Clone, Copy)]
struct Traps {
    item: At,
    result: At,
    shared: At,
    config: At,
    open: At,
    close: At,
    init: At,
    exit: At,
}

const NONE: Traps = Traps {
    item: At::Nowhere,
    result: At::Nowhere,
    shared: At::Nowhere,
    config: At::Nowhere,
    open: At::Nowhere,
    close: At::Nowhere,
    init: At::Nowhere,
    exit: At::Nowhere,
};

/// Runs ten items, of which the fourth has the traps that an item can have. The report comes with how many exit hooks
/// have returned.
fn run<T>(traps: Traps) -> Report<Trap, Trap>
where
    T: Task<Input = (Trap, At), Shared = Trap, Context = Snare, Output = Trap, Error = Trap>,
{
    let quiet = move |n| {
        if n == 3 {
            (traps.item, traps.result)
        } else {
            (At::Nowhere, At::Nowhere)
        }
    };
    let items = (0..10).map(move |n| (Trap(quiet(n).0), quiet(n).1));
    let run = asyn_pmap::<T>(items)
        .processes(1)
        .batch_size(4)
        .crash_limit(1);
    let run = run.shared(Trap(traps.shared));
    let run = run.context((Trap(traps.config), traps.open, traps.close));
    let run = run
        .init::<first>(Trap(traps.init))
        .exit::<hook>(Trap(traps.exit));
    let report = complete(run.workers(restarts(1)), 10);
    assert_eq!(report.stats.workers_died, 0, "no worker is lost");
    report
}

fn both(traps: Traps) -> [Report<Trap, Trap>; 2] {
    [run::<plain>(traps), run::<asynchronous>(traps)]
}

/// Only the fourth item has no value, because of a panic.
fn check_item(traps: Traps, expected: &str) {
    for report in both(traps) {
        assert_eq!(report.failed(), [3], "{expected}");
        assert_is!(*report.kind(3), TaskErrorKind::Panicked { message, .. }
            if message.contains(expected));
    }
}

/// Case 7: Whatever of an item or of its result panics is that item's outcome, with its message, and the worker goes on.
#[test_with(alone)]
fn what_panics_of_an_item_is_its_outcome() {
    let item = |item| Traps { item, ..NONE };
    let result = |result| Traps { result, ..NONE };
    check_item(item(At::Decode), "trapped at Decode");
    check_item(item(At::Drop), "trapped at Drop");
    check_item(item(At::Payload), "a panic without a message");
    check_item(result(At::Encode), "trapped at Encode");
    check_item(result(At::Drop), "trapped at Drop");
    check_item(result(At::EncodeAndDrop), "trapped at EncodeAndDrop");
    check_item(result(At::Show), "trapped at Encode");
}

/// Case 7: Whatever panics before a worker is set up is told as the reason why there is none.
#[test_with(alone)]
fn what_panics_at_the_start_is_why_there_is_no_worker() {
    let decode = At::Decode;
    for (traps, step, expected) in [
        (
            Traps {
                shared: decode,
                ..NONE
            },
            SetupStep::Decode,
            "shared value: panicked: trapped at Decode",
        ),
        (
            Traps {
                config: decode,
                ..NONE
            },
            SetupStep::Decode,
            "context config: panicked: trapped at Decode",
        ),
        (
            Traps {
                init: decode,
                ..NONE
            },
            SetupStep::Init,
            "panicked: trapped at Decode",
        ),
        (
            Traps {
                init: At::Drop,
                ..NONE
            },
            SetupStep::Init,
            "panicked: trapped at Drop",
        ),
        (
            Traps {
                init: At::Show,
                ..NONE
            },
            SetupStep::Init,
            "panicked: trapped at Show",
        ),
    ] {
        for report in both(traps) {
            assert_is!(*report.no_workers(3), WorkerFailure::Setup { step: told, message }
                if *told == step && message.contains(expected));
        }
    }
}

/// Case 7: A context whose `open` panics, before its future is made or in its error's text, is the outcome of its items.
#[test_with(alone)]
fn what_panics_of_an_opening_context_is_its_items_outcome() {
    for open in [At::Call, At::Show] {
        for report in both(Traps { open, ..NONE }) {
            for index in 0..10 {
                assert_is!(*report.kind(index), TaskErrorKind::Context { step: ContextStep::Open, message }
                    if message.contains(&format!("trapped at {open:?}")));
            }
        }
    }
}

/// Case 7: A context whose `close` panics, anywhere, is told of and costs no outcome and no exit hook.
#[test_with(alone)]
fn what_panics_of_a_closing_context_is_told() {
    for close in [At::Call, At::Show, At::Drop] {
        for report in both(Traps { close, ..NONE }) {
            assert_eq!(report.failed(), [0; 0]);
            let told = |event: &PoolEvent| {
                matches!(event, PoolEvent::ContextCloseFailed { message, .. }
                if message.contains(&format!("trapped at {close:?}")))
            };
            assert_eq!(report.told(told), 3, "{close:?}: {:?}", report.events);
        }
    }
}

/// Case 7: An exit hook that panics, anywhere, is told of by its message.
#[test_with(alone)]
fn what_panics_of_an_exit_hook_is_told() {
    for exit in [At::Decode, At::Encode, At::Drop, At::Show] {
        for report in both(Traps { exit, ..NONE }) {
            assert_eq!(report.failed(), [0; 0]);
            let told = |event: &PoolEvent| {
                matches!(event, PoolEvent::ExitHookFailed { message, .. }
                if message.contains(&format!("trapped at {exit:?}")))
            };
            assert_eq!(report.told(told), 1, "{exit:?}: {:?}", report.events);
        }
    }
}

#[task]
fn farewell() -> u32 {
    std::process::id()
}

fn exits<T>(traps: Traps) -> usize
where
    T: Task<Input = (Trap, At), Shared = Trap, Context = Snare>,
{
    let items = (0..10).map(|_| (Trap(At::Nowhere), At::Nowhere));
    let run = asyn_pmap::<T>(items)
        .shared(Trap(traps.shared))
        .processes(1);
    let run = run.context((Trap(traps.config), At::Nowhere, At::Nowhere));
    let mut run = run.exit::<farewell>(()).start().unwrap().into_iter();
    assert_eq!(run.by_ref().filter(Result::is_ok).count(), 10);
    run.exit_values::<farewell>().len()
}

/// Case 7: A shared value and a config whose drops panic cost no exit hook and no worker.
#[test_with(alone)]
fn what_panics_when_it_is_dropped_costs_no_exit_hook() {
    let drops = Traps {
        shared: At::Drop,
        config: At::Drop,
        ..NONE
    };
    assert_eq!(
        (exits::<plain>(drops), exits::<asynchronous>(drops)),
        (1, 1)
    );
    for report in both(drops) {
        assert_eq!(report.failed(), [0; 0]);
    }
}

/// Panics when it is dropped, after its call has ended in whatever way.
struct Leftover;

impl Drop for Leftover {
    fn drop(&mut self) {
        panic!("left over");
    }
}

#[task]
async fn leaves_a_bomb(kind: u64) -> u64 {
    match kind {
        // In a task that nobody waits for.
        0 => drop(tokio::spawn(async {
            let _bomb = Leftover;
            std::future::pending::<()>().await;
        })),
        1 => drop(tokio::task::spawn_local(async {
            let _bomb = Leftover;
            std::future::pending::<()>().await;
        })),
        // In its own future, which is dropped at its deadline.
        2 => {
            let _bomb = Leftover;
            std::future::pending::<()>().await;
        }
        _ => {}
    }
    kind
}

/// Case 7: A future whose drop panics costs nobody else anything.
#[test_with(alone)]
fn what_panics_in_a_future_that_is_dropped_is_nobodys() {
    let run = asyn_pmap::<leaves_a_bomb>(0..10)
        .processes(1)
        .exit::<farewell>(());
    let mut run = run
        .deadlines(soft(Duration::from_millis(20)))
        .start()
        .unwrap()
        .into_iter();
    let outcomes: Vec<_> = run.by_ref().collect();
    let failed = (0..10).filter(|&n| outcomes[n].is_err());
    assert!(failed.eq([2]), "{outcomes:?}");
    assert_is!(
        *outcomes[2].as_ref().unwrap_err().kind(),
        TaskErrorKind::TimedOut { .. }
    );
    assert_eq!(run.exit_values::<farewell>().len(), 1);
    assert_eq!(run.stats().workers_died, 0);
}
