//! The queue of a pool's calls: how a call gets in, and the run that serves it.
//!
//! Loop: one a call, until its outcome is there; all it waits for is cancel-safe.

use std::{pin::pin, sync::Arc};

use mt_proto::{Attachments, EncodeError, ItemIndex, MAX_RECORD_BYTES, append_item, guarded};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::options::{CallLimits, CallOptions};
use crate::{
    Context, Pool, StartError, Task, TaskErrorKind,
    current::random_seed,
    dispatch::{Lost, Terms},
    driver::{CallEnd, CallPlace, CallRoutes, Collected, DeliverySender, Plan},
    events::{Audience, EventLog},
    input::{ExchangeLimits, FeedEnd, exchange},
    limits::is_time,
    pmap::given,
    registry,
    stats::StatsCell,
    supervision::{IdleLimits, WorkerEvents},
    task::TaskStyle,
};

/// The bytes of a call's item before its input: the number of its task.
pub(super) const NUMBER_BYTES: usize = size_of::<u32>();
/// The bytes of a record before its value.
const HEADER_BYTES: usize = size_of::<u32>();
/// The most bytes of an item that is copied to where others are.
const LONG_BYTES: usize = 16 * 1024;

/// The run that serves a pool's calls.
#[derive(Debug)]
pub(crate) struct CallQueue {
    feed: FeedEnd,
    routes: Arc<CallRoutes>,
    limits: CallLimits,
    calls: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

impl CallQueue {
    /// Starts the run, without a worker.
    pub(crate) fn start(
        pool: &Pool,
        options: &CallOptions,
        workers: IdleLimits,
    ) -> Result<Arc<Self>, StartError> {
        let ends = exchange(ExchangeLimits {
            // The semaphores bound it.
            capacity: u64::MAX,
            buffer_bytes: usize::MAX,
        });
        let seed = random_seed();
        let spec = options.spawn_spec(seed)?;
        let entered = pool.enter(&ends.control)?;
        let routes = Arc::new(CallRoutes::new(ends.consumer));
        let plan = Plan {
            idle: Some(pool.shared_workers()),
            dispatch: options.dispatch_config(workers, seed),
            collected: Arc::new(Collected::default()),
            spec,
            on_signals: options.workers.on_signals,
            audience: Audience::new(None, Arc::new(EventLog::default())),
            relay: WorkerEvents::here(),
            exchange: ends.driver,
            stats: Arc::new(StatsCell::new(None)),
            output: DeliverySender::to_callers(Arc::clone(&routes)),
        };
        drop(pool.supervise(plan, entered));
        let limits = options.limits;
        Ok(Arc::new(Self {
            feed: ends.feed,
            routes,
            limits,
            calls: Arc::new(Semaphore::new(limits.calls)),
            bytes: Arc::new(Semaphore::new(limits.bytes)),
        }))
    }

    pub(crate) fn takes_calls(&self) -> bool {
        self.feed.takes_items()
    }

    /// No call follows.
    pub(crate) fn end(&self) {
        self.feed.end();
    }

    /// The permits that so many bytes need. One call may have more than all there are.
    fn permits(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.min(self.limits.bytes)).unwrap_or(u32::MAX)
    }
}

impl Drop for CallQueue {
    fn drop(&mut self) {
        self.end();
    }
}

/// A call that is encoded.
#[derive(Debug)]
pub(super) struct Request {
    queue: Arc<CallQueue>,
    /// Keeps the workers.
    pool: Pool,
    record: Vec<u8>,
    attachments: Attachments,
    terms: Terms,
}

impl Request {
    /// Encodes a call of `T`.
    pub(super) fn of<T: Task>(pool: &Pool, input: &T::Input, terms: Terms) -> Result<Self, Lost> {
        check(terms).map_err(not_started)?;
        let shares = T::STYLE == TaskStyle::Async;
        let terms = Terms { shares, ..terms };
        let (queue, number) = called::<T>(pool).map_err(not_started)?;
        let mut record = vec![0; HEADER_BYTES];
        record.extend_from_slice(&number.to_le_bytes());
        let mut attachments = Attachments::NONE;
        let limit = MAX_RECORD_BYTES - NUMBER_BYTES;
        let encoded = guarded(|| append_item(&mut record, input, limit, &mut attachments));
        encoded
            .map_err(EncodeError::from)
            .flatten()
            .map_err(|error| unsent(&error))?;
        let length = (record.len() - HEADER_BYTES) as u32;
        record[..HEADER_BYTES].copy_from_slice(&length.to_le_bytes());
        Ok(Self {
            queue,
            pool: pool.clone(),
            record,
            attachments,
            terms,
        })
    }

