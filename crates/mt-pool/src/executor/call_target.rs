//! A task as the calls of a pool find it in a worker: with what all its calls there share.

use std::{
    fmt::Display,
    mem,
    pin::pin,
    rc::Rc,
    task::{Context as PollContext, Poll, Waker},
};

use futures::{FutureExt, future::LocalBoxFuture};
use mt_proto::{Attachments, Failure, ItemIndex, clip_text, decode_attached};

use super::{
    context_batch::{ContextBatch, ContextOptions, CurrentBatch},
    reporter::{Encoded, Reporter},
    work::{NoResult, decode},
};
use crate::{
    Context, Task, Wire,
    task::TaskStyle,
    worker::{caught, drop_caught},
};

/// What an `async fn` has returned, to be encoded.
pub(super) type Returned = Box<dyn FnOnce(&mut Reporter, ItemIndex) -> Encoded>;
/// A call of an `async fn`.
pub(super) type Begun = LocalBoxFuture<'static, Returned>;
/// Makes a task ready to be called: with the defaults where there are no bytes. User code: to be called inside `caught`.
pub(crate) type MakeTarget = fn(Option<SharedBytes<'_>>) -> Result<BoxedTarget, Box<Failure>>;

/// What all calls of a task share, encoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SharedBytes<'a> {
    pub(super) shared: &'a [u8],
    pub(super) context: &'a [u8],
    pub(super) beside: &'a Attachments,
}

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

    /// Whether no call is at it.
    fn is_idle(&self) -> bool;

    /// Closes the context, and drops what all calls have shared.
    fn close<'a>(self: Box<Self>, options: ContextOptions<'a>) -> LocalBoxFuture<'a, ()>;
}

struct Target<T: Task> {
    shared: Rc<T::Shared>,
    config: Rc<<T::Context as Context>::Config>,
    batch: CurrentBatch<T::Context>,
}

/// `T`, ready to be called.
pub(crate) fn target_of<T: Task>(
    bytes: Option<SharedBytes<'_>>,
) -> Result<BoxedTarget, Box<Failure>> {
    let (shared, config) = match bytes {
        Some(bytes) => (
            decode_shared("the shared value", bytes.shared, bytes.beside)?,
            decode_shared("the context's config", bytes.context, bytes.beside)?,
        ),
        None => (
            T::default_shared().ok_or_else(|| undecodable("the shared value", "there is none"))?,
            <T::Context as Context>::default_config()
                .ok_or_else(|| undecodable("the context's config", "there is none"))?,
        ),
    };
    Ok(BoxedTarget(Box::new(Target::<T> {
        shared: Rc::new(shared),
        config: Rc::new(config),
        batch: CurrentBatch::None,
    })))
}

fn decode_shared<V: Wire>(
    what: &str,
    bytes: &[u8],
    beside: &Attachments,
) -> Result<V, Box<Failure>> {
    match caught(|| decode_attached(bytes, beside)) {
        Ok(decoded) => decoded.map_err(|error| undecodable(what, error)),
        Err(panic) => Err(undecodable(what, panic)),
    }
}

#[cold]
pub(super) fn undecodable(what: &str, why: impl Display) -> Box<Failure> {
    let message = clip_text(format!("{what}: {why}"));
    Box::new(Failure::Undecodable { message })
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

    fn is_idle(&self) -> bool {
        match &self.batch {
            CurrentBatch::Open(batch) => batch.is_unused(),
            CurrentBatch::None | CurrentBatch::Failed(..) => true,
        }
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
