//! A work in this process: its context, its call, and what a panic of either comes to.

use std::rc::Rc;

use mt_proto::{ContextStep, Kept, UserPanic, clip_text, guarded};

use crate::{
    Context, Task, TaskErrorKind,
    worker::{Panic, caught_async},
};

/// What a call came to.
pub(super) type Called<T> = Result<<T as Task>::Output, TaskErrorKind<<T as Task>::Error>>;

/// Calls the task once.
pub(super) async fn call<T: Task<Input = u64>>(
    context: Rc<T::Context>,
    shared: Rc<T::Shared>,
    work_id: u64,
) -> Called<T> {
    match caught_async(async { T::call(context, shared, work_id).await }).await {
        Ok(returned) => returned.map_err(TaskErrorKind::Raised),
        Err(panic) => Err(TaskErrorKind::of_failure(panic.into())),
    }
}

pub(super) async fn open<C: Context>(config: &C::Config) -> Result<C, String> {
    ended(caught_async(async { C::open(config).await }).await)
}

/// A panic that no call of its own has caught.
pub(super) fn panicked<E>(panic: UserPanic) -> TaskErrorKind<E> {
    TaskErrorKind::Panicked {
        message: clip_text(panic.into_message()),
        location: None,
        backtrace: String::new(),
    }
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
    ended(caught_async(async { context.close().await }).await)
}

fn ended<V>(step: Result<Result<V, impl ToString>, Panic>) -> Result<V, String> {
    let ended = step.map_err(|panic| panic.to_string())?;
    ended.map_err(|error| {
        let error = Kept::new(error);
        let described = guarded(|| error.to_string());
        described.unwrap_or_else(|panic| format!("its `Display` panicked: {panic}"))
    })
}
