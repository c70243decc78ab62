//! A task as the calls of a pool find it in a worker: with what all its calls there share.

use std::{
    mem,
    pin::pin,
    rc::Rc,
    task::{Context as PollContext, Poll, Waker},
};

use futures::{FutureExt, future::LocalBoxFuture};
use mt_proto::{Attachments, Failure, ItemIndex};

use super::{
    context_batch::{ContextBatch, ContextOptions, CurrentBatch},
    reporter::{Encoded, Reporter},
    work::{NoResult, decode},
};
use crate::{Context, Task, task::TaskStyle, worker::drop_caught};

/// What an `async fn` has returned, to be encoded.
pub(super) type Returned = Box<dyn FnOnce(&mut Reporter, ItemIndex) -> Encoded>;
/// A call of an `async fn`.
pub(super) type Begun = LocalBoxFuture<'static, Returned>;
/// Makes a task ready to be called; `None` for one that can't be without a shared value or a config.
pub(crate) type MakeTarget = fn() -> Option<BoxedTarget>;

/// A task that is ready to be called.
pub(crate) struct BoxedTarget(pub(super) Box<dyn CallTarget>);

pub(super) trait CallTarget {
    fn style(&self) -> TaskStyle;

    /// What opens the context that its calls run in; `None` if that is open.
    fn open<'a>(
        &'a mut self,
        options: ContextOptions<'a>,
    ) -> Option<LocalBoxFuture<'a, Result<(), NoResult>>>;

    /// Calls a plain function. User code: to be called inside `caught`.
    fn call(
        &self,
        reporter: &mut Reporter,
        index: ItemIndex,
        input: &[u8],
        beside: &Attachments,
    ) -> Encoded;

    /// Begins a call of an `async fn`. User code: to be called inside `caught`.
    fn begin(&self, input: &[u8], beside: &Attachments) -> Result<Begun, NoResult>;

    /// Closes the context, and drops what all calls have shared.
    fn close<'a>(self: Box<Self>, options: ContextOptions<'a>) -> LocalBoxFuture<'a, ()>;
}

struct Target<T: Task> {
    shared: Rc<T::Shared>,
    config: Rc<<T::Context as Context>::Config>,
    batch: CurrentBatch<T::Context>,
}

/// `T`, ready to be called.
pub(crate) fn target_of<T: Task>() -> Option<BoxedTarget> {
    Some(BoxedTarget(Box::new(Target::<T> {
        shared: Rc::new(T::default_shared()?),
        config: Rc::new(<T::Context as Context>::default_config()?),
        batch: CurrentBatch::None,
    })))
}

impl<T: Task> Target<T> {
    fn context(&self) -> Rc<T::Context> {
        match &self.batch {
            CurrentBatch::Open(batch) => batch.context(),
            CurrentBatch::None | CurrentBatch::Failed(..) => {
                unreachable!("a context is opened before a call")
            }
        }
    }
}

impl<T: Task> CallTarget for Target<T> {
    fn style(&self) -> TaskStyle {
        T::STYLE
    }

    fn open<'a>(
        &'a mut self,
        options: ContextOptions<'a>,
    ) -> Option<LocalBoxFuture<'a, Result<(), NoResult>>> {
        if let CurrentBatch::Open(_) = self.batch {
            return None;
        }
        let open = async move {
            self.batch = ContextBatch::open(Rc::clone(&self.config), options).await;
            match mem::take(&mut self.batch) {
                CurrentBatch::Failed(failure, _) => Err(failure.into()),
                open => {
                    self.batch = open;
                    Ok(())
                }
            }
        };
        Some(open.boxed_local())
    }

    fn call(
        &self,
        reporter: &mut Reporter,
        index: ItemIndex,
        input: &[u8],
        beside: &Attachments,
    ) -> Encoded {
        let input = decode::<T>(input, beside)?;
        let call = pin!(T::call(self.context(), Rc::clone(&self.shared), input));
        match call.poll(&mut PollContext::from_waker(Waker::noop())) {
            Poll::Ready(result) => reporter.encode(index, result),
            Poll::Pending => unreachable!("a plain function has nothing to wait for"),
        }
    }

    fn begin(&self, input: &[u8], beside: &Attachments) -> Result<Begun, NoResult> {
        let input = decode::<T>(input, beside)?;
        let call = T::call(self.context(), Rc::clone(&self.shared), input);
        let begun = async move {
            let result = call.await;
            let returned: Returned =
                Box::new(move |reporter, index| reporter.encode(index, result));
            returned
        };
        Ok(begun.boxed_local())
    }

    fn close<'a>(self: Box<Self>, options: ContextOptions<'a>) -> LocalBoxFuture<'a, ()> {
        let Self {
            shared,
            config,
            batch,
        } = *self;
        let close = async move {
            if let CurrentBatch::Open(batch) = batch {
                batch.close(options).await;
            }
            drop_caught("the shared value", shared);
            drop_caught("the context's config", config);
        };
        close.boxed_local()
    }
}

impl From<Box<Failure>> for NoResult {
    fn from(failure: Box<Failure>) -> Self {
        Self::Failure(failure)
    }
}
