//! The works of one context: started in order, ended as they end, told one by one.
//!
//! Loop: one a call. Works go on running while a message waits for room.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    vec,
};

use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use mt_proto::{ContextStep, ItemIndex};

use super::{AsynWorksInContext, Given, WorkCounts, teller::Teller};
use crate::{
    Context, StartError, Task, TaskError, TaskErrorKind,
    task::TaskStyle,
    worker::panic_text,
    works::{interrupt::Interruption, no_concurrency, progress::Progress},
};

/// Works started, and cancellations told, before those that run get their turn.
const TURN: usize = 64;

/// What a call came to.
type Called<T> = Result<<T as Task>::Output, TaskErrorKind<<T as Task>::Error>>;

/// Checks what was given, and runs the works.
pub(super) async fn run<T: Task<Input = u64>>(
    works: AsynWorksInContext<T>,
) -> Result<WorkCounts, StartError> {
    let at_once = match T::STYLE {
        TaskStyle::Sync => works.max_concurrency.map_or(1, |works| works.min(1)),
        TaskStyle::Async => works.max_concurrency.unwrap_or(usize::MAX),
    };
    if at_once == 0 {
        return Err(no_concurrency());
    }
    let shared = works.shared.ok_or_else(|| missing("shared"))?;
    let given = works.context.ok_or_else(|| missing("context"))?;
    let runner = Runner::<T> {
        context_id: works.context_id,
        shared: Rc::new(shared),
        ids: works.work_ids.into_iter(),
        at_once,
        teller: Teller::new(works.progress),
        counts: WorkCounts::default(),
    };
    let stop = Stop {
        cancel: works.cancel,
        interruption: Interruption::listen(works.on_interrupt),
        stopped: false,
    };
    Ok(runner.run_in(given, stop).await)
}

fn missing(option: &'static str) -> StartError {
    StartError::Option {
        option,
        problem: format!("was not given; the task has a `#[{option}]` argument that needs it"),
    }
}

/// What can stop the start of more works.
struct Stop {
    cancel: Pin<Box<dyn Future<Output = ()>>>,
    interruption: Interruption,
    stopped: bool,
}

impl Stop {
    /// Waits until one of them does; not to be called again after that. Cancel-safe.
    async fn asked(&mut self) {
        tokio::select! {
            () = &mut self.cancel => {}
            () = self.interruption.interrupted() => {}
        }
    }
}

struct Runner<T: Task> {
    context_id: u32,
    shared: Rc<T::Shared>,
    ids: vec::IntoIter<u64>,
    at_once: usize,
    teller: Teller<T>,
    counts: WorkCounts,
}

impl<T: Task<Input = u64>> Runner<T> {
    async fn run_in(mut self, given: Given<T::Context>, stop: Stop) -> WorkCounts {
        match given {
            Given::Open(context) => self.run_works(&context, stop).await,
            Given::Config(config) => match open::<T::Context>(&config).await {
                Ok(context) => self.run_and_close(context, stop).await,
                Err(error) => self.raise_all(error).await,
            },
        }
        self.teller.tell_all().await;
        self.counts
    }

    async fn run_and_close(&mut self, context: T::Context, stop: Stop) {
        let (context_id, context) = (self.context_id, Rc::new(context));
        self.teller.add(Progress::ContextCreated { context_id });
        self.run_works(&context, stop).await;
        if let Err(error) = close(context).await {
            self.teller
                .add(Progress::ContextRaised { context_id, error });
        }
        self.teller.add(Progress::ContextDestroyed { context_id });
    }

    /// There is no context to run in.
    async fn raise_all(&mut self, message: String) {
        self.teller.add(Progress::ContextRaised {
            context_id: self.context_id,
            error: message.clone(),
        });
        for work_id in self.ids.by_ref() {
            let kind = TaskErrorKind::Context {
                step: ContextStep::Open,
                message: message.clone(),
            };
            self.counts.raised += 1;
            self.teller.add(Progress::TaskRaised {
                context_id: None,
                work_id,
                error: TaskError::new(ItemIndex(work_id), kind),
            });
            self.teller.tell_all().await;
        }
    }

