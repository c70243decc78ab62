//! A call on its way: encoded, then in the line for a place, then in the queue, until its outcome is there.
//!
//! Loop: one a call, until its outcome is there; all it waits for is cancel-safe.

use std::{pin::pin, sync::Arc};

use mt_proto::{Attachments, EncodeError, ItemIndex, MAX_RECORD_BYTES, append_item, guarded};
use tokio::sync::Notify;

use super::queue::{CallQueue, Made};
use crate::{
    Context, Pool, StartError, Task, TaskErrorKind,
    dispatch::{Lost, Terms},
    driver::{Admitted, CallEnd},
    executor::CallHead,
    input::{CallRecord, HeldPlace},
    limits::is_time,
    pmap::given,
    registry,
    stats::MadeCall,
    task::TaskStyle,
};

/// The bytes of a record before its value.
const HEADER_BYTES: usize = size_of::<u32>();

/// A call that is encoded.
#[derive(Debug)]
pub(super) struct Request {
    /// Keeps the workers.
    pool: Pool,
    call: CallRecord,
    terms: Terms,
    made: MadeCall,
}

impl Request {
    /// Encodes a call of `T`, which is made by that.
    pub(super) fn of<T: Task>(pool: &Pool, input: &T::Input, terms: Terms) -> Result<Self, Lost> {
        let made = pool.call_recorder().begin();
        match encoded::<T>(input, terms) {
            Ok((call, terms)) => Ok(Self {
                pool: pool.clone(),
                call,
                terms,
                made,
            }),
            Err(lost) => {
                made.refuse(&lost);
                Err(lost)
            }
        }
    }

    fn len_bytes(&self) -> usize {
        let CallRecord {
            records,
            attachments,
        } = &self.call;
        records.len().saturating_add(attachments.weight())
    }

    /// Waits for a place, makes the call and waits for its outcome. Dropped, it gives the call up; told to cancel, it
    /// waits until that is done.
    pub(super) async fn submit(self, cancel: Arc<Notify>) -> CallEnd {
        let places = Arc::clone(self.pool.call_places());
        let place = places.take(self.terms.rank, self.len_bytes());
        // Both are cancel-safe: a place that is not taken is free.
        tokio::select! {
            biased;
            place = place => self.make(place, cancel).await,
            // What was made and is dropped counts as cancelled.
            () = cancel.notified() => CallEnd::Cancelled,
        }
    }

    /// Makes the call if there is a place.
    pub(super) fn try_submit(self) -> Option<impl Future<Output = CallEnd> + Send> {
        let Some(place) = self.pool.call_places().try_take(self.len_bytes()) else {
            self.made.shed();
            return None;
        };
        Some(self.make(place, Arc::default()))
    }

    /// Makes the call at once, and waits for its outcome.
    fn make(self, place: HeldPlace, cancel: Arc<Notify>) -> impl Future<Output = CallEnd> + Send {
        let Self {
            pool,
            call,
            terms,
            made,
        } = self;
        let limit = terms.queue;
        let pushed = push(&pool, &call, &terms, Admitted { place, made });
        async move {
            let (mut given_up, end) = match pushed {
                Ok(pushed) => pushed,
                Err(lost) => return CallEnd::Refused(lost),
            };
            let mut end = pin!(end);
            let end = loop {
                // Both are cancel-safe.
                tokio::select! {
                    biased;
                    end = &mut end => break end,
                    () = cancel.notified() => given_up.withdraw(),
                }
            };
            given_up.no_more();
            drop(pool);
            let end = end.expect("bug in mt-pool: the supervisor of the calls has panicked");
            end.with_queue_limit(limit)
        }
    }
}

/// A call of `T`, encoded, and what holds for it.
fn encoded<T: Task>(input: &T::Input, terms: Terms) -> Result<(CallRecord, Terms), Lost> {
    check(&terms).map_err(not_started)?;
    let head = match &terms.prepared {
        Some(prepared) => CallHead::Prepared(prepared.id),
        None => CallHead::Task(number_of::<T>().map_err(not_started)?),
    };
    let shares = T::STYLE == TaskStyle::Async;
    let mut record = vec![0; HEADER_BYTES];
    head.write(&mut record);
    let mut attachments = Attachments::NONE;
    let limit = MAX_RECORD_BYTES - CallHead::MAX_BYTES;
    let encoded = guarded(|| append_item(&mut record, input, limit, &mut attachments));
    encoded
        .map_err(EncodeError::from)
        .flatten()
        .map_err(|error| unsent(&error))?;
    let length = (record.len() - HEADER_BYTES) as u32;
    record[..HEADER_BYTES].copy_from_slice(&length.to_le_bytes());
    let call = CallRecord {
        records: record.into(),
        attachments,
    };
    Ok((call, Terms { shares, ..terms }))
}

/// Makes a call in the pool's queue; in the next one, where that has just ended.
fn push(
    pool: &Pool,
    call: &CallRecord,
    terms: &Terms,
    mut admitted: Admitted,
) -> Result<(GivenUp, tokio::sync::oneshot::Receiver<CallEnd>), Lost> {
    loop {
        let queue = match pool.call_queue() {
            Ok(queue) => queue,
            Err(error) => {
                let lost = not_started(error);
                admitted.made.refuse(&lost);
                return Err(lost);
            }
        };
        match queue.push(call.clone(), terms.clone(), admitted) {
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

    fn no_more(mut self) {
        self.index = None;
    }
}

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.withdraw();
    }
}

/// The number of `T`, if it can be called without anything but its input.
fn number_of<T: Task>() -> Result<u32, StartError> {
    let number = registry::number_of::<T>()?;
    given("shared", is_given(T::default_shared))?;
    given("context", is_given(<T::Context as Context>::default_config))?;
    Ok(number)
}

/// Whether there is a default, whose making may be user code. One that panics does so in the worker too, which tells.
fn is_given<V>(default: fn() -> Option<V>) -> Option<()> {
    guarded(|| default().is_some())
        .unwrap_or(true)
        .then_some(())
}

fn check(terms: &Terms) -> Result<(), StartError> {
    let times = [("deadline", terms.hard), ("queue_deadline", terms.queue)];
    let mut given = times
        .into_iter()
        .filter_map(|(option, time)| Some((option, time?)));
    given.try_for_each(|(option, time)| is_time(option, time))?;
    terms.retries.check()
}

fn not_started(error: StartError) -> Lost {
    TaskErrorKind::NotStarted(Arc::new(error))
}

fn unsent(error: &EncodeError) -> Lost {
    match error {
        EncodeError::TooLarge { limit } => TaskErrorKind::TooLarge {
            limit_bytes: *limit as u64,
        },
        other => TaskErrorKind::Unserialisable(other.to_string()),
    }
}
