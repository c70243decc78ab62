//! Hives with real worker bees.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::{StreamExt, stream};
use mt_beehive::{
    __private::{decode_args, encode_value, inventory},
    Bee, BeeCx, Dispatch, Hive, Population, Registration, TaskCall, TaskCx, TaskResult, WorkerBee,
    hive_of,
};
use mt_test_kit::{Scene, Signal, alone, children, is_gone};

mt_beehive::test_worker!();

struct Adder {
    more: u64,
    my_id: u32,
}

#[derive(serde::Deserialize)]
struct Unserialisable;

impl serde::Serialize for Unserialisable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("never"))
    }
}

/// Knows only whoever polled it first, as simple futures do: another thread wakes that one.
#[derive(Default)]
struct FirstWaker(Option<Arc<AtomicBool>>);

impl Future for FirstWaker {
    type Output = u64;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u64> {
        if let Some(woken) = &self.0 {
            let woken = woken.load(Ordering::Acquire);
            return if woken { Poll::Ready(7) } else { Poll::Pending };
        }
        let woken = Arc::new(AtomicBool::new(false));
        self.0 = Some(Arc::clone(&woken));
        let first = cx.waker().clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20)); // work: takes its time
            woken.store(true, Ordering::Release);
            first.wake();
        });
        Poll::Pending
    }
}

#[mt_beehive::worker]
impl Adder {
    async fn new(cx: BeeCx, more: u64) -> Result<Self, &'static str> {
        tokio::task::yield_now().await;
        if more == 666 {
            return Err("no such number");
        }
        let my_id = cx.my_id;
        Ok(Self { more, my_id })
    }

    #[task]
    async fn add(&self, n: u64) -> u64 {
        tokio::task::yield_now().await;
        n + self.more
    }

    #[task]
    async fn sum(&self, cx: &TaskCx, a: u64, (b, c): (u64, u64)) -> anyhow::Result<u64> {
        anyhow::ensure!(cx.my_id == self.my_id, "somebody else's call");
        Ok(self.add(a).await + b + c)
    }

    #[task]
    fn who(&self, cx: TaskCx) -> (u32, u32) {
        (cx.my_id, std::process::id())
    }

    #[task]
    async fn fail(&self) -> Result<u64, &'static str> {
        Err("on purpose")
    }

    #[task]
    async fn panic(&self) -> u64 {
        panic!("at the hive")
    }

    #[task]
    fn exit(&self) {
        std::process::exit(3)
    }

    #[task]
    fn abort(&self) {
        std::process::abort()
    }

    #[task]
    fn block(&self) {
        std::thread::sleep(Duration::from_secs(1000)); // work: never gets anywhere
    }

    #[task]
    async fn wait(&self) -> u64 {
        std::future::pending().await
    }

    #[task]
    async fn wait_with_first_waker(&self) -> u64 {
        FirstWaker::default().await
    }

    #[task]
    async fn unserialisable(&self) -> Unserialisable {
        Unserialisable
    }
}

/// A bee without the macro, and without anything she is made of.
struct ByHand;

impl Bee for ByHand {
    const NAME: &'static str = "hive::ByHand";
    type Init = ();
    const TASKS: &'static [&'static str] = &["double"];
}

impl WorkerBee for ByHand {
    async fn make((): (), _: BeeCx) -> Result<Self, String> {
        Ok(Self)
    }

    fn call(self: Rc<Self>, _: TaskCx, name: &str, args: Bytes) -> Option<TaskCall<'static>> {
        (name == "double").then(|| -> TaskCall<'static> {
            Box::pin(async move {
                let n: u64 = decode_args("double", &args)?;
                encode_value("double", &(2 * n))
            })
        })
    }
}

inventory::submit! { Registration::of::<ByHand>() }

