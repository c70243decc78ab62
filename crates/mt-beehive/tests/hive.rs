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
use futures::{StreamExt, executor::block_on, future::join_all, stream};
use mt_beehive::{
    __private::{Registration, TaskCall, decode_args, encode_value, inventory},
    BeeCx, CancelReason, DelegateError, Hive, StartError, TaskCx,
    bee::{Bee, WorkerBee},
    error::{CrossingError, CrossingProblem, NoWorkers, Part},
    hive_of,
    limits::Deadlines,
};
use mt_test_kit::{Scene, Signal, alone, children, is_gone, name_of, role, wait_until};
use serde::{Deserialize, Serialize};

#[path = "support/live.rs"]
mod live;

use live::{Live as _, reason};

mt_beehive::test_worker!();

struct Adder {
    more: u64,
    my_id: u32,
}

#[derive(Deserialize)]
struct Unserialisable;

impl Serialize for Unserialisable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("never"))
    }
}

/// What may go wrong in a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Trouble {
    Few(u64),
    Many { of: String },
}

/// Has no text.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Mute(u8);

/// A `Result` by another name.
type Res<T> = Result<T, Trouble>;

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
    async fn trouble(&self, n: u64) -> Res<u64> {
        match n {
            0 => Err(Trouble::Few(n)),
            1 => Ok(n),
            _ => Err(Trouble::Many { of: "x".repeat(2) }),
        }
    }

    #[task]
    async fn mute(&self) -> Result<(), Mute> {
        Err(Mute(7))
    }

    #[task]
    async fn never_a_value(&self) -> Result<u64, Unserialisable> {
        Err(Unserialisable)
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

    fn call(self: Rc<Self>, _: TaskCx, name: &str, args: Bytes) -> Option<TaskCall> {
        (name == "double").then(|| -> TaskCall {
            Box::pin(async move {
                let n: u64 = decode_args(&args)?;
                encode_value(&(2 * n))
            })
        })
    }
}

inventory::submit! { Registration::of::<ByHand>() }

/// Runs a test in a process of its own; nothing is left.
fn check<F: FnOnce()>(test: F) {
    alone(name_of::<F>(), || {
        test();
        assert_eq!(children(), [0_u32; 0], "processes are left");
    });
}

