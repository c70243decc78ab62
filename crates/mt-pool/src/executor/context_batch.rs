//! Contexts: one for every batch of items, made before its first and closed after its last.

use std::{
    any::TypeId, cell::Cell, fmt::Display, future::poll_fn, pin::pin, rc::Rc, time::Duration,
};

use mt_ipc::{Progress, Turn};
use mt_proto::{ContextStep, Failure, FromExecutor, Notice, Setup, clip_text};
use tokio::time::timeout;

use super::outbox::Outbox;
use crate::{Context, NoContext, Task, worker::caught_async};

/// A batch's context, held by every item of it that runs.
pub(super) struct ContextBatch<C> {
    context: Rc<C>,
    left: Cell<u32>,
}

/// The items that a context for the life of its worker is the outcome of when it can't be opened. After
/// them it is tried again.
const FAILED_ITEMS: u32 = 1024;

/// What holds for every context of a worker.
#[derive(Debug, Clone, Copy)]
pub(super) struct ContextOptions<'a> {
    /// The items of one context; `u32::MAX` for as many as its worker has.
    items: u32,
    /// How long opening and closing may take.
    limit: Option<Duration>,
    /// Whether the parent wants to know of every one.
    tell: bool,
    outbox: &'a Outbox,
    progress: &'a Progress,
}

impl<'a> ContextOptions<'a> {
    pub(super) fn of<T: Task>(setup: &Setup, outbox: &'a Outbox, progress: &'a Progress) -> Self {
        // A task without a context does not open nothing for every batch.
        let has_none = TypeId::of::<T::Context>() == TypeId::of::<NoContext>();
        let items = if has_none { u32::MAX } else { setup.batch_size };
        Self::of_items(items, setup, outbox, progress)
    }

    /// Of contexts for so many items each.
    pub(super) fn of_items(
        items: u32,
        setup: &Setup,
        outbox: &'a Outbox,
        progress: &'a Progress,
    ) -> Self {
        Self {
            items,
            limit: setup.context_deadline,
            tell: setup.tell_contexts,
            outbox,
            progress,
        }
    }

    /// The same, with no step of a context longer than this.
    pub(super) fn within(self, limit: Duration) -> Self {
        Self {
            limit: Some(self.limit.map_or(limit, |own| own.min(limit))),
            ..self
        }
    }

    fn tell(self, notice: Notice) {
        if self.tell {
            self.outbox.say(FromExecutor::Notice(notice).into_frame());
        }
    }
}

/// The batch that new items go to.
#[derive(Default)]
pub(super) enum CurrentBatch<C> {
    /// None: the next item opens one.
    #[default]
    None,
    Open(Rc<ContextBatch<C>>),
    /// There is no context; so many of its items are still to be told.
    Failed(Failure, u32),
}

impl<C> CurrentBatch<C> {
    /// One more item has gone to this batch; true when it was the last.
    pub(super) fn take_place(&mut self) -> bool {
        let left = match self {
            Self::None => return false,
            Self::Open(batch) => {
                batch.left.set(batch.left.get() - 1);
                batch.left.get()
            }
            Self::Failed(_, left) => {
                *left -= 1;
                *left
            }
        };
        left == 0
    }
}

impl<C: Context> ContextBatch<C> {
    pub(super) async fn open(
        config: Rc<C::Config>,
        options: ContextOptions<'_>,
    ) -> CurrentBatch<C> {
        let message = match in_time(options.limit, async { C::open(&config).await }).await {
            Ok(context) => {
                options.tell(Notice::ContextOpened);
                return CurrentBatch::Open(Rc::new(Self {
                    context: Rc::new(context),
                    left: Cell::new(options.items),
                }));
            }
            Err(problem) => problem,
        };
        let (step, message) = (ContextStep::Open, clip_text(message));
        options.tell(Notice::Context {
            step,
            message: message.clone(),
        });
        let items = match options.items {
            u32::MAX => FAILED_ITEMS,
            items => items,
        };
        CurrentBatch::Failed(Failure::Context { step, message }, items)
    }

    pub(super) fn context(&self) -> Rc<C> {
        Rc::clone(&self.context)
    }

    /// Whether no item runs in it.
    pub(super) fn is_unused(&self) -> bool {
        Rc::strong_count(&self.context) == 1
    }

    /// Closes the context. Nobody may hold the batch any more but the caller.
    pub(super) async fn close(self: Rc<Self>, options: ContextOptions<'_>) {
        let Ok(batch) = Rc::try_unwrap(self) else {
            return;
        };
        // A call that has leaked its context (a detached local task) keeps it open.
        let Some(context) = Rc::into_inner(batch.context) else {
            return;
        };
        let close = in_time(options.limit, async { context.close().await });
        let message = match in_turns(options.progress, close).await {
            Ok(()) => return options.tell(Notice::ContextClosed),
            Err(problem) => problem,
        };
        let message = clip_text(message);
        let step = ContextStep::Close;
        let notice = FromExecutor::Notice(Notice::Context { step, message });
        options.outbox.say(notice.into_frame());
    }
}

/// Polls what closes a context, and tells the parent that no call has the thread meanwhile: one that keeps it is ended
/// by the parent.
async fn in_turns<R>(progress: &Progress, close: impl Future<Output = R>) -> R {
    let mut close = pin!(close);
    poll_fn(|cx| {
        progress.enter(Turn::CLOSES);
        let polled = close.as_mut().poll(cx);
        progress.leave();
        polled
    })
    .await
}

/// What a step of a context comes to within a limit; why it comes to nothing if it takes longer, and is dropped, or
/// fails, or panics. All of it is user code, from the call that makes the future to the error's text and drop.
async fn in_time<R, E: Display>(
    limit: Option<Duration>,
    step: impl Future<Output = Result<R, E>>,
) -> Result<R, String> {
    let step = caught_async(async { step.await.map_err(|error| error.to_string()) });
    let done = match limit {
        Some(limit) => timeout(limit, step)
            .await
            .map_err(|_| format!("it took longer than its deadline of {limit:?}"))?,
        None => step.await,
    };
    done.map_err(|panic| panic.to_string())?
}