    fn len_bytes(&self) -> usize {
        self.record.len().saturating_add(self.attachments.weight())
    }

    /// Waits for a place, makes the call and waits for its outcome. Dropped, it gives the call up; told to cancel, it
    /// waits until that is done.
    pub(super) async fn submit(self, cancel: Arc<Notify>) -> CallEnd {
        let bytes = self.queue.permits(self.len_bytes());
        let call = Arc::clone(&self.queue.calls).acquire_owned();
        let bytes = Arc::clone(&self.queue.bytes).acquire_many_owned(bytes);
        let places = async { (call.await, bytes.await) };
        // Both are cancel-safe: a place that is not taken is free.
        tokio::select! {
            biased;
            places = places => match places {
                (Ok(call), Ok(bytes)) => self.make(place(call, bytes), cancel).await,
                // Nobody closes them.
                _ => CallEnd::Gone,
            },
            () = cancel.notified() => CallEnd::Gone,
        }
    }

    /// Makes the call if there is a place.
    pub(super) fn try_submit(self) -> Result<impl Future<Output = CallEnd> + Send, ()> {
        let bytes = self.queue.permits(self.len_bytes());
        let call = Arc::clone(&self.queue.calls).try_acquire_owned();
        let bytes = Arc::clone(&self.queue.bytes).try_acquire_many_owned(bytes);
        match (call, bytes) {
            (Ok(call), Ok(bytes)) => Ok(self.make(place(call, bytes), Arc::default())),
            _ => Err(()),
        }
    }

    /// Pushes the call at once, and waits for its outcome.
    fn make(self, place: CallPlace, cancel: Arc<Notify>) -> impl Future<Output = CallEnd> + Send {
        let Self {
            queue,
            pool,
            record,
            attachments,
            terms,
        } = self;
        let push = || {
            queue.feed.try_reserve(1).ok()?;
            if terms != Terms::default() {
                queue.feed.push_call(record.into(), attachments, terms)
            } else if record.len() <= LONG_BYTES && attachments.is_empty() {
                queue.feed.push(&record)
            } else {
                queue.feed.push_alone(record.into(), attachments)
            }
        };
        let pushed = queue.routes.expect(place, push);
        let pushed = pushed.map(|(index, end)| {
            (
                GivenUp {
                    queue,
                    index: Some(index),
                },
                end,
            )
        });
        async move {
            let Some((given_up, end)) = pushed else {
                return CallEnd::Refused(not_started(StartError::PoolClosed));
            };
            let mut end = pin!(end);
            let end = loop {
                // Both are cancel-safe.
                tokio::select! {
                    biased;
                    end = &mut end => break end.unwrap_or(CallEnd::Gone),
                    () = cancel.notified() => given_up.withdraw(),
                }
            };
            given_up.no_more();
            drop(pool);
            end.with_queue_limit(terms.queue)
        }
    }
}

/// Withdraws a call, unless its outcome has come.
struct GivenUp {
    queue: Arc<CallQueue>,
    index: Option<ItemIndex>,
}

impl GivenUp {
    fn withdraw(&self) {
        if let Some(index) = self.index {
            self.queue.feed.withdraw(index);
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

fn place(call: OwnedSemaphorePermit, bytes: OwnedSemaphorePermit) -> CallPlace {
    CallPlace {
        _call: call,
        _bytes: bytes,
    }
}

/// The queue for a call of `T`, and the number of `T`.
fn called<T: Task>(pool: &Pool) -> Result<(Arc<CallQueue>, u32), StartError> {
    let number = match registry::number_of::<T>() {
        Some(number) => number,
        None => {
            return Err(registry::sole_id_of::<T>()
                .err()
                .unwrap_or(StartError::PoolClosed));
        }
    };
    // guarded: the code that `#[task]` writes, and a `Default`.
    given("shared", T::default_shared())?;
    given("context", <T::Context as Context>::default_config())?;
    Ok((pool.call_queue()?, number))
}

fn check(terms: Terms) -> Result<(), StartError> {
    let times = [("deadline", terms.hard), ("queue_deadline", terms.queue)];
    let mut given = times
        .into_iter()
        .filter_map(|(option, time)| Some((option, time?)));
    given.try_for_each(|(option, time)| is_time(option, time))
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
