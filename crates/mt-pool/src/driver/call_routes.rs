//! Which outcome goes to whom.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use mt_proto::{
    CapturedStdout, Failure, ItemIndex, Record, RecordTag, Records, decode_strict, guarded,
};
use rustc_hash::FxBuildHasher;
use tokio::sync::oneshot;

use crate::{
    dispatch::{Apart, Delivery, End, Lost},
    error::TaskErrorKind,
    input::{ConsumerEnd, HeldPlace},
    lock::lock,
    stats::{CallOutcome, MadeCall},
};

/// What a call has come to, not decoded.
#[derive(Debug)]
pub(crate) enum CallEnd {
    Told(ItemIndex, Record),
    Apart(Box<Apart>),
    /// The call was not taken in.
    Refused(Lost),
    /// The call was cancelled before it was taken in.
    Cancelled,
}

impl CallEnd {
    /// What it counts as.
    fn outcome(&self) -> CallOutcome {
        let told = |record: &Record| match record.tag {
            RecordTag::Value => CallOutcome::Value,
            RecordTag::Raised => CallOutcome::Raised,
            // guarded: a value of ours.
            RecordTag::Failure => decode_strict(&record.value)
                .map_or(CallOutcome::Undecodable, |failure| {
                    CallOutcome::of(&TaskErrorKind::<Infallible>::of_failure(failure))
                }),
        };
        match self {
            Self::Told(_, record) => told(record),
            Self::Apart(apart) => match &apart.end {
                End::Told(record) => told(record),
                End::Lost(lost) => CallOutcome::of(lost),
            },
            Self::Refused(lost) => CallOutcome::of(lost),
            Self::Cancelled => CallOutcome::Cancelled,
        }
    }

    /// A worker does not know how long a call might wait in all, only what was left of it.
    pub(crate) fn with_queue_limit(self, limit: Option<Duration>) -> Self {
        let (Self::Told(index, record), Some(limit)) = (&self, limit) else {
            return self;
        };
        if record.tag != RecordTag::Failure {
            return self;
        }
        // guarded: a value of ours.
        let Ok(Failure::TimedOut { deadline, .. }) = decode_strict(&record.value) else {
            return self;
        };
        Self::Apart(Box::new(Apart {
            index: *index,
            attempts: 0,
            payload: None,
            stdout: CapturedStdout::default(),
            end: End::Lost(Lost::TimedOut { deadline, limit }),
        }))
    }
}

/// Whoever waits for a call.
#[derive(Debug)]
struct CallWaiter {
    end: oneshot::Sender<CallEnd>,
    /// What it takes of the queue's bounds until it has ended.
    place: HeldPlace,
    made: MadeCall,
}

/// A call that is to be taken in: what it takes of the queue's bounds, and since when it is counted.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) place: HeldPlace,
    pub(crate) made: MadeCall,
}

/// The calls that have no outcome yet.
#[derive(Debug)]
pub(crate) struct CallRoutes {
    /// None once the driver has ended.
    waiting: Mutex<Option<HashMap<ItemIndex, CallWaiter, FxBuildHasher>>>,
    consumer: ConsumerEnd,
}

/// The driver's end: those who still wait when it is dropped are told, whatever the driver has come to.
#[derive(Debug)]
pub(crate) struct RouteEnd(Arc<CallRoutes>);

impl CallRoutes {
    pub(crate) fn new(consumer: ConsumerEnd) -> (Arc<Self>, RouteEnd) {
        let routes = Arc::new(Self {
            waiting: Mutex::new(Some(HashMap::default())),
            consumer,
        });
        (Arc::clone(&routes), RouteEnd(routes))
    }

    pub(crate) fn are_open(&self) -> bool {
        lock(&self.waiting).is_some()
    }

    /// Waits for the outcome of a call that is pushed meanwhile, so that it can't come before it is waited for. Gives back
    /// what it was admitted with if it is not pushed.
    pub(crate) fn expect(
        &self,
        admitted: Admitted,
        push: impl FnOnce() -> Option<ItemIndex>,
    ) -> Result<(ItemIndex, oneshot::Receiver<CallEnd>), Admitted> {
        let mut waiting = lock(&self.waiting);
        let Some((waiting, index)) = waiting.as_mut().and_then(|open| Some((open, push()?))) else {
            return Err(admitted);
        };
        let (end, receiver) = oneshot::channel();
        let Admitted { place, made } = admitted;
        waiting.insert(index, CallWaiter { end, place, made });
        Ok((index, receiver))
    }
}

impl RouteEnd {
    /// Hands outcomes to those who wait for them.
    pub(super) fn route(&self, turn: Vec<Delivery>) {
        let (mut items, mut bytes) = (0, 0);
        let count = turn.iter().map(|delivery| delivery.count() as usize).sum();
        let mut routed = Vec::with_capacity(count);
        let mut open = lock(&self.0.waiting);
        let Some(waiting) = open.as_mut() else {
            return;
        };
        for delivery in turn {
            items += u64::from(delivery.count());
            bytes += delivery.len_bytes();
            match delivery {
                Delivery::Results(results) => {
                    let mut records = Records::new(results.records);
                    let mut index = results.first;
                    while let Ok(Some(record)) = records.next_record() {
                        let waiter = waiting.remove(&index);
                        routed.extend(waiter.map(|waiter| (waiter, CallEnd::Told(index, record))));
                        index = index.plus(1);
                    }
                }
                Delivery::Apart(apart) => {
                    let waiter = waiting.remove(&apart.index);
                    routed.extend(waiter.map(|waiter| (waiter, CallEnd::Apart(apart))));
                }
            }
        }
        drop(open);
        self.0.consumer.on_consumed(items, bytes);
        let now = Instant::now();
        for (CallWaiter { end, place, made }, outcome) in routed {
            made.end(now, outcome.outcome());
            drop(place);
            // It wakes the caller, whose waker is user code. A caller that is gone takes nothing.
            let _ = guarded(|| end.send(outcome).is_ok());
        }
    }
}

impl Drop for RouteEnd {
    fn drop(&mut self) {
        let waiting = lock(&self.0.waiting).take();
        for waiter in waiting.into_iter().flat_map(HashMap::into_values) {
            // As above.
            let _ = guarded(|| drop(waiter));
        }
    }
}
