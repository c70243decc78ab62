//! A queen that reigns: whoever runs her hive asks her for tasks.

use std::{
    cell::Cell,
    fmt,
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use futures::future::{Either, select};
use tokio::sync::{Semaphore, watch};

use super::{
    bee::{QueenBee, QueenValue},
    handle::Hive,
};
use crate::{
    call::Unsuccessful,
    error::{BeehiveError, Part},
};

/// A queen bee with her hive. Cheap to clone; stays on its thread.
///
/// The queen's tasks are its methods, by the trait that [`#[queen]`](macro@crate::queen) writes.
pub struct Queen<Q: QueenBee> {
    shared: Rc<QueenShared<Q>>,
}

struct QueenShared<Q: QueenBee> {
    bee: Rc<Q>,
    hive: Hive<Q::Worker>,
    /// Of the tasks the queen does at once.
    permits: Semaphore,
    /// Whether one of them is being polled.
    inside: Cell<bool>,
    /// Why all is cancelled, if it is.
    cancelled: watch::Sender<Option<String>>,
}

impl<Q: QueenBee> Clone for Queen<Q> {
    fn clone(&self) -> Self {
        let shared = Rc::clone(&self.shared);
        Self { shared }
    }
}

impl<Q: QueenBee> fmt::Debug for Queen<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Queen");
        debug.field("bee", &Q::NAME).finish_non_exhaustive()
    }
}

impl<Q: QueenBee> Queen<Q> {
    pub(super) fn new(bee: Q, hive: Hive<Q::Worker>, max_concurrency: Option<u32>) -> Self {
        let permits = max_concurrency.map_or(Semaphore::MAX_PERMITS, |most| most as usize);
        let shared = Rc::new(QueenShared {
            bee: Rc::new(bee),
            hive,
            permits: Semaphore::new(permits),
            inside: Cell::new(false),
            cancelled: watch::Sender::new(None),
        });
        Self { shared }
    }

    /// Asks for the task `name`. `args` is what it takes: nothing as `()`, its argument, or a tuple of several,
    /// of exactly its types. Nothing happens until it is awaited; dropping what is awaited ends the task where
    /// it is.
    pub fn task<R: 'static>(
        &self,
        name: impl Into<String>,
        args: impl Sized + 'static,
    ) -> QueenTask<R> {
        let shared = Rc::clone(&self.shared);
        let (name, args) = (name.into(), QueenValue::new(args));
        QueenTask(Box::pin(async move { shared.task(&name, args).await }))
    }

    /// The hive, to delegate to past her.
    #[must_use]
    pub fn hive(&self) -> &Hive<Q::Worker> {
        &self.shared.hive
    }

    /// Cancels her tasks: those that run end where they are, those that were not begun never are, and each is
    /// [`BeehiveError::Cancelled`] for this reason. What they have delegated is cancelled with them.
    pub fn cancel(&self, reason: impl Into<String>) {
        let reason = reason.into();
        self.shared.cancelled.send_if_modified(|cancelled| {
            let first = cancelled.is_none();
            cancelled.get_or_insert(reason);
            first
        });
    }
}

impl<Q: QueenBee> QueenShared<Q> {
    async fn task<R: 'static>(&self, name: &str, args: QueenValue) -> Result<R, BeehiveError> {
        let mut cancels = self.cancelled.subscribe();
        let cancelled = async move {
            let reason = cancels.wait_for(Option::is_some).await;
            let reason = reason.ok().and_then(|reason| reason.clone());
            reason.expect("its sender is borrowed here")
        };
        let done = self.done(name, args);
        // Cancelled first: what is cancelled before it was begun never is.
        match select(std::pin::pin!(cancelled), std::pin::pin!(done)).await {
            Either::Left((reason, _)) => Err(BeehiveError::Cancelled { reason }),
            Either::Right((result, _)) => result,
        }
    }

    async fn done<R: 'static>(&self, name: &str, args: QueenValue) -> Result<R, BeehiveError> {
        // What a task of hers awaits is part of that: it must not wait for the place that its own task has.
        let _permit = match self.inside.get() {
            true => None,
            false => Some(self.permits.acquire().await.expect("it is never closed")),
        };
        let call = Rc::clone(&self.bee).call(self.hive.clone(), name, args);
        let mut call = call.ok_or_else(|| BeehiveError::NoSuchTask {
            queen: Q::NAME,
            name: name.to_owned(),
            tasks: Q::TASKS,
        })?;
        let value = poll_fn(|cx| {
            let _inside = Inside::of(&self.inside);
            call.as_mut().poll(cx)
        });
        let value = value.await.and_then(|value| value.into_part(Part::Value));
        value.map_err(|error| told(name, error))
    }
}

/// A task of hers is being polled, until this is dropped.
struct Inside<'a> {
    inside: &'a Cell<bool>,
    before: bool,
}

impl<'a> Inside<'a> {
    fn of(inside: &'a Cell<bool>) -> Self {
        let before = inside.replace(true);
        Self { inside, before }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.inside.set(self.before);
    }
}

fn told(name: &str, error: Unsuccessful) -> BeehiveError {
    match error {
        Unsuccessful::Raised(error) => BeehiveError::Raised(error.into()),
        Unsuccessful::WrongType {
            part,
            given,
            expected,
        } => BeehiveError::WrongType {
            name: name.to_owned(),
            part,
            given,
            expected,
        },
        Unsuccessful::Failed(_) => unreachable!("nothing of a queen's task is encoded"),
    }
}

/// A task of a queen that was asked for: a future of what it returns.
///
/// Fails with [`BeehiveError::NoSuchTask`], [`WrongType`](BeehiveError::WrongType),
/// [`Raised`](BeehiveError::Raised) or [`Cancelled`](BeehiveError::Cancelled). A panic of the task goes on into
/// whoever awaits this.
#[must_use = "a queen does nothing until this is awaited"]
pub struct QueenTask<R>(Pin<Box<dyn Future<Output = Result<R, BeehiveError>>>>);

impl<R> Future for QueenTask<R> {
    type Output = Result<R, BeehiveError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<R> fmt::Debug for QueenTask<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueenTask").finish_non_exhaustive()
    }
}
