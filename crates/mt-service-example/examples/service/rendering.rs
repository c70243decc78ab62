//! The pool, and the renderer as a service of `tower`.

use std::{sync::Arc, time::Duration};

use mt_pool::{
    OnSignal, Pool, StartError,
    limits::{MemoryLimits, Recycle, WorkerOptions},
};
use mt_service_example::Malformed;
use tokio::sync::Semaphore;
use tower::{
    BoxError, ServiceBuilder, limit::GlobalConcurrencyLimitLayer, util::BoxCloneSyncService,
};

use crate::Args;

/// How long a document may wait for a worker.
const QUEUE_DEADLINE: Duration = Duration::from_secs(20);
/// From this size on a worker is replaced after what it does: the renderer leaks.
const LEAKY_BYTES: u64 = 64 << 20;
/// A worker that is larger is ended at once.
const MOST_BYTES: u64 = 512 << 20;

/// Renders a document. An error is the document's.
#[mt_pool::task]
pub(crate) fn render(document: String) -> Result<String, Malformed> {
    mt_service_example::render(&document)
}

/// Documents in, HTML out.
pub(crate) type Renderer = BoxCloneSyncService<String, String, BoxError>;

/// The workers. What ends the service is the service's business, and not theirs.
pub(crate) fn pool(args: &Args) -> Result<Pool, StartError> {
    let workers = WorkerOptions::new()
        .on_interrupt(OnSignal::Ignore)
        .ignore_terminate(true);
    Pool::builder()
        .processes(args.workers)
        .keep(args.workers)
        .calls(args.places)
        .memory(MemoryLimits::new().max_rss_bytes(MOST_BYTES))
        .recycle(Recycle::new().above_rss_bytes(LEAKY_BYTES))
        .workers(workers)
        .start()
}

/// Calls of [`render`], as many at once as there are places; what finds none is an error at once.
pub(crate) fn renderer(pool: &Pool, places: &Arc<Semaphore>, deadline: Duration) -> Renderer {
    let calls = pool
        .service::<render>()
        .deadline(deadline)
        .queue_deadline(QUEUE_DEADLINE);
    let layers =
        ServiceBuilder::new()
            .load_shed()
            .layer(GlobalConcurrencyLimitLayer::with_semaphore(Arc::clone(
                places,
            )));
    BoxCloneSyncService::new(layers.service(calls))
}
