//! The routes, and what they share.

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    extract::State,
    http::{
        HeaderName, HeaderValue,
        header::{CONNECTION, CONTENT_TYPE},
    },
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;

use crate::{
    answer::{answer, come_again},
    metrics,
    rendering::{Counts, Renderer},
};

/// How long the rendering took, in milliseconds: a header that browsers show.
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What every route has.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) renderer: Renderer,
    pub(crate) counts: Counts,
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
    let begun = Instant::now();
    let mut answer = answer(shared.renderer.oneshot(document).await);
    let took = format!("render;dur={:.3}", begun.elapsed().as_secs_f64() * 1e3);
    if let Ok(took) = HeaderValue::try_from(took) {
        answer.headers_mut().insert(SERVER_TIMING, took);
    }
    answer
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
    let text = shared.counts.metrics(places_free).await;
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
