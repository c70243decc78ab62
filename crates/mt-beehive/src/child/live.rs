//! The thread that does tasks: the bee herself, inside a tokio runtime.
//!
//! Loop: one a bee. Every task is polled on this thread; one that blocks it holds up the others, and is
//! ended by its deadline with the bee.

use std::{
    collections::HashMap, future::poll_fn, pin::Pin, rc::Rc, sync::Arc, task::Poll, time::Duration,
};

use futures::{
    StreamExt,
    future::{AbortHandle, Abortable},
    stream::FuturesUnordered,
};
use mt_pool::__private::caught;
use mt_proto::{Failure, RaisedException, TaskId, TaskInfo, TaskStatus, decode_strict};
use tokio::{
    runtime::Builder,
    task::LocalSet,
    time::{MissedTickBehavior, interval},
};

use super::{Order, TaskEnd, Word};
use crate::{BeeCx, TaskCx, WorkerBee, registry::BeeSetup};

/// The most often the runtime turns by itself.
const SHORTEST_BEAT: Duration = Duration::from_millis(1);

/// Lives a bee's life.
pub(crate) type Live = fn(BeeSetup, TaskEnd);

/// Lives the life of a `W`: is made, does tasks until there are no more orders.
pub(crate) fn live<W: WorkerBee>(setup: BeeSetup, end: TaskEnd) {
    let words = end.words.clone();
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = words.blocking_send(Word::NotReady(error.to_string()));
            return;
        }
    };
    LocalSet::new().block_on(&runtime, async {
        match make::<W>(&setup).await {
            Ok(bee) => {
                // Whoever listens is gone only with the process.
                let _ = words.send(Word::Ready).await;
                work(Rc::new(bee), setup.my_id, end).await;
            }
            Err(why) => {
                let _ = words.send(Word::NotReady(why)).await;
            }
        }
    });
}

async fn make<W: WorkerBee>(setup: &BeeSetup) -> Result<W, String> {
    let init = caught(|| decode_strict::<W::Init>(&setup.init));
    let init = init.map_err(|panic| panicked(panic).exception)?;
    let init = init.map_err(|error| format!("what a bee is made of does not decode: {error}"))?;
    let cx = BeeCx { my_id: setup.my_id };
    guarded(W::make(init, cx))
        .await
        .map_err(|panic| panic.exception)?
}

async fn work<W: WorkerBee>(bee: Rc<W>, my_id: u32, end: TaskEnd) {
    let TaskEnd {
        mut orders,
        words,
        told,
        pulse,
        beat_interval,
    } = end;
    // A runtime that has only to wait turns all the same, so that one that is blocked shows.
    let mut turns = interval(beat_interval.max(SHORTEST_BEAT));
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut running = FuturesUnordered::new();
    let mut handles: HashMap<TaskId, AbortHandle> = HashMap::new();
    let mut open = true;
    while open || !running.is_empty() {
        pulse.turn();
        // All arms are cancel-safe.
        let ended = tokio::select! {
            order = orders.recv(), if open => {
                match order {
                    Some(Order::Start(info)) => {
                        let (handle, registration) = AbortHandle::new_pair();
                        handles.insert(info.task_id, handle);
                        pulse.start();
                        let task_id = info.task_id;
                        let cx = TaskCx::new(my_id, &info, Arc::clone(&told));
                        let task = one(Rc::clone(&bee), cx, info);
                        let task = Abortable::new(task, registration);
                        running.push(async move { (task_id, task.await) });
                    }
                    Some(Order::Cancel(task_id)) => {
                        if let Some(handle) = handles.get(&task_id) {
                            handle.abort();
                        }
                    }
                    None => open = false,
                }
                continue;
            }
            Some(ended) = running.next(), if !running.is_empty() => ended,
            _ = turns.tick(), if !running.is_empty() => continue,
        };
        let (task_id, status) = ended;
        handles.remove(&task_id);
        pulse.finish();
        let status = status.unwrap_or(TaskStatus::Cancelled { reason: None });
        let _ = words.send(Word::Ended(task_id, status)).await;
    }
}

/// One task, to its end.
async fn one<W: WorkerBee>(bee: Rc<W>, cx: TaskCx, info: TaskInfo) -> TaskStatus {
    let call = caught(|| bee.call(cx, &info.name, info.args));
    let call = match call {
        Ok(Some(call)) => call,
        Ok(None) => return TaskStatus::Raised(no_such_task::<W>(&info.name)),
        Err(panic) => return TaskStatus::Raised(panicked(panic)),
    };
    match guarded(call).await {
        Ok(Ok(returning_value)) => TaskStatus::Succeeded { returning_value },
        Ok(Err(exception)) | Err(exception) => TaskStatus::Raised(exception),
    }
}

fn no_such_task<W: WorkerBee>(name: &str) -> RaisedException {
    let known = W::TASKS.join(", ");
    RaisedException::text(format!(
        "{} has no task named `{name}`; its tasks are: {known}, busy_status",
        W::NAME
    ))
}

/// Runs user code; a panic ends it and is an exception.
async fn guarded<F: Future>(future: F) -> Result<F::Output, RaisedException> {
    let mut future = Box::pin(future);
    poll_fn(|cx| match caught(|| Pin::as_mut(&mut future).poll(cx)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(panic) => Poll::Ready(Err(panicked(panic))),
    })
    .await
}

fn panicked(failure: Failure) -> RaisedException {
    let Failure::Panicked {
        message,
        location,
        backtrace,
    } = failure
    else {
        return RaisedException::text(format!("{failure:?}"));
    };
    let mut exception = RaisedException::text(format!("panicked: {message}"));
    exception.traceback = backtrace.lines().map(str::to_owned).collect();
    let at = location.map(|at| ("location".to_owned(), at));
    exception.other_details.extend(at);
    exception
}
