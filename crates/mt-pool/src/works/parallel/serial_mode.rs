//! Works done in this process, by whoever calls: no worker, nothing serialised, one after the other.

use std::{
    any::TypeId,
    pin::pin,
    rc::Rc,
    sync::{Condvar, Mutex, PoisonError},
};

use futures::FutureExt;
use mt_proto::{ItemIndex, Kept, guarded};
use tokio::{runtime::Handle, sync::oneshot, task::LocalSet};

use crate::{
    AsynPmap, Context, NoContext, StartError, Task, TaskError,
    lock::lock,
    pmap::{Outcome, given, init_here},
    stats::Stats,
    supervision::{OwnRuntime, default_stack_bytes},
    task::TaskStyle,
    wait::wait_here,
    works::here::{Called, call, close, not_open, open, panicked},
};

/// Works 0, 1, 2 … by hand. Threads that share it take turns.
pub(super) struct Serial<T: Task<Input = u64>> {
    desk: Mutex<Desk<T>>,
    free: Condvar,
    num_works: u64,
    fail_fast: bool,
    runtime: Option<Turning>,
}

struct Desk<T: Task> {
    /// Away while a work is done.
    tools: Option<Tools<T>>,
    next: u64,
    closed: bool,
    stats: Stats,
}

struct Tools<T: Task> {
    shared: Kept<T::Shared>,
    config: Kept<<T::Context as Context>::Config>,
}

/// A runtime that a thread turns as long as this lives.
struct Turning {
    handle: Handle,
    _over: oneshot::Sender<()>,
}

impl<T: Task<Input = u64>> Serial<T> {
    /// Takes the options that mean something without workers, and calls the init function.
    pub(super) fn new(run: AsynPmap<T>, num_works: u64) -> Result<Self, StartError> {
        run.options.check()?;
        let shared = given("shared", run.shared)?;
        let config = given("context", run.context)?;
        if let Some(init) = run.init {
            init_here(&init?)?;
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

    pub(super) fn next(&self) -> Option<(u64, Outcome<T>)> {
        let (id, tools) = self.begin()?;
        let index = ItemIndex(id);
        let (tools, done) = self.work(tools, id);
        let outcome = done.map_err(|kind| TaskError::new(index, kind));
        self.end(tools, outcome.is_ok());
        Some((id, outcome))
    }

    fn begin(&self) -> Option<(u64, Tools<T>)> {
        let mut desk = lock(&self.desk);
        loop {
            if desk.closed || desk.next >= self.num_works {
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

    fn end(&self, tools: Option<Tools<T>>, succeeded: bool) {
        let mut desk = lock(&self.desk);
        // Without them nothing more can be done, and nobody must wait for that.
        desk.closed |= tools.is_none();
        desk.tools = tools;
        desk.stats.succeeded += u64::from(succeeded);
        desk.stats.failed += u64::from(!succeeded);
        desk.closed |= self.fail_fast && !succeeded;
        let over = desk.closed || desk.next == self.num_works;
        drop(desk);
        if over {
            self.free.notify_all();
        } else {
            self.free.notify_one();
        }
    }

    /// Does a work in a context of its own.
    fn work(&self, Tools { shared, config }: Tools<T>, id: u64) -> (Option<Tools<T>>, Called<T>) {
        let shared = Rc::new(shared.into_inner());
        let called = guarded(|| self.called(&shared, &config, id));
        let called = called.unwrap_or_else(|panic| Err(panicked(panic)));
        // A call that has ended holds its shared value no longer, unless it has left a task that does.
        let shared = Rc::into_inner(shared).map(Kept::new);
        (shared.map(|shared| Tools { shared, config }), called)
    }

    fn called(
        &self,
        shared: &Rc<T::Shared>,
        config: &<T::Context as Context>::Config,
        id: u64,
    ) -> Called<T> {
        let context = self.wait(open::<T::Context>(config)).map_err(not_open)?;
        let context = Rc::new(context);
        let call = call::<T>(Rc::clone(&context), Rc::clone(shared), id);
        let called = match T::STYLE {
            // Outside any runtime: it may use one of its own.
            TaskStyle::Sync => ready(call),
            TaskStyle::Async => self.wait(call),
        };
        self.close(context);
        called
    }

    fn close(&self, context: Rc<T::Context>) {
        if let Err(message) = self.wait(close(context)) {
            let _ = guarded(|| tracing::warn!(message, "closing a context failed"));
            lock(&self.desk).stats.context_close_errors += 1;
        }
    }

    /// Waits for a future on this thread, which may be part of a runtime itself; timers and sockets are
    /// the own runtime's.
    fn wait<F: Future>(&self, future: F) -> F::Output {
        let Some(runtime) = &self.runtime else {
            return ready(future);
        };
        let _inside = runtime.handle.enter();
        let local = LocalSet::new();
        let mut running = pin!(local.run_until(future));
        wait_here(|cx| running.as_mut().poll(cx))
    }

    /// No further work is begun. Those who wait for their turn are told.
    pub(super) fn close_all(&self) {
        lock(&self.desk).closed = true;
        self.free.notify_all();
    }

    pub(super) fn counts(&self) -> (u64, u64) {
        let desk = lock(&self.desk);
        (desk.next, desk.stats.succeeded + desk.stats.failed)
    }

    pub(super) fn stats(&self) -> Stats {
        let mut stats = lock(&self.desk).stats.clone();
        stats.pulled = stats.succeeded + stats.failed;
        stats
    }
}

/// A runtime that turns by itself, if the task or its context may have to wait.
fn runtime_for<T: Task>() -> std::io::Result<Option<Turning>> {
    let without_context = TypeId::of::<T::Context>() == TypeId::of::<NoContext>();
    if T::STYLE == TaskStyle::Sync && without_context {
        return Ok(None);
    }
    let runtime = OwnRuntime::new()?;
    let handle = runtime.handle().clone();
    let (over, is_over) = oneshot::channel();
    let turn = |runtime: OwnRuntime| drop(runtime.block_on(is_over));
    runtime.on_thread_with("mt-serial", default_stack_bytes(), turn)?;
    Ok(Some(Turning {
        handle,
        _over: over,
    }))
}

/// What a future comes to that has nothing to wait for.
fn ready<F: Future>(future: F) -> F::Output {
    let done = future.now_or_never();
    done.expect("a plain function has nothing to wait for")
}
