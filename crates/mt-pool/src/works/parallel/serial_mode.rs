//! Works done in this process, by whoever calls: no worker, nothing serialised, one after the other.

use std::{
    any::TypeId,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    rc::Rc,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context as PollContext, Poll, Waker},
};

use mt_proto::{ContextStep, ItemIndex};
use tokio::{
    runtime::{Builder, Runtime},
    task::LocalSet,
};

use crate::{
    AsynPmap, Context, NoContext, StartError, Task, TaskError, TaskErrorKind,
    pmap::{Outcome, given},
    stats::Stats,
    task::TaskStyle,
    wait::wait_here,
    worker::panic_text,
};

type Config<T> = <<T as Task>::Context as Context>::Config;
type Kind<T> = TaskErrorKind<<T as Task>::Error>;

/// Works 0, 1, 2 … by hand. Threads that share it take turns.
#[derive(Debug)]
pub(super) struct Serial<T: Task<Input = u64>> {
    desk: Mutex<Desk<T>>,
    free: Condvar,
    num_works: Option<u64>,
    fail_fast: bool,
    runtime: Option<Runtime>,
}

#[derive(Debug)]
struct Desk<T: Task> {
    /// Away while a work is done.
    tools: Option<Tools<T>>,
    next: u64,
    closed: bool,
    stats: Stats,
}

/// What a work needs.
struct Tools<T: Task> {
    shared: T::Shared,
    config: Config<T>,
}

impl<T: Task<Input = u64>> Serial<T> {
    /// Takes the options that mean something without workers, and calls the init function.
    pub(super) fn new(run: AsynPmap<T>, num_works: Option<u64>) -> Result<Self, StartError> {
        run.options.check()?;
        let shared = given("shared", run.shared)?;
        let config = given("context", run.context)?;
        if let Some(init) = run.init {
            init.call_here()?;
        }
        Ok(Self {
            desk: Mutex::new(Desk {
                tools: Some(Tools { shared, config }),
                next: 0,
                closed: false,
                stats: Stats::default(),
            }),
            free: Condvar::new(),
            num_works,
            fail_fast: run.options.fail_fast,
            runtime: runtime_for::<T>().map_err(StartError::Thread)?,
        })
    }

    /// Does the next work. `None` at the end.
    pub(super) fn next(&self) -> Option<(u64, Outcome<T>)> {
        let (id, tools) = self.begin()?;
        let index = ItemIndex(id);
        let (tools, done) = self.work(tools, id);
        let outcome = done.map_err(|kind| TaskError::new(index, kind));
        self.end(tools, outcome.is_ok());
        Some((id, outcome))
    }

    /// Waits for the turn.
    fn begin(&self) -> Option<(u64, Tools<T>)> {
        let mut desk = self.desk();
        loop {
            if desk.closed || self.num_works.is_some_and(|works| desk.next >= works) {
                return None;
            }
            if let Some(tools) = desk.tools.take() {
                let id = desk.next;
                desk.next += 1;
                return Some((id, tools));
            }
            desk = self.free.wait(desk).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn end(&self, tools: Tools<T>, succeeded: bool) {
        let mut desk = self.desk();
        desk.tools = Some(tools);
        desk.stats.succeeded += u64::from(succeeded);
        desk.stats.failed += u64::from(!succeeded);
        desk.closed |= self.fail_fast && !succeeded;
        let over = desk.closed || self.num_works == Some(desk.next);
        drop(desk);
        if over {
            self.free.notify_all();
        } else {
            self.free.notify_one();
        }
    }

    /// Does a work in a context of its own.
    fn work(&self, tools: Tools<T>, id: u64) -> (Tools<T>, Result<T::Output, Kind<T>>) {
        let Tools { shared, config } = tools;
        let shared = Rc::new(shared);
        let done = self.open(&config).and_then(|context| {
            let context = Rc::new(context);
            let call = || T::call(Rc::clone(&context), Rc::clone(&shared), id);
            let done = caught(|| match T::STYLE {
                TaskStyle::Sync => ready(call()),
                TaskStyle::Async => self.wait(call()),
            });
            self.close(context);
            match done {
                Ok(result) => result.map_err(TaskErrorKind::Raised),
                Err(message) => Err(panicked(message)),
            }
        });
        let shared = Rc::into_inner(shared);
        let shared = shared.expect("a call that has ended holds its shared value no longer");
        (Tools { shared, config }, done)
    }

    fn open(&self, config: &Config<T>) -> Result<T::Context, Kind<T>> {
        let not_open = |message| TaskErrorKind::Context {
            step: ContextStep::Open,
            message,
        };
        match caught(|| self.wait(T::Context::open(config))) {
            Ok(Ok(context)) => Ok(context),
            Ok(Err(error)) => Err(not_open(error.to_string())),
            Err(message) => Err(not_open(format!("panicked: {message}"))),
        }
    }

    fn close(&self, context: Rc<T::Context>) {
        // A call that has leaked its context keeps it open.
        let Some(context) = Rc::into_inner(context) else {
            return;
        };
        let message = match caught(|| self.wait(context.close())) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(message) => format!("panicked: {message}"),
        };
        tracing::warn!(message, "closing a context failed");
        self.desk().stats.context_close_errors += 1;
    }

    /// Waits for a future on this thread, which may be part of a runtime itself; timers and sockets are
    /// the own runtime's.
    fn wait<F: Future>(&self, future: F) -> F::Output {
        let Some(runtime) = &self.runtime else {
            return ready(future);
        };
        let _inside = runtime.enter();
        let local = LocalSet::new();
        let mut running = pin!(local.run_until(future));
        wait_here(|cx| running.as_mut().poll(cx))
    }

    /// No further work is begun. Those who wait for their turn are told.
    pub(super) fn close_all(&self) {
        self.desk().closed = true;
        self.free.notify_all();
    }

    /// Works begun, and works done.
    pub(super) fn counts(&self) -> (u64, u64) {
        let desk = self.desk();
        (desk.next, desk.stats.succeeded + desk.stats.failed)
    }

    pub(super) fn stats(&self) -> Stats {
        let mut stats = self.desk().stats.clone();
        stats.pulled = stats.succeeded + stats.failed;
        stats
    }

    /// No user code runs under the lock, so a poisoned state is still consistent.
    fn desk(&self) -> MutexGuard<'_, Desk<T>> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Task<Input = u64>> Drop for Serial<T> {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // The plain drop waits, which is not allowed inside another runtime.
            runtime.shutdown_background();
        }
    }
}

impl<T: Task> std::fmt::Debug for Tools<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tools").finish_non_exhaustive()
    }
}

/// A runtime that turns by itself, if the task or its context may have to wait.
fn runtime_for<T: Task>() -> std::io::Result<Option<Runtime>> {
    let without_context = TypeId::of::<T::Context>() == TypeId::of::<NoContext>();
    if T::STYLE == TaskStyle::Sync && without_context {
        return Ok(None);
    }
    let mut builder = Builder::new_multi_thread();
    let builder = builder.worker_threads(1).thread_name("mt-serial");
    builder.enable_all().build().map(Some)
}

/// What a future comes to that has nothing to wait for.
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut PollContext::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a plain function has nothing to wait for"),
    }
}

/// Runs user code. A panic, which was shown as every panic is, becomes its text.
fn caught<R>(code: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|panic| panic_text(&*panic))
}

fn panicked<E>(message: String) -> TaskErrorKind<E> {
    TaskErrorKind::Panicked {
        message,
        location: None,
        backtrace: String::new(),
    }
}
