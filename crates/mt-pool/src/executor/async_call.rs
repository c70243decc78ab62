//! A call of an `async fn` among others, until its end, or until nobody waits for it any more.

use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    task::{Context as PollContext, Poll, Waker},
    time::Instant,
};

use mt_ipc::Progress;
use mt_proto::{Failure, ItemIndex};

use super::{
    call_target::{Begun, Returned},
    tally,
    work::NoResult,
};
use crate::{
    current::Ambient,
    worker::{Panic, caught},
};

pub(super) struct AsyncCall<'a> {
    ambient: Ambient,
    /// The place of the call among the items of this worker.
    at: u64,
    began: Instant,
    begun: Option<Begun>,
    /// There once somebody may tell.
    withdrawal: Option<Withdrawal>,
    progress: &'a Progress,
}

/// Tells a call that nobody waits for it any more.
#[derive(Clone, Default)]
pub(super) struct Withdrawal(Rc<RefCell<Waited>>);

#[derive(Default)]
struct Waited {
    is_withdrawn: bool,
    waker: Option<Waker>,
}

/// A call that has ended, and what it has returned.
pub(super) struct EndedCall {
    pub(super) index: ItemIndex,
    pub(super) began: Instant,
    pub(super) returned: Result<Returned, NoResult>,
}

impl Withdrawal {
    /// Has the call dropped at its next turn, which is now.
    pub(super) fn withdraw(&self) {
        let mut waited = self.0.borrow_mut();
        waited.is_withdrawn = true;
        let waker = waited.waker.take();
        drop(waited);
        waker.into_iter().for_each(Waker::wake);
    }

    fn is_withdrawn(&self) -> bool {
        self.0.borrow().is_withdrawn
    }

    fn remember(&self, waker: &Waker) {
        let known = &mut self.0.borrow_mut().waker;
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
    }
}

impl<'a> AsyncCall<'a> {
    pub(super) fn new(
        (ambient, at): (Ambient, u64),
        began: Instant,
        begun: Begun,
        progress: &'a Progress,
    ) -> Self {
        Self {
            ambient,
            at,
            began,
            begun: Some(begun),
            withdrawal: None,
            progress,
        }
    }

    pub(super) fn index(&self) -> ItemIndex {
        self.ambient.index
    }

    /// What tells the call that nobody waits for it any more, from its next poll on.
    pub(super) fn withdrawal(&mut self) -> Withdrawal {
        self.withdrawal.get_or_insert_default().clone()
    }

    fn ended(&self, returned: Result<Returned, NoResult>) -> EndedCall {
        EndedCall {
            index: self.ambient.index,
            began: self.began,
            returned,
        }
    }

    /// Runs code of the call, which has the thread meanwhile.
    fn turn<R>(&self, run: impl FnOnce() -> R) -> Result<R, Panic> {
        self.progress.enter(self.at);
        self.ambient.enter();
        let ran = caught(run);
        self.progress.leave();
        Ambient::leave();
        ran
    }
}

impl Future for AsyncCall<'_> {
    type Output = EndedCall;

    fn poll(mut self: Pin<&mut Self>, cx: &mut PollContext<'_>) -> Poll<EndedCall> {
        let mut begun = self.begun.take().expect("polled after its end");
        let withdrawal = self.withdrawal.as_ref();
        let polled = match withdrawal.is_some_and(Withdrawal::is_withdrawn) {
            true => Poll::Ready(Err(Failure::Cancelled.into())),
            false => match self.turn(|| begun.as_mut().poll(cx)) {
                Ok(polled) => polled.map(Ok),
                Err(panic) => Poll::Ready(Err(NoResult::Panic(panic))),
            },
        };
        tally::left(self.ambient.index);
        let Poll::Ready(returned) = polled else {
            if let Some(withdrawal) = withdrawal {
                withdrawal.remember(cx.waker());
            }
            self.begun = Some(begun);
            return Poll::Pending;
        };
        // What the call leaves behind is user code too; a panic there does not undo its result.
        drop(self.turn(|| drop(begun)));
        Poll::Ready(self.ended(returned))
    }
}
