//! Which outcome goes to whom.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use mt_proto::{Failure, ItemIndex, Record, RecordTag, Records, decode_strict, guarded};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::{
    dispatch::{Apart, Delivery, End, Lost},
    input::ConsumerEnd,
    lock::lock,
};

/// What a call has come to, not decoded.
#[derive(Debug)]
pub(crate) enum CallEnd {
    Told(ItemIndex, Record),
    Apart(Box<Apart>),
    /// The call was not taken in.
    Refused(Lost),
    /// The call was cancelled before it was taken in, or its driver is gone.
    Gone,
}

impl CallEnd {
    pub(crate) fn of_refused(lost: Option<Lost>) -> Self {
        lost.map_or(Self::Gone, Self::Refused)
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
            end: End::Lost(Lost::TimedOut { deadline, limit }),
        }))
    }
}

/// What a call takes of the queue's bounds until it has ended.
#[derive(Debug)]
pub(crate) struct CallPlace {
    pub(crate) _call: OwnedSemaphorePermit,
    pub(crate) _bytes: OwnedSemaphorePermit,
}

/// Whoever waits for a call.
#[derive(Debug)]
struct CallWaiter {
    end: oneshot::Sender<CallEnd>,
    place: CallPlace,
}

/// The calls that have no outcome yet.
#[derive(Debug)]
pub(crate) struct CallRoutes {
    waiting: Mutex<HashMap<ItemIndex, CallWaiter>>,
    consumer: ConsumerEnd,
}

impl CallRoutes {
    pub(crate) fn new(consumer: ConsumerEnd) -> Self {
        Self {
            waiting: Mutex::default(),
            consumer,
        }
    }

    /// Waits for the outcome of a call that is pushed meanwhile, so that it can't come before it is waited for.
    pub(crate) fn expect(
        &self,
        place: CallPlace,
        push: impl FnOnce() -> Option<ItemIndex>,
    ) -> Option<(ItemIndex, oneshot::Receiver<CallEnd>)> {
        let mut waiting = lock(&self.waiting);
        let index = push()?;
        let (end, receiver) = oneshot::channel();
        waiting.insert(index, CallWaiter { end, place });
        Some((index, receiver))
    }

    /// Hands outcomes to those who wait for them.
    pub(crate) fn route(&self, turn: Vec<Delivery>) {
        let (mut items, mut bytes) = (0, 0);
        let mut routed = Vec::new();
        let mut waiting = lock(&self.waiting);
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
        drop(waiting);
        self.consumer.on_consumed(items, bytes);
        for (CallWaiter { end, place }, outcome) in routed {
            drop(place);
            // It wakes the caller, whose waker is user code. A caller that is gone takes nothing.
            let _ = guarded(|| end.send(outcome).is_ok());
        }
    }
}