/// Runs a queen's task under a watchdog, with the auction and with credit; nothing is left.
fn reign<F, T>(bees: usize, task: T)
where
    T: Fn(Hive<Adder>) -> F,
    F: Future<Output = ()>,
{
    let runtime = runtime();
    for dispatch in [Dispatch::Auction, Dispatch::Credit] {
        let run = hive_of::<Adder>(1000)
            .population(Population::Fixed(bees))
            .dispatch(dispatch)
            .run(&task);
        let watched = async { tokio::time::timeout(Duration::from_secs(60), run).await };
        runtime.block_on(watched).expect("it ends").unwrap();
    }
    assert_eq!(children(), [0_u32; 0], "processes are left");
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

fn hive_ends_alone(test: &str) -> bool {
    // One process a test, so that children can be counted.
    let mut is_alone = false;
    alone(test, || is_alone = true);
    is_alone
}

async fn cancelled_reason(result: TaskResult<u64>) -> String {
    match result {
        TaskResult::Cancelled { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn delegates_come_back_with_who_did_them() {
    if !hive_ends_alone("delegates_come_back_with_who_did_them") {
        return;
    }
    reign(2, |hive| async move {
        let (result, child) = hive.add(5).await;
        assert_eq!(result, TaskResult::Succeeded(1005));
        assert!(child.is_some_and(|child| child < 2));
        let (result, _) = hive.delegate::<u64>("add", 6_u64).await;
        assert_eq!(result, TaskResult::Succeeded(1006), "by name");
        let (result, _) = hive.sum(1, (2, 3)).await;
        assert_eq!(result, TaskResult::Succeeded(1006));
        let (result, child) = hive.who().await;
        assert!(matches!(result, TaskResult::Succeeded((me, _)) if Some(me) == child));
        let many = stream::iter(0..2000_u64).map(|n| {
            let hive = hive.clone();
            async move { (n, hive.add(n).await) }
        });
        let mut shares = [0, 0];
        let mut many = many.buffer_unordered(512);
        while let Some((n, (result, child))) = many.next().await {
            assert_eq!(result, TaskResult::Succeeded(n + 1000));
            shares[child.unwrap() as usize] += 1;
        }
        assert!(shares.iter().all(|&share| share > 0), "{shares:?}");
        let (busy, _) = hive.busy_status().await;
        assert!(matches!(busy, TaskResult::Succeeded(busy) if (0.0..=1.0).contains(&busy)));
    });
}

#[test]
fn what_goes_wrong_in_a_task_is_its_outcome() {
    if !hive_ends_alone("what_goes_wrong_in_a_task_is_its_outcome") {
        return;
    }
    reign(1, |hive| async move {
        let said = |result: TaskResult<u64>| match result {
            TaskResult::Raised(exception) => exception,
            other => panic!("{other:?}"),
        };
        let (result, child) = hive.fail().await;
        assert_eq!(
            (said(result).exception.as_str(), child),
            ("on purpose", Some(0))
        );
        let (result, _) = hive.panic().await;
        let exception = said(result);
        assert_eq!(exception.exception, "panicked: at the hive");
        assert!(exception.other_details["location"].contains("hive.rs"));
        let shown = TaskResult::<()>::Raised(exception.clone()).ok();
        let shown = shown.unwrap_err().to_string();
        assert!(
            shown.starts_with("raised: panicked: at the hive (at ") && shown.contains("hive.rs:")
        );
        let first = exception.traceback.join("\n");
        assert!(first.starts_with("   0: hive::Adder::panic"), "{first}");
        assert!(!first.contains("catch_unwind"), "{first}");
        let (result, _) = hive.delegate("nothing", ()).await;
        assert!(said(result).exception.contains("no task named `nothing`"));
        let (result, _) = hive.delegate("add", "text".to_owned()).await;
        assert!(said(result).exception.contains("arguments"));
        let (result, _) = hive.delegate("add", "A").await;
        assert_eq!(
            result,
            TaskResult::<u64>::Raised(said(result.clone())),
            "a `&str` can be sent"
        );
        let (result, _) = hive.delegate("unserialisable", ()).await;
        assert!(said(result).exception.contains("can't be sent"));
        let (result, _) = hive.add(1).await;
        assert_eq!(
            result,
            TaskResult::Succeeded(1001),
            "the bee is the same as ever"
        );
    });
}

#[test]
fn a_task_is_woken_by_whoever_knows_only_its_first_waker() {
    if !hive_ends_alone("a_task_is_woken_by_whoever_knows_only_its_first_waker") {
        return;
    }
    reign(1, |hive| async move {
        let (result, _) = hive.wait_with_first_waker().await;
        assert_eq!(result, TaskResult::Succeeded(7));
    });
}

#[test]
fn a_bee_may_be_written_by_hand() {
    if !hive_ends_alone("a_bee_may_be_written_by_hand") {
        return;
    }
    let run =
        hive_of::<ByHand>(()).run(async |hive| hive.delegate::<u64>("double", 21_u64).await.0);
    let result = futures::executor::block_on(run).unwrap();
    assert_eq!(result, TaskResult::Succeeded(42));
}

#[test]
fn bees_that_die_are_replaced_and_their_tasks_end() {
    if !hive_ends_alone("bees_that_die_are_replaced_and_their_tasks_end") {
        return;
    }
    reign(2, |hive| async move {
        for task in ["exit", "abort"] {
            let (result, child) = hive.delegate::<u64>(task, ()).await;
            let reason = cancelled_reason(result).await;
            assert!(
                reason.starts_with("worker_lost") && reason.contains("attempts: 3"),
                "{reason}"
            );
            assert_eq!(child, None);
        }
        let (result, child) = hive.add(1).await;
        assert_eq!(result, TaskResult::Succeeded(1001));
        assert!(child.is_some_and(|child| child >= 2), "a new one");
    });
}

#[test]
fn deadlines_and_dropped_delegates() {
    if !hive_ends_alone("deadlines_and_dropped_delegates") {
        return;
    }
    reign(1, |hive| async move {
        let limit = Duration::from_millis(50);
        for task in ["wait", "block"] {
            let (result, _) = hive.delegate::<u64>(task, ()).deadline(limit).await;
            let reason = cancelled_reason(result).await;
            assert!(reason.starts_with("deadline"), "{reason}");
        }
        let dropped = hive.wait();
        let dropped = tokio::time::timeout(limit, dropped).await;
        assert!(dropped.is_err(), "nobody waits for it any more");
        let (result, _) = hive.add(1).await;
        assert_eq!(result, TaskResult::Succeeded(1001));
    });
}

#[test]
fn a_hive_that_can_have_no_bees_says_so() {
    if !hive_ends_alone("a_hive_that_can_have_no_bees_says_so") {
        return;
    }
    let runtime = runtime();
    let run = hive_of::<Adder>(666).run(async |hive| hive.add(1).await.0);
    let result = runtime.block_on(run).unwrap();
    match result {
        TaskResult::Cancelled { reason } => assert!(reason.contains("no such number"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(children(), [0_u32; 0]);
}

#[test]
fn a_dropped_hive_takes_its_bees_along() {
    if !hive_ends_alone("a_dropped_hive_takes_its_bees_along") {
        return;
    }
    let runtime = runtime();
    runtime.block_on(async {
        let (told, tell) = tokio::sync::oneshot::channel();
        let run = hive_of::<Adder>(1).run(async |hive| {
            let (result, _) = hive.who().await;
            let _ = told.send(result);
            hive.wait().await.0
        });
        tokio::select! {
            _ = run => panic!("it waits for ever"),
            who = tell => assert!(matches!(who.unwrap(), TaskResult::Succeeded(_))),
        }
    });
    drop(runtime);
    while !children().is_empty() {
        std::thread::yield_now();
    }
}

#[test]
fn a_killed_queen_takes_her_bees_along() {
    if mt_test_kit::role() == "queen" {
        let run = hive_of::<Adder>(1).population(Population::Fixed(1));
        let run = run.run(async |hive| {
            let (result, _) = hive.who().await;
            println!("PIDS {}", result.ok().unwrap().1);
            hive.block().await
        });
        let _ = futures::executor::block_on(run);
        return;
    }
    let name = "a_killed_queen_takes_her_bees_along";
    let mut queen = Scene::start(&mut Scene::of(name, "queen"));
    queen.read_until("PIDS");
    assert!(!is_gone(queen.pids[0]));
    queen.signal(Signal::KILL);
    queen.end();
}

/// All at once, as far as the machine lets them.
#[test]
fn twenty_thousand_tasks_at_once_for_a_bee_without_a_limit() {
    if !hive_ends_alone("twenty_thousand_tasks_at_once_for_a_bee_without_a_limit") {
        return;
    }
    let runtime = runtime();
    for dispatch in [Dispatch::Auction, Dispatch::Credit] {
        let run = hive_of::<Adder>(1000)
            .population(Population::Fixed(1))
            .dispatch(dispatch)
            .max_concurrency(None)
            .run(async |hive| {
                let all = (0..20_000_u64).map(|n| hive.add(n));
                futures::future::join_all(all).await
            });
        let watched = async { tokio::time::timeout(Duration::from_secs(60), run).await };
        let results = runtime.block_on(watched).expect("it ends").unwrap();
        for (n, result) in (0..).zip(results) {
            assert_eq!(result, (TaskResult::Succeeded(n + 1000), Some(0)));
        }
    }
}

#[test]
fn a_name_that_is_too_long_is_refused() {
    if !hive_ends_alone("a_name_that_is_too_long_is_refused") {
        return;
    }
    reign(1, |hive| async move {
        let name = "x".repeat(100_000);
        match hive.delegate::<u64>(name, 1_u64).await.0 {
            TaskResult::Raised(exception) => {
                assert!(exception.exception.contains("at most 1024"), "{exception}");
            }
            other => panic!("{other:?}"),
        }
    });
}