/// The same for a story of a hive of so many bees, with the auction and with credit.
fn either_way<S: AsyncFn(Hive<Adder>)>(bees: usize, story: S) {
    alone(name_of::<S>(), || {
        let made = || hive_of::<Adder>(1000).processes(bees);
        runtime().block_on(live::either_way(made, story));
    });
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

#[test]
fn delegates_come_back_with_who_did_them() {
    either_way(2, async |hive| {
        let (result, child) = hive.add(5).with_bee().await;
        assert_eq!(result, Ok(1005));
        assert!(child.is_some_and(|child| child < 2));
        assert_eq!(hive.delegate("add", 6_u64).await, Ok(1006_u64), "by name");
        assert_eq!(hive.sum(1, (2, 3)).await, Ok(1006));
        let (result, child) = hive.who().with_bee().await;
        assert_eq!(Some(result.unwrap().0), child);
        let many = stream::iter(0..2000).map(async |n| (n, hive.add(n).with_bee().await));
        let mut shares = [0, 0];
        let mut many = many.buffer_unordered(512);
        while let Some((n, (result, child))) = many.next().await {
            assert_eq!(result, Ok(n + 1000));
            shares[child.unwrap() as usize] += 1;
        }
        assert!(shares.iter().all(|&share| share > 0), "{shares:?}");
        let busy = hive.busy_status().await.unwrap();
        assert!((0.0..=1.0).contains(&busy));
    });
}

#[test]
fn what_goes_wrong_in_a_task_is_its_outcome() {
    either_way(1, async |hive| {
        let (result, child) = hive.fail().with_bee().await;
        let Err(DelegateError::Raised(raised)) = result else {
            panic!("{result:?}");
        };
        assert_eq!((raised.exception.as_str(), child), ("on purpose", Some(0)));
        assert_eq!(raised.other_details["type"], "&str");
        let result = hive.panic().await;
        let shown = result.clone().unwrap_err().to_string();
        let at = "panicked: at the hive (at ";
        assert!(
            shown.starts_with(at) && shown.contains("hive.rs:"),
            "{shown}"
        );
        let Err(DelegateError::Panicked(panic)) = result else {
            panic!("{result:?}");
        };
        assert_eq!(panic.exception, "at the hive");
        assert!(panic.other_details["location"].contains("hive.rs"));
        let first = panic.traceback.join("\n");
        assert!(first.starts_with("   0: hive::Adder::panic"), "{first}");
        assert!(!first.contains("catch_unwind"), "{first}");
        let nothing = hive.delegate::<u64>("nothing", ()).await.unwrap_err();
        assert!(matches!(&nothing, DelegateError::NoSuchTask { name, .. } if name == "nothing"));
        let shown = nothing.to_string();
        assert!(shown.contains("no task named `nothing`") && shown.ends_with("busy_status"));
        let part = |result| match result {
            Err(DelegateError::Crossing(CrossingError { part, .. })) => Some(part),
            _ => None,
        };
        let text = hive.delegate::<u64>("add", "text".to_owned()).await;
        assert_eq!(part(text), Some(Part::Arguments));
        let text = hive.delegate::<u64>("add", "A").await;
        assert_eq!(part(text), Some(Part::Arguments), "a `&str` can be sent");
        let never = hive.delegate::<u64>("unserialisable", ()).await;
        assert_eq!(part(never), Some(Part::Value));
        assert_eq!(hive.add(1).await, Ok(1001), "the bee is the same as ever");
    });
}

/// The compiler knows the error's type, whatever the `Result` is called.
#[test]
fn an_error_arrives_as_it_is_if_it_can_cross_and_as_its_text_if_not() {
    either_way(1, async |hive| {
        let few: Result<u64, DelegateError<Trouble>> = hive.trouble(0).await;
        assert_eq!(few, Err(DelegateError::Raised(Trouble::Few(0))));
        assert_eq!(hive.trouble(1).await, Ok(1));
        let many = Trouble::Many { of: "xx".into() };
        assert_eq!(hive.trouble(2).await, Err(DelegateError::Raised(many)));
        assert_eq!(hive.mute().await, Err(DelegateError::Raised(Mute(7))));
        // By name: its text, as far as it has one, or itself.
        let text = hive.delegate::<u64>("trouble", 0_u64).await;
        assert_eq!(text.unwrap_err().to_string(), "raised: Few(0)");
        let typed = hive.delegate::<u64>("trouble", 0_u64).raises().await;
        assert_eq!(typed, Err(DelegateError::Raised(Trouble::Few(0))));
        // Of another type, of a task whose error does not cross, and one that does not serialise.
        let other = hive
            .delegate::<u64>("trouble", 2_u64)
            .raises::<bool>()
            .await;
        let none = hive.delegate::<u64>("fail", ()).raises::<Trouble>().await;
        let problems = [
            other.map_err(|e| e.map_raised(drop)),
            none.map_err(|e| e.map_raised(drop)),
        ]
        .map(|result| match result {
            Err(DelegateError::Crossing(error)) => {
                assert_eq!(error.part, Part::Error);
                error.problem
            }
            other => panic!("{other:?}"),
        });
        assert!(matches!(&problems[0], CrossingProblem::Undecodable { .. }));
        let message = "on purpose".into();
        assert_eq!(problems[1], CrossingProblem::Unserialisable { message });
        let never = hive.never_a_value().await;
        assert!(matches!(never, Err(DelegateError::Crossing(_))), "not sent");
    });
}

#[test]
fn a_task_is_woken_by_whoever_knows_only_its_first_waker() {
    either_way(1, async |hive| {
        assert_eq!(hive.wait_with_first_waker().await, Ok(7));
    });
}

#[test]
fn a_bee_may_be_written_by_hand() {
    check(|| {
        let run = hive_of::<ByHand>(()).live(async |hive| hive.delegate("double", 21_u64).await);
        assert_eq!(block_on(run).unwrap(), Ok(42_u64));
    });
}

#[test]
fn bees_that_die_are_replaced_and_their_tasks_end() {
    either_way(2, async |hive| {
        for task in ["exit", "abort"] {
            let (result, child) = hive.delegate::<u64>(task, ()).with_bee().await;
            let reason = reason(result);
            assert!(matches!(
                reason,
                CancelReason::WorkerLost { attempts: 3, .. }
            ));
            let shown = reason.to_string();
            assert!(
                shown.starts_with("worker lost: its worker process "),
                "{shown}"
            );
            assert!(shown.contains(" (attempts: 3)"), "{shown}");
            assert_eq!(child, None);
        }
        let (result, child) = hive.add(1).with_bee().await;
        assert_eq!(result, Ok(1001));
        assert!(child.is_some_and(|child| child >= 2), "a new one");
    });
}

#[test]
fn deadlines_and_dropped_delegates() {
    either_way(1, async |hive| {
        let limit = Duration::from_millis(50);
        for task in ["wait", "block"] {
            let result = hive.delegate::<u64>(task, ()).deadline(limit).await;
            assert_eq!(reason(result), CancelReason::Deadline { limit });
        }
        let dropped = tokio::time::timeout(limit, hive.wait()).await;
        assert!(dropped.is_err(), "nobody waits for it any more");
        assert_eq!(hive.add(1).await, Ok(1001));
    });
}

#[test]
fn a_hive_that_can_have_no_bees_says_so() {
    check(|| {
        let run = hive_of::<Adder>(666).live(async |hive| hive.add(1).await);
        let why = NoWorkers::NotMade {
            message: "no such number".into(),
        };
        let result = runtime().block_on(run).unwrap();
        assert_eq!(reason(result), CancelReason::NoWorkers(why));
    });
}

/// Nothing is made to fit: whoever wants what there is not is told so, and nothing is started.
#[test]
fn an_option_that_is_out_of_range_is_an_error_at_the_start() {
    check(|| {
        let wrong = [
            ("crash_limit", hive_of::<Adder>(1).crash_limit(0)),
            ("max_concurrency", hive_of::<Adder>(1).max_concurrency(0)),
            (
                "deadlines.init",
                hive_of::<Adder>(1).deadlines(Deadlines::new().init(Duration::ZERO)),
            ),
        ];
        for (expected, hive) in wrong {
            match hive.start().unwrap_err() {
                mt_beehive::BeehiveError::Start(StartError::Option { option, .. }) => {
                    assert_eq!(option, expected);
                }
                other => panic!("{other}"),
            }
        }
    });
}

#[test]
fn a_dropped_hive_takes_its_bees_along() {
    check(|| {
        let runtime = runtime();
        runtime.block_on(async {
            let (told, tell) = tokio::sync::oneshot::channel();
            let run = hive_of::<Adder>(1).run(async |hive| {
                let _ = told.send(hive.who().await);
                hive.wait().await?;
                anyhow::Ok(())
            });
            tokio::select! {
                _ = run => panic!("it waits for ever"),
                who = tell => assert!(who.unwrap().is_ok()),
            }
        });
        drop(runtime);
        wait_until(|| children().is_empty());
    });
}

#[test]
fn a_killed_queen_takes_her_bees_along() {
    if role() == "queen" {
        let hive = hive_of::<Adder>(1).processes(1);
        let run = hive.live(async |hive| {
            println!("PIDS {}", hive.who().await.unwrap().1);
            hive.block().await
        });
        let _ = block_on(run);
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
    check(|| {
        let made = || hive_of::<Adder>(1000).processes(1).max_concurrency(None);
        runtime().block_on(live::either_way(made, async |hive| {
            let all = (0..20_000_u64).map(|n| hive.add(n).with_bee());
            for (n, done) in (0..).zip(join_all(all).await) {
                assert_eq!(done, (Ok(n + 1000), Some(0)));
            }
        }));
    });
}

#[test]
fn a_name_that_is_too_long_is_refused() {
    either_way(1, async |hive| {
        let long = hive.delegate::<u64>("x".repeat(100_000), 1_u64).await;
        let Err(DelegateError::Crossing(error)) = long else {
            panic!("{long:?}");
        };
        let most = CrossingProblem::TooLarge { limit_bytes: 1024 };
        assert_eq!((error.part, error.problem), (Part::Name, most));
    });
}
