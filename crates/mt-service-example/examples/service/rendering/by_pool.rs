//! Rendering by a pool: each document is a call of a plain function, in one of the worker processes.

use std::time::Duration;

use axum::http::StatusCode;
use mt_pool::{
    OnSignal, Pool, StartError, Task, TaskError, TaskErrorKind,
    limits::{Deadline, MemoryLimits, Recycle, WorkerOptions},
};
use mt_service_example::Malformed;
use tower::{Service, ServiceExt};

use crate::{Args, answer::Failed};

/// How long a document may wait for a worker.
const QUEUE_DEADLINE: Duration = Duration::from_secs(20);
/// From this size on a worker is replaced after what it does: the renderer leaks.
const LEAKY_BYTES: u64 = 64 << 20;
/// A worker that is larger is ended at once.
const MOST_BYTES: u64 = 512 << 20;

/// Renders a document. An error is the document's.
#[mt_pool::task]
fn render(document: String) -> Result<String, Malformed> {
    mt_service_example::render(&document)
}

/// The workers. What ends the service is the service's business, and not theirs.
pub(super) fn start(args: &Args) -> Result<Pool, StartError> {
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

/// Calls of [`render`], as a service. One whose future is dropped, because its client has gone, is cancelled.
pub(super) fn service(
    pool: &Pool,
    deadline: Duration,
) -> impl Service<String, Response = String, Error = Failed, Future: Send> + Clone + Send + Sync + use<>
{
    let calls = pool
        .service::<render>()
        .deadline(deadline)
        .queue_deadline(QUEUE_DEADLINE);
    calls.map_err(failed)
}

fn failed(error: TaskError<<render as Task>::Error>) -> Failed {
    use TaskErrorKind as Kind;
    let kind = error.kind();
    let status = match kind {
        Kind::Raised(error) => return Failed::refused(error),
        Kind::TimedOut {
            deadline: Deadline::Queue,
            ..
        }
        | Kind::Cancelled
        | Kind::NotStarted(_)
        | Kind::Pool(_) => return Failed::for_now(kind),
        Kind::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
        Kind::Crashed { .. } | Kind::OutcomeLost { .. } | Kind::MemoryExceeded { .. } => {
            StatusCode::BAD_GATEWAY
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Failed::with(status, format_args!("the document {kind}"))
}