    async fn run_works(&mut self, context: &Rc<T::Context>, mut stop: Stop) {
        let shared = Rc::clone(&self.shared);
        let call = |work_id| call::<T>(Rc::clone(context), Rc::clone(&shared), work_id);
        let mut running = FuturesUnordered::new();
        loop {
            if self.teller.has_told_all() {
                stop.stopped |= self.teller.is_unwatched();
                if stop.stopped {
                    self.cancel_some();
                } else {
                    let room = TURN.min(self.at_once - running.len());
                    self.start_some(room, |work_id| running.push(call(work_id)));
                }
            }
            if self.teller.has_told_all() && running.is_empty() && self.ids.len() == 0 {
                return;
            }
            // All arms are cancel-safe: what is not taken stays in its set or queue.
            tokio::select! {
                () = self.teller.tell_one(), if !self.teller.has_told_all() => {}
                Some((work_id, called)) = running.next(), if !running.is_empty() => self.end(work_id, called),
                () = stop.asked(), if !stop.stopped => stop.stopped = true,
            }
        }
    }

    fn start_some(&mut self, room: usize, mut start: impl FnMut(u64)) {
        let context_id = self.context_id;
        for work_id in self.ids.by_ref().take(room) {
            start(work_id);
            self.teller.add(Progress::TaskScheduled {
                context_id,
                work_id,
            });
        }
    }

    fn cancel_some(&mut self) {
        let context_id = Some(self.context_id);
        let some = if self.teller.is_unwatched() {
            self.ids.len()
        } else {
            TURN
        };
        for work_id in self.ids.by_ref().take(some) {
            self.counts.cancelled += 1;
            self.teller.add(Progress::TaskCancelled {
                context_id,
                work_id,
            });
        }
    }

    fn end(&mut self, work_id: u64, called: Called<T>) {
        let context_id = self.context_id;
        self.teller.add(match called {
            Ok(value) => {
                self.counts.returned += 1;
                Progress::TaskReturned {
                    context_id,
                    work_id,
                    value,
                }
            }
            Err(kind) => {
                self.counts.raised += 1;
                Progress::TaskRaised {
                    context_id: Some(context_id),
                    work_id,
                    error: TaskError::new(ItemIndex(work_id), kind),
                }
            }
        });
    }
}

/// Calls the task once.
async fn call<T: Task<Input = u64>>(
    context: Rc<T::Context>,
    shared: Rc<T::Shared>,
    work_id: u64,
) -> (u64, Called<T>) {
    let called = guarded(async { T::call(context, shared, work_id).await }).await;
    let called = match called {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(TaskErrorKind::Raised(error)),
        Err(message) => Err(TaskErrorKind::Panicked {
            message,
            location: None,
            backtrace: String::new(),
        }),
    };
    (work_id, called)
}

async fn open<C: Context>(config: &C::Config) -> Result<C, String> {
    match guarded(async { C::open(config).await }).await {
        Ok(opened) => opened.map_err(|error| error.to_string()),
        Err(panic) => Err(format!("panicked: {panic}")),
    }
}

async fn close<C: Context>(context: Rc<C>) -> Result<(), String> {
    // A call that has leaked it (a detached local task) keeps it open.
    let Some(context) = Rc::into_inner(context) else {
        return Ok(());
    };
    match guarded(async { context.close().await }).await {
        Ok(closed) => closed.map_err(|error| error.to_string()),
        Err(panic) => Err(format!("panicked: {panic}")),
    }
}

/// Runs user code; a panic, which was shown as every panic is, ends it with its message.
async fn guarded<F: Future>(future: F) -> Result<F::Output, String> {
    let ended = AssertUnwindSafe(future).catch_unwind().await;
    ended.map_err(|payload| {
        let message = panic_text(&*payload);
        // Dropping a payload is user code too.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
        message
    })
}
