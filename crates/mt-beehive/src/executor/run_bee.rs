//! The thread that does tasks: the bee herself, inside a tokio runtime.
//!
//! Loop: one a bee. Every task is polled on this thread; one that blocks it holds up the others, and is
//! ended by its deadline with the bee.

use std::{
    mem,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{Ordering, fence},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures::{
    StreamExt,
    future::{AbortHandle, Abortable, Aborted, poll_immediate},
    stream::FuturesUnordered,
    task::AtomicWaker,
};
use mt_ipc::Progress;
use mt_pool::worker::{
    NotSetUp, Panic, caught, caught_async, drive_local, drop_caught, during_init, install, runtime,
};
use mt_proto::{Attachments, TaskId, TaskInfo, TaskStatus, decode_attached};
use rustc_hash::FxHashMap;
use tokio::{
    sync::mpsc,
    task::LocalSet,
    time::{MissedTickBehavior, interval},
};

use super::{
    messages::{Order, Report},
    order_queue::{Next, OrderQueue},
    progress_buffer::ProgressBuffer,
};
use crate::{
    bee::{BeeCx, BeeShared, TaskCx, WorkerBee},
    queen::OwnHive,
    registry::BeeSetup,
};

/// The most often the runtime turns by itself.
const SHORTEST_BEAT: Duration = Duration::from_millis(1);
/// The orders carried out before ended tasks are looked at.
const ORDERS_PER_TURN: usize = 64;
/// The ended tasks reported before orders are looked at.
const ENDS_PER_TURN: usize = 64;

/// What this thread has of the one that talks.
pub(crate) struct TaskEnd {
    pub(crate) orders: Arc<OrderQueue>,
    pub(crate) reports: mpsc::Sender<Report>,
    /// Where tasks tell how far they are.
    pub(crate) progress: Arc<ProgressBuffer>,
    /// Where it tells how far it is, and that it goes on at all.
    pub(crate) counts: Progress,
    /// How often it does that when nothing else happens.
    pub(crate) beat_interval: Duration,
}

/// Lives a bee's life.
///
/// What came beside the setup is that of what she is made of.
pub(crate) type RunBee = fn(BeeSetup, Attachments, TaskEnd) -> Result<(), NotSetUp>;

/// Lives the life of a `W`: is made, does tasks until there are no more orders.
pub(crate) fn run_bee<W: WorkerBee>(
    setup: BeeSetup,
    beside: Attachments,
    end: TaskEnd,
) -> Result<(), NotSetUp> {
    // Whoever listens is gone only with the process.
    let report = |report| drop(end.reports.blocking_send(report));
    let not_ready = |why: String| {
        report(Report::NotReady(why));
        NotSetUp
    };
    let runtime = runtime();
    let runtime = runtime.map_err(|error| not_ready(error.to_string()))?;
    let tasks = LocalSet::new();
    let made = during_init(|| drive_local(&runtime, &tasks, make::<W>(&setup, beside)));
    install();
    let (bee, below) = made.map_err(not_ready)?;
    let children = below.is_some();
    report(Report::Ready { children });
    let work = work(Rc::new(bee), setup.my_id, below, end);
    drive_local(&runtime, &tasks, work);
    drop_caught("a task that was left behind", tasks);
    Ok(())
}

async fn make<W: WorkerBee>(
    setup: &BeeSetup,
    beside: Attachments,
) -> Result<(W, Option<OwnHive>), String> {
    let init = caught(|| decode_attached::<W::Init>(&setup.init, &beside));
    // What was decoded has its own.
    drop(beside);
    let init = init.map_err(|panic| panic.to_string())?;
    let init = init.map_err(|error| format!("what a bee is made of does not decode: {error}"))?;
    let cx = BeeCx { my_id: setup.my_id };
    let made = caught_async(async { W::make(init, cx).await }).await;
    let bee = made.map_err(|panic| panic.to_string())??;
    let below = caught(|| bee.own_hive()).map_err(|panic| panic.to_string())?;
    Ok((bee, below))
}

async fn work<W: WorkerBee>(bee: Rc<W>, my_id: u32, below: Option<OwnHive>, end: TaskEnd) {
    let TaskEnd {
        orders,
        reports,
        progress,
        counts,
        beat_interval,
    } = end;
    // A runtime that has only to wait turns all the same, so that one that is blocked shows.
    let mut turns = interval(beat_interval.max(SHORTEST_BEAT));
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut at_work = AtWork {
        bee,
        my_id,
        shared: Arc::new(BeeShared { progress, below }),
        counts,
        reports,
        running: FuturesUnordered::new(),
        handles: FxHashMap::default(),
        first: Arc::default(),
    };
    loop {
        at_work.counts.turn();
        at_work.end_some().await;
        match at_work.carry_out(&orders).await {
            Carried::Some => {
                // There may be more, but the runtime's timers and sockets get their turn first.
                tokio::task::yield_now().await;
                continue;
            }
            Carried::Over if at_work.running.is_empty() => break,
            Carried::All | Carried::Over => {}
        }
        // All arms are cancel-safe.
        tokio::select! {
            () = orders.filled() => {}
            Some(ended) = at_work.running.next(), if !at_work.running.is_empty() => {
                at_work.tell_end(ended).await;
            }
            _ = turns.tick(), if !at_work.running.is_empty() => {}
        }
    }
    drop_caught("the bee", at_work.bee);
}

/// The tasks that were begun and have not ended.
struct AtWork<W> {
    bee: Rc<W>,
    my_id: u32,
    shared: Arc<BeeShared>,
    counts: Progress,
    reports: mpsc::Sender<Report>,
    running: FuturesUnordered<Running>,
    handles: FxHashMap<TaskId, AbortHandle>,
    /// The waker that the next task is polled with for the first time.
    first: Arc<FirstWaker>,
}

/// The waker that a task got when it was polled for the first time, before it was among those that run. A simple
/// future keeps no other: it wakes the task where that is by now.
#[derive(Default)]
struct FirstWaker(AtomicWaker);

impl Wake for FirstWaker {
    fn wake(self: Arc<Self>) {
        self.0.wake();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.wake();
    }
}

/// How many of the orders were carried out.
enum Carried {
    Some,
    All,
    /// All, and there will be no more.
    Over,
}

/// How a task's code ended.
type TaskEnded = Result<TaskStatus, Panic>;

type Ended = (TaskId, Result<TaskEnded, Aborted>);

/// A task that was begun.
struct Running {
    task_id: TaskId,
    task: Abortable<Pin<Box<dyn Future<Output = TaskEnded>>>>,
    /// Whom its first waker wakes, if anybody has kept that.
    first: Option<Arc<FirstWaker>>,
}

impl Future for Running {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        if let Some(first) = &self.first {
            first.0.register(cx.waker());
        }
        let status = Pin::new(&mut self.task).poll(cx);
        status.map(|status| (self.task_id, status))
    }
}

