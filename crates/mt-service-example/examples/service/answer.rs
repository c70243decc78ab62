//! What a rendering has come to, as an answer of HTTP.

use axum::{
    http::{StatusCode, header::RETRY_AFTER},
    response::{Html, IntoResponse, Response},
};
use mt_pool::{Task, TaskError, TaskErrorKind, limits::Deadline};
use tower::{BoxError, load_shed::error::Overloaded};

use crate::rendering::render;

/// The seconds after which to come again.
const RETRY_SECONDS: &str = "1";

/// The page, or which error it is whose fault.
pub(crate) fn answer(rendered: Result<String, BoxError>) -> Response {
    let error = match rendered {
        Ok(html) => return Html(html).into_response(),
        Err(error) if error.is::<Overloaded>() => {
            return come_again("as many documents as may wait for the renderer");
        }
        Err(error) => error,
    };
    match error.downcast_ref::<TaskError<<render as Task>::Error>>() {
        Some(error) => of_kind(error.kind()),
        None => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn of_kind(kind: &TaskErrorKind<<render as Task>::Error>) -> Response {
    use TaskErrorKind as Kind;
    let status = match kind {
        Kind::Raised(error) => {
            let text = format!("the document is refused: {error}\n");
            return (StatusCode::UNPROCESSABLE_ENTITY, text).into_response();
        }
        // Not the document's fault, and another time it may be rendered.
        Kind::TimedOut {
            deadline: Deadline::Queue,
            ..
        }
        | Kind::Cancelled
        | Kind::NotStarted(_)
        | Kind::Pool(_) => return come_again(&kind.to_string()),
        Kind::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
        Kind::Crashed { .. } | Kind::OutcomeLost { .. } | Kind::MemoryExceeded { .. } => {
            StatusCode::BAD_GATEWAY
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, format!("the document {kind}\n")).into_response()
}

/// 503, with a time to come again.
pub(crate) fn come_again(why: &str) -> Response {
    let retry = [(RETRY_AFTER, RETRY_SECONDS)];
    (StatusCode::SERVICE_UNAVAILABLE, retry, format!("{why}\n")).into_response()
}
