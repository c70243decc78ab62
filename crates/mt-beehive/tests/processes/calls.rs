//! How tasks are called and who does them: typed, by name, by whatever waker; bees of the macro and without it.

use std::{
    future::poll_fn,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    thread,
    time::Duration,
};

use bytes::Bytes;
use futures::{StreamExt, future::join_all, stream};
use mt_beehive::{
    __private::{Registration, TaskCall, decode_args, encode_value, inventory},
    BeeCx, BeehiveError, Dispatch, Hive, StartError, TaskCx,
    bee::{Bee, WorkerBee},
    hive_of,
    limits::Deadlines,
};

use crate::{
    doer::{Doer, DoerTasks},
    scene::{Folder, Live as _, begun, check, either_way, hive, test_with, with_hive},
};

struct Adder {
    more: u64,
    my_id: u32,
}

#[mt_beehive::worker]
impl Adder {
    async fn new(cx: BeeCx, more: u64) -> Self {
        tokio::task::yield_now().await;
        let my_id = cx.my_id;
        Self { more, my_id }
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
    fn who(&self, cx: TaskCx) -> u32 {
        cx.my_id
    }

    /// Knows only whoever polled it first, as simple futures do: another thread wakes that one.
    #[task]
    async fn wait_with_first_waker(&self) -> u64 {
        let mut waking: Option<Arc<AtomicBool>> = None;
        let wait = poll_fn(|cx| match &waking {
            Some(woken) if woken.load(Ordering::Acquire) => Poll::Ready(7),
            Some(_) => Poll::Pending,
            None => {
                let woken = Arc::clone(waking.insert(Arc::default()));
                let first = cx.waker().clone();
                thread::spawn(move || {
                    thread::sleep(Duration::from_millis(20)); // work: takes its time
                    woken.store(true, Ordering::Release);
                    first.wake();
                });
                Poll::Pending
            }
        });
        wait.await
    }
}

/// A bee without the macro, and without anything she is made of.
struct ByHand;

impl Bee for ByHand {
    const NAME: &'static str = "processes::calls::ByHand";
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

#[test_with(either_way, || hive_of::<Adder>(1000).processes(2))]
async fn delegates_come_back_with_who_did_them(hive: Hive<Adder>) {
    let (result, child) = hive.add(5).with_bee().await;
    assert_eq!(result, Ok(1005));
    assert!(child.is_some_and(|child| child < 2));
    assert_eq!(hive.delegate("add", 6_u64).await, Ok(1006_u64), "by name");
    assert_eq!(hive.sum(1, (2, 3)).await, Ok(1006));
    let (result, child) = hive.who().with_bee().await;
    assert_eq!(result.ok(), child);
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
}

/// Case H30: A deadline or a watcher that is given to a delegate under way changes nothing, and `raises` panics then.
#[test_with(either_way, || hive(1))]
async fn what_is_said_of_a_delegate_that_is_under_way_changes_nothing(hive: Hive<Doer>) {
    let folder = Folder::temp();
    let mut task = hive.wait_to_go(folder.clone());
    assert!(futures::poll!(&mut task).is_pending());
    let task = task.deadline(Duration::from_millis(1));
    let task = task.on_progress(|_: u32| unreachable!("nobody is told"));
    let opens = async {
        begun(&folder, 1).await;
        folder.first("go");
    };
    assert_eq!(futures::join!(task, opens).0, Ok(1));
    let mut task = hive.delegate::<u64>("add", (1_u64, 2_u64));
    let _ = futures::poll!(&mut task);
    let raises = std::panic::AssertUnwindSafe(|| task.raises::<u8>());
    assert!(std::panic::catch_unwind(raises).is_err());
}

#[test_with(either_way, || hive_of::<Adder>(0).processes(1))]
async fn a_task_is_woken_by_whoever_knows_only_its_first_waker(hive: Hive<Adder>) {
    assert_eq!(hive.wait_with_first_waker().await, Ok(7));
}

#[test_with(with_hive, hive_of::<ByHand>(()))]
async fn a_bee_may_be_written_by_hand(hive: Hive<ByHand>) {
    assert_eq!(hive.delegate("double", 21_u64).await, Ok(42_u64));
}

/// A hive needs no runtime of whoever starts it, asks it or lets it die.
///
/// Case H3: A hive lives in any executor, and needs no runtime of its caller.
#[test_with(check)]
fn a_hive_lives_in_any_executor() {
    use futures::executor::block_on;
    for dispatch in [Dispatch::Auction, Dispatch::Credit] {
        let started = hive(1).dispatch(dispatch);
        let story = started.live(async |hive| (hive.add(1, 2).await, hive.spawn().await));
        assert_eq!(block_on(story), (Ok(3), Some(1)));
        let run = hive(1).dispatch(dispatch);
        let sum = run.run(async |hive| Ok::<_, BeehiveError>(hive.add(1, 2).await));
        assert_eq!(block_on(sum).unwrap(), Ok(3));
    }
}

/// Nothing is made to fit: whoever wants what there is not is told so, and nothing is started.
#[test_with(check)]
fn an_option_that_is_out_of_range_is_an_error_at_the_start() {
    let at_once = Deadlines::new().init(Duration::ZERO);
    let wrong = [
        ("crash_limit", hive(1).crash_limit(0)),
        ("max_concurrency", hive(1).max_concurrency(0)),
        ("deadlines.init", hive(1).deadlines(at_once)),
    ];
    for (expected, hive) in wrong {
        match hive.start().unwrap_err() {
            BeehiveError::Start(StartError::Option { option, .. }) => {
                assert_eq!(option, expected);
            }
            other => panic!("{other}"),
        }
    }
}

/// All at once, as far as the machine lets them.
///
/// Case H29: Without a limit a bee does all at once.
#[test_with(either_way, || hive(1).max_concurrency(None))]
async fn twenty_thousand_tasks_at_once_for_a_bee_without_a_limit(hive: Hive<Doer>) {
    let all = (0..20_000_u64).map(|n| hive.add(n, 1000).with_bee());
    for (n, done) in (0..).zip(join_all(all).await) {
        assert_eq!(done, (Ok(n + 1000), Some(0)));
    }
}