impl<W: WorkerBee> AtWork<W> {
    /// Carries out orders, up to a turn's worth.
    async fn carry_out(&mut self, orders: &OrderQueue) -> Carried {
        for _ in 0..ORDERS_PER_TURN {
            match orders.take() {
                Next::Do(Order::Start(place, info)) => self.start(place, info).await,
                // It ends soon.
                Next::Do(Order::Cancel(task_id)) => {
                    if let Some(handle) = self.handles.get(&task_id) {
                        handle.abort();
                    }
                }
                // There is nothing else to do then, and nothing more comes.
                Next::Do(Order::Bury) => {
                    self.report(Report::Burying).await;
                    if let Some(below) = &self.shared.below {
                        below.die().await;
                    }
                    self.report(Report::ChildrenGone).await;
                }
                Next::CaughtUp => self.report(Report::CaughtUp).await,
                Next::Nothing => return Carried::All,
                Next::Closed => return Carried::Over,
            }
        }
        Carried::Some
    }

    /// Begins a task. One that is ready at once takes no place among those that run.
    async fn start(&mut self, place: u64, info: TaskInfo) {
        let task_id = info.task_id;
        self.counts.set_started(place + 1);
        self.count_finished(place, 1);
        let cx = TaskCx::new(self.my_id, &info, Arc::clone(&self.shared));
        let task = one(Rc::clone(&self.bee), cx, info);
        let (handle, registration) = AbortHandle::new_pair();
        let task = Abortable::new(Box::pin(task) as Pin<Box<_>>, registration);
        let mut running = Running {
            task_id,
            task,
            first: None,
        };
        let waker = Waker::from(Arc::clone(&self.first));
        let polled = Pin::new(&mut running).poll(&mut Context::from_waker(&waker));
        drop(waker);
        match polled {
            Poll::Ready(ended) => {
                self.count_finished(place, 0);
                self.report(report_of(ended)).await;
            }
            Poll::Pending => {
                // It is polled again as soon as it is in the set, so whoever has used the waker before is heard.
                if Arc::strong_count(&self.first) > 1 {
                    running.first = Some(mem::take(&mut self.first));
                }
                fence(Ordering::Acquire);
                self.handles.insert(task_id, handle);
                self.running.push(running);
                self.end_some().await;
            }
        }
    }

    /// Tells of those that have ended, up to a turn's worth.
    async fn end_some(&mut self) {
        for _ in 0..ENDS_PER_TURN {
            let next = poll_immediate(self.running.next()).await;
            let Some(Some(ended)) = next else { break };
            self.tell_end(ended).await;
        }
    }

    async fn tell_end(&mut self, ended: Ended) {
        self.handles.remove(&ended.0);
        let last = self.counts.started().saturating_sub(1);
        self.count_finished(last, 0);
        self.report(report_of(ended)).await;
    }

    /// All up to the one at this place are finished, but for those that run and so many more.
    fn count_finished(&self, place: u64, more: u64) {
        let run = self.running.len() as u64 + more;
        self.counts.set_finished((place + 1).saturating_sub(run));
    }

    /// Whoever listens is gone only with the process.
    async fn report(&self, report: Report) {
        let _ = self.reports.send(report).await;
    }
}

fn report_of((task_id, ended): Ended) -> Report {
    match ended {
        Ok(Ok(status)) => Report::Ended(task_id, status),
        Ok(Err(panic)) => Report::Panicked(task_id, panic),
        Err(Aborted) => Report::Ended(task_id, TaskStatus::Cancelled),
    }
}

/// One task, to its end.
async fn one<W: WorkerBee>(bee: Rc<W>, cx: TaskCx, info: TaskInfo) -> TaskEnded {
    let call = caught(|| bee.call(cx, &info.name, info.args))?;
    let Some(call) = call else {
        return Ok(TaskStatus::NoSuchTask);
    };
    let returned = caught_async(call).await?;
    Ok(match returned {
        Ok(returning_value) => TaskStatus::Succeeded { returning_value },
        Err(unsuccessful) => unsuccessful.into_status(),
    })
}
