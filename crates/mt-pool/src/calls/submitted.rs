//! A call on its way: in the line for a place, then in the queue, until its outcome is there.

use std::{
    mem::take,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::FutureExt;
use mt_proto::ItemIndex;
use tokio::sync::oneshot::Receiver;

use super::{
    queue::{CallQueue, Made},
    request::{Request, not_started},
};
use crate::{
    Pool,
    dispatch::{Lost, Terms},
    driver::{Admitted, CallEnd},
    input::{CallRecord, HeldPlace, InLine},
};

/// A call on its way, as a future of what it comes to. Cancel-safe; dropped, it gives the call up.
pub(super) struct Submitted(CallStep);

/// How far a call is. What it is a call of, or was, is not in its type, and it needs no allocation of its own.
#[derive(Default)]
enum CallStep {
    Encoded(Request),
    /// Waits for a place.
    InLine(Request, InLine),
    Made {
        end: Receiver<CallEnd>,
        given_up: GivenUp,
        /// How long it might wait to be started.
        limit: Option<Duration>,
        /// Keeps the workers.
        _pool: Pool,
    },
    /// Until it is told.
    Refused(Lost),
    #[default]
    Over,
}

impl Submitted {
    /// One that asks for a place when it is first polled.
    pub(super) fn of(request: Request) -> Self {
        Self(CallStep::Encoded(request))
    }

    pub(super) fn refused(lost: Lost) -> Self {
        Self(CallStep::Refused(lost))
    }

    /// One that is made now, if there is a place.
    pub(super) fn at_once(request: Request) -> Option<Self> {
        let places = request.pool.call_places();
        let Some(place) = places.try_take(request.len_bytes()) else {
            request.made.shed();
            return None;
        };
        Some(Self(make(request, place)))
    }

    /// Gives the call up. Tells what it has come to, unless it was made: then the future does, when that is done.
    pub(super) fn cancel(&mut self) -> Option<CallEnd> {
        match &mut self.0 {
            // What is dropped with it counts as cancelled.
            CallStep::Encoded(_) | CallStep::InLine(..) => {
                self.0 = CallStep::Over;
                Some(CallEnd::Cancelled)
            }
            CallStep::Made { given_up, .. } => {
                given_up.withdraw();
                None
            }
            CallStep::Refused(_) | CallStep::Over => None,
        }
    }

    /// The outcome has come.
    fn told(&mut self, end: CallEnd) -> CallEnd {
        match take(&mut self.0) {
            CallStep::Made {
                mut given_up,
                limit,
                ..
            } => {
                given_up.index = None;
                end.with_queue_limit(limit)
            }
            _ => end,
        }
    }
}

impl Future for Submitted {
    type Output = CallEnd;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CallEnd> {
        loop {
            let place = match &mut self.0 {
                CallStep::Made { end, .. } => {
                    let end = ready!(end.poll_unpin(cx));
                    let end =
                        end.expect("bug in mt-pool: the supervisor of the calls has panicked");
                    return Poll::Ready(self.told(end));
                }
                CallStep::InLine(_, line) => Some(ready!(line.poll_unpin(cx))),
                CallStep::Encoded(_) | CallStep::Refused(_) | CallStep::Over => None,
            };
            self.0 = match (take(&mut self.0), place) {
                (CallStep::InLine(request, _), Some(place)) => make(request, place),
                (CallStep::Encoded(request), _) => ask(request),
                (CallStep::Refused(lost), _) => return Poll::Ready(CallEnd::Refused(lost)),
                _ => panic!("a future was polled after its end"),
            };
        }
    }
}

/// Makes a call if there is a place for it and nobody waits for one; else it waits too.
fn ask(request: Request) -> CallStep {
    let places = request.pool.call_places();
    match places.ask(request.terms.rank, request.len_bytes()) {
        Ok(place) => make(request, place),
        Err(line) => CallStep::InLine(request, line),
    }
}

/// Makes a call in the pool's queue; in the next one, where that has just ended.
fn make(request: Request, place: HeldPlace) -> CallStep {
    let Request {
        pool,
        call,
        terms,
        made,
    } = request;
    let limit = terms.queue;
    match push(&pool, (call, terms), Admitted { place, made }) {
        Ok((given_up, end)) => CallStep::Made {
            end,
            given_up,
            limit,
            _pool: pool,
        },
        Err(lost) => CallStep::Refused(lost),
    }
}

fn push(
    pool: &Pool,
    call: (CallRecord, Terms),
    mut admitted: Admitted,
) -> Result<(GivenUp, Receiver<CallEnd>), Lost> {
    let mut call = Some(call);
    loop {
        let queue = match pool.call_queue() {
            Ok(queue) => queue,
            Err(error) => {
                let lost = not_started(error);
                admitted.made.refuse(&lost);
                return Err(lost);
            }
        };
        match queue.push(&mut call, admitted) {
            Ok(Made { index, end }) => {
                let index = Some(index);
                return Ok((GivenUp { queue, index }, end));
            }
            Err(back) => admitted = back,
        }
    }
}

/// Withdraws a call, once, unless its outcome has come.
struct GivenUp {
    queue: Arc<CallQueue>,
    index: Option<ItemIndex>,
}

impl GivenUp {
    fn withdraw(&mut self) {
        if let Some(index) = self.index.take() {
            self.queue.withdraw(index);
        }
    }
}

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.withdraw();
    }
}
