//! The routes, and what they share.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{
        HeaderValue,
        header::{CONNECTION, CONTENT_TYPE},
    },
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use mt_pool::Pool;
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;

use crate::{
    answer::{answer, come_again},
    metrics,
    rendering::Renderer,
};

/// What every route has.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) pool: Pool,
    pub(crate) renderer: Renderer,
    pub(crate) places: Arc<Semaphore>,
    /// Whether the end was asked for.
    pub(crate) draining: watch::Receiver<bool>,
}

pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/render", post(render))
        .route("/ready", get(ready))
        .route("/metrics", get(counted))
        .layer(middleware::map_response_with_state(
            shared.clone(),
            close_at_the_end,
        ))
        .with_state(shared)
}

/// Dropped, and its call cancelled, when the client goes away.
async fn render(State(shared): State<Shared>, document: String) -> Response {
    answer(shared.renderer.oneshot(document).await)
}

/// Whether a load balancer should send more.
async fn ready(State(shared): State<Shared>) -> Response {
    if *shared.draining.borrow() {
        come_again("draining")
    } else if shared.places.available_permits() == 0 {
        come_again("full")
    } else {
        "ready\n".into_response()
    }
}

/// For a scrape.
async fn counted(State(shared): State<Shared>) -> impl IntoResponse {
    let places_free = shared.places.available_permits();
    let text = metrics::metrics(places_free, &shared.pool.stats());
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text)
}

/// Tells clients of connections that stay to go elsewhere with what they ask next.
async fn close_at_the_end(State(shared): State<Shared>, mut answer: Response) -> Response {
    if *shared.draining.borrow() {
        let close = HeaderValue::from_static("close");
        answer.headers_mut().insert(CONNECTION, close);
    }
    answer
}
