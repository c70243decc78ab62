//! Rendering by a hive: it is started once, a handle of it is in each request, and each document is delegated to one of
//! the worker bees.

use std::time::Duration;

use axum::http::StatusCode;
use mt_beehive::{
    BeehiveError, CancelReason, DelegateError, Dispatch, Hive, RunningHive, hive_of,
    limits::{Resource, WorkerOptions},
    supervision::OnSignal,
};
use mt_service_example::Malformed;
use tower::{Service, ServiceExt, service_fn};

use crate::{Args, answer::Failed};

/// More address space than any document needs: the renderer leaks, and what finds no more is replaced.
const MOST_BYTES: u64 = 1 << 30;

/// A worker bee that renders. What is loaded once for all documents, fonts, say, would be a field.
#[derive(Default)]
pub(crate) struct Bee;

#[mt_beehive::worker]
impl Bee {
    /// Renders a document. An error is the document's.
    #[task]
    fn render(&self, document: String) -> Result<String, Malformed> {
        mt_service_example::render(&document)
    }
}

/// The hive. What ends the service is the service's business, and not the bees'.
pub(super) fn start(
    args: &Args,
    dispatch: Dispatch,
) -> Result<RunningHive<Hive<Bee>>, BeehiveError> {
    let workers = WorkerOptions::new()
        .on_interrupt(OnSignal::Ignore)
        .ignore_terminate(true)
        .limit(Resource::AddressSpaceBytes, MOST_BYTES);
    hive_of::<Bee>(())
        .processes(args.workers)
        .dispatch(dispatch)
        .workers(workers)
        .start()
}

/// Delegating, as a service. What is delegated by a request whose client has gone is cancelled: its future is dropped.
pub(super) fn service(
    hive: &Hive<Bee>,
    deadline: Duration,
) -> impl Service<String, Response = String, Error = Failed, Future: Send> + Clone + Send + Sync + use<>
{
    let hive = hive.clone();
    let delegates = service_fn(move |document| hive.render(document).deadline(deadline));
    delegates.map_err(failed)
}

fn failed(error: DelegateError) -> Failed {
    let status = match &error {
        DelegateError::Raised(error) => return Failed::refused(error),
        DelegateError::Cancelled(CancelReason::Deadline { .. }) => StatusCode::GATEWAY_TIMEOUT,
        DelegateError::Cancelled(CancelReason::WorkerLost { .. }) => StatusCode::BAD_GATEWAY,
        DelegateError::Cancelled(_) => return Failed::for_now(error),
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Failed::with(
        status,
        format_args!("the document is not rendered: {error}"),
    )
}
