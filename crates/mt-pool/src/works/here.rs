//! A work in this process: its context, its call, and what a panic of either comes to.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};

use futures::FutureExt;
use mt_proto::ContextStep;

use crate::{Context, Task, TaskErrorKind, worker::panic_text};

/// What a call came to.
pub(super) type Called<T> = Result<<T as Task>::Output, TaskErrorKind<<T as Task>::Error>>;

/// Calls the task once.
pub(super) async fn call<T: Task<Input = u64>>(
    context: Rc<T::Context>,
    shared: Rc<T::Shared>,
    work_id: u64,
) -> Called<T> {
    match guarded(async { T::call(context, shared, work_id).await }).await {
        Ok(returned) => returned.map_err(TaskErrorKind::Raised),
        Err(message) => Err(TaskErrorKind::Panicked {
            message,
            location: None,
            backtrace: String::new(),
        }),
    }
}

pub(super) async fn open<C: Context>(config: &C::Config) -> Result<C, String> {
    ended(guarded(async { C::open(config).await }).await)
}

/// What becomes of a work whose context could not be opened.
pub(super) fn not_open<E>(message: String) -> TaskErrorKind<E> {
    let step = ContextStep::Open;
    TaskErrorKind::Context { step, message }
}

pub(super) async fn close<C: Context>(context: Rc<C>) -> Result<(), String> {
    // A call that has leaked it (a detached local task) keeps it open.
    let Some(context) = Rc::into_inner(context) else {
        return Ok(());
    };
    ended(guarded(async { context.close().await }).await)
}

fn ended<V>(step: Result<Result<V, impl ToString>, String>) -> Result<V, String> {
    match step {
        Ok(ended) => ended.map_err(|error| error.to_string()),
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
