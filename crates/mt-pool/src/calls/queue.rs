//! The run that serves a pool's calls.

use std::sync::Arc;

use mt_proto::ItemIndex;

use super::options::CallOptions;
use crate::{
    Pool, StartError,
    current::random_seed,
    dispatch::Terms,
    driver::{Admitted, CallEnd, CallRoutes, Collected, DeliverySender, Plan},
    events::{Audience, EventLog},
    input::{CallRecord, ExchangeLimits, FeedEnd, exchange},
    stats::{InWorkers, StatsCell},
    supervision::{IdleLimits, WorkerEvents},
};

/// The end of the run that calls go into.
#[derive(Debug)]
pub(crate) struct CallQueue {
    feed: FeedEnd,
    routes: Arc<CallRoutes>,
}

/// A call that was made.
pub(super) struct Made {
    pub(super) index: ItemIndex,
    pub(super) end: tokio::sync::oneshot::Receiver<CallEnd>,
}

impl CallQueue {
    /// Starts the run, without a worker.
    pub(crate) fn start(
        pool: &Pool,
        options: &CallOptions,
        workers: IdleLimits,
    ) -> Result<Arc<Self>, StartError> {
        let ends = exchange(ExchangeLimits {
            // The places bound it.
            capacity: u64::MAX,
            buffer_bytes: usize::MAX,
        });
        let seed = random_seed();
        let spec = options.spawn_spec(seed)?;
        let entered = pool.enter(&ends.control)?;
        let (routes, route_end) = CallRoutes::new(ends.consumer);
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
            calls: Some(InWorkers::new(Arc::clone(pool.call_recorder()))),
            output: DeliverySender::to_callers(route_end),
        };
        drop(pool.supervise(plan, entered));
        Ok(Arc::new(Self {
            feed: ends.feed,
            routes,
        }))
    }

    pub(crate) fn takes_calls(&self) -> bool {
        self.feed.takes_items() && self.routes.are_open()
    }

    /// Makes a call. When no call is taken any more it stays where it is, and what it was admitted with comes back.
    pub(super) fn push(
        &self,
        call: &mut Option<(CallRecord, Terms)>,
        admitted: Admitted,
    ) -> Result<Made, Admitted> {
        let push = || self.feed.push_call(call);
        let (index, end) = self.routes.expect(admitted, push)?;
        Ok(Made { index, end })
    }

    /// Nobody waits for a call any more.
    pub(super) fn withdraw(&self, call: ItemIndex) {
        self.feed.withdraw(call);
    }
}

impl Drop for CallQueue {
    fn drop(&mut self) {
        self.feed.end();
    }
}
